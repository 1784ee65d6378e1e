"""The gate of ``remission analyze``: second programs of the methods give what the first give, on data made by hand."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from validation.second import basics, compare, data, draws, gates, imputed, means, mixed, run, times

from remission.study import gate

STATES = tomllib.loads(Path(compare.STATES).read_text(encoding="utf-8"))["form"]
ANALYSES = (*data.SIMPLE_ANALYSES, *data.REPEATED_ANALYSES, *data.MIXED_ANALYSES)


@pytest.fixture(autouse=True, scope="module")
def _every_form_is_offered() -> Iterator[None]:
    """A form that differs is refused to people, and has to be run here, so that it can be mended."""
    policy, table = gate._table()
    offered = {name: one.replace(state="pending") if one.state == "differs" else one for name, one in table.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "_table", lambda: (policy, offered))
        yield


@pytest.fixture(scope="module")
def tallies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, compare.Tally]:
    """Both programs on two data sets made up here."""
    found: dict[str, compare.Tally] = {}
    folder = tmp_path_factory.mktemp("second")
    for place in (900, 901):
        frame = data.random_people(place, n_people=36)
        compare.one_set(f"random {place}", frame, list(ANALYSES), found, folder)
    frame = data.random_people(900, n_people=36)
    compare.procedures("random 900", frame, found, folder)
    compare.count("random 900", compare.drawn_cases_of("random 900", frame, 900, folder, kinds=[True]), found)
    return found


def test_what_agreed_still_agrees(tallies: dict[str, compare.Tally]) -> None:
    """A change of a first program that moves a number must be seen here, not by the reader of a report."""
    broken = {form: tally.worst for form, tally in tallies.items() if tally.worst and STATES[form]["state"] == "agrees"}
    assert not broken
    assert sum(tally.n_numbers for tally in tallies.values()) > 100


def test_where_the_first_programs_were_wrong(tmp_path: Path) -> None:
    """An end beyond what is rejected already, a rate that runs away, a moment without a degree of freedom."""
    forms = {"rate_ratio", "day_odds_ratio", "repeated_difference:small_sample=false"}
    analyses = [one for one in (*data.SIMPLE_ANALYSES, *data.REPEATED_ANALYSES) if one["form"] in forms]
    found: dict[str, compare.Tally] = {}
    for place in (0, 24, 28):
        compare.one_set(f"random {place}", data.random_people(place), analyses, found, tmp_path)
    assert found.keys() == forms
    assert not {form: tally.worst for form, tally in found.items() if compare.verdict(tally) == "differs"}


@pytest.mark.parametrize("place", [18, 69, 106, 119, 126, 168])
def test_counts_in_a_handful_of_people(place: int, tmp_path: Path) -> None:
    """Sites without any count, ends far out: a few people and six terms gave two programs two intervals."""
    forms = {"rate_ratio", "robust_rate_ratio", "day_odds_ratio"}
    analyses = [one for one in data.SIMPLE_ANALYSES if one["form"] in forms]
    found: dict[str, compare.Tally] = {}
    compare.one_set(f"random {place}", data.random_people(place), analyses, found, tmp_path)
    assert found.keys() == forms
    assert not {form: tally.worst for form, tally in found.items() if tally.worst}


def test_a_form_that_agrees_has_a_second_program(tallies: dict[str, compare.Tally]) -> None:
    """An entry of the file cannot be turned to "agrees" by hand: the program is there, and is compared."""
    for form, entry in STATES.items():
        if entry["state"] == "agrees":
            assert Path(entry["second"]).is_file(), form
            assert form in tallies, form


def test_a_moved_number_is_seen(tallies: dict[str, compare.Tally]) -> None:
    """The comparison itself can fail: an estimate moved by a millionth is no agreement."""
    frame = data.random_people(900, n_people=36)
    moved = frame.assign(y=np.where(np.arange(36) == 0, frame["y"] + 1e-4, frame["y"]))
    analysis = data.plan_of(frame, [data.SIMPLE_ANALYSES[0]])["analyses"][0]
    one, two = (run.second(people, analysis) for people in (frame, moved))
    tally = compare.Tally()
    first = type("First", (), {"status": "ok", "estimate": one.estimate, "low": one.low, "high": one.high})()
    first.p_value = one.p
    compare.compare("mean_difference", "mean_difference", first, two, tally, "moved")
    assert tally.worst
    assert compare.verdict(tally) == "differs"
    assert tallies["mean_difference"].n_numbers


def test_a_form_seen_on_few_data_sets_is_pending() -> None:
    """A folder of public data that was not found once left three forms with two sets, and the table said: agrees."""
    tally = compare.Tally(n_sets=203, n_public=3, n_numbers=5)
    assert compare.verdict(tally, least=(200, 3)) == "agrees"
    for n_sets, n_public in ((202, 2), (202, 3)):
        few = compare.Tally(n_sets=n_sets, n_public=n_public, n_numbers=5)
        assert compare.verdict(few, least=(200, 3)) == "pending"


def test_states_are_written_beside_their_comments(tmp_path: Path) -> None:
    """The file of states keeps its words: they say what the states mean."""
    copy = tmp_path / "states.toml"
    text = Path(compare.STATES).read_text(encoding="utf-8")
    copy.write_text(text, encoding="utf-8")
    compare.write_states({"mean_difference": "differs"}, copy)
    after = copy.read_text(encoding="utf-8")
    assert tomllib.loads(after)["form"]["mean_difference"]["state"] == "differs"
    assert re.findall("(?m)^#.*", after) == re.findall("(?m)^#.*", text)
    assert tomllib.loads(after)["form"].keys() == STATES.keys()


def test_second_programs_by_hand() -> None:
    """Numbers that a person can compute: two programs could share a slip."""
    treated = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    nothing = np.zeros((6, 0))
    found = means.mean_difference(np.array([4.0, 5.0, 6.0, 1.0, 2.0, 3.0]), treated, nothing)
    assert found.estimate == pytest.approx(3.0)
    assert found.error == pytest.approx(np.sqrt(2.0 / 3.0))
    area = times.restricted_mean_difference(
        np.array([2.0, 4.0, 9.0, 1.0, 9.0, 9.0]), np.array([1.0, 1.0, 0.0, 1.0, 0.0, 0.0]), treated, tau=6.0
    )
    assert area.estimate == pytest.approx((2 + 2 * 2 / 3 + 2 / 3) - (1 + 5 * 2 / 3))
    families = [gates.Family(("one", "two")), gates.Family(("three",))]
    adjusted = gates.adjusted({"one": 0.01, "two": 0.04, "three": 0.001}, families)
    assert adjusted == pytest.approx({"one": 0.02, "two": 0.04, "three": 0.04})


def test_kenward_roger_of_balanced_visits() -> None:
    """A balanced repeated measure has the textbook answer: the t test of the means of people."""
    draw = np.random.default_rng(3)
    values = draw.normal(0, 1, (12, 1)) + draw.normal(0, 1, (12, 3))
    treated = (np.arange(12) % 2).astype(float)
    found = mixed.mmrm(
        values,
        treated,
        np.zeros((12, 0)),
        None,
        np.array([1.0, 2.0, 3.0]),
        weights=np.full(3, 1 / 3),
    )
    plain = means.mean_difference(values.mean(axis=1), treated, np.zeros((12, 0)))
    for one, two in ((found.estimate, plain.estimate), (found.low, plain.low), (found.p, plain.p)):
        assert one == pytest.approx(two, rel=1e-7)


def test_columns_that_count() -> None:
    """A term that repeats another counts for nothing, and a side that a term foretells has no estimate."""
    treated = np.array([1.0, 0.0, 1.0, 0.0, 1.0])
    term = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [4.0, 8.0], [6.0, 12.0]])
    assert basics.design(term, treated).shape == (5, 3)
    with pytest.raises(basics.NoEstimateError, match="not_estimable"):
        basics.design(treated[:, None], treated)


@pytest.mark.parametrize(
    ("place", "form"),
    [
        (120, "mmrm:covariance=heterogeneous-autoregressive"),
        (90, "mmrm:covariance=spatial-gaussian"),
        (158, "mmrm:covariance=spatial-gaussian"),
    ],
)
def test_a_likelihood_of_two_peaks_has_no_number(place: int, form: str, tmp_path: Path) -> None:
    """Each program stood on another peak, or where the range had gone to nothing, and said that all was well."""
    analyses = [one for one in data.MIXED_ANALYSES if one["form"] == form]
    found: dict[str, compare.Tally] = {}
    compare.one_set(f"random {place}", data.random_people(place), analyses, found, tmp_path)
    assert not found[form].n_far
    assert all(first != "ok" for first, _ in found[form].statuses)


def test_a_nearly_singular_covariance_has_its_true_height() -> None:
    """A product lost in rounding put a height of 71 where it is -21, and a set with one peak was called singular."""
    frame = data.random_people(69)
    analysis = data.plan_of(frame, [one for one in data.MIXED_ANALYSES if "by_side=true" in one["form"]][:1])
    assert run.second(frame, analysis["analyses"][0]).status == "ok"


def _answers(shift: float, spread: float) -> draws.Answers:
    made = np.random.default_rng(5)
    found = draws.Answers()
    for _ in range(50):
        one = made.normal(size=(3, draws.FIRST + draws.SECOND))
        one[:, : draws.FIRST] = one[:, : draws.FIRST] * spread + shift * made.choice([-1.0, 1.0])
        found.sets.append(one)
    return found


def test_programs_that_draw_are_told_apart() -> None:
    """Draws of one law must pass, and a program that leans by one spread, either way by turns, must not."""
    limit = draws.FALSE_ALARM / draws.TESTS
    assert min(draws.p_values(_answers(0.0, 1.0)).values()) > limit
    assert draws.p_values(_answers(1.0, 1.0))["estimate, any"] < limit
    leaning = draws.Answers(
        [one + np.array([[0.5] * draws.FIRST + [0.0] * draws.SECOND]) for one in _answers(0.0, 1.0).sets]
    )
    assert draws.p_values(leaning)["estimate, leaning"] < limit
    tally = compare.Tally(n_numbers=1, answers=leaning)
    assert compare.verdict(tally) == "differs"


def test_rubins_rules_by_hand() -> None:
    """Three imputations that a person can pool."""
    found = imputed.pooled(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 1.0]))
    assert found.estimate == pytest.approx(2.0)
    assert found.error == pytest.approx(np.sqrt(1.0 + 4.0 / 3.0))
    assert found.freedom == pytest.approx(2.0 * (1.0 + 3.0 / 4.0) ** 2)


def test_a_long_comparison_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Hours of two programs must not be lost to a restart, and a changed data set must be compared again."""
    frame, made = data.random_people(900, n_people=8), []

    def make() -> list[compare.Case]:
        made.append(1)
        return [{"form": "a", "statuses": ["ok", "ok"], "apart": [0.0, 0.0, 0.0], "is_far": False, "words": ""}]

    for people in (frame, frame, frame.assign(y=0.0)):
        assert len(compare.Store(tmp_path / "store.jsonl").cases("one", people, ["a"], make)) == 1
    assert len(made) == 2
