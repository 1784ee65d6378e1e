"""Abstinence computed a second time by the package abstcal, from the same diaries."""

import os
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from seen_days import endpoint, seen_days

from remission.endpoints.data import EndpointData
from remission.endpoints.values import values_of

pytestmark = pytest.mark.independent

FIRST, LAST = 5, 40
"""The window's first day, a visit, and the first day after it, another visit."""
RULES = {"itt": "use", "ro": "complete"}


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """The package looks at a random row by NumPy's global generator, and at pandas in ways that pandas warns of."""
    state = np.random.get_state()  # noqa: NPY002 - put back, so that no test depends on it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    np.random.set_state(state)  # noqa: NPY002


@pytest.fixture(scope="module")
def diaries() -> EndpointData:
    """Sixty people: a third without gaps, from none to daily use, so that every answer occurs."""
    rng = np.random.default_rng(20261127)
    signs = np.where(rng.random((60, 50)) < rng.choice([0.0, 0.02, 0.2, 0.9], size=(60, 1)), "x", ".")
    gaps = rng.random((60, 50)) < rng.choice([0.0, 0.005, 0.1], size=(60, 1))
    signs[:20, FIRST : FIRST + 12] = "x"  # use in the time of grace
    return seen_days(*("".join(row) for row in np.where(gaps, "?", signs)))


def calculator(tlfb: pd.DataFrame, visits: pd.DataFrame) -> Any:
    """The calculator on tables with a row a day asked about and a row a visit; its dates are day counters.

    Its reading of calendar dates asks pandas for an argument that is gone, so days are counted from the first.
    """
    abstcal = import_module("abstcal")
    visit_data = abstcal.VisitData(visits, use_raw_date=False)
    visit_data.impute_data()
    return abstcal.AbstinenceCalculator(abstcal.TLFBData(tlfb, use_raw_date=False), visit_data), visit_data.data


def answers(found: tuple[pd.DataFrame, Any]) -> list[float]:
    return [float(value) for value in found[0].sort_index().iloc[:, 0].astype(float)]


@pytest.mark.parametrize("mode", ["itt", "ro"])
def test_abstinence_is_that_of_a_second_package(mode: str, diaries: EndpointData) -> None:
    """Continuous, in the last week, and prolonged after two weeks of grace: person by person.

    Seven days of seven in a row is the only part of the recommended rule that the package can say. A missing day makes
    its prolonged abstinence fail whatever the rule, ours counts it as use; so that one is held to complete diaries.
    """
    person, day = np.nonzero(diaries.seen)
    tlfb = pd.DataFrame({"id": person, "date": day, "amount": diaries.used[diaries.seen] * 3.0})
    both = [(one, number, at) for one in range(len(diaries)) for number, at in enumerate((FIRST, LAST))]
    second, _ = calculator(tlfb, pd.DataFrame(both, columns=["id", "visit", "date"]))
    rule, last = RULES[mode], LAST - 1
    seven = {"consecutive_days": 7}
    ours = {
        "continuous": endpoint("continuous_abstinence", FIRST, last, rule),
        "point prevalence": endpoint("point_prevalence_abstinence", FIRST, last, rule, length_days=7),
        "after grace": endpoint("continuous_abstinence", FIRST, last, rule, grace_days=14),
        "prolonged": endpoint("prolonged_abstinence", FIRST, last, rule, grace_days=14, failure=seven),
    }
    theirs = {
        "continuous": second.abstinence_cont(0, 1, mode=mode),
        "point prevalence": second.abstinence_pp(1, 7, mode=mode),
        "after grace": second.abstinence_prolonged(0, 1, False, grace_days=14, mode=mode),
        "prolonged": second.abstinence_prolonged(0, 1, "6 days/7 days", grace_days=14, mode=mode),
    }
    whole = diaries.seen[:, FIRST + 14 : LAST].all(axis=1)
    assert whole.sum() >= 20
    for name, item in ours.items():
        compared = whole if name == "prolonged" else np.ones_like(whole)
        expected = np.array(answers(theirs[name]))[compared]
        np.testing.assert_array_equal(values_of(item, diaries)[compared], expected, err_msg=name)
        assert {0.0, 1.0} <= set(expected), f"{name}: the comparison must see both answers"


@pytest.mark.skipif("REMISSION_ABSTINENCE" not in os.environ, reason="names no folder with the calculator's own tables")
def test_the_calculators_own_tables_give_its_own_answers() -> None:
    """Thousands of rows that its authors wrote, duplicates and gaps among them."""
    folder = Path(os.environ["REMISSION_ABSTINENCE"])
    zero = pd.Timestamp("2017-01-01")
    tables = []
    for name, key in (("tlfb", ["id", "date"]), ("visit", ["id", "visit"])):
        table = pd.read_csv(folder / f"test_{name}.csv", parse_dates=["date"]).drop_duplicates(key, keep="last")
        tables.append(table.assign(date=(table["date"] - zero).dt.days))
    tlfb, visits = tables
    second, dates = calculator(tlfb, visits)
    theirs = second.abstinence_cont(2, 4)[0].iloc[:, 0]
    day_of = dates.pivot_table(index="id", columns="visit", values="date", aggfunc="last")
    for person in theirs.index:
        start, end = (int(day_of.loc[person, visit]) for visit in (2, 4))
        rows = tlfb[(tlfb["id"] == person) & (tlfb["date"] >= start) & (tlfb["date"] < end)]
        line = np.full(end - start, "?")
        line[(rows["date"] - start).to_numpy()] = np.where(rows["amount"] > 0, "x", ".")
        ours = values_of(endpoint("continuous_abstinence", 0, end - start - 1, "use"), seen_days("".join(line)))
        assert ours[0] == theirs[person], person
    assert set(theirs) == {0, 1}
    assert len(theirs) > 30
