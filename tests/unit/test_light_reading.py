"""What is read or computed the short way is what the long way gives."""

from importlib.resources import files

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binomtest

from remission.errors import UnitsError
from remission.library.loader import list_parameter_sets, load_parameter_set, parameter_sets_with, read_library_toml
from remission.library.protocols import evidence_of, list_protocols, load_protocol, substance_of
from remission.numerics.intervals import share_interval
from remission.records.quantity import is_per_weight, read_fixed_dose
from remission.runs.tables import _numbers, _Texts, _texts


def test_a_protocols_own_lines_say_what_the_whole_file_does() -> None:
    """Every result's first lines count trials by substance: a line read otherwise would miscount them."""
    for name in list_protocols():
        protocol = load_protocol(name)
        assert (substance_of(name), evidence_of(name)) == (protocol.substance, protocol.evidence), name


@pytest.mark.parametrize("n", [1, 2, 3, 7, 96, 1000, 123_457])
def test_wilsons_interval_is_scipys_to_the_bit(n: int) -> None:
    """The library takes a second to load, so its formula stands here; shares on every page come from it."""
    for hit in {0, 1, n // 3, n // 2, n - 1, n}:
        found = binomtest(hit, n).proportion_ci(method="wilson")
        assert share_interval(hit, n) == (float(found.low), float(found.high))


@pytest.mark.parametrize("text", ["0.5 mg/kg", "0.5mg/kg", "35 mg", "1e2 ug/kg", "0.5 mg / kg", "35", "mg/kg", "5 g"])
def test_a_dose_per_weight_is_never_a_fixed_one(text: str) -> None:
    """What is told without the unit library must be what it would refuse as an amount."""
    if is_per_weight(text):
        with pytest.raises(UnitsError):
            read_fixed_dose(text)


def test_columns_from_bytes_are_arrows_own() -> None:
    """Arrow is given bytes so that it does not load pandas; the table must be the same."""
    columns: tuple[np.ndarray, ...] = (
        np.array([1.5, np.nan, -0.0]), np.arange(4), np.zeros(0), np.arange(6.0)[::2], np.array([7], dtype=np.int32),
    )  # fmt: skip
    for values in columns:
        assert _numbers(values).equals(pa.array(values)) or np.isnan(values).any()
        assert _numbers(values).null_count == 0
        assert str(_numbers(values).type) == str(pa.array(values).type)
    words = ["ketamine-therapy", "", "\u00fcber", "x"]
    rows = np.array([0, 0, 3, 2, 1, 2])
    assert _texts(_Texts(words, rows)).equals(pa.array([words[one] for one in rows], pa.string()))
    assert _texts(_Texts([], np.zeros(0, dtype=np.int64))).equals(pa.array([], pa.string()))


def test_many_texts_are_those_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a million rows Arrow decodes; the column is the same."""
    column = _Texts(["ketamine-therapy", "", "\u00fcber"], np.array([0, 2, 1, 1, 0]))
    few = _texts(column)
    monkeypatch.setattr("remission.runs.tables._MANY_ROWS", 2)
    assert _texts(column).equals(few)


def test_parameter_sets_are_found_without_reading_the_library() -> None:
    """Every command asks which sets there are; a set that the short look misses could not be named."""
    found, waiting = [], [files("remission.library")]
    while waiting:
        for entry in waiting.pop().iterdir():
            if entry.is_dir():
                waiting.append(entry)
            elif entry.name.endswith(".toml") and "parameters" in read_library_toml(entry):
                found.append(entry.name.removesuffix(".toml"))
    assert list_parameter_sets() == tuple(sorted(found))


def test_sets_with_an_attribute_are_found_without_parsing_the_others() -> None:
    """A plan parsed the posteriors to see that they are no models of kinetics; one that is missed is never shown."""
    names = {one for name in list_parameter_sets() for one in load_parameter_set(name).attributes}
    assert {"species"} < names
    for attribute in names:
        expected = [name for name in list_parameter_sets() if attribute in load_parameter_set(name).attributes]
        assert parameter_sets_with(attribute) == tuple(expected)
    assert parameter_sets_with("no-such-attribute") == ()
