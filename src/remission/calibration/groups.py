"""Results of people outside of the trials of ketamine, in one way for all kinds: simulated, emulated, scored.

A group of people of the plan is simulated at points of the values that move it; a row is what is computed of it beside
what was read. Two waves: the first covers the prior, the second the shapes of use that the rows of every group allow
(:func:`allowed_shapes`). Trials are simulated there too and have no say in it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from scipy.linalg import block_diag
from scipy.special import expit, ndtri
from scipy.stats import qmc

from remission.calibration.emulator import Emulator
from remission.calibration.wave import Point, from_unit
from remission.errors import SpecError
from remission.facts.measures import COMPUTATIONS, Sample
from remission.facts.scenarios import UNTREATED, Lives
from remission.library.calibration_plan import BoxValue, CalibrationPlan, Group, Row
from remission.library.facts import FactScenario
from remission.records.packaged import packaged_toml
from remission.records.parameter import MODEL_FORM
from remission.runs.crew import Crew
from remission.shapes import Float

LEVEL = "level"
_NUISANCE = 24
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_LEAST_CHANCE = 1e-9
# Steps by Fisher's information towards the errors that rows and emulator agree on, and the longest, on the logit.
_STEPS, _FAR = 6, 2.0
_SINGULAR = 1e-10
_SOBOL = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RowTarget:
    """A row on the scale of its emulator (log odds where it is a share in percent), as its likelihood reads it.

    ``first``, ``last``: its outputs of the group; ``value``, ``covariance``: of what was read; of a count ``events`` of
    ``n`` beside those of the output ``given``; of a bound ``low`` and ``high``.
    """

    row: Row
    first: int
    last: int
    value: Float[np.ndarray, " output"]
    covariance: Float[np.ndarray, "output output"]
    events: int = 0
    n: int = 0
    given: int | None = None
    given_events: int = 0
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTargets:
    """A group with what is simulated of it. ``box``: the values that move it, its level the last where it has one."""

    group: Group
    scenario: FactScenario
    box: tuple[BoxValue, ...]
    outputs: tuple[tuple[str, dict[str, Any], bool], ...]
    rows: tuple[RowTarget, ...]
    people: int

    @property
    def names(self) -> tuple[str, ...]:
        """Of the values of the box."""
        return tuple(one.name for one in self.box)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupData:
    """A group as the fit reads it. ``together``: covariance of its emulators' errors; ``None``: read as independent."""

    targets: GroupTargets
    emulator: Emulator
    together: Float[np.ndarray, "output output"] | None = None

    def logs(self, found: Any, *, xp: Any, special: Any) -> list[Any]:
        """Log likelihood of each row, or of all at once where the emulators err together, as :func:`row_log` takes it.

        Raises SpecError: the numbers of the group have a singular covariance.
        """
        if self.together is None:
            return [row_log(row, found, self.emulator.error, xp=xp, special=special) for row in self.targets.rows]
        return [together_log(self.targets, self.together, found, xp=xp, special=special)]


def group_targets(plan: CalibrationPlan) -> tuple[GroupTargets, ...]:
    """The groups of the substances that the plan fits; none where it frees nothing beside its trials."""
    if plan.wide is None:
        return ()
    return tuple(_targets(plan, one) for one in plan.wide.group if one.substance in plan.wide.fits)


def simulate_group(one: GroupTargets, item: tuple[dict[str, float], int]) -> Point:
    """What a group shows at one point; a share is kept half a person off the ends, as log odds."""
    values, seed = dict(item[0]), item[1]
    level = values.pop(LEVEL, 0.0)
    medicine = values.pop(one.group.medicine, None) if one.group.medicine else None
    lives = Lives(
        scenario=one.scenario, n_people=one.people, seed=seed, parameter_set=MODEL_FORM, values=values, level=level,
        medicine=medicine,
    )  # fmt: skip
    everybody = Sample(lives, np.ones(one.people, dtype=np.bool_))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.array([COMPUTATIONS[what](everybody, **args) for what, args, _ in one.outputs])
    share = np.array([percent for _, _, percent in one.outputs])
    found[share] = _log_odds(np.clip(found[share] / 100.0, 0.5 / one.people, 1.0 - 0.5 / one.people))
    nothing = np.zeros(0)
    return Point(mean=found, covariance=np.zeros((found.size, found.size)), z=nothing, z_sd=nothing, n_trials=2)


def simulate_at(
    one: GroupTargets, units: Float[np.ndarray, "point value"], *, seed: list[int], crew: Crew
) -> Iterator[Point]:
    """A group at points of its box, in their order; everybody is new at each."""
    columns = {value.name: from_unit(value, units[:, place]) for place, value in enumerate(one.box)}
    seeds = np.random.SeedSequence(seed).generate_state(len(units), dtype=np.uint64).tolist()
    items = [({name: float(c[row]) for name, c in columns.items()}, seeds[row]) for row in range(len(units))]
    yield from crew.in_order(partial(simulate_group, one), items)


def sobol(n: int, dimensions: int, *, seed: list[int]) -> Float[np.ndarray, "point value"]:
    """Scrambled Sobol points, each value between -1 and 1."""
    made = qmc.Sobol(dimensions, seed=np.random.default_rng(seed)).random_base2(math.ceil(math.log2(n)))
    return 2.0 * made[:n] - 1.0


def allowed_shapes(
    plan: CalibrationPlan, substance: str, groups: tuple[GroupData, ...]
) -> tuple[Float[np.ndarray, "point value"], float]:
    """Shapes of a substance that every row of every group allows, as places in the box, and the limit that was needed.

    How far a shape lies: the largest distance over rows in errors of row and emulator, at the level and the other
    values of each group that suit it best. Trials have no say.
    """
    wide = plan.wide
    assert wide is not None, "a plan that frees the shape"
    n_shape = len(wide.shape)
    shapes = sobol(wide.candidates, n_shape, seed=[plan.seed, 2])
    worst = np.zeros(len(shapes))
    for one in groups:
        if one.targets.group.substance != substance or "shape" not in one.targets.group.moves:
            continue
        n_other = len(one.targets.box) - n_shape
        others = sobol(_NUISANCE, n_other, seed=[plan.seed, 3]) if n_other else np.zeros((1, 0))
        best = np.full(len(shapes), np.inf)
        for other in others:
            found = one.emulator.at(np.hstack([shapes, np.broadcast_to(other, (len(shapes), n_other))]))
            best = np.minimum(best, _farthest(one, found))
        worst = np.maximum(worst, best)
    limit = wide.within
    while (worst <= limit).sum() < wide.least:
        limit += 1.0
    return shapes[worst <= limit], limit


def row_log(row: RowTarget, found: Any, error: Float[np.ndarray, " output"], *, xp: Any, special: Any) -> Any:
    """Log likelihood of a row where the emulator says ``found`` with ``error``.

    ``found`` may have axes before its last. ``xp``, ``special``: NumPy and ``scipy.special``, or JAX's of both. A count
    is averaged over the emulator's error, the others have it in their variance.
    """
    own = slice(row.first, row.last)
    if row.row.kind == "count":
        places = [row.first] if row.given is None else [row.first, row.given]
        root = np.zeros((len(places), 1))
        root[0] = error[row.first]
        told = [(row, 0, None if row.given is None else 1)]
        return _averaged(told, found[..., places], root, xp=xp, special=special)
    covariance = row.covariance + np.diag(error[own] ** 2)
    if row.row.kind == "bound":
        return _bound_log(row, found[..., row.first], math.sqrt(covariance[0, 0]), xp=xp, special=special)
    off = found[..., own] - row.value
    whitened = np.linalg.inv(np.linalg.cholesky(covariance))
    constant = np.log(np.diag(whitened)).sum() - 0.5 * row.value.size * math.log(2.0 * math.pi)
    return constant - 0.5 * xp.sum((off @ whitened.T) ** 2, axis=-1)


def together_log(
    told: GroupTargets, covariance: Float[np.ndarray, "output output"], found: Any, *, xp: Any, special: Any
) -> Any:
    """Log likelihood of all rows of a group whose emulators' errors have a ``covariance``; else as :func:`row_log`.

    Numbers and diaries are one joint normal. What it leaves open of the errors of the others, given how far these
    numbers lie off, is averaged over: counts and limits in words of one group then hang together too.
    Raises SpecError: the numbers of the group have a singular covariance.
    """
    normal = [row for row in told.rows if row.row.kind in {"number", "diaries"}]
    others = [row for row in told.rows if row.row.kind not in {"number", "diaries"}]
    n = np.array([place for row in normal for place in range(row.first, row.last)], dtype=int)
    c = np.array([row.first for row in others], dtype=int)
    log, moved, left = xp.zeros(found.shape[:-1]), found[..., c], covariance[np.ix_(c, c)]
    if normal:
        wide = block_diag(*(row.covariance for row in normal)) + covariance[np.ix_(n, n)]
        whitened = np.linalg.inv(_root_of(wide, told, normal))
        off = np.concatenate([row.value for row in normal]) - found[..., n]
        constant = np.log(np.diag(whitened)).sum() - 0.5 * n.size * math.log(2.0 * math.pi)
        log = log + constant - 0.5 * xp.sum((off @ whitened.T) ** 2, axis=-1)
        gain = covariance[np.ix_(c, n)] @ whitened.T @ whitened
        moved, left = moved + off @ gain.T, left - gain @ covariance[np.ix_(n, c)]
    if not others:
        return log
    size, axes = np.linalg.eigh(left)
    places = {row.first: place for place, row in enumerate(others)}
    told_of = [(row, place, None if row.given is None else places[row.given]) for place, row in enumerate(others)]
    return log + _averaged(told_of, moved, axes * np.sqrt(np.maximum(size, 0.0)), xp=xp, special=special)


def published_of(row: RowTarget, found: Float[np.ndarray, "draw output"]) -> Float[np.ndarray, "draw output"]:
    """A row's outputs in the unit that was read."""
    own = found[:, row.first : row.last]
    return 100.0 * expit(own) if row.row.in_percent else own


def _counted(row: RowTarget) -> tuple[int, int]:
    """How many of how many a count adds to what the count beside it says already."""
    if row.given is None:
        return row.events, row.n
    if row.events >= row.given_events:
        return row.events - row.given_events, row.n - row.given_events
    return row.events, row.given_events


def _chance(row: RowTarget, logit: Any, given: Any, *, xp: Any, special: Any) -> tuple[Any, Any, Any]:
    """Of a count its chance where its share has a ``logit``, and how both logits move it; ``given``: the other's."""
    share = special.expit(logit)
    if given is None:
        return _inside(share, xp), share * (1.0 - share), 0.0 * share
    before = special.expit(given)
    own, others = share * (1.0 - share), before * (1.0 - before)
    if row.events >= row.given_events:
        rest = 1.0 - before
        return _inside((share - before) / rest, xp), own / rest, (share - 1.0) / rest**2 * others
    return _inside(share / before, xp), own / before, -share / before**2 * others


def _inside(chance: Any, xp: Any) -> Any:
    return xp.clip(chance, 1e-6, 1.0 - 1e-6)


def _count_log(row: RowTarget, logit: Any, given: Any, *, xp: Any, special: Any) -> Any:
    """Of a count where its share has a ``logit``; ``given``: that of the count which it stands beside, if any."""
    chance = _chance(row, logit, given, xp=xp, special=special)[0]
    events, n = _counted(row)
    return _log_choose(n, events) + events * xp.log(chance) + (n - events) * xp.log1p(-chance)


def _bound_log(row: RowTarget, found: Any, spread: float, *, xp: Any, special: Any) -> Any:
    up = special.ndtr((row.high - found) / spread) if row.high < math.inf else 1.0
    down = special.ndtr((row.low - found) / spread) if row.low > -math.inf else 0.0
    return xp.log(xp.maximum(up - down, _LEAST_CHANCE))


def _averaged(
    told: list[tuple[RowTarget, int, int | None]], at: Any, root: Float[np.ndarray, "output direction"],
    *, xp: Any, special: Any,
) -> Any:  # fmt: skip
    """Log likelihood of counts and limits in words, averaged over errors of their emulators.

    ``told``: each row, its place in ``at`` (..., output) and that of the count beside it; ``root``: of the errors'
    covariance. The average is taken where rows and prediction together put the errors: many people say more than an
    emulator that is coarse, and places that follow the prediction alone would see a count at one of them or between
    two.
    """
    n = root.shape[1]
    errors = xp.zeros((*at.shape[:-1], n))
    for _ in range(_STEPS):
        score, bend = _bending(told, at, root, errors, xp=xp, special=special)
        step = xp.linalg.solve(bend, (score - errors)[..., None])[..., 0]
        errors = errors + step / xp.maximum(1.0, xp.max(xp.abs(step @ root.T), axis=-1, keepdims=True) / _FAR)
    lower = xp.linalg.cholesky(_bending(told, at, root, errors, xp=xp, special=special)[1])
    nodes, weights = _nodes(n)
    places = np.broadcast_to(nodes.T, (*at.shape[:-1], *nodes.T.shape))
    there = errors[..., None, :] + xp.swapaxes(xp.linalg.solve(xp.swapaxes(lower, -1, -2), places), -1, -2)
    moved = at[..., None, :] + there @ root.T
    logs = np.log(weights / weights.sum()) + 0.5 * ((nodes**2).sum(axis=-1) - (there**2).sum(axis=-1))
    for row, own, beside in told:
        if row.row.kind == "bound":
            spread = math.sqrt(row.covariance[0, 0])
            logs = logs + _bound_log(row, moved[..., own], spread, xp=xp, special=special)
        else:
            given = None if beside is None else moved[..., beside]
            logs = logs + _count_log(row, moved[..., own], given, xp=xp, special=special)
    top = xp.max(logs, axis=-1, keepdims=True)
    turn = xp.log(xp.diagonal(lower, axis1=-2, axis2=-1)).sum(axis=-1)
    return top[..., 0] + xp.log(xp.sum(xp.exp(logs - top), axis=-1)) - turn


def _bending(
    told: list[tuple[RowTarget, int, int | None]], at: Any, root: Float[np.ndarray, "output direction"], errors: Any,
    *, xp: Any, special: Any,
) -> tuple[Any, Any]:  # fmt: skip
    """How counts pull at the errors, on the scale where these are standard normal, and how much they and it say."""
    moved, score, bend = at + errors @ root.T, 0.0 * errors, np.eye(root.shape[1])
    for row, own, beside in told:
        if row.row.kind == "bound":
            continue
        given = None if beside is None else moved[..., beside]
        chance, by_own, by_given = _chance(row, moved[..., own], given, xp=xp, special=special)
        along = by_own[..., None] * root[own] + (0.0 if beside is None else by_given[..., None] * root[beside])
        events, n = _counted(row)
        score = score + ((events - n * chance) / (chance * (1.0 - chance)))[..., None] * along
        bend = bend + (n / (chance * (1.0 - chance)))[..., None, None] * along[..., :, None] * along[..., None, :]
    return score, bend


@cache
def _nodes(n: int) -> tuple[Float[np.ndarray, "node direction"], Float[np.ndarray, " node"]]:
    """Nodes and weights of independent standard normals: of one or two in products of nine, of more Sobol points."""
    if n <= 2:
        table = np.stack(np.meshgrid(*[_NODES] * n, indexing="ij"), axis=-1).reshape(-1, n)
        return table, np.prod(np.stack(np.meshgrid(*[_WEIGHTS] * n, indexing="ij"), axis=-1).reshape(-1, n), axis=1)
    drawn = ndtri(qmc.Sobol(n, seed=np.random.default_rng(n)).random_base2(_SOBOL))
    drawn -= drawn.mean(axis=0)
    root = np.linalg.cholesky(drawn.T @ drawn / len(drawn))
    # Mean and covariance as they must be: without it a few hundred points would move both.
    return np.linalg.solve(root, drawn.T).T, np.ones(len(drawn))


def _root_of(
    covariance: Float[np.ndarray, "output output"], told: GroupTargets, rows: list[RowTarget]
) -> Float[np.ndarray, "output output"]:
    """Its Cholesky root; what is known without error or twice makes it singular and is named."""
    spread = np.sqrt(np.diag(covariance))
    size, axes = np.linalg.eigh(covariance / np.outer(spread, spread)) if (spread > 0.0).all() else (np.zeros(1), None)
    if np.isfinite(covariance).all() and size[0] > _SINGULAR:
        return np.linalg.cholesky(covariance)
    names = [
        f"{row.row.id}{told.outputs[place][1].get('name', '') and ', '}{told.outputs[place][1].get('name', '')}"
        for row in rows for place in range(row.first, row.last)
    ]  # fmt: skip
    bad = ~(spread > 0.0) if axes is None else np.abs(axes[:, 0]) > 0.1
    raise SpecError(
        where=f"{told.group.id}: {'; '.join(name for name, is_bad in zip(names, bad, strict=True) if is_bad)}",
        got="a covariance that is singular: one of these follows from the others, or has no error",
        allowed="errors of their own", remedy="Leave one of them out, or give it the error that it was read with.",
    )  # fmt: skip


def _targets(plan: CalibrationPlan, group: Group) -> GroupTargets:
    wide = plan.wide
    assert wide is not None, "a plan with groups"
    known = {one.name: one for one in (*plan.value, *wide.value)}
    box = [one for name in group.moves for one in (wide.shape if name == "shape" else (known[name],))]
    if group.level is not None:
        low, high, sd = group.level
        box.append(BoxValue(name=LEVEL, scale="plain", low=low, high=high, center=0.0, sd=sd))
    outputs: list[tuple[str, dict[str, Any], bool]] = []
    rows: list[RowTarget] = []
    for row in group.rows:
        made, own = _row(row, group, rows, len(outputs))
        rows.append(made)
        outputs += own
    scenario = group.lived()
    last = max((int(args.get("last", -1)) for _, args, _ in outputs), default=-1)
    n_days = last + 1 if all("last" in args for _, args, _ in outputs) else scenario.days
    return GroupTargets(
        group=group, scenario=scenario.replace(days=min(n_days, scenario.days)), box=tuple(box),
        outputs=tuple(outputs), rows=tuple(rows), people=group.people or wide.people,
    )  # fmt: skip


def _row(
    row: Row, group: Group, before: list[RowTarget], first: int
) -> tuple[RowTarget, list[tuple[str, dict[str, Any], bool]]]:
    if row.kind == "diaries":
        return _diaries(row, group, first)
    outputs = [(*row.computed(), row.in_percent)]
    given = next((one for one in before if one.row.id == row.given), None)
    if row.kind == "count":
        assert row.events is not None, row.id
        assert row.n is not None, row.id
        share = (row.events + 0.5) / (row.n + 1.0)
        value, error = _log_odds(np.array(share)), 1.0 / math.sqrt(row.n * share * (1.0 - share))
    elif row.kind == "number":
        assert row.error is not None, row.id
        read = row.read()
        value, error = np.array(read), row.error
        if row.in_percent:
            value, error = _log_odds(np.array(read / 100.0)), 100.0 * row.error / (read * (100.0 - read))
    else:
        assert row.error is not None, row.id
        value, error = np.array(math.nan), row.error
    made = RowTarget(
        row=row, first=first, last=first + 1, value=value.reshape(1), covariance=np.array([[error**2]]),
        events=row.events or 0, n=row.n or 0, given=None if given is None else given.first,
        given_events=0 if given is None else given.events, low=-math.inf if row.low is None else row.low,
        high=math.inf if row.high is None else row.high,
    )  # fmt: skip
    return made, outputs


def _diaries(
    row: Row, group: Group, first: int
) -> tuple[RowTarget, list[tuple[str, dict[str, Any], bool]]]:  # fmt: skip
    alone, together = (packaged_toml("diaries", f"{name}.toml") for name in ("ctn0094", "ctn0094-together"))
    names, known = together["statistics"], alone["substance"][group.substance]
    error = np.array([known[name]["standard_error"] for name in names])
    covariance = (
        row.inflation * np.outer(error, error) * np.array(together["substance"][group.substance]["correlation"])
    )
    days = {"first": alone["first_day"], "last": alone["first_day"] + alone["n_days"] - 1, "arm": UNTREATED}
    made = RowTarget(
        row=row,
        first=first,
        last=first + len(names),
        value=np.array([known[name]["value"] for name in names]),
        covariance=covariance,
    )
    return made, [("diary_statistic", {"name": name, **days}, False) for name in names]


def _farthest(one: GroupData, found: Float[np.ndarray, "point output"]) -> Float[np.ndarray, " point"]:
    """The largest distance over the rows of a group, in errors of row and emulator."""
    far = np.zeros(len(found))
    for row in one.targets.rows:
        own = slice(row.first, row.last)
        spread = np.sqrt(np.diag(row.covariance) + one.emulator.error[own] ** 2)
        value = np.clip(found[:, own], row.low, row.high) if row.row.kind == "bound" else row.value
        far = np.maximum(far, np.abs((found[:, own] - value) / spread).max(axis=1))
    return far


def _log_odds(share: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    return np.log(share / (1.0 - share))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1.0) - math.lgamma(k + 1.0) - math.lgamma(n - k + 1.0)
