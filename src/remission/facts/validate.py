"""Each registered fact computed under a parameter set, with its Monte Carlo interval and its verdict."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from math import isfinite, sqrt
from typing import Any, Literal

import numpy as np

from remission.errors import LibraryError
from remission.facts.measures import COMPUTATIONS, Sample
from remission.facts.scenarios import Lives
from remission.library.facts import FactScenario, Measure, Rerun, Tolerance, load_facts
from remission.library.protocols import load_protocol
from remission.patient.kernels.links import link_hashes
from remission.records.parameter import MODEL_FORM
from remission.records.result import Result
from remission.trial.result import TrialResult
from remission.trial.simulate import simulate_trial
from remission.trial.summary import summarize_trial

Verdict = Literal["inside", "outside", "not decided", "not computable", "no tolerance"]
_GROUPS = 20
_T_19, _Z = 2.093, 1.960
_PEOPLE, _REPLICATES, _QUICKER = 8000, 200, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRow:
    """One measure: what was computed, what was read, the verdict.

    ``low`` and ``high`` are the 95% Monte Carlo interval of ``value``: how well this number of the model is known, and
    not how well the model is. ``scores`` is false where the source is press, memory or an assumption, where no
    tolerance was registered, or where the nearest course stands in for what cannot be expressed. ``reason`` says why.
    """

    fact: str
    number: int | None
    id: str
    definition: str
    unit: str
    published: str | None
    source: str
    read_as: str
    pools_units: bool
    tolerance: Tolerance | None
    value: float | None
    low: float | None
    high: float | None
    verdict: Verdict
    role: Literal["fit", "check"]
    scores: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RerunRow:
    """A number of a trial that no value was tuned on, beside what was published; no verdict."""

    id: str
    trial: str
    definition: str
    unit: str
    published: str
    read_as: str
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation(Result):
    """Every measure computed, and the trials run again.

    ``form`` is the form that the list was registered for, ``facts_hash`` the list's; ``parameter_set`` and the
    replaced ``links`` are what was computed.
    ``counts`` gives, for check and fit measures apart, how many that score came out how; there is no sum of the two.
    """

    form: str
    parameter_set: str
    facts_hash: str
    links: dict[str, str]
    seed: int
    n_people: int
    n_replicates: int
    rows: tuple[FactRow, ...]
    reruns: tuple[RerunRow, ...]
    counts: dict[str, dict[str, int]]

    def columns(self) -> dict[str, Any]:
        """One row a measure; values are in the unit of its row."""
        names = [one.name for one in fields(FactRow) if one.name != "tolerance"]
        reached_at = [tolerance_text(row.tolerance) for row in self.rows]
        return {**{name: [getattr(row, name) for row in self.rows] for name in names}, "reached_at": reached_at}


def validate(
    *,
    fact: str | None = None,
    quick: bool = False,
    parameter_set: str = MODEL_FORM,
    on_progress: Callable[[int, int], None] | None = None,
) -> Validation:
    """The registered facts under a parameter set: value with interval, tolerance, verdict.

    Parameters
    ----------
    fact
        Id of one fact or of one of its measures; all facts and the trials run again when left out.
    quick
        A tenth of the people and of the replicates: wider intervals.
    parameter_set
        Name of the set in the library.
    on_progress
        Called with (scenarios done, scenarios in all).

    Returns
    -------
    Rows in the order of the list. The same arguments give the same bytes: seed and numbers of people are registered.

    Raises
    ------
    SpecError
        There is no such fact.
    LibraryError
        There is no such parameter set, or the registered list is damaged.
    """
    facts = load_facts()
    chosen = facts.fact if fact is None else (facts.find(fact),)
    listed = [(one, measure) for one in chosen for measure in one.measure if fact in {None, one.id, measure.id}]
    reruns = facts.rerun if fact is None else ()
    n_people, n_replicates = (number // (_QUICKER if quick else 1) for number in (_PEOPLE, _REPLICATES))
    values: dict[str, tuple[float, float, float]] = {}
    work: list[Measure | Rerun] = [*(measure for _, measure in listed if measure.compute != "none"), *reruns]
    scenarios = [one for one in facts.scenario if any(one.id == item.args["scenario"] for item in work)]
    for done, scenario in enumerate(scenarios, start=1):
        mine = [one for one in work if one.args["scenario"] == scenario.id]
        values.update(computed(scenario, mine, facts.seed, parameter_set, n_people, n_replicates))
        if on_progress is not None:
            on_progress(done, len(scenarios))
    rows = tuple(_row(one.id, one.number, measure, values.get(measure.id)) for one, measure in listed)
    return Validation(
        form=facts.form,
        parameter_set=parameter_set,
        facts_hash=facts.content_hash[:16],
        links=link_hashes(),
        seed=facts.seed,
        n_people=n_people,
        n_replicates=n_replicates,
        rows=rows,
        reruns=tuple(_rerun(one, values[one.id]) for one in reruns),
        counts={role: _counts(row for row in rows if row.role == role and row.scores) for role in ("check", "fit")},
    )


def interval_text(row: FactRow | RerunRow) -> str:
    """The value with its Monte Carlo interval, three digits; in words where there is none."""
    if row.value is None or row.low is None or row.high is None:
        return "no value"
    return f"{row.value:.3g} ({row.low:.3g} to {row.high:.3g})"


def tolerance_text(tolerance: Tolerance | None) -> str:
    """What counts as reached."""
    if tolerance is None:
        return "nothing registered"
    if tolerance.low is None or tolerance.high is None:
        return f"at most {tolerance.high:.3g}" if tolerance.low is None else f"at least {tolerance.low:.3g}"
    return f"{tolerance.low:.3g} to {tolerance.high:.3g}"


def verdict_of(tolerance: Tolerance, value: float, low: float, high: float) -> Verdict:
    """Inside or outside only when the whole interval is; a value that does not exist is not computable.

    Examples
    --------
    >>> verdict_of(Tolerance(low=1.0, high=2.0), 1.9, 1.7, 2.1)
    'not decided'
    """
    if not isfinite(value + low + high):
        return "not computable"
    least = -np.inf if tolerance.low is None else tolerance.low
    most = np.inf if tolerance.high is None else tolerance.high
    if least <= low and high <= most:
        return "inside"
    return "outside" if high < least or low > most else "not decided"


def computed(
    scenario: FactScenario,
    measures: Sequence[Measure | Rerun],
    seed: int,
    parameter_set: str,
    n_people: int,
    n_replicates: int,
    values: Mapping[str, float] | None = None,
) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Value and Monte Carlo interval of each measure of a scenario, with ``values`` in the place of those of the set.

    Raises LibraryError: a measure names no computation, or arguments that it does not take.
    """
    if scenario.trial:
        protocol = load_protocol(scenario.protocol)
        result = simulate_trial(
            protocol, n_replicates=n_replicates, seed=seed, parameter_set=parameter_set, changes=values
        )
        for one in measures:
            yield one.id, _of_trial(result, one)
        return
    lives = Lives(
        scenario=scenario, n_people=n_people, seed=seed, parameter_set=parameter_set, values=values or {}
    )  # fmt: skip
    group = np.arange(n_people) % _GROUPS
    for one in measures:
        args = {name: value for name, value in one.args.items() if name != "scenario"}
        try:
            with np.errstate(divide="ignore", invalid="ignore"):
                parts = [COMPUTATIONS[one.compute](Sample(lives, group != k), **args) for k in range(-1, _GROUPS)]
        except (LookupError, TypeError) as error:
            raise _damaged(one, error) from error
        value, left_out = parts[0], np.array(parts[1:])
        error_of = sqrt((_GROUPS - 1) * float(np.mean((left_out - left_out.mean()) ** 2)))
        yield one.id, (value, value - _T_19 * error_of, value + _T_19 * error_of)


def _of_trial(result: TrialResult, measure: Measure | Rerun) -> tuple[float, float, float]:
    """An estimate, an arm, or the smallest step between arms; the interval is that of the mean over replicates."""
    args = measure.args
    if measure.compute == "smallest_step":
        protocol, means = result.protocol, result.arms[args["endpoint"]].mean
        order = [[arm.id for arm in protocol.arms].index(name) for name in args["arms"]]
        steps = np.diff(means[:, order], axis=1)
        least = int(steps.mean(axis=0).argmin())
        half = _Z * float(steps[:, least].std(ddof=1)) / sqrt(len(steps))
        value = float(steps[:, least].mean())
        return value, value - half, value + half
    try:
        place, arm = (args["analysis"], None) if "analysis" in args else (args["endpoint"], args["arm"])
        row = summarize_trial(result).row(place, arm)
    except KeyError as error:
        raise _damaged(measure, error) from error
    return row.simulated_mean, row.simulated_mean - _Z * row.mcse, row.simulated_mean + _Z * row.mcse


def _damaged(measure: Measure | Rerun, error: Exception) -> LibraryError:
    return LibraryError(
        where=f"library/facts.toml, {measure.id}", got=f"{measure.compute} {measure.args} ({error})",
        allowed="a computation of remission.facts.measures with its own arguments", remedy="Correct the file.",
    )  # fmt: skip


def _row(fact: str, number: int | None, measure: Measure, found: tuple[float, float, float] | None) -> FactRow:
    value, low, high = found if found is not None and np.isfinite(found).all() else (None, None, None)
    tolerance, reason = measure.tolerance, ""
    verdict: Verdict
    if measure.not_computable is not None:
        verdict, reason = "not computable", measure.not_computable
    elif value is None or low is None or high is None:
        verdict, reason = "not computable", "nobody to compute it in"
    elif tolerance is None:
        verdict, reason = "no tolerance", "no number was read"
    else:
        verdict = verdict_of(tolerance, value, low, high)
        reason = "" if measure.scores else f"does not score: {measure.read_as}"
    return FactRow(
        fact=fact,
        number=number,
        id=measure.id,
        definition=measure.definition,
        unit=measure.unit,
        published=measure.published,
        source=measure.source,
        read_as=measure.read_as,
        pools_units=measure.pools_units,
        tolerance=tolerance,
        value=value,
        low=low,
        high=high,
        verdict=verdict,
        role=measure.role,
        scores=measure.scores,
        reason=reason,
    )


def _rerun(rerun: Rerun, found: tuple[float, float, float]) -> RerunRow:
    value, low, high = found if np.isfinite(found).all() else (None, None, None)
    return RerunRow(
        id=rerun.id,
        trial=rerun.trial,
        definition=rerun.definition,
        unit=rerun.unit,
        published=rerun.published,
        read_as=rerun.read_as,
        value=value,
        low=low,
        high=high,
    )


def _counts(rows: Iterator[FactRow]) -> dict[str, int]:
    found = dict.fromkeys(("inside", "outside", "not decided", "not computable"), 0)
    for row in rows:
        found[row.verdict] += 1
    return found
