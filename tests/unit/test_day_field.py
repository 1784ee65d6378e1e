"""The field of days: what is drawn is what is in the record, and what nobody knows is never drawn as anything else."""

import re

import numpy as np
import pytest

from remission.errors import SpecError
from remission.library.protocols import load_protocol
from remission.records.day_field import DayField, FieldGroup, field_of_states
from remission.report.day_field import draw_days, field_of_trial
from remission.trial.simulate import simulate_trial


def drawn_days(path: str, shape: tuple[int, int]) -> np.ndarray:
    """Days that a path covers, by following its pen: an independent reading of the drawing."""
    days = np.zeros(shape, dtype=bool)
    x = y = 0
    for kind, first, second in re.findall(r"([Mmh])(\d+)(?: (\d*\.?\d+))?", path):
        if kind == "M":
            x, y = int(first), int(float(second))
            continue
        if kind == "h":
            days[y, x : x + int(first)] = True
        x += int(first)
    return days


def made(seed: int, n_people: int, n_days: int) -> tuple[np.ndarray, np.ndarray]:
    """Days that are known, and days with use, of some made-up people."""
    generator = np.random.default_rng(seed)
    known = generator.random((n_people, n_days)) < generator.random((n_people, 1)) * 1.3
    return known, (generator.random((n_people, n_days)) < generator.random((n_people, 1)) * 1.2) & known


@pytest.mark.parametrize(("n_people", "n_days"), [(1, 1), (1, 30), (9, 14), (40, 180)])
def test_the_drawing_covers_the_days_of_the_record(n_people: int, n_days: int) -> None:
    """A path that is off by one day or row shows another life than the data."""
    known, used = made(n_people, n_people, n_days)
    field = field_of_states(
        what="alcohol", origin="reported", known=known, used=used, groups=[("a", "All", "ink", range(n_people))]
    )
    states = field.states(0)
    # Order aside, the rows are those that went in.
    assert sorted(states.tolist()) == sorted(np.where(known, used.astype(int), 2).tolist())
    free = (states == 0).sum(axis=1)
    assert (np.diff(free) <= 0).all()
    page = str(draw_days(field, name="all")).split("fod-key")[0]
    found = {name: drawn_days(path, states.shape) for name, path in re.findall(r'class="(ff|fn)" d="([^"]*)"', page)}
    assert (found["ff"] == (states != 2)).all()
    assert (drawn_days(re.findall(r'<path id="all-a-u" d="([^"]*)"', page)[0], states.shape) == (states == 1)).all()
    if "fn" in found:
        assert (found["fn"] == (states == 2)).all()
    assert DayField.from_dict(field.to_dict()) == field


def test_a_day_that_nobody_knows_is_counted_as_nothing() -> None:
    """Counted as a day without use it would flatter whoever left."""
    rows = ("f4n6", "f2u2n6", "n10")
    group = FieldGroup(id="left", label="Those who left", kind="both", rows=rows)
    field = DayField(what="alcohol", origin="reported", n_days=10, groups=(group,))
    page = str(draw_days(field, name="x", on_day=8))
    assert "<b>0</b>" in page
    assert "of 3 without use on day 8, 3 not known" in page
    assert "75 of 100 known days" in page
    assert [int(cell) for cell in re.findall(r'<td class="num">(\d+)</td>', page)[:5]] == [3, 30, 6, 2, 22]
    empty = DayField(what="x", origin="reported", n_days=10, groups=(group.replace(rows=("n10", "n10")),))
    assert "no day is known" in str(draw_days(empty, name="x"))


@pytest.mark.parametrize("row", ["f9", "f11", "f5x5", "", "f10 ", "f05u5", "f0f10", "10"])
def test_a_row_that_is_no_row_is_refused(row: str) -> None:
    """A row that is too short would be read as days that never were."""
    with pytest.raises(SpecError, match="10 days"):
        DayField.create(
            what="alcohol",
            origin="invented",
            n_days=10,
            groups=[{"id": "a", "label": "A", "kind": "ink", "rows": ["f10", row]}],
        )


def test_a_large_group_is_drawn_by_people_of_all_kinds() -> None:
    """A hundred of the best would be drawn as if everybody were like them."""
    used = np.arange(1000)[:, None] // 10 > np.arange(100)
    field = field_of_states(
        what="x", origin="simulated", known=np.ones_like(used), used=used, groups=[("a", "A", "both", range(1000))]
    )
    assert len(field.groups[0].rows) == 100
    assert field.note == "Drawn evenly from most to fewest days without use. A: 100 of 1000 people."
    assert (field.states(0) == 1).mean() == pytest.approx(used.mean(), abs=0.01)


def test_a_trial_shows_what_its_diaries_show() -> None:
    """The picture of a trial is of people who were simulated, by arm, with what did not come in left blank."""
    result = simulate_trial(load_protocol("kare"), n_replicates=1, seed=11)
    field = field_of_trial(result)
    assert [group.kind for group in field.groups] == ["both", "drug", "therapy", "none"]
    assert sum(len(group.rows) for group in field.groups) == 96
    for number, group in enumerate(field.groups):
        states = field.states(number)
        share = [100.0 * (row == 0).sum() / (row != 2).sum() for row in states if (row != 2).any()]
        arm = [one.id for one in result.protocol.arms].index(group.id)
        assert np.mean(share) == pytest.approx(result.arms["pda"].mean[0, arm])
    page = result._repr_html_()
    assert page.count('class="ff"') == 4 + 1
    assert "</style>" in page


def test_words_from_a_file_stay_words() -> None:
    """Names of groups and people come from files of others."""
    group = FieldGroup(id="<b>", label="<script>", kind="ink", rows=("f1u1",), people=("a'b\"<i>",))
    page = str(draw_days(DayField(what="x", origin="reported", n_days=2, groups=(group,)), name="x"))
    assert "<script>" not in page
    assert "<i>" not in page
    assert "'b" not in page
