"""The arm vein: its fit, its uncertainty, its curves, and the norketamine option beside them."""

import inspect

import numpy as np
import pytest
from validation.norketamine import N_FITTED, fit_one, norketamine_errors_percent
from validation.pharmacology_rows.score import LIMITS
from validation.venous_link import HASAN, ZARATE, fit_link, link_errors_percent

from remission.dosing import make_infusions
from remission.errors import LibraryError, SpecError
from remission.library.loader import load_parameter_set
from remission.patient.pharmacology import load_pharmacology
from remission.patient.sampling import sample_venous_links
from remission.pk import (
    VenousLinks,
    draw_venous_links,
    individual_parameters,
    load_pk_model,
    simulate_concentrations,
    simulate_venous_concentrations,
    with_slow_norketamine,
)
from remission.session.curves import simulate_session_curves
from remission.streams import People

LINKS = load_parameter_set("sampling-links")
MODEL = load_pk_model()
EVENTS = make_infusions(np.full((3, 1), 35.0), start_h=[0.0], duration_h=[2 / 3])
PEOPLE = individual_parameters(MODEL, weight_kg=np.array([60.0, 70.0, 90.0]), z_iiv=np.zeros((3, 8)))
T_H = np.array([0.0, 0.25, 2 / 3, 1.0, 4.0])


def test_the_library_holds_the_fit() -> None:
    """Numbers of the library that nobody can make again are numbers from nowhere."""
    fit = fit_link((*HASAN, *ZARATE))
    assert LINKS.value("venous_fast_fraction") == pytest.approx(fit.fast_fraction, abs=6e-4)
    assert LINKS.value("venous_rate_per_h") == pytest.approx(fit.rate_per_h, abs=6e-4)
    spread = np.sqrt(np.diag(fit.covariance))
    assert LINKS.value("venous_fast_logit_sd") == pytest.approx(spread[0], abs=6e-4)
    assert LINKS.value("venous_rate_log_sd") == pytest.approx(spread[1], abs=6e-4)
    assert LINKS.value("venous_correlation") == pytest.approx(fit.correlation, abs=6e-4)


def test_each_study_is_predicted_by_the_other() -> None:
    """The limit was written down before the numbers: 25%, on values the fit has not seen."""
    limit = LIMITS["venous_held_out"].at_most
    assert limit is not None
    hasan = fit_link(HASAN)
    assert np.median(np.abs(link_errors_percent(ZARATE, hasan.fast_fraction, hasan.rate_per_h))) <= limit
    zarate = fit_link(ZARATE, rate_per_h=1.0)
    assert np.median(np.abs(link_errors_percent(HASAN, zarate.fast_fraction, 1.0))) <= limit


def test_without_doubt_the_curve_is_the_default_one() -> None:
    """Zeros give the point curve to rounding, so a band never lies beside its own line."""
    plain = simulate_concentrations(PEOPLE, EVENTS, t_h=T_H, analytes=("ket", "s_ket"), sites=("venous",))
    drawn = simulate_venous_concentrations(
        PEOPLE, EVENTS, t_h=T_H, analytes=("ket", "s_ket"), venous=draw_venous_links(np.zeros((3, 2)), links=LINKS)
    )
    assert drawn.series == plain.series
    assert drawn.conc_ng_per_ml == pytest.approx(plain.conc_ng_per_ml, rel=1e-12, abs=1e-12)


def test_each_person_has_a_link_of_their_own() -> None:
    """f = 1 is the artery, a slow f = 0 is far below it while the infusion runs."""
    rate = LINKS.value("venous_rate_per_h")
    venous = VenousLinks(fast_fraction=np.array([1.0, 0.5, 0.0]), rate_per_h=np.full(3, rate))
    found = simulate_venous_concentrations(PEOPLE, EVENTS, t_h=T_H, venous=venous).select("ket", site="venous")
    artery = simulate_concentrations(PEOPLE, EVENTS, t_h=T_H).select("ket", site="arterial")
    assert found[0] == pytest.approx(artery[0], rel=1e-14)
    assert found[2, 2] < found[1, 2] < artery[2, 2]


def test_draws_follow_the_covariance_of_the_fit() -> None:
    """A correlation of the wrong sign would make bands a third wider; four standard errors, fixed seed."""
    n = 40_000
    z = np.random.default_rng(1).normal(size=(n, 2))
    venous = draw_venous_links(z, links=LINKS)
    columns = np.stack([np.log(venous.fast_fraction / (1.0 - venous.fast_fraction)), np.log(venous.rate_per_h)])
    spread = columns.std(axis=1)
    expected = np.array([LINKS.value("venous_fast_logit_sd"), LINKS.value("venous_rate_log_sd")])
    assert spread == pytest.approx(expected, rel=4.0 / np.sqrt(2.0 * n))
    rho = LINKS.value("venous_correlation")
    assert np.corrcoef(columns)[0, 1] == pytest.approx(rho, abs=4.0 * (1.0 - rho**2) / np.sqrt(n))


def test_the_vein_has_the_area_of_the_artery() -> None:
    """A link that made or lost drug would move clearance."""
    t_h = np.linspace(0.0, 96.0, 20_001)
    found = simulate_concentrations(PEOPLE, EVENTS, t_h=t_h, sites=("arterial", "venous"))
    areas = [np.trapezoid(found.select("ket", site=site), t_h, axis=1) for site in ("arterial", "venous")]
    assert areas[1] == pytest.approx(areas[0], rel=1e-4)


@pytest.mark.parametrize(
    "changes", [{"venous_correlation": -1.5}, {"venous_fast_logit_sd": -0.1}, {"venous_rate_log_sd": float("nan")}]
)
def test_a_spread_that_is_none_is_refused(changes: dict[str, float]) -> None:
    """Square roots of negative numbers would be NaN in every curve."""
    with pytest.raises(SpecError):
        draw_venous_links(np.zeros((1, 2)), links=LINKS.replace_values(**changes))


def test_what_has_no_vein_is_refused() -> None:
    """A venous model needs no link; links for other people are a mistake upstream."""
    clements = load_pk_model("clements1981")
    people = individual_parameters(clements, weight_kg=np.full(3, 70.0), z_iiv=np.zeros((3, 0)))
    venous = draw_venous_links(np.zeros((3, 2)), links=LINKS)
    with pytest.raises(SpecError) as caught:
        simulate_venous_concentrations(people, EVENTS, t_h=T_H, venous=venous)
    assert "clements1981" in str(caught.value)
    fewer = draw_venous_links(np.zeros((2, 2)), links=LINKS)
    with pytest.raises(SpecError):
        inspect.unwrap(simulate_venous_concentrations)(PEOPLE, EVENTS, t_h=T_H, venous=fewer)
    with pytest.raises(SpecError):
        draw_venous_links(np.array([[np.inf, 0.0]]), links=LINKS)


def test_the_optional_norketamine_is_the_fit_and_holds_on_times_it_has_not_seen() -> None:
    """Fitted to 3 h, judged on 3.08 to 5 h, against the limit that was written down before."""
    limit = LIMITS["norketamine_held_out"].at_most
    assert limit is not None
    slow = with_slow_norketamine(MODEL)
    fitted = fit_one("nk_cl_l_per_h", n_times=N_FITTED)
    assert slow.parameter_set.value("nk_cl_l_per_h") == pytest.approx(fitted.value, abs=0.05)
    assert np.median(np.abs(norketamine_errors_percent(slow)[N_FITTED:])) <= limit
    assert fitted.standard_errors_away is not None
    assert fitted.standard_errors_away < -10.0


def test_the_optional_norketamine_is_no_default_and_leaves_ketamine_alone() -> None:
    """An option that crept into the default would move what people see; one that moved ketamine would move trials."""
    assert MODEL.parameter_set.value("nk_cl_l_per_h") == 60.0
    changed = with_slow_norketamine(MODEL)
    people = individual_parameters(changed, weight_kg=np.array([60.0, 70.0, 90.0]), z_iiv=np.zeros((3, 8)))
    found = simulate_concentrations(people, EVENTS, t_h=T_H, sites=("arterial", "effect"))
    plain = simulate_concentrations(PEOPLE, EVENTS, t_h=T_H, sites=("arterial", "effect"))
    np.testing.assert_array_equal(found.conc_ng_per_ml, plain.conc_ng_per_ml)
    with pytest.raises(LibraryError):
        with_slow_norketamine(load_pk_model("noppers2011"))


def test_people_get_links_at_addresses_and_a_session_draws_them() -> None:
    """One more person moves nobody's link, and a link moves the vein alone."""
    few, more = (
        sample_venous_links(People.of_replicates(seed=3, first=0, count=1, n_subjects=n), links=LINKS) for n in (2, 3)
    )
    np.testing.assert_array_equal(few.fast_fraction, more.fast_fraction[:2])
    np.testing.assert_array_equal(few.rate_per_h, more.rate_per_h[:2])
    arguments = {
        "dose_mg_per_kg": 0.5, "duration_h": 2 / 3, "t_h": T_H, "weight_kg": np.full(3, 70.0),
        "z_iiv": np.zeros((3, 8)), "z_pressure": np.zeros((3, 2)), "sbp0_mmhg": np.full(3, 120.0),
        "dbp0_mmhg": np.full(3, 75.0), "pharmacology": load_pharmacology(),
    }  # fmt: skip
    plain = simulate_session_curves(**arguments).concentrations  # type: ignore[arg-type]
    drawn = simulate_session_curves(**arguments, venous=more).concentrations  # type: ignore[arg-type]
    for site in ("arterial", "effect"):
        np.testing.assert_array_equal(plain.select("ket", site=site), drawn.select("ket", site=site))
    venous = drawn.select("ket", site="venous")[:, 2]
    assert len(set(venous.tolist())) == 3
    assert len(set(plain.select("ket", site="venous")[:, 2].tolist())) == 1
