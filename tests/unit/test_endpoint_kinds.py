"""Each kind of endpoint on diaries short enough to count by hand."""

from typing import Any

import numpy as np
import pytest
from seen_days import endpoint, seen_days

from remission.endpoints.values import period_values_of, times_of, values_of
from remission.errors import SpecError
from remission.library.protocols import load_protocol
from remission.protocol.file import parse_protocol, write_protocol
from remission.records.endpoint import Endpoint
from remission.records.population import DayRange

PAIRS = [DayRange(first=first, last=min(first + 1, 6)) for first in range(0, 7, 2)]


def test_days_of_use_are_counted_by_every_rule_for_the_missing() -> None:
    """Two seen use days, two unseen days after a use day: 2, 4, 4 and 2 + 2 * .25."""
    data = seen_days("x.x??")
    found = [values_of(endpoint("use_days", 0, 4, rule), data)[0] for rule in ("observed", "use", "carried")]
    weighted = values_of(endpoint("use_days", 0, 4, "weighted", missing_weight=0.25), data)[0]
    assert [*found, weighted] == [2.0, 4.0, 4.0, 2.5]


def test_the_last_day_seen_is_carried_from_before_the_window() -> None:
    """A window that begins after the last diary still has an answer; someone never seen has none."""
    data = seen_days("..x???", "??????")
    found = values_of(endpoint("percent_days_abstinent", 3, 5, "carried"), data)
    assert found[0] == 0.0
    assert np.isnan(found[1])


def test_the_longest_run_is_broken_by_use_and_by_unseen_days_only_under_the_strict_rule() -> None:
    """Left out, an unseen day neither ends nor lengthens a run; as use, it ends it."""
    data = seen_days("..?...x.")
    assert values_of(endpoint("longest_abstinence", 0, 7), data)[0] == 5.0
    assert values_of(endpoint("longest_abstinence", 0, 7, "use"), data)[0] == 3.0
    assert values_of(endpoint("longest_abstinence", 0, 7, "carried"), data)[0] == 6.0


def test_continuous_abstinence_forgives_the_grace_period_only() -> None:
    """Use on the last day of grace is forgiven, on the first day after it is not."""
    data = seen_days("x..x....", "xxx.....")
    assert values_of(endpoint("continuous_abstinence", 0, 7, grace_days=3), data).tolist() == [0.0, 1.0]
    assert values_of(endpoint("continuous_abstinence", 0, 7), data).tolist() == [0.0, 0.0]


def test_point_prevalence_looks_at_the_last_days_only() -> None:
    """Seven days before the end are not the eighth."""
    data = seen_days("x.......", ".x......")
    assert values_of(endpoint("point_prevalence_abstinence", 0, 7, length_days=7), data).tolist() == [1.0, 0.0]


def test_prolonged_abstinence_fails_by_seven_days_or_by_two_weeks_in_a_row() -> None:
    """Six days in a row within one week are a lapse; one day in each of two weeks in a row is a failure."""
    data = seen_days("xxxxxx" + "." * 15, "xxxxxxx" + "." * 14, "......xx" + "." * 13, "x......" + "." * 7 + "x......")
    rule = {"consecutive_days": 7, "consecutive_weeks": 2}
    assert values_of(endpoint("prolonged_abstinence", 0, 20, failure=rule), data).tolist() == [1.0, 0.0, 0.0, 1.0]


def test_a_test_can_refute_an_abstinence() -> None:
    """A clean diary with a positive test is no verified abstinence; a missed test counts only under the strict rule."""
    data = seen_days("....", "....", tests=["   +", "   o"])
    plain: dict[str, Any] = {"length_days": 2, "verification": "test"}
    assert values_of(endpoint("point_prevalence_abstinence", 0, 3, **plain), data).tolist() == [0.0, 1.0]
    assert values_of(endpoint("point_prevalence_abstinence", 0, 3, "use", **plain), data).tolist() == [0.0, 0.0]


def test_times_are_dated_by_their_event() -> None:
    """First use, first heavy day, and relapse on the day it is met or on which it began."""
    data = seen_days("..x.X.xxx.", "..........")
    expected = {"days_to_use": 3.0, "days_to_heavy_day": 5.0}
    for kind, day in expected.items():
        time, event = times_of(endpoint(kind, 0, 9), data)
        assert (time.tolist(), event.tolist()) == ([day, 10.0], [True, False])
    for dated, day in (("first-day", 7.0), ("met", 9.0)):
        time, event = times_of(endpoint("days_to_relapse", 0, 9, failure={"consecutive_days": 3, "dated": dated}), data)
        assert (time[0], event[0]) == (day, True)
    spread = endpoint("days_to_relapse", 0, 9, failure={"use_days": 3, "within_days": 5, "dated": "first-day"})
    assert times_of(spread, data)[0][0] == 3.0


def test_a_time_that_leaves_out_the_missing_is_censored_at_the_last_day_seen() -> None:
    """Nobody saw the days after it; under the strict rule the first of them is the event."""
    data = seen_days("...??", "?????")
    time, event = times_of(endpoint("days_to_use", 0, 4), data)
    assert (time[0], event[0]) == (3.0, False)
    assert np.isnan(time[1])
    strict, failed = times_of(endpoint("days_to_use", 0, 4, "use"), data)
    assert (strict.tolist(), failed.tolist()) == ([4.0, 1.0], [True, True])


def test_retention_counts_days_before_leaving() -> None:
    """Who leaves on the window's last day has not completed; leaving before the window is day 0."""
    data = seen_days("." * 8, "." * 8, "." * 8, days_in_study=np.array([8, 5, 1]))
    time, event = times_of(endpoint("days_in_study", 2, 7), data)
    assert (time.tolist(), event.tolist()) == ([6.0, 3.0, 0.0], [False, True, True])
    assert values_of(endpoint("completed", 2, 7), data).tolist() == [1.0, 0.0, 0.0]


def test_planned_ends_differ_between_people() -> None:
    """A day after a person's planned follow-up is no day of theirs, neither seen nor missing."""
    data = seen_days("x...", "x.??", end_day=np.array([4, 2]))
    assert values_of(endpoint("percent_days_abstinent", 0, 3, "use"), data).tolist() == [75.0, 50.0]
    assert values_of(endpoint("use_days", 0, 3, "use"), data).tolist() == [1.0, 1.0]


def test_craving_has_a_mean_a_last_mark_and_a_change() -> None:
    """A missed last mark is the one before it only when it may be carried into the window."""
    marks = np.array([[60.0, 30.0, 10.0], [60.0, np.nan, np.nan]])
    data = seen_days("." * 9, "." * 9, craving_day=np.array([0, 4, 8]), craving_vas=marks)
    assert values_of(endpoint("mean_craving", 4, 8), data)[0] == 20.0
    last = values_of(endpoint("last_craving", 4, 8), data)
    assert last[0] == 10.0
    assert np.isnan(last[1])
    assert values_of(endpoint("last_craving", 4, 8, "carried"), data).tolist() == [10.0, 60.0]
    change = values_of(endpoint("craving_change", 4, 8, baseline={"first": 0, "last": 0}), data)
    assert change[0] == -40.0
    assert np.isnan(change[1])


def test_tests_are_a_share_and_a_score() -> None:
    """Two negative, one positive, one missed: 67% of those given, 50% of those due; the score is 2 either way."""
    data = seen_days("." * 8, tests=["-  +- o "])
    by_rule = {rule: values_of(endpoint("percent_negative_tests", 0, 7, rule), data)[0] for rule in ("observed", "use")}
    assert by_rule == {"observed": pytest.approx(200.0 / 3.0), "use": 50.0}
    assert values_of(endpoint("percent_negative_tests", 0, 7, "carried"), data)[0] == 75.0
    assert values_of(endpoint("negative_tests", 0, 7, "use"), data)[0] == 2.0
    weighted = endpoint("percent_negative_tests", 0, 7, "weighted", missing_weight=0.5)
    assert values_of(weighted, data)[0] == 62.5


def test_drinking_risk_needs_amounts_sexes_and_a_fall() -> None:
    """A man at 16 * 8 = 128 g a day falls from very high to low; at the bound of a level he is inside it."""
    amount = np.array([[16.0, 16.0, 5.0, 5.0], [5.0, 5.0, 5.0, 5.0], [5.0, 5.0, 2.0, 2.0]])
    known: dict[str, Any] = {"amount": amount, "ethanol_g_per_amount": 8.0, "female": np.array([False, False, True])}
    data = seen_days("xxxx", "xxxx", "xxxx", **known)
    two = endpoint("drinking_risk_reduction", 2, 3, baseline={"first": 0, "last": 1}, risk_levels=2)
    one = endpoint("drinking_risk_reduction", 2, 3, baseline={"first": 0, "last": 1}, risk_levels=1)
    assert values_of(two, data).tolist() == [1.0, 0.0, 0.0]  # 128 -> 40 g; 40 -> 40 g; a woman 40 (medium) -> 16 g
    assert values_of(one, data).tolist() == [1.0, 0.0, 1.0]
    for lacking in ({"amount": None}, {"ethanol_g_per_amount": None}, {"female": None}):
        with pytest.raises(SpecError, match="drinking_risk_reduction"):
            values_of(one, seen_days("xxxx", "xxxx", "xxxx", **{**known, **lacking}))


def test_periods_cut_the_window_and_leave_unseen_ones_without_a_number() -> None:
    """What is imputed later must not be filled here by the endpoint's own rule."""
    data = seen_days("x...x??")
    found = period_values_of(endpoint("percent_days_abstinent", 0, 6, "use"), data, PAIRS)
    np.testing.assert_array_equal(found, [[50.0, 100.0, 0.0, np.nan]])
    with pytest.raises(SpecError, match="prolonged_abstinence"):
        period_values_of(endpoint("prolonged_abstinence", 0, 6, failure={"consecutive_days": 2}), data, PAIRS)


def test_what_cannot_be_computed_is_refused() -> None:
    """A wrong number is worse than none: no amounts, no bound of a heavy day, a window outside, no time."""
    data = seen_days("x.x", amount=None)
    for item, words in (
        (endpoint("percent_heavy_days", 0, 2), "amounts"),
        (endpoint("use_days", 0, 3), "days 0 to 2"),
    ):
        with pytest.raises(SpecError, match=words):
            values_of(item, data)
    with pytest.raises(SpecError, match="heavy"):
        values_of(endpoint("percent_heavy_days", 0, 2), seen_days("x.x", heavy_amount=None))
    with pytest.raises(SpecError, match="time to an event"):
        times_of(endpoint("use_days", 0, 2), data)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"kind": "use_days", "missing": "neighbors"}, "missing"),
        ({"kind": "use_days", "missing": "weighted"}, "missing_weight"),
        ({"kind": "use_days", "missing": "observed", "missing_weight": 0.5}, "missing_weight"),
        ({"kind": "use_days", "missing": "observed", "grace_days": 3}, "grace_days"),
        ({"kind": "change_in_use_days", "missing": "observed"}, "baseline"),
        ({"kind": "change_in_use_days", "missing": "observed", "baseline": {"first": -9, "last": 0}}, "baseline.last"),
        ({"kind": "reduced_amount", "missing": "use", "baseline": {"first": -9, "last": -1}}, "reduction_percent"),
        (
            {"kind": "reduced_use_days", "baseline": {"first": -9, "last": -1}, "reduction_percent": 0.0},
            "reduction_percent",
        ),
        ({"kind": "use_days", "missing": "observed", "amount_unit": "g"}, "amount_unit"),
        ({"kind": "days_to_relapse", "missing": "observed"}, "failure"),
        ({"kind": "days_to_relapse", "missing": "observed", "failure": {}}, "failure"),
        ({"kind": "days_to_relapse", "missing": "observed", "failure": {"use_days": 3}}, "failure.within_days"),
        (
            {"kind": "days_to_relapse", "missing": "observed", "failure": {"use_days": 3, "within_days": 2}},
            "failure.use_days",
        ),
        ({"kind": "continuous_abstinence", "missing": "use", "grace_days": 10}, "grace_days"),
        ({"kind": "point_prevalence_abstinence", "missing": "use", "length_days": 11}, "length_days"),
        ({"kind": "weeks_to_positive", "missing": "use", "weekly": {"mixed": "use"}}, "weekly.use_weeks"),
        ({"kind": "weeks_to_positive", "missing": "use", "weekly": {"use_weeks": 3}}, "weekly.within_weeks"),
        (
            {"kind": "weeks_to_positive", "missing": "use", "weekly": {"use_weeks": 3, "within_weeks": 2}},
            "weekly.use_weeks",
        ),
        ({"kind": "negative_weeks", "missing": "use", "weekly": {"from_week": 3, "to_week": 2}}, "weekly.to_week"),
        ({"kind": "negative_weeks", "missing": "use", "weekly": {"schedule": [2, 1]}}, "weekly.schedule"),
        (
            {"kind": "weekly_criteria", "missing": "use", "weekly": {"criteria": [{"first": 0, "last": 1}]}},
            "weekly.criteria[0].first",
        ),
        (
            {"kind": "weekly_criteria", "missing": "use", "weekly": {"criteria": [{"first": -1, "last": -2}]}},
            "weekly.criteria[0].last",
        ),
        ({"definition": "ctn0094-relaps"}, "definition"),
        ({"definition": "ctn0094-relapse", "missing": "observed"}, "missing"),
    ],
)
def test_a_field_without_meaning_is_refused_at_its_place(fields: dict[str, object], where: str) -> None:
    """An endpoint that is not what its writer thinks would give a number all the same."""
    with pytest.raises(SpecError) as caught:
        Endpoint.create(**{"id": "e", "label": "e", "window": {"first": 0, "last": 9}, **fields})
    assert [fault.where for fault in caught.value.faults] == [f"endpoint.{where}"]


def test_a_rule_without_effect_is_no_rule() -> None:
    """Craving that nobody marked was left out under both rules, and a file could say that it counts as use."""
    text = write_protocol(load_protocol("kare"))
    assert "kind: mean_craving" in text
    head, tail = text.split("kind: mean_craving", 1)
    wrong = head + "kind: mean_craving" + tail.replace("missing: observed", "missing: use", 1)
    with pytest.raises(SpecError, match="expected observed for mean_craving"):
        parse_protocol(wrong, name="kare.yaml")


@pytest.mark.parametrize("kind", ["mean_craving", "craving_change", "days_in_study"])
def test_a_rule_without_effect_is_refused_from_python_as_from_a_file(kind: str) -> None:
    """A script would believe that leaving counts as use where nothing of it does; what was stored long ago passes."""
    fields: dict[str, Any] = {
        "id": "e",
        "label": "e",
        "kind": kind,
        "window": {"first": 0, "last": 9},
        "missing": "use",
    }
    fields |= {"baseline": {"first": 0, "last": 2}} if kind == "craving_change" else {}
    with pytest.raises(SpecError, match=f"expected observed for {kind}"):
        Endpoint.create(**fields)
    if kind == "mean_craving":
        assert Endpoint.from_dict(fields, is_stored=True).missing == "use"


BASELINE = {"first": -4, "last": -1}


def before_and_after(*lines: str, **changes: Any) -> Any:
    """People whose days begin on day -4."""
    return seen_days(*lines, **{"first_day": -4, "end_day": np.full(len(lines), len(lines[0]) - 4), **changes})


def test_a_change_is_what_the_window_has_minus_what_the_baseline_had() -> None:
    """Three of four days before, one of four after; unseen days of the baseline are left out, never clean."""
    data = before_and_after("xxx.x...", "x???x...", "????x...", "XXxxX...")
    change = endpoint("change_in_use_days", 0, 3, baseline=BASELINE)
    np.testing.assert_array_equal(values_of(change, data), [-50.0, -75.0, np.nan, -75.0])
    heavy = endpoint("change_in_heavy_days", 0, 3, baseline=BASELINE)
    np.testing.assert_array_equal(values_of(heavy, data), [0.0, 0.0, np.nan, -25.0])
    amount = endpoint("change_in_amount", 0, 3, baseline=BASELINE)
    np.testing.assert_array_equal(values_of(amount, data), [0.5 - 1.5, 0.5 - 2.0, np.nan, 2.5 - 6.0])


def test_a_reduction_counts_from_its_bound_on_and_never_without_something_to_reduce() -> None:
    """Exactly half is halved; a person clean before cannot come down; one never asked before has no value."""
    data = before_and_after("xxxxxx..", "xxxxxxx.", "........", "????....", "xxxx????")
    halved: dict[str, Any] = {"baseline": BASELINE, "reduction_percent": 50.0}
    item = endpoint("reduced_use_days", 0, 3, "use", **halved)
    np.testing.assert_array_equal(values_of(item, data), [1.0, 0.0, 0.0, np.nan, 0.0])
    np.testing.assert_array_equal(
        values_of(endpoint("reduced_use_days", 0, 3, **halved), data), [1.0, 0.0, 0.0, np.nan, np.nan]
    )
    amount = endpoint("reduced_amount", 0, 3, "use", **halved)
    partly = before_and_after("xxxxx...", "xxxx...?", "????x...")
    np.testing.assert_array_equal(values_of(amount, partly), [1.0, 0.0, np.nan])


def test_amounts_are_told_in_the_unit_that_is_asked() -> None:
    """10 UK units are 80 g; a use day of unknown amount is left out; who did not use has no mean of use days."""
    data = seen_days("X.xx", "....", amount_unit="UK units", ethanol_g_per_amount=8.0)
    assert data.amount is not None
    data.amount[0, 3] = np.nan
    plain = values_of(endpoint("amount_per_day", 0, 3), data)
    grams = endpoint("amount_per_day", 0, 3, amount_unit="g")
    np.testing.assert_allclose(plain, [4.0, 0.0])
    np.testing.assert_allclose(values_of(grams, data), 8.0 * plain)
    assert grams.unit == "g a day"
    np.testing.assert_array_equal(values_of(endpoint("amount_per_use_day", 0, 3), data), [6.0, np.nan])
    with pytest.raises(SpecError, match="amount_unit: got pills; expected the unit of the amounts, UK units"):
        values_of(endpoint("amount_per_day", 0, 3, amount_unit="pills"), data)


def test_any_heavy_day_is_no_use_day() -> None:
    """Light use is none; a day that nobody saw is heavy under the strict rule."""
    data = seen_days("xx..", ".X..", "x??.")
    assert values_of(endpoint("any_heavy_day", 0, 3), data).tolist() == [0.0, 1.0, 0.0]
    assert values_of(endpoint("any_heavy_day", 0, 3, "use"), data).tolist() == [0.0, 1.0, 1.0]
