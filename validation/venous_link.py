"""Fit the link from arterial plasma to the arm vein to published venous values.

Usage: ``python -m validation.venous_link`` prints the fit. A test computes it again and holds the library to it.

Eight values: Hasan's Cmax of S and R at 0.5 h and S at 1 to 8 h (rows V7, V8), and Zarate's ketamine at 40 min (V1).
Left out: the apex of the digitised curve, 30% below the same study's own Cmax, and its 12 and 24 h, where the default
disposition itself has no such tail. Hasan's people get their own printed clearance.
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from remission.dosing import make_infusions
from remission.library.observations import ObservedSeries, load_observed_series
from remission.pk import PkModel, individual_parameters, load_pk_model, simulate_concentrations, with_both_forms

__all__ = ["ERROR_LOG_SD", "HASAN", "ZARATE", "LinkFit", "fit_link", "link_errors_percent"]

ERROR_LOG_SD = 0.15
"""Error of one value on the log scale: assay, reading off a figure, other people. Assumed."""

HASAN = ("v07-hasan-s", "v07-hasan-r", "v08-hasan-s-curve")
ZARATE = ("v01-zarate-venous",)
_CURVE_H = (1.0, 8.0)
_STARTS = ((0.0, 0.0), (1.0, -1.0))
_BOUNDS = ([-6.0, -3.0], [6.0, 4.0])


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFit:
    """Estimates and the covariance of (logit f, log k2)."""

    fast_fraction: float
    rate_per_h: float
    covariance: np.ndarray
    errors_percent: np.ndarray
    residual_log_sd: float

    @property
    def correlation(self) -> float:
        """Of logit f with log k2."""
        return float(self.covariance[0, 1] / np.sqrt(self.covariance[0, 0] * self.covariance[1, 1]))


def fit_link(
    names: tuple[str, ...],
    *,
    rate_per_h: float | None = None,
    own_clearance: bool = True,
    model: PkModel | None = None,
) -> LinkFit:
    """Weighted least squares of logs; ``rate_per_h`` holds k2, where one value cannot give both numbers.

    ``model`` is the default where none is given; a model of one species follows each form by its one law.
    """
    base = with_both_forms(model or load_pk_model())

    def numbers(x: np.ndarray) -> tuple[float, float]:
        f = float(1.0 / (1.0 + np.exp(-x[0])))
        return f, float(np.exp(x[1])) if rate_per_h is None else rate_per_h

    def residuals(x: np.ndarray) -> np.ndarray:
        f, k2 = numbers(x)
        return _log_errors(names, f, k2, base, own_clearance=own_clearance) / ERROR_LOG_SD

    size = 2 if rate_per_h is None else 1
    found = [
        optimize.least_squares(residuals, start[:size], bounds=(_BOUNDS[0][:size], _BOUNDS[1][:size]))
        for start in _STARTS
    ]
    best = min(found, key=lambda one: float(one.cost))
    f, k2 = numbers(best.x)
    n_free = max(best.fun.size - size, 1)
    return LinkFit(
        fast_fraction=f,
        rate_per_h=k2,
        covariance=np.linalg.inv(best.jac.T @ best.jac),
        errors_percent=100.0 * np.expm1(ERROR_LOG_SD * best.fun),
        residual_log_sd=float(ERROR_LOG_SD * np.sqrt(2.0 * best.cost / n_free)),
    )


def link_errors_percent(names: tuple[str, ...], fast_fraction: float, rate_per_h: float) -> np.ndarray:
    """Prediction errors of a link on some rows, (observed - predicted) / predicted. [percent]"""
    return 100.0 * np.expm1(_log_errors(names, fast_fraction, rate_per_h, load_pk_model(), own_clearance=True))


def _log_errors(names: tuple[str, ...], f: float, k2: float, base: PkModel, *, own_clearance: bool) -> np.ndarray:
    model = base.replace_values(venous_fast_fraction=f, venous_rate_per_h=k2)
    return np.concatenate([_one_row(load_observed_series(name), model, own_clearance) for name in names])


def _one_row(series: ObservedSeries, model: PkModel, own_clearance: bool) -> np.ndarray:
    if own_clearance and series.own_cl_l_per_h is not None:
        model = model.replace_values(cl_l_per_h=series.own_cl_l_per_h)
    t_h, values = np.array(series.t_h), np.array(series.values)
    if series.kind == "series":
        inside = (t_h >= _CURVE_H[0]) & (t_h <= _CURVE_H[1])
        t_h, values = t_h[inside], values[inside]
    people = individual_parameters(model, weight_kg=np.array([series.weight_kg]), z_iiv=np.zeros((1, model.n_iiv)))
    events = make_infusions(
        np.array([[one.dose_mg for one in series.infusions]]),
        start_h=[one.start_h for one in series.infusions],
        duration_h=[one.duration_h for one in series.infusions],
        form=series.form,
    )
    found = simulate_concentrations(people, events, t_h=t_h, analytes=(series.analyte,), sites=("venous",))
    return np.log(values / found.select(series.analyte, site="venous")[0])


if __name__ == "__main__":
    for label, rows in (("all", (*HASAN, *ZARATE)), ("Hasan", HASAN)):
        fit = fit_link(rows)
        print(label, f"f {fit.fast_fraction:.4f} k2 {fit.rate_per_h:.4f}/h", "errors %", fit.errors_percent.round(1))
        print("  sd of logit f and log k2", np.sqrt(np.diag(fit.covariance)).round(4), f"rho {fit.correlation:.4f}")
        print("  residual log SD", round(fit.residual_log_sd, 4))
    hasan = fit_link(HASAN)
    print("Zarate from Hasan", link_errors_percent(ZARATE, hasan.fast_fraction, hasan.rate_per_h).round(1))
    for k2 in (0.5, 1.0, 2.0):
        zarate = fit_link(ZARATE, rate_per_h=k2)
        errors = link_errors_percent(HASAN, zarate.fast_fraction, k2)
        print(f"Hasan from Zarate, k2 {k2:g}: f {zarate.fast_fraction:.3f}", errors.round(1), np.median(abs(errors)))
