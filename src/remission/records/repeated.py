"""Words of mixed models for repeated measures: structures of a person's covariance, degrees of freedom."""

from typing import Literal, TypeAlias

__all__ = ["Freedom", "Structure"]

Structure: TypeAlias = Literal[
    "unstructured", "compound-symmetry", "heterogeneous-compound-symmetry", "autoregressive",
    "heterogeneous-autoregressive", "toeplitz", "heterogeneous-toeplitz", "ante-dependence",
    "heterogeneous-ante-dependence", "spatial-exponential", "spatial-gaussian",
]  # fmt: skip

Freedom: TypeAlias = Literal["kenward-roger", "kenward-roger-linear", "satterthwaite"]
