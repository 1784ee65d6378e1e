"""The posterior: a hierarchy over trials, sampled by NUTS over the emulators.

For trial t of substance s, with everything on the scale of the box::

    mean ~ normal(0, mean_sd)            mean_s = mean + normal(0, substance_sd)
    effect_t = mean_s + tau*normal(0, 1)             tau ~ half-normal
    craving_t = k_c + craving_tau*normal(0, 1)       craving_tau ~ half-normal
    level_t ~ normal(0, sd)
    numbers ~ normal(m_t, D R D + E)     E: variance of the emulator's error; shares as counts if the plan says so
    rows of other people, where a plan has some: by their kind, remission.calibration.groups
    no difference: P(|Z| < z_alpha), favors ketamine: P(benefit*Z > z_alpha), Z ~ normal(z_t, sd_t**2 + error**2)
    selection: a significant trial is on file surely, another with chance null_seen; who stopped early is significant

NumPyro belongs to the extra ``calibrate``; a posterior that was written is used without it.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from scipy.special import expit

from remission.calibration.emulator import Emulator, correlation, judged_by_counts
from remission.calibration.groups import LEVEL, GroupData
from remission.calibration.likelihood import log_of_numbers
from remission.calibration.pieces import Tell, paced, unheard
from remission.calibration.wave import Point, TrialTargets
from remission.extras import telling_extras
from remission.library.calibration_plan import BoxValue, CalibrationPlan
from remission.records.substance import Substance
from remission.runs.crew import Crew
from remission.shapes import Float, Int

Rule = str
"""``main``, or one of the rules that the plan shows beside it."""
_DIVERGING = "diverging"
EDGE = 50.0
"""How steeply the prior ends where the box does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialData:
    """One trial as the fit reads it: targets, emulator, correlation of its numbers.

    ``names``: what moves its emulator; none where that is the box of the plan. ``is_count``: which numbers enter as
    counts of people; none where all are normal.
    """

    targets: TrialTargets
    emulator: Emulator
    correlation: Float[np.ndarray, "number number"]
    names: tuple[str, ...] = ()
    is_count: tuple[bool, ...] = ()

    def log_of(self, xp: Any, told: "Results", found: Any, spread: Any) -> Any:
        """Log likelihood of its numbers where ``found`` (..., number) is predicted, with covariance ``spread``."""
        is_count = np.array(self.is_count or [False] * len(self.targets.numbers), dtype=bool)
        return log_of_numbers(xp, told.value, told.error, told.counted, found, spread, self.correlation, is_count)


def trial_data(
    plan: CalibrationPlan,
    units: Float[np.ndarray, "point value"],
    one: TrialTargets,
    made: Emulator,
    points: list[Point],
    *,
    names: tuple[str, ...] = (),
) -> TrialData:
    """A trial as the plan wants its numbers read; of the points those that judge come last."""
    people = [target.people if plan.shares == "counts" else 0 for target in one.numbers]
    judged = slice(-plan.wave.judged, None)
    simulated = [plan.wave.replicates * n for n in people]
    return TrialData(
        targets=one, emulator=judged_by_counts(made, units[judged], points[judged], simulated), names=names,
        correlation=correlation(points) if one.numbers else np.zeros((0, 0)), is_count=tuple(n > 0 for n in people),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What one trial published, as numbers; with a first axis, that of many data sets.

    ``value``, ``error``: of its numbers, on their scales. ``verdict``: of each verdict of the entry, 0 for no
    difference, else the sign of the z. ``significant``: by its first analysis, 1 or 0. ``counted``: of numbers that are
    shares how many of how many people, 0 of others.
    """

    value: Float[np.ndarray, "*set number"]
    error: Float[np.ndarray, "*set number"]
    verdict: Int[np.ndarray, "*set verdict"]
    significant: Int[np.ndarray, "*set"]
    counted: Float[np.ndarray, "2 *set number"] = field(default_factory=lambda: np.zeros((2, 0)))


def published_results(one: TrialTargets) -> Results:
    """What the registry says of a trial."""
    entry = one.entry
    signs = [entry.sign_of(verdict) for verdict in entry.verdicts]
    first = [sign for sign, verdict in zip(signs, entry.verdicts, strict=True) if verdict.analysis == entry.z.analysis]
    value = np.array([target.value for target in one.numbers])
    people = np.array([target.people for target in one.numbers], dtype=float)
    return Results(
        value=value,
        error=np.array([target.error for target in one.numbers]),
        counted=np.stack([np.round(people * expit(value)), people]),
        verdict=np.array(signs, dtype=np.int64),
        # A trial that enters with numbers found a difference.
        significant=np.array(first[0] != 0 if first else 1, dtype=np.int64),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Draws by name: ``mean``, ``tau``, ``craving_tau``, ``null_seen``, ``substance`` (draw x substance), ``effect``,
    ``craving`` and ``level`` (draw x trial), and the values all trials share, in their own units. Values of a substance
    or of a group of people have its name behind theirs.

    ``r_hat`` and ``effective_draws`` are the worst over all of them, that of ``worst``; ``divergent`` is a share.
    ``log_likelihood``: of each trial at each draw, without selection. ``z`` and ``z_sd``: of the first analysis of each
    trial, positive where the drug helps.
    """

    draws: dict[str, Float[np.ndarray, "draw ..."]]
    r_hat: float
    effective_draws: float
    divergent: float
    log_likelihood: Float[np.ndarray, "draw trial"]
    left_out: tuple[str, ...] = field(default=())
    worst: str = ""


def fit_posterior(
    plan: CalibrationPlan,
    trials: tuple[TrialData, ...],
    *,
    groups: tuple[GroupData, ...] = (),
    left_out: Collection[str] = (),
    rule: Rule = "main",
    n_chains: int = 4,
    n_warmup: int = 1000,
    n_draws: int = 1000,
    seed: int | None = None,
    tell: Tell = unheard,
) -> Fit:
    """Sample the posterior of the plan.

    ``trials``: all of the plan's, in its order; ``groups``: other people with rows. ``left_out``: protocols whose
    results are not used; their effect, level and craving are then those of a new trial. ``rule``: ``main`` or one shown
    beside it. ``tell`` hears of every twentieth of the steps; no draw depends on it. Raises ``MissingExtraError``:
    NumPyro is not installed.
    """
    drawn = _chains(
        plan, trials, groups=groups, left_out=left_out, rule=rule, n_chains=n_chains, n_warmup=n_warmup,
        n_draws=n_draws, seed=plan.seed % 2**31 if seed is None else seed, tell=tell,
    )  # fmt: skip
    return fit_of(trials, drawn, left_out)


def fit_by_chain(
    plan: CalibrationPlan,
    trials: tuple[TrialData, ...],
    *,
    groups: tuple[GroupData, ...] = (),
    left_out: tuple[str, ...] = (),
    n_chains: int = 4,
    n_warmup: int = 1000,
    n_draws: int = 1000,
    crew: Crew,
    tell: Callable[[int, str], None],
) -> Fit:
    """As :func:`fit_posterior`, each chain a piece of work of its own with a seed of its own.

    ``crew``: who samples the chains, side by side where there are several; one that keeps what it did makes sampling go
    on where it was ended. ``tell`` hears the number of a chain and how far it is, in the process that samples it.
    Raises as :func:`fit_posterior`.
    """
    work = partial(_chain, plan, trials, groups, left_out, n_warmup, n_draws, tell)
    found = list(crew.in_order(work, [plan.seed % 2**31 + 1 + chain for chain in range(n_chains)]))
    drawn = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
    return fit_of(trials, drawn, left_out)


def _chain(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], groups: tuple[GroupData, ...], left_out: tuple[str, ...],
    n_warmup: int, n_draws: int, tell: Callable[[int, str], None], seed: int,
) -> dict[str, Any]:  # fmt: skip
    return _chains(
        plan, trials, groups=groups, left_out=left_out, rule="main", n_chains=1, n_warmup=n_warmup, n_draws=n_draws,
        seed=seed, tell=partial(tell, seed - plan.seed % 2**31 - 1),
    )  # fmt: skip


def _chains(
    plan: CalibrationPlan,
    trials: tuple[TrialData, ...],
    *,
    groups: tuple[GroupData, ...],
    left_out: Collection[str],
    rule: Rule,
    n_chains: int,
    n_warmup: int,
    n_draws: int,
    seed: int,
    tell: Tell = unheard,
) -> dict[str, Any]:
    """Everything that was drawn, (chain, draw, ...); ``diverging`` is among it."""
    with telling_extras("remission calibrate"):
        import jax
        import numpyro
        from jax import random
        from numpyro.infer import MCMC
    jax.config.update("jax_enable_x64", True)
    numpyro.set_host_device_count(1)
    model = partial(
        posterior_model(plan, trials, left_out, rule, groups), [published_results(one.targets) for one in trials]
    )
    sampler = MCMC(
        _kernel(model, n_warmup + n_draws, tell, _blocks(plan, groups)), num_warmup=n_warmup, num_samples=n_draws,
        num_chains=n_chains, chain_method="vectorized", progress_bar=False,
    )  # fmt: skip
    sampler.run(random.PRNGKey(seed), extra_fields=("diverging",))
    drawn = {name: np.asarray(one) for name, one in sampler.get_samples(group_by_chain=True).items()}
    return drawn | {_DIVERGING: np.asarray(sampler.get_extra_fields(group_by_chain=True)["diverging"])}


def _blocks(plan: CalibrationPlan, groups: tuple[GroupData, ...]) -> list[tuple[str, ...]]:
    """Values that the sampler must move together: those of a substance's people, which are known in sums only."""
    if plan.wide is None or not groups:
        return []
    found: dict[str, dict[str, None]] = {}
    for one in groups:
        names = found.setdefault(one.targets.group.substance, {})
        names |= dict.fromkeys(
            f"_{name_of(plan, one, value)}" for value in one.targets.names
            if "." in name_of(plan, one, value)
        )  # fmt: skip
    return [tuple(names) for names in found.values() if names]


def _kernel(model: Callable[[], None], total: int, tell: Tell, blocks: list[tuple[str, ...]]) -> Any:
    """The sampler's step; where somebody listens it also says how many steps are done, the same draws with it.

    ``blocks``: values whose covariance is learnt while it warms up; of the others the variance.
    """
    import jax
    import jax.numpy as jnp
    from numpyro.infer import NUTS

    if tell is unheard:
        return NUTS(model, target_accept_prob=0.9, dense_mass=blocks or False)
    every = max(1, total // 20)
    done = paced(total, tell, what="step", every=every)

    class Telling(NUTS):  # type: ignore[misc]  # NumPyro has no types where it is not installed
        def sample(self, state: Any, model_args: Any, model_kwargs: Any) -> Any:
            found = super().sample(state, model_args, model_kwargs)
            # Of the first chain: all take their steps together. The first step comes after the compiler's time.
            step = jnp.ravel(found.i)[0]
            is_told = (step % every == 0) | (step == 1)
            jax.lax.cond(is_told, lambda: jax.debug.callback(lambda n: done(int(n)), step), lambda: None)
            return found

    return Telling(model, target_accept_prob=0.9, dense_mass=blocks or False)


def fit_of(trials: tuple[TrialData, ...], drawn: dict[str, Any], left_out: Collection[str]) -> Fit:
    """A fit from what its chains drew, (chain, draw, ...), with how well they mixed.

    Raises ``MissingExtraError``: NumPyro is not installed.
    """
    with telling_extras("remission calibrate"):
        from numpyro.diagnostics import effective_sample_size, split_gelman_rubin
    grouped = {name: one for name, one in drawn.items() if name != _DIVERGING}
    # Without trials some have no column at all.
    free = {
        name[1:]: one.reshape(*one.shape[:2], math.prod(one.shape[2:]))
        for name, one in grouped.items() if name.startswith("_")
    }  # fmt: skip
    columns, names = [], []
    for name, block in free.items():
        of = _of_what(trials, name, block.shape[2])
        columns += [block[..., k] for k in range(block.shape[2])]
        names += [f"{name}{each and '.'}{each}" for each in of]
    r_hats = [float(split_gelman_rubin(one)) for one in columns]
    flat = {name: np.concatenate(list(one)) for name, one in grouped.items() if not name.startswith("_")}
    return Fit(
        draws={name: one for name, one in flat.items() if name != "log_likelihood"},
        r_hat=max(r_hats),
        worst=names[int(np.argmax(r_hats))],
        effective_draws=min(float(effective_sample_size(one)) for one in columns),
        divergent=float(drawn[_DIVERGING].mean()),
        log_likelihood=flat["log_likelihood"],
        left_out=tuple(left_out),
    )


def _of_what(trials: tuple[TrialData, ...], name: str, n: int) -> list[str]:
    """Of which substances or trials the columns of a value are."""
    if name == "substance":
        return [one.value for one in Substance]
    return [one.targets.entry.protocol for one in trials] if name in {"effect", "craving", "level"} else [""] * n


def posterior_model(  # noqa: C901, PLR0915 - the model in one place, in the order of the equations above
    plan: CalibrationPlan,
    trials: tuple[TrialData, ...],
    left_out: Collection[str] = (),
    rule: Rule = "main",
    groups: tuple[GroupData, ...] = (),
) -> Callable[[Sequence[Results]], None]:
    """The model as NumPyro reads it: a function of the :class:`Results` of each trial, in the order of the plan."""
    import jax.numpy as jnp
    import numpyro
    from jax.scipy.stats import norm
    from numpyro import distributions as dist

    substances = [one.value for one in Substance]
    place = np.array([substances.index(one.targets.protocol.substance.value) for one in trials], dtype=int)
    box = {value.name: value for value in plan.value}
    shared = [value for value in plan.value if not value.per_trial and value.name not in {"use_effect", "k_c"}]
    names = [value.name for value in plan.value]
    n = len(trials)
    z_alpha = float(-_ndtri(plan.selection.alpha / 2.0))
    h = plan.hierarchy
    mean_sd = 2.0 * h.mean_sd if rule == "wider prior" else h.mean_sd
    selects = rule != "no selection"
    drops = rule == "verdicts in favor left out"

    fits, freed, extra = _freed(plan, groups)

    def piece(value: BoxValue, of: str = "") -> Any:
        low, high, center, sd = prior_of(value)
        name = f"{value.name}{of and '.'}{of}"
        found = numpyro.sample(f"_{name}", dist.TruncatedNormal(center, sd, low=low, high=high))
        numpyro.deterministic(name, jnp.exp(found) if value.scale == "log" else found)
        return 2.0 * (found - low) / (high - low) - 1.0

    def model(results: Sequence[Results]) -> None:
        mean = numpyro.sample("_mean", dist.Normal(0.0, mean_sd))
        tau = numpyro.sample("_tau", dist.HalfNormal(h.tau_half_normal))
        craving_tau = numpyro.sample("_craving_tau", dist.HalfNormal(h.craving_tau_half_normal))
        by_substance = mean + h.substance_sd * numpyro.sample(
            "_substance", dist.Normal(0.0, 1.0).expand([len(substances)]).to_event(1)
        )
        effect = by_substance[place] + tau * numpyro.sample("_effect", dist.Normal(0.0, 1.0).expand([n]).to_event(1))
        low, high, center, sd = prior_of(box["k_c"])
        k_c = numpyro.sample("_k_c", dist.TruncatedNormal(center, sd, low=low, high=high))
        own = numpyro.sample("_craving", dist.Normal(0.0, 1.0).expand([n]).to_event(1))
        craving = k_c + craving_tau * own
        _, _, middle, spread = prior_of(box["level"])
        level = middle + spread * numpyro.sample("_level", dist.Normal(0.0, 1.0).expand([n]).to_event(1))
        null_seen = numpyro.sample(
            "_null_seen", dist.Uniform(plan.selection.null_seen_low, plan.selection.null_seen_high)
        )
        pieces = {value.name: piece(value) for value in (*shared, *extra)}
        shape = {of: {value.name: piece(value, of) for value in freed} for of in fits}
        for name, found in (
            ("mean", mean), ("tau", tau), ("craving_tau", craving_tau), ("substance", by_substance),
            ("effect", effect), ("craving", craving), ("level", level), ("k_c", k_c), ("null_seen", null_seen),
        ):  # fmt: skip
            numpyro.deterministic(name, found)
        logs, z_of, spread_of = [], [], []
        for t, (one, told) in enumerate(zip(trials, results, strict=True)):
            units = {**pieces, **shape.get(one.targets.protocol.substance.value, {})}
            for name, found in (("use_effect", effect[t]), ("k_c", craving[t]), ("level", level[t])):
                units[name] = 2.0 * (found - box[name].low) / (box[name].high - box[name].low) - 1.0
            x = jnp.stack([units[name] for name in one.names or names])
            # The emulator knows nothing beyond the box: the prior is cut there, softly, for the sampler's sake.
            beyond = EDGE * jnp.sum(jnp.maximum(jnp.abs(x) - 1.0, 0.0) ** 2)
            numpyro.factor(f"box_{t}", -beyond)
            log, significant, z, spread = _one(one, told, x)
            logs.append(log)
            z_of.append(one.targets.entry.z.benefit * z)
            spread_of.append(spread)
            if one.targets.entry.protocol in left_out:
                continue
            numpyro.factor(f"trial_{t}", log)
            # A trial whose result does not count is not on file for what it found.
            enters = bool(one.targets.numbers) or not drops or one.targets.entry.verdicts[0].says == "no difference"
            if selects and enters and one.targets.entry.seen != "always":
                early = one.targets.entry.seen == "stopped early"
                seen = significant if early else significant + null_seen * (1.0 - significant)
                # The numerator: a trial that was significant is on file surely, one that was not with null_seen.
                mine = (1 - told.significant) * jnp.log(null_seen)
                numpyro.factor(f"seen_{t}", mine - jnp.log(jnp.maximum(seen, 1e-9)))
        rows = _group_logs(groups, pieces, shape, piece=piece, emulated=_found)
        if rows:
            numpyro.factor("rows", sum(rows))
            numpyro.deterministic("row_log", jnp.stack(rows))
        numpyro.deterministic("log_likelihood", jnp.array(logs))
        numpyro.deterministic("z", jnp.array(z_of))
        numpyro.deterministic("z_sd", jnp.array(spread_of))

    def _found(made: Emulator, x: Any) -> Any:
        moves = np.flatnonzero(made.weights.any(axis=1))
        # |x - point|**2 multiplied out: one product of matrices instead of a difference for every outcome and point.
        close = made.lengths[moves] ** -2.0
        near = jnp.exp(close * x @ made.points.T - 0.5 * ((close @ x**2)[:, None] + close @ (made.points**2).T))
        found = jnp.asarray(made.constants).at[moves].add(jnp.sum(near * made.weights[moves], axis=-1))
        return found if made.base is None else found + _found(made.base, x)

    def _one(one: TrialData, told: Results, x: Any) -> tuple[Any, Any, Any, Any]:
        found = _found(one.emulator, x)
        k, m = len(one.targets.numbers), len(one.targets.analyses)
        log = jnp.zeros(())
        if k:
            log = log + one.log_of(jnp, told, found[:k], np.diag(one.emulator.error[:k] ** 2))
        z = found[k : k + m]
        spread = jnp.sqrt(jnp.exp(2.0 * found[k + m :]) + one.emulator.error[k : k + m] ** 2)
        up, down = norm.cdf((z - z_alpha) / spread), norm.cdf((-z - z_alpha) / spread)
        for place, verdict in enumerate(one.targets.entry.verdicts):
            if drops and verdict.says != "no difference":
                continue
            at, sign = one.targets.analyses.index(verdict.analysis), told.verdict[place]
            chance = jnp.where(sign == 0, 1.0 - up[at] - down[at], jnp.where(sign > 0, up[at], down[at]))
            log = log + jnp.log(jnp.maximum(chance, 1e-9))
        return log, up[0] + down[0], z[0], spread[0]

    return model


def _freed(
    plan: CalibrationPlan, groups: tuple[GroupData, ...]
) -> tuple[tuple[str, ...], tuple[BoxValue, ...], tuple[BoxValue, ...]]:
    """Substances with a shape of their own, the values of a shape, and those that only groups have; none without."""
    if plan.wide is None:
        return (), (), ()
    own = {name for one in groups for name in one.targets.names}
    return plan.wide.fits, plan.wide.shape, tuple(value for value in plan.wide.value if value.name in own)


def _group_logs(
    groups: tuple[GroupData, ...],
    pieces: dict[str, Any],
    shape: dict[str, dict[str, Any]],
    *,
    piece: Callable[..., Any],
    emulated: Callable[..., Any],
) -> list[Any]:
    """Log likelihood of every row, or group, at the shape of its substance and a level of its group's own."""
    import jax.numpy as jnp
    from jax.scipy import special

    rows = []
    for one in groups:
        told = one.targets
        units = {**pieces, **shape[told.group.substance]}
        units |= {value.name: piece(value, told.group.id) for value in told.box if value.name == LEVEL}
        found = emulated(one.emulator, jnp.stack([units[name] for name in told.names]))
        rows += one.logs(found, xp=jnp, special=special)
    return rows


def parts_of(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], groups: tuple[GroupData, ...]
) -> dict[str, tuple[CalibrationPlan, tuple[TrialData, ...], tuple[GroupData, ...]]]:
    """Plan, trials and groups of what is sampled by itself: ``trials``, then each substance that stands alone.

    A substance stands alone where it has no trial and its groups are moved by its own shape and their own levels only:
    given the results it is then independent of all the rest. ``trials`` has everything that does not.
    """
    wide = plan.wide
    assert wide is not None, "a plan that frees the shape"
    with_trial = {one.targets.protocol.substance.value for one in trials}
    tied = {one.targets.group.substance for one in groups if set(one.targets.group.moves) != {"shape"}}
    alone = [name for name in wide.fits if name not in with_trial | tied]

    def of(names: Collection[str]) -> tuple[GroupData, ...]:
        return tuple(one for one in groups if one.targets.group.substance in names)

    rest = tuple(name for name in wide.fits if name not in alone)
    found = {"trials": (plan.replace(wide=wide.replace(fits=rest)), trials, of(rest))}
    for name in alone:
        found[name] = (plan.replace(trial=(), wide=wide.replace(fits=(name,))), (), of({name}))
    return found


def joined(plan: CalibrationPlan, parts: Mapping[str, Fit], groups: Mapping[str, tuple[GroupData, ...]]) -> Fit:
    """One fit of parts that were sampled by themselves, as :func:`parts_of` names them; its worst is that of the worst.

    ``row_log`` has the groups of ``trials`` first, then those of each other part.
    """
    main, worst = parts["trials"], max(parts.values(), key=lambda one: one.r_hat)
    draws, logs = dict(main.draws), [main.draws["row_log"]] if "row_log" in main.draws else []
    for name, one in parts.items():
        if name == "trials":
            continue
        own = {name_of(plan, group, value) for group in groups[name] for value in group.targets.names}
        draws |= {column: one.draws[column] for column in sorted(own)}
        logs.append(one.draws["row_log"])
    if logs:
        draws["row_log"] = np.concatenate(logs, axis=1)
    return Fit(
        draws=draws, r_hat=worst.r_hat, worst=worst.worst, log_likelihood=main.log_likelihood, left_out=main.left_out,
        effective_draws=min(one.effective_draws for one in parts.values()),
        divergent=max(one.divergent for one in parts.values()),
    )  # fmt: skip


def group_columns(
    plan: CalibrationPlan, one: GroupData, draws: dict[str, Float[np.ndarray, "draw ..."]]
) -> Float[np.ndarray, "draw value"]:
    """Places in a group's box, between -1 and 1, of the values that it has at each draw."""
    columns = []
    for value in one.targets.box:
        low, high, _, _ = prior_of(value)
        found = draws[name_of(plan, one, value.name)]
        columns.append(2.0 * ((np.log(found) if value.scale == "log" else found) - low) / (high - low) - 1.0)
    return np.stack(columns, axis=1)


def name_of(plan: CalibrationPlan, one: GroupData, value: str) -> str:
    """What the draws call a value of a group."""
    is_shape = plan.wide is not None and value in {shape.name for shape in plan.wide.shape}
    of = one.targets.group.id if value == LEVEL else one.targets.group.substance if is_shape else ""
    return f"{value}{of and '.'}{of}"


def prior_of(value: BoxValue) -> tuple[float, float, float, float]:
    """Ends, center and standard deviation of a value's prior, on the scale of the box."""
    assert value.center is not None, value.name
    assert value.sd is not None, value.name
    if value.scale == "log":
        return float(np.log(value.low)), float(np.log(value.high)), float(np.log(value.center)), value.sd
    return value.low, value.high, value.center, value.sd


def _ndtri(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(share))
