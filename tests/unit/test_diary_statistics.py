"""Statistics of diaries, each computed a second time by another route."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from scipy import stats

from remission.cli.app import run_app
from remission.diaries.statistics import Description, Statistic, describe
from remission.errors import SpecError
from remission.exchange.canonical import write_diaries
from remission.records.diaries import Diaries
from remission.report.describe_page import description_charts


def made_up(n_people: int = 40, n_days: int = 70, *, seed: int = 5) -> Diaries:
    """Sticky days with gaps, and people who differ."""
    rng = np.random.default_rng(seed)
    level = rng.beta(1.0, 2.0, n_people)
    used = np.zeros((n_people, n_days), dtype=bool)
    for day in range(n_days):
        before = used[:, day - 1] if day else np.zeros(n_people, dtype=bool)
        used[:, day] = rng.random(n_people) < np.where(before, 0.6, 0.0) + 0.4 * level
    assessed = (rng.random((n_people, n_days)) < 0.9) & (
        np.arange(n_days) < rng.integers(20, n_days, n_people)[:, None]
    )
    assessed[:, 0] = True
    return Diaries(
        substance="alcohol", person=tuple(map(str, range(n_people))), first_day=-7, assessed=assessed,
        used=used & assessed, amount=None, amount_unit=None, weekday_of_first_day=rng.integers(0, 7, n_people),
        group=("",) * n_people, origin="simulated", source="made up for a test", day_zero="a day",
    )  # fmt: skip


@pytest.fixture(scope="module")
def diaries() -> Diaries:
    return made_up()


@pytest.fixture(scope="module")
def description(diaries: Diaries) -> Description:
    return describe(diaries, n_resamples=200)


def one(description: Description, id: str) -> Statistic:
    return next(s for s in description.everything if s.id == id)


def days_of(diaries: Diaries) -> list[list[int | None]]:
    """Each person's days as 1, 0 or None where nobody asked."""
    return [
        [int(u) if a else None for u, a in zip(use, asked, strict=True)]
        for use, asked in zip(diaries.used, diaries.assessed, strict=True)
    ]


def test_shares_and_steps_day_by_day(diaries: Diaries, description: Description) -> None:
    """Counted one day after the other, as one would by hand."""
    people = days_of(diaries)
    asked = [day for person in people for day in person if day is not None]
    assert one(description, "use_share").value == pytest.approx(sum(asked) / len(asked))
    pairs = [(a, b) for person in people for a, b in pairwise(person) if a is not None and b is not None]
    for id, first in (("use_after_use", 1), ("use_after_clean", 0)):
        after = [b for a, b in pairs if a == first]
        assert one(description, id).value == pytest.approx(sum(after) / len(after))
        assert one(description, id).n == len(after)
    weeks = [day for p in people for day in p[7:14] if day is not None]
    assert one(description, "week_0").value == pytest.approx(sum(weeks) / len(weeks))
    mondays = [
        day for p, first in zip(people, diaries.weekday_of_first_day, strict=True) for i, day in enumerate(p)
        if day is not None and (first + i) % 7 == 0
    ]  # fmt: skip
    assert one(description, "monday").value == pytest.approx(sum(mondays) / len(mondays))


@pytest.mark.parametrize("lag", [1, 7, 20])
def test_autocorrelation_person_by_person(diaries: Diaries, description: Description, lag: int) -> None:
    """Deviations from each person's own mean, multiplied pair by pair."""
    product, squares = [], []
    for person in days_of(diaries):
        known = [day for day in person if day is not None]
        off = [None if day is None else day - sum(known) / len(known) for day in person]
        squares += [x * x for x in off if x is not None]
        product += [a * b for a, b in zip(off, off[lag:], strict=False) if a is not None and b is not None]
    assert one(description, f"lag_{lag}").value == pytest.approx(np.mean(product) / np.mean(squares))


def test_spread_by_scipy(diaries: Diaries, description: Description) -> None:
    """The variance components must give SciPy's F again."""
    groups = [[day for day in person if day is not None] for person in days_of(diaries)]
    sizes = np.array([len(group) for group in groups])
    n0 = (sizes.sum() - (sizes**2).sum() / sizes.sum()) / (len(sizes) - 1)
    between, within = (one(description, f"sd_{name}").value ** 2 for name in ("between", "within"))
    assert (between * n0 + within) / within == pytest.approx(stats.f_oneway(*groups).statistic)
    assert one(description, "icc").value == pytest.approx(between / (between + within))


def test_runs_by_lifelines(diaries: Diaries, description: Description) -> None:
    """Lengths and endings of clean stretches listed one by one, then Kaplan-Meier by a library."""
    lengths, ends = [], []
    for person in days_of(diaries):
        length = 0
        for before, day in pairwise(person):
            if length and day == 0:
                length += 1
            elif length:
                # Cut off by a day that nobody asked about, it is known only to have outlasted the day before its last.
                lengths.append(length if day == 1 else length - 1)
                ends.append(day == 1)
                length = 0
            if before == 1 and day == 0:
                length = 1
        if length:
            lengths.append(length - 1)
            ends.append(False)
    with np.errstate():  # the library changes the state for good
        fitted = KaplanMeierFitter().fit(lengths, ends)
    for days in (1, 2, 7):
        assert one(description, f"clean_run_over_{days}").value == pytest.approx(fitted.predict(days))


def test_ends_and_gaps_by_hand(diaries: Diaries, description: Description) -> None:
    """Who stops answering after a use day is what a trial must know of its missing data."""
    counts = {0: [0, 0], 1: [0, 0]}
    missing = window = 0
    for person in days_of(diaries):
        asked = [i for i, day in enumerate(person) if day is not None]
        window += asked[-1] - asked[0] + 1
        missing += asked[-1] - asked[0] + 1 - len(asked)
        for i in asked:
            if i < len(person) - 1:
                counts[person[i] or 0][0] += i == asked[-1]
                counts[person[i] or 0][1] += 1
    ratio = (counts[1][0] / counts[1][1]) / (counts[0][0] / counts[0][1])
    assert one(description, "end_after_use").value == pytest.approx(ratio)
    assert one(description, "missing_share").value == pytest.approx(missing / window)


def test_intervals_cover() -> None:
    """Of 100 sets of people about 93 hold the truth; fewer than 83 would come less than once in 5,000 times."""
    truth = describe(made_up(20_000, 30, seed=1), n_resamples=2).statistics[0].value
    found = [describe(made_up(40, 30, seed=100 + i), n_resamples=300).statistics[0] for i in range(100)]
    assert sum(s.low <= truth <= s.high for s in found) >= 83


def test_nobody_to_describe() -> None:
    """Without asked days there is nothing to say, and an empty page would look like an answer."""
    empty = made_up(3)
    nothing = np.zeros_like(empty.assessed)
    with pytest.raises(SpecError, match="two or more"):
        describe(Diaries(**{**vars(empty), "assessed": nothing, "used": nothing}))


def test_the_command(diaries: Diaries, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The page stands alone, the numbers come as JSON without NaN, and a file is never replaced."""
    data, page = tmp_path / "d.parquet", tmp_path / "d.html"
    write_diaries([diaries], data)
    assert run_app(["describe", str(data), "--out", str(page), "--resamples", "100", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)["diaries"][0]
    assert content["origin"] == "simulated"
    assert content["asked_days"] == int(diaries.assessed.sum())
    text = page.read_text("utf-8")
    assert text.count("<figure") == 5
    assert "Simulated alcohol" in text
    assert "://" not in text.replace("http://www.w3.org", "")
    assert run_app(["describe", str(data), "--out", str(page)]) == 2
    assert run_app(["describe", str(data), "--substance", "beer"]) == 2
    assert run_app(["describe", str(tmp_path / "none.parquet")]) == 2


def test_titles_call_nothing_a_finding_that_may_be_chance() -> None:
    """Two people and three days in a tie once made "Most use on a Monday"; a clear Monday of many is one."""
    few = made_up(2)
    days = np.ones((2, 3), dtype=bool)
    tie = replace(few, assessed=days, used=days, amount=None, amount_unit=None,
                  weekday_of_first_day=np.zeros(2, dtype=np.int64))  # fmt: skip
    titles = [chart.title for chart in description_charts(describe(tie, n_resamples=100))]
    assert titles[0].startswith("Use on 6 of 6 asked days")
    assert not [title for title in titles if "Most" in title or "resembles" in title or "of 100" in title]
    rng = np.random.default_rng(2)
    many = np.ones((40, 70), dtype=bool)
    used = rng.random((40, 70)) < np.where(np.arange(70) % 7 == 0, 0.9, 0.2)
    for weekday, words in ((0, "Most use on a Monday"), (3, "Most use on a Thursday")):
        group = replace(made_up(40), assessed=many, used=used, amount=None, amount_unit=None, first_day=0,
                        weekday_of_first_day=np.full(40, weekday))  # fmt: skip
        titles = [chart.title for chart in description_charts(describe(group, n_resamples=200))]
        assert any(words in title for title in titles)
    flat = replace(
        tie,
        person=made_up(40).person,
        group=("",) * 40,
        assessed=many,
        weekday_of_first_day=np.full(40, 3),
        used=rng.random((40, 70)) < 0.3,
    )
    titles = [chart.title for chart in description_charts(describe(flat, n_resamples=200))]
    assert not [title for title in titles if "Most" in title or "resembles" in title]
