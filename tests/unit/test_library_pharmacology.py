"""The sourced numbers of pharmacology: units, sources, and arithmetic that was done by hand."""

import math
from pathlib import Path

import pytest

from remission.errors import LibraryError, SpecError
from remission.library import loader
from remission.library.loader import list_parameter_sets, load_parameter_set, read_library_toml
from remission.library.molecules import molar_mass_g_per_mol, racemate_s_fraction
from remission.library.observations import ObservedSeries, list_observed_series, load_observed_series
from remission.library.references import list_references, load_reference, sources_of
from remission.pk import load_pk_model
from remission.pk.peak_time import ka_from_tmax_per_h
from remission.units import convert

ATOMIC = {"C": 12.011, "H": 1.008, "Cl": 35.45, "N": 14.007, "O": 15.999}

PRINTED = [
    (name, parameter.id)
    for name in list_parameter_sets()
    for parameter in load_parameter_set(name).parameters
    if parameter.printed_unit is not None
]


@pytest.mark.parametrize(("name", "parameter_id"), PRINTED)
def test_the_canonical_value_is_the_printed_one_converted(name: str, parameter_id: str) -> None:
    """L/min taken for L/h would be a sixtyfold error that still gives a plausible curve."""
    parameter = load_parameter_set(name)[parameter_id]
    assert parameter.printed_value is not None
    assert parameter.printed_unit is not None
    converted = convert(parameter.printed_value, parameter.printed_unit, parameter.unit)
    # One rounding of a decimal fraction on each side.
    assert parameter.value == pytest.approx(converted, rel=4e-16, abs=0.0)


def test_printed_values_exist_for_every_rate_per_minute() -> None:
    """If the check above had nothing to check it would pass in silence."""
    assert {name for name, _ in PRINTED} >= {"simons2022", "domino1984", "clements1981", "sampling-links"}
    assert len(PRINTED) >= 20


@pytest.mark.parametrize("name", list_parameter_sets())
def test_every_number_has_a_source_that_exists(name: str) -> None:
    """A number without a source is an invention."""
    for parameter in load_parameter_set(name).parameters:
        assert load_reference(parameter.source).title


@pytest.mark.parametrize("name", list_observed_series())
def test_every_observation_has_a_source_that_exists(name: str) -> None:
    """A validation row without a source validates nothing."""
    assert load_reference(load_observed_series(name).source).title


@pytest.mark.parametrize(
    ("analyte", "formula"),
    [
        ("ket", {"C": 13, "H": 16, "Cl": 1, "N": 1, "O": 1}),
        ("s_nk", {"C": 12, "H": 14, "Cl": 1, "N": 1, "O": 1}),
        ("s_hnk", {"C": 12, "H": 14, "Cl": 1, "N": 1, "O": 2}),
    ],
)
def test_molar_masses_are_sums_of_atoms(analyte: str, formula: dict[str, int]) -> None:
    """The masses turn ketamine equivalents into metabolite concentrations."""
    expected = sum(ATOMIC[atom] * count for atom, count in formula.items())
    # Two decimals are printed.
    assert molar_mass_g_per_mol(analyte) == pytest.approx(expected, abs=0.006)


def test_a_racemate_is_half_and_half() -> None:
    """The split of a dose between enantiomers is a definition, not an estimate."""
    assert racemate_s_fraction() == 0.5


def test_an_unknown_set_lists_the_nearest() -> None:
    """A misspelt model name should cost seconds."""
    with pytest.raises(LibraryError) as caught:
        load_parameter_set("simmons2022")
    assert "simons2022" in caught.value.remedy


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """A broken installation must not look like a fault of the user's protocol."""
    broken = tmp_path / "broken.toml"
    broken.write_text("id = ", encoding="utf-8")
    with pytest.raises(LibraryError) as caught:
        read_library_toml(broken)
    assert "broken.toml" in caught.value.where
    with pytest.raises(LibraryError):
        read_library_toml(tmp_path / "absent.toml")


def test_a_set_under_another_name_is_refused() -> None:
    """A copied file whose id was not changed would be recorded under the wrong name."""
    content = load_parameter_set("molecules").to_dict()
    with pytest.raises(LibraryError) as caught:
        loader._parse("atoms", content)
    assert caught.value.got == "molecules"
    with pytest.raises(LibraryError):
        loader._parse("molecules", {**content, "parameters": []})


def test_an_unknown_analyte_lists_the_nearest() -> None:
    """S and R are easily swapped; a typo must not fall through."""
    with pytest.raises(SpecError) as caught:
        molar_mass_g_per_mol("s-ket")
    assert "s_ket" in caught.value.remedy


def test_an_unknown_reference_or_series_lists_the_nearest() -> None:
    """As for parameter sets."""
    with pytest.raises(LibraryError) as caught:
        load_reference("simons22")
    assert "simons2022" in caught.value.remedy
    with pytest.raises(LibraryError) as caught:
        load_observed_series("v10-kamp")
    assert "v10-kamp-s-esketamine" in caught.value.remedy


def test_sources_are_listed_once_and_without_our_own_assumptions() -> None:
    """The list of sources in a report is for papers."""
    keys = [reference.key for reference in sources_of(*(load_parameter_set(name) for name in list_parameter_sets()))]
    assert keys == sorted(set(keys))
    assert "simons2022" in keys
    assert "remission" not in keys
    assert set(keys) <= set(list_references())


def test_a_reference_reads_as_a_sentence() -> None:
    """Reports print this text."""
    text = load_reference("clements1981").text
    assert text.startswith("Clements, Nimmo (1981).")
    assert text.endswith("https://doi.org/10.1093/bja/53.1.27")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"values": [1.0]}, "observedseries.values"),
        ({"t_h": [2.0, 1.0]}, "observedseries.t_h"),
        ({"values": [], "low": []}, "observedseries.values"),
    ],
)
def test_a_damaged_series_is_refused(changes: dict[str, object], where: str) -> None:
    """Times and values out of step would shift a curve against its data."""
    good = load_observed_series("v09-simons-peak-1").to_dict()
    two = {"t_h": [1.0, 2.0], "values": [1.0, 2.0], "low": [0.5, 1.0], "high": [2.0, 3.0]}
    with pytest.raises(SpecError) as caught:
        ObservedSeries.from_dict({**good, **two, **changes})
    assert where in [fault.where for fault in caught.value.faults]


ROUTES = load_parameter_set("routes")


@pytest.mark.parametrize(
    ("product", "sd_h", "mean_h"),
    [("sublingual-chong2006", 0.51, 0.76), ("sublingual-lozenge", 0.51, 0.76), ("oral-chong2006", 0.8, 0.96)],
)
def test_the_spread_of_a_rate_is_that_of_the_printed_peak(product: str, sd_h: float, mean_h: float) -> None:
    """A slip of arithmetic in a note stays for ever if nothing computes it again."""
    spread = math.sqrt(math.log1p((sd_h / mean_h) ** 2))
    assert ROUTES.value(f"sd_log_ka.{product}") == pytest.approx(spread, abs=0.005)


@pytest.mark.parametrize(
    ("product", "cv"), [("oral-chong2006", 0.09 / 0.23), ("sublingual-chong2006", 0.17 / 0.32),
                        ("nasal-pmc9118341", math.log(1.90))]
)  # fmt: skip
def test_the_spread_of_bioavailability_is_on_the_logit_scale(product: str, cv: float) -> None:
    """The SD of the log of F is not that of its logit: they differ by 1 - F, and a band would be too narrow."""
    spread = cv / (1.0 - ROUTES.value(f"f.{product}"))
    assert ROUTES.value(f"sd_logit_f.{product}") == pytest.approx(spread, abs=0.005)


@pytest.mark.parametrize("product", ["im-quoted", "sc-none", "sublingual-lozenge"])
def test_the_ends_of_a_stated_rate_hold_nine_in_ten(product: str) -> None:
    """Median, ends and spread are one distribution written three times."""
    rate, spread = ROUTES[f"ka_per_h.{product}"], ROUTES.value(f"sd_log_ka.{product}")
    assert rate.low is not None
    assert rate.high is not None
    assert math.log(rate.high / rate.low) / 3.29 == pytest.approx(spread, abs=0.01)
    assert math.sqrt(rate.low * rate.high) == pytest.approx(rate.value, rel=0.02)


def test_the_rate_from_muscle_holds_the_quoted_times_of_the_peak() -> None:
    """Both ends of what is quoted, 5 to 20 min; leaving the slow end out makes every peak higher and surer."""
    rate, model = ROUTES["ka_per_h.im-quoted"], load_pk_model()
    ends = [ka_from_tmax_per_h(model, minutes / 60.0) for minutes in (20.0, 5.0)]
    assert [rate.low, rate.high] == pytest.approx(ends, abs=0.05)


@pytest.mark.parametrize(
    ("name", "parameter_id", "grade"),
    [
        ("nmda-binding", "fu", "derived"), ("band-spread", "sd_arterial", "derived"),
        ("interaction-ratios", "cl_ratio.cyp2b6-6-one", "unverified"),
        ("interaction-ratios", "cl_ratio.cyp2b6-6-two", "unverified"),
        ("dosing-limits", "label_rate_mg_per_kg_per_min", "unverified"),
        ("perezruixo2021", "population_weight_kg", "unverified"), ("perezruixo2021", "population_age_y", "unverified"),
        ("routes", "dose_mg.nasal-s-spray", "unverified"), ("routes", "dose_mg.oral-s-solution", "unverified"),
        ("simons2022-occasions", "omega2_iov_hnk_v2", "unverified"),
        ("simons2022-occasions", "omega2_iov_hnk_cl", "unverified"),
    ],
)  # fmt: skip
def test_what_was_computed_or_read_second_hand_is_not_called_measured(name: str, parameter_id: str, grade: str) -> None:
    """A grade too high is a claim that somebody measured it."""
    assert load_parameter_set(name)[parameter_id].grade.value == grade


def test_concentrations_of_a_news_summary_do_not_cite_the_paper() -> None:
    """Citing the trial's own report for what a summary printed says that the report was read for it."""
    series = load_observed_series("v19-kare-two-hours")
    assert series.source == "kare_levels"
    assert "Second-hand" in load_reference(series.source).note
