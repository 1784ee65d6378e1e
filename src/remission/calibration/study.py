"""The whole calibration: wave, emulators, fit, judges; kept piece by piece, so that it goes on where it was ended."""

import hashlib
import json
import time
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from remission.calibration.added import NewTrial, check_new
from remission.calibration.emulator import Emulator, fit_emulator
from remission.calibration.fit import Fit, TrialData, fit_posterior, group_columns, trial_data
from remission.calibration.groups import GroupData, published_of
from remission.calibration.judge import exact_weights, leave_out, stacking_weight
from remission.calibration.pieces import Tell, counted, journal_of
from remission.calibration.posterior import check_place, write_posterior
from remission.calibration.refocus import refocused
from remission.calibration.wave import Point, TrialTargets, simulate_wave, trial_targets, wave_points
from remission.errors import SpecError, WorkError
from remission.extras import need_extra, telling_extras
from remission.files import make_folder
from remission.library.calibration_plan import CalibrationPlan, load_calibration_plan
from remission.library.posteriors import Posterior, plan_hash
from remission.numerics.digits import duration
from remission.provenance import source_hashes
from remission.records.substance import Substance
from remission.runs.crew import Crew
from remission.runs.journal import Journaled
from remission.shapes import Float

_KEPT_DRAWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much is done; the quick pace is for trying the machinery, its posterior is not written."""

    n_chains: int = 4
    n_warmup: int = 1000
    n_draws: int = 1000
    judges: bool = True


QUICK = Pace(n_chains=2, n_warmup=200, n_draws=200, judges=False)
_CHAINS, _LENGTH = 2, 500
"""Of the fits that judge: a score needs a mean, not the tails."""


def quick_plan(plan: CalibrationPlan) -> CalibrationPlan:
    """The plan with an eighth of the points of its trials, and a quarter of those of other people."""
    wave, wide = plan.wave, plan.wide
    if wide is not None:
        third, fourth = (
            near and near.replace(
                draws=near.draws // 4, judged=near.judged // 4,
                diary_people=near.diary_people and near.diary_people // 4,
            )
            for near in (wide.third, wide.fourth)
        )  # fmt: skip
        wide = wide.replace(
            draws=wide.draws // 4, judged=wide.judged // 4, people=wide.people // 4, third=third, fourth=fourth
        )
    return plan.replace(wave=wave.replace(draws=wave.draws // 8, judged=wave.judged // 8), wide=wide)


def calibrate(
    plan: CalibrationPlan, folder: Path, *, pace: Pace | None = None, crew: Crew | None = None, tell: Tell = print
) -> Posterior:
    """Fit the plan and write ``NAME.json`` into ``folder``; simulated points stay there and are not made again.

    ``pace``: ``None`` is the whole work. Raises MissingExtraError: the extra ``calibrate`` is missing; WorkError: the
    fit did not converge, so nothing is written, or the disk refused.
    """
    check_place(folder / f"{plan.id}.json")  # before the half hour, not after it
    need_extra("calibrate", where="remission calibrate")
    pace = pace or Pace()
    make_folder(folder)
    crew = crew or Crew()
    targets = trial_targets(plan)
    groups: tuple[GroupData, ...] = ()
    limits: dict[str, float] = {}
    if plan.wide is None:
        trials = emulate_wave(plan, targets, folder, crew=crew, tell=tell)
    else:
        trials, groups, limits = refocused(plan, targets, folder, crew=crew, tell=tell)
    fit = _sampled(plan, trials, groups, pace, tell)
    if pace.judges:
        _check(plan, fit)
    judged = {}
    if pace.judges:
        with closing(journal_of(plan, folder, "exact", Point)) as journal:
            judged = _judge(plan, trials, groups, fit, Journaled(crew, journal), tell)
    found = replace(described(plan, trials, groups, fit, limits), judged=judged)
    write_posterior(found, folder / f"{plan.id}.json")
    return found


def described(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], groups: tuple[GroupData, ...], fit: Fit,
    limits: dict[str, float],
) -> Posterior:  # fmt: skip
    """A fit as a posterior, its draws thinned, with how good it is; not judged yet.

    ``groups``, ``limits``: other people with rows, and how far from them shapes were let; none of either without.
    """
    return Posterior(
        plan=plan.id, plan_hash=plan_hash(plan), form=plan.form, seed=plan.seed, draws=_columns(trials, fit),
        diagnostics=_diagnostics(plan, trials, fit)
        | ({"rows": told_rows(plan, groups, fit.draws), "limits": limits} if groups else {}),
        judged={},
    )  # fmt: skip


def refit(
    posterior: Posterior, new: NewTrial, folder: Path, *, pace: Pace | None = None, crew: Crew | None = None,
    tell: Tell = print,
) -> Posterior:  # fmt: skip
    """The posterior's plan fitted with one more trial, which is simulated over the whole box like the others.

    What ``folder`` has of the wave is not simulated again. Raises as :func:`calibrate`; SpecError: the trial is in the
    posterior already.
    """
    need_extra("calibrate", where="remission calibrate --refit")
    registered, pace, crew = load_calibration_plan(posterior.plan), pace or Pace(), crew or Crew()
    if registered.wide is not None:
        raise SpecError(
            where="--to", got=f"a posterior of {posterior.plan}, whose trials have shapes of their own",
            allowed="a posterior of trials alone", remedy="Add the trial by weights: leave --refit out.",
        )  # fmt: skip
    check_new(posterior, registered, new)
    if posterior.added:
        raise SpecError(
            where="--to", got=f"a posterior with {len(posterior.added)} added trials", allowed="one that was fitted",
            remedy="A refit takes one new trial beside those of the plan.",
        )  # fmt: skip
    plan = registered if pace.judges else quick_plan(registered)
    make_folder(folder)
    trials = emulate_wave(plan, trial_targets(plan), folder, crew=crew, tell=tell)
    trials += emulate_wave(plan, (new.targets,), folder, crew=crew, tell=tell, name=f"-{new.record.id}-{new.hash}")
    fit = _sampled(plan.replace(trial=(*plan.trial, new.targets.entry)), trials, (), pace, tell)
    if pace.judges:
        _check(plan, fit)
    # The judges of the fit without it say nothing of this one.
    return replace(
        posterior, draws=_columns(trials, fit), diagnostics=_diagnostics(plan, trials, fit), judged={},
        added=(new.record.to_dict(),),
    )  # fmt: skip


def emulate_wave(
    plan: CalibrationPlan, targets: tuple[TrialTargets, ...], folder: Path, *, crew: Crew | None = None,
    tell: Tell = print, name: str = "",
) -> tuple[TrialData, ...]:  # fmt: skip
    """What the fit reads of each trial; points and emulators that ``folder`` keeps are not made again.

    ``name``: of what is kept, where the trials are not those of the plan.

    Raises MissingExtraError: scikit-learn is not installed.
    """
    crew, units, kept = crew or Crew(), wave_points(plan), _simulated_as(plan)
    tell(f"one wave: {len(targets)} trials at {len(units)} points")
    with closing(journal_of(kept, folder, f"points{name and '-'}{name}", Point)) as journal:
        points = list(counted(simulate_wave(plan, targets, crew=Journaled(crew, journal)), len(units), tell))
    by_trial = [[point[place] for point in points] for place in range(len(targets))]
    with closing(journal_of(kept, folder, f"emulators{name and '-'}{name}", Emulator)) as journal:
        work = partial(fit_emulator, units, n_draws=plan.wave.draws)
        emulators = []
        for one, made in zip(targets, Journaled(crew, journal).in_order(work, by_trial), strict=True):
            tell(f"emulator of {one.entry.protocol}")
            emulators.append(made)
    return tuple(trial_data(plan, units, *each) for each in zip(targets, emulators, by_trial, strict=True))


def _simulated_as(plan: CalibrationPlan) -> CalibrationPlan:
    """The plan that it stands over, where both simulate the same."""
    base = plan if plan.over is None else load_calibration_plan(plan.over)
    alike = all(getattr(base, name) == getattr(plan, name) for name in ("seed", "wave", "value", "trial", "wide"))
    return base if alike else plan


def _sampled(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], groups: tuple[GroupData, ...], pace: Pace, tell: Tell
) -> Fit:
    tell(f"sampling: {pace.n_chains} chains of {pace.n_warmup + pace.n_draws:,} steps at once; compiling comes first")
    began = time.monotonic()
    fit = fit_posterior(
        plan, trials, groups=groups, n_chains=pace.n_chains, n_warmup=pace.n_warmup, n_draws=pace.n_draws, tell=tell
    )
    tell(f"sampled in {duration(time.monotonic() - began)}: R-hat {fit.r_hat:.3f}")
    return fit


def _check(plan: CalibrationPlan, fit: Fit) -> None:
    limit = plan.tolerance
    has_mixed = fit.r_hat <= limit.r_hat and fit.effective_draws >= limit.effective_draws
    if has_mixed and fit.divergent <= limit.divergent_share:
        return
    raise WorkError(
        where=f"calibrate: {plan.id}: {fit.worst}",
        got=f"R-hat {fit.r_hat:.3f}, {fit.effective_draws:.0f} effective draws, {100 * fit.divergent:.2f}% divergent",
        allowed=f"R-hat to {limit.r_hat:g}, at least {limit.effective_draws} effective draws, at most "
        f"{100 * limit.divergent_share:g}% divergent",
        remedy="Nothing was written. Sample longer; if that does not help, the plan asks what the data cannot say.",
    )  # fmt: skip


def _judge(
    plan: CalibrationPlan,
    trials: tuple[TrialData, ...],
    groups: tuple[GroupData, ...],
    fit: Fit,
    crew: Crew,
    tell: Tell,
) -> dict[str, Any]:
    with telling_extras("remission calibrate"):
        import arviz
    tell("exact simulator")
    weights = exact_weights(plan, trials, fit, groups=groups, crew=crew, tell=tell)
    _, k = arviz.psislw(np.array(weights))
    tell("each trial left out")
    left_out = leave_out(plan, trials, groups=groups, n_chains=_CHAINS, n_warmup=_LENGTH, n_draws=_LENGTH, tell=tell)
    beside = {}
    for one in plan.beside:
        tell(f"beside: {one.name}")
        other = fit_posterior(
            plan, trials, groups=groups, rule=one.name, n_chains=_CHAINS, n_warmup=_LENGTH, n_draws=_LENGTH
        )
        beside[one.name] = {"mean": _told(other.draws["mean"]), "tau": _told(other.draws["tau"]), "r_hat": other.r_hat}
    return {
        "psis_k": float(k), "exact_error": float(np.std(weights)),
        "left_out": [asdict(one) for one in left_out], "stacking_weight": stacking_weight(left_out), "beside": beside,
    }  # fmt: skip


def _columns(trials: tuple[TrialData, ...], fit: Fit) -> dict[str, Float[np.ndarray, " draw"]]:
    chosen = np.linspace(0, len(fit.draws["mean"]) - 1, min(_KEPT_DRAWS, len(fit.draws["mean"]))).astype(int)
    names = {"substance": [one.value for one in Substance]}
    names |= {key: [one.targets.entry.protocol for one in trials] for key in ("effect", "craving", "level")}
    found = {}
    for name, draws in fit.draws.items():
        if name in {"z", "z_sd", "row_log"}:
            continue
        if draws.ndim == 1:
            found[name] = draws[chosen]
        else:
            found |= {f"{name}.{each}": draws[chosen, place] for place, each in enumerate(names[name])}
    return found


def _diagnostics(plan: CalibrationPlan, trials: tuple[TrialData, ...], fit: Fit) -> dict[str, Any]:
    rows = []
    for one in trials:
        k, m = len(one.targets.numbers), len(one.targets.analyses)
        labels = [str(t.number.analysis or f"{t.number.endpoint}, {t.number.arm}") for t in one.targets.numbers]
        limits = [plan.tolerance.emulator_rms_share * t.error for t in one.targets.numbers]
        limits += [plan.tolerance.emulator_rms_share] * m
        for place, label in enumerate([*labels, *(f"z of {name}" for name in one.targets.analyses)]):
            rows.append({
                "trial": one.targets.entry.protocol, "outcome": label, "r2": float(one.emulator.r2[place]),
                "error": float(one.emulator.error[place]), "limit": float(limits[place]),
                "reached": bool(one.emulator.error[place] <= limits[place]),
            })  # fmt: skip
        assert len(limits) == k + m, one.targets.entry.protocol
    return {
        "r_hat": fit.r_hat, "effective_draws": fit.effective_draws, "divergent": fit.divergent, "emulators": rows,
        "data": data_hash(tuple(one.targets for one in trials)), "code": source_hashes()["numbers"][:16],
    }  # fmt: skip


def data_hash(targets: tuple[TrialTargets, ...]) -> str:
    """What the registry said of the trials of a fit, and their protocols, as 16 hexadecimal digits."""
    told = [
        [
            one.protocol.content_hash,
            one.entry.to_dict(),
            [[n.scale, f"{n.value:.10g}", f"{n.error:.10g}", n.people] for n in one.numbers],
        ]
        for one in targets
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def told_rows(
    plan: CalibrationPlan, groups: tuple[GroupData, ...], draws: dict[str, Float[np.ndarray, "draw ..."]]
) -> list[dict[str, Any]]:
    """Every output of every row beside what was read, and how well its emulator does."""
    rows = []
    for one in groups:
        found = one.emulator.at(group_columns(plan, one, draws))
        for row in one.targets.rows:
            told = published_of(row, found)
            read = published_of(replace(row, first=0, last=row.value.size), row.value[None])[0]
            if row.row.kind == "count":
                read = np.array([100.0 * row.events / row.n])
            names = [args.get("name", "") for _, args, _ in one.targets.outputs[row.first : row.last]]
            for k, name in enumerate(names):
                place = row.first + k
                rows.append({
                    "group": one.targets.group.id, "row": row.row.id, "output": name,
                    "read": None if np.isnan(read[k]) else float(read[k]), "found": _told(told[:, k]),
                    "error": float(one.emulator.error[place]), "r2": float(one.emulator.r2[place]),
                    "limit": float(plan.tolerance.emulator_rms_share * np.sqrt(row.covariance[k, k])),
                })  # fmt: skip
    return rows


def _told(draws: Float[np.ndarray, " draw"]) -> dict[str, float]:
    low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95])
    return {"median": float(middle), "low": float(low), "high": float(high), "below_zero": float((draws < 0.0).mean())}
