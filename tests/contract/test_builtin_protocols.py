"""Built-in protocols against the published designs, the evidence registry and the published schema."""

import hashlib
import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import pytest

from remission.errors import LibraryError, SpecError
from remission.library import protocols
from remission.library.protocols import (
    list_protocols,
    list_published,
    load_protocol,
    protocol_template,
    protocol_text,
    published_left_out,
)
from remission.library.published import published_outcome, published_verdict, trial_record
from remission.protocol import Protocol
from remission.protocol.file import parse_protocol
from remission.protocol.json_schema import protocol_json_schema, schema_text
from remission.records.base import Record
from remission.records.dose import DrugForm
from remission.records.packaged import evidence_records, verdict_words
from remission.records.substance import Substance
from remission.records.yaml_tree import read_tree
from remission.units import suffix_of

DOCS = Path(__file__).parents[2] / "docs"
LIBRARY = files("remission.library")
SCHEMA = protocol_json_schema()
FILES = {"protocol_template": protocol_template(), **{name: protocol_text(name) for name in list_protocols()}}

# SHA-256 of the evidence registry as it was handed over: the shipped copy is the same, byte for byte.
EVIDENCE = "0f2c13b3ed97a15ec4e40541720b32d30a0d4b65e7983e905e80313137f7de2a"


def test_the_list_holds_published_trials_and_the_untreated_course_of_each_substance() -> None:
    """The names are what people type."""
    untreated = {f"cold-turkey-{substance}" for substance in Substance}
    trials = {
        "kare", "dakwar-2019", "dakwar-2020", "krupitsky-2007", "jovaisa-2006", "yoon-2025", "tobacco-pilot",
        "esketamine-lung-cancer", "nct04177706", "combine-2006", "terasaki-2022",
    }  # fmt: skip
    assert set(list_protocols()) == {*trials, *untreated}
    assert set(list_published()) == trials


def test_every_trial_of_ketamine_is_a_protocol_or_has_its_reason() -> None:
    """A registry of protocols without its nulls and gaps would show a positive-only field."""
    records = evidence_records()
    with_ketamine = {name for name, one in records.items() if any("ketamine" in str(arm.drug) for arm in one.arms)}
    built = {load_protocol(name).evidence for name in list_published()}
    assert with_ketamine - built == set(published_left_out())
    assert built - with_ketamine == {"combine_2006"}


def test_what_was_published_in_words_stands_beside_an_analysis() -> None:
    """No difference is a result; it must not be lost because it has no number."""
    said = {}
    for name in list_published():
        protocol = load_protocol(name)
        for one in protocol.comparisons:
            found = published_verdict(str(protocol.evidence), **one.words)
            if found is not None:
                assert one.analysis is not None
                said[name] = found.says
    assert said == {
        "dakwar-2020": "favors ketamine", "jovaisa-2006": "no difference", "krupitsky-2007": "no difference",
        "tobacco-pilot": "no difference", "yoon-2025": "no difference",
    }  # fmt: skip
    words = load_protocol("jovaisa-2006").comparisons[0].replace(outcome="status at 5-month follow-up")
    with pytest.raises(SpecError, match="the words of exactly one outcome"):
        load_protocol("jovaisa-2006").replace(comparisons=[words])


@pytest.mark.parametrize("name", list_published())
def test_people_and_doses_of_a_published_trial_are_those_of_its_record(name: str) -> None:
    """Whatever a file adds stands among its assumptions; these may not differ."""
    protocol = load_protocol(name)
    arms = trial_record(str(protocol.evidence)).arms
    sizes = [arm.n or 0 for arm in arms]
    if all(sizes):
        assert protocol.population.n_subjects == sum(sizes)
        assert [arm.allocation for arm in protocol.arms] == sizes or name in _IN_BLOCKS
    for arm, published in zip(protocol.arms, arms, strict=True):
        infusions = protocol.drugs[arm.drug].infusions if arm.drug else ()
        if arm.medicine is None:
            assert len(infusions) == (published.n_doses or 0)
        for infusion in infusions:
            doses = infusion.given(DrugForm.RACEMATE)
            if published.dose_mg_per_kg is not None:
                assert sum(dose.dose_mg_per_kg or 0.0 for dose in doses) == pytest.approx(published.dose_mg_per_kg)
            elif published.dose_mg is not None:
                assert sum(dose.dose_mg or 0.0 for dose in doses) == published.dose_mg
            if published.infusion_minutes is not None:
                assert 60.0 * infusion.duration_h == pytest.approx(published.infusion_minutes)


_IN_BLOCKS = ("kare", "dakwar-2019")
"""Arms of nearly the same size, drawn in small blocks."""


@pytest.mark.parametrize("name", list_protocols())
def test_a_file_is_named_for_its_protocol_and_lists_its_assumptions(name: str) -> None:
    """A result says what was assumed, so the file must."""
    protocol = load_protocol(name)
    assert protocol.id == name
    assert len(protocol.assumptions) >= 3


@pytest.mark.parametrize("name", list_protocols())
def test_every_comparison_finds_exactly_one_published_number(name: str) -> None:
    """The table would otherwise fail after the run, or stand empty."""
    protocol = load_protocol(name)
    for comparison in protocol.comparisons:
        assert protocol.evidence is not None
        words = (protocol.evidence, comparison.arm_or_contrast, comparison.outcome, comparison.statistic)
        if words in verdict_words():
            continue
        found = published_outcome(protocol.evidence, **comparison.words)
        assert found.trial_id == protocol.evidence


def test_kare_is_the_published_design() -> None:
    """People, arms, doses and lengths of the alcohol trial, against its evidence record."""
    kare, record = load_protocol("kare"), trial_record("grabski_2022_kare")
    assert [arm.id for arm in kare.arms] == [
        "ketamine-therapy",
        "ketamine-education",
        "saline-therapy",
        "saline-education",
    ]
    assert kare.population.n_subjects == sum(arm.n or 0 for arm in record.arms) == 96
    for arm, published in zip(kare.arms, record.arms, strict=True):
        infusions = kare.drugs[arm.drug or ""].infusions
        assert len(infusions) == published.n_doses
        assert {item.dose_mg_per_kg for item in infusions} == {published.dose_mg_per_kg}
        assert {item.duration_min for item in infusions} == {published.infusion_minutes}
        assert [item.gap and (item.gap.low, item.gap.mode, item.gap.high) for item in infusions[1:]] == [(7, 7, 21)] * 2
        therapy = kare.therapies[arm.therapy or ""]
        assert (len(therapy.sessions), therapy.session_min) == (7, 90.0)
    assert "35/96 women; age 44.07 (SD 10.59)" in record.population
    assert (kare.population.age.mean_y, kare.population.age.sd_y) == (44.07, 10.59)
    assert kare.population.female_fraction == 35 / 96
    assert kare.estimand is not None
    assert kare.estimand.analysis == "pda-ketamine"
    assert {comparison.arm for comparison in kare.comparisons if comparison.arm} == {arm.id for arm in kare.arms}


def test_dakwar_2019_is_the_published_design() -> None:
    """People, arms, doses and lengths of the cocaine trial, against its evidence record."""
    trial, record = load_protocol("dakwar-2019"), trial_record("dakwar_2019_cocaine")
    assert trial.population.n_subjects == sum(arm.n or 0 for arm in record.arms) == 55
    for arm, published in zip(trial.arms, record.arms, strict=True):
        (infusion,) = trial.drugs[arm.drug or ""].infusions
        assert infusion.dose_mg_per_kg == published.dose_mg_per_kg
        assert infusion.duration_min == published.infusion_minutes
        assert infusion.day == 1
    assert [(stay.first, stay.last) for stay in trial.setting.inpatient] == [(0, 4)]
    assert trial.drugs["midazolam"].psychoactive == 0.0


@pytest.mark.parametrize("substance", list(Substance))
def test_the_untreated_course_has_no_treatment_and_carries_its_safety_line(substance: Substance) -> None:
    """A file about stopping alone must not read like advice to do so."""
    protocol = load_protocol(f"cold-turkey-{substance}")
    assert protocol.substance == substance
    assert [(arm.drug, arm.therapy) for arm in protocol.arms] == [(None, None)]
    assert protocol.population.self_quit
    assert (protocol.follow_up_days, protocol.population.n_subjects) == (365, 500)
    words = {"alcohol": "seek medical help", "opioid": "naloxone"}.get(substance)
    if words is not None:
        assert words in protocol.title
        assert words in " ".join(protocol.assumptions).lower()
        assert words in " ".join(protocol.cautions()).lower()


def test_an_unknown_name_lists_what_exists() -> None:
    """`remission run cold-turkey` must say which six there are."""
    with pytest.raises(LibraryError) as caught:
        load_protocol("cold-turkey")
    assert "cold-turkey-alcohol" in caught.value.allowed
    assert "cold-turkey-" in caught.value.remedy
    with pytest.raises(LibraryError):
        protocol_text("../protocol_template")


def test_a_damaged_file_of_the_library_is_a_library_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not the user's input that is wrong."""
    monkeypatch.setattr(protocols, "protocol_text", lambda _: "id: x\n")
    with pytest.raises(LibraryError, match="Install the package again"):
        load_protocol.__wrapped__("kare")
    with pytest.raises(LibraryError, match="Install the package again"):
        protocols._text("protocols", "none.yaml")


def test_the_template_is_a_protocol_without_cautions() -> None:
    """What people start from must run as it is."""
    assert parse_protocol(protocol_template(), name="my-trial.yaml").cautions() == ()


def test_the_evidence_is_shipped_byte_for_byte() -> None:
    """Nobody edits a published number here; a new registry comes with a new hash."""
    assert hashlib.sha256(LIBRARY.joinpath("evidence.json").read_bytes()).hexdigest() == EVIDENCE
    assert "Apache-2.0" in LIBRARY.joinpath("evidence.README.md").read_text(encoding="utf-8")


def test_the_published_schema_is_the_schema_of_the_code() -> None:
    """Editors read the file; ``make pages`` writes it to both places."""
    text = schema_text()
    assert (DOCS / "reference" / "protocol.schema.json").read_text(encoding="utf-8") == text
    assert LIBRARY.joinpath("protocol.schema.json").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", list(FILES))
def test_the_files_are_valid_by_the_published_schema(name: str) -> None:
    """An editor must not mark a built-in file as wrong."""
    assert schema_faults(read_tree(FILES[name], name=name).data) == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("dose: 0.5 mg/kg", "dose: 0.5", "/drugs/ketamine/infusions/0/dose"),
        ("dose: 0.5 mg/kg", "dose: 35 mL", "/drugs/ketamine/infusions/0/dose"),
        ("dose: 0.5 mg/kg", "dose_mg: 35 mg", "/drugs/ketamine/infusions/0"),
        ("duration: 40 min", "duration: 40 m", "/drugs/ketamine/infusions/0/duration"),
        ("clean_days: 7", "clean_day: 7", "/population"),
        ("substance: alcohol", "substance: wine", "/substance"),
        ("follow_up_days: 180", "follow_up_days: 0", "/follow_up_days"),
        ("female_fraction: 0.4", "female_fraction: 40", "/population/female_fraction"),
        ("id: my-trial", "id: My Trial", "/id"),
    ],
)
def test_the_published_schema_refuses_the_commonest_slips(old: str, new: str, place: str) -> None:
    """A schema that takes everything would pass the test above."""
    data = read_tree(protocol_template().replace(old, new, 1), name="x.yaml").data
    assert any(fault.startswith(place) for fault in schema_faults(data))


def schema_faults(data: Any) -> list[str]:
    """Faults by the schema; a keyword that is not handled here fails, so none is skipped silently."""
    return list(_faults(data, SCHEMA, ""))


ANNOTATIONS = {"$schema", "$id", "$defs", "title", "description", "default", "examples"}

# What each keyword that looks at the value alone asks of it.
CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    "type": lambda data, value: _has_type(data, value),
    "enum": lambda data, value: data in value,
    "const": lambda data, value: data == value,
    "pattern": lambda data, value: not isinstance(data, str) or re.search(value, data) is not None,
    "minimum": lambda data, value: not isinstance(data, int | float) or data >= value,
    "maximum": lambda data, value: not isinstance(data, int | float) or data <= value,
    "minLength": lambda data, value: not isinstance(data, str) or len(data) >= value,
    "maxLength": lambda data, value: not isinstance(data, str) or len(data) <= value,
    "minItems": lambda data, value: not isinstance(data, list) or len(data) >= value,
    "maxItems": lambda data, value: not isinstance(data, list) or len(data) <= value,
    "minProperties": lambda data, value: not isinstance(data, dict) or len(data) >= value,
    "required": lambda data, value: not isinstance(data, dict) or data.keys() >= set(value),
}


def _faults(data: Any, schema: Any, at: str) -> Iterator[str]:
    for keyword, value in schema.items():
        if keyword in CHECKS:
            if not CHECKS[keyword](data, value):
                yield f"{at}: {keyword} {value}"
        elif keyword == "$ref":
            yield from _faults(data, SCHEMA["$defs"][value.removeprefix("#/$defs/")], at)
        elif keyword == "anyOf":
            if all(list(_faults(data, item, at)) for item in value):
                yield f"{at}: fits none"
        elif keyword == "items":
            for index, item in enumerate(data if isinstance(data, list) else []):
                yield from _faults(item, value, f"{at}/{index}")
        elif keyword in {"properties", "patternProperties", "additionalProperties", "propertyNames"}:
            continue
        else:
            assert keyword in ANNOTATIONS, f"the schema uses {keyword}, which this test does not know"
    if isinstance(data, dict):
        yield from _map_faults(data, schema, at)


def _map_faults(data: dict[str, Any], schema: Any, at: str) -> Iterator[str]:
    for name, item in data.items():
        yield from _faults(name, schema.get("propertyNames", {}), f"{at}/{name}")
        patterns = schema.get("patternProperties", {})
        fitting = [value for pattern, value in patterns.items() if re.search(pattern, name)]
        if name in schema.get("properties", {}):
            fitting.append(schema["properties"][name])
        if not fitting:
            others = schema.get("additionalProperties", {})
            if others is False:
                yield f"{at}: unknown {name}"
            else:
                fitting.append(others)
        for value in fitting:
            yield from _faults(item, value, f"{at}/{name}")


def _has_type(data: Any, name: str) -> bool:
    if name in {"integer", "number"} and isinstance(data, bool):
        return False
    kinds: dict[str, Any] = {
        "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": int | float,
        "null": type(None),
    }  # fmt: skip
    return isinstance(data, kinds[name])


def _records(kind: Any, seen: set[type[Record]]) -> set[type[Record]]:
    if isinstance(kind, type) and issubclass(kind, Record) and kind not in seen:
        seen.add(kind)
        for field in kind.model_fields.values():
            _records(field.annotation, seen)
    for argument in get_args(kind):
        _records(argument, seen)
    return seen


ON_A_LOG_SCALE = {"Missingness.observed", "Missingness.latent", "Blinding.expectancy_use", "Blinding.guess_better"}


def test_every_float_of_a_protocol_has_a_unit_in_its_name_or_is_a_share() -> None:
    """A float without a unit in its name is a number nobody can check."""
    for record in _records(Protocol, set()):
        if record.__module__ == "remission.records.effect":
            # Stated effects are in the unit of their own outcome; names_without_unit.toml lists each.
            continue
        for name, field in record.model_fields.items():
            if field.annotation is float:
                is_share = any(getattr(item, "le", None) == 1.0 for item in field.metadata)
                named = f"{record.__name__}.{name}"
                assert is_share or suffix_of(name) or named in ON_A_LOG_SCALE, named
