"""What published trials say about a draw of the model's values.

Likelihood of a draw::

    y ~ normal(m(draw), D R D + C)

y are a trial's published outcomes on the scale of their analysis, read in an abstract or a registry and given with an
interval; D their standard errors from that interval; R how such outcomes hang together among simulated trials; m
what trials simulated with the draw show on average, and C the Monte Carlo error of m. The same trials tuned the
default values of the model; priors, not defaults, are weighted here.
"""

from dataclasses import dataclass

import numpy as np
import scipy

from remission.analyses.estimate import Z95
from remission.errors import SpecError, did_you_mean
from remission.library.protocols import list_protocols, load_protocol
from remission.library.published import published_outcome, published_verdict
from remission.patient.backgrounds import course_parameters_of
from remission.patient.standing import standing_of
from remission.protocol.record import Protocol
from remission.shapes import Float
from remission.trial.simulate import plan_trial


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceTrial:
    """A published trial: its protocol and, for each outcome, what simulates it, the number, its error.

    ``outcomes`` are (analysis or endpoint, arm or nothing, scale); ``value`` and ``error`` are on that scale.
    """

    name: str
    protocol: Protocol
    outcomes: tuple[tuple[str, str | None, str], ...]
    value: Float[np.ndarray, " outcome"]
    error: Float[np.ndarray, " outcome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What trials simulated with one draw show: mean of each outcome, and their covariance between trials."""

    mean: Float[np.ndarray, " outcome"]
    covariance: Float[np.ndarray, "outcome outcome"]
    n_trials: int


def evidence_trials() -> dict[str, EvidenceTrial]:
    """Trials of the library with an outcome that may enter a likelihood, by the name of their protocol.

    A natural course, which compares nothing, is no trial. A substance whose values are placeholders has none: how well
    they show a trial says nothing of the effect.
    """
    found = {}
    for name in list_protocols():
        protocol = load_protocol(name)
        is_known = protocol.analyses and not standing_of(protocol.substance).is_placeholder
        trial = _trial(name, protocol) if is_known else None
        if trial is not None:
            found[name] = trial
    return found


def check_evidence(names: list[str]) -> tuple[str, ...]:
    """The names, each once and in the order of the library.

    Raises ``SpecError``: a trial is unknown or has nothing that may enter a likelihood.
    """
    known = list(evidence_trials())
    for name in names:
        if name not in known:
            raise SpecError(
                where="--evidence", got=name, allowed=f"one of {', '.join(known)}, or none",
                remedy=did_you_mean(name, known),
            )  # fmt: skip
    return tuple(name for name in known if name in names)


def simulate_evidence(trial: EvidenceTrial, values: dict[str, float], *, n_trials: int, seed: int) -> Evidence:
    """A published trial under a draw; values that its substance has for itself stay as they are.

    ``n_trials``: at least 2.
    """
    base = course_parameters_of(trial.protocol)
    plan = plan_trial(trial.protocol, n_replicates=n_trials, seed=seed, parameters=base.replace(**values))
    pieces = [plan.run(chunk) for chunk in plan.chunks]
    columns = []
    for target, arm, scale in trial.outcomes:
        if arm is None:
            column = np.concatenate([piece.estimates[target].estimate for piece in pieces])
        else:
            index = [one.id for one in trial.protocol.arms].index(arm)
            column = np.concatenate([piece.arms[target].mean[:, index] for piece in pieces])
        columns.append(column if scale == "logit" else _to_scale(column, scale))
    table = np.stack(columns, axis=1)
    table = table[np.isfinite(table).all(axis=1)]
    if len(table) < 2:
        k = len(trial.outcomes)
        return Evidence(mean=np.full(k, np.nan), covariance=np.full((k, k), np.nan), n_trials=len(table))
    mean, covariance = table.mean(axis=0), np.atleast_2d(np.cov(table, rowvar=False))
    # A share is averaged over trials first: its logit does not exist in every one of them.
    slope = np.ones(mean.size)
    for place, (_, _, scale) in enumerate(trial.outcomes):
        if scale == "logit":
            least = 0.5 / (len(table) * trial.protocol.population.n_subjects)
            share = float(np.clip(mean[place], least, 1.0 - least))
            slope[place] = 1.0 / (share * (1.0 - share))
            mean[place] = np.log(share / (1.0 - share))
    return Evidence(mean=mean, covariance=covariance * np.outer(slope, slope), n_trials=len(table))


def log_likelihoods(trial: EvidenceTrial, found: list[Evidence]) -> Float[np.ndarray, " draw"]:
    """Log likelihood of every draw; minus infinity where its trials gave no outcomes."""
    pooled = np.nanmean([_correlation(one.covariance) for one in found], axis=0)
    published = np.outer(trial.error, trial.error) * pooled
    values = np.full(len(found), -np.inf)
    for draw, one in enumerate(found):
        if np.isfinite(one.mean).all() and np.isfinite(one.covariance).all():
            law = scipy.stats.multivariate_normal(
                one.mean, published + one.covariance / one.n_trials, allow_singular=True
            )
            values[draw] = law.logpdf(trial.value)
    return values


def _correlation(covariance: Float[np.ndarray, "outcome outcome"]) -> Float[np.ndarray, "outcome outcome"]:
    spread = np.sqrt(np.diag(covariance))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = covariance / np.outer(spread, spread)
    # An outcome that never varies under a draw hangs together with nothing.
    return np.where(np.isfinite(found), found, np.eye(spread.size))


def _trial(name: str, protocol: Protocol) -> EvidenceTrial | None:
    outcomes, values, errors = [], [], []
    for one in protocol.comparisons:
        assert protocol.evidence is not None, "a protocol with comparisons names its evidence"
        if published_verdict(protocol.evidence, **one.words) is not None:
            continue  # it enters as a censored result, which this weighting does not know
        there = published_outcome(protocol.evidence, **one.words)
        if there.source_kind != "abstract or registry" or there.ci_low is None or there.ci_high is None:
            continue
        scale = _scale(protocol, one.analysis, one.endpoint)
        per = 100.0 if scale == "logit" else 1.0
        value, low, high = (
            float(_to_scale(np.array([number / per]), scale)[0])
            for number in (there.value, there.ci_low, there.ci_high)
        )
        outcomes.append((one.analysis or one.endpoint or "", one.arm, scale))
        values.append(value)
        errors.append(abs(high - low) / (2.0 * Z95))
    if not outcomes:
        return None
    return EvidenceTrial(
        name=name, protocol=protocol, outcomes=tuple(outcomes), value=np.array(values), error=np.array(errors)
    )


def _scale(protocol: Protocol, analysis: str | None, endpoint: str | None) -> str:
    if analysis is None:
        assert endpoint is not None  # a comparison names one of the two
        return "logit" if protocol.endpoint(endpoint).unit == "share of people" else "plain"
    scale = protocol.analysis(analysis).facts.scale
    return {"percent_lower": "log of what is left", "difference": "plain", "ratio": "log"}[scale]


def _to_scale(values: Float[np.ndarray, " replicate"], scale: str) -> Float[np.ndarray, " replicate"]:
    with np.errstate(divide="ignore", invalid="ignore"):
        if scale == "log":
            return np.log(values)
        if scale == "logit":
            return np.log(values / (1.0 - values))
        if scale == "log of what is left":
            return np.log(1.0 - values / 100.0)
    return values
