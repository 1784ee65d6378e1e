"""The waves of a fit that frees the shape of use: what the prior covers, then what natural history allows.

A plan may ask for a third and a fourth, where the rows of a substance alone put shape, levels and the other values of
its people together (:mod:`remission.calibration.rows_alone`), as the emulators of the waves before say: an emulator is
as fine as it is asked for only where it is read. Trials are simulated at shapes of the third, which lies wider.
Each group and each trial has points of its own values only, so a substance is simulated and emulated by itself.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from remission.calibration.emulator import Emulator, errors_together, fit_emulator
from remission.calibration.fit import TrialData, group_columns, trial_data
from remission.calibration.groups import (
    GroupData,
    GroupTargets,
    allowed_shapes,
    group_targets,
    simulate_at,
    simulate_group,
    sobol,
)
from remission.calibration.pieces import Tell, counted, journal_of
from remission.calibration.rows_alone import rows_alone
from remission.calibration.wave import Point, TrialTargets, from_unit, simulate_point
from remission.library.calibration_plan import BoxValue, CalibrationPlan, NearRows
from remission.numerics.digits import duration
from remission.runs.crew import Crew
from remission.runs.journal import Journaled
from remission.shapes import Float

_LEARN = 160
_PARTICLES = 2000
_Units = Float[np.ndarray, "point value"]


def refocused(
    plan: CalibrationPlan, targets: tuple[TrialTargets, ...], folder: Path, *, crew: Crew, tell: Tell
) -> tuple[tuple[TrialData, ...], tuple[GroupData, ...], dict[str, float]]:
    """Trials and groups as the fit reads them, and how far each substance's shapes were let from its rows.

    What ``folder`` keeps is not simulated again. Raises MissingExtraError: scikit-learn is not installed.
    """
    wide = plan.wide
    assert wide is not None, "a plan that frees the shape"
    groups = group_targets(plan)
    tell(f"simulation: about {duration(_cost_s(plan, groups, targets))} of one processor")
    first: list[tuple[_Units, list[Point], GroupData]] = []
    for one in groups:
        n_draws, n_judged = _sizes(plan, one)
        units = sobol(n_draws + n_judged, len(one.box), seed=[plan.seed, 10, *one.group.id.encode()])
        points = _points(plan, one, units, folder, crew, tell, wave=1)
        first.append((units, points, _group(plan, one, 1, units, points, n_judged, folder, crew)))
    shapes, limits = {}, {}
    substances = [name for name in wide.fits if any(one.group.substance == name for one in groups)]
    for substance in substances:
        shapes[substance], limits[substance] = allowed_shapes(plan, substance, tuple(one for *_, one in first))
        tell(f"{substance}: {len(shapes[substance])} of {wide.candidates} shapes within {limits[substance]:.0f} errors")
    second = []
    for units, points, told in first:
        one = told.targets
        if "shape" not in one.group.moves:
            second.append(told)
            continue
        n_draws, n_judged = _sizes(plan, one)
        near = _near(
            shapes[one.group.substance], one.box, n_draws + n_judged, seed=[plan.seed, 20, *one.group.id.encode()]
        )
        every = np.vstack([units, near])
        found = points + _points(plan, one, near, folder, crew, tell, wave=2)
        second.append(_group(plan, one, 2, every, found, n_judged, folder, crew))
    made = second
    for wave, asked in ((3, wide.third), (4, wide.fourth)):
        if asked is not None:
            made, lies = _near_rows(plan, asked, wave, made, folder, crew, tell)
            shapes |= lies if wave == 3 else {}
    trials = tuple(_trial(plan, one, shapes.get(one.protocol.substance.value), folder, crew, tell) for one in targets)
    return trials, tuple(made), limits


def _near_rows(
    plan: CalibrationPlan, near: NearRows, wave: int, before: list[GroupData], folder: Path, crew: Crew, tell: Tell
) -> tuple[list[GroupData], dict[str, _Units]]:
    """Groups with an emulator of a wave near the rows beside that of the waves before, and the shapes of this wave."""
    wide = plan.wide
    assert wide is not None, "asked before"
    n, found, shapes = near.draws + near.judged, list(before), {}
    for substance in dict.fromkeys(one.targets.group.substance for one in before):
        mine = tuple(one for one in before if one.targets.group.substance == substance)
        if not any("shape" in one.targets.group.moves for one in mine):
            continue
        tell(f"{substance}: what the rows alone say, for wave {wave}")
        generator = np.random.default_rng([plan.seed, 37 + wave, *substance.encode()])
        drawn = rows_alone(plan, substance, mine, n=_PARTICLES, generator=generator, power=near.power)
        chosen = generator.choice(_PARTICLES, n, replace=False)
        there = {name: column[chosen] for name, column in drawn.items()}
        for place, one in enumerate(before):
            if one.targets.group.substance != substance or "shape" not in one.targets.group.moves:
                continue
            units = group_columns(plan, one, there)
            points = _points(plan, _peopled(one.targets, near), units, folder, crew, tell, wave=wave)
            # How fast outcomes change is learnt where they are read; far from there the other waves are what is left.
            found[place] = _group(plan, one.targets, wave, units, points, near.judged, folder, crew, base=one.emulator)
            shapes[substance] = units[:, : len(wide.shape)]
    return found, shapes


def _peopled(one: GroupTargets, near: NearRows) -> GroupTargets:
    """A group with as many people as a wave simulates of it; whoever judges it later takes those of the plan."""
    has_diaries = any(row.row.kind == "diaries" for row in one.rows)
    return replace(one, people=near.diary_people) if near.diary_people and has_diaries else one


def _group(
    plan: CalibrationPlan, one: GroupTargets, wave: int, units: _Units, points: list[Point], n_judged: int,
    folder: Path, crew: Crew, *, base: Emulator | None = None,
) -> GroupData:  # fmt: skip
    """A group with the emulator of these points, of which those that judge come last, beside its ``base`` if any."""
    name, n_draws = f"{one.group.id}-{wave}{'' if base is None else '-beside'}", len(units) - n_judged
    made = _emulator(plan, folder, name, units, points, n_draws, crew, base=base)
    hangs = plan.wide is not None and plan.wide.errors == "together"
    together = errors_together(made, units[-n_judged:], points[-n_judged:]) if hangs else None
    return GroupData(targets=one, emulator=made, together=together)


def _trial(
    plan: CalibrationPlan, one: TrialTargets, shapes: _Units | None, folder: Path, crew: Crew, tell: Tell
) -> TrialData:
    wide, n = plan.wide, plan.wave.draws + plan.wave.judged
    assert wide is not None, "asked before"
    box = (*plan.value, *(wide.shape if shapes is not None else ()))
    name = one.entry.protocol
    units = sobol(n, len(plan.value), seed=[plan.seed, 30, *name.encode()])
    if shapes is not None:
        units = np.hstack([units, shapes[np.arange(n) % len(shapes)]])
    columns = {value.name: from_unit(value, units[:, place]) for place, value in enumerate(box)}
    seeds = np.random.SeedSequence([plan.seed, 31, *name.encode()]).generate_state(n, dtype=np.uint64).tolist()
    items = [([{name: float(c[row]) for name, c in columns.items()}], seeds[row]) for row in range(n)]
    work = partial(simulate_point, (one,), plan.wave.replicates)
    with closing(journal_of(plan, folder, f"trial-{name}", Point)) as journal:
        found = counted(Journaled(crew, journal).in_order(work, items), n, tell, what=f"{name}: point", every=128)
        points = [point for (point,) in found]
    made = _emulator(plan, folder, name, units, points, plan.wave.draws, crew)
    return trial_data(plan, units, one, made, points, names=tuple(value.name for value in box))


def _points(
    plan: CalibrationPlan, one: GroupTargets, units: _Units, folder: Path, crew: Crew, tell: Tell, *, wave: int
) -> list[Point]:
    name = f"{one.group.id}-{wave}"
    with closing(journal_of(plan, folder, f"group-{name}", Point)) as journal:
        made = simulate_at(one, units, seed=[plan.seed, wave, *one.group.id.encode()], crew=Journaled(crew, journal))
        return list(counted(made, len(units), tell, what=f"{name}: point", every=120))


def _emulator(
    plan: CalibrationPlan, folder: Path, name: str, units: _Units, points: list[Point], n_draws: int, crew: Crew,
    *, base: Emulator | None = None,
) -> Emulator:  # fmt: skip
    with closing(journal_of(plan, folder, f"emulator-{name}", Emulator)) as journal:
        work = partial(fit_emulator, units, n_draws=n_draws, n_learn=_LEARN if base is None else None, base=base)
        (made,) = Journaled(crew, journal).in_order(work, [points])
    return made


def _sizes(plan: CalibrationPlan, one: GroupTargets) -> tuple[int, int]:
    assert plan.wide is not None, "asked before"
    return one.group.draws or plan.wide.draws, one.group.judged or plan.wide.judged


def _near(shapes: _Units, box: tuple[BoxValue, ...], n: int, *, seed: list[int]) -> _Units:
    """Allowed shapes with the other values of a group all over its box; the shape comes first in it."""
    n_other = len(box) - shapes.shape[1]
    others = sobol(n, n_other, seed=seed) if n_other else np.zeros((n, 0))
    return np.hstack([shapes[np.arange(n) % len(shapes)], others])


def _cost_s(plan: CalibrationPlan, groups: tuple[GroupTargets, ...], targets: tuple[TrialTargets, ...]) -> float:
    """What all points cost of a processor, from one point of each after one that compiles."""
    seconds = 0.0
    for one in groups:
        values = {value.name: from_unit(value, np.zeros(1)).item() for value in one.box}
        n = float(sum(_sizes(plan, one)))
        if "shape" in one.group.moves:
            assert plan.wide is not None, "asked before"
            waves = [near for near in (plan.wide.third, plan.wide.fourth) if near is not None]
            times = [_peopled(one, near).people / one.people for near in waves]
            n = 2 * n + sum((near.draws + near.judged) * by for near, by in zip(waves, times, strict=True))
        seconds += n * _seconds(partial(simulate_group, one), (values, 1))
    for target in targets:
        values = {value.name: from_unit(value, np.zeros(1)).item() for value in plan.value}
        each = _seconds(partial(simulate_point, (target,), plan.wave.replicates), ([values], 1))
        seconds += (plan.wave.draws + plan.wave.judged) * each
    return seconds


def _seconds(work: Callable[[Any], Any], item: Any) -> float:
    work(item)
    began = time.process_time()
    work(item)
    return time.process_time() - began
