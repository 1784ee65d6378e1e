"""Every method of analysis in a trial: it runs, its truth exists, and its bytes do not depend on the chunks."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from validation.bias import measure_bias
from validation.small_trials import small_protocol

from remission.analyses.estimate import Status
from remission.patient.backgrounds import course_parameters_of
from remission.protocol.record import Protocol
from remission.runs.tables import write_tables
from remission.trial.chunk import Chunk
from remission.trial.simulate import plan_trial, simulate_trial
from remission.trial.summary import summarize_trial
from remission.trial.truth import estimand_truth

CONTRAST = {"treatment": {"drug": "ketamine"}, "control": {"drug": "saline"}}
PRIOR = {"grade": "assumed", "source": "a prior for a test"}
ENDPOINT = {"window": {"first": 0, "last": 27}, "missing": "observed"}


def analysis(id: str, endpoint: str, method: str, **options: Any) -> dict[str, Any]:
    return {"id": id, "label": id, "endpoint": endpoint, "method": method, "contrast": CONTRAST, **options}


ANALYSES = [
    analysis("ancova", "pda", "mean_difference", adjust=["age", "weight", "sex"]),
    analysis("odds", "relapse", "odds_ratio", adjust=["age"], test="likelihood-ratio"),
    analysis("cox", "time", "hazard_ratio", adjust=["sex"]),
    analysis("robust", "pda", "mean_difference", adjust=["age"], errors="hc3"),
    analysis("cox-strata", "time", "hazard_ratio", adjust=["age"], stratify_by=["sex", "site"]),
    analysis("log-rank", "time", "log_rank", stratify_by=["sex", "site"]),
    analysis("rmst", "time", "restricted_mean_difference", tau_day=20),
    analysis("rate", "days", "rate_ratio"),
    analysis("day-odds", "pda", "day_odds_ratio"),
    analysis("use-odds", "days", "day_odds_ratio"),
    analysis("gee", "pda", "repeated_difference", period_days=7),
    analysis("gee-craving", "craving", "repeated_difference", period_days=7, correlation="autoregressive"),
    analysis("mmrm", "pda", "mmrm", period_days=7, covariance="heterogeneous-autoregressive", adjust=["age"]),
    analysis("mmrm-mean", "pda", "mmrm", period_days=7, mean_over_visits=True, degrees_of_freedom="satterthwaite"),
    analysis("mmrm-craving", "craving", "mmrm", covariance="toeplitz", covariance_by_side=True, visit_day=13),
    analysis("mmrm-distance", "pda", "mmrm", period_days=7, covariance="spatial-exponential"),
    analysis("mi", "pda", "imputed_difference", period_days=7,
             imputation={"assumption": "jump-to-reference", "n_imputations": 2}),
    analysis("prior", "pda", "posterior_difference", prior={**PRIOR, "center": 0.0, "worth_people": 20.0}),
    analysis("prior-shares", "relapse", "posterior_share_difference", prior={**PRIOR, "events": 0.5, "others": 0.5}),
    analysis("prior-odds", "relapse", "posterior_odds_ratio", prior={**PRIOR, "center": 0.0, "sd": 1.0}),
]  # fmt: skip


def protocol_of(**changes: Any) -> Protocol:
    plain = small_protocol().to_dict()
    return Protocol.create(
        **{
            **plain,
            "population": {**plain["population"], "n_subjects": 80},
            "setting": {**plain["setting"], "n_sites": 2},
            "endpoints": [*plain["endpoints"], {"id": "days", "label": "Use days", "kind": "use_days", **ENDPOINT}],
            "analyses": ANALYSES,
            "multiplicity": {"gates": [{"id": "all", "analyses": ["ancova", "odds"]}]},
            **changes,
        }
    )


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return protocol_of()


def test_every_method_gives_estimates_in_a_trial(protocol: Protocol, tmp_path: Path) -> None:
    """An estimate inside its interval, in a unit, with a row in the table; adjusted p values beside the raw ones."""
    result = simulate_trial(protocol, n_replicates=3, seed=1)
    for one in protocol.analyses:
        found = result.estimates[one.id]
        assert found.status == (Status.OK,) * 3, one.id
        assert ((found.low < found.estimate) & (found.estimate < found.high)).all()
        assert ((found.p_value >= 0.0) & (found.p_value <= 1.0)).all()
    rows = {row.id: row for row in summarize_trial(result).rows if row.kind == "analysis"}
    assert {rows[name].unit for name in ("ancova", "gee", "mi", "prior", "prior-shares")} == {"percentage points"}
    assert {rows[name].unit for name in ("odds", "log-rank", "rate", "day-odds", "prior-odds")} == {"ratio"}
    assert rows["rmst"].unit == "day"
    assert set(result.adjusted_p_values) == {"ancova", "odds"}
    assert (result.adjusted_p_values["ancova"] >= result.estimates["ancova"].p_value).all()
    write_tables(result, tmp_path)
    table = pq.read_table(tmp_path / "estimates.parquet").to_pydict()
    told = [p for name, p in zip(table["analysis"], table["adjusted_p_value"], strict=True) if name == "odds"]
    assert told == result.adjusted_p_values["odds"].tolist()


def test_chunks_change_no_bit_of_any_method(protocol: Protocol) -> None:
    """Draws of imputations have addresses too, and a batch sums each replicate on its own."""
    plan = plan_trial(protocol, n_replicates=4, seed=2)
    whole = plan.run(Chunk(first=0, count=4))
    for number in (0, 3):
        alone = plan.run(Chunk(first=number, count=1))
        for name, found in alone.estimates.items():
            for column in ("estimate", "low", "high", "p_value"):
                np.testing.assert_array_equal(
                    getattr(found, column), getattr(whole.estimates[name], column)[[number]], err_msg=name
                )


def estimand(name: str) -> dict[str, str]:
    words = dict.fromkeys(("treatment", "population", "variable", "intercurrent_events", "summary"), "as in a test")
    return {**words, "analysis": name}


@pytest.mark.parametrize("name", ["ancova", "odds", "cox", "rate"])
def test_every_method_has_a_truth_that_its_estimates_are_near(name: str) -> None:
    """Analyses of one endpoint share the estimand's truth; posteriors lean toward their prior, so only the sign of
    their effect is looked at.
    """
    endpoint = next(one["endpoint"] for one in ANALYSES if one["id"] == name)
    same = [one for one in ANALYSES if one["endpoint"] == endpoint]
    protocol = protocol_of(estimand=estimand(name), analyses=same, multiplicity=None)
    truths = estimand_truth(protocol, n_people=1000, seed=3).contrasts
    result = simulate_trial(protocol, n_replicates=8, seed=4, parameters=course_parameters_of(protocol))
    for other, truth in truths.items():
        is_ratio = next(one.is_ratio for one in protocol.analyses if one.id == other)
        found = measure_bias(result, truth)
        size = np.log(truth.estimate) if is_ratio else truth.estimate
        spread = np.log(result.estimates[other].estimate) if is_ratio else result.estimates[other].estimate
        if "prior" in other:
            assert np.sign(np.median(spread)) == np.sign(size)
        else:
            assert abs(found.bias) < 2.0 * spread.std()
    if name == "cox":
        assert truths["log-rank"].estimate == truths["cox"].estimate
        assert 0.0 < truths["rmst"].estimate < 20.0


def test_the_truth_of_a_visit_is_that_of_its_day() -> None:
    """A difference that grows over visits is another at the last one than in the mean; each estimate has its own."""
    analyses = [
        analysis("last", "craving", "mmrm"),
        analysis("second", "craving", "mmrm", visit_day=13),
        analysis("whole", "craving", "mmrm", mean_over_visits=True),
        analysis("plain", "craving", "mean_difference"),
    ]
    found = {}
    for name in ("last", "second", "whole"):
        protocol = protocol_of(estimand=estimand(name), analyses=analyses, multiplicity=None)
        found[name] = estimand_truth(protocol, n_people=500, seed=3)
    assert set(found["whole"].contrasts) == {"whole", "plain"}
    assert set(found["last"].contrasts) == {"last"}
    assert found["whole"].primary.estimate == found["whole"].contrasts["plain"].estimate
    narrow = [{**one, "window": {"first": 13, "last": 13}} if one["id"] == "craving" else one
              for one in protocol_of().to_dict()["endpoints"]]  # fmt: skip
    alone = protocol_of(estimand=estimand("plain"), analyses=analyses[-1:], endpoints=narrow, multiplicity=None)
    assert found["second"].primary.estimate == estimand_truth(alone, n_people=500, seed=3).primary.estimate


def test_a_factor_of_the_arms_comes_before_a_covariate_of_its_name() -> None:
    """A file written when 'age' could only be a factor must mean what it meant."""
    plain = small_protocol().to_dict()
    arms = [
        {**arm, "id": f"{arm['id']}-{age}", "label": f"{arm['label']} {age}", "factors": {**arm["factors"], "age": age}}
        for arm in plain["arms"]
        for age in ("young", "old")
    ]
    analyses = [analysis("a", "pda", "mean_difference", adjust=["age"])]
    protocol = Protocol.create(**{**plain, "arms": arms, "analyses": analyses})
    plan = plan_trial(protocol, n_replicates=2, seed=1)
    batch = plan.simulate(plan.chunks[0])
    found = plan.analyze(plan.chunks[0], batch).estimates["a"]
    values = batch.observation
    del values
    level = np.array([arm.factors["age"] == "young" for arm in protocol.arms])[batch.arm]
    assert level.any()
    renamed = Protocol.create(
        **{
            **protocol.to_dict(),
            "arms": [
                {**arm, "factors": {"drug": arm["factors"]["drug"], "era": arm["factors"]["age"]}} for arm in arms
            ],
            "analyses": [analysis("a", "pda", "mean_difference", adjust=["era"])],
        }
    )
    other = plan_trial(renamed, n_replicates=2, seed=1)
    np.testing.assert_array_equal(other.run(other.chunks[0]).estimates["a"].estimate, found.estimate)


def test_a_baseline_measure_narrows_the_interval() -> None:
    """What it is for; people without it are left out, as a trial would."""
    fields = protocol_of().to_dict()
    for drug in fields["drugs"].values():
        drug["infusions"][0]["day"] = 7
    fields["endpoints"][0]["window"]["first"] = 7
    before = {"id": "before", "label": "Before", "kind": "percent_days_abstinent", "missing": "observed"}
    fields["endpoints"].append({**before, "window": {"first": 0, "last": 6}})
    fields["analyses"] = [
        analysis("plain", "pda", "mean_difference"),
        analysis("adjusted", "pda", "mean_difference", baseline="before"),
    ]
    fields["multiplicity"] = None
    result = simulate_trial(Protocol.create(**fields), n_replicates=5, seed=1)
    width = {name: found.high - found.low for name, found in result.estimates.items()}
    assert (width["adjusted"] < width["plain"]).all()
