"""Hold analyses to the truth of their estimand and write ``docs/validation/estimands.md``.

Usage: ``python -m validation.estimand_study`` (``make estimands``); about four minutes on one core.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from remission.library.protocols import load_protocol
from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import DEFAULT_PARAMETER_SET
from remission.protocol.record import Protocol
from remission.records.estimand import EventKind
from remission.trial.crossover import crossover_truth
from remission.trial.simulate import simulate_trial
from remission.trial.truth import EstimandTruth, estimand_truth
from validation.bias import measure_bias
from validation.small_trials import small_protocol

PAGE = Path(__file__).resolve().parent.parent / "docs" / "validation" / "estimands.md"
REPLICATES = 1000
PEOPLE = 20_000
TRUTH_SEED, TRIAL_SEED = 11, 12


def kare(**changes: Any) -> Protocol:
    """The alcohol trial with its primary analysis only."""
    protocol = load_protocol("kare")
    primary = tuple(item for item in protocol.analyses if item.id == "pda-ketamine")
    return protocol.replace(analyses=primary, comparisons=(), **changes)


def truth_of(protocol: Protocol, **strategies: str) -> EstimandTruth:
    """The truth, under other strategies than the protocol's when some are given."""
    assert protocol.estimand is not None
    named = {name.replace("_", "-"): strategy for name, strategy in strategies.items()}
    return estimand_truth(protocol, protocol.estimand.replace(strategies=named), n_people=PEOPLE, seed=TRUTH_SEED)


def row(label: str, protocol: Protocol, **strategies: str) -> str:
    """Truth, bias and coverage of the primary analysis."""
    truth = truth_of(protocol, **strategies).primary
    found = measure_bias(
        simulate_trial(protocol, n_replicates=REPLICATES, seed=TRIAL_SEED, parameters=course_parameters_of(protocol)),
        truth,
    )
    return (
        f"| {label} | {truth.estimate:.2f} ± {truth.mcse:.2f} | {found.bias:+.2f} ± {found.bias_mcse:.2f} "
        f"| {found.coverage:.3f} ± {found.coverage_mcse:.3f} |"
    )


def analyses() -> Iterator[str]:
    """Complete data, missing data, colored reports."""
    complete = {"setting": load_protocol("kare").setting.replace(retention="complete")}
    blinding = {"guess_unfelt": 0.3, "guess_felt": 0.95}
    yield row("complete data", kare(**complete))
    yield row("the model's own leaving and missed visits", kare())
    for observed, latent in ((0.0, 0.0), (2.0, 0.0), (0.0, 1.0), (0.0, 2.0), (0.0, 4.0)):
        missing = {"observed": observed, "latent": latent}
        yield row(f"missingness, observed {observed:g}, latent {latent:g}", kare(missingness=missing))
    for share in (0.1, 0.3):
        told = {**blinding, "expectancy_report": share}
        yield row(f"believers hide {100 * share:.0f}% of use days", kare(blinding=told, **complete))
    belief = kare(blinding={**blinding, "expectancy_use": 0.5}, **complete)
    yield row("belief takes 0.5 off the log odds of use", belief)
    yield row("the same, held to the truth with blinding that holds", belief, unblinding="hypothetical")


def strategies() -> Iterator[str]:
    """The truth of one trial under different questions."""
    protocol = kare(
        events={
            "relapse": {"use_days": 4, "within_days": 7},
            "incarceration": {"hazard_per_day": 0.001, "length_days": 30},
        },
        missingness={"latent": 2.0},
    )
    questions: tuple[tuple[EventKind, tuple[str, ...]], ...] = (
        ("dropout", ("treatment-policy", "hypothetical", "composite", "while-on-treatment")),
        ("incarceration", ("hypothetical", "composite", "while-on-treatment")),
        ("relapse", ("composite", "while-on-treatment")),
    )
    for event, chosen in questions:
        for strategy in chosen:
            truth = truth_of(protocol, **{event: strategy})
            arms = [truth.arms[name] for name in ("ketamine-therapy", "saline-education")]
            share = " and ".join(f"{100.0 * arm.event_share[event]:.0f}%" for arm in arms)
            means = " and ".join(f"{arm.mean:.1f}" for arm in arms)
            size = f"{truth.primary.estimate:.2f} ± {truth.primary.mcse:.2f}"
            yield f"| {event} | {strategy} | {size} | {means} | {share} |"


def washouts() -> Iterator[str]:
    """What the difference within people misses after washouts of several lengths."""
    for washout_days in (28, 60, 120, 180):
        window = {"kind": "percent_days_abstinent", "missing": "observed"}
        protocol = small_protocol(
            design={"kind": "crossover", "washout_days": washout_days},
            arms=[
                {
                    "id": f"{one}-first",
                    "label": f"{one} first",
                    "periods": [{"start": 0, "drug": one}, {"start": washout_days, "drug": other}],
                }
                for one, other in (("ketamine", "saline"), ("saline", "ketamine"))
            ],
            therapies={},
            analyses=[],
            setting={"retention": "complete"},
            follow_up_days=washout_days + 28,
            endpoints=[
                {"id": name, "label": name, "window": {"first": start, "last": start + 27}, **window}
                for name, start in (("first", 0), ("second", washout_days))
            ],
        )
        found = crossover_truth(protocol, endpoints=("first", "second"), n_people=PEOPLE, seed=TRUTH_SEED)
        sizes = (found.first_period, found.within_people, found.difference)
        yield f"| {washout_days} | " + " | ".join(f"{one.estimate:.1f} ± {one.mcse:.1f}" for one in sizes) + " |"


def page() -> str:
    """The page."""
    lines = [
        "# Estimands against their truth",
        "",
        "This page is written by `make estimands`; every number on it is simulated unless its column says published.",
        f"The parameter set is `{DEFAULT_PARAMETER_SET}`; the trial is `kare`.",
        "Contrasts are the primary one, days abstinent with ketamine minus saline, in percentage points.",
        f"Truths are of {PEOPLE:,} people under every arm (seed {TRUTH_SEED}).",
        f"Analyses are of {REPLICATES:,} replicates of 96 people (seed {TRIAL_SEED}).",
        "± is the Monte Carlo standard error.",
        "",
        "## Bias and coverage of the primary analysis",
        "",
        "The truth is by treatment policy unless the row says otherwise.",
        "",
        "| situation | truth | bias | coverage of 95% intervals |",
        "|---|---|---|---|",
        *analyses(),
        "",
        "With complete data the bias lies within its Monte Carlo error, as it must.",
        "Days that nobody saw are left out here, and the effect is larger in the early days, which were seen.",
        "So even leaving that depends on nothing moves it a little, and leaving that follows use moves it more.",
        "Beliefs that color reports move the analysis; beliefs that change use move the truth.",
        "",
        "## One trial, several questions",
        "",
        "Relapse is 4 days of use within 7; custody of 30 days has a hazard of 0.001 per day.",
        "Leaving and missed visits have latent strength 2.",
        "Means and shares are of ketamine with therapy and of saline with education.",
        "Under a hypothetical strategy nobody has the event.",
        "",
        "| event | strategy | truth | means | share with the event |",
        "|---|---|---|---|---|",
        *strategies(),
        "",
        "## CrossoverTruth in a crossover trial",
        "",
        "One infusion of 0.8 mg/kg against saline in two periods of 28 days; the second begins after the washout.",
        "The effect within people is compared with that of the first period alone, which nothing came before.",
        "",
        "| washout, days | first period | within people | difference |",
        "|---|---|---|---|",
        *washouts(),
        "",
        "The difference is carryover of the first infusion, and an infusion that does less in a second period.",
        "It shrinks with the washout and is not gone after half a year: in this model a crossover says too little.",
        "",
        "Standard medicines have [a page of their own](medicines.md).",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
