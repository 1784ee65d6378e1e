"""The reader's language, from the first part of the address, and the texts in it."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import tomli
from fastapi import Request

Language = str
"""``en`` or ``es``; English addresses have no prefix."""

LANGUAGES: Mapping[Language, str] = {"en": "English", "es": "Español"}


def language_of(request: Request) -> Language:
    """The language of an address: ``/es/journey`` is Spanish, ``/journey`` English."""
    first = request.url.path.split("/")[1]
    return first if first in LANGUAGES and first != "en" else "en"


def path_in(path: str, language: Language) -> str:
    """The address of a page in another language; ``path`` is the English one."""
    return path if language == "en" else f"/{language}{path}".removesuffix("/")


@cache
def load_text(language: Language, name: str) -> Mapping[str, Any]:
    """The texts of one page, ``text/<language>/<name>.toml``; every language has the same keys (a test)."""
    return tomli.loads(files("remission.web").joinpath("text", language, f"{name}.toml").read_text(encoding="utf-8"))
