"""Guesses of finished trials: published groups reproduced, files read or refused, what cannot be known said."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from source_tree import ROOT
from validation.one_world import worlds_of

import remission as rm
from remission.blinding.finished import GuessesResult, analyze_finished
from remission.blinding.table import trial_of_groups
from remission.cli.app import run_app
from remission.errors import SpecError
from remission.exchange.guesses import read_guesses
from remission.records.guesses import GuessFile

SHARED = ROOT.parent / "shared" / "data" / "blinding"
LOWER = {"STAIT", "QIDS"}


def groups_of(strata: dict[str, Any]) -> list[dict[str, Any]]:
    sides = {"MD": "drug", "PL": "control"}
    rows = [(*name.split("|guess "), *numbers) for name, numbers in strata.items()]
    return [{"arm": sides[a], "guess": sides[b], "n": n, "mean": m, "sd": s} for a, b, n, m, s in rows]


def analyzed(groups: list[dict[str, Any]], **more: Any) -> GuessesResult:
    return analyze_finished(trial_of_groups(GuessFile.from_dict({"groups": groups, "trials": 100} | more)))


def microdoses() -> dict[str, Any]:
    path = SHARED / "microdose_tables.json"
    if not path.is_file():
        pytest.skip("the shared tables are not here")
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def test_public_strata_are_reproduced_by_a_fitted_world() -> None:
    """Of 15 public tables a world by name lies inside every interval of guesses and means, or the verdict says no."""
    missed = []
    for name, row in microdoses()["strata"].items():
        lower = name.partition("/")[2] in LOWER
        found = analyzed(groups_of(row["strata"]), better="lower" if lower else "higher")
        naive, _, _, equal = found.estimates[:4]
        assert naive.value == pytest.approx(row["naive_difference"], abs=6e-4)
        assert equal.value == pytest.approx(row["difference_at_cgr_half"], abs=6e-4)
        nearest = [one.fitted for one in found.worlds if one.fitted.fits]
        if not any(one.inside == one.told for one in nearest):
            missed.append(name)
            assert any("None of the worlds" in line for line in found.verdict)
    # Its groups take each session as another person's; with its people it is reached, in the next test.
    assert missed == ["all/intensity"]


def test_public_tables_of_all_sessions_are_reproduced_when_people_count(tmp_path: Path) -> None:
    """Sessions of one person hang together: intervals count 239 people and not 844 sessions, and one world holds all.

    That all numbers together still speak against it is said.
    """
    source = SHARED / "microdose_pacutes.csv.gz"
    if not source.is_file():
        pytest.skip("the shared tables are not here")
    (tmp_path / "guesses.csv").write_bytes(gzip.decompress(source.read_bytes()))
    fields = {
        "columns": {"arm": "condition", "outcome": "value", "person": "trial_id", "session": "tp"},
        "words": {"drug": ["MD"], "control": ["PL"]}, "where": {"test_name": "intensity"}, "trials": 100,
    }  # fmt: skip
    found = analyze_finished(read_guesses(tmp_path / "guesses.csv", fields))
    told = groups_of(microdoses()["strata"]["all/intensity"]["strata"])
    assert sorted(one["n"] for one in told) == sorted(np.array(found.indices[0].counts)[:2].ravel())
    best = max((one.fitted for one in found.worlds if one.fitted.fits), key=lambda one: one.inside)
    assert best.inside == best.told == 8
    assert not best.is_near
    assert any("all of them together speak against" in line for line in found.verdict)
    assert "239 people" in found.verdict[0]


def test_correct_guess_rate_curves_are_those_that_were_published() -> None:
    """The whole curve, by both rules; for felt intensity the correction takes a true effect away."""
    tables = microdoses()
    for name, row in tables["w1s1_curves"].items():
        found = analyzed(groups_of(tables["strata"][f"w1s1/{name}"]["strata"]))
        curve = {round(rate, 2): pair for rate, *pair in found.curve}
        for rate, observed, equal in row["curve [cgr, proportional weights, equal-arm weights]"]:
            # The published curve is of draws.
            assert curve[rate] == pytest.approx([observed, equal], abs=0.06)


GROUPS = [
    {"arm": "drug", "guess": "drug", "n": 48, "mean": 19.6, "sd": 8.4},
    {"arm": "drug", "guess": "control", "n": 43, "mean": 12.3, "sd": 10.7},
    {"arm": "control", "guess": "drug", "n": 39, "mean": 18.4, "sd": 7.3},
    {"arm": "control", "guess": "control", "n": 102, "mean": 10.9, "sd": 9.8},
]


def test_two_worlds_with_one_table_are_not_told_apart() -> None:
    """The same guesses and means, another truth: said in words, with the trial that would settle it."""
    found = analyzed(GROUPS)
    fitting = [one.fitted for one in found.worlds if one.fitted.fits]
    believed, works = (next(one for one in fitting if one.name == name) for name in ("mixed", "works-felt"))
    assert believed.shares == pytest.approx(works.shares, abs=0.02)
    assert believed.means[:2] == pytest.approx(works.means[:2], abs=0.4)
    assert works.truth - believed.truth > 1.5
    said = " ".join(found.verdict)
    assert "cannot be told apart" in said
    assert any(one.people for one in found.settling)
    # Each estimator is right in the world it assumes, and wrong in the other.
    bias = {one.fitted.name: {name: tried.bias for name, tried in one.tried.items()} for one in found.worlds}
    assert abs(bias["works-felt"]["naive"].value) < 4.0 * bias["works-felt"]["naive"].mcse
    assert bias["works-felt"]["within-guess"].value < -1.0
    assert abs(bias["mixed"]["within-guess"].value) < 4.0 * bias["mixed"]["within-guess"].mcse
    assert bias["mixed"]["naive"].value > 1.0


def test_the_belief_that_would_explain_a_difference_away() -> None:
    """The difference over how much more the drug's arm believes; infinite where both believe alike."""
    found = analyzed(GROUPS)
    naive = found.estimates[0].value
    assert found.needed == pytest.approx(naive / (48 / 91 - 39 / 141))
    alike = [dict(one, n=50) for one in GROUPS]
    assert np.isinf(analyzed(alike).needed)
    assert any("no amount of belief" in line for line in analyzed(alike).verdict)


def test_shares_and_who_does_not_know() -> None:
    """Response and no response, three answers: the same questions, in shares."""
    rows = [("drug", "drug", 30, 0.6), ("drug", "control", 8, 0.3), ("drug", "unsure", 12, 0.5),
            ("control", "drug", 10, 0.5), ("control", "control", 25, 0.2), ("control", "unsure", 15, 0.3)]  # fmt: skip
    groups = [{"arm": a, "guess": b, "n": n, "mean": m} for a, b, n, m in rows]
    found = analyzed(groups, outcome="share")
    assert found.estimates[0].value == pytest.approx((18 + 2.4 + 6) / 50 - (5 + 5 + 4.5) / 50)
    assert any(one.fitted.fits for one in found.worlds)
    assert all(-1.0 <= one.fitted.truth <= 1.0 for one in found.worlds)


def test_everybody_guessing_one_way_is_a_status() -> None:
    """Nothing to stratify by: no number, and the reason."""
    groups = [{"arm": arm, "guess": "drug", "n": 20, "mean": 3.0 + (arm == "drug"), "sd": 2.0}
              for arm in ("drug", "control")]  # fmt: skip
    found = analyzed(groups)
    assert np.isnan(found.estimates[1].value)
    assert found.estimates[1].message
    assert any("one way" in line for line in found.verdict)
    counts = [{"arm": one["arm"], "guess": one["guess"], "n": one["n"]} for one in GROUPS]
    only = analyzed(counts)
    assert only.estimates[0].message
    assert only.worlds == ()


HEAD = ("person", "arm", "guess", "certainty", "outcome", "time", "expectation")
ANSWERS = ("ketamine", "saline", "don't know")


def row_of(n: int, day: int) -> tuple[str, ...]:
    """An asking of a made-up person."""
    arm, answer = ("ketamine" if n % 2 else "saline"), ANSWERS[(n // 2) % 3]
    return f"p{n}", arm, answer, str(50 + n % 50), f"{10.0 + n % 7 - 2 * (n % 2):.1f}", str(day), str(n % 5)


PEOPLE: list[tuple[str, ...]] = [HEAD, *(row_of(n, day) for n in range(60) for day in (0, 42))]


def written(place: Path, rows: list[tuple[str, ...]]) -> Path:
    with (place / "guesses.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return place / "guesses.csv"


OPTIONS = ["--drug", "ketamine", "--control", "saline", "--better", "lower"]


def test_a_table_of_people_is_read_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Early and late guesses, certainty, expectation; the command and Python say the same."""
    path = written(tmp_path, PEOPLE)
    assert run_app(["blinding", "analyze", str(path), *OPTIONS, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["day"] for one in told["indices"]] == [0.0, 42.0]
    names = [one["name"] for one in told["estimates"]]
    assert {"within-early-guess", "expectation-adjusted"} <= set(names)
    fields = {"data": str(path.name), "better": "lower", "words": {"drug": ["ketamine"], "control": ["saline"]}}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        found = rm.analyze_guesses(fields)
    assert found.estimates[0].value == pytest.approx(told["estimates"][0]["value"])


def broken(row: int, column: int, cell: str) -> list[tuple[str, ...]]:
    rows = [list(one) for one in PEOPLE]
    rows[row][column] = cell
    return [tuple(one) for one in rows]


BAD: list[tuple[list[tuple[str, ...]], str]] = [
    (broken(3, 2, "ketamin"), "row 4, guess"),
    (broken(3, 3, "120"), "certainty from 0 to 100"),
    (broken(3, 3, "-5"), "certainty from 0 to 100"),
    (broken(3, 3, "sure"), "row 4, certainty"),
    (broken(3, 5, "-1"), "before anything was felt"),
    (broken(3, 1, ""), "row 4, arm"),
    (broken(3, 1, "placebo"), "row 4, arm"),
    (broken(4, 0, "p0"), "p0 again"),
    (broken(4, 4, "good"), "row 5, outcome"),
    ([one for one in PEOPLE if one[1] != "saline"], "control arm"),
    ([("person", "guess"), ("p1", "saline")], "arm"),
    (PEOPLE[:1], "row"),
    (broken(3, 4, "1e300"), "row 4, outcome"),
    (broken(3, 5, "99999"), "row 4, time"),
    ([HEAD, *((*row[:3], "0.8", *row[4:]) for row in PEOPLE[1:])], "Multiply shares by 100"),
    ([(*HEAD[:4], "outcome", "time", "outcom"), *PEOPLE[1:]], "no column expectation"),
]


@pytest.mark.parametrize(("rows", "said"), BAD, ids=[said for _, said in BAD])
def test_bad_tables_are_refused_with_their_place(
    rows: list[tuple[str, ...]], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong cell that is read becomes a number that nobody can tell from a right one."""
    named = ["--column", "expectation=expectation"]
    assert (
        run_app(["blinding", "analyze", str(written(tmp_path, rows)), *OPTIONS, *named[: 2 * (len(rows[0]) > 2)]]) == 2
    )
    assert said in capsys.readouterr().err
    # One column cannot be two things: guesses that are the arms would all be right.
    assert run_app(["blinding", "analyze", str(written(tmp_path, PEOPLE)), *OPTIONS, "--column", "guess=arm"]) == 2
    assert "which is arm too" in capsys.readouterr().err


def test_little_is_not_taken_for_certain() -> None:
    """Two people, outcomes that are all alike, nobody who guesses: said in words, never an interval of no width."""
    alone = [{"arm": arm, "guess": arm, "n": 1} for arm in ("drug", "control")]
    said = " ".join(analyzed(alone).verdict)
    assert "The trial was unblinded" not in said
    assert "no certainty" in said
    alike = analyzed([dict(one, mean=3.0, sd=0.0) for one in GROUPS])
    assert (alike.worlds, np.isnan(alike.estimates[0].value)) == ((), True)
    assert any("nobody's outcome differs" in line for line in alike.verdict)
    unsure = analyzed([dict(one, guess="unsure") for one in GROUPS[1:3]])
    assert unsure.estimates[0].value == pytest.approx(12.3 - 18.4)
    assert any("Nobody guessed" in line for line in unsure.verdict)
    # Groups in which few people happen to agree are not known exactly.
    few = [dict(one, n=2, sd=0.0 if place < 3 else 4.0) for place, one in enumerate(GROUPS)]
    assert all(one.fitted.truth_se > 0.5 for one in analyzed(few).worlds if one.fitted.name == "mixed")


@pytest.mark.parametrize(
    "change",
    [
        {"groups": [*GROUPS, GROUPS[0]]},
        {"groups": [dict(GROUPS[0], n=-1)]},
        {"groups": [dict(GROUPS[0], guess="placebo")]},
        {"groups": [dict(GROUPS[0], sd=None)]},
        {"groups": [dict(one, mean=2.0, sd=None) for one in GROUPS], "outcome": "share"},
        {"groups": [dict(GROUPS[0], day=5), *GROUPS[1:]]},
        {"groups": [dict(one, day=-5) for one in GROUPS]},
        {"groups": [dict(one, day=9) for one in GROUPS], "outcome_day": 3},
        {"groups": GROUPS, "data": "x.csv"},
        {},
        {"groups": GROUPS, "words": {"drug": ["a"], "control": ["a"]}},
        {"data": "../x.csv"},
    ],
)
def test_wrong_files_of_guesses_are_refused(change: dict[str, Any]) -> None:
    """Groups twice, shares of 2, a day before the dose, two sources or none."""
    with pytest.raises(SpecError):
        GuessFile.from_dict(change)


def test_a_psilocybin_trial_from_the_documents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The ten lines of the page run as they stand, with the page to hand on; a wrong name says which is near."""
    page = (ROOT / "docs" / "how-to" / "test-your-blinding.md").read_text("utf-8")
    lines = page.split("```yaml\n", 1)[1].split("```", 1)[0]
    assert len(lines.splitlines()) == 10
    (tmp_path / "psilocybin.yaml").write_text(lines, "utf-8")
    words = ["blinding", "bench", str(tmp_path / "psilocybin.yaml"), "--trials", "40"]
    assert run_app([*words, "--report", str(tmp_path / "bench.html")]) == 0
    shown = capsys.readouterr().out
    assert "felt-inert" in shown
    page = (tmp_path / "bench.html").read_text("utf-8")
    assert "A paragraph for a protocol or a regulator" in page
    assert "<script" not in page
    assert run_app([*words[:2], str(tmp_path / "not-there.yaml")]) == 2
    assert run_app(["blinding", "bench", "psilocibin"]) == 2
    assert "psilocybin?" in capsys.readouterr().err


SESSIONS: list[tuple[str, ...]] = [
    ("person", "session", "arm", "guess", "outcome"),
    *((f"p{n}", f"s{k}", ("drug", "control")[(n + k) % 2], ("drug", "control")[(n * 7 + k * 3) % 5 > 2], str(n % 9 + k))
      for n in range(40) for k in range(3)),
]  # fmt: skip


def test_copies_of_a_session_tell_nothing_new(tmp_path: Path) -> None:
    """The same session of each person three times over: estimates and their errors are those of one."""
    one = [("person", "session", "arm", "guess", "outcome"), *(row for row in SESSIONS[1:] if row[1] == "s0")]
    three = [one[0], *((who, f"{when}{k}", *rest) for who, when, *rest in one[1:] for k in range(3))]
    fields = {"trials": 100}
    plain, repeated = (analyze_finished(read_guesses(written(tmp_path, rows), fields)) for rows in (one, three))
    for a, b in zip(plain.estimates, repeated.estimates, strict=True):
        assert b.value == pytest.approx(a.value)
        # Welch's degrees of freedom against people less one, and n against n - 1 in each group.
        assert b.high - b.low == pytest.approx(a.high - a.low, rel=0.12)
    for name in ("james", "bang_drug", "bang_control"):
        a, b = (getattr(found.indices[0], name) for found in (plain, repeated))
        assert (b.value, b.se) == pytest.approx((a.value, a.se), rel=0.03)
    # Without the columns they would pass for 120 people, and the interval would be too narrow: that is said.
    blind = analyze_finished(read_guesses(written(tmp_path, [row[2:] for row in three]), fields))
    width = [each.estimates[0].high - each.estimates[0].low for each in (plain, blind)]
    assert width[1] < 0.65 * width[0]
    assert any("too narrow" in line for line in blind.verdict)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(row[0], *row[2:]) for row in SESSIONS], "--column session=COLUMN"),
        ([row[1:] for row in SESSIONS], "--column person=COLUMN"),
        ([*SESSIONS, SESSIONS[1]], "of a session"),
        ([*SESSIONS, ("", *SESSIONS[1][1:])], "row 122, person"),
        ([*SESSIONS, ("p1", "NA", *SESSIONS[1][2:])], "row 122, session"),
    ],
    ids=["sessions not named", "no persons", "twice", "nobody", "no session"],
)
def test_sessions_that_cannot_be_told_apart_are_refused(
    rows: list[tuple[str, ...]], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whose session it is decides every error; a guess at it would be a flattering one."""
    assert run_app(["blinding", "analyze", str(written(tmp_path, rows))]) == 2
    assert said in capsys.readouterr().err


def test_effects_on_days_are_sent_where_they_can_be_tried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The bench has no days: it says so and what to write, in place of one of five names."""
    (tmp_path / "days.yaml").write_text(
        "id: days\npeople: 50\neffect: {law: diary, use_odds_ratio: 0.5}\ndrug: {mean: 1}\n", "utf-8"
    )
    assert run_app(["blinding", "bench", str(tmp_path / "days.yaml")]) == 2
    assert "stands in a protocol" in capsys.readouterr().err


def test_the_report_of_guesses_is_whole(tmp_path: Path) -> None:
    """One page with figures, the verdict and a script; a second writing is refused."""
    path = written(tmp_path, PEOPLE)
    words = ["blinding", "analyze", str(path), *OPTIONS, "--report", str(tmp_path / "page.html")]
    assert run_app(words) == 0
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page.count("<svg") >= 3
    assert "analyze_guesses" in page
    assert run_app(words) == 2


def test_one_world_gives_both_controls_of_ketamine_only_if_midazolam_hides_it() -> None:
    """0.7 against midazolam and 1.8 against saline: possible where midazolam is believed in, not as it was guessed."""
    blinded, half, as_guessed, alike = (worlds_of(*pair) for pair in ((0.0, 1.0), (0.5, 1.0), (0.893, 1.0), (0.5, 0.5)))
    assert blinded.least_worth < half.least_worth
    assert half.high < blinded.high
    # As one trial had its guesses, the drug itself would have to harm by more than a standard deviation.
    assert as_guessed.high < -1.0
    assert np.isnan(alike.least_worth)
