"""The refusal of a kind that a formula does not know: no kind falls through to the formula of another."""

from remission.errors import SpecError
from remission.records.endpoint import Endpoint

__all__ = ["no_formula"]


def no_formula(endpoint: Endpoint) -> SpecError:
    """What is raised at the end of every choice between kinds."""
    return SpecError(
        where=f"endpoint {endpoint.id}",
        got=endpoint.kind,
        allowed="a kind whose formula is known here",
        remedy="A new kind needs its formula in remission.endpoints, beside its facts.",
    )
