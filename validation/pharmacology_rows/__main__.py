"""Write ``docs/validation/pharmacology-rows.md`` and its figures.

Usage: ``python -m validation.pharmacology_rows``. Limits stand in ``validation/pharmacology_limits.toml``, written down
before the numbers they judge; a contract test holds the page to the code.
"""

from functools import cache
from itertools import groupby
from pathlib import Path

import numpy as np

from remission.dosing import make_infusions
from remission.library.loader import load_parameter_set
from remission.library.molecules import molar_mass_g_per_mol
from remission.library.observations import ObservedSeries, list_observed_series, load_observed_series
from remission.pk import (
    PkModel,
    individual_parameters,
    load_pk_model,
    simulate_concentrations,
    with_slow_norketamine,
)
from remission.pk.individuals import UG_PER_MG
from remission.records.dose import DrugForm
from validation.norketamine import N_FITTED, STANDARD_ERRORS, fit_one, norketamine_errors_percent
from validation.pharmacology_rows.choice import CRITERION, score_table, separation_table
from validation.pharmacology_rows.figures import STYLES, draw_row, draw_structure, save
from validation.pharmacology_rows.predict import (
    DEFAULT,
    N_PEOPLE,
    Prediction,
    Refusal,
    clearance_and_volume,
    model_names,
    predict_row,
)
from validation.pharmacology_rows.score import LIMITS, cell, row_of
from validation.venous_link import ERROR_LOG_SD, HASAN, ZARATE, fit_link, link_errors_percent

PAGE = Path(__file__).resolve().parents[2] / "docs" / "validation" / "pharmacology-rows.md"
FIGURES = PAGE.parent / "pharmacology-rows"
_NOSE = ((10.0, 0.17, 23.0), (30.0, 0.13, 14.0), (50.0, 0.11, 16.0))
"""Dose, bioavailability and minutes to the peak, as the source of V15 prints them."""
_STRUCTURE = ("cl_l_per_h", "vss_l")
_HELD_RATES = (0.5, 1.0, 2.0)
_GAPS = (("V1", "v01-zarate-venous", "ket"), ("V7, S", "v07-hasan-s", "s_ket"))


@cache
def _row(name: str) -> tuple[list[Prediction], list[Refusal]]:
    return predict_row(load_observed_series(name), bands=False)


def _short(model_id: str) -> str:
    return STYLES.get(model_id, ("", model_id))[1]


def limits() -> str:
    """What was promised beforehand."""
    lines = ["| limit | rows | of what | value |", "|---|---|---|---|"]
    lines += [f"| `{one.id}` | {', '.join(one.rows)} | {one.what} | {one.text} |" for one in LIMITS.values()]
    return "\n".join(lines)


def scorecard() -> str:
    """Rows down, models across."""
    models = sorted({one.model_id for name in list_observed_series() for one in _row(name)[0]}, key=_order)
    lines = [f"| row | what | observed | {' | '.join(map(_short, models))} |", "|---|---|---|" + "---|" * len(models)]
    for name in list_observed_series():
        series = load_observed_series(name)
        predictions, _ = _row(name)
        if not predictions:
            continue
        cells = [
            "; ".join(cell(series, one) for one in predictions if one.model_id == model) or "–" for model in models
        ]
        title = f"{series.title}{'; data S + R, models S' if series.both_forms else ''}"
        lines.append(f"| {row_of(series)} | {title} | {_observed(series)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _order(model_id: str) -> int:
    return list(STYLES).index(model_id) if model_id in STYLES else len(STYLES)


def _observed(series: ObservedSeries) -> str:
    site = series.sampling_site.value
    if series.kind == "series":
        return f"{len(series.t_h)} times, {site}"
    number = f"{series.values[0]:g}" if series.values else f"{series.low[0]:g} to {series.high[0]:g}"
    return f"{number} {series.unit}, {site}"


def counts() -> str:
    """How many verdicts of each kind, by model."""
    lines = ["| model | within its limit | outside |", "|---|---|---|"]
    found: dict[str, list[int]] = {}
    for name in list_observed_series():
        series = load_observed_series(name)
        for one in _row(name)[0]:
            text = cell(series, one)
            passed, failed = found.setdefault(one.model_id, [0, 0])
            found[one.model_id] = [passed + ("**pass**" in text), failed + ("**FAIL**" in text)]
    lines += [f"| {_short(model)} | {found[model][0]} | {found[model][1]} |" for model in sorted(found, key=_order)]
    return "\n".join(lines)


def not_predicted() -> str:
    """Rows and models without a prediction, and why."""
    lines = ["| row | what | models | why |", "|---|---|---|---|"]
    for name in list_observed_series():
        series = load_observed_series(name)
        reasons: dict[str, list[str]] = {}
        for one in _row(name)[1]:
            reasons.setdefault(one.reason, []).append(_short(one.model_id))
        everybody = not _row(name)[0]
        for reason, models in reasons.items():
            who = "all" if everybody and len(reasons) == 1 else ", ".join(sorted(models))
            lines.append(f"| {row_of(series)} | {series.title} | {who} | {reason} |")
    return "\n".join(lines)


def venous() -> dict[str, str]:
    """The fit of the link, its uncertainty, and each study predicted by the other."""
    both, hasan = fit_link((*HASAN, *ZARATE)), fit_link(HASAN)
    blind = fit_link((*HASAN, *ZARATE), own_clearance=False)
    limit = LIMITS["venous_held_out"].at_most
    assert limit is not None
    rows = []
    errors = link_errors_percent(ZARATE, hasan.fast_fraction, hasan.rate_per_h)
    rows.append(("Hasan (7 values)", "both", "Zarate (1 value)", hasan.fast_fraction, hasan.rate_per_h, errors))
    for rate in _HELD_RATES:
        zarate = fit_link(ZARATE, rate_per_h=rate)
        errors = link_errors_percent(HASAN, zarate.fast_fraction, rate)
        rows.append(
            ("Zarate (1 value)", f"f, k2 held at {rate:g}/h", "Hasan (7 values)", zarate.fast_fraction, rate, errors)
        )
    lines = [
        "| fitted to | fitted | predicts | f | k2, 1/h | MDPE | MDAPE | status |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for fitted, what, predicts, f, rate, found in rows:
        size = float(np.median(np.abs(found)))
        status = "pass" if size <= limit else "FAIL"
        lines.append(
            f"| {fitted} | {what} | {predicts} | {f:.2f} | {rate:.2f} | {np.median(found):+.1f}% | {size:.1f}% | "
            f"{status} |"
        )
    model = load_pk_model()
    gaps = [
        "| row | rate / Q | artery minus vein by the link | observed vein | artery minus rate / Q |",
        "|---|---|---|---|---|",
    ]
    for label, name, analyte in _GAPS:
        series = load_observed_series(name)
        (infusion,) = series.infusions
        share = 1.0 if analyte == "ket" else 0.5
        # While it runs, arterial plasma is above mixed venous plasma by rate / Q. [ug/h over L/h]
        rate_ug_per_h = infusion.dose_mg / infusion.duration_h * UG_PER_MG
        gap = share * (rate_ug_per_h / model.links.value("mixing_flow_l_per_h"))
        vein = next(one for one in _row(name)[0] if one.model_id == DEFAULT).at_data[0]
        artery = _arterial_peak(series)
        gaps.append(f"| {label} | {gap:.1f} | {artery - vein:.1f} | {series.values[0]:g} | {artery - gap:.1f} |")
    deviations = np.sqrt(np.diag(both.covariance))
    return {
        "LINK_F": f"{both.fast_fraction:.3f}",
        "LINK_K2": f"{both.rate_per_h:.3f}",
        "LINK_SD_F": f"{deviations[0]:.3f}",
        "LINK_SD_K2": f"{deviations[1]:.3f}",
        "LINK_RHO": f"{both.correlation:.3f}",
        "LINK_ERRORS": f"{min(both.errors_percent):+.0f} to {max(both.errors_percent):+.0f}%",
        "LINK_RESIDUAL": f"{100.0 * both.residual_log_sd:.0f}%",
        "LINK_ASSUMED": f"{100.0 * ERROR_LOG_SD:.0f}%",
        "BLIND_ERRORS": f"{min(blind.errors_percent):+.0f} to {max(blind.errors_percent):+.0f}%",
        "HELD_OUT": "\n".join(lines),
        "GAPS": "\n".join(gaps),
    }


def _arterial_peak(series: ObservedSeries) -> float:
    moved = series.replace(sampling_site="arterial")
    found, _ = predict_row(moved, bands=False)
    return float(next(one for one in found if one.model_id == DEFAULT).at_data[0])


def norketamine() -> dict[str, str]:
    """One change at a time, and the optional set on the times it did not see."""
    lines = [
        "| one change | from | to | standard errors away | MDAPE | at 5 h |",
        "|---|---|---|---|---|---|",
    ]
    values = load_pk_model().parameter_set
    plain = norketamine_errors_percent(load_pk_model())
    lines.append(f"| none | | | | {np.median(np.abs(plain)):.0f}% | {plain[-1]:+.0f}% |")
    for name, error in STANDARD_ERRORS.items():
        found = fit_one(name)
        away = "fixed by the source" if error is None else f"{found.standard_errors_away:+.1f}"
        lines.append(
            f"| {values[name].symbol} | {values.value(name):.3g} | {found.value:.3g} | {away} | "
            f"{np.median(np.abs(found.errors_percent)):.0f}% | {found.errors_percent[-1]:+.0f}% |"
        )
    for weight in (60.0, 90.0):
        errors = norketamine_errors_percent(load_pk_model(), weight_kg=weight)
        lines.append(f"| weight | 70 | {weight:g} kg | | {np.median(np.abs(errors)):.0f}% | {errors[-1]:+.0f}% |")
    slow = norketamine_errors_percent(with_slow_norketamine(load_pk_model()))
    limit = LIMITS["norketamine_held_out"].at_most
    assert limit is not None
    later = float(np.median(np.abs(slow[N_FITTED:])))
    default, halved = (_after_vein(model) for model in (load_pk_model(), with_slow_norketamine(load_pk_model())))
    return {
        "NK_VEIN": f"{default:.0f}",
        "NK_VEIN_SLOW": f"{halved:.0f}",
        "NK_CHANGES": "\n".join(lines),
        "NK_FITTED": f"{np.median(np.abs(slow[:N_FITTED])):.0f}%",
        "NK_LATER": f"{later:.0f}%",
        "NK_LIMIT": f"{limit:g}%",
        "NK_STATUS": "pass" if later <= limit else "FAIL",
    }


def _norketamine_whole() -> str:
    errors = norketamine_errors_percent(load_pk_model().replace_values(nk_fraction=1.0))
    return f"{np.median(np.abs(errors)):.0f}%"


_EARLY_MIN = (2.0, 5.0, 10.0, 20.0, 30.0, 40.0, 60.0, 120.0, 360.0)


def early_vein() -> str:
    """The vein of the default beside a model of venous samples, 10 mg of S-ketamine over 30 min, typical 70 kg."""
    t_h = np.array(_EARLY_MIN) / 60.0
    weight = np.array([70.0])
    events = make_infusions(np.array([[10.0]]), start_h=[0.0], duration_h=[0.5], form=DrugForm.ESKETAMINE)
    found = []
    for name in (DEFAULT, "fanta2015"):
        model = load_pk_model(name)
        people = individual_parameters(model, weight_kg=weight, z_iiv=np.zeros((1, model.n_iiv)))
        conc = simulate_concentrations(people, events, t_h=t_h, analytes=("s_ket",), sites=("venous",))
        found.append(conc.select("s_ket", site="venous")[0])
    lines = ["| minute | Simons and the link, ng/mL | Fanta/Otto, ng/mL | ratio |", "|---|---|---|---|"]
    lines += [
        f"| {minute:g} | {ours:.1f} | {theirs:.1f} | {ours / theirs:.2f} |"
        for minute, ours, theirs in zip(_EARLY_MIN, *found, strict=True)
    ]
    return "\n".join(lines)


def single_points() -> str:
    """Clearances and ratios of areas beside the models that can say something of them."""
    known = load_parameter_set("points-2026")
    s, r = known["wang_cl_s_racemate_ml_per_min_per_kg"], known["wang_cl_r_ml_per_min_per_kg"]
    to_l_per_h = 70.0 * 60.0 / 1000.0
    ratio = known["nk_ket_auc_ratio"]
    lines = ["| what | measured | model | value |", "|---|---|---|---|"]
    for model_id in ("simons2022", "noppers2011", "kamp2020", "fanta2015", "clements1981"):
        cl = _structure()[model_id][0]
        lines.append(
            f"| clearance out of racemate, L/h for 70 kg (Wang 2019) | S {to_l_per_h * s.value:.0f} "
            f"({to_l_per_h * (s.low or 0.0):.0f} to {to_l_per_h * (s.high or 0.0):.0f}), "
            f"R {to_l_per_h * r.value:.0f} | {_short(model_id)} | {cl:.0f} |"
        )
    for label, model, analyte in (
        ("Simons, S", load_pk_model(DEFAULT), "s_ket"),
        (
            "Simons with all clearance to norketamine, S",
            load_pk_model(DEFAULT).replace_values(nk_fraction=1.0),
            "s_ket",
        ),
        ("Fanta/Otto, S", load_pk_model("fanta2015"), "s_ket"),
    ):
        values = model.parameter_set
        mass = 1.0 if model.id == "fanta2015" else molar_mass_g_per_mol("s_nk") / molar_mass_g_per_mol(analyte)
        predicted = values.value("nk_fraction") * values.value("cl_l_per_h") / values.value("nk_cl_l_per_h") * mass
        lines.append(
            f"| area of norketamine over that of ketamine after 5 mg over 30 min | {ratio.value:g} "
            f"({ratio.low:g} to {ratio.high:g}) | {label} | {predicted:.2f} |"
        )
    return "\n".join(lines)


def ratio_of_forms() -> dict[str, str]:
    """What the other measured ratio of clearances would do to the one row with R-ketamine in the artery."""
    series, other = (
        load_observed_series("v11-kamp-r-racemate"),
        load_parameter_set("points-2026").value("wang_cl_ratio"),
    )
    used = load_pk_model().parameter_set.value("cl_ratio_r_ket")
    sizes = []
    for ratio in (used, other):
        changed = load_pk_model().replace_values(cl_ratio_r_ket=ratio)
        (one,) = (each for each in predict_row(series, bands=False, models=[changed])[0])
        sizes.append(
            f"{np.median(one.errors_percent(series)):+.0f}%, {np.median(np.abs(one.errors_percent(series))):.0f}%"
        )
    return {
        "RATIO_USED": f"{used:g}",
        "RATIO_OTHER": f"{other:g}",
        "RATIO_USED_ERR": sizes[0],
        "RATIO_OTHER_ERR": sizes[1],
    }


def _after_vein(model: PkModel) -> float:
    """Highest S-norketamine after the 10 mg of row V16. [ng/mL]"""
    people = individual_parameters(model, weight_kg=np.array([70.0]), z_iiv=np.zeros((1, model.n_iiv)))
    (infusion,) = load_observed_series("v16-iv-10mg-nk").infusions
    events = make_infusions(np.array([[infusion.dose_mg]]), start_h=[0.0], duration_h=[infusion.duration_h])
    found = simulate_concentrations(people, events, t_h=np.arange(0.0, 4.0, 1.0 / 64.0), analytes=("s_nk",))
    return float(found.select("s_nk", site="arterial").max())


def nose_at_once() -> str:
    """Default arterial ketamine at the reported time of the nasal peak, had all that is absorbed entered at once."""
    model = load_pk_model()
    people = individual_parameters(model, weight_kg=np.array([70.0]), z_iiv=np.zeros((1, model.n_iiv)))
    found = []
    for dose_mg, share, minutes in _NOSE:
        events = make_infusions(np.array([[share * dose_mg]]), start_h=[0.0], duration_h=[1.0 / 60.0])
        conc = simulate_concentrations(people, events, t_h=np.array([minutes / 60.0])).select("ket", site="arterial")
        found.append(f"{conc[0, 0]:.0f}")
    return ", ".join(found[:-1]) + f" and {found[-1]}"


@cache
def _structure() -> dict[str, tuple[float, float]]:
    return {name: clearance_and_volume(name) for name in model_names()}


def structure() -> str:
    """Row V18: clearance and volume of each model beside the meta-analysis."""
    known = load_parameter_set("kamp2020-meta")
    limits_of = [(known[name].low or 0.0, known[name].high or np.inf) for name in _STRUCTURE]
    lines = ["| model | CL, L/h | Vss, L | inside |", "|---|---|---|---|"]
    for name, found in _structure().items():
        inside = [low <= value <= high for value, (low, high) in zip(found, limits_of, strict=True)]
        words = ("neither", "clearance", "volume", "both")[inside[0] + 2 * inside[1]]
        lines.append(f"| {_short(name)} | {found[0]:.0f} | {found[1]:.0f} | {words} |")
    return "\n".join(lines)


def rows() -> str:
    """Figure, source and note of each row."""
    parts = []
    for row, names in groupby(list_observed_series(), key=lambda name: name[:3]):
        found = [load_observed_series(name) for name in names]
        parts += [f"### {row_of(found[0])}", "", f"![{found[0].title}](pharmacology-rows/{row}.svg)", ""]
        for series in found:
            of = f", {series.n_subjects} people" if series.n_subjects else ""
            parts.append(f"- {series.title}{of}; source {series.source}, {series.grade.value}. {series.note}")
        parts.append("")
    return "\n".join(parts).rstrip()


def page() -> str:
    """The whole page as text."""
    text = (Path(__file__).parent / "page.md.in").read_text(encoding="utf-8")
    fields = {
        "LIMITS": limits(),
        "SCORECARD": scorecard(),
        "COUNTS": counts(),
        "NOT_PREDICTED": not_predicted(),
        "N_PEOPLE": str(N_PEOPLE),
        "NOSE": nose_at_once(),
        "SCORES": score_table(sorted(model_names(), key=_order), {name: _short(name) for name in model_names()}),
        "SEPARATED": separation_table(
            sorted(model_names(), key=_order), {name: _short(name) for name in model_names()}
        ),
        "POINTS": f"{CRITERION['separation_points']:g}",
        "EARLY": early_vein(),
        "SINGLE": single_points(),
        "NK_ALL": _norketamine_whole(),
        **ratio_of_forms(),
        **venous(),
        **norketamine(),
        "STRUCTURE": structure(),
        "ROWS": rows(),
    }
    for name, found in fields.items():
        text = text.replace(f"@{name}@", found)
    return text


def draw() -> None:
    """All figures, bands included."""
    FIGURES.mkdir(exist_ok=True)
    for row, names in groupby(list_observed_series(), key=lambda name: name[:3]):
        found = [load_observed_series(name) for name in names]
        save(draw_row([(series, predict_row(series, bands=True)[0]) for series in found]), FIGURES / f"{row}.svg")


def _draw_structure() -> None:
    known = load_parameter_set("kamp2020-meta")
    observed = [
        (f"{one.symbol}, {one.unit}", one.value, one.low or 0.0, one.high or 0.0)
        for one in (known[name] for name in _STRUCTURE)
    ]
    save(draw_structure(_structure(), observed), FIGURES / "v18.svg")


if __name__ == "__main__":
    draw()
    _draw_structure()
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
