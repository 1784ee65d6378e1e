"""What rows alone say of what they move: draws of the prior, tempered by their likelihood (sequential Monte Carlo).

A substance at a time, without an inference library; the likelihood is the one that the whole fit uses.
Trials have no say here, so what is simulated where these draws lie leaves every trial out.
"""

from collections.abc import Callable

import numpy as np
from scipy import special
from scipy.stats import truncnorm

from remission.calibration.fit import name_of, prior_of
from remission.calibration.groups import GroupData
from remission.library.calibration_plan import CalibrationPlan

_STEPS, _ENOUGH = 8, 0.5
_Table = np.ndarray


def rows_alone(
    plan: CalibrationPlan, substance: str, groups: tuple[GroupData, ...], *, n: int, generator: np.random.Generator,
    power: float = 1.0,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Draws of what the rows of a substance's people move, given these rows, by the names of the posterior.

    ``power``: of their likelihood; below 1 the draws lie wider than what the rows leave open.
    """
    mine = [one for one in groups if one.targets.group.substance == substance]
    boxes = {name_of(plan, one, box.name): box for one in mine for box in one.targets.box}
    names = list(boxes)
    ends = np.array([prior_of(box) for box in boxes.values()])
    low, high, center, sd = ends.T

    def log_prior(x: _Table) -> _Table:
        inside = ((x > low) & (x < high)).all(axis=1)
        return np.where(inside, -0.5 * (((x - center) / sd) ** 2).sum(axis=1), -np.inf)

    def log_rows(x: _Table) -> _Table:
        total = np.zeros(len(x))
        for one in mine:
            places = [names.index(name_of(plan, one, box.name)) for box in one.targets.box]
            units = 2.0 * (x[:, places] - low[places]) / (high[places] - low[places]) - 1.0
            found = one.emulator.at(np.clip(units, -1.0, 1.0))
            total += sum(one.logs(found, xp=np, special=special))
        return total

    start = truncnorm.rvs((low - center) / sd, (high - center) / sd, center, sd, size=(n, len(names)),
                          random_state=generator)  # fmt: skip
    drawn = _tempered(start, log_prior, log_rows, generator, power)
    return {name: np.exp(drawn[:, k]) if boxes[name].scale == "log" else drawn[:, k] for k, name in enumerate(names)}


def _tempered(
    x: _Table, log_prior: Callable[[_Table], _Table], log_rows: Callable[[_Table], _Table],
    generator: np.random.Generator, last: float,
) -> _Table:  # fmt: skip
    """Draws of the prior made draws given the rows, by powers of their likelihood that rise to the ``last``."""
    n, d = x.shape
    power, logs = 0.0, log_rows(x)
    while power < last:
        low, high = power, last
        for _ in range(40):
            middle = 0.5 * (low + high)
            weights = np.exp((middle - power) * (logs - logs.max()))
            low, high = (middle, high) if weights.sum() ** 2 / (weights**2).sum() > _ENOUGH * n else (low, middle)
        step = last if high > 0.999 * last else low
        weights = np.exp((step - power) * (logs - logs.max()))
        chosen = generator.choice(n, n, p=weights / weights.sum())
        x, logs, power = x[chosen], logs[chosen], step
        root, scale = np.linalg.cholesky(np.cov(x, rowvar=False) + 1e-9 * np.eye(d)), 2.0 / np.sqrt(d)
        for _ in range(_STEPS):
            moved = x + scale * generator.normal(size=x.shape) @ root.T
            fits = np.isfinite(log_prior(moved))
            new = np.full(n, -np.inf)
            new[fits] = log_rows(moved[fits])
            with np.errstate(invalid="ignore"):
                gain = power * (new - logs) + log_prior(moved) - log_prior(x)
            takes = fits & (np.log(generator.uniform(size=n)) < gain)
            x, logs = np.where(takes[:, None], moved, x), np.where(takes, new, logs)
            scale *= 1.2 if takes.mean() > 0.25 else 0.8
    return x
