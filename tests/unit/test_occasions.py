"""Another day, another measurement: variability between occasions and residual error."""

from typing import Any

import numpy as np
import pytest

from remission.errors import SpecError
from remission.patient.occasions import sample_iov
from remission.pk import Concentrations, load_pk_model, simulate_doses
from remission.pk.occasions import iov_names, load_occasions
from remission.records.dose import Dose
from remission.streams import People

MODEL = load_pk_model()
OCCASIONS = load_occasions(MODEL)
NAMES = iov_names(OCCASIONS)
FILM = Dose.create(route="film", dose="50 mg", form="esketamine")
VEIN = Dose.create(route="iv_infusion", dose="0.5 mg/kg", duration="40 min")


def run(dose: Dose, analytes: Any = ("s_ket",), n: int = 2, **more: Any) -> Concentrations:
    return simulate_doses(
        MODEL,
        [dose],
        weight_kg=np.full(n, 70.0),
        z_iiv=np.zeros((n, 8)),
        t_h=np.array([0.5, 1.0, 4.0]),
        analytes=analytes,
        **more,
    )


def test_the_mean_occasion_is_the_person() -> None:
    """Zeros must change no bit, or every old number would move."""
    for dose in (FILM, VEIN):
        plain = run(dose, ("s_ket", "s_nk", "s_hnk"))
        zero = run(dose, ("s_ket", "s_nk", "s_hnk"), z_iov=np.zeros((2, len(NAMES))))
        assert np.array_equal(plain.conc_ng_per_ml, zero.conc_ng_per_ml)


def test_nothing_is_printed_for_clearance_and_a_sensitivity_value_has_a_place() -> None:
    """An invented spread between days would be taken for a finding."""
    z = np.zeros((2, len(NAMES)))
    z[:, NAMES.index("cl")] = [1.0, -1.0]
    assert np.array_equal(run(VEIN, z_iov=z).conc_ng_per_ml, run(VEIN).conc_ng_per_ml)
    wide = run(VEIN, z_iov=z, occasions=OCCASIONS.replace_values(omega2_iov_cl=0.02)).select("s_ket", site="arterial")
    assert np.all(wide[0] < wide[1])


def test_each_factor_acts_where_it_belongs() -> None:
    """F1 scales what the mucosa takes up; the film's factors leave an infusion alone."""
    z = np.zeros((2, len(NAMES)))
    z[1, NAMES.index("f1")] = 1.0
    film = run(FILM, z_iov=z).select("s_ket", site="arterial")
    assert film[1] == pytest.approx(film[0] * np.exp(np.sqrt(0.060)), rel=1e-12)
    everything = np.ones((2, len(NAMES)))
    assert np.array_equal(run(VEIN, z_iov=everything).conc_ng_per_ml, run(VEIN).conc_ng_per_ml)
    metabolite = [run(VEIN, ("s_nk",), z_iov=one).conc_ng_per_ml for one in (everything, 0 * everything)]
    assert np.all(metabolite[0] != metabolite[1])


def test_the_film_of_one_person_varies_as_printed() -> None:
    """Mean of log F1 and its variance over drawn occasions: a standard deviation for a variance would show."""
    people = People.of_replicates(seed=3, first=0, count=1, n_subjects=400)
    z = np.concatenate([sample_iov(people, n_iov=len(NAMES), occasion=day) for day in range(3)])
    logs = np.sqrt(OCCASIONS.value("omega2_iov_f1")) * z[:, NAMES.index("f1")]
    # k = 4 standard errors of a mean and of a variance, n = 1200.
    assert abs(logs.mean()) < 4 * np.sqrt(0.06 / logs.size)
    assert abs(logs.var() - 0.06) < 4 * 0.06 * np.sqrt(2 / logs.size)


def test_occasions_have_addresses() -> None:
    """Another session, another person or another parameter must move nobody's draws."""
    few = People.of_replicates(seed=3, first=0, count=1, n_subjects=3)
    many = People.of_replicates(seed=3, first=0, count=1, n_subjects=9)
    assert np.array_equal(sample_iov(few, n_iov=11, occasion=2), sample_iov(many, n_iov=30, occasion=2)[:3, :11])
    assert not np.any(sample_iov(few, n_iov=11, occasion=2) == sample_iov(few, n_iov=11, occasion=3))
    assert sample_iov(few, n_iov=0, occasion=0).shape == (3, 0)


def test_models_without_printed_variances_have_clearance_alone() -> None:
    """The place for a sensitivity analysis exists for every mammillary model."""
    assert iov_names(load_occasions(load_pk_model("clements1981"))) == ("cl",)
    with pytest.raises(SpecError) as caught:
        run(VEIN, z_iov=np.zeros((2, 3)))
    assert caught.value.where == "z_iov"
