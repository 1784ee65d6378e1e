"""Hold kinds of therapy, rewards and exercise to what was read of them and write ``docs/validation/therapies.md``.

Usage: ``python -m validation.therapy_study`` (``make therapies``); about two minutes on one core.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from remission.errors import SpecError
from remission.patient.parameters import DEFAULT_PARAMETER_SET, load_course_parameters
from remission.patient.pharmacology import load_pharmacology
from remission.protocol.record import Protocol
from remission.records.sourced_contrast import SourcedContrast
from remission.records.substance import Substance
from remission.records.therapy_kinds import THERAPIES, TherapyWorth, therapy_worth
from remission.trial.batch import simulate_batch
from remission.trial.contrasts import clean_share, shown_contrast, spread_of_people
from remission.trial.package import therapy_effect
from validation.small_trials import small_protocol

PAGE = Path(__file__).resolve().parent.parent / "docs" / "validation" / "therapies.md"
SEED = 99
GROUPS, PEOPLE_A_GROUP = 20, 500
YEAR = 366
_Use = np.ndarray
"""Use by group, person and day."""


def own_worths() -> Iterator[tuple[str, str, TherapyWorth]]:
    """Kind, substance and worth wherever a contrast of the kind's own sets it."""
    for kind in THERAPIES:
        for substance in Substance:
            worth = therapy_worth(kind, substance=substance.value)
            if worth.contrast is not None and not worth.like:
                yield kind, substance.value, worth


def protocol_of(kind: str, contrast: SourcedContrast, worth: TherapyWorth) -> Protocol:
    """The kind and what it was compared with, in the people that the contrast is of, for a year."""
    people = {
        "n_subjects": PEOPLE_A_GROUP, "clean_days": contrast.clean_days, "self_quit": contrast.self_quit,
    }  # fmt: skip
    sessions = [{"day": day} for day in worth.session_days]
    own: dict[str, Any] = {"kind": kind, "session_min": 60.0, "sessions": sessions}
    if worth.quality == 0.0:
        own["quality"] = 1.0
    talk = {"kind": "education", "quality": worth.against_quality, "session_min": 60.0, "sessions": sessions}
    return small_protocol(
        substance=Substance(contrast.substance),
        population={**small_protocol().population.to_dict(), **people},
        follow_up_days=YEAR,
        setting={"retention": "complete"},
        arms=[
            {"id": "one", "label": "One", "therapy": "own"},
            {"id": "other", "label": "Other", "therapy": "talk"},
        ],
        analyses=[],
        therapies={"own": own, "talk": talk},
    )


def use_of(protocol: Protocol, arm: int) -> _Use:
    """Use of the same people under one arm, by group."""
    course = simulate_batch(
        protocol, under=arm, seed=SEED, first_replicate=0, n_replicates=GROUPS,
        parameters=load_course_parameters(protocol.substance), pharmacology=load_pharmacology(),
    ).course  # fmt: skip
    return course.use.reshape(GROUPS, PEOPLE_A_GROUP, -1)


def size(contrast: SourcedContrast, one: _Use, other: _Use) -> tuple[float, float]:
    """The contrast in all people and its Monte Carlo standard error, by leaving out one group after another."""

    def shown(keep: np.ndarray) -> float:
        treated, control = (use[keep].reshape(-1, use.shape[2]) for use in (one, other))
        return shown_contrast(
            contrast.measure, clean_share(contrast, treated), clean_share(contrast, control),
            spread=spread_of_people(contrast, treated, control),
        )  # fmt: skip

    number = np.arange(GROUPS)
    parts = np.array([shown(number != left) for left in number])
    error = math.sqrt((GROUPS - 1) / GROUPS * float(((parts - parts.mean()) ** 2).sum()))
    return shown(number >= 0), error


def rows() -> tuple[list[str], list[str]]:
    """The table of what was set, and that of what was not."""
    as_set, later = [], []
    for kind, substance, worth in own_worths():
        contrast = worth.contrast
        assert contrast is not None
        read = f"{contrast.contrast:g} | {contrast.interval} | {contrast.record} | {worth.grade}"
        protocol = protocol_of(kind, contrast, worth)
        try:
            effect = therapy_effect(
                protocol.therapies["own"], substance=substance, parameters=load_course_parameters(protocol.substance)
            )
        except SpecError as error:
            as_set.append(f"| {kind}, {substance} | {contrast.measure} | {read} | FAIL: {error} | | |")
            continue
        one, other = (use_of(protocol, arm) for arm in range(2))
        found, mcse = size(contrast, one, other)
        strength = effect.quality if effect.incentive is None else effect.incentive
        verdict = "pass" if abs(found / contrast.contrast - 1.0) < 0.1 + 3.0 * mcse / contrast.contrast else "FAIL"
        as_set.append(
            f"| {kind}, {substance} | {contrast.measure} | {read} | {found:.3g} ± {mcse:.2g} | {strength:.2f} | "
            f"{verdict} |"
        )
        later += [f"| {kind}, {substance} | {text} |" for text in later_of(kind, contrast, one, other)]
    return as_set, later


def later_of(kind: str, contrast: SourcedContrast, one: _Use, other: _Use) -> Iterator[str]:
    """Later windows of which something was read, and on which no strength was set."""
    windows: list[tuple[str, int, int, str]] = []
    as_read: Callable[[float], float] = float
    if kind == "cbt":
        windows = [("days 335 to 364, g", 335, 365, "0.096 at 12 months (cbt_magill_12m)")]
    if kind == "contingency-management":
        # An odds ratio as a standardized difference, by the logistic distribution.
        as_read = lambda ratio: math.log(ratio) * math.sqrt(3.0) / math.pi  # noqa: E731
        end = contrast.days
        windows = [
            ("end, d", contrast.first_day, end, "0.46 (0.37 to 0.54)"),
            ("45 days after, d", end + 43, end + 46, "0.33 (0.12 to 0.54), up to 3 months"),
            ("180 days after, d", end + 178, end + 181, "-0.09 (-0.28 to 0.10), 6 months"),
        ]
    for words, first, days, said in windows:
        found, mcse = size(replace(contrast, first_day=first, days=days), one, other)
        if kind == "contingency-management":
            mcse = mcse / found * math.sqrt(3.0) / math.pi
        yield f"{words} | {said} | {as_read(found):.2f} ± {mcse:.2g}"


def page() -> str:
    """The whole page."""
    as_set, later = rows()
    lines = [
        "# Kinds of therapy beside what was read of them",
        "",
        "This page is written by `make therapies`; every number on it is simulated unless its column says read.",
        f"The parameter set is `{DEFAULT_PARAMETER_SET}`.",
        f"Simulated numbers are of {GROUPS * PEOPLE_A_GROUP:,} people (seed {SEED}), alike with and without treatment.",
        "The strength was set on 4,000 others; ± is the Monte Carlo standard error.",
        "",
        "## What sets the worth of a kind",
        "",
        "A row passes within a tenth of the contrast that was read and three standard errors.",
        "That is a check of the machinery and no evidence for the therapy: its strength was made for it.",
        "The strength is the quality of a lesson, or what a visit with rewards takes off the log odds of use.",
        "Rewards of cannabis are shown whole here; in a protocol they do nothing unless it says so.",
        "",
        "| kind | measure | read | interval | record | grade | simulated | strength | |",
        "|---|---|---|---|---|---|---|---|---|",
        *as_set,
        "",
        "Kinds that are not here have no contrast of their own ([which, and why](../explanation/therapies.md)).",
        "",
        "## Later",
        "",
        "No strength was set on these windows, so a difference is news.",
        "How fast rewards let go was chosen with the two later numbers of rewards in sight.",
        "In the model a part of their effect lasts by itself: who stopped is more committed. That is a known miss.",
        "",
        "| kind | when | read | simulated |",
        "|---|---|---|---|",
        *later,
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
