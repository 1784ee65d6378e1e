"""What a diary of use looks like in numbers: the statistics that are stored, fitted and compared."""

import numpy as np
from jaxtyping import Float

__all__ = ["DEFINITIONS", "LAGS", "diary_statistics", "searched_too", "with_errors"]

LAGS = (1, 2, 3, 5, 6, 7, 8, 10, 14, 21, 28)
DEFINITIONS = {
    "mean": "Mean over people of the share of days with use.",
    "sd_between": "Standard deviation over people of the share of days with use.",
    "none": "Share of people without a day of use.",
    "share_q50": "Median over people of the share of days with use.",
    "share_q75": "Third quartile over people of the share of days with use.",
    "share_q90": "Ninth decile over people of the share of days with use.",
    **{
        f"lag_{lag}": f"Autocorrelation of use {lag} days apart: each person's days less the person's mean, products "
        "summed over people, as a mean per pair of days, divided by the mean square."
        for lag in LAGS
    },
    "weekly": "Autocorrelation at lag 7 less the mean of lags 6 and 8.",
    "after_use": "Share of days with use among days after a day with use.",
    "after_clean": "Share of days with use among days after a day without use.",
    "single_use": "Share of stretches of use, inside the window, that last one day.",
    "use_run_mean": "Mean length of a stretch of use inside the window, in days.",
    "single_clean": "Share of stretches without use, between days of use, that last one day.",
    "clean_run_median": "Median length of a stretch without use between days of use, in days.",
    "trend": "Share of days with use in the last four weeks of the window less that in the first four.",
}


def diary_statistics(use: Float[np.ndarray, "person day"]) -> dict[str, float]:
    """Every statistic of :data:`DEFINITIONS`."""
    n_days = use.shape[1]
    share = use.mean(axis=1)
    centered = use - share[:, np.newaxis]
    square = (centered**2).sum() / n_days

    def lagged(lag: int) -> float:
        return float((centered[:, lag:] * centered[:, :-lag]).sum() / (n_days - lag) / square)

    lags = {lag: lagged(lag) for lag in LAGS}
    before, after = use[:, :-1], use[:, 1:]
    used, clean = _runs(use, 1.0), _runs(use, 0.0)
    q50, q75, q90 = np.quantile(share, [0.5, 0.75, 0.9])
    return {
        "mean": float(share.mean()),
        "sd_between": float(share.std()),
        "none": float((share == 0.0).mean()),
        "share_q50": float(q50),
        "share_q75": float(q75),
        "share_q90": float(q90),
        **{f"lag_{lag}": value for lag, value in lags.items()},
        "weekly": lags[7] - (lags[6] + lags[8]) / 2.0,
        "after_use": float(after[before == 1.0].mean()),
        "after_clean": float(after[before == 0.0].mean()),
        "single_use": float((used == 1).mean()),
        "use_run_mean": float(used.mean()),
        "single_clean": float((clean == 1).mean()),
        "clean_run_median": float(np.median(clean)),
        "trend": float(use[:, -28:].mean() - use[:, :28].mean()),
    }


def searched_too(use: Float[np.ndarray, "person day"]) -> dict[str, float]:
    """What a search looks at beside them: how use comes in weeks, the longest stretches, and what follows a late lapse.

    ``lapse_7``: share of days with use among days after a day of use that ended a week or more without, inside the
    window; ``hazard_a_b``: the chance of use after ``a`` to ``b`` days without.
    """
    weeks = (use.reshape(len(use), -1, 7).sum(axis=2) > 0).sum(axis=1)
    longest_use, longest_clean = (longest_stretch(use, value) for value in (1.0, 0.0))
    # Days without use so far, after the first day of use.
    gap, seen, gaps = np.zeros(len(use)), np.zeros(len(use), dtype=np.bool_), []
    for day in use.T:
        gaps.append(np.where(seen, gap, -1.0))
        seen |= day == 1.0
        gap = (gap + 1.0) * (day == 0.0)
    since = np.array(gaps).T
    lapse = (since[:, :-1] >= 7.0) & (use[:, :-1] == 1.0)
    found = {"lapse_7": float(use[:, 1:][lapse].mean())}
    for first, last in ((1, 1), (2, 3), (4, 7), (8, 14), (15, 28)):
        found[f"hazard_{first}_{last}"] = float(use[(since >= first) & (since <= last)].mean())
    for name, of in (
        ("weeks", weeks / (use.shape[1] / 7.0)),
        ("longest_use", longest_use / use.shape[1]),
        ("longest_clean", longest_clean / use.shape[1]),
    ):
        found |= {f"{name}_mean": float(of.mean()), f"{name}_sd": float(of.std())}
    return found


def longest_stretch(use: Float[np.ndarray, "person day"], value: float) -> Float[np.ndarray, " person"]:
    """Length of each person's longest stretch of a value. [day]"""
    longest, now = np.zeros(len(use)), np.zeros(len(use))
    for day in use.T:
        now = (now + 1.0) * (day == value)
        longest = np.maximum(longest, now)
    return longest


def _runs(use: Float[np.ndarray, "person day"], value: float) -> np.ndarray:
    """Lengths of stretches of a value that begin and end inside the window."""
    n_people, n_days = use.shape
    # A column of its own between people, so that no stretch goes from one to the next.
    flat = np.concatenate([use, np.full((n_people, 1), 2.0)], axis=1).ravel()
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    lengths = np.diff(np.append(starts, flat.size))
    day = starts % (n_days + 1)
    return lengths[(flat[starts] == value) & (day > 0) & (day + lengths < n_days)]


def with_errors(
    use: Float[np.ndarray, "person day"], *, n_resamples: int, seed: int
) -> dict[str, tuple[float, float, float, float]]:
    """Value, standard error and 95% limits of each statistic; people are drawn again with replacement."""
    rng = np.random.default_rng(seed)
    drawn = [diary_statistics(use[rng.integers(0, len(use), len(use))]) for _ in range(n_resamples)]
    found = {}
    for name, value in diary_statistics(use).items():
        spread = np.array([one[name] for one in drawn])
        low, high = np.quantile(spread, [0.025, 0.975])
        found[name] = (value, float(spread.std(ddof=1)), float(low), float(high))
    return found
