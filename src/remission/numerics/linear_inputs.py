"""Linear systems with inputs that differ between subjects, solved by matrix exponentials.

Equation: ``dx/dt = A x + sum_k b_k r_k(t)`` with ``x = 0`` before the first input. Each input enters one state, either
all at once or at a constant rate over a length of its own for each subject. Between two marks, where nothing changes,
the exponential of ``[[A, B], [0, 0]]`` carries the state and the inputs together, equal eigenvalues or not. An input
that ends between two marks for one subject is carried there in two steps. Nothing is stepped by a difference rule.

Times lie on a fine lattice, 2**-46 of the span, so that the equal steps of a grid share one exponential in spite of
rounding. A uniform grid costs few exponentials, one of unequal steps costs one a step.

Each subject's result depends on that subject alone, to the last bit: products are sums in a fixed order.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from remission.errors import NumericalError, SpecError
from remission.numerics.positive_exponentials import carry, check_compartments, positive_exponentials
from remission.shapes import Float, Int

_LATTICE = 2.0**-46
_CHUNK = 256

_Subject = Float[np.ndarray, " subject"]
_State = Float[np.ndarray, "subject state"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearInput:
    """One input.

    ``state``: number of the state it enters. ``start``: when it begins, for everyone. ``amount``: how much each subject
    gets in all, >= 0. ``length``: over how long each subject gets it, >= 0; 0 is all at once.
    """

    state: int
    start: float
    amount: _Subject
    length: _Subject


def simulate_linear_inputs(
    matrix: Float[np.ndarray, "subject state state"],
    *,
    inputs: Sequence[LinearInput],
    times: Float[np.ndarray, " time"],
) -> Float[np.ndarray, "subject state time"]:
    """States at ``times``; at the moment of an input all at once it is already in.

    ``matrix``: A, in 1 over the unit of time. ``inputs``: what enters. ``times``: when the states are wanted, not
    falling. Raises SpecError: times run backwards, an input is negative or not finite, or the matrix is not one of
    compartments. Raises NumericalError: a state is not a finite number.
    """
    if not np.all(np.isfinite(times)) or np.any(np.diff(times) < 0.0):
        raise SpecError(where="times", got=times.tolist(), allowed="finite times that do not run backwards")
    for index, one in enumerate(inputs):
        if not all(np.all(np.isfinite(part) & (part >= 0.0)) for part in (one.amount, one.length)):
            raise SpecError(
                where=f"inputs[{index}]",
                got=(one.amount, one.length),
                allowed="finite amounts and lengths of 0 or more",
            )
    check_compartments(matrix)
    n_subject, n_state, _ = matrix.shape
    result = np.zeros((n_subject, n_state, times.size))
    begun = [one for one in inputs if times.size and one.start <= times[-1]]
    if not begun:
        return result
    for first in range(0, n_subject, _CHUNK):
        rows = slice(first, first + _CHUNK)
        some = [replace(one, amount=one.amount[rows], length=one.length[rows]) for one in begun]
        result[rows] = _Course(matrix[rows], some, times).run()
    if not np.all(np.isfinite(result)):
        raise NumericalError(
            where="linear system",
            got="a state that is not a finite number",
            allowed="finite states",
            remedy="Check the rate constants: one of them is out of range.",
        )
    return result


class _Course:
    """One chunk of subjects on the lattice of marks."""

    def __init__(
        self,
        matrix: Float[np.ndarray, "subject state state"],
        inputs: Sequence[LinearInput],
        times: Float[np.ndarray, " time"],
    ) -> None:
        self.inputs, self.times = inputs, times
        self.n_subject, self.n_state, _ = matrix.shape
        self.entries = sorted({one.state for one in inputs})
        size = self.n_state + len(self.entries)
        self.augmented = np.zeros((self.n_subject, size, size))
        self.augmented[:, : self.n_state, : self.n_state] = matrix
        for column, state in enumerate(self.entries, start=self.n_state):
            self.augmented[:, state, column] = 1.0
        self.begin = min(one.start for one in inputs)
        self.quantum = max(float(times[-1]) - self.begin, 1e-300) * _LATTICE
        self.starts = [int(self._on_lattice(np.array([one.start]))[0]) for one in inputs]
        self.lengths = [self._ticks(one.length) for one in inputs]
        # The rate is over the length on the lattice, so that what is given is the amount, to the last digit.
        self.rates = [
            np.where(ticks > 0, one.amount / np.maximum(ticks * self.quantum, self.quantum), 0.0)
            for one, ticks in zip(inputs, self.lengths, strict=True)
        ]
        self.marks = self._marks()
        self.known: dict[int, Float[np.ndarray, "subject row column"]] = {}
        self.uses = Counter(np.diff(self.marks).tolist())

    def _ticks(self, length: Float[np.ndarray, " any"]) -> Int[np.ndarray, " any"]:
        # More than 2**61 would not fit into an integer when added; nothing that far behind the last time is asked for.
        return np.rint(np.clip(length / self.quantum, -(2.0**61), 2.0**61)).astype(np.int64)

    def _on_lattice(self, when: Float[np.ndarray, " any"]) -> Int[np.ndarray, " any"]:
        return self._ticks(when - self.begin)

    def _marks(self) -> Int[np.ndarray, " mark"]:
        changes = list(self.starts)
        # An end that is the same for everyone is a mark; one that differs is carried subject by subject.
        for start, ticks in zip(self.starts, self.lengths, strict=True):
            changes += [start + int(ticks[0])] if np.ptp(ticks) == 0 else []
        wanted = np.concatenate([self._on_lattice(self.times), np.array(changes, dtype=np.int64)])
        last = int(self._on_lattice(self.times[-1:])[0])
        return np.unique(wanted[(wanted >= 0) & (wanted <= last)])

    def run(self) -> Float[np.ndarray, "subject state time"]:
        """States at the times."""
        result = np.zeros((self.n_subject, self.n_state, self.times.size))
        at = self._on_lattice(self.times)
        state = np.zeros((self.n_subject, self.n_state))
        for index, mark in enumerate(self.marks.tolist()):
            if index:
                state = self._carried(state, int(self.marks[index - 1]), mark)
            for one, start, ticks in zip(self.inputs, self.starts, self.lengths, strict=True):
                if start == mark:
                    state[:, one.state] += np.where(ticks == 0, one.amount, 0.0)
            result[:, :, at == mark] = state[:, :, np.newaxis]
        return result

    def _carried(self, state: _State, begin: int, end: int) -> _State:
        rates = np.zeros((self.n_subject, len(self.entries)))
        late: list[tuple[int, int, int, float]] = []
        for one, start, ticks, rate in zip(self.inputs, self.starts, self.lengths, self.rates, strict=True):
            if start > begin:
                continue
            stops = start + ticks
            entry = self.entries.index(one.state)
            rates[:, entry] += np.where(stops >= end, rate, 0.0)
            inside = np.flatnonzero((stops > begin) & (stops < end) & (rate > 0.0)).tolist()
            late += [(subject, entry, int(stops[subject]), float(rate[subject])) for subject in inside]
        moved = carry(self._carrier(end - begin), np.concatenate([state, rates], axis=1))[:, : self.n_state]
        for subject, entry, stop, speed in late:
            moved[subject] += self._one(subject, entry, stop - begin, end - stop, speed)
        return moved

    def _carrier(self, step: int) -> Float[np.ndarray, "subject row column"]:
        if step not in self.known:
            self.known[step] = positive_exponentials(self.augmented, step=step * self.quantum)
        found = self.known[step]
        self.uses[step] -= 1
        if self.uses[step] <= 0:
            del self.known[step]
        return found

    def _one(self, subject: int, entry: int, running: int, after: int, rate: float) -> Float[np.ndarray, " state"]:
        own = self.augmented[subject : subject + 1]
        given = np.zeros((1, own.shape[1]))
        given[0, self.n_state + entry] = rate
        filled = carry(positive_exponentials(own, step=running * self.quantum), given)
        filled[0, self.n_state :] = 0.0
        return carry(positive_exponentials(own, step=after * self.quantum), filled)[0, : self.n_state]
