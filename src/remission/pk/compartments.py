"""Linear compartments by name: flows between them, sites that follow them, and what enters.

A flow of rate k from i to j adds ``-k`` to the diagonal of i and ``k`` to the row of j; a flow to nowhere leaves the
system. A follower is not a place but a lagged copy of a concentration: ``F' = k (A/V - F)``. Amounts are ug, rates 1/h.
"""

from collections.abc import Sequence

import numpy as np

from remission.numerics.linear_inputs import LinearInput, simulate_linear_inputs
from remission.shapes import Float

_Subject = Float[np.ndarray, " subject"]


class Compartments:
    """A linear system of one batch of people, built flow by flow.

    ``names``: states, in order. ``n_subject``: people.
    """

    def __init__(self, names: Sequence[str], n_subject: int) -> None:
        self.names = tuple(names)
        self.matrix = np.zeros((n_subject, len(self.names), len(self.names)))
        self.inputs: list[LinearInput] = []

    def flow(self, source: str, target: str | None, rate_per_h: _Subject) -> None:
        """Drain ``source`` into ``target``, or out of the system."""
        origin = self.names.index(source)
        self.matrix[:, origin, origin] -= rate_per_h
        if target is not None:
            self.matrix[:, self.names.index(target), origin] += rate_per_h

    def follow(self, name: str, source: str, rate_per_h: _Subject, volume_l: _Subject) -> None:
        """Let ``name`` follow the concentration in ``source``."""
        row = self.names.index(name)
        self.matrix[:, row, self.names.index(source)] += rate_per_h / volume_l
        self.matrix[:, row, row] -= rate_per_h

    def give(self, name: str, *, start_h: float, amount_ug: _Subject, length_h: _Subject | None = None) -> None:
        """Put an amount into ``name``, all at once or at a constant rate."""
        length = np.zeros_like(amount_ug) if length_h is None else length_h
        self.inputs.append(LinearInput(state=self.names.index(name), start=start_h, amount=amount_ug, length=length))

    def simulate(self, *, t_h: Float[np.ndarray, " time"]) -> dict[str, Float[np.ndarray, "subject time"]]:
        """Every state over time. [ug]; followers [ng/mL]"""
        states = simulate_linear_inputs(self.matrix, inputs=self.inputs, times=t_h)
        return {name: states[:, index, :] for index, name in enumerate(self.names)}
