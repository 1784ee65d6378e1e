"""What the output says of itself: placeholders in the first lines, tuning only where something was tuned."""

import json
import tomllib
from pathlib import Path

import pytest

from remission.cli.table import standing_data
from remission.library.calibration_plan import load_calibration_plan
from remission.library.facts import load_facts
from remission.library.protocols import list_protocols, load_protocol
from remission.patient.standing import (
    gives_ketamine,
    is_tuned,
    standing_of,
    standing_of_protocol,
    substances_without_trial,
    tuned_sentence,
)
from remission.records.parameter import DEFAULT_POSTERIOR
from remission.records.substance import Substance
from remission.report.document import trial_limits

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("substance", "is_placeholder", "has_trial"),
    [("alcohol", False, True), ("cocaine", False, True), ("nicotine", True, False), ("opioid", True, False),
     ("cannabis", True, False), ("methamphetamine", True, False)],
)  # fmt: skip
def test_each_substance_says_what_its_values_are_worth(substance: str, is_placeholder: bool, has_trial: bool) -> None:
    """The sets as they ship: four substances with placeholders, two with a trial behind them."""
    found = standing_of(substance, "model-form-2026")
    assert (found.is_placeholder, bool(found.trials)) == (is_placeholder, has_trial)
    assert found.lines[0].startswith("The values for") == (is_placeholder or has_trial)
    drawn = standing_of(substance)
    assert drawn.to_dict()["is_placeholder"] is is_placeholder
    assert drawn.lines[0].startswith("The values for") == is_placeholder
    assert "no better than the average effect" in " ".join(drawn.lines)


def test_the_tuning_file_names_every_fact_that_was_searched_on() -> None:
    """A fact that steered the search and is named nowhere would be shown as a test of the model."""
    searches = tomllib.loads((ROOT / "validation" / "retune.toml").read_text("utf-8"))
    behavior = ROOT / "src" / "remission" / "library" / "behavior"
    entries = tomllib.loads((behavior / "tuning.toml").read_text("utf-8"))["tuned"]
    searched = {(name, fact) for name, one in searches.items() if name != "shared" for fact in one["measures"]}
    assert {(one["substance"], fact) for one in entries for fact in one["facts"]} == searched | {
        ("alcohol", "kare-days")
    }
    assert "kare-days" in searches["shared"].values()
    roles = {one.id: one.role for fact in load_facts().fact for one in fact.measure}
    assert {roles[fact] for _, fact in searched} == {"fit"}, "a check fact was searched on"


def test_every_published_number_of_a_built_in_trial_is_marked_as_tuned_on() -> None:
    """What a value was set on bears the mark: without it a number would look like a success."""
    for name in list_protocols():
        protocol = load_protocol(name)
        for one in protocol.comparisons:
            assert is_tuned(record=protocol.evidence, endpoint=one.outcome, parameter_set="model-form-2026") == (
                one.outcome in {"percentage days abstinent over 6 months", "confirmed alcohol relapse by 6 months",
                                "abstinent for last 2 weeks of trial (ITT)"}
            )  # fmt: skip
    plan = load_calibration_plan()
    for entry in plan.trial:
        known = load_protocol(entry.protocol)
        used = {(one.analysis, one.endpoint, one.arm) for one in entry.numbers}
        for one in known.comparisons:
            if (one.analysis, one.endpoint, one.arm) in used:
                assert is_tuned(record=known.evidence, endpoint=one.outcome), "it was fitted on"
    assert not is_tuned(record="combine_2006", endpoint="percent days abstinent")
    assert not is_tuned(record="yoon_2025_rct", endpoint="craving over the trial", parameter_set="model-form-2026")
    assert not is_tuned(record=None, endpoint="craving over the trial")


def test_what_known_values_showed_is_said_where_the_substance_stands() -> None:
    """A posterior that leans must say so in every first line, not on a page of its own only."""
    folder = ROOT / "validation" / "inference"
    found = json.loads((folder / "results.json").read_text("utf-8"))
    counted = tomllib.loads((folder / "registered.toml").read_text("utf-8"))["ranks_counts"]["plan"]
    listed = tomllib.loads((ROOT / "src/remission/library/behavior/tuning.toml").read_text("utf-8"))["cautions"]
    for name, table in (("posterior-2026", "ranks"), (counted, "ranks_counts")):
        mine = [one for one in listed if name in one["sets"]]
        leans = {one for one in found[table]["rejected"] if one.startswith("substance.")}
        assert {one["quantity"] for one in mine} == leans, name
        for one in mine:
            assert one["says"] in standing_of(one["substance"], name).lines
    for one in listed:
        assert one["says"] not in standing_of(one["substance"], "model-form-2026").lines
    assert not standing_of("alcohol").cautions
    # A default whose ranks nobody looked at would pass everything above.
    assert DEFAULT_POSTERIOR in {"posterior-2026", counted}


def test_a_set_of_ones_own_does_not_inherit_the_tuning() -> None:
    """What another set was tuned on is not on file, and the program must not guess."""
    from remission.library.loader import load_parameter_set

    own = load_parameter_set("model-form-2026").replace(id="my-own")
    found = standing_of("alcohol", own)
    assert found.tuned_on is None
    assert "not on file" in " ".join(found.lines)


def test_a_run_made_before_it_said_so_says_it_now() -> None:
    """Old runs are shown too, and their values were no better."""
    old = {"substance": "opioid", "parameter_set": "model-form-2026"}
    assert standing_data(old)["is_placeholder"]
    assert standing_data({**old, "standing": {"lines": ["kept"]}}) == {"lines": ["kept"]}
    earlier = standing_data({"substance": "opioid", "parameter_set": "episodes-2026"})
    assert "earlier form" in " ".join(earlier["lines"])


def test_the_limits_name_placeholders_from_the_grades() -> None:
    """The sentence of every report follows the set, not a list."""
    assert trial_limits()[0] == tuned_sentence()
    # What the posterior was learnt from is said, and nobody is told that no trial of their substance was used.
    plan = load_calibration_plan(str(standing_of("alcohol").posterior))
    learnt = {load_protocol(one.protocol).substance for one in plan.trial}
    assert f"learnt from {len(plan.trial)} ketamine trials" in trial_limits()[0]
    without = trial_limits()[0].split("was used for ")[1].split(". ")[0]
    for one in Substance:
        assert (one.plural in without) == (one not in learnt and not standing_of(one).trials)
        assert (one.value in substances_without_trial()) == (one.plural in without)
    for one in Substance:
        name = "opioids" if one.value == "opioid" else one.value
        assert (name in trial_limits()[0].split("values for ")[1].split(" are placeholders")[0]) == standing_of(
            one
        ).is_placeholder


@pytest.mark.parametrize("name", list_protocols())
def test_nothing_is_said_of_ketamine_where_no_arm_has_it(name: str) -> None:
    """A trial of naltrexone spoke of what ketamine was learnt from, in every report."""
    protocol = load_protocol(name)
    lines = " ".join(standing_of_protocol(protocol).lines)
    limits = " ".join(trial_limits(with_ketamine=gives_ketamine(protocol)))
    assert gives_ketamine(protocol) == any(one.is_ketamine for one in protocol.drugs.values())
    if gives_ketamine(protocol):
        assert lines == " ".join(standing_of(protocol.substance).lines)
        assert tuned_sentence() in limits
    else:
        assert "No arm has ketamine" in lines
        assert "tuned by hand on" in lines
        assert "learnt from" not in lines
        assert "ketamine" not in limits
