"""What the output says of itself: placeholders in the first lines, tuning only where something was tuned."""

import tomllib
from pathlib import Path

import pytest

from remission.cli.table import standing_data
from remission.library.protocols import list_protocols, load_protocol
from remission.patient.standing import is_tuned, standing_of, tuned_sentence
from remission.records.substance import Substance
from remission.report.document import LIMITS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("substance", "is_placeholder", "has_trial"),
    [("alcohol", False, True), ("cocaine", False, True), ("nicotine", False, False), ("opioid", True, False),
     ("cannabis", True, False), ("methamphetamine", True, False)],
)  # fmt: skip
def test_each_substance_says_what_its_values_are_worth(substance: str, is_placeholder: bool, has_trial: bool) -> None:
    """The set as it ships: three substances of placeholders, two with a trial behind them."""
    found = standing_of(substance)
    assert (found.is_placeholder, bool(found.trials)) == (is_placeholder, has_trial)
    assert found.lines[0].startswith("The values for") == (is_placeholder or has_trial)
    assert found.to_dict()["is_placeholder"] is is_placeholder


def test_the_tuning_file_names_every_target_once() -> None:
    """A target that steered the search and is named nowhere would be shown as a test of the model."""
    targets = tomllib.loads((ROOT / "validation" / "targets.toml").read_text("utf-8"))["target"]
    entries = tomllib.loads((ROOT / "src" / "remission" / "library" / "behavior" / "tuning.toml").read_text("utf-8"))[
        "tuned"
    ]
    named = [name for entry in entries for name in entry["targets"]]
    assert sorted(named) == sorted(one["id"] for one in targets)
    for entry in entries:
        assert all(name.startswith({"alcohol": ("kare", "alcohol")}.get(entry["substance"], entry["substance"]))
                   for name in entry["targets"])  # fmt: skip


def test_every_published_number_of_a_built_in_trial_is_marked_as_tuned_on() -> None:
    """Both trials were tuned on: a number without the mark would look like a success."""
    for name in list_protocols():
        protocol = load_protocol(name)
        for one in protocol.comparisons:
            assert is_tuned(record=protocol.evidence, endpoint=one.outcome) == (
                one.outcome in {"percentage days abstinent over 6 months", "confirmed alcohol relapse by 6 months",
                                "abstinent for last 2 weeks of trial (ITT)", "relapse (first use or dropout)",
                                "craving over the trial"}
            )  # fmt: skip
    assert not is_tuned(record="yoon_2025_rct", endpoint="craving over the trial")
    assert not is_tuned(record=None, endpoint="craving over the trial")


def test_a_set_of_ones_own_does_not_inherit_the_tuning() -> None:
    """What another set was tuned on is not on file, and the program must not guess."""
    from remission.library.loader import load_parameter_set

    own = load_parameter_set("rhythms-2026").replace(id="my-own")
    found = standing_of("alcohol", own)
    assert found.tuned_on is None
    assert "not on file" in " ".join(found.lines)


def test_a_run_made_before_it_said_so_says_it_now() -> None:
    """Old runs are shown too, and their values were no better."""
    old = {"substance": "opioid", "parameter_set": "episodes-2026"}
    assert standing_data(old)["is_placeholder"]
    assert standing_data({**old, "standing": {"lines": ["kept"]}}) == {"lines": ["kept"]}


def test_the_limits_name_placeholders_from_the_grades() -> None:
    """The sentence of every report follows the set, not a list."""
    assert LIMITS[0] == tuned_sentence()
    for one in Substance:
        name = "opioids" if one.value == "opioid" else one.value
        assert (name in LIMITS[0].split("values for ")[1].split(" are placeholders")[0]) == standing_of(
            one
        ).is_placeholder
