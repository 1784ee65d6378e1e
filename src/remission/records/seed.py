"""The seed of every function, command and page that is not given one."""

from typing import Final

DEFAULT_SEED: Final = 20260101
