"""Boundaries, stopping, conditional power and inference after a stop, another way: ``python -m validation.looks``.

The recursion of the program carries a density from look to look. Here the same numbers come from integrals of a
multivariate normal distribution (SciPy, after Genz), which know nothing of the recursion, and from simulated paths.
Writes ``docs/validation/looks.md``.
"""

from pathlib import Path

import numpy as np
from scipy.stats import kstest, multivariate_normal, norm

from remission.design.at_look import Boundaries, after_stop, boundaries_of, chances, forecast
from remission.design.sequential import first_stops
from remission.records.effect import LookPlan

_HERE = Path(__file__).parent
_PAGE = _HERE.parent / "docs" / "validation" / "looks.md"
_SPENDING = ("obrien-fleming", "pocock", "hwang-shih-decani:-8", "hwang-shih-decani:-4", "hwang-shih-decani:-1",
             "hwang-shih-decani:2")  # fmt: skip


def _inside(lower: list[float], upper: list[float], information: list[float], drift: float, seed: int) -> float:
    """The chance that every statistic lies between its bounds, by an integral of their joint distribution."""
    t = np.array(information)
    mean = drift * np.sqrt(t)
    if len(t) == 1:
        return float(norm.cdf(upper[0] - mean[0]) - norm.cdf(lower[0] - mean[0]))
    correlation = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    joint = multivariate_normal(mean=mean, cov=correlation, abseps=1e-7, releps=1e-7, maxpts=400_000, seed=seed)
    return float(joint.cdf(np.array(upper), lower_limit=np.array(lower)))


def _stops(upper: list[float], lower: list[float], t: list[float], drift: float) -> list[float]:
    """The chance to have stopped up to each look."""
    return [1.0 - _inside(lower[: k + 1], upper[: k + 1], t[: k + 1], drift, k) for k in range(len(t))]


def main() -> None:
    """Compare and write the page."""
    rng = np.random.default_rng(20261129)
    away: dict[str, list[float]] = {name: [] for name in ("spent", "stopping", "floors", "conditional", "p value")}
    uniform = []
    for number in range(60):
        k = int(rng.integers(2, 5))
        at = sorted(rng.uniform(0.15, 0.9, k - 1).tolist())
        if min(np.diff([0.0, *at, 1.0])) < 0.08:
            at = (np.arange(1, k) / k).tolist()
        t = [*at, 1.0]
        spending, level = str(rng.choice(_SPENDING)), float(rng.choice([0.005, 0.025, 0.05]))
        bounds = boundaries_of(LookPlan(at=tuple(t), spending=spending), level=level)
        upper, lower = list(bounds.z), [-one for one in bounds.z]
        drift = float(rng.uniform(0.0, 4.0))
        spent = np.cumsum(np.add(*first_stops(upper, lower, t)[:2]))
        away["spent"] += np.abs(spent - _stops(upper, lower, t, 0.0)).tolist()
        found = chances(bounds, drift)
        stopped = np.cumsum(np.array(found.success) + found.harm)
        away["stopping"] += np.abs(stopped - _stops(upper, lower, t, drift)).tolist()
        beta = f"hwang-shih-decani:{rng.choice([-8, -6, -4])}"
        floored = boundaries_of(LookPlan(at=tuple(t), spending=spending, beta_spending=beta, beta=0.15), level=level)
        assert floored.drift is not None, "it spends beta"
        ends = [*floored.floors[:-1], floored.z[-1]]
        # Success at look j without a floor crossed before: the rest of the power is what the floors spent.
        power = sum(
            _inside([*ends[:j], floored.z[j]], [*floored.z[:j], 40.0], t[: j + 1], floored.drift, j) for j in range(k)
        )
        away["floors"].append(abs(power - 0.85))
        z = float(rng.uniform(0.0, 2.0))
        here = forecast(bounds, 0, z / np.sqrt(t[0]), drift)
        rest = [one - t[0] for one in t[1:]]
        shifted = [
            (u * np.sqrt(s) - z * np.sqrt(t[0])) / np.sqrt(r) for u, s, r in zip(upper[1:], t[1:], rest, strict=True)
        ]
        under = [
            (-u * np.sqrt(s) - z * np.sqrt(t[0])) / np.sqrt(r) for u, s, r in zip(upper[1:], t[1:], rest, strict=True)
        ]
        share = sum(
            _inside([*under[:j], shifted[j]], [*shifted[:j], 60.0], rest[: j + 1], drift, j) for j in range(len(rest))
        )
        away["conditional"].append(abs(share - here.as_assumed))
        last = k - 1
        p = after_stop(bounds, last, z).p_value
        tail = [_inside([*lower[:j], upper[j]], [*upper[:j], 40.0], t[: j + 1], 0.0, j) for j in range(last)]
        tail.append(_inside([*lower[:last], z], [*upper[:last], 40.0], t, 0.0, last))
        away["p value"].append(abs(p - sum(tail)))
        if number < 6:
            uniform.append(_distribution_of_p(bounds, drift, number))
    rows = [
        f"| {name} | {len(ones)} | {max(ones):.1e} |" for name, ones in away.items()
    ]  # fmt: skip
    cells = sum(map(len, away.values()))
    paths = ", ".join(f"{one:.2f}" for one in uniform)
    text = (_HERE / "looks.md.in").read_text("utf-8")
    for name, value in (("rows", "\n".join(rows)), ("cells", str(cells)), ("paths", paths)):
        text = text.replace(f"@{name}@", value)
    _PAGE.write_text(text, encoding="utf-8")


def _distribution_of_p(bounds: Boundaries, drift: float, seed: int) -> float:
    """How well the stage-wise p value of the true effect is uniform over simulated paths: p of Kolmogorov's test."""
    rng, n, t = np.random.default_rng(seed), 20_000, np.array(bounds.information)
    steps = np.diff(t, prepend=0.0)
    z = np.cumsum(drift * steps + np.sqrt(steps) * rng.standard_normal((n, t.size)), axis=1) / np.sqrt(t)
    stops = np.abs(z) >= np.array(bounds.z)
    stops[:, -1] = True
    look = stops.argmax(axis=1)
    found = np.empty(n)
    for k in range(t.size):
        mine = look == k
        at = z[mine, k]
        grid = np.linspace(min(at.min(), -8.0), max(at.max(), 8.0), 161)
        lower = [-one for one in bounds.z[:k]]
        table = [
            first_stops([*bounds.z[:k], one], [*lower, -np.inf], t[: k + 1].tolist(), drift=drift)[0].sum()
            for one in grid.tolist()
        ]
        found[mine] = np.interp(at, grid, table)
    return float(kstest(found, "uniform").pvalue)


if __name__ == "__main__":
    main()
