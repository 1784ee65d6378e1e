"""Whether the model reproduces what is known."""

from remission.door.arguments import opened
from remission.facts import validate as _validate

__all__ = ["validate"]

validate = opened(_validate.validate)
