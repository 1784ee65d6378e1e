"""Laws of the analysis of a file: what must not matter does not, and what must turn turns."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from law_cases import law

import remission as rm
from remission.errors import SpecError
from remission.study import gate

METHODS = {"score": "mean_difference", "relapse": "odds_ratio", "use": "robust_rate_ratio", "time": "log_rank"}


@pytest.fixture(autouse=True, scope="module")
def _every_form_is_offered() -> Iterator[None]:
    """Methods are tried here whatever their second programs say, so that they can be mended; the gate has its tests."""
    policy, table = gate._table()
    offered = {name: one.replace(state="pending") if one.state == "differs" else one for name, one in table.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "_table", lambda: (policy, offered))
        yield


def people(rng: np.random.Generator) -> pd.DataFrame:
    """A small trial, with gaps."""
    n = int(rng.integers(16, 40))
    time = rng.integers(1, 60, n)
    frame = pd.DataFrame({
        "id": [f"P{i:02}" for i in range(n)], "arm": rng.permutation(np.arange(n) % 2).astype(str),
        "age": rng.integers(20, 65, n), "score": rng.normal(50.0, 10.0, n).round(2),
        "relapse": rng.permutation(np.arange(n) % 2), "use": rng.integers(1, 30, n), "seen": 60, "time": time,
        "event": rng.permutation(np.arange(n) % 3 > 0).astype(int),
    }).astype(object)  # fmt: skip
    frame.loc[rng.integers(0, n), "score"] = ""
    return frame


def plan(**more: Any) -> dict[str, Any]:
    kinds = {"score": "mean", "relapse": "binary", "use": "count", "time": "time"}
    extra = {"use": {"exposure": "seen"}, "time": {"event_column": "event", "better": "higher"}}
    return {
        "id": "x", "title": "X", "data": {"layout": "people", "person": "id", "arm": "arm"},
        "arms": [{"id": "one", "label": "One", "values": [1]}, {"id": "other", "label": "Other", "values": [0]}],
        "covariates": [{"id": "age", "column": "age", "kind": "number"}],
        "measures": [
            {"id": name, "label": name, "column": name, "measure": kind, "better": "lower", **extra.get(name, {})}
            for name, kind in kinds.items()
        ],
        "analyses": [
            {"id": name, "label": name, "endpoint": name, "method": method,
             "contrast": more.get("contrast", {"treatment": "one", "control": "other"}),
             **({"adjust": ["age"]} if method != "log_rank" else {})}
            for name, method in METHODS.items()
        ],
    }  # fmt: skip


def numbers(frame: pd.DataFrame, folder: Path, chosen: dict[str, Any]) -> dict[str, np.ndarray]:
    path = folder / "trial.csv"
    frame.to_csv(path, index=False)
    found = rm.analyze(path, chosen)
    return {one.analysis.id: np.array([one.estimate, one.low, one.high, one.p_value]) for one in found.estimates}


@law(seed=2001, one_in=2)
def test_order_and_spelling_of_rows_do_not_matter(rng: np.random.Generator, tmp_path: Path) -> None:
    """A file sorted by outcome, or with spaces and codes as text, holds the same trial."""
    frame, chosen = people(rng), plan()
    before = numbers(frame, tmp_path, chosen)
    other = frame.iloc[rng.permutation(len(frame))].assign(unread=rng.normal(size=len(frame)))
    other = other[list(rng.permutation(other.columns))]
    other["arm"] = [f" {word}" if rng.random() < 0.5 else f"{word}.0" for word in other["arm"]]
    after = numbers(other, tmp_path, chosen)
    for name, found in before.items():
        np.testing.assert_allclose(after[name], found, rtol=1e-7, equal_nan=True, err_msg=name)


@law(seed=2002, one_in=2)
def test_exchanged_sides_turn_every_estimate(rng: np.random.Generator, tmp_path: Path) -> None:
    """Treatment minus control becomes its negative, a ratio its reciprocal, with the same p value."""
    frame = people(rng)
    one = numbers(frame, tmp_path, plan())
    other = numbers(frame, tmp_path, plan(contrast={"treatment": "other", "control": "one"}))
    for name, found in one.items():
        turned = -other[name] if name == "score" else 1.0 / other[name]
        np.testing.assert_allclose(found[:3], turned[[0, 2, 1]], rtol=1e-7, equal_nan=True, err_msg=name)
        np.testing.assert_allclose(found[3], other[name][3], rtol=1e-7, equal_nan=True)


@law(seed=2003, one_in=2)
def test_one_wrong_cell_is_refused_with_its_row(rng: np.random.Generator, tmp_path: Path) -> None:
    """Whatever stands where a number or an answer should: a message with the row, never a number beside it."""
    frame = people(rng)
    row, column = int(rng.integers(0, len(frame))), str(rng.choice(["score", "relapse", "use", "time", "age"]))
    wrong = str(rng.choice(["high", "1,5", "12 mg", "#DIV/0!x", "1e999", "2024-01-03", "--3", "inf", "0x1F", "yes?"]))
    frame.loc[row, column] = wrong
    path = tmp_path / "trial.csv"
    frame.to_csv(path, index=False)
    content = path.read_bytes()
    with pytest.raises(SpecError) as error:
        rm.analyze(path, plan())
    assert f"row {row + 2}, {column}" in str(error.value), (wrong, str(error.value))
    assert path.read_bytes() == content


@law(seed=2004, one_in=5)
def test_a_plan_with_a_wrong_value_anywhere_is_refused_or_analyzed(rng: np.random.Generator, tmp_path: Path) -> None:
    """A plan is typed by people: whatever one value becomes, there is a message or a result, and no traceback."""
    frame, chosen = people(rng), plan()
    path = tmp_path / "trial.csv"
    frame.to_csv(path, index=False)
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            places.append((value, key))
            if isinstance(item, dict | list):
                walk(item)

    walk(chosen)
    for _ in range(4):
        holder, key = places[int(rng.integers(0, len(places)))]
        junk = [None, "", -1, 0, 1e300, "x" * 300, [], {}, True, ["a", "a"], {"a": 1}, "score", "one", "../x"]
        before = holder[key]
        holder[key] = junk[int(rng.integers(0, len(junk)))]
        (tmp_path / "plan.yaml").write_text(json.dumps(chosen), encoding="utf-8")
        # Any other error would end the test.
        with suppress(SpecError):
            rm.analyze(path, tmp_path / "plan.yaml")
        holder[key] = before
