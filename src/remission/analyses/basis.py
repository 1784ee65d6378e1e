"""Orthonormal bases of many designs at once: the columns that count, in order, by Gram-Schmidt done twice.

With the treatment last its coefficient in the design is its coefficient in the basis divided by what was left of its
column, whatever the columns before it, so a basis serves least squares, logistic and Cox regression alike. A column
that depends on those before it becomes zero and counts for nothing.
"""

from dataclasses import dataclass

import numpy as np

from remission.analyses.estimate import refuse_gaps
from remission.numerics.loops import loop
from remission.numerics.small_systems import sum_of_products
from remission.shapes import Bool, Float, Int

__all__ = ["Basis", "basis_of_one", "independent_terms", "orthonormal_basis"]

_DEPENDENT = 1e-9
"""A column of which a smaller share than this is left beside those before it is taken to depend on them."""


@dataclass(frozen=True, slots=True)
class Basis:
    """Intercept, adjustment, treatment: made orthonormal in this order over the people inside.

    ``columns``: zero where a column depends on those before it, and for people outside. ``is_kept``: whether a column
    has a direction of its own. ``left``: length of what was left of the treatment's column.
    """

    columns: Float[np.ndarray, "replicate term subject"]
    is_kept: Bool[np.ndarray, "replicate term"]
    left: Float[np.ndarray, " replicate"]

    @property
    def rank(self) -> Int[np.ndarray, " replicate"]:
        """Columns that count."""
        return self.is_kept.sum(axis=1)

    @property
    def is_estimable(self) -> Bool[np.ndarray, " replicate"]:
        """Whether anything of the treatment is left beside the others."""
        return self.is_kept[:, -1]


def orthonormal_basis(
    inside: Bool[np.ndarray, "replicate subject"],
    treated: Bool[np.ndarray, "replicate subject"],
    adjust: Float[np.ndarray, "replicate term subject"],
) -> Basis:
    """The basis of each replicate's design. ``inside``: who is analyzed; ``adjust``: any number of others.

    Raises SpecError: somebody who is analyzed lacks a number of the adjustment.
    """
    weight = inside[:, None, :].astype(np.float64)
    refuse_gaps("adjust", adjust, inside[:, None, :])
    known = np.where(inside[:, None, :], adjust, 0.0)
    stack = np.concatenate([weight, known, treated[:, None, :] * weight], axis=1)
    kept = np.zeros(stack.shape[:2], dtype=np.bool_)
    left = np.zeros(stack.shape[0])
    _make_orthonormal(stack, kept, left)
    return Basis(stack, kept, left)


@loop
def _make_orthonormal(stack, kept, left):
    """Columns in the place of those given; their sums in a fixed order."""
    n = stack.shape[2]
    for r in range(stack.shape[0]):
        for j in range(stack.shape[1]):
            column = stack[r, j]
            length = np.sqrt(sum_of_products(column, column))
            for _ in range(2):
                for k in range(j):
                    before = stack[r, k]
                    share = sum_of_products(column, before)
                    for i in range(n):
                        column[i] -= share * before[i]
            rest = np.sqrt(sum_of_products(column, column))
            kept[r, j] = rest > _DEPENDENT * length
            left[r] = rest
            for i in range(n):
                column[i] = column[i] / rest if kept[r, j] else 0.0


def basis_of_one(treated: Bool[np.ndarray, " subject"], adjust: Float[np.ndarray, "subject term"]) -> Basis:
    """The basis of one replicate in which everybody is analyzed."""
    everyone = np.ones((1, treated.size), dtype=np.bool_)
    return orthonormal_basis(everyone, treated[None], np.ascontiguousarray(adjust.T)[None])


def independent_terms(
    treated: Bool[np.ndarray, " subject"], adjust: Float[np.ndarray, "subject term"]
) -> tuple[Float[np.ndarray, "subject kept"], bool]:
    """The columns of the adjustment that depend on no other, and whether the treatment has a direction beside them.

    ``adjust``: a column may repeat another, or an intercept.
    """
    if adjust.shape[1] == 0:
        return adjust, True
    found = basis_of_one(treated, adjust)
    return adjust[:, found.is_kept[0, 1:-1]], bool(found.is_estimable[0])
