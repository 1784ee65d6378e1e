"""What an effect rests on: chain, other trials, both."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import halfnorm, norm

from remission.cli.app import run_app
from remission.design.effect_models import baseline_of, direction_of, no_baseline, under_effect_model
from remission.errors import SpecError
from remission.evidence import standardized
from remission.evidence.standardized import (
    Law,
    OtherTrials,
    Seen,
    effects_of,
    load_other_trials,
    mixed,
    verdict_chances,
)
from remission.library.protocols import load_protocol
from remission.protocol.record import Protocol

CHAIN: dict[str, Any] = {
    "probability": {"value": 0.25, "mcse": 0.02}, "effect": {"value": 4.0, "mcse": 0.2}, "effect_sd": 3.0,
    "sampling_variance": 16.0,
}  # fmt: skip


def _weighted(monkeypatch: pytest.MonkeyPatch, weight: float) -> None:
    others = load_other_trials()
    changed = OtherTrials.from_dict({**others.to_dict(), "stacking_weight": weight})
    monkeypatch.setattr("remission.design.effect_models.load_other_trials", lambda: changed)


def test_random_effects_are_those_of_a_sample_of_the_prior() -> None:
    """The grid against importance sampling: another way to the same mean of a new trial's effect."""
    trials = [
        Seen(protocol="a", z=2.0, says=None, error=0.2), Seen(protocol="b", z=None, says="no difference", error=0.3),
        Seen(protocol="c", z=None, says="favors ketamine", error=0.3),
    ]  # fmt: skip
    generator = np.random.default_rng(2)
    mean, tau = generator.normal(0.0, 0.5, 400_000), halfnorm.rvs(scale=0.5, size=400_000, random_state=generator)
    theta = [mean + tau * generator.normal(size=mean.size) for _ in trials]
    weight = norm.pdf(0.4, theta[0], 0.2)
    weight *= norm.cdf(1.96, theta[1] / 0.3) - norm.cdf(-1.96, theta[1] / 0.3)
    weight *= norm.sf(1.96, theta[2] / 0.3)
    weight /= weight.sum()
    found = effects_of(trials)
    assert found.mean == pytest.approx(weight @ mean, abs=0.01)
    assert found.sd**2 == pytest.approx(weight @ ((mean - weight @ mean) ** 2 + tau**2), rel=0.04)


def test_a_baseline_has_the_scale_of_the_design_and_the_chances_of_its_size() -> None:
    """Points must follow the standard error, and chances must not; a trial four times as large is surer."""
    kare = load_protocol("kare")
    small, wide = (baseline_of(kare, "pda-ketamine", standard_error=se, alpha=0.05) for se in (4.0, 8.0))
    assert wide.effect.mean == pytest.approx(2.0 * small.effect.mean)
    assert wide.chances == pytest.approx(small.chances)
    # 48 v 48 people: one standardized unit is the standard deviation between people.
    assert small.unit == pytest.approx(4.0 * np.sqrt(24.0))
    large = kare.replace(population=kare.population.replace(n_subjects=384))
    more = baseline_of(large, "pda-ketamine", standard_error=2.0, alpha=0.05)
    assert more.effect.mean == pytest.approx(small.effect.mean)
    assert more.chances["helps"] > small.chances["helps"]
    # The estimate varies by the effect and by the standard error.
    assert small.estimate.sd**2 == pytest.approx(small.effect.sd**2 + 16.0)
    assert sum(small.chances.values()) == pytest.approx(1.0)


def test_a_benefit_keeps_its_direction() -> None:
    """A hazard ratio that helps lies below one: a baseline with the wrong sign would forecast harm."""
    assert direction_of(load_protocol("kare"), "pda-ketamine") == 1
    cocaine = load_protocol("dakwar-2019")
    assert direction_of(cocaine, "relapse-ketamine") == -1
    found = baseline_of(cocaine, "relapse-ketamine", standard_error=0.3, alpha=0.05)
    assert found.effect.mean < 0.0
    assert found.chances["helps"] > found.chances["harms"]


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_a_stacked_answer_is_the_mixture(monkeypatch: pytest.MonkeyPatch, weight: float) -> None:
    """At 0 it is the baseline's, at 1 the chain's, between the two moments of both laws together."""
    _weighted(monkeypatch, weight)
    found = under_effect_model(load_protocol("kare"), "pda-ketamine", CHAIN, model="stacked", alpha=0.05)
    chain, base = (found["models"][name] for name in ("chain", "baseline"))
    share = [weight * a["value"] + (1.0 - weight) * b["value"]
             for a, b in ((chain[name], base[name]) for name in ("probability", "effect"))]  # fmt: skip
    assert [found[name]["value"] for name in ("probability", "effect")] == pytest.approx(share)
    laws = [
        Law(center=np.array([one["effect"]["value"]]), spread=np.array([one["effect_sd"]]), weight=np.ones(1))
        for one in (chain, base)
    ]
    both = mixed(laws[0], laws[1], weight)
    assert found["effect_sd"] == pytest.approx(both.sd)
    assert found["says"][0].startswith({0.0: "The chain predicted the trials left out no better"}.get(weight, "The "))
    assert ("weight is 0:" in found["says"][0]) == (weight == 0.0)


def _contrast(protocol: Protocol, treatment: dict[str, str], control: dict[str, str]) -> Protocol:
    first = protocol.analyses[0].to_dict() | {"contrast": {"treatment": treatment, "control": control}}
    first |= {"adjust": []}
    return Protocol.from_dict(
        protocol.to_dict() | {"analyses": [first], "comparisons": [], "multiplicity": None, "estimand": None,
                              "purpose": "exploratory"}
    )  # fmt: skip


def test_what_the_other_trials_cannot_say_is_refused_by_name() -> None:
    """Filled in, it would be a number without a source: another outcome, therapy alone, less ketamine than control."""
    cocaine = load_protocol("dakwar-2019")
    with pytest.raises(SpecError, match=r"craving-ketamine \(mean_craving\).*expected use: .*--effect-model chain"):
        baseline_of(cocaine, "craving-ketamine", standard_error=1.0, alpha=0.05)
    factors = load_protocol("kare").arms[0].factors
    drug, therapy = (next(name for name in factors if name.startswith(part)) for part in ("drug", "therapy"))
    levels = {name: sorted({arm.factors[name] for arm in load_protocol("kare").arms}) for name in (drug, therapy)}
    same = _contrast(load_protocol("kare"), {therapy: levels[therapy][1]}, {therapy: levels[therapy][0]})
    assert "both get as much" in str(no_baseline(same, same.analyses[0].id))
    turned = _contrast(load_protocol("kare"), {drug: "saline"}, {drug: "ketamine"})
    assert "more ketamine in each arm" in str(no_baseline(turned, turned.analyses[0].id))
    left = load_protocol("nct04177706")
    assert "who left or was missing" in str(no_baseline(left, left.analyses[0].id))
    with pytest.raises(SpecError, match="without one there is no scale"):
        baseline_of(load_protocol("kare"), "pda-ketamine", standard_error=0.0, alpha=0.05)
    # The chain alone is still told, with the reason why nothing stands beside it.
    found = under_effect_model(cocaine, "craving-ketamine", CHAIN, model="chain", alpha=0.05)
    assert found["probability"] == CHAIN["probability"]
    assert list(found["models"]) == ["chain"]
    assert "craving-ketamine" in found["says"][0]


def test_a_session_more_is_more_ketamine_and_said_so() -> None:
    """The control of the other trials had none; a control with one session is taken for such a one, in words."""
    heroin = load_protocol("krupitsky-2007")
    found = baseline_of(heroin, heroin.analyses[0].id, standard_error=0.4, alpha=0.05)
    assert any("Both sides get ketamine" in one for one in found.notes)


def test_few_parts_are_nearly_the_same_law() -> None:
    """A forecast's file keeps 499 parts of 20,100, and years later they are scored."""
    law = standardized.z_of_new_trial(effects_of(load_other_trials().trials), 0.12)
    few = law.few()
    assert verdict_chances(few) == pytest.approx(verdict_chances(law), abs=2e-3)
    shares = np.array([0.05, 0.5, 0.95])
    assert few.quantiles(shares) == pytest.approx(law.quantiles(shares), abs=0.02)
    assert few.log_density(2.0) == pytest.approx(law.log_density(2.0), abs=0.01)


@pytest.mark.parametrize(("options", "says"), [
    (["--effect-model", "baseline"], "--effect-model: got baseline, without draws"),
    (["--effect-model", "both", "--assurance", "4"], "--effect-model: got both; expected one of chain, baseline"),
    (["--assurance", "4", "--effect-model", "stacked", "--analysis", "craving-ketamine"], "the other trials, asked"),
])  # fmt: skip
def test_a_wrong_effect_model_is_told_before_any_work(
    capsys: pytest.CaptureFixture[str], options: list[str], says: str
) -> None:
    """After an hour of draws would be too late."""
    assert run_app(["design", "dakwar-2019", *options]) == 2
    assert says in capsys.readouterr().err
