"""A two-sample test by a classifier: how well a machine tells simulated from real diaries."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from validation.realism.statistics import longest_stretch

__all__ = ["FOLDS", "RESAMPLES", "Score", "summaries", "tell_apart"]

FOLDS = 5
RESAMPLES = 400
LAGS = (1, 2, 3, 6, 7, 8, 14, 21, 28)


@dataclass(frozen=True, slots=True)
class Score:
    """Area under the curve with its 95% interval over people; 0.5 cannot tell, 1 always can."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """As on the page."""
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def summaries(use: Float[np.ndarray, "person day"]) -> Float[np.ndarray, "person feature"]:
    """A diary in a dozen numbers, each of one person alone."""
    change = np.abs(np.diff(use, axis=1)).sum(axis=1)
    weeks = use.reshape(len(use), -1, 7).sum(axis=2)
    columns = [
        use.mean(axis=1),
        change,
        weeks.std(axis=1),
        (weeks > 0).sum(axis=1),
        use[:, -28:].mean(axis=1) - use[:, :28].mean(axis=1),
        longest_stretch(use, 1.0),
        longest_stretch(use, 0.0),
        *((use[:, lag:] * use[:, :-lag]).mean(axis=1) for lag in LAGS),
    ]
    return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)


def tell_apart(
    real: Float[np.ndarray, "person feature"], simulated: Float[np.ndarray, "person feature"], *, seed: int
) -> Score:
    """The score on people whom the machine did not see while it learned."""
    features = np.concatenate([real, simulated])
    label = np.repeat([1, 0], [len(real), len(simulated)])
    machine = HistGradientBoostingClassifier(max_iter=100, max_depth=3, learning_rate=0.1, random_state=seed % 2**31)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed % 2**31)
    chance = cross_val_predict(machine, features, label, cv=folds, method="predict_proba")[:, 1]
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(RESAMPLES):
        chosen = rng.integers(0, len(label), len(label))
        drawn.append(roc_auc_score(label[chosen], chance[chosen]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Score(float(roc_auc_score(label, chance)), float(low), float(high))
