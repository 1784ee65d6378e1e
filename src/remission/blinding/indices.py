"""Indices of blinding from counts of guesses.

Columns of a table are the arms (drug, control), rows the guesses (drug, control, do not know).

Bang, per arm: (right - wrong) / asked, from -1 to 1; 0 is what guessing at random gives, 1 unblinded, below 0 guessing
the other way. James, of the whole trial: half of 1 + share of "do not know" + share who answered * Kd, with
Kd = (observed - expected disagreement) / expected among those who answered; 1 blinded, .5 random, 0 unblinded.
Standard errors by the delta method over the six cells of one multinomial, which for Bang is the published variance.
Where people have several sessions, sessions of one person hang together: what each person moves the index by is squared
and summed (sandwich variance), times people / (people - 1).

References
----------
Bang H, Ni L, Davis CE. Control Clin Trials 2004;25:143-156. James KE and others. Stat Med 1996;15:1421-1434.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from remission.errors import SpecError
from remission.numerics.intervals import Z95
from remission.shapes import Float

_Z90 = 1.6448536269514722
_Counts = Float[np.ndarray, "*trial guess arm"]
_Persons = Float[np.ndarray, "person guess arm"]
_DISAGREES = np.array([[0.0, 0.5], [0.5, 0.0]])
"""How much an answer disagrees with the arm: nothing where it is right, half where it is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindingIndex:
    """An index with its standard error, 95% interval and one-sided 95% limits; NaN where there is none.

    ``message``: why there is none; empty otherwise.
    """

    value: float
    se: float
    message: str = ""

    @property
    def low(self) -> float:
        """Lower end of the 95% interval."""
        return self.value - Z95 * self.se

    @property
    def high(self) -> float:
        """Upper end of the 95% interval."""
        return self.value + Z95 * self.se

    @property
    def one_sided(self) -> tuple[float, float]:
        """The lower and the upper limit, each one-sided at 95%."""
        return self.value - _Z90 * self.se, self.value + _Z90 * self.se


def _checked(counts: np.ndarray) -> np.ndarray:
    table = np.asarray(counts, dtype=np.float64)
    if table.shape != (3, 2) or not np.isfinite(table).all() or (table < 0.0).any() or (table % 1.0).any():
        raise SpecError(
            where="counts",
            got=np.asarray(counts).tolist(),
            allowed="whole numbers from 0: guesses (drug, control, do not know) by arm (drug, control)",
        )
    return table


def error_of_persons(influence: Float[np.ndarray, " person"], told: Float[np.ndarray, " person"]) -> float:
    """Standard error of a number from what each person moves it by; NaN where one person alone tells of it.

    ``told``: above 0 for who tells of it.
    """
    n = int(np.count_nonzero(told))
    return sqrt(n / (n - 1.0) * float(influence @ influence)) if n > 1 else np.nan


def bang_index(counts: Float[np.ndarray, "guess arm"], arm: int, persons: _Persons | None = None) -> BlindingIndex:
    """Bang's index of one arm: 0 the drug's, 1 the control's.

    ``persons``: the counts of each person, where people have several sessions.

    Raises SpecError: the counts are no table of guesses.

    Examples
    --------
    >>> found = bang_index(np.array([[82.0, 27.0], [25.0, 29.0], [170.0, 83.0]]), 0)
    >>> f"{found.value:.6f} ({found.low:.6f} to {found.high:.6f})"
    '0.205776 (0.136713 to 0.274840)'
    """
    table = _checked(counts)
    n = float(table[:, arm].sum())
    if not n:
        return BlindingIndex(value=np.nan, se=np.nan, message="nobody of the arm was asked")
    right, wrong = float(table[arm, arm]) / n, float(table[1 - arm, arm]) / n
    if persons is not None:
        own = persons[:, :, arm]
        asked = own.sum(axis=1)
        return _of_persons(right - wrong, (own[:, arm] - own[:, 1 - arm] - (right - wrong) * asked) / n, asked)
    variance = (right * (1.0 - right) + wrong * (1.0 - wrong) + 2.0 * right * wrong) / n
    return BlindingIndex(value=right - wrong, se=sqrt(max(variance, 0.0)))


def _of_persons(value: float, influence: np.ndarray, asked: np.ndarray) -> BlindingIndex:
    se = error_of_persons(influence, asked)
    return BlindingIndex(value=value, se=se, message="one person alone was asked" if np.isnan(se) else "")


def james_index(counts: Float[np.ndarray, "guess arm"], persons: _Persons | None = None) -> BlindingIndex:
    """James' index of the whole trial.

    ``persons``: the counts of each person, where people have several sessions.

    Raises SpecError: the counts are no table of guesses.

    Examples
    --------
    >>> found = james_index(np.array([[82.0, 27.0], [25.0, 29.0], [170.0, 83.0]]))
    >>> f"{found.value:.6f} ({found.low:.6f} to {found.high:.6f})"
    '0.747928 (0.705323 to 0.790532)'
    """
    table = _checked(counts)
    n = float(table.sum())
    if not n:
        return BlindingIndex(value=np.nan, se=np.nan, message="nobody was asked")
    if not table.sum(axis=0).all():
        return BlindingIndex(value=np.nan, se=np.nan, message="one arm was not asked")
    shares = table / n
    answers, unsure = shares[:2], float(shares[2].sum())
    if unsure == 1.0:
        return BlindingIndex(value=1.0, se=0.0)
    know = 1.0 - unsure
    guesses, arms = answers.sum(axis=1), answers.sum(axis=0)
    observed = float((_DISAGREES * answers).sum()) / know
    expected = float(guesses @ _DISAGREES @ arms) / know**2
    if expected == 0.0:
        return BlindingIndex(value=np.nan, se=np.nan, message="all who answered are of one arm and guessed it")
    value = 0.5 * (1.0 + unsure + know * (observed / expected - 1.0))
    # value = unsure + know^2 A / (2 B) with A, B the sums above without their division: the gradient cell by cell.
    a, b = float((_DISAGREES * answers).sum()), float(guesses @ _DISAGREES @ arms)
    slope_b = (_DISAGREES @ arms)[:, None] + (guesses @ _DISAGREES)[None, :]
    gradient = np.full((3, 2), 2.0)
    gradient[:2] = know**2 * (_DISAGREES / b - a * slope_b / b**2) + 2.0 * know * a / b
    gradient *= 0.5
    mean = float((shares * gradient).sum())
    if persons is not None:
        return _of_persons(value, ((gradient - mean) * persons).sum(axis=(1, 2)) / n, persons.sum(axis=(1, 2)))
    variance = float((shares * gradient**2).sum()) - mean**2
    return BlindingIndex(value=value, se=sqrt(max(variance, 0.0) / n))


def bang_shares(counts: _Counts) -> Float[np.ndarray, "*trial arm"]:
    """Bang's index of both arms of many tables; NaN where nobody was asked."""
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = counts[..., 0, :] - counts[..., 1, :]
        return gap * np.array([1.0, -1.0]) / counts.sum(axis=-2)


def james_shares(counts: _Counts) -> Float[np.ndarray, " *trial"]:
    """James' index of many tables; NaN where there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        answers = counts[..., :2, :] / counts.sum(axis=(-2, -1))[..., None, None]
        know = answers.sum(axis=(-2, -1))
        a = np.einsum("ij,...ij->...", _DISAGREES, answers)
        b = np.einsum("...i,ij,...j->...", answers.sum(axis=-1), _DISAGREES, answers.sum(axis=-2))
        found = 1.0 - know + 0.5 * know**2 * a / b
    return np.where(know == 0.0, 1.0, found)
