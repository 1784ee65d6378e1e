"""Volumes and a session log, for clinicians who asked for them; off unless the operator turns it on.

Nothing here is a plan of care: the volume is the arithmetic of a dose and a vial, and the log has no place for a name.
"""

import re
from typing import Annotated

from pydantic import Field

from remission.errors import SpecError
from remission.numerics.digits import digits
from remission.planner import PlanRequest
from remission.planner.plan import regimen_words
from remission.records.base import Record
from remission.records.typed import tidy
from remission.report.words import WORDS
from remission.units import hours_to_minutes, minutes_to_hours

_SAID = WORDS["clinic"]
_STRENGTH = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(mg\s*/\s*ml|%)?")
_DIGITS = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_LOW_ML_PER_H, _HIGH_ML_PER_H = 1.0, 1200.0
"""Rates that infusion pumps give evenly; assumed, to catch a slip of the dilution."""
_LOW_MG_PER_ML, _HIGH_MG_PER_ML = 1.0, 100.0
"""Vials of ketamine are sold between these; assumed, to catch a slip."""


class ClinicStep(Record):
    """One step of the session as an amount and a volume.

    ml_per_h
        Rate of the pump from the dilution, to its 0.1 mL/h; empty without a dilution and for other routes.
    given
        What the rounded rate gives in the planned time, where it is not the amount itself.
    """

    label: str
    mg: str
    ml: str
    ml_per_h: str = ""
    given: str = ""


class Dilution(Record):
    """What is drawn up to what volume.

    mg, total_ml
        Ketamine in the syringe or bag, and the volume of it with everything.
    """

    mg: Annotated[float, Field(gt=0.0, le=5000.0)]
    total_ml: Annotated[float, Field(gt=0.0, le=3000.0)]

    @property
    def mg_per_ml(self) -> float:
        """Strength of the mixture. [mg/mL]"""
        return self.mg / self.total_ml


class ClinicSheet(Record):
    """Volumes, and the empty fields of a session log."""

    strength: str
    total: str
    steps: tuple[ClinicStep, ...]
    mixture: str = ""
    cautions: tuple[str, ...] = ()
    substance_fields: tuple[str, ...] = tuple(_SAID["substance_fields"])
    watch_fields: tuple[str, ...] = tuple(_SAID["watch_fields"])
    times: tuple[str, ...] = tuple(_SAID["times"])
    asks: tuple[str, ...] = tuple(_SAID["asks"])


def read_strength(text: str) -> float:
    """The strength of a vial. [mg/mL]

    Raises SpecError: no number, or none that a vial of ketamine has.

    Examples
    --------
    >>> read_strength("50 mg/mL")
    50.0
    """
    found = _STRENGTH.fullmatch(tidy(text, where="vial").lower())
    # One percent is 10 mg in a mL.
    strength = float(found[1]) * (10.0 if found[2] == "%" else 1.0) if found else 0.0
    if not _LOW_MG_PER_ML <= strength <= _HIGH_MG_PER_ML:
        raise SpecError(
            where="vial",
            got=text,
            allowed=f"a strength from {_LOW_MG_PER_ML:g} to {_HIGH_MG_PER_ML:g} mg/mL, as on the vial",
        )
    return strength


def read_dilution(text: str, *, strength_mg_per_ml: float) -> Dilution:
    """A mixture from ``100 mg in 100 mL``, ``2 mL in 50 mL`` of the vial, or ``1 mg/mL in 50 mL``.

    ``strength_mg_per_ml``: of the vial that is drawn from. [mg/mL] Raises SpecError: it cannot be read, is stronger
    than the vial, or more is drawn than the whole volume.

    Examples
    --------
    >>> read_dilution("100 mg in 100 ml", strength_mg_per_ml=50.0).mg_per_ml
    1.0
    >>> read_dilution("2,5 mL in 50 mL", strength_mg_per_ml=10.0).mg
    25.0
    """
    allowed = "a mixture such as '100 mg in 100 mL', '2 mL in 50 mL' or '1 mg/mL in 50 mL'"
    plain = tidy(text, where="dilution").lower()
    found = re.fullmatch(
        rf"({_DIGITS})\s*(mg|ml|mg\s*/\s*ml)\s*(?:in|to|ad|/)\s*({_DIGITS})\s*ml(?:\s+(?:of )?(?:saline|glucose))?",
        plain,
    )
    if found is None:
        raise SpecError(where="dilution", got=text, allowed=allowed)
    number, unit, total_ml = float(found[1]), found[2].replace(" ", ""), float(found[3])
    mg = {"mg": number, "ml": number * strength_mg_per_ml, "mg/ml": number * total_ml}[unit]
    if not (0.0 < mg <= 5000.0 and 0.0 < total_ml <= 3000.0):
        raise SpecError(where="dilution", got=text, allowed="above 0 and up to 5000 mg in up to 3000 mL")
    drawn_ml = mg / strength_mg_per_ml
    if drawn_ml > total_ml * (1.0 + 1e-9):
        raise SpecError(
            where="dilution",
            got=f"{text}, which is {mg / total_ml:.3g} mg/mL",
            allowed=f"at most the {strength_mg_per_ml:g} mg/mL of the vial",
            remedy=f"{mg:g} mg are {drawn_ml:.3g} mL of that vial, more than {total_ml:g} mL: write the volume of the "
            "whole mixture.",
        )
    return Dilution(mg=mg, total_ml=total_ml)


def clinic_sheet(request: PlanRequest, *, strength_mg_per_ml: float, dilution: Dilution | None = None) -> ClinicSheet:
    """Volumes of each step and of the whole, rates of a pump from a dilution, and the fields of the log.

    ``strength_mg_per_ml``: of the vial. [mg/mL] ``dilution``: what is drawn up to what volume; without it there are
    volumes of the vial alone. Raises SpecError: esketamine that is not infused; a dilution for another route than a
    vein, or one that holds less than the session needs.
    """
    if request.is_esketamine and request.route != "iv":
        raise SpecError(
            where="vial", got=f"esketamine, {request.route}", allowed="a vial of what is infused into a vein",
            remedy="The spray comes in devices of 28 mg; its own leaflet says how they are used.",
        )  # fmt: skip
    if dilution is not None:
        _check_dilution(request, dilution)
    strength = strength_mg_per_ml if dilution is None else dilution.mg_per_ml
    steps = []
    for one in request.infusions:
        mg = one.dose_mg_per_kg * request.weight_kg
        label = regimen_words((one.replace(start_h=0.0),), route=request.route)
        rate, given = _pump(mg, one.duration_min, dilution)
        steps.append(ClinicStep(label=label, mg=f"{mg:.1f}", ml=f"{mg / strength:.2f}", ml_per_h=rate, given=given))
    total = request.total_mg
    if len(steps) > 1:
        steps.append(ClinicStep(label="together", mg=f"{total:.1f}", ml=f"{total / strength:.2f}"))
    return ClinicSheet(
        strength=f"{digits(strength_mg_per_ml)} mg/mL",
        total=f"{total:.1f} mg",
        steps=tuple(steps),
        mixture=""
        if dilution is None
        else _SAID["mixture"].format(
            drawn=dilution.mg / strength_mg_per_ml,
            diluent=dilution.total_ml - dilution.mg / strength_mg_per_ml,
            dilution=dilution,
        ),
        # The slip that harms most: esketamine drawn from a vial of the racemate, or the other way round.
        cautions=(
            *((_SAID["esketamine"],) if request.is_esketamine else ()),
            *(() if dilution is None else _cautions(request, dilution)),
        ),
    )


def _check_dilution(request: PlanRequest, dilution: Dilution) -> None:
    if request.route != "iv":
        raise SpecError(where="dilution", got=request.route, allowed="none: only an infusion into a vein has one")
    if request.total_mg > dilution.mg * (1.0 + 1e-9):
        raise SpecError(
            where="dilution",
            got=f"{dilution.mg:g} mg",
            allowed=f"at least the {request.total_mg:.1f} mg of the session",
            remedy="Draw up more, or split the session over two mixtures.",
        )


def _pump(mg: float, minutes: float | None, dilution: Dilution | None) -> tuple[str, str]:
    """Rate to a pump's tenth of mL/h, and what that gives, where it is not the dose to a tenth of a mg."""
    if dilution is None or not minutes:
        return "", ""
    exact = hours_to_minutes(mg / dilution.mg_per_ml) / minutes
    rounded = round(exact, 1)
    given = minutes_to_hours(rounded * dilution.mg_per_ml * minutes)
    return f"{rounded:.1f}", "" if f"{given:.1f}" == f"{mg:.1f}" else f"gives {given:.1f} mg"


def _cautions(request: PlanRequest, dilution: Dilution) -> tuple[str, ...]:
    found = []
    for number, one in enumerate(request.infusions, start=1):
        mg = one.dose_mg_per_kg * request.weight_kg
        rate = hours_to_minutes(mg / dilution.mg_per_ml) / (one.duration_min or 1.0)
        if mg and rate < _LOW_ML_PER_H:
            found.append(_SAID["too_slow"].format(step=number, rate=rate))
        if rate > _HIGH_ML_PER_H:
            found.append(_SAID["too_fast"].format(step=number, rate=rate))
        if mg and abs(round(rate, 1) - rate) > 0.02 * rate:
            found.append(_SAID["rounded"].format(step=number))
    if dilution.mg > 2.0 * request.total_mg:
        found.append(_SAID["too_much"].format(mg=dilution.mg))
    return tuple(found)
