"""Forecasts of trials without a result: ``python -m validation.forecast_register`` (``make forecasts``).

What ``docs/forecasts/trials.toml`` names and is not there yet is made and written, once; what is there stays.
Then the list of all, ``docs/forecasts/index.md``. Commit before it runs: a forecast names the commit that made it.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

from remission.foresight.forecast import make_forecast, register_forecast
from remission.library.published import trial_citation
from remission.protocol.file import read_protocol
from remission.runs.crew import crew_of

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "forecasts"
PAGE = FOLDER / "index.md"
SEED = 20261129
N_DRAWS, N_REPLICATES = 400, 10


def main() -> None:
    """Register what is missing, then list everything."""
    rows = tomllib.loads((FOLDER / "trials.toml").read_text("utf-8"))["trial"]
    with crew_of(None) as crew:
        for row in rows:
            for name in row.get("forecasts", ()):
                if (FOLDER / name).exists():
                    continue
                made = make_forecast(
                    read_protocol(FOLDER / row["protocol"]), analysis=None, n_draws=N_DRAWS,
                    n_replicates=N_REPLICATES, conditions=row.get("conditions", ()), crew=crew, seed=SEED,
                )  # fmt: skip
                register_forecast(made, FOLDER / name)
                print(f"{name}: {made}", flush=True)
    PAGE.write_text(page(rows), encoding="utf-8")
    print(PAGE)


def page(rows: list[dict[str, Any]]) -> str:
    """The list: what each forecast says, what it holds under, and which trials cannot be forecast."""
    parts = [
        "# Forecasts on the record",
        "",
        "Written by `make forecasts` from `trials.toml` and the forecasts themselves, which are never edited.",
        "A trial is forecast when its record states dose, arms and primary endpoint, and under stated conditions",
        "when one of these has to be supposed.",
        "Results of these trials were not looked up by anybody who wrote the files.",
        "",
        "Verdicts: helps, no difference, harms, in percent. Estimates: middle and 90% of new trials.",
        "",
    ]
    for row in rows:
        for name in row.get("forecasts", ()):
            parts += one(row, name, json.loads((FOLDER / name).read_text("utf-8")))
    parts += ["## Not forecastable today", "", "| trial | its record lacks | |", "|---|---|---|"]
    parts += [
        f"| {trial_citation(row['record'])} | {'; '.join(row['lacks'])} | {' '.join(row.get('notes', ()))} |"
        for row in rows
        if not row.get("forecasts")
    ]
    score = "remission forecast score FILE --result estimate=... --result low=... --result high=... --result unit=... "
    parts += ["", "## When a trial reads out", "", "```", f"{score}--result source=...", "```", ""]
    return "\n".join(parts)


def one(row: dict[str, Any], name: str, content: dict[str, Any]) -> list[str]:
    """One forecast; of the first format the page that was written with it says everything."""
    if content["format"] == "remission/forecast/1":
        return [f"## {row['record']}: `{name}`", "", "See [MORE-KARE, on the record](more-kare.md).", ""]
    analysis = content["analysis"]
    made = (
        f"{str(content['kind']).capitalize()}, {content['written']}, commit {str(content['commit'])[:10]}, seed "
        f"{content['seed']}, posterior {content['posterior']['plan']} ({content['posterior']['sha256'][:10]}), "
        f"{content['n']} people."
    )
    lines = [
        f"## {row['record']}: `{name}`",
        "",
        made,
        f"{analysis['label']}, {analysis['unit']}; {analysis['favors_treatment']} is better.",
        "",
        *(f"- If {line}." for line in content["conditions"]),
        *([""] if content["conditions"] else []),
        "| model | estimate | helps | no difference | harms |",
        "|---|---|---|---|---|",
    ]
    for model in ("stacked", "chain", "baseline", "no effect"):
        found = content["models"][model]
        ends, said = found["quantiles"], found["verdict"]
        chances = " | ".join(f"{100.0 * said[key]:.0f}" for key in ("helps", "no difference", "harms"))
        lines.append(f"| {model} | {found['mean']:.3g} ({ends['5%']:.3g} to {ends['95%']:.3g}) | {chances} |")
    lines += ["", "What would count against it:", "", *(f"- {line}" for line in content["counts_against_it"]), ""]
    return lines


if __name__ == "__main__":
    main()
