"""Words of regressions: structures of a person's covariance, degrees of freedom, errors."""

from typing import Literal, TypeAlias

Structure: TypeAlias = Literal[
    "unstructured", "compound-symmetry", "heterogeneous-compound-symmetry", "autoregressive",
    "heterogeneous-autoregressive", "toeplitz", "heterogeneous-toeplitz", "ante-dependence",
    "heterogeneous-ante-dependence", "spatial-exponential", "spatial-gaussian",
]  # fmt: skip

Freedom: TypeAlias = Literal["kenward-roger", "kenward-roger-linear", "satterthwaite"]

Errors: TypeAlias = Literal["equal-variance", "hc3"]
