"""One wave: every trial of the plan simulated at points that cover the prior's box.

A point has a value for each entry of the box. ``level`` is no parameter: it shifts everybody's log odds of use, as a
tendency does, and :func:`shifted` writes that into the values of the regimes.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from remission.analyses.estimate import Z95
from remission.library.calibration_plan import BoxValue, CalibrationPlan, Number, TrialEntry
from remission.library.protocols import load_protocol
from remission.library.published import PublishedOutcome, published_outcome
from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import shifted
from remission.protocol.record import Protocol
from remission.records.parameter import MODEL_FORM
from remission.runs.crew import Crew
from remission.shapes import Float
from remission.trial.chunk import ChunkResult
from remission.trial.package import therapy_effect
from remission.trial.simulate import plan_trial

_LARGEST_Z = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One published number on the scale of its analysis: ``plain``, ``log``, ``logit`` or ``log of what is left``.

    ``people``: of how many it is a share, where it is one and its record says so; 0 elsewhere.
    """

    number: Number
    scale: str
    value: float
    error: float
    people: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialTargets:
    """A trial of the plan with the part of its protocol that is simulated.

    ``analyses``: those whose z is read, the first being the one that says whether the trial was significant.
    """

    entry: TrialEntry
    protocol: Protocol
    numbers: tuple[Target, ...]
    analyses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What a trial shows at one point of the box.

    ``mean`` of each number over simulated trials, on its scale; ``covariance`` between trials; ``z`` and ``z_sd`` of
    each analysis, positive where the larger value is with the drug; ``n_trials`` behind them.
    """

    mean: Float[np.ndarray, " number"]
    covariance: Float[np.ndarray, "number number"]
    z: Float[np.ndarray, " analysis"]
    z_sd: Float[np.ndarray, " analysis"]
    n_trials: int


def trial_targets(plan: CalibrationPlan) -> tuple[TrialTargets, ...]:
    """What the plan takes of every trial, with the published numbers of the registry."""
    found = []
    for entry in plan.trial:
        protocol = load_protocol(entry.protocol)
        found.append(targets_of(entry, protocol, tuple(_target(protocol, number) for number in entry.numbers)))
    return tuple(found)


def wave_points(plan: CalibrationPlan) -> Float[np.ndarray, "point value"]:
    """Points of the wave and then those that judge, each entry between -1 and 1: Sobol, scrambled with the seed."""
    n = plan.wave.draws + plan.wave.judged
    sobol = qmc.Sobol(len(plan.value), seed=np.random.default_rng(plan.seed))
    return 2.0 * sobol.random_base2(math.ceil(math.log2(n)))[:n] - 1.0


def from_unit(value: BoxValue, unit: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """A value of the box from its place between -1 and 1."""
    low, high = (math.log(value.low), math.log(value.high)) if value.scale == "log" else (value.low, value.high)
    place = low + (high - low) * (unit + 1.0) / 2.0
    return np.exp(place) if value.scale == "log" else place


def simulate_wave(
    plan: CalibrationPlan, targets: tuple[TrialTargets, ...], *, crew: Crew | None = None
) -> Iterator[tuple[Point, ...]]:
    """Every trial at every point, in the order of the points."""
    units = wave_points(plan)
    columns = {value.name: from_unit(value, units[:, place]) for place, value in enumerate(plan.value)}
    rows = [{name: float(column[row]) for name, column in columns.items()} for row in range(len(units))]
    seeds = np.random.SeedSequence(plan.seed).generate_state(len(rows), dtype=np.uint64).tolist()
    work = partial(simulate_point, targets, plan.wave.replicates)
    items = [([row] * len(targets), seed) for row, seed in zip(rows, seeds, strict=True)]
    yield from (crew or Crew()).in_order(work, items)


def simulate_point(
    targets: tuple[TrialTargets, ...], replicates: int, item: tuple[list[dict[str, float]], int]
) -> tuple[Point, ...]:
    """Every trial, each at values of its own."""
    values, seed = item
    return tuple(_simulate(one, dict(own), replicates, seed) for one, own in zip(targets, values, strict=True))


def to_unit(
    plan: CalibrationPlan, values: Mapping[str, Float[np.ndarray, "*shape"]]
) -> Float[np.ndarray, "*shape value"]:
    """Places between -1 and 1 of values of the box: the way back of :func:`from_unit`."""
    columns = []
    for value in plan.value:
        low, high, found = value.low, value.high, np.asarray(values[value.name])
        if value.scale == "log":
            low, high, found = math.log(low), math.log(high), np.log(found)
        columns.append(2.0 * (found - low) / (high - low) - 1.0)
    return np.stack(columns, axis=-1)


def scale_of(protocol: Protocol, number: Number) -> str:
    """The scale on which a number enters."""
    if number.analysis is None:
        assert number.endpoint is not None, "a number is of an analysis or of an endpoint"
        return "logit" if protocol.endpoint(number.endpoint).unit == "share of people" else "plain"
    kind = protocol.analysis(number.analysis).facts.scale
    return {"percent_lower": "log of what is left", "difference": "plain", "ratio": "log"}[kind]


def to_scale(value: float, scale: str) -> float:
    """A published number on the scale of its likelihood; a share of people is given in percent."""
    if scale == "logit":
        return math.log(value / (100.0 - value))
    if scale == "log of what is left":
        return math.log(1.0 - value / 100.0)
    return math.log(value) if scale == "log" else value


def targets_of(entry: TrialEntry, protocol: Protocol, numbers: tuple[Target, ...]) -> TrialTargets:
    """An entry with what of its protocol has to be simulated."""
    analyses = tuple(dict.fromkeys([entry.z.analysis, *(one.analysis for one in entry.verdicts)]))
    wanted = {*analyses, *(one.number.analysis for one in numbers if one.number.analysis)}
    kept = tuple(one for one in protocol.analyses if one.id in wanted)
    needed = {one.endpoint for one in kept} | {one.baseline for one in kept} | {one.endpoint for one in entry.numbers}
    base = course_parameters_of(protocol, parameter_set=MODEL_FORM)
    # What therapy is worth is found once, at the library's values: at every point it would follow the point and hide
    # it. Medicines are in no arm that is compared here.
    worth = {
        # Past the check of a file's quality: a session of a sourced contrast may be worth more than a full one.
        name: one.model_copy(
            update={"quality": therapy_effect(one, substance=protocol.substance, parameters=base).quality}
        )
        for name, one in protocol.therapies.items()
    }
    trimmed = protocol.replace(
        therapies=worth, medicines={name: one.replace(effect_share=0.0) for name, one in protocol.medicines.items()},
        analyses=kept, endpoints=tuple(one for one in protocol.endpoints if one.id in needed), comparisons=(),
        multiplicity=None, estimand=None, purpose="exploratory",
    )  # fmt: skip
    return TrialTargets(entry=entry, protocol=trimmed, numbers=numbers, analyses=analyses)


def _target(protocol: Protocol, number: Number) -> Target:
    for one in protocol.comparisons:
        if (one.analysis, one.endpoint, one.arm) == (number.analysis, number.endpoint, number.arm):
            assert protocol.evidence is not None, "a protocol with comparisons names its evidence"
            there = published_outcome(
                protocol.evidence, arm_or_contrast=one.arm_or_contrast, endpoint=one.outcome, statistic=one.statistic
            )
            return _with_error(protocol, number, there)
    raise AssertionError(f"{protocol.id} compares nothing with {number}")


def _with_error(protocol: Protocol, number: Number, there: PublishedOutcome) -> Target:
    scale = scale_of(protocol, number)
    assert there.ci_low is not None, there
    assert there.ci_high is not None, there
    value, low, high = (to_scale(one, scale) for one in (there.value, there.ci_low, there.ci_high))
    people = there.n or 0 if scale == "logit" else 0
    return Target(number=number, scale=scale, value=value, error=abs(high - low) / (2.0 * Z95), people=people)


def _simulate(one: TrialTargets, values: dict[str, float], replicates: int, seed: int) -> Point:
    level = values.pop("level")
    parameters = shifted(course_parameters_of(one.protocol, parameter_set=MODEL_FORM).replace(**values), level)
    plan = plan_trial(one.protocol, n_replicates=replicates, seed=seed, parameters=parameters)
    pieces = [plan.run(chunk) for chunk in plan.chunks]
    columns = []
    for target in one.numbers:
        number = target.number
        if number.analysis is not None:
            found = np.concatenate([piece.estimates[number.analysis].estimate for piece in pieces])
            columns.append(scaled(found, target.scale))
        else:
            assert number.endpoint is not None, "a number is of an analysis or of an endpoint"
            arm = [each.id for each in one.protocol.arms].index(number.arm or "")
            share = np.concatenate([piece.arms[number.endpoint].mean[:, arm] for piece in pieces])
            least = 0.5 / (replicates * one.protocol.population.n_subjects)
            middle = float(np.clip(share.mean(), least, 1.0 - least))
            # By the slope at the mean: the logit itself does not exist in every small trial.
            columns.append(
                math.log(middle / (1.0 - middle)) + (share - share.mean()) / (middle * (1.0 - middle))
                if target.scale == "logit" else share
            )  # fmt: skip
    table = np.stack(columns, axis=1) if columns else np.zeros((replicates, 0))
    whole = np.isfinite(table).all(axis=1)
    n_whole = int(whole.sum())
    k = table.shape[1]
    mean = table[whole].mean(axis=0) if n_whole else np.full(k, np.nan)
    covariance = np.cov(table[whole], rowvar=False).reshape(k, k) if n_whole > 1 else np.full((k, k), np.nan)
    z = np.stack([z_values(one.protocol, name, pieces) for name in one.analyses])
    return Point(mean=mean, covariance=covariance, z=z.mean(axis=1), z_sd=z.std(axis=1, ddof=1), n_trials=n_whole)


def scaled(values: Float[np.ndarray, " replicate"], scale: str) -> Float[np.ndarray, " replicate"]:
    """Simulated estimates on the scale of a target."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if scale == "log":
            return np.log(values)
        return np.log(1.0 - values / 100.0) if scale == "log of what is left" else values


def z_values(protocol: Protocol, name: str, pieces: list[ChunkResult]) -> Float[np.ndarray, " replicate"]:
    """Each trial's p value as a z of the estimate's direction; 0 where the analysis gave nothing: no difference."""
    estimate = np.concatenate([piece.estimates[name].estimate for piece in pieces])
    p_value = np.concatenate([piece.estimates[name].p_value for piece in pieces])
    null = 1.0 if protocol.analysis(name).facts.scale == "ratio" else 0.0
    size = -ndtri(np.clip(p_value, 1e-15, 1.0) / 2.0)
    z = np.clip(np.sign(estimate - null) * size, -_LARGEST_Z, _LARGEST_Z)
    return np.where(np.isfinite(estimate) & np.isfinite(p_value), z, 0.0)
