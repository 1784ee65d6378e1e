"""The page of rows is what the code gives; its figures exist; each row is there once."""

import re

from validation.pharmacology_rows.__main__ import FIGURES, PAGE, page
from validation.pharmacology_rows.predict import predict_row
from validation.pharmacology_rows.score import LIMITS, row_of, verdict

from remission.library.observations import list_observed_series, load_observed_series


def test_the_page_is_current() -> None:
    """A figure in the docs that the code no longer gives would be a false claim."""
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m validation.pharmacology_rows"


def test_every_row_of_the_dossier_is_data_and_has_a_figure() -> None:
    """V18 is a clearance and a volume and stands on the page before; a row left out would be a row hidden."""
    rows = {row_of(load_observed_series(name)) for name in list_observed_series()}
    assert rows == {f"V{number}" for number in range(1, 20)} - {"V18"}
    text = PAGE.read_text(encoding="utf-8")
    shown = re.findall(r"\(pharmacology-rows/(v\d\d)\.svg\)", text)
    assert shown == sorted({name[:3] for name in list_observed_series()})
    assert {path.name for path in FIGURES.glob("*.svg")} == {f"{row}.svg" for row in shown}


def test_limits_that_are_broken_say_so() -> None:
    """Clements after a fast injection is off fourfold: a scorecard that cannot say FAIL is worth nothing."""
    series = load_observed_series("v14-iv-10mg-peak")
    found = {one.model_id: verdict(series, one) for one in predict_row(series, bands=False)[0]}
    assert found["clements1981"] == "FAIL"
    assert found["simons2022"] == "pass"
    assert all(limit.why for limit in LIMITS.values())


def test_what_supports_nothing_gets_no_verdict() -> None:
    """A secondary row with a tick beside it would be used as support."""
    shown = load_observed_series("v19-kare-two-hours")
    both = load_observed_series("v16-iv-10mg-nk")
    for series in (shown, both):
        assert not [verdict(series, one) for one in predict_row(series, bands=False)[0] if verdict(series, one)]
