"""Why is S-norketamine too low against row V12? One change at a time, and what each would have to be.

Usage: ``python -m validation.norketamine`` prints the search. A test holds the library's optional set to it.

The first five times (to 3 h, while the infusion runs) are fitted where a correction is offered; the last four judge it.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from remission.dosing import make_infusions
from remission.library.loader import load_parameter_set
from remission.library.molecules import molar_mass_g_per_mol
from remission.library.observations import load_observed_series
from remission.pk import PkModel, individual_parameters, load_pk_model, simulate_concentrations
from remission.units import ng_per_ml_to_umol_per_l

__all__ = ["N_FITTED", "STANDARD_ERRORS", "Change", "fit_one", "norketamine_errors_percent"]

ROW = "v12-kamp-s-nk-racemate"
N_FITTED = 5
STANDARD_ERRORS = {
    "nk_fraction": None, "nk_cl_l_per_h": 0.04 * 60.0, "nk_v2_l": 13.0, "nk_q_l_per_h": 0.15 * 60.0,
    "nk_mtt_h": 1.0 / 60.0, "v1_l": 0.9, "cl_l_per_h": 0.06 * 60.0, "v2_l": 2.9, "q2_l_per_h": 0.24 * 60.0,
    "v3_l": 11.0, "q3_l_per_h": 0.08 * 60.0,
}  # fmt: skip
"""As the source prints them, in the units of the library; None: fixed by the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one parameter would have to be to fit the row best, and how well it then does."""

    parameter_id: str
    value: float
    factor: float
    standard_errors_away: float | None
    errors_percent: np.ndarray


def norketamine_errors_percent(model: PkModel, *, weight_kg: float = 70.0) -> np.ndarray:
    """(observed - predicted) / predicted at the times of the row; doses are per weight. [percent]"""
    series = load_observed_series(ROW)
    people = individual_parameters(model, weight_kg=np.array([weight_kg]), z_iiv=np.zeros((1, model.n_iiv)))
    events = make_infusions(
        np.array([[one.dose_mg * weight_kg / series.weight_kg for one in series.infusions]]),
        start_h=[one.start_h for one in series.infusions],
        duration_h=[one.duration_h for one in series.infusions],
        form=series.form,
    )
    found = simulate_concentrations(people, events, t_h=np.array(series.t_h), analytes=("s_nk",))
    predicted = ng_per_ml_to_umol_per_l(
        found.select("s_nk", site="arterial")[0], molar_mass_g_per_mol=molar_mass_g_per_mol("s_nk")
    )
    return 100.0 * (np.array(series.values) / predicted - 1.0)


def fit_one(parameter_id: str, *, n_times: int | None = None) -> Change:
    """The value of one parameter that fits the first times best, all by default, in squared logs."""
    typical = load_parameter_set("simons2022").value(parameter_id)
    model = load_pk_model()

    def errors(log_factor: float) -> np.ndarray:
        changed = model.replace_values(**{parameter_id: typical * float(np.exp(log_factor))})
        return norketamine_errors_percent(changed)

    def squares(log_factor: float) -> float:
        return float(np.mean(np.log1p(errors(log_factor)[:n_times] / 100.0) ** 2))

    best = optimize.minimize_scalar(squares, bounds=(-3.0, 3.0), method="bounded", options={"xatol": 5e-4})
    factor = float(np.exp(best.x))
    error = STANDARD_ERRORS[parameter_id]
    return Change(
        parameter_id=parameter_id,
        value=typical * factor,
        factor=factor,
        standard_errors_away=None if error is None else (typical * factor - typical) / error,
        errors_percent=errors(float(best.x)),
    )


if __name__ == "__main__":
    print("as it is", norketamine_errors_percent(load_pk_model()).round(0))
    for weight in (60.0, 90.0):
        print(f"{weight:g} kg", norketamine_errors_percent(load_pk_model(), weight_kg=weight).round(0))
    for name in STANDARD_ERRORS:
        for count in (None, N_FITTED):
            change = fit_one(name, n_times=count)
            mdape = np.median(np.abs(change.errors_percent))
            later = np.median(np.abs(change.errors_percent[N_FITTED:]))
            print(
                f"{name} {count or 'all'}: {change.value:.3f} (x {change.factor:.2f}),",
                f"{change.standard_errors_away} SE,",
                f"MDAPE {mdape:.1f}% later {later:.1f}%",
                change.errors_percent.round(0),
            )
