"""Laws of files: what is written is what is read, whatever its form, place, clock or language; damage is found."""

import locale
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from law_cases import law

from remission.cli.run import parameters_of
from remission.design.scenario_file import read_scenarios
from remission.door.runs import run_trial
from remission.errors import ProvenanceError, RunError, SpecError
from remission.library.protocols import load_protocol
from remission.patient.parameters import (
    CourseParameters,
    load_course_parameters,
    meaningful_range,
    read_parameters,
)
from remission.protocol.file import parse_protocol, read_protocol, write_protocol
from remission.protocol.record import Protocol
from remission.records.yaml_tree import read_tree
from remission.runs.folder import read_run
from remission.runs.identity import content_digits
from remission.trial.simulate import plan_trial

NAMES = ("kare", "dakwar-2019", "cold-turkey-alcohol", "cold-turkey-opioid")
WORDS = ("a", "no", "12:30", "0x1F", "1_000", "ä ö", "it's", 'say "yes"', "#5", "- x", "true", "null", "1e5", "x: y")


def some_protocol(rng: np.random.Generator) -> Protocol:
    """A built-in protocol with another size, other words and another follow-up of its people."""
    start = load_protocol(NAMES[rng.integers(len(NAMES))])
    arms = sum(arm.allocation for arm in start.arms)
    people = start.population.replace(
        n_subjects=int(arms * rng.integers(4, 200)), female_fraction=float(np.round(rng.uniform(), 12))
    )
    said = (*start.assumptions, *(str(WORDS[i]) for i in rng.integers(len(WORDS), size=3)))
    return start.replace(population=people, assumptions=said, title=f"{start.title} {WORDS[rng.integers(len(WORDS))]}")


@law(seed=501)
def test_a_protocol_written_and_read_is_the_same(rng: np.random.Generator, tmp_path: Path) -> None:
    """A run keeps its protocol as a file: another one read back would be another trial."""
    protocol = some_protocol(rng)
    path = tmp_path / "trial.yaml"
    path.write_bytes(write_protocol(protocol).encode())
    again = read_protocol(path)
    assert again == protocol
    assert again.content_hash == protocol.content_hash


def form(value: Any, rng: np.random.Generator, indent: int, depth: int = 0) -> str:
    """The same data in another form: order of keys, comments, quotes, blocks or brackets, indentation."""
    comment = f" # {WORDS[rng.integers(len(WORDS))]}" if rng.random() < 0.2 else ""
    pad = "\n" + " " * (indent * depth)
    if isinstance(value, dict) and value:
        keys = list(value)
        rng.shuffle(keys)
        if depth and rng.random() < 0.3 and is_flat(value):
            return "{" + ", ".join(f"{key}: {scalar(value[key], rng, is_inside=True)}" for key in keys) + "}" + comment
        return "".join(f"{pad}{quoted_key(key, rng)}: {form(value[key], rng, indent, depth + 1)}" for key in keys)
    if isinstance(value, list) and value:
        return "".join(f"{pad}-   {item(one, rng, indent, depth)}" for one in value)
    return scalar(value, rng, is_inside=False) + comment


def item(value: Any, rng: np.random.Generator, indent: int, depth: int) -> str:
    """An item of a list; a map in it is written in brackets, which any indentation takes."""
    if isinstance(value, dict) and value:
        return (
            "{"
            + ", ".join(f"{quoted_key(key, rng)}: {item(one, rng, indent, depth)}" for key, one in value.items())
            + "}"
        )
    if isinstance(value, list) and value:
        return "[" + ", ".join(item(one, rng, indent, depth) for one in value) + "]"
    return scalar(value, rng, is_inside=True)


def is_flat(value: dict[str, Any]) -> bool:
    return not any(isinstance(one, dict | list) for one in value.values())


def quoted_key(key: str, rng: np.random.Generator) -> str:
    return f'"{key}"' if rng.random() < 0.2 else key


def scalar(value: Any, rng: np.random.Generator, *, is_inside: bool) -> str:
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    if value is None or isinstance(value, bool):
        return str(rng.choice({None: ["null", "~"], True: ["true", "True"], False: ["false", "FALSE"]}[value]))
    if not isinstance(value, str):
        return repr(value)
    if rng.random() < 0.5:
        return "'" + value.replace("'", "''") + "'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


@law(seed=502)
def test_the_form_of_yaml_never_changes_what_is_read(rng: np.random.Generator) -> None:
    """Order, comments, quotes, indentation and line ends belong to the writer; the content is the same."""
    protocol = load_protocol(NAMES[rng.integers(len(NAMES))])
    data = read_tree(write_protocol(protocol), name="x").data
    text = form(data, rng, int(rng.integers(1, 5))).lstrip("\n") + "\n"
    text = "# a comment\n" * int(rng.integers(3)) + text
    if rng.random() < 0.5:
        text = text.replace("\n", "\r\n")
    assert read_tree(text, name="x").data == data
    read = parse_protocol(text, name="x").to_dict()
    # Courses are found by name: only their order may differ.
    assert read == protocol.to_dict()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished run."""
    small = load_protocol("dakwar-2019")
    return run_trial(small, tmp_path_factory.mktemp("runs"), n_replicates=1, seed=1)


@law(seed=503)
def test_any_single_byte_of_a_run_is_missed(rng: np.random.Generator, finished: Path) -> None:
    """One wrong byte in a table is one wrong number; one in the manifest is another seed."""
    files = sorted(path for path in finished.rglob("*") if path.is_file())
    path = files[rng.integers(len(files))]
    before = path.read_bytes()
    wrong = bytearray(before)
    wrong[rng.integers(len(wrong))] ^= int(rng.integers(1, 256))
    path.write_bytes(bytes(wrong))
    try:
        with pytest.raises((ProvenanceError, RunError)):
            read_run(finished)
    finally:
        path.write_bytes(before)


def doors(name: str, value: float, place: Path) -> Iterator[Any]:
    """Every way by which a value comes into a trial."""
    kare = load_protocol("kare")
    usual = load_course_parameters(kare.substance)
    yield lambda: parameters_of(kare, [f"{name}={value!r}"])
    yield lambda: usual.replace(**{name: value})
    fields = {one: getattr(usual, one) for one in CourseParameters.__dataclass_fields__} | {name: value}
    yield lambda: plan_trial(kare, n_replicates=1, seed=1, parameters=CourseParameters(**fields))
    yield lambda: read_parameters(fields)
    path = place / "scenarios.yaml"
    path.write_text(
        f"scenarios:\n  - id: a\n    parameters: {{{name}: {value!r}}}\ndesigns:\n  - id: b\n", encoding="utf-8"
    )
    yield lambda: read_scenarios(path, kare)


@law(seed=504)
def test_a_value_outside_its_range_is_refused_at_every_door(rng: np.random.Generator, tmp_path: Path) -> None:
    """A door without a guard is the one that is used."""
    names = list(CourseParameters.__dataclass_fields__)
    name = names[rng.integers(len(names))]
    low, high = meaningful_range(name)
    away = float(rng.uniform(0.001, 10.0))
    value = low - away if rng.random() < 0.5 else high + away
    for enter in doors(name, value, tmp_path):
        with pytest.raises(SpecError) as caught:
            enter()
        assert name in caught.value.where
        assert str(caught.value.got).startswith(f"{value!r}"[:6])


LOCALES = ("C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8", "POSIX")
ZONES = ("UTC", "Pacific/Kiritimati", "America/St_Johns", "Asia/Kathmandu")


@law(seed=505)
def test_language_and_clock_change_no_answer(rng: np.random.Generator) -> None:
    """The same protocol in another country is the same trial, to the byte."""
    protocol = some_protocol(rng)
    plan = plan_trial(protocol, n_replicates=2, seed=3)
    usual = (write_protocol(protocol), content_digits(plan), protocol.content_hash)
    before = locale.setlocale(locale.LC_ALL)
    zone = os.environ.get("TZ")
    try:
        with suppress(locale.Error):
            locale.setlocale(locale.LC_ALL, str(rng.choice(LOCALES)))
        os.environ["TZ"] = str(rng.choice(ZONES))
        time.tzset()
        again = parse_protocol(usual[0], name="x")
        other = (write_protocol(again), content_digits(plan_trial(again, n_replicates=2, seed=3)), again.content_hash)
    finally:
        locale.setlocale(locale.LC_ALL, before)
        if zone is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = zone
        time.tzset()
    assert other == usual
