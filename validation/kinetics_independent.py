"""Every model integrated a second way: SciPy over matrices that are written here, from the library's values.

Usage: ``make kinetics`` tries 500 random regimens of every model; the suite tries a few. Nothing of
``remission.pk`` but the curve under test is used: compartments, weights and links are written out again.
"""

from itertools import pairwise

import numpy as np
from scipy import integrate, linalg

from remission.dosing import Overlap, make_infusions
from remission.library.loader import load_parameter_set
from remission.pk import individual_parameters, load_pk_model, simulate_concentrations, simulate_doses
from remission.records.dose import Dose

__all__ = ["MODELS", "TOLERANCE", "worst_difference"]

MODELS = (
    "simons2022", "noppers2011", "domino1984", "clements1981", "hijazi2003", "kamp2020", "kamp2020-linear", "fanta2015",
    "perezruixo2021",
)  # fmt: skip
TOLERANCE = 1e-8
_LINKS = load_parameter_set("sampling-links")
_T_H = np.array([0.05, 0.2, 0.5, 0.9, 1.7, 3.0, 6.0, 12.0])


def _matrix(name: str, weight_kg: float, *, ratio: float) -> tuple[np.ndarray, float]:
    """Amounts of central and peripheral compartments, then the lagging effect site and the slow share of the vein."""
    values = load_parameter_set(name)
    size = weight_kg / 70.0
    if "v1_l_per_kg" in values:
        v1 = values.value("v1_l_per_kg") * weight_kg
        k10 = values.value("k10_per_h")
        pairs = [
            (values.value(f"k1{j}_per_h"), values.value(f"k{j}1_per_h")) for j in (2, 3) if f"k1{j}_per_h" in values
        ]
    else:
        power = values.value("exponent_clearance")
        fixed = name == "fanta2015"
        flow, space = (1.0, 1.0) if fixed else (size**power, size)
        v1 = values.value("v1_l") * size
        k10 = ratio * values.value("cl_l_per_h") * size**power / v1
        pairs = []
        for j in (2, 3):
            if f"v{j}_l" in values:
                q = values.value(f"q{j}_l_per_h") * flow
                pairs.append((q / v1, q / (values.value(f"v{j}_l") * space)))
    n = 1 + len(pairs)
    matrix = np.zeros((n + 2, n + 2))
    matrix[0, 0] = -k10 - sum(out for out, _ in pairs)
    for row, (out, back) in enumerate(pairs, start=1):
        matrix[row, 0], matrix[0, row], matrix[row, row] = out, back, -back
    for row, rate in (
        (n, np.log(2.0) / _LINKS.value("effect_half_life_h")),
        (n + 1, _LINKS.value("venous_rate_per_h")),
    ):
        matrix[row, 0], matrix[row, row] = rate / v1, -rate
    return matrix, v1


def _states(
    matrix: np.ndarray, dose_ug: np.ndarray, start: np.ndarray, duration: np.ndarray, *, by_steps: bool
) -> np.ndarray:
    """States at the times of the grid; the rate is constant between marks."""
    n = matrix.shape[0]
    marks = np.unique(np.concatenate([[0.0], start, start + duration, _T_H]))
    state, found = np.zeros(n), {0.0: np.zeros(n)}
    for begin, end in pairwise(marks):
        middle = 0.5 * (begin + end)
        rate = float(np.sum((dose_ug / duration)[(start <= middle) & (middle < start + duration)]))
        if by_steps:
            entry = np.zeros(n)
            entry[0] = rate
            solved = integrate.solve_ivp(
                lambda _, x, entry=entry: matrix @ x + entry,
                (begin, end),
                state,
                method="LSODA",
                rtol=1e-10,
                atol=1e-10,
            )
            state = solved.y[:, -1]
        else:
            wide = np.zeros((n + 1, n + 1))
            wide[:n, :n], wide[0, n] = matrix, rate
            state = (linalg.expm(wide * (end - begin)) @ np.append(state, 1.0))[:n]
        found[float(end)] = state
    return np.array([found[float(t)] for t in _T_H]).T


def _worst_of_spray(rng: np.random.Generator) -> float:  # noqa: C901 - one model, written out
    """The model of the spray: sprays, swallowed solution and infusions, by matrix exponentials over its printed flows.

    States: nose, swallowed part, solution, blood, two peripheral ones, liver, noresketamine and its peripheral one.
    """
    model, v = load_pk_model("perezruixo2021"), load_parameter_set("perezruixo2021").value
    n = int(rng.integers(1, 5))
    starts = np.sort(rng.uniform(0.0, 6.0, n))
    kinds = rng.integers(0, 3, n)
    # One line carries one infusion at a time.
    minutes = rng.uniform(2.0, 40.0, n)
    for k in range(1, n):
        starts[k] = max(starts[k], starts[k - 1] + minutes[k - 1] / 60.0)
    amounts = rng.uniform(5.0, 60.0, n)
    doses = []
    for kind, mg, start, length in zip(kinds, amounts, starts, minutes, strict=True):
        more = {"duration_min": float(length)} if kind == 2 else {}
        route = ("intranasal", "oral", "iv_infusion")[kind]
        doses.append(Dose.create(route=route, dose_mg=float(mg), start_h=float(start), form="esketamine", **more))
    a = np.zeros((9, 9))

    def flow(source: int, target: int | None, rate: float) -> None:
        a[source, source] -= rate
        if target is not None:
            a[target, source] += rate

    flow(0, 3, v("ka_n_per_h"))
    flow(1, 6, v("ka_sw_per_h"))
    flow(2, 6, v("ka_po_per_h"))
    for other, q, volume in ((4, "q1_l_per_h", "vp1_l"), (5, "q2_l_per_h", "vp2_l"), (6, "qh_l_per_h", "vh_l")):
        flow(3, other, v(q) / v("vc_l"))
        flow(other, 3, v(q) / v(volume))
    flow(6, None, v("kel_per_h"))
    flow(6, 7, v("kmet_per_h"))
    flow(7, None, v("nk_cl_l_per_h") / v("nk_v1_l"))
    flow(7, 8, v("nk_q_l_per_h") / v("nk_v1_l"))
    flow(8, 7, v("nk_q_l_per_h") / v("nk_v2_l"))
    inputs: list[tuple[int, float, float, float]] = []
    sprayed, last = 0.0, -np.inf
    for kind, mg, start, length in zip(kinds, amounts, starts, minutes, strict=True):
        if kind == 0:
            sprayed = 0.0 if start - last >= v("same_administration_h") else sprayed
            early = min(max(v("spray_mg") - sprayed, 0.0), mg) / mg
            nose = v("frn") * (early + (1.0 - early) * v("later_spray_on_frn"))
            inputs += [(0, start, 0.0, 1000.0 * mg * nose),
                       (1, start, v("dsw_h"), 1000.0 * mg * (1.0 - nose) * v("f_gut"))]  # fmt: skip
            sprayed, last = sprayed + mg, start
        elif kind == 1:
            inputs.append((2, start, v("dpo_h"), 1000.0 * mg * v("f_gut")))
        else:
            inputs.append((3, start, length / 60.0, 1000.0 * mg))
    times = np.array([0.3, 0.9, 1.7, 3.0, 6.0, 9.0, 14.0])
    marks = np.unique([0.0, *times, *(one[1] for one in inputs), *(one[1] + one[2] for one in inputs)])
    state, found = np.zeros(9), {}
    for begin, end in pairwise(marks):
        for place, start, length, amount in inputs:
            if length == 0.0 and start == begin:
                state[place] += amount
        entry, middle = np.zeros(9), 0.5 * (begin + end)
        for place, start, length, amount in inputs:
            if length > 0.0 and start <= middle < start + length:
                entry[place] += amount / length
        wide = np.zeros((10, 10))
        wide[:9, :9], wide[:9, 9] = a, entry
        state = (linalg.expm(wide * (end - begin)) @ np.append(state, 1.0))[:9]
        found[float(end)] = state
    states = np.array([found[float(t)] for t in times]).T
    got = simulate_doses(
        model, doses, weight_kg=np.array([74.0]), z_iiv=np.zeros((1, model.n_iiv)), t_h=times,
        analytes=["s_ket", "s_nk"], sites=["venous"],
    )  # fmt: skip
    worst = 0.0
    for analyte, theirs in (("s_ket", states[3] / v("vc_l")), ("s_nk", states[7] / v("nk_v1_l"))):
        seen = theirs > 1e-6
        ours = got.select(analyte, site="venous")[0]
        worst = max(worst, float(np.max(np.abs(ours[seen] / theirs[seen] - 1.0), initial=0.0)))
    return worst


def worst_difference(name: str, rng: np.random.Generator, *, by_steps: bool = False) -> float:
    """The largest relative difference of one random regimen, over species, sites and times."""
    if name == "perezruixo2021":
        return _worst_of_spray(rng)
    model = load_pk_model(name)
    weight = float(rng.uniform(45.0, 140.0))
    n = int(rng.integers(1, 5))
    start, duration = rng.uniform(0.0, 4.0, n), rng.uniform(0.02, 2.0, n)
    dose = rng.uniform(0.5, 60.0, n)
    people = individual_parameters(model, weight_kg=np.array([weight]), z_iiv=np.zeros((1, model.n_iiv)))
    events = make_infusions(dose[np.newaxis], start_h=start, duration_h=duration, overlap=Overlap.SUPERPOSE)
    got = simulate_concentrations(people, events, t_h=_T_H, analytes=model.species, sites=model.sites)
    fast = _LINKS.value("venous_fast_fraction")
    worst = 0.0
    for species in model.species:
        share = 1.0 if species.value == "ket" else 0.5
        ratio = load_parameter_set(name).value("cl_ratio_r_ket") if species.value == "r_ket" else 1.0
        matrix, v1 = _matrix(name, weight, ratio=ratio)
        states = _states(matrix, 1000.0 * share * dose, start, duration, by_steps=by_steps)
        plasma, effect, slow = states[0] / v1, states[-2], states[-1]
        sites = {
            "arterial": plasma,
            "unstated": plasma,
            "effect": effect,
            "venous": fast * plasma + (1.0 - fast) * slow,
        }
        if model.plasma_site.value == "venous":
            sites["venous"] = plasma
        for site in model.sites:
            ours, theirs = got.select(species, site=site)[0], sites[site.value]
            seen = theirs > 1e-6
            worst = max(worst, float(np.max(np.abs(ours[seen] / theirs[seen] - 1.0), initial=0.0)))
    return worst


if __name__ == "__main__":
    failed = False
    for model_id in MODELS:
        largest = max(worst_difference(model_id, np.random.default_rng((20261128, case))) for case in range(500))
        failed = failed or largest > TOLERANCE
        print(f"{model_id:<16} 500 regimens, largest relative difference {largest:.1e}")
    raise SystemExit(failed)
