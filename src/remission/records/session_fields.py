"""What a plan is asked: the name, unit and help of every field, once for the command line and for the page."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["SESSION_FIELDS", "SessionField"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionField:
    """One field.

    unit
        Taken for a bare number; empty where there is none or where it must be written.
    help
        How it is written, in a few words.
    is_many
        Whether it may come more than once.
    """

    name: str
    unit: str = ""
    help: str
    is_many: bool = False


SESSION_FIELDS: Final = MappingProxyType(
    {
        one.name: one
        for one in (
            SessionField(name="weight", unit="kg", help="82, 82 kg, 180 lb or 12 st 8 lb."),
            SessionField(name="age", unit="years", help="In years; adults only."),
            SessionField(name="sex", help="female or male; left out: unknown."),
            SessionField(name="height", unit="cm", help="178, 1.78 m or 5 ft 10 in."),
            SessionField(name="substance", help="alcohol, opioid ...; left out: unknown."),
            SessionField(name="hypertension", help="Known hypertension."),
            SessionField(
                name="systolic", unit="mmHg", help="Pressure before the session, mmHg or kPa; or both, 120/80."
            ),
            SessionField(name="diastolic", unit="mmHg", help="Pressure before the session, mmHg or kPa."),
            SessionField(name="pulse", unit="per minute", help="Heart rate before the session, per minute."),
            SessionField(
                name="has",
                help="A check that is met, in usual words, as pregnancy or sleep apnea; see --list.",
                is_many=True,
            ),
            SessionField(
                name="takes",
                help="A medicine, drug or gene, by generic or brand name, as methadone; see --list.",
                is_many=True,
            ),
            SessionField(name="preset", help="A published regimen, as kare; see --list."),
            SessionField(
                name="drug", help="ketamine (the racemate, when left out), or esketamine, which has its own models."
            ),
            SessionField(name="route", help="iv, im, sc, oral, sublingual, intranasal, rectal; only iv has effects."),
            SessionField(name="assume_ka", help="Absorption that you assume, as 3/h, where none is sourced."),
            SessionField(name="assume_f", help="Share that you assume to arrive, 0 to 1, where none is sourced."),
            SessionField(name="product", help="A product of the library, where sources disagree; see --list."),
            SessionField(
                name="dose", help="0.5mg/kg, 35mg, 0.75mg/kg/h or 0.5mg/kg/40min; again for a next step.", is_many=True
            ),
            SessionField(name="minutes", unit="min", help="Length of each infusion: 40, 40 min or 0:40.", is_many=True),
            SessionField(
                name="start", unit="min", help="Start of each, min; left out: one after the other.", is_many=True
            ),
            SessionField(
                name="sessions",
                help="Sessions of the course: held against published courses; one session is simulated.",
            ),
            SessionField(
                name="spacing", unit="days", help="Days between sessions: held against published courses too."
            ),
            SessionField(name="model", help="Kinetic model of the library, or average; left out: pk-2026."),
            SessionField(
                name="weights", help="Of models in the average, as 'kamp2020=2, noppers2011=1'; left out: equal."
            ),
            SessionField(name="people", help="Simulated people."),
            SessionField(name="seed", help="Of the simulated people."),
        )
    }
)
"""Every field by its name, in the order of the form."""
