"""Assurance: the chance of success when the model's values are not known, only their ranges.

Each draw takes every value of the library that has a range from within it, evenly and independently. These ranges are
priors by judgement, no posterior; values without a range stay where they are.
"""

from dataclasses import asdict, dataclass

import numpy as np

from remission.design.measures import Measure, is_ratio
from remission.design.operating import check_share, choose_analysis
from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.patient.parameters import DEFAULT_PARAMETER_SET, CourseParameters, load_course_parameters
from remission.records.parameter import Parameter
from remission.records.protocol import Protocol
from remission.streams import check_seed
from remission.trial.simulate import plan_trial

__all__ = ["Assurance", "estimate_assurance", "prior_ranges"]

_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Assurance:
    """Success averaged over parameter draws, and where the variance of the estimate comes from.

    ``parameter_variance``: between the means of draws. ``sampling_variance``: the mean squared standard error that the
    analyses themselves report. ``between_trial_variance``: what trials of one draw vary beyond that; below zero
    when the analyses overstate their error. All on the scale of the analysis, log for ratios.
    """

    analysis: str
    probability: Measure
    parameter_variance: float
    between_trial_variance: float
    sampling_variance: float
    n_draws: int
    n_replicates: int
    ranges: dict[str, tuple[float, float]]


def prior_ranges(protocol: Protocol) -> dict[str, tuple[float, float]]:
    """Ranges of the library that hold for the substance of a protocol, by the name of the value."""
    names = set(asdict(load_course_parameters(protocol.substance)))
    found: dict[str, Parameter] = {}
    for parameter in load_parameter_set(DEFAULT_PARAMETER_SET).parameters:
        name, _, substance = parameter.id.partition(".")
        is_ours = name in names and substance in {"", protocol.substance.value}
        # A value of the substance replaces the general one, range and all.
        if is_ours and (name not in found or substance):
            found[name] = parameter
    return {
        name: (one.low, one.high)
        for name, one in found.items()
        if one.low is not None and one.high is not None and one.low < one.high
    }


def estimate_assurance(
    protocol: Protocol,
    *,
    n_draws: int,
    n_replicates: int,
    seed: int,
    alpha: float = 0.05,
    analysis: str | None = None,
) -> Assurance:
    """The chance of success over the ranges of the library.

    Parameters
    ----------
    n_draws
        Draws of the values, at least 2.
    n_replicates
        Trials for each draw, at least 2.
    analysis
        The analysis that decides; ``None``: the first.

    Raises
    ------
    SpecError
        A number is out of range, or no value has a range.
    """
    for where, count in (("n_draws", n_draws), ("n_replicates", n_replicates)):
        if count < 2:
            raise SpecError(where=where, got=count, allowed="a whole number from 2")
    check_share("alpha", alpha)
    wanted = choose_analysis(protocol, analysis)
    is_log = is_ratio(next(one for one in protocol.analyses if one.id == wanted).method)
    ranges = prior_ranges(protocol)
    base = load_course_parameters(protocol.substance)
    shares, means, within, sampling = [], [], [], []
    # Every draw has people of its own: were they the same, their noise would be common to all draws, and taking it off
    # the variance between draws would take off too much.
    seeds = np.random.SeedSequence(check_seed(seed)).generate_state(n_draws, dtype=np.uint64)
    for values, people_seed in zip(_draws(ranges, n_draws, check_seed(seed)), seeds.tolist(), strict=True):
        shares_of, estimates, errors = _trials(
            protocol, base.replace(**values), wanted, n_replicates, people_seed, alpha, is_log
        )
        shares.append(shares_of)
        if estimates.size > 1:
            means.append(float(estimates.mean()))
            within.append(float(estimates.var(ddof=1)))
            sampling.append(float((errors**2).mean()))
    inside = float(np.mean(within)) if within else float("nan")
    expected = float(np.mean(sampling)) if sampling else float("nan")
    # The means of draws vary by the noise of their own trials too.
    between = float(np.var(means, ddof=1)) - inside / n_replicates if len(means) > 1 else float("nan")
    return Assurance(
        analysis=wanted,
        probability=Measure(value=float(np.mean(shares)), mcse=float(np.std(shares, ddof=1) / np.sqrt(n_draws))),
        parameter_variance=max(0.0, between),
        between_trial_variance=inside - expected,
        sampling_variance=expected,
        n_draws=n_draws,
        n_replicates=n_replicates,
        ranges=ranges,
    )


def _draws(ranges: dict[str, tuple[float, float]], n_draws: int, seed: int) -> list[dict[str, float]]:
    """Latin hypercube: every range is covered evenly even by a few draws."""
    generator = np.random.default_rng(seed)
    columns = {}
    for name, (low, high) in ranges.items():
        places = (generator.permutation(n_draws) + generator.random(n_draws)) / n_draws
        columns[name] = low + (high - low) * places
    return [{name: float(column[draw]) for name, column in columns.items()} for draw in range(n_draws)]


def _trials(
    protocol: Protocol,
    parameters: CourseParameters,
    analysis: str,
    n_replicates: int,
    seed: int,
    alpha: float,
    is_log: bool,
) -> tuple[float, np.ndarray, np.ndarray]:
    """Share of successes, and the estimates with their standard errors, at one draw."""
    plan = plan_trial(protocol, n_replicates=n_replicates, seed=seed, parameters=parameters)
    found = [plan.run(chunk).estimates[analysis] for chunk in plan.chunks]
    estimate, low, high, p_value = (
        np.concatenate([getattr(one, name) for one in found]) for name in ("estimate", "low", "high", "p_value")
    )
    if is_log:
        estimate, low, high = np.log(estimate), np.log(low), np.log(high)
    good = np.isfinite(estimate)
    return float((p_value < alpha).mean()), estimate[good], ((high - low) / (2.0 * _Z95))[good]
