"""Assurance: the chance of success when the model's values are not known, only what is believed of them.

A draw is one of the posterior for a trial not seen. Where sets of trials are named it takes every value from its prior,
independently, and counts by the likelihood of the published outcomes of the set; of the empty set all count alike.
Whether a trial would have changed the answer is seen by leaving it out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from remission.analyses.estimate import Z95
from remission.design.evidence import Evidence, EvidenceTrial, evidence_trials, log_likelihoods, simulate_evidence
from remission.design.measures import to_scale
from remission.design.operating import check_share
from remission.design.priors import prior_ranges, priors_of, sample_values
from remission.design.variants import choose_analysis, one_analysis
from remission.errors import SpecError
from remission.library.posteriors import LEVEL, load_posterior
from remission.numerics.tallies import Measure
from remission.patient.backgrounds import course_parameters_of
from remission.patient.drawn import default_posterior
from remission.patient.parameters import shifted
from remission.protocol.record import Protocol
from remission.runs.crew import Crew
from remission.shapes import Float
from remission.streams import check_seed
from remission.trial.simulate import plan_trial

FEWEST_EFFECTIVE = 25.0
"""Below this effective number of draws nothing is said: a few draws would speak for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenEvidence:
    """Assurance given a set of trials, none of them being the prior.

    ``n_effective``: draws of equal weight that would say as much. Where it is below ``FEWEST_EFFECTIVE`` the rest is
    ``None``. ``effect`` is the mean over draws of their mean estimate; its Monte Carlo error says how well the mean is
    known. ``effect_sd`` says how uncertain the effect itself is: the standard deviation between the draws, whose square
    is ``parameter_variance``. Both on the scale of the analysis, log for ratios.
    """

    trials: tuple[str, ...]
    n_effective: float
    probability: Measure | None
    effect: Measure | None
    effect_sd: float | None
    parameter_variance: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assurance:
    """Success averaged over parameter draws, and where the variance of the estimate comes from.

    ``effect``: mean over draws, with its Monte Carlo error; ``effect_sd``: standard deviation between draws, the
    uncertainty of the effect. ``parameter_variance``: between the means of draws, the square of that.
    ``sampling_variance``: the mean squared standard error that the analyses themselves report.
    ``between_trial_variance``: what trials of one draw vary beyond that; below zero when the analyses overstate their
    error. The three add up to the variance of one trial's estimate. All on the scale of the analysis, log for ratios,
    and of the draws; ``given`` says what evidence makes of it. ``source``: from what values were drawn; ``ranges`` hold
    95% of each, all of an even prior.
    """

    analysis: str
    probability: Measure
    effect: Measure | None
    effect_sd: float | None
    parameter_variance: float
    between_trial_variance: float
    sampling_variance: float
    n_draws: int
    n_replicates: int
    source: str
    ranges: dict[str, tuple[float, float]]
    priors: dict[str, str]
    given: tuple[GivenEvidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Trials of one draw: share of successes, estimates and standard errors on the scale, and the evidence."""

    success: float
    estimates: Float[np.ndarray, " replicate"]
    errors: Float[np.ndarray, " replicate"]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    protocol: Protocol
    analysis: str
    n_replicates: int
    alpha: float
    trials: tuple[EvidenceTrial, ...]


def estimate_assurance(
    protocol: Protocol,
    *,
    n_draws: int,
    n_replicates: int,
    seed: int,
    alpha: float = 0.05,
    analysis: str | None = None,
    evidence: Sequence[Sequence[str]] = (),
    crew: Crew | None = None,
) -> Assurance:
    """The chance of success over the posterior, or over the priors of the library given sets of published trials.

    ``n_draws``: draws of the values, at least 2. ``n_replicates``: trials for each draw, of the design and of each
    published trial, at least 2. ``analysis``: the analysis that decides; ``None``: the first. ``evidence``: sets of
    trials by the names of their protocols; an empty set is the prior, none at all the posterior. ``crew``: who does the
    work; ``None``: this process. Raises ``SpecError``: a number is out of range; ``WorkError``: a worker died.
    """
    for where, count in (("n_draws", n_draws), ("n_replicates", n_replicates)):
        if count < 2:
            raise SpecError(where=where, got=count, allowed="a whole number from 2")
    check_share("alpha", alpha)
    wanted = choose_analysis(protocol, analysis)
    name = None if evidence else default_posterior()
    posterior = None if name is None else load_posterior(name)
    priors = () if posterior is not None else priors_of(protocol)
    known = evidence_trials() if evidence else {}
    names = [name for name in known if any(name in one for one in evidence)]
    task = _Task(
        protocol=one_analysis(protocol, wanted),
        analysis=wanted,
        n_replicates=n_replicates,
        alpha=alpha,
        trials=tuple(known[name] for name in names),
    )
    # Every draw has people of its own: were they the same, their noise would be common to all draws, and taking it off
    # the variance between draws would take off too much.
    # So have the published trials: their noise weighs the draws and must not be that of what is weighed.
    seeds = np.random.SeedSequence(check_seed(seed)).generate_state(2 * n_draws, dtype=np.uint64).tolist()
    pairs = list(zip(seeds[:n_draws], seeds[n_draws:], strict=True))
    values = (
        sample_values(priors, n_draws, seed)
        if posterior is None
        else posterior.new_trial(protocol.substance, n_draws, seed=seed, with_level=True)
    )
    items = list(zip(values, pairs, strict=True))
    draws = list((crew or Crew()).in_order(partial(_simulate, task), items))
    logs = {
        trial.name: log_likelihoods(trial, [draw.evidence[place] for draw in draws])
        for place, trial in enumerate(task.trials)
    }
    within = [float(draw.estimates.var(ddof=1)) for draw in draws if draw.estimates.size > 1]
    sampling = [float((draw.errors**2).mean()) for draw in draws if draw.estimates.size > 1]
    inside = float(np.mean(within)) if within else float("nan")
    expected = float(np.mean(sampling)) if sampling else float("nan")
    prior = _given((), draws, np.zeros(n_draws))
    return Assurance(
        analysis=wanted,
        probability=_weighted(np.array([draw.success for draw in draws]), np.full(n_draws, 1.0 / n_draws)),
        effect=prior.effect,
        effect_sd=prior.effect_sd,
        parameter_variance=float("nan") if prior.parameter_variance is None else prior.parameter_variance,
        between_trial_variance=inside - expected,
        sampling_variance=expected,
        n_draws=n_draws,
        n_replicates=n_replicates,
        source="priors by judgement" if posterior is None else posterior.plan,
        ranges=prior_ranges(protocol) if posterior is None else _ranges(values),
        priors={one.name: one.text for one in priors},
        given=tuple(
            _given(
                tuple(one),
                draws,
                sum((logs[name] for name in one), np.zeros(n_draws)),
                fewest=FEWEST_EFFECTIVE,
            )
            for one in evidence
        ),
    )


def _ranges(values: Sequence[dict[str, float]]) -> dict[str, tuple[float, float]]:
    """What holds 95% of the draws of each value."""
    found = {}
    for name in values[0]:
        low, high = np.quantile([one[name] for one in values], [0.025, 0.975]).tolist()
        found[name] = (low, high)
    return found


def _given(
    trials: tuple[str, ...], draws: list[Draw], log_weights: Float[np.ndarray, " draw"], fewest: float = 0.0
) -> GivenEvidence:
    weights = np.exp(log_weights - log_weights.max()) if np.isfinite(log_weights).any() else np.zeros(log_weights.size)
    total = weights.sum()
    weights = weights / total if total > 0.0 else weights
    effective = float(1.0 / (weights**2).sum()) if total > 0.0 else 0.0
    if effective < max(fewest, 1.0):
        return GivenEvidence(
            trials=trials, n_effective=effective, probability=None, effect=None, effect_sd=None, parameter_variance=None
        )
    good = np.array([draw.estimates.size > 1 for draw in draws])
    effect = variance = None
    if good.sum() > 1 and weights[good].sum() > 0.0:
        kept = [draw for draw, is_good in zip(draws, good, strict=True) if is_good]
        share = weights[good] / weights[good].sum()
        means = np.array([draw.estimates.mean() for draw in kept])
        noise = np.array([draw.estimates.var(ddof=1) / draw.estimates.size for draw in kept])
        effect = _weighted(means, share)
        # The means of draws vary by the noise of their own trials too.
        spread = float(share @ (means - share @ means) ** 2) / (1.0 - float(share @ share))
        variance = max(0.0, spread - float(share @ noise))
    return GivenEvidence(
        trials=trials,
        n_effective=effective,
        probability=_weighted(np.array([draw.success for draw in draws]), weights),
        effect=effect,
        effect_sd=None if variance is None else float(np.sqrt(variance)),
        parameter_variance=variance,
    )


def _weighted(values: Float[np.ndarray, " draw"], weights: Float[np.ndarray, " draw"]) -> Measure:
    mean = float(weights @ values)
    spread = float(np.sqrt(weights**2 @ (values - mean) ** 2 / max(1e-12, 1.0 - float(weights @ weights))))
    return Measure(value=mean, mcse=spread)


def _simulate(task: _Task, item: tuple[dict[str, float], tuple[int, int]]) -> Draw:
    """Trials of the design and of the evidence at one draw."""
    values, (seed, evidence_seed) = item
    level = values.get(LEVEL, 0.0)
    at = {name: value for name, value in values.items() if name != LEVEL}
    base = course_parameters_of(task.protocol).replace(**at)
    plan = plan_trial(
        task.protocol, n_replicates=task.n_replicates, seed=seed, parameters=shifted(base, level) if level else base
    )
    found = [plan.run(chunk).estimates[task.analysis] for chunk in plan.chunks]
    method = task.protocol.analyses[0].method
    estimate, low, high = (
        to_scale(np.concatenate([getattr(one, name) for one in found]), method) for name in ("estimate", "low", "high")
    )
    p_value = np.concatenate([one.p_value for one in found])
    good = np.isfinite(estimate)
    return Draw(
        success=float((p_value < task.alpha).mean()),
        estimates=estimate[good],
        errors=((high - low) / (2.0 * Z95))[good],
        evidence=tuple(
            simulate_evidence(trial, _shared(trial, values), n_trials=task.n_replicates, seed=evidence_seed)
            for trial in task.trials
        ),
    )


def _shared(trial: EvidenceTrial, values: dict[str, float]) -> dict[str, float]:
    """The values of a draw that the trial's substance does not have for itself."""
    names = {one.name for one in priors_of(trial.protocol)}
    return {name: value for name, value in values.items() if name in names}
