"""What the values behind a simulation are worth: grades of a substance's own values, and what they were tuned on.

Every output says this in its first lines. The words follow from the grades of the parameter set and from
``library/behavior/tuning.toml``; no list of substances is kept anywhere.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from remission.library.calibration_plan import load_calibration_plan
from remission.library.loader import list_parameter_sets, load_parameter_set, read_library_toml
from remission.library.posteriors import load_posterior
from remission.library.protocols import evidence_of, load_protocol, substance_of
from remission.patient.parameters import DEFAULT_PARAMETER_SET
from remission.protocol.record import Protocol
from remission.records.parameter import Grade, ParameterSet
from remission.records.substance import Substance

__all__ = [
    "Standing",
    "Tuned",
    "gives_ketamine",
    "is_tuned",
    "standing_of",
    "standing_of_protocol",
    "substances_without_trial",
    "tuned_sentence",
]


@dataclass(frozen=True, slots=True)
class Tuned:
    """What values were tuned on: ``kind`` is trial or natural history; ``record`` its id in the evidence registry."""

    kind: str
    name: str
    record: str | None
    endpoints: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a substance's values are worth.

    ``grades`` counts the values that the substance has for itself, by grade; ``shared`` those it shares with the
    others. ``tuned_on`` is None for a set of parameters of which nothing is on file. ``posterior``: from which every
    simulated trial draws what ketamine does, by name; None where all have the same values. ``cautions``: what fits of
    known values showed of it. ``gives_ketamine``: whether what ketamine does is part of the result.
    """

    substance: str
    parameter_set: str
    grades: Mapping[str, int]
    shared: Mapping[str, int]
    tuned_on: tuple[Tuned, ...] | None
    posterior: str | None = None
    cautions: tuple[str, ...] = ()
    gives_ketamine: bool = True

    @property
    def is_placeholder(self) -> bool:
        """Whether a value that the substance has for itself is a placeholder, or it has none of its own."""
        return self.grades.get(Grade.PLACEHOLDER.value, 0) > 0 or not self.grades

    @property
    def placeholder_share(self) -> float:
        """Share of the substance's own values that are placeholders."""
        return self.grades.get(Grade.PLACEHOLDER.value, 0) / max(1, sum(self.grades.values()))

    @property
    def assumed_share(self) -> float:
        """Share of the substance's own values that are placeholders, assumed or unverified."""
        known = (Grade.MEASURED.value, Grade.DERIVED.value)
        return 1.0 - sum(self.grades.get(name, 0) for name in known) / max(1, sum(self.grades.values()))

    @property
    def trials(self) -> tuple[Tuned, ...]:
        """The trials of ketamine that the values were tuned on."""
        return tuple(one for one in self.tuned_on or () if one.kind == "trial")

    @property
    def lines(self) -> tuple[str, ...]:
        """The sentences that stand before every result: placeholders first, then the tuning."""
        name = Substance(self.substance).plural
        found = []
        if self.is_placeholder:
            found.append(
                f"The values for {name} are placeholders ({_counts(self.grades)}): "
                "results show how the program works and estimate nothing."
            )
        if not self.gives_ketamine and self.tuned_on is not None:
            found.append(
                "No arm has ketamine, so nothing here rests on what ketamine does. "
                f"The values for {name} were tuned by hand on {_names(self)}."
            )
        elif self.posterior is not None:
            found += [
                _learnt(self.posterior, self.substance),
                *self.cautions,
                f"The rest for {name} was tuned by hand on {_names(self)}.",
            ]
        elif self.tuned_on is None:
            found.append(f"What the values of {self.parameter_set} for {name} were tuned on is not on file.")
        elif self.trials:
            trials = " and ".join(one.name for one in self.trials)
            found.append(
                f"The values for {name} were tuned by hand on {trials}: agreement with it is capacity, a tuned number "
                "is no prediction, and no other trial has confirmed them."
            )
        else:
            others = "; ".join(one.name for one in self.tuned_on) or "nothing"
            found.append(
                f"No trial of ketamine in {name} was used: level and return to use were tuned by hand on {others}; "
                "what ketamine and therapy do here is carried over from other substances."
            )
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "substance": self.substance,
            "parameter_set": self.parameter_set,
            "is_placeholder": self.is_placeholder,
            "own_values_by_grade": dict(self.grades),
            "shared_values_by_grade": dict(self.shared),
            "placeholder_share": self.placeholder_share,
            "assumed_share": self.assumed_share,
            "tuned_on": None
            if self.tuned_on is None
            else [asdict(one) | {"endpoints": list(one.endpoints)} for one in self.tuned_on],
            "lines": list(self.lines),
        }


def standing_of(substance: Substance | str, parameter_set: str | ParameterSet = DEFAULT_PARAMETER_SET) -> Standing:
    """What the values of a substance are worth.

    Raises LibraryError: there is no parameter set of that name.

    >>> standing_of("opioid").is_placeholder, standing_of("alcohol").is_placeholder
    (True, False)
    """
    found = load_parameter_set(parameter_set) if isinstance(parameter_set, str) else parameter_set
    name = Substance(substance).value
    own = [one for one in found.parameters if one.id.endswith(f".{name}")]
    replaced = {one.id.removesuffix(f".{name}") for one in own}
    shared = [one for one in found.parameters if "." not in one.id and one.id not in replaced]
    content = _content()
    tuned = tuple(
        Tuned(entry["kind"], entry["name"], entry.get("record"), tuple(entry.get("endpoints", ())))
        for entry in content["tuned"]
        if entry["substance"] == name and found.id in entry.get("sets", content["sets"])
    )
    return Standing(
        substance=name,
        parameter_set=found.id,
        grades=dict(Counter(one.grade.value for one in own).most_common()),
        shared=dict(Counter(one.grade.value for one in shared).most_common()),
        tuned_on=tuned if found.id in content["sets"] else None,
        posterior=found.attributes.get("posterior"),
        cautions=tuple(
            one["says"] for one in content["cautions"] if one["substance"] == name and found.id in one["sets"]
        ),
    )


def gives_ketamine(protocol: Protocol) -> bool:
    """Whether an arm of a trial has ketamine."""
    return any(arm.drug is not None and protocol.drugs[arm.drug].is_ketamine for arm in protocol.arms)


def standing_of_protocol(protocol: Protocol, parameter_set: str | ParameterSet = DEFAULT_PARAMETER_SET) -> Standing:
    """What the values behind a trial are worth; of ketamine only where an arm has it.

    Raises LibraryError: there is no parameter set of that name.
    """
    return replace(standing_of(protocol.substance, parameter_set), gives_ketamine=gives_ketamine(protocol))


def _names(standing: Standing) -> str:
    return "; ".join(one.name for one in standing.tuned_on or ()) or "nothing"


def _learnt(posterior: str, substance: str) -> str:
    """What a posterior was learnt from, and how it did on trials that it was not shown."""
    plan, judged = load_calibration_plan(posterior), load_posterior(posterior).judged
    known = [substance_of(one.protocol) for one in plan.trial]
    mine = known.count(Substance(substance))
    rows = judged["left_out"]
    chain, other = (sum(float(row["log_score"][name]) for row in rows) for name in ("chain", "random effects"))
    return (
        f"Every simulated trial draws what ketamine does from {posterior}, learnt from {len(known)} ketamine trials, "
        f"{mine or 'none'} of them in {Substance(substance).plural}. On trials that were kept from it, it did "
        f"{'no better' if chain <= other else 'better'} than the average effect of the others (log scores "
        f"{chain:.1f} and {other:.1f}; higher is better)."
    )


def is_tuned(*, record: str | None, endpoint: str, parameter_set: str = DEFAULT_PARAMETER_SET) -> bool:
    """Whether a published number of a record was among those that the values were tuned or fitted on."""
    content = _content()
    return endpoint in _fitted(parameter_set, record) or any(
        record is not None and entry.get("record") == record and endpoint in entry.get("endpoints", ())
        for entry in content["tuned"]
        if parameter_set in entry.get("sets", content["sets"])
    )


@cache
def _fitted(parameter_set: str, record: str | None) -> frozenset[str]:
    """Outcome of every published result of a record that entered the posterior of a set."""
    known = list_parameter_sets()
    posterior = load_parameter_set(parameter_set).attributes.get("posterior") if parameter_set in known else None
    if posterior is None:
        return frozenset()
    found = set()
    for entry in load_calibration_plan(posterior).trial:
        if evidence_of(entry.protocol) != record:
            continue
        protocol = load_protocol(entry.protocol)
        used = {(one.analysis, one.endpoint, one.arm) for one in entry.numbers}
        used |= {(one.analysis, None, None) for one in entry.verdicts}
        for one in protocol.comparisons:
            if (one.analysis, one.endpoint, one.arm) in used:
                found.add(one.outcome)
    return frozenset(found)


def substances_without_trial() -> list[str]:
    """The substances for which no trial of ketamine was used, by hand or in the posterior."""
    return [one.value for one in Substance if not standing_of(one).trials and one.value not in _substances_learnt()]


def _substances_learnt() -> list[str]:
    """Of each trial that the default posterior was learnt from its substance; none without a posterior."""
    posterior = load_parameter_set(DEFAULT_PARAMETER_SET).attributes.get("posterior")
    trials = () if posterior is None else load_calibration_plan(posterior).trial
    return [substance_of(one.protocol).value for one in trials]


def tuned_sentence() -> str:
    """For all substances at once: what was learnt from trials, what was tuned by hand, what is a placeholder."""
    standings = [standing_of(one) for one in Substance]
    learnt = Counter(_substances_learnt())
    on_trials = "; ".join(
        f"{one.substance} on {' and '.join(item.name for item in one.trials)}" for one in standings if one.trials
    )
    placeholders = ", ".join(Substance(one.substance).plural for one in standings if one.is_placeholder)
    others = ", ".join(Substance(name).plural for name in substances_without_trial())
    counts = ", ".join(f"{n} in {Substance(name).plural}" for name, n in learnt.items())
    return (
        f"What ketamine does is learnt from {sum(learnt.values())} ketamine trials ({counts}); every simulated trial "
        f"draws it anew from what they leave possible (the posterior), so that intervals hold that doubt. No trial of "
        f"ketamine was used for {others}. The other behavior values were tuned by hand and are fixed, so no interval "
        f"holds the doubt about them: {on_trials}. The values for {placeholders} are placeholders: they show how the "
        "program works and estimate nothing. Agreement with a trial that was used shows what the model can produce; it "
        "is no prediction."
    )


def _counts(grades: Mapping[str, int]) -> str:
    worst_first = ("placeholder", "unverified", "assumed", "derived")
    parts = [f"{grades[name]} {name}" for name in worst_first if name in grades]
    measured = f"{grades.get(Grade.MEASURED.value, 0) or 'none'} measured"
    return f"of {sum(grades.values())} values of its own {', '.join([*parts, measured])}"


@cache
def _content() -> Mapping[str, Any]:
    return read_library_toml(files("remission.library").joinpath("behavior", "tuning.toml"))
