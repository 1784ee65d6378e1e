"""Assurance over priors, given sets of published trials, against what can be computed by hand."""

import json

import numpy as np
import pytest
from scipy.stats import kstest, lognorm, multivariate_normal, norm, truncnorm
from validation.small_trials import small_protocol

from remission.cli.app import run_app
from remission.design.assurance import Draw, _given, estimate_assurance
from remission.design.evidence import Evidence, EvidenceTrial, evidence_trials, log_likelihoods, simulate_evidence
from remission.design.evidence_sets import evidence_sets
from remission.design.priors import ValuePrior, prior_ranges, priors_of, sample_values
from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.library.protocols import load_protocol
from remission.patient.drawn import DRAWN
from remission.patient.parameters import DEFAULT_PARAMETER_SET, load_course_parameters
from remission.trial.simulate import simulate_trial


def draw_of(success: float, mean: float, spread: float = 1.0, n: int = 4) -> Draw:
    estimates = mean + spread * np.linspace(-1.0, 1.0, n) / np.std(np.linspace(-1.0, 1.0, n), ddof=1)
    return Draw(success=success, estimates=estimates, errors=np.full(n, spread), evidence=())


def test_draws_follow_their_priors() -> None:
    """A prior that is sampled as another one would answer another question.

    Four Kolmogorov tests of stratified draws, each far inside its bound: a false alarm is next to impossible.
    """
    priors = {one.name: one for one in priors_of(load_protocol("kare"))}
    drawn = sample_values(tuple(priors.values()), 2000, 5)
    laws = {
        "k_g": lognorm(0.5, scale=0.7),
        "use_effect": norm(0.0, 0.5),
        "k_m": truncnorm(0.0, np.inf, 0.0, 0.2),
    }
    for name in ("k_g", "use_effect", "k_m"):
        assert kstest([one[name] for one in drawn], laws[name].cdf).statistic < 0.01
    hidden = [one["p_hide"] for one in drawn]
    assert 0.0 <= min(hidden) < 0.001
    assert 0.499 < max(hidden) <= 0.5
    # A commitment weight of a normal prior stays where the equations have a meaning, here anywhere.
    assert min(one["k_m"] for one in drawn) >= 0.0
    # A drug that does nothing, and one that harms, must be as possible as one that helps.
    assert np.mean([one["use_effect"] > 0.0 for one in drawn]) == pytest.approx(0.5, abs=0.01)
    assert prior_ranges(load_protocol("kare"))["k_g"] == pytest.approx(
        (0.7 * np.exp(-0.98), 0.7 * np.exp(0.98)), rel=1e-3
    )


def test_a_prior_is_cut_where_the_equations_end() -> None:
    """A negative rate would be refused after an hour of draws."""
    cut = ValuePrior(name="beta_c", distribution="normal", center=0.5, scale=0.3)
    assert cut.at(np.array([0.5]))[0] == pytest.approx(0.5)
    rate = ValuePrior(name="k_g", distribution="normal", center=0.0, scale=1.0)
    assert rate.at(np.array([0.0, 0.5]))[0] >= 0.0


def test_parts_of_the_variance_add_up_to_the_whole() -> None:
    """The law of total variance: between draws, between trials beyond their reported error, and that error.

    The same draws and trials by another way: the variance of all estimates is the sum of the parts.
    """
    found = estimate_assurance(small_protocol(), n_draws=10, n_replicates=4, seed=3, evidence=((),))
    parts = found.parameter_variance + found.between_trial_variance + found.sampling_variance
    protocol = small_protocol()
    base = load_course_parameters(protocol.substance)
    seeds = np.random.SeedSequence(3).generate_state(20, dtype=np.uint64).tolist()[:10]
    estimates = [
        simulate_trial(protocol, n_replicates=4, seed=seed, parameters=base.replace(**values)).estimates["pda-ketamine"]
        for values, seed in zip(sample_values(priors_of(protocol), 10, 3), seeds, strict=True)
    ]
    table = np.stack([one.estimate for one in estimates])
    means = table.mean(axis=1)
    within = table.var(axis=1, ddof=1).mean()
    between = max(0.0, means.var(ddof=1) - within / 4)
    assert parts == pytest.approx(within + between)
    assert found.probability.value == pytest.approx(np.mean([(one.p_value < 0.05).mean() for one in estimates]))


def test_weights_are_those_of_bayes() -> None:
    """Two kinds of draws, one four times as likely: its successes count four times."""
    draws = [draw_of(1.0, 10.0)] * 40 + [draw_of(0.0, 0.0)] * 40
    weights = np.log([4.0] * 40 + [1.0] * 40)
    found = _given(("a",), draws, weights, fewest=25.0)
    assert found.probability is not None
    assert found.effect is not None
    assert found.probability.value == pytest.approx(0.8)
    assert found.effect.value == pytest.approx(8.0)
    assert found.n_effective == pytest.approx(200.0**2 / (40 * 16 + 40))


@pytest.mark.parametrize("weights", [[0.0] + [-50.0] * 79, [-np.inf] * 80])
def test_too_few_effective_draws_say_nothing(weights: list[float]) -> None:
    """One draw that speaks for all is an answer of chance; so is none."""
    found = _given(("a",), [draw_of(1.0, 1.0)] * 80, np.array(weights), fewest=25.0)
    assert found.probability is None
    assert found.n_effective < 2.0


def test_the_likelihood_is_the_normal_one_with_the_published_error() -> None:
    """Two outcomes that hang together count less than two that do not."""
    kare = evidence_trials()["kare"]
    assert [one[0] for one in kare.outcomes] == ["pda-ketamine", "pda-extremes"]
    # Published: 10.1 (1.1 to 19.0) and 15.9 (3.8 to 28.1) points; only abstract or registry numbers.
    assert kare.value == pytest.approx([10.1, 15.9])
    assert kare.error == pytest.approx([17.9 / 3.919928, 24.3 / 3.919928])
    shape = np.array([[4.0, 3.0], [3.0, 9.0]])
    one = Evidence(mean=np.array([6.0, 9.0]), covariance=shape, n_trials=20)
    correlation = np.array([[1.0, 0.5], [0.5, 1.0]])
    law = multivariate_normal(one.mean, np.outer(kare.error, kare.error) * correlation + shape / 20)
    assert log_likelihoods(kare, [one, one])[0] == pytest.approx(law.logpdf(kare.value))
    lost = Evidence(mean=np.full(2, np.nan), covariance=np.full((2, 2), np.nan), n_trials=0)
    assert log_likelihoods(kare, [one, lost])[1] == -np.inf


def test_only_first_hand_outcomes_with_an_interval_are_evidence() -> None:
    """Secondary numbers, press and derived ones may be shown; they may not weigh."""
    cocaine = evidence_trials()["dakwar-2019"]
    assert set(cocaine.outcomes) == {
        ("relapse-ketamine", None, "log"),
        ("craving-ketamine", None, "log of what is left"),
        ("abstinent-last-2-weeks", "ketamine-mbrp", "logit"),
        ("abstinent-last-2-weeks", "midazolam-mbrp", "logit"),
    }
    assert set(evidence_trials()) == {"kare", "dakwar-2019"}


def test_simulated_evidence_is_what_the_trial_shows() -> None:
    """Means on the scale of the analysis, shares averaged before their logit is taken."""
    trial: EvidenceTrial = evidence_trials()["dakwar-2019"]
    found = simulate_evidence(trial, {"gamma": 0.5}, n_trials=12, seed=2)
    base = load_course_parameters(trial.protocol.substance)
    result = simulate_trial(trial.protocol, n_replicates=12, seed=2, parameters=base.replace(gamma=0.5))
    by_name = dict(zip(trial.outcomes, found.mean, strict=True))
    log_hazard = np.log(result.estimates["relapse-ketamine"].estimate)
    assert by_name[("relapse-ketamine", None, "log")] == pytest.approx(log_hazard.mean())
    share = result.arms["abstinent-last-2-weeks"].mean[:, 0].mean()
    assert by_name[("abstinent-last-2-weeks", "ketamine-mbrp", "logit")] == pytest.approx(np.log(share / (1.0 - share)))


def test_sets_show_the_answer_with_and_without_each_trial() -> None:
    """What if the cocaine trial never existed: the comparison must be there without being asked for."""
    assert evidence_sets(None, None, 10) == ()
    assert evidence_sets("none", None, 10) == ((),)
    assert set(evidence_sets("kare,dakwar-2019", None, 10)) == {
        (),
        ("dakwar-2019", "kare"),
        ("kare",),
        ("dakwar-2019",),
    }
    assert evidence_sets(None, "dakwar-2019", 10) == ((), ("dakwar-2019", "kare"), ("kare",))


@pytest.mark.parametrize(
    ("evidence", "without", "draws", "says"),
    [
        ("karé", None, 10, "kare"),
        ("kare", None, 0, "--assurance"),
        ("kare", "dakwar-2019", 10, "--without"),
        (None, "nothing", 10, "one of"),
        ("", None, 10, "one of"),
    ],
)
def test_evidence_that_does_not_exist_is_refused(evidence: str, without: str, draws: int, says: str) -> None:
    """A misspelt trial that weighs nothing would look like one that changes nothing."""
    with pytest.raises(SpecError, match=says):
        evidence_sets(evidence, without, draws)


def test_the_command_reports_every_set(capsys: pytest.CaptureFixture[str]) -> None:
    """Few draws count for little, so the sets with evidence are named and not reported."""
    options = ["--vary", "n=40", "--replicates", "4", "--assurance", "4", "--evidence", "kare"]
    assert run_app(["design", "kare", *options]) == 0
    shown = capsys.readouterr().out
    assert "given kare: not reported" in shown
    assert "--evidence kare" in shown
    assert f"draws what ketamine does from {DEFAULT_PARAMETER_SET}, " in shown
    assert run_app(["design", "kare", *options, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["assurance"]
    assert [one["trials"] for one in found["given"]] == [[], ["kare"]]
    assert found["given"][1]["probability"] is None
    assert found["priors"]["use_effect"] == "normal (0, 0.5)"


def test_without_evidence_the_draws_are_those_of_the_posterior() -> None:
    """An assurance over other values than those of a run would answer another question."""
    found = estimate_assurance(small_protocol(), n_draws=12, n_replicates=2, seed=3)
    assert found.source == load_parameter_set(DEFAULT_PARAMETER_SET).attribute("posterior")
    assert set(found.ranges) == set(DRAWN)
    assert not found.priors
    weighed = estimate_assurance(small_protocol(), n_draws=2, n_replicates=2, seed=3, evidence=((),))
    assert weighed.source == "priors by judgement"
