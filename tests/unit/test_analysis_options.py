"""Options of analyses: which method reads which, and what they may name."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from validation.small_trials import small_protocol

from remission.errors import SpecError
from remission.protocol.record import Protocol
from remission.records.analysis import Analysis

CONTRAST = {"treatment": {"drug": "ketamine"}, "control": {"drug": "saline"}}
PRIOR = {"grade": "assumed", "source": "a guess for a test"}
BETA = {**PRIOR, "events": 1.0, "others": 1.0}
MAR = {"assumption": "missing-at-random"}


def analysis(method: str, endpoint: str = "pda", **options: Any) -> dict[str, Any]:
    return {"id": "a", "label": "A", "endpoint": endpoint, "method": method, "contrast": CONTRAST, **options}


def faults(**fields: Any) -> list[tuple[str, object]]:
    with pytest.raises(SpecError) as caught:
        Protocol.create(**{**small_protocol().to_dict(), **fields})
    return [(fault.where, fault.got) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (analysis("mean_difference", tau_day=7), "tau_day"),
        (analysis("log_rank", "time", adjust=["sex"]), "adjust"),
        (analysis("restricted_mean_difference", "time"), "tau_day"),
        (analysis("repeated_difference"), "period_days"),
        (analysis("imputed_difference", period_days=7), "imputation"),
        (analysis("posterior_difference"), "prior"),
        (analysis("posterior_difference", prior={**PRIOR, "center": 0.0}), "prior.worth_people"),
        (
            analysis("posterior_odds_ratio", "relapse", prior={**PRIOR, "center": 0.0, "sd": 1.0, "events": 1.0}),
            "prior.events",
        ),
        (analysis("mean_difference", test="score"), "test"),
        (analysis("odds_ratio", "relapse", stratify_by=["sex"]), "stratify_by"),
        (analysis("odds_ratio", "relapse", errors="hc3"), "errors"),
        (analysis("mean_difference", errors="hc2"), "errors"),
        (analysis("odds_ratio", "relapse", small_sample=False), "small_sample"),
        (analysis("mean_difference", covariance="toeplitz"), "covariance"),
        (analysis("repeated_difference", period_days=7, visit_day=6), "visit_day"),
        (analysis("mmrm", "craving", visit_day=6, mean_over_visits=True), "visit_day"),
        (analysis("mmrm", "craving", covariance="diagonal"), "covariance"),
        (analysis("mmrm", "craving", degrees_of_freedom="residual"), "degrees_of_freedom"),
    ],
    ids=lambda value: value if isinstance(value, str) else value["method"],
)
def test_an_option_is_needed_or_refused_by_its_method(given: dict[str, Any], where: str) -> None:
    """An option that nobody reads is a wish that the writer believes was granted."""
    with pytest.raises(SpecError) as caught:
        Analysis.create(**given)
    assert f"analysis.{where}" in [fault.where for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("given", "where", "got"),
    [
        (analysis("restricted_mean_difference", "time", tau_day=29), "analyses[0].tau_day", 29),
        (analysis("repeated_difference", period_days=28), "analyses[0].period_days", 28),
        (analysis("repeated_difference", "craving", period_days=3), "analyses[0].period_days", 3),
        (analysis("mmrm"), "analyses[0].period_days", "nothing"),
        (analysis("mmrm", "relapse"), "analyses[0].method", "mmrm"),
        (analysis("mmrm", "craving", visit_day=14), "analyses[0].visit_day", 14),
        (analysis("mmrm", period_days=7, visit_day=28), "analyses[0].visit_day", 28),
        (analysis("mmrm", "craving", period_days=3), "analyses[0].period_days", 3),
        (analysis("mean_difference", baseline="nowhere"), "analyses[0].baseline", "nowhere"),
        (analysis("mean_difference", baseline="craving"), "analyses[0].baseline", None),
        (analysis("odds_ratio"), "analyses[0].method", "odds_ratio"),
        (analysis("rate_ratio", "relapse"), "analyses[0].method", "rate_ratio"),
        (analysis("posterior_share_difference", prior=BETA), "analyses[0].method", None),
        (analysis("mean_difference", adjust=["ages"]), "analyses[0].adjust", "ages"),
    ],
    ids=lambda value: "" if value is None or isinstance(value, str | int) else value["method"],
)  # fmt: skip
def test_an_analysis_fits_its_endpoint_and_its_window(given: dict[str, Any], where: str, got: object) -> None:
    """It would otherwise run and give a number of another meaning, or none at all."""
    found = faults(analyses=[given])
    assert any(place.endswith(where) and (got is None or told == got) for place, told in found)


def test_imputing_what_counts_as_use_is_refused() -> None:
    """Where an unseen day is a use day, nothing is missing and imputation would change nothing without a word."""
    endpoints = [{**one, "missing": "use"} for one in small_protocol().to_dict()["endpoints"][:1]]
    found = faults(endpoints=endpoints, analyses=[analysis("imputed_difference", period_days=7, imputation=MAR)])
    assert any(place.endswith("analyses[0].endpoint") for place, _ in found)


def test_one_visit_is_no_repeated_measure() -> None:
    """Nothing is repeated, and the method would promise what an analysis of covariance gives."""
    endpoints = [
        {**one, "window": {"first": 0, "last": 12}} if one["id"] == "craving" else one
        for one in small_protocol().to_dict()["endpoints"]
    ]
    found = faults(endpoints=endpoints, analyses=[analysis("mmrm", "craving")])
    assert any(place.endswith("analyses[0].endpoint") and "1 visits" in str(got) for place, got in found)


def test_days_that_are_no_whole_days_are_not_counted() -> None:
    """Half a day of use has no binomial chance."""
    endpoints = [
        {**one, "missing": "weighted", "missing_weight": 0.5} for one in small_protocol().to_dict()["endpoints"][:1]
    ]
    found = faults(endpoints=endpoints, analyses=[analysis("day_odds_ratio")])
    assert any(place.endswith("analyses[0].endpoint") for place, _ in found)


def late_treatment() -> dict[str, Any]:
    """The small trial with everything a week later, so that there is a time before treatment."""
    fields = small_protocol().to_dict()
    for drug in fields["drugs"].values():
        drug["infusions"][0]["day"] = 7
    before = {"id": "before", "label": "Before", "kind": "percent_days_abstinent", "missing": "observed"}
    fields["endpoints"][0]["window"] = {"first": 7, "last": 27}
    fields["endpoints"].append({**before, "window": {"first": 0, "last": 6}})
    fields["analyses"] = [analysis("mean_difference", baseline="before")]
    return fields


def test_a_measure_of_the_time_before_treatment_is_a_baseline() -> None:
    """The analysis of covariance that trials plan."""
    assert Protocol.create(**late_treatment()).analyses[0].baseline == "before"


@pytest.mark.parametrize(
    "change",
    [
        {"therapies": {"mbrp": {"kind": "mbrp", "quality": 1.0, "session_min": 90.0, "sessions": [{"day": 6}]}}},
        {"medicines": {"naltrexone": {"medicine": "naltrexone"}}},
    ],
    ids=["session", "medicine"],
)
def test_a_measure_after_the_first_treatment_of_any_kind_is_no_baseline(change: dict[str, Any]) -> None:
    """Adjusting for what treatment has changed takes its effect away."""
    fields = {**late_treatment(), **change}
    if "medicines" in change:
        for arm in fields["arms"]:
            arm["medicine"] = "naltrexone"
    with pytest.raises(SpecError) as caught:
        Protocol.create(**fields)
    assert [fault.where for fault in caught.value.faults] == ["protocol.analyses[0].baseline"]


def test_a_session_after_an_infusion_that_an_arm_lacks_is_the_only_fault() -> None:
    """Looking for the first treatment must not stumble over what another check refuses."""
    fields = late_treatment()
    fields["arms"][1]["drug"] = None
    with pytest.raises(SpecError) as caught:
        Protocol.create(**fields)
    assert all("therapies" in fault.where for fault in caught.value.faults)


def test_periods_of_a_crossover_begin_treatment() -> None:
    """The drug of a sequence is in its periods."""
    fields = late_treatment()
    fields["drugs"]["ketamine"]["infusions"][0]["day"] = 0
    fields["drugs"]["saline"]["infusions"][0]["day"] = 0
    fields["therapies"] = {}
    names = ("ketamine", "saline")
    for arm, order in zip(fields["arms"], (names, names[::-1]), strict=True):
        arm.update(drug=None, therapy=None)
        arm["periods"] = [{"start": start, "drug": drug} for start, drug in zip((5, 20), order, strict=True)]
    fields["design"] = {"kind": "crossover", "washout_days": 10}
    with pytest.raises(SpecError) as caught:
        Protocol.create(**fields)
    assert [fault.where for fault in caught.value.faults] == ["protocol.analyses[0].baseline"]


def test_a_protocol_without_new_options_keeps_its_data() -> None:
    """Stored runs are named by the hash of their protocol's data."""
    data = small_protocol().to_dict()
    assert "multiplicity" not in data
    assert all(set(one) == {"id", "label", "endpoint", "method", "contrast", "adjust"} for one in data["analyses"])


def test_options_survive_a_round_trip_and_are_told() -> None:
    """What is run must be what was written, and be readable before it runs."""
    given = [
        analysis("imputed_difference", period_days=7, imputation={"assumption": "copy-reference", "n_imputations": 5}),
        {**analysis("posterior_odds_ratio", "relapse", prior={**PRIOR, "center": 0.1, "sd": 2.0}), "id": "b"},
        {**analysis("log_rank", "time", stratify_by=["sex"]), "id": "c"},
        {**analysis("odds_ratio", "relapse", test="score"), "id": "d"},
        {**analysis("mean_difference", errors="hc3"), "id": "i"},
        {**analysis("repeated_difference", period_days=7, small_sample=False), "id": "e"},
        {**analysis("restricted_mean_difference", "time", tau_day=20), "id": "f"},
        {**analysis("mmrm", "craving", covariance="toeplitz", visit_day=13), "id": "g"},
        {**analysis("mmrm", period_days=7, mean_over_visits=True, covariance_by_side=True), "id": "h"},
    ]
    gates = [
        {"id": "one", "analyses": ["a", "b"], "test": "bonferroni", "hands_on": "rejected"},
        {"id": "two", "analyses": ["c"], "after": "one"},
    ]
    protocol = small_protocol(analyses=given, multiplicity={"gates": gates})
    assert Protocol.from_dict(protocol.to_dict()) == protocol
    told = " ".join(protocol.explain().split())
    for words in (
        "5 imputations, copy-reference", "sd 2 (assumed: a guess for a test)", "within strata of sex", "score test",
        "robust to unequal variances (HC3)",
        "standard errors for many people", "visit of day 13; toeplitz covariance, restricted likelihood",
        "mean over visits; unstructured covariance, one for each side", "by Kenward and Roger",
        "up to 20 days", "Gate two, after one: c by Holm",
        "hands on the share of alpha",
    ):  # fmt: skip
        assert words in told
    assert "with before as the measure before treatment" in " ".join(
        Protocol.create(**late_treatment()).explain().split()
    )


def test_the_analyses_of_the_how_to_page_are_valid() -> None:
    """A reader copies them."""
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "choose-an-analysis.md").read_text("utf-8")
    given = YAML(typ="safe", pure=True).load(page.split("```yaml\n")[1].split("```")[0])
    fields = {**small_protocol().to_dict(), **given, "follow_up_days": 84}
    for endpoint in fields["endpoints"]:
        endpoint["window"] = {"first": 0, "last": 83}
    protocol = Protocol.create(**fields)
    assert protocol.multiplicity is not None
    assert [gate.id for gate in protocol.multiplicity.in_order] == ["primary", "secondary"]
