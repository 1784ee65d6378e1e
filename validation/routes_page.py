"""Write ``docs/reference/routes.md``: what is offered by each route, under which model, and what changes it.

Usage: ``python validation/routes_page.py``. A contract test holds the page to the library.
"""

from pathlib import Path

from remission.library.interactions import Interaction, load_interactions
from remission.library.loader import list_parameter_sets, load_parameter_set
from remission.library.products import Product, list_products
from remission.library.references import load_reference
from remission.pk.model import PkModel, load_pk_model
from remission.records.analyte import Analyte
from remission.records.parameter import Parameter

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "routes.md"


def page() -> str:
    """The whole page as text."""
    lines = [
        "# Routes, models and interactions",
        "",
        "Generated from the library; do not edit.",
        "What the words mean is in [the explanation](../explanation/routes.md).",
        "Every number stands in [the table of numbers](parameters.md).",
        "",
        "## What is offered by each route",
        "",
        "Infusions and a bolus into a vein are offered by every model, with F = 1.",
        "F is the share of a dose that reaches blood, with its grade.",
        "",
        "| product | route | form | F | peak | doses studied | a curve needs | why |",
        "|---|---|---|---|---|---|---|---|",
        *(_product_row(one) for one in list_products()),
        "",
        "## Models",
        "",
        "| model | species | metabolites | site | people | valid range | caution |",
        "|---|---|---|---|---|---|---|",
        *(_model_row(model) for model in _models()),
        "",
        "## Interactions",
        "",
        "Ratios are areas under the curve of ketamine with the other thing over those without.",
        "",
        "| name | what | kind | into a vein | swallowed | clearance | what was found | sources |",
        "|---|---|---|---|---|---|---|---|",
        *(_interaction_row(one) for one in load_interactions()),
    ]
    return "\n".join(lines) + "\n"


def _models() -> list[PkModel]:
    names = [name for name in list_parameter_sets() if "species" in load_parameter_set(name).attributes]
    return [load_pk_model(name) for name in names]


def _product_row(one: Product) -> str:
    shares = {
        label: found
        for label, analyte in (("", Analyte.KET), ("S ", Analyte.S_KET), ("R ", Analyte.R_KET))
        if (found := one.bioavailability(analyte)) is not None
    }
    if "" in shares:
        shares = {"": shares[""]}
    if one.model is not None:
        f, need, why = "of the model", f"model `{one.model}`", ""
    else:
        f = "; ".join(f"{label}{_percent(found)} ({found.grade.value})" for label, found in shares.items()) or "none"
        need = "a rate of the caller" + ("" if one.tmax is None else ", or this peak")
        need += "" if shares else ", and an F"
        why = one.why_no_rate
    if one.is_contested:
        need += "; chosen by name, contested"
    peak = "" if one.tmax is None else f"{60.0 * one.tmax.value:.0f} min ({one.tmax.grade.value})"
    doses = "" if one.studied_dose is None else _doses(one.studied_dose)
    return f"| `{one.id}` | {one.route.value} | {one.form.value} | {f} | {peak} | {doses} | {need} | {why} |"


def _doses(found: Parameter) -> str:
    return f"{found.low:g} mg" if found.low == found.high else f"{found.low:g} to {found.high:g} mg"


def _percent(found: Parameter) -> str:
    interval = "" if found.low is None or found.high is None else f" [{100 * found.low:.0f} to {100 * found.high:.0f}]"
    return f"{100 * found.value:.0f}%{interval}"


def _model_row(model: PkModel) -> str:
    words = model.parameter_set.attributes
    cautions = "; ".join(words[name] for name in sorted(words) if name.startswith("caution"))
    known = words.get("valid_range", "")
    if not known and "population_weight_kg" in model.parameter_set:
        weight = model.parameter_set["population_weight_kg"]
        known = f"{weight.low:g} to {weight.high:g} kg"
    return (
        f"| `{model.id}` | {', '.join(model.species)} | {words['metabolites'].replace(' ', ', ')} | "
        f"{model.plasma_site.value} | {words['population']} | {known} | {cautions} |"
    )


def _interaction_row(one: Interaction) -> str:
    kind = one.kind + (", contested" if one.is_contested else "") + (", refused" if one.is_refused else "")
    ratios = [
        "" if found is None else f"{found.value:.2g} ({found.grade.value})"
        for found in (one.auc_iv, one.auc_oral, one.cl_ratio)
    ]
    said = one.effect + (f". {one.advice}" if one.advice else ".")
    sources = ", ".join(key for key in one.sources if load_reference(key).title and key != "remission")
    return f"| `{one.id}` | {one.title} | {kind} | {' | '.join(ratios)} | {said} | {sources} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
