"""Pictures of pages that most readers open first, drawn before anybody asks, into the library (``make pages``).

A page draws for itself what is not here or is of another record.
"""

import json
from pathlib import Path

from remission.files import write_text
from remission.library.closed_links import load_closed_links
from remission.library.explanations import load_explanations
from remission.web.figure import digest_of
from remission.web.language import LANGUAGES
from remission.web.why import picture_name, why_figure

PLACE = Path(__file__).resolve().parent.parent / "src" / "remission" / "library" / "pictures.json"


def pictures() -> dict[str, object]:
    """By name: what it is of, the figure in words and numbers, and its drawing."""
    trial = load_closed_links().protocol
    found = load_explanations()[trial]
    drawn = {picture_name(trial, language): why_figure(found, language) for language in LANGUAGES}
    return {name: {"of": digest_of(found), "figure": one.to_dict(), "svg": str(one.svg)} for name, one in drawn.items()}


def main() -> None:
    """Draw and write."""
    write_text(PLACE, json.dumps(pictures(), ensure_ascii=False, indent=1) + "\n", replace=True)


if __name__ == "__main__":
    main()
