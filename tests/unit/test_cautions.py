"""Cautions and explanation: what a reader is told before and beside the results."""

import pytest
from validation.small_trials import small_protocol

from remission.library.protocols import list_protocols, load_protocol, protocol_template
from remission.library.published import list_trials, trial_record
from remission.protocol import Protocol
from remission.protocol.cautions import (
    HIGHEST_STUDIED_IM_MG_PER_KG,
    HIGHEST_STUDIED_MG_PER_KG,
    MOST_INFUSIONS_STUDIED,
)
from remission.protocol.file import parse_protocol
from remission.records.substance import Substance

TEMPLATE = protocol_template()


def cautions_after(*changes: tuple[str, str]) -> str:
    text = TEMPLATE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return "\n".join(parse_protocol(text, name="x.yaml").cautions())


def test_a_usual_protocol_has_no_caution() -> None:
    """A warning that always stands is never read."""
    assert parse_protocol(TEMPLATE, name="x.yaml").cautions() == ()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("duration: 40 min", "duration: 121 min", "121 min is outside all evidence, which ends at 2 h"),
        ("dose: 0.5 mg/kg", "dose: 0.81 mg/kg", "0.81 mg/kg is above the highest infused dose"),
        ("dose: 0.5 mg/kg", "dose: 2 mg/kg", "For 70 kg it is 140 mg, an anesthetic dose"),
        ("substance: alcohol", "substance: nicotine", "One small trial, which found no difference"),
        ("substance: alcohol", "substance: cannabis", "Ketamine in cannabis use is prior only"),
        ("substance: alcohol", "substance: methamphetamine", "Ketamine in methamphetamine use is prior only"),
        ("substance: alcohol", "substance: opioid", "heroin trials gave ketamine into a muscle"),
        ("substance: alcohol", "substance: opioid", "Keep naloxone at hand"),
        ("clean_days: 7", "clean_days: 0\n  self_quit: true", "Stopping alcohol suddenly can kill"),
        ("kind: percent_days_abstinent", "kind: percent_heavy_days", "graded assumed"),
        ("n_subjects: 120", "n_subjects: 3", "fewer people than one randomization block"),
        ("    drug: saline\n    therapy", "    drug: ketamine\n    therapy", "No arm receives saline"),
        ("missing: use", "missing: observed", ""),
    ],
)
def test_a_protocol_outside_the_evidence_says_so(old: str, new: str, told: str) -> None:
    """An optimizer would drift exactly to these places."""
    assert told in cautions_after((old, new))


def test_many_infusions_and_unseen_days_are_told() -> None:
    """Two traps of a design: more doses than anyone studied, and a window that ends after the last diary."""
    gap = "      - {gap: {low: 6, mode: 7, high: 14}, dose: 0.5 mg/kg, duration: 40 min}\n"
    assert "has 5 infusions" in cautions_after((gap + gap, gap * 4))
    late = cautions_after(("missing: use", "missing: observed"), ("150, 179]", "150, 178]"))
    assert "the last diary is on day 178" in late


def test_the_limits_are_those_of_the_evidence() -> None:
    """The constants in code are facts of the registry; when it grows, they must follow.

    A planned trial without a result, or one in other people, has not shown that more infusions are safe here.
    """
    arms = [
        arm
        for name in list_trials()
        for arm in trial_record(name).arms
        if arm.route == "IV"
        and "racemic ketamine" in str(arm.drug)
        and not trial_record(name).substance.startswith(("healthy", "none"))
        and trial_record(name).outcomes
    ]
    assert max(arm.dose_mg_per_kg or 0.0 for arm in arms) == HIGHEST_STUDIED_MG_PER_KG
    assert max(arm.n_doses or 0 for arm in arms) == MOST_INFUSIONS_STUDIED
    muscle = [arm for name in list_trials() for arm in trial_record(name).arms if arm.route == "IM"]
    assert max(arm.dose_mg_per_kg or 0.0 for arm in muscle) == HIGHEST_STUDIED_IM_MG_PER_KG


@pytest.mark.parametrize("name", list_protocols())
def test_an_explanation_holds_what_changes_a_result(name: str) -> None:
    """People read it before they run: every arm, dose, day, window and analysis must be in it."""
    protocol = load_protocol(name)
    text = " ".join(protocol.explain().split())
    for part in _parts(protocol):
        assert part in text, part
    assert all(len(line) <= 100 for line in protocol.explain().splitlines())


def _parts(protocol: Protocol) -> list[str]:
    parts = [str(protocol.population.n_subjects), str(protocol.substance), f"{protocol.follow_up_days} days"]
    parts += [f"{arm.label} ({arm.id}" for arm in protocol.arms]
    parts += [f"days {item.window.first} to {item.window.last}" for item in protocol.endpoints]
    parts += [analysis.label for analysis in protocol.analyses]
    parts += [" ".join(sentence.split()) for sentence in protocol.assumptions if "-" not in sentence]
    parts += protocol.cautions() if all("-" not in caution for caution in protocol.cautions()) else []
    for course in protocol.drugs.values():
        for infusion in course.infusions:
            for _, part in infusion.parts:
                length = "" if part.duration_min is None else f" over {part.duration_min:g} min"
                parts.append(f"{part.amount_text}{length}")
    return parts


def test_an_explanation_tells_what_is_set_apart_from_the_default() -> None:
    """Allocation, an active control's score, strata and the rule for missing days."""
    text = TEMPLATE.replace("label: Saline with therapy", "label: Midazolam with therapy\n    allocation: 2")
    text = text.replace("    drug: saline\n    infusions", "    drug: midazolam\n    psychoactive: 0.2\n    infusions")
    text = text.replace("block_size: 4", "block_size: 6").replace("stratify_by: []", "stratify_by: [sex, site]")
    told = " ".join(parse_protocol(text, name="x.yaml").explain().split())
    for part in (
        "allocation 2",
        "Psychoactive score 0.2 a session",
        "within sex and site",
        "counts as use",
        "infusions 2 and 3: 0.5 mg/kg over 40 min, 6 to 14 days (most often 7) after the one before",
        "7 days without use before day 0 (a weekday)",
        "Breath test: finds use within 1 day, sensitivity 0.5, specificity 1.",
    ):
        assert part in told
    fixed = TEMPLATE.replace("{infusion: 1, offset_days: 1}", "{day: 3}")
    assert "on day 3, infusion 2 + 1 day" in " ".join(parse_protocol(fixed, name="x.yaml").explain().split())
    survival = TEMPLATE.replace("kind: percent_days_abstinent", "kind: days_to_relapse_or_dropout")
    survival = survival.replace("missing: observed", "missing: use").replace("mean_difference", "hazard_ratio")
    assert "leaving is an event" in parse_protocol(survival, name="x.yaml").explain()


def test_what_nothing_reads_is_told() -> None:
    """A course that was meant for an arm, or a stratum that is the same for all, must not be believed to act."""
    assert "No arm has saline of drugs" in cautions_after(
        ("    drug: saline\n    therapy", "    drug: ketamine\n    therapy")
    )
    assert "No arm has spare of therapies" in cautions_after(
        (
            "therapies:\n",
            "therapies:\n  spare: {kind: education, quality: 1.0, session_length: 1 h, sessions: [{day: 3}]}\n",
        )
    )
    assert "site does nothing in the randomization and pda-ketamine" in cautions_after(
        ("stratify_by: []", "stratify_by: [site]"), ("adjust: [sex]", "adjust: [sex, site]")
    )
    assert "does nothing" not in cautions_after(("n_sites: 1", "n_sites: 3"), ("adjust: [sex]", "adjust: [site]"))


@pytest.mark.parametrize("method", ["rate_ratio", "day_odds_ratio"])
def test_a_count_of_days_says_that_its_method_was_another(method: str) -> None:
    """A result of last year that is run again must not differ without a word."""
    protocol = small_protocol()
    data = protocol.to_dict()
    data["analyses"][0]["method"] = method
    data["endpoints"][0]["kind"] = "use_days"
    assert any("quasi-Poisson" in caution for caution in Protocol.create(**data).cautions())
    assert not any("quasi-Poisson" in caution for caution in protocol.cautions())


def test_cautions_of_a_substance_stand_where_they_belong() -> None:
    """Words come from the table of substances: each under its own condition, and its places to fill are filled."""
    for substance in Substance:
        here = ("substance: alcohol", f"substance: {substance.value}")
        treated = cautions_after(here, ("clean_days: 7", "clean_days: 0\n  self_quit: true"))
        facts = substance.facts
        assert ("is prior only" in treated) == facts.prior_only
        for when in ("stopping", "self_quit", "ketamine"):
            assert facts.cautions.get(when, "")[:60] in treated
        assert "{" not in treated
        assert facts.cautions.get("self_quit", "(none)")[:60] not in cautions_after(here)
