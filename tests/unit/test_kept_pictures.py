"""Pictures that were drawn before anybody asked are those that the program would draw now."""

import json

import pytest
from validation.kept_pictures import PLACE, pictures

from remission.library.explanations import load_explanations
from remission.web.figure import kept_figure
from remission.web.why import picture_name, why


def test_the_kept_pictures_are_those_of_this_program() -> None:
    """A picture of yesterday's numbers beside today's sentences would be worse than a wait; make pages draws again."""
    assert json.loads(PLACE.read_text("utf-8")) == json.loads(json.dumps(pictures()))


def test_a_picture_of_another_record_is_not_shown() -> None:
    """Explanations are computed anew by another command than pictures."""
    known = load_explanations()
    found = known["kare"]
    name = picture_name("kare", "en")
    assert kept_figure(name, of=found) is not None
    assert kept_figure(name, of=found.model_copy(update={"n_draws": found.n_draws + 1})) is None
    assert kept_figure("why-nothing", of=found) is None


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_story_has_the_kept_picture(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first reader of /learn waits for no drawing."""
    why.cache_clear()

    def drawn(*_: object) -> None:
        raise AssertionError("drawn for a reader")

    monkeypatch.setattr("remission.web.why.why_figure", drawn)
    found = why("kare", language)
    assert found is not None
    assert "<svg" in str(found.figure.svg)
    why.cache_clear()
