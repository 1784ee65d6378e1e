"""Named endpoints in protocols: read by name, refused where they cannot be fed, simulated, and true."""

from typing import Any

import numpy as np
import pytest
from validation.small_trials import small_protocol

from remission.cli.app import run_app
from remission.errors import LibraryError, SpecError
from remission.library.drinking import ethanol_g_per_unit, risk_bounds_g_per_day
from remission.library.endpoints import list_endpoints, load_endpoint
from remission.library.loader import list_parameter_sets, load_parameter_set
from remission.library.references import load_reference
from remission.protocol.endpoint_explanation import explain_endpoint
from remission.protocol.file import parse_protocol, write_protocol
from remission.protocol.record import Protocol
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import KINDS
from remission.records.population import DayRange
from remission.trial.simulate import simulate_trial
from remission.trial.summary import summarize_trial
from remission.trial.truth import estimand_truth

WINDOW = {"first": 0, "last": 27}


def with_endpoint(fields: dict[str, Any], method: str | None = None, **changes: Any) -> Protocol:
    """The small trial with one endpoint, and an analysis of it."""
    analyses = [
        {
            "id": "a", "label": "a", "endpoint": "e", "method": method,
            "contrast": {"treatment": {"drug": "ketamine"}, "control": {"drug": "saline"}},
        }
    ] if method else []  # fmt: skip
    return small_protocol(endpoints=[{"id": "e", **fields}], analyses=analyses, **changes)


def test_every_entry_has_a_source_that_can_be_shown() -> None:
    """A definition without a source is an opinion."""
    for one in list_endpoints():
        assert load_reference(one.citation).title, one.id
        assert one.grade in {"measured", "derived", "unverified"}
    with pytest.raises(LibraryError, match="ctn0094-relapse"):
        load_endpoint("ctn0094-relapses")


def test_every_kind_that_is_new_has_a_name_in_the_catalogue() -> None:
    """A kind that no published definition uses needs a reason to exist."""
    named = {one.kind for one in list_endpoints()}
    old = {"any_use", "confirmed_relapse", "abstinent_window", "days_to_relapse_or_dropout"}
    assert set(KINDS) - named == old


def test_a_definition_by_name_is_the_definition_spelled_out() -> None:
    """The file may say the name; what is stored, hashed and run is the whole."""
    named = with_endpoint({"definition": "prolonged-abstinence", "window": WINDOW})
    (item,) = named.endpoints
    assert (item.kind, item.grace_days, item.missing) == ("prolonged_abstinence", 14, "use")
    spelled = item.to_dict()
    assert Endpoint.from_dict(spelled) == item
    assert Endpoint.from_dict({**spelled, "definition": None}).replace(definition=item.definition) == item
    assert parse_protocol(write_protocol(named), name="named.yaml") == named


@pytest.mark.parametrize(
    ("fields", "where", "words"),
    [
        ({"definition": "ctn0094-relapse", "window": {"first": 1, "last": 30}}, "window.last", "at most 27"),
        ({"definition": "ling-1976-index", "window": {"first": 1, "last": 27}}, "window.last", "at least 15 weeks"),
        ({"definition": "craving-change", "window": WINDOW, "baseline": {"first": 0, "last": 3}}, "baseline", "days 6"),
        (
            {"definition": "craving-change", "window": WINDOW, "baseline": {"first": 0, "last": 40}},
            "baseline.last",
            "27",
        ),
        ({"definition": "percent-negative-tests", "window": {"first": 0, "last": 3}}, "window", "6, 13, 20, 27"),
    ],
)
def test_what_the_trial_cannot_feed_is_refused_before_it_runs(fields: dict[str, Any], where: str, words: str) -> None:
    """A window outside the follow-up or without a visit would give people without a number, found after hours."""
    with pytest.raises(SpecError) as caught:
        with_endpoint({"label": "e", **fields})
    (fault,) = [one for one in caught.value.faults if where in one.where]
    assert fault.where == f"protocol.endpoints[0].{where}"
    assert words in f"{fault.allowed} {fault.remedy}"


@pytest.mark.parametrize(
    ("name", "collects", "what"),
    [("ctn0094-relapse", ["diary", "craving"], "test"), ("last-craving", ["diary", "test"], "craving"),
     ("use-days", ["test", "craving"], "diary")],
)  # fmt: skip
def test_data_that_no_visit_collects_is_named(name: str, collects: list[str], what: str) -> None:
    """With the remedy beside it."""
    visits = [{"id": "weekly", "days": [6, 13, 20, 27], "collects": collects}]
    with pytest.raises(SpecError, match=f"Add '{what}' to a visit's collects"):
        with_endpoint({"definition": name, "window": {"first": 1, "last": 27}}, visits=visits)


def test_drinking_risk_is_for_alcohol() -> None:
    """Grams of ethanol say nothing of cocaine."""
    risk = {
        "definition": "drinking-risk-one-level",
        "window": {"first": 7, "last": 27},
        "baseline": {"first": 0, "last": 6},
    }
    assert with_endpoint(risk).endpoints[0].risk_levels == 1
    with pytest.raises(SpecError, match="risk levels are grams"):
        with_endpoint(risk, substance="cocaine")


def test_amounts_of_alcohol_have_one_unit_in_every_parameter_set() -> None:
    """Grams are computed from the default set's unit; another unit in another set would be a wrong number."""
    units = {
        load_parameter_set(name)["mu_a.alcohol"].unit
        for name in list_parameter_sets()
        if "mu_a.alcohol" in load_parameter_set(name)
    }
    assert units == {"log UK units"}
    assert ethanol_g_per_unit("UK units") == 8.0
    assert ethanol_g_per_unit("pills") is None
    assert risk_bounds_g_per_day()["male"] == (40.0, 60.0, 100.0)


ALL = [one for one in list_endpoints() if one.group != "weekly"] + [
    load_endpoint("ctn0094-relapse"),
    load_endpoint("fiellin-2006-negative"),
]
METHOD = {
    "percent": "mean_difference",
    "count": "mean_difference",
    "mean": "mean_difference",
    "binary": "odds_ratio",
    "time": "hazard_ratio",
}


def test_every_endpoint_runs_in_a_trial() -> None:
    """From the file to the summary, all at once, with units that a reader can read."""
    endpoints, analyses = [], []
    for one in ALL:
        extra: dict[str, Any] = {"baseline": {"first": 0, "last": 6}} if one.needs_baseline else {}
        extra |= {"amount_unit": "US drinks"} if "amount_unit" in one.facts.takes else {}
        extra |= {"cue_sd": 1.5} if "cue_sd" in one.facts.takes else {}
        first = 7 if one.facts.baseline_apart else 1
        # Sessions are on day 0, before the other windows.
        first = 0 if one.group == "sessions" else first
        endpoints.append({"id": one.id, "definition": one.id, "window": {"first": first, "last": 27}, **extra})
        analyses.append(
            {
                "id": f"a-{one.id}", "label": one.id, "endpoint": one.id, "method": METHOD[one.facts.scale],
                "contrast": {"treatment": {"drug": "ketamine"}, "control": {"drug": "saline"}},
            }
        )  # fmt: skip
    endpoints = [{**one, **({"window": {"first": 0, "last": 27}} if "30" in one["id"] else {})} for one in endpoints]
    endpoints = [one for one in endpoints if one["id"] != "point-prevalence-30"]
    analyses = [one for one in analyses if one["endpoint"] != "point-prevalence-30"]
    population = {
        **small_protocol().population.to_dict(),
        "depression_scale": {"scale": "MADRS", "mean_points": 26.0, "sd_points": 6.0},
        "resting_systolic": {"mean_mmhg": 130.0, "sd_mmhg": 14.0},
    }
    events = {"readmission": {"use_days": 3, "within_days": 7, "chance": 0.5}}
    visits = [{"id": "weekly", "days": [6, 13, 20, 27], "collects": ["diary", "test", "craving", "depression"]}]
    protocol = small_protocol(
        endpoints=endpoints, analyses=analyses, population=population, events=events, visits=visits
    )
    result = simulate_trial(protocol, n_replicates=3, seed=4)
    for name, arm in result.arms.items():
        assert (arm.n > 0).all(), name
        item = next(one for one in protocol.endpoints if one.id == name)
        assert np.isfinite(arm.event_share).all() == item.is_time_to_event, name
    rows = summarize_trial(result).rows
    assert {row.unit for row in rows} >= {"day", "week", "% of days", "% of tests", "% of weeks", "VAS 0-100", "test"}


@pytest.mark.parametrize(
    "name", ["days-in-study", "completed", "percent-negative-tests", "days-to-use", "fiellin-2006-negative"]
)
def test_strategies_reach_every_kind(name: str) -> None:
    """Leaving as a failure worsens an endpoint, whichever data it reads."""
    one = load_endpoint(name)
    protocol = with_endpoint(
        {"definition": name, "window": {"first": 1, "last": 27}},
        METHOD[one.facts.scale],
        events={"relapse": {"use_days": 2, "within_days": 7}},
    )
    means = {}
    for strategy in ("treatment-policy", "composite"):
        strategies = {"relapse": strategy, "dropout": "composite"}
        estimand = {
            "treatment": "t", "population": "p", "variable": "v", "intercurrent_events": "i", "summary": "s",
            "analysis": "a", "strategies": strategies,
        }  # fmt: skip
        truth = estimand_truth(protocol.replace(estimand=estimand), n_people=200, seed=3)
        means[strategy] = truth.arms["ketamine-therapy"].mean
    assert means["composite"] <= means["treatment-policy"]
    # The first use day is before or on the day of relapse, so a relapse as failure cannot change it.
    assert (means["composite"] < means["treatment-policy"]) == (name != "days-to-use")


def test_time_kinds_refuse_strategies_without_meaning() -> None:
    """A time that stops before its event is not a time to it; leaving is the event of retention."""
    protocol = with_endpoint({"definition": "days-in-study", "window": WINDOW}, "hazard_ratio")
    estimand = {
        "treatment": "t", "population": "p", "variable": "v", "intercurrent_events": "i", "summary": "s",
        "analysis": "a",
    }  # fmt: skip
    for strategy, words in (("treatment-policy", "leaving is an event"), ("while-on-treatment", "composite")):
        with pytest.raises(SpecError, match=words):
            protocol.replace(estimand={**estimand, "strategies": {"dropout": strategy}})
    craving = with_endpoint({"definition": "last-craving", "window": WINDOW}, "mean_difference")
    with pytest.raises(SpecError, match="no craving mark"):
        craving.replace(estimand={**estimand, "strategies": {"dropout": "composite"}})


def test_an_endpoint_is_explained_with_everything_that_it_says() -> None:
    """A reader must see the rule before the run, not find it in the results."""
    fields = {"first": 1, "last": 28}
    told = explain_endpoint(load_endpoint("prolonged-abstinence").endpoint(DayRange(**fields)))
    assert told == (
        "Prolonged abstinence (prolonged-abstinence): prolonged abstinence, days 1 to 28; what is not observed counts "
        "as use; use on the first 14 days does not count; use counts from consecutive days 7, consecutive weeks 2; as "
        "defined by 'prolonged-abstinence'."
    )
    change = load_endpoint("craving-change").endpoint(DayRange(**fields), baseline=DayRange(first=0, last=0))
    assert "compared with days 0 to 0" in explain_endpoint(change)
    assert "from week 3" in explain_endpoint(load_endpoint("lee-2018-relapse").endpoint(DayRange(**fields)))
    assert "leaving is the event" in explain_endpoint(load_endpoint("days-in-study").endpoint(DayRange(**fields)))


def test_the_list_begins_with_what_a_regulator_accepts_and_hides_one_field(capsys: pytest.CaptureFixture[str]) -> None:
    """Who looks for an endpoint of alcohol must not search it below thirty rules for weekly urine tests."""
    assert run_app(["endpoints", "list"]) == 0
    short = capsys.readouterr().out
    assert short.index("drinking-risk-two-levels") < short.index("drinking-risk-one-level") < short.index("diary")
    weekly = [one.id for one in list_endpoints() if one.group == "weekly"]
    assert not any(f"  {name} " in short for name in weekly)
    assert f"{len(weekly)} more" in short
    for asked in (["--all"], ["--group", "weekly"]):
        assert run_app(["endpoints", "list", *asked]) == 0
        shown = capsys.readouterr().out
        assert all(f"  {name} " in shown for name in weekly)
