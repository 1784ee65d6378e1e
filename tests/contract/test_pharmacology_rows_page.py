"""The page of rows is what the code gives; its figures exist; each row is there once."""

import re

import pytest
from validation.pharmacology_rows.__main__ import FIGURES, PAGE, page
from validation.pharmacology_rows.choice import row_sizes, score_of, separated
from validation.pharmacology_rows.predict import clearance_and_volume, predict_row
from validation.pharmacology_rows.score import LIMITS, row_of, verdict

from remission.library.loader import load_parameter_set
from remission.library.observations import list_observed_series, load_observed_series
from remission.pk import load_pk_model


def test_the_page_is_current() -> None:
    """A figure in the docs that the code no longer gives would be a false claim."""
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make pages"


def test_every_row_of_the_dossier_is_data_and_has_a_figure() -> None:
    """V18 is a clearance and a volume, no concentration; a row left out would be a row hidden."""
    rows = {row_of(load_observed_series(name)) for name in list_observed_series()}
    assert rows == {f"V{number}" for number in range(1, 22)} - {"V18"}
    text = PAGE.read_text(encoding="utf-8")
    shown = re.findall(r"\(pharmacology-rows/(v\d\d)\.svg\)", text)
    assert sorted(shown) == sorted({name[:3] for name in list_observed_series()} | {"v18"})
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


@pytest.mark.parametrize(("model_id", "cl", "vss"), [("simons2022", 88.8, 224.6), ("domino1984", 116.0, 193.0)])
def test_clearance_and_volume_are_those_of_the_compartments(model_id: str, cl: float, vss: float) -> None:
    """Areas and moments must give back the sums of volumes that the dossier states."""
    found = clearance_and_volume(model_id)
    assert found[0] == pytest.approx(cl, rel=0.004)
    assert found[1] == pytest.approx(vss, rel=0.01)


def test_a_fitted_row_never_counts_for_its_model() -> None:
    """A model scored on its own study wins by construction."""
    arterial = row_sizes("arterial")
    assert set(arterial["simons2022"]) == {"v10-kamp-s-esketamine", "v11-kamp-r-racemate"}
    assert set(arterial["kamp2020"]) == {"v09-simons-peak-1", "v09-simons-peak-2"}
    held_out = row_sizes("venous")["simons2022"]["v01-zarate-venous"]
    fitted = predict_row(load_observed_series("v01-zarate-venous"), bands=False, models=[load_pk_model()])[0][0]
    assert held_out > abs(float(fitted.errors_percent(load_observed_series("v01-zarate-venous"))[0])) + 1.0


def test_the_rows_do_not_separate_the_default_from_its_rivals() -> None:
    """The decision rests on this: a claim that the default won, or lost, would be false."""
    for site in ("arterial", "venous", "exposure"):
        for other in ("noppers2011", "kamp2020", "fanta2015", "clements1981"):
            found = separated(site, "simons2022", other)
            assert found is None or not found[2], (site, other)
    worse = separated("venous", "simons2022", "hijazi2003")
    assert worse is not None
    assert worse[2]
    assert worse[0] < worse[1]


def test_the_study_error_is_that_of_the_scores() -> None:
    """The number in the library is the score of the page over 0.6745; a score that moves must move it."""
    known = load_parameter_set("band-spread")
    for site in ("arterial", "venous"):
        score = score_of(row_sizes(site)["simons2022"])
        assert score is not None
        assert known.value(f"sd_study_{site}") == pytest.approx(score.percent / 67.45, abs=0.002)
