"""The seed of every function, command and page that is not given one."""

from typing import Final

__all__ = ["DEFAULT_SEED"]

DEFAULT_SEED: Final = 20260101
