"""What trials without a result will find: the forecasts on record, and the trials that cannot be forecast."""

import json
from functools import cache
from typing import Any

import tomli

from remission.library.published import trial_citation
from remission.records.base import Record
from remission.web.figure import Figure, figure_of
from remission.web.language import load_text
from remission.web.page import PageRouter
from remission.web.records_folder import records_folder

router = PageRouter()
_FOLDER = "forecasts"
_SECOND = "remission/forecast/2"


class ForecastCard(Record):
    """One forecast: where it is written, what it holds under, what it says, what would count against it."""

    file: str
    kind: str
    registered: str
    conditions: tuple[str, ...]
    says: tuple[str, ...]
    against: tuple[str, ...]
    figure: Figure


class TrialForecasts(Record):
    """A trial without a result: its forecasts, and what its record lacks."""

    record: str
    citation: str
    lacks: tuple[str, ...]
    notes: tuple[str, ...]
    forecasts: tuple[ForecastCard, ...]
    older: tuple[str, ...]


class ForecastsPage(Record):
    """What /forecasts shows. ``weight``: of the chain beside the other trials."""

    weight: str
    trials: tuple[TrialForecasts, ...]
    left_out: tuple[TrialForecasts, ...]
    command: str


@router.page("/forecasts", template="forecasts.html.jinja", text="forecasts")
def forecasts() -> ForecastsPage:
    """Forecasts of trials without a result."""
    return _page()


@cache
def _page() -> ForecastsPage:
    rows = tomli.loads(records_folder(_FOLDER).joinpath("trials.toml").read_text("utf-8"))["trial"]
    found = [_trial(row) for row in rows]
    files = [name for row in rows for name in row.get("forecasts", ())]
    weights = [one["stacking_weight"] for one in map(_content, files) if one["format"] == _SECOND]
    return ForecastsPage(
        weight=f"{weights[0]:.2f}" if weights else "",
        trials=tuple(one for one in found if one.forecasts or one.older),
        left_out=tuple(one for one in found if not (one.forecasts or one.older)),
        command="remission forecast score FILE --result estimate=... --result low=... --result high=... --result "
        "unit=... --result source=...",
    )


@cache
def _content(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(records_folder(_FOLDER).joinpath(name).read_text("utf-8"))
    return content


def _trial(row: dict[str, Any]) -> TrialForecasts:
    words = load_text("en", "forecasts")
    contents = {name: _content(name) for name in row.get("forecasts", ())}
    return TrialForecasts(
        record=row["record"],
        citation=str(trial_citation(row["record"])),
        lacks=tuple(row.get("lacks", ())),
        notes=tuple(row.get("notes", ())),
        forecasts=tuple(_card(name, one, words) for name, one in contents.items() if one["format"] == _SECOND),
        older=tuple(_older(one, words) for one in contents.values() if one["format"] != _SECOND),
    )


def _card(name: str, content: dict[str, Any], words: Any) -> ForecastCard:
    from remission.report.interval_charts import forecast_chart

    made = {
        "day": content["written"], "commit": str(content["commit"])[:10], "seed": content["seed"], "n": content["n"],
        "posterior": f"{content['posterior']['plan']} ({content['posterior']['sha256'][:10]})",
    }  # fmt: skip
    return ForecastCard(
        file=name, kind=words["kinds"][content["kind"]], registered=words["registered"].format(**made),
        conditions=tuple(content["conditions"]), says=tuple(content["says"][3:]),
        against=tuple(content["counts_against_it"]),
        figure=figure_of(forecast_chart(name.removesuffix(".json"), content)),
    )  # fmt: skip


def _older(content: dict[str, Any], words: Any) -> str:
    one = content["forecast"]["contrasts"]["hdd-dose"]
    told = {
        "of": f"{content['written']}, {content['forecast']['of']}", "mean": f"{one['mean']['value']:.1f}",
        "low": f"{one['quantiles']['5%']:.1f}", "high": f"{one['quantiles']['95%']:.1f}",
        "chance": f"{100.0 * one['probability_p_below_alpha']['value']:.0f}",
    }  # fmt: skip
    return str(words["older_line"]).format(**told)
