"""What trials receive from kinetics, compiled, is what the readable functions give, bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
from reference_kinetics import effect_site_quadrature, reference_peak

from remission.pk import PkIndividuals, effect_site_peak, individual_parameters, load_pk_model, saturated_hours
from remission.receptor import saturation
from remission.records.analyte import Analyte

N = 300  # two whole blocks and a part
C50 = 150.0


def _usual() -> PkIndividuals:
    generator = np.random.default_rng(31)
    weight, z = generator.uniform(45.0, 130.0, N), generator.normal(size=(N, 8))
    return individual_parameters(load_pk_model(), weight_kg=weight, z_iiv=z)


def _odd() -> PkIndividuals:
    """Bodies far from the default, where branches are taken that usual people never take."""
    generator = np.random.default_rng(32)
    cl = np.exp(generator.uniform(-4.0, 7.0, N))
    return replace(
        _usual(),
        cl_l_per_h=np.stack([cl, cl]),
        v1_l=np.exp(generator.uniform(-3.0, 6.0, N)),
        v_l=np.exp(generator.uniform(-3.0, 7.0, (2, N))),
        q_l_per_h=np.exp(generator.uniform(-4.0, 8.0, (2, N))),
        ke0_per_h=np.exp(generator.uniform(-6.0, 8.0, N)),
    )


PEOPLE = {"usual": _usual(), "odd": _odd()}


@pytest.mark.parametrize("people", PEOPLE.values(), ids=PEOPLE)
@pytest.mark.parametrize(
    ("duration_h", "horizon_h"), [(2 / 3, 24.0), (0.001, 24.0), (4.0, 24.0), (24.0, 24.0), (2.0, 0.5)]
)
def test_the_integral_is_the_sum_over_the_nodes(people: PkIndividuals, duration_h: float, horizon_h: float) -> None:
    """One bit of exposure can move a day of use, and with it every golden number of a trial."""
    session = {"dose_mg": 0.8 * people.weight_kg, "duration_h": duration_h, "s_fraction": 0.5, "horizon_h": horizon_h}
    expected = np.zeros(N)
    for panel in effect_site_quadrature(people, **session):  # type: ignore[arg-type]
        effect = saturation(panel.conc_ng_per_ml, c50_ng_per_ml=C50)
        for weight_h, at_node in zip(panel.weight_h.tolist(), effect, strict=True):
            expected = expected + weight_h * at_node
    found = saturated_hours(people, **session, c50_ng_per_ml=C50)  # type: ignore[arg-type]
    assert np.array_equal(found, expected)
    assert np.all(found > 0.0)


@pytest.mark.parametrize("people", PEOPLE.values(), ids=PEOPLE)
@pytest.mark.parametrize("duration_h", [0.001, 2 / 3, 10.0])
@pytest.mark.parametrize("analyte", [Analyte.S_KET, Analyte.R_KET])
def test_the_peak_is_that_of_the_readable_search(people: PkIndividuals, duration_h: float, analyte: Analyte) -> None:
    """The search takes another number of steps for each person; the compiled one must stop where the other stops."""
    session = {"dose_mg": 0.8 * people.weight_kg, "duration_h": duration_h, "s_fraction": 0.4, "analyte": analyte}
    found, expected = effect_site_peak(people, **session), reference_peak(people, **session)  # type: ignore[arg-type]
    assert np.array_equal(found, expected)


def test_no_bit_depends_on_the_others() -> None:
    """A trial's chunks must not move anyone."""
    people = PEOPLE["odd"]
    dose = 0.8 * people.weight_kg
    for rows in (slice(0, 1), slice(63, 66), slice(150, 200)):
        some = people.take(rows)
        alone = saturated_hours(
            some, dose_mg=dose[rows], duration_h=0.5, s_fraction=0.5, horizon_h=24.0, c50_ng_per_ml=C50
        )
        together = saturated_hours(
            people, dose_mg=dose, duration_h=0.5, s_fraction=0.5, horizon_h=24.0, c50_ng_per_ml=C50
        )
        assert np.array_equal(alone, together[rows])
        peaks = [
            effect_site_peak(group, dose_mg=mg, duration_h=0.5, s_fraction=0.5, analyte=Analyte.S_KET)
            for group, mg in ((some, dose[rows]), (people, dose))
        ]
        assert np.array_equal(peaks[0], peaks[1][rows])
