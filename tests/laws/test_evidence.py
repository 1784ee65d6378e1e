"""Laws of the evidence: nulls never vanish, order and language change nothing, hearsay is never a number."""

import re
from collections.abc import Sequence

import numpy as np
from law_cases import law

from remission.evidence.care import fill, slots_of
from remission.evidence.classes import endpoint_classes
from remission.evidence.contrasts import ContrastGroup, group_contrasts, outcomes_of
from remission.evidence.pooling import pool_effects
from remission.evidence.registry import EvidenceRegistry, load_evidence
from remission.evidence.verdicts import verdicts_of
from remission.library.calibration_plan import load_calibration_plan
from remission.library.loader import load_parameter_set
from remission.library.protocols import load_protocol
from remission.patient.standing import standing_of
from remission.records.evidence import StudyOutcome, StudyRecord
from remission.records.parameter import MODEL_FORM, Grade, Parameter
from remission.records.substance import Substance
from remission.report.forest import forest_rows
from remission.web.language import LANGUAGES, load_text

REGISTRY = load_evidence()
ENDPOINTS = [name for name in endpoint_classes() if name != "other"]
ODDS = {
    "endpoint": "relapse",
    "time_days": 180,
    "statistic": "odds ratio",
    "sd": None,
    "n": 50,
    "source_url": "made up",
}
TRIALS = [study for study in REGISTRY.studies if study.id.startswith(("grabski", "dakwar_2019", "johnson", "mariani"))]


def odds_ratio(log_value: float, error: float, kind: str = "abstract or registry") -> StudyOutcome:
    """A comparable odds ratio of a made-up trial."""
    value, low, high = (float(np.exp(log_value + step * error)) for step in (0.0, -1.959964, 1.959964))
    return StudyOutcome.from_dict(
        {**ODDS, "arm_or_contrast": "Ketamine vs midazolam", "value": value, "ci_low": low, "ci_high": high,
         "source_kind": kind}
    )  # fmt: skip


def registry_of(outcomes: Sequence[tuple[StudyOutcome, ...]]) -> EvidenceRegistry:
    """Made-up alcohol trials under the names of randomized ones."""
    return EvidenceRegistry(
        studies=tuple(
            study.replace(substance="alcohol", outcomes=items) for study, items in zip(TRIALS, outcomes, strict=False)
        ),
        care=(),
    )


def groups_of(registry: EvidenceRegistry) -> tuple[ContrastGroup, ...]:
    return group_contrasts(registry, substance="alcohol", endpoint="relapse")


PAIRS = [
    (substance, endpoint)
    for substance in REGISTRY.substances()
    for endpoint in ENDPOINTS
    if outcomes_of(REGISTRY, substance=substance, endpoint=endpoint)
    or verdicts_of(REGISTRY, substance=substance, endpoint=endpoint)
]


def drawn(rng: np.random.Generator) -> tuple[str, str]:
    """A substance and an endpoint that have a result."""
    return PAIRS[int(rng.integers(len(PAIRS)))]


@law(seed=20261401)
def test_a_null_never_moves_a_pooled_effect_away_from_none(rng: np.random.Generator) -> None:
    """A trial that found nothing, as precise as the others, must not make the whole look better."""
    k = int(rng.integers(3, 8))
    estimates = rng.normal(rng.normal(0.0, 1.0), abs(rng.normal(0.0, 0.6)), k)
    errors = np.full(k, float(rng.uniform(0.05, 1.0)))
    before = pool_effects(estimates, errors)
    after = pool_effects(np.append(estimates, 0.0), np.append(errors, errors[0]))
    assert abs(after.estimate) <= abs(before.estimate) + 1e-9 * errors[0]


@law(seed=20261402)
def test_a_null_in_words_changes_no_number_and_removes_no_row(rng: np.random.Generator) -> None:
    """A registry with its nulls shows every number that the one without them shows, and the nulls before them."""
    substance, endpoint = drawn(rng)
    words = verdicts_of(REGISTRY, substance=substance, endpoint=endpoint)
    only_words = {one.study.id for one in words}
    kept = tuple(
        study
        for study in REGISTRY.studies
        if study.id not in only_words or outcomes_of(
            EvidenceRegistry(studies=(study,), care=()), substance=substance, endpoint=endpoint
        )
    )  # fmt: skip
    without = EvidenceRegistry(studies=kept, care=())
    fewer = forest_rows(without, substance=substance, endpoint=endpoint) if kept_has(without, substance) else []
    rows = forest_rows(REGISTRY, substance=substance, endpoint=endpoint)
    assert all(row in rows for row in fewer)
    assert [row[6] for row in rows[: len(words)]] == [one.says for one in words]
    assert rows[len(words) :] == [row for row in fewer if row[5] != "in words"]


def kept_has(registry: EvidenceRegistry, substance: str) -> bool:
    return substance in registry.substances()


@law(seed=20261403)
def test_the_order_of_records_changes_nothing(rng: np.random.Generator) -> None:
    """Who was typed in first decides neither a pooled number, nor what is left out, nor a row."""
    numbers = [
        tuple(odds_ratio(rng.normal(-0.3, 0.5), rng.uniform(0.2, 0.6)) for _ in range(rng.integers(1, 4)))
        for _ in TRIALS
    ]
    registry = registry_of(numbers)
    places = rng.permutation(len(registry.studies))
    shuffled = EvidenceRegistry(
        studies=tuple(
            study.replace(outcomes=tuple(study.outcomes[int(i)] for i in rng.permutation(len(study.outcomes))))
            for study in (registry.studies[int(place)] for place in places)
        ),
        care=(),
    )
    one, other = groups_of(registry)[0], groups_of(shuffled)[0]
    assert one.pooled == other.pooled
    assert [item.outcome for item in one.used] == [item.outcome for item in other.used]
    whole = EvidenceRegistry(
        studies=tuple(REGISTRY.studies[int(i)] for i in rng.permutation(len(REGISTRY.studies))), care=()
    )
    substance, endpoint = drawn(rng)
    assert forest_rows(whole, substance=substance, endpoint=endpoint) == forest_rows(
        REGISTRY, substance=substance, endpoint=endpoint
    )


@law(seed=20261404)
def test_hearsay_never_enters_a_pooled_number(rng: np.random.Generator) -> None:
    """Numbers of press, secondary or derived kind stay visible and move nothing, however many there are."""
    numbers = [(odds_ratio(rng.normal(-0.3, 0.5), rng.uniform(0.2, 0.6)),) for _ in TRIALS]
    kinds = rng.choice(["press", "secondary", "derived"], len(TRIALS))
    with_hearsay = [
        (*items, odds_ratio(rng.normal(-2.0, 1.0), 0.05, str(kind))) for items, kind in zip(numbers, kinds, strict=True)
    ]
    plain, told = registry_of(numbers), registry_of(with_hearsay)
    assert groups_of(plain)[0].pooled == groups_of(told)[0].pooled
    assert groups_of(plain)[0].pooled is not None
    rows = forest_rows(told, substance="alcohol", endpoint="relapse")
    assert sorted(row[7] for row in rows if row[7] != "abstract or registry" and row[5] != "in words") == sorted(kinds)


@law(seed=20261405)
def test_placeholders_are_always_said_in_words_and_in_json(rng: np.random.Generator) -> None:
    """The words follow the grades of whatever set is used, so a new set or substance cannot be silent."""
    found = load_parameter_set("model-form-2026")
    substance = Substance(str(rng.choice([one.value for one in Substance])))

    def graded(parameter: Parameter) -> Parameter:
        is_own = parameter.id.endswith(f".{substance.value}")
        return parameter.replace(grade=str(rng.choice([one.value for one in Grade]))) if is_own else parameter

    changed = found.replace(parameters=tuple(graded(one) for one in found.parameters))
    standing = standing_of(substance, changed)
    own = [one for one in changed.parameters if one.id.endswith(f".{substance.value}")]
    n_placeholders = sum(one.grade is Grade.PLACEHOLDER for one in own)
    data = standing.to_dict()
    assert data["is_placeholder"] == (n_placeholders > 0)
    assert np.isclose(data["placeholder_share"], n_placeholders / len(own))
    assert ("placeholders" in standing.lines[0]) == (n_placeholders > 0)
    assert data["lines"] == list(standing.lines)
    n_measured = sum(one.grade is Grade.MEASURED for one in own)
    if n_placeholders:
        assert f"{n_placeholders} placeholder" in standing.lines[0]
        assert f"{n_measured or 'none'} measured" in standing.lines[0]


@law(seed=20261406)
def test_tuning_is_said_of_what_was_tuned_and_of_nothing_else(rng: np.random.Generator) -> None:
    """A substance without a trial of ketamine behind its values must never be called tuned on one."""
    name = str(rng.choice([one.value for one in Substance]))
    standing = standing_of(name, MODEL_FORM)
    text = " ".join(standing.lines)
    for other in Substance:
        for one in standing_of(other, MODEL_FORM).trials:
            assert (one.name in text) == (other.value == standing.substance)
            assert one.record is not None
            study = REGISTRY[one.record]
            assert isinstance(study, StudyRecord)
            assert {item.endpoint for item in study.outcomes} >= set(one.endpoints)
    assert ("No trial of ketamine" in text) == (not standing.trials)
    # Of values that are drawn, what they were fitted to is said in its place.
    drawn = " ".join(standing_of(name).lines)
    learnt = [load_protocol(one.protocol).substance.value for one in load_calibration_plan().trial].count(name)
    assert f"{learnt or 'none'} of them in {name}" in drawn
    assert not re.search(r"\bvalidated\b|\bpredicts?\b", f"{text} {drawn}")


def leaves(tree: object, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], str]:
    """Every text of a tree, by its place."""
    if isinstance(tree, dict):
        return {place: text for key, value in tree.items() for place, text in leaves(value, (*path, key)).items()}
    if isinstance(tree, list):
        return {
            place: text
            for index, value in enumerate(tree)
            for place, text in leaves(value, (*path, str(index))).items()
        }
    return {path: tree} if isinstance(tree, str) else {}


@law(seed=20261407)
def test_the_language_never_changes_a_number(rng: np.random.Generator) -> None:
    """A sentence has the same numbers of the same records in every language, and none typed into one of them."""
    name = str(rng.choice(["journey", "safety"]))
    english, other = (leaves(load_text(language, name)) for language in ("en", str(rng.choice(list(LANGUAGES)))))
    place = sorted(english)[int(rng.integers(len(english)))]
    assert english.keys() == other.keys()
    assert sorted(slots_of(english[place])) == sorted(slots_of(other[place]))
    shown = [
        sorted(re.findall(r"\d(?:[\d.]*\d)?", fill(text).replace(",", ""))) for text in (english[place], other[place])
    ]
    assert shown[0] == shown[1], place
