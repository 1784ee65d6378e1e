"""The registered fit, made and told: ``python -m validation.posterior_page FOLDER`` (``make calibrate``).

Simulated points stay in FOLDER. The posterior goes into the library, the page to ``docs/validation/posterior.md``.
``--page`` writes the page from the posterior that the library has, ``--trials`` what the baseline knows of its trials.
"""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from remission.calibration.judge import seen_of
from remission.calibration.study import calibrate
from remission.calibration.wave import trial_targets
from remission.evidence.standardized import OtherTrials
from remission.files import copy_file, write_text
from remission.library.calibration_plan import CalibrationPlan, load_calibration_plan
from remission.library.posteriors import Posterior, load_posterior, plan_hash
from remission.runs.crew import crew_of

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "validation" / "posterior.md"
LIBRARY = ROOT / "src" / "remission" / "library" / "calibration"
CHECKS = ROOT / "validation" / "inference" / "results.json"
REGISTERED = tomllib.loads((ROOT / "validation" / "inference" / "registered.toml").read_text("utf-8"))
BASELINES = ("random effects", "no effect")
BEFORE = "posterior-2026"


def main() -> None:
    """Fit and write, or write the page again."""
    plan = load_calibration_plan()
    if sys.argv[1:] in (["--page"], ["--trials"]):
        found = load_posterior(plan.id)
        if sys.argv[1] == "--trials":
            write_trials(plan, found)
            return
    else:
        folder = Path(sys.argv[1])
        with crew_of(None) as crew:
            found = calibrate(plan, folder, crew=crew, tell=lambda text: print(text, flush=True))
        copy_file(folder / f"{plan.id}.json", LIBRARY / f"{plan.id}.json")
        write_trials(plan, found)
    PAGE.write_text(page(plan, found), encoding="utf-8")
    print(PAGE)


def write_trials(plan: CalibrationPlan, found: Posterior) -> None:
    """What the baseline knows of the trials behind a posterior, for programs that do not read the posterior."""
    rows = found.judged["left_out"]
    made = OtherTrials(
        plan=plan.id, plan_hash=plan_hash(plan), stacking_weight=found.judged["stacking_weight"],
        sum_log_scores={name: sum(row["log_score"][name] for row in rows) for name in ("chain", *BASELINES)},
        trials=tuple(seen_of(one) for one in trial_targets(plan)),
    )  # fmt: skip
    text = json.dumps(made.to_dict(), indent=1) + "\n"
    write_text(LIBRARY / f"{plan.id}-trials.json", text, replace=True)


def page(plan: CalibrationPlan, found: Posterior) -> str:
    """The page of a posterior: first how it does on trials left out."""
    parts = [
        "# The posterior",
        "",
        f"Written by `make calibrate` from the plan `{plan.id}` (hash `{plan_hash(plan)}`), seed {plan.seed}.",
        _made_of(found),
        "[What was registered](../decisions/0048-posterior-2026-registered.md) before any fit: priors, data, judges.",
        "[Shares of people are counts](../decisions/0059-shares-are-counts-of-people.md): registered before its fit.",
        "Every simulated trial [draws its values from it](../decisions/0050-every-trial-draws-its-values.md).",
        "",
        "## Trials left out",
        "",
        *left_out(plan, found),
        "",
        "## What was learnt",
        "",
        *learnt(plan, found),
        "",
        "## Under other rules",
        "",
        *beside(found),
        "",
        "## How good the fit is",
        "",
        *fitness(plan, found),
        "",
        "## What the trials look like from it",
        "",
        *predicted(),
        "",
        "## What is known alone, and what only together",
        "",
        *identified(),
        "",
        "## What each trial adds",
        "",
        *influence(),
        "",
        "## Arms of the trials left out",
        "",
        *arms(),
        "",
        *ranks(),
        *second(),
        *sobol(),
        "## Beside the posterior before it",
        "",
        *moved(plan, found),
        "",
        "## What is not in it",
        "",
        (
            "- Natural history, diaries, and the contrasts of therapies and medicines: shape stays as searched, level "
            "is free. So intervals are too narrow by what is not known of shape."
        ),
        "- What a session of therapy is worth is found once, at the library's values; `c_l` is what it then does.",
        *(f"- `{name}`: {why}." for name, why in plan.left_out.items()),
        *([] if "second" in _checks() else ["- No second method learnt from simulated draws alone yet."]),
        "",
    ]
    return "\n".join(parts)


def left_out(plan: CalibrationPlan, found: Posterior) -> list[str]:
    """Scores of each trial, and what they add up to."""
    rows = found.judged["left_out"]
    lines = [
        "Each trial is predicted by a fit without it: the z of its first analysis, positive where the drug helps.",
        "A log score nearer 0 is better. Random effects know sizes and effects of the others, nothing of the chain.",
        "",
        (
            "| trial | published | predicted z (90%) | log score: chain | log score: random effects | "
            "log score: no effect | chance of the verdict: chain | chance: random effects | chance: no effect |"
        ),
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        score, chance = row["log_score"], row["probability"]
        lines.append(
            f"| {row['protocol']} | {row['published']} | {row['z']:.2f} ({row['low']:.2f} to {row['high']:.2f}) | "
            + " | ".join(f"{score[name]:.2f}" for name in ("chain", *BASELINES)) + " | "
            + " | ".join(f"{chance[name]:.2f}" for name in ("chain", *BASELINES)) + " |"
        )  # fmt: skip
    total = {name: sum(row["log_score"][name] for row in rows) for name in ("chain", *BASELINES)}
    lines += ["", "Sum of log scores: " + ", ".join(f"{name} {value:.2f}" for name, value in total.items()) + "."]
    for name in BASELINES:
        off = np.array([row["log_score"]["chain"] - row["log_score"][name] for row in rows])
        lines.append(_less(f"Chain less {name}", off, plan))
    covered = [row for row in rows if row["crps"]["chain"] is not None]
    inside = sum(row["low"] <= float(row["published"].split()[1]) <= row["high"] for row in covered)
    lines += [
        f"Of {len(covered)} published z, {inside} lie in their 90% interval.",
        (
            f"**Stacking weight of the chain beside random effects: {found.judged['stacking_weight']:.2f}.** With "
            f"{len(rows)} trials that is no more than a hint."
        ),
    ]
    return lines


def learnt(plan: CalibrationPlan, found: Posterior) -> list[str]:
    """Prior and posterior of what all trials share, and of the substances."""
    lines = ["| what | prior, 90% | posterior, median (90%) | below zero |", "|---|---|---|---|"]
    h, d = plan.hierarchy, found.draws
    generator = np.random.default_rng(plan.seed)
    mean, own, tau = generator.normal(size=(3, 100_000))
    prior_of = {
        "mean": mean * h.mean_sd, "tau": np.abs(tau) * h.tau_half_normal,
        "craving_tau": np.abs(tau) * h.craving_tau_half_normal,
        "substance": mean * h.mean_sd + own * h.substance_sd,
    }  # fmt: skip
    words = {
        "mean": "mean effect over substances, log odds of a use day", "tau": "spread between trials",
        "craving_tau": "spread of the craving effect between trials",
    }  # fmt: skip
    for name, text in words.items():
        lines.append(_row(text, prior_of[name], d[name]))
    lines += [
        _row(f"mean effect, {name.partition('.')[2]}", prior_of["substance"], d[name])
        for name in sorted(d)
        if name.startswith("substance.")
    ]
    lines += [
        f"| effect in {name.partition('.')[2]} | | {_interval(d[name])} | {(d[name] < 0).mean():.2f} |"
        for name in sorted(d)
        if name.startswith("effect.")
    ]
    for value in plan.value:
        if value.per_trial or value.center is None or value.sd is None:
            continue
        z = generator.normal(size=100_000)
        drawn = value.center * np.exp(value.sd * z) if value.scale == "log" else value.center + value.sd * z
        drawn = drawn[(drawn >= value.low) & (drawn <= value.high)]
        lines.append(_row(f"`{value.name}`", drawn, d[value.name]))
    lines.append(
        _row("`null_seen`", generator.uniform(plan.selection.null_seen_low, plan.selection.null_seen_high, 100_000),
             d["null_seen"])
    )  # fmt: skip
    lines += ["", ("Where posterior and prior agree, no trial spoke: cannabis, methamphetamine, nicotine but for ten "
              "smokers rest on the mean of the others.")]  # fmt: skip
    return lines


def beside(found: Posterior) -> list[str]:
    """The mean effect under each rule."""
    d = found.draws["mean"]
    lines = ["| rule | mean effect, median (90%) | below zero | spread between trials, median |", "|---|---|---|---|"]
    lines.append(f"| main | {_interval(d)} | {(d < 0).mean():.2f} | {np.median(found.draws['tau']):.2f} |")
    for name, row in found.judged["beside"].items():
        mean = row["mean"]
        lines.append(
            f"| {name} | {mean['median']:.2f} ({mean['low']:.2f} to {mean['high']:.2f}) | {mean['below_zero']:.2f} | "
            f"{row['tau']['median']:.2f} |"
        )
    return lines


def fitness(plan: CalibrationPlan, found: Posterior) -> list[str]:
    """Convergence, the exact simulator, emulators."""
    told, limit = found.diagnostics, plan.tolerance
    k = found.judged["psis_k"]
    lines = [
        (
            f"- R-hat at most {told['r_hat']:.3f} (asked {limit.r_hat:g}), at least {told['effective_draws']:.0f} "
            f"effective draws (asked {limit.effective_draws}), {100 * told['divergent']:.2f}% divergent (asked at most "
            f"{100 * limit.divergent_share:g}%)."
        ),
        (
            f"- Exact simulation at {limit.exact_points} draws: Pareto k of the weights {k:.2f} (asked at most "
            f"{limit.psis_k:g}): **{'reached' if k <= limit.psis_k else 'not reached'}**; the log weights have a "
            f"standard deviation of {found.judged['exact_error']:.2f}, Monte Carlo noise of 48 trials a draw included."
        ),
        f"- Emulators, at {plan.wave.judged} points of the box that they never saw; the error enters the likelihood:",
        "",
        "| trial | outcome | R2 | error | asked at most | |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['trial']} | {row['outcome']} | {row['r2']:.2f} | {row['error']:.2f} | {row['limit']:.2f} | "
        f"{'reached' if row['reached'] else '**not reached**'} |"
        for row in told["emulators"]
    ]
    return lines


def predicted() -> list[str]:
    """Every published result beside what prior and posterior predict of it: the fit has seen these."""
    lines = [
        "Of numbers the two-sided predictive p, of verdicts their chance. These trials are in the fit.",
        "",
        "| trial | result | published, on the scale of the fit | | prior | posterior |",
        "|---|---|---|---|---|---|",
    ]
    for row in json.loads(CHECKS.read_text("utf-8"))["predictive"]:
        kind = "chance" if row.get("is_chance") else "p"
        lines.append(
            f"| {row['trial']} | {row['what']} | {row['says']} | {kind} | {row['prior']:.3f} | {row['posterior']:.3f} |"
        )
    return lines


def identified() -> list[str]:
    """Standard deviation of each value beside that of its prior, and pairs that the trials tied together."""
    found, limit = json.loads(CHECKS.read_text("utf-8"))["identified"], REGISTERED["identified"]
    lines = [
        (
            f"Standard deviation after the fit over that before it; a value below {limit['contraction_below']:g} is "
            "called learnt."
        ),
        "",
        "| value | ratio | |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{name}` | {ratio:.2f} | {'learnt' if ratio < limit['contraction_below'] else ''} |"
        for name, ratio in sorted(found["ratio"].items(), key=lambda one: one[1])
    ]
    new = [one for one in found["pairs"] if abs(one["prior"]) < limit["pair"]]
    pairs = ", ".join(f"`{a}` with `{b}` ({one['posterior']:.2f})" for one in new for b, a in [one["pair"]])
    return [*lines, "", f"Correlated above {limit['pair']:g} by the trials, not by the prior: {pairs or 'none'}."]


def influence() -> list[str]:
    """The mean, the spread between trials and the substance's mean with and without each trial, by weights."""
    lines = [
        (
            "The fit without a trial, by weights of its draws (`make inference`): above a Pareto k of .7 they would "
            "say nothing. Median (90%)."
        ),
        "",
        "| without | k | mean effect | spread between trials | mean of its substance |",
        "|---|---|---|---|---|",
    ]

    def told(one: dict[str, float]) -> str:
        return f"{one['median']:.2f} ({one['low']:.2f} to {one['high']:.2f})"

    found = _checks()["influence"]
    whole = found[0]
    lines.append(f"| none | | {told(whole['mean']['with'])} | {told(whole['tau']['with'])} | |")
    for row in found:
        parts = " | ".join(told(row[name]["without"]) for name in ("mean", "tau", "substance"))
        lines.append(f"| {row['trial']} | {row['k']:.2f} | {parts} |")
    return lines


def arms() -> list[str]:
    """Arms of trials left out, predicted by the chain and by two baselines; only first-hand numbers score."""
    found = _checks()["arms"]
    names = ("chain", "random effects", "no effect")
    lines = [
        (
            "Each arm is predicted by the exact simulator at draws of the fit without its trial, in percent; 90% "
            "intervals. Only numbers read in an abstract or registry score; baselines know the scored arms of other "
            "trials only."
        ),
        "",
        f"| trial | arm | published | scores | {' | '.join(names)} |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in found["rows"]:
        parts = " | ".join(f"{row[name]['low']:.0f} to {row[name]['high']:.0f}" for name in names)
        scores = "yes" if row["scores"] else row["kind"]
        lines.append(f"| {row['trial']} | {row['arm']} | {row['value']:g} | {scores} | {parts} |")
    lines.append("")
    lines += [
        f"- {name}: {found[name]['inside']} of {found[name]['of']} inside, mean width {found[name]['width']:.0f} "
        f"points, mean CRPS {found[name]['crps']:.1f} points."
        for name in names
    ]
    return lines


def ranks() -> list[str]:
    """What simulation-based calibration came to: of the plan that runs draw from, then of the one before it."""
    found, told = _checks()["ranks_counts"], REGISTERED["ranks_counts"]
    even = all(row["holm"] >= REGISTERED["ranks"]["alpha"] for row in found["few"])
    before = _checks()["ranks"]
    return [
        "## Ranks of known values",
        "",
        (
            f"{found['fits']} data sets of the exact simulator, each read as published data are, with the likelihood "
            f"and the emulators of this plan (`make ranks`). Ranks of {len(found['rows'])} quantities should be even; "
            f"two tests each, Holm over all at {REGISTERED['ranks']['alpha']:g}. "
            f"Rejected: {_named(found['rejected'])}. Where fewer than {told['few_below']} people were abstinent in "
            f"both arms together: {'even' if even else '**not even**'}. What would be accepted was registered before "
            "any fit of this plan."
        ),
        "",
        (
            f"Not by chains but by weights of {told['draws']} draws of the prior, the values a trial has of its own "
            f"averaged within each (worth at least {found['effective']['least']:.0f}, in the middle "
            f"{found['effective']['median']:.0f} even draws). That chains agree with these weights is shown "
            f"{'here and ' if 'ranks_chains' in _checks() else ''}below for the published data."
        ),
        "",
        *_by_both(),
        *_RANKS,
        *(
            f"| `{one['quantity']}` | {one['mean_rank']:.2f} | {one['inside_50']:.2f} | {one['inside_90']:.2f} | "
            f"{one['holm']:.3f} |"
            for one in found["rows"]
        ),
        *(
            f"| `{one['quantity']}`, few abstinent ({one['sets']} data sets) | {one['mean_rank']:.2f} | | | "
            f"{one['holm']:.3f} |"
            for one in found["few"]
        ),
        "",
        "A mean place below .5: the fit puts the value too high; above .5: too low.",
        "",
        "### Of the posterior before it",
        "",
        (
            f"Fits of {before['fits']} data sets by chains, of `{BEFORE}`, from which runs drew before. Rejected: "
            f"{_named(before['rejected'])}. Divergent steps: {100.0 * before['divergent']:.2f}%. The cause was the "
            "rule for shares of people: those of `krupitsky-2007` and `dakwar-2019` entered as logits with a normal "
            "error. Where few were abstinent, half a person added on each side puts the logit too near one half, with "
            "too small an error. [This plan counts people](../decisions/0059-shares-are-counts-of-people.md)."
        ),
        "",
        *_RANKS,
        *(
            f"| `{one['quantity']}` | {one['mean_rank']:.2f} | {one['inside_50']:.2f} | {one['inside_90']:.2f} | "
            f"{one['holm']:.3f} |"
            for one in before["rows"]
        ),
        "",
    ]


def _by_both() -> list[str]:
    """Chains beside weights on some of the data sets, where they were made."""
    found, told = _checks().get("ranks_chains"), REGISTERED["ranks_chains"]
    if found is None:
        return []
    worst, first = (max(one["rows"], key=lambda row: abs(row["mean"])) for one in (found, found["as_registered"]))
    return [
        (
            f"On the first {found['fits']} of these data sets chains were run too. Places of true values by chains "
            f"less those by weights: root mean square {found['rms']:.3f} (asked below {told['rms_below']:g}; the draws "
            f"kept of a chain make some .05), mean {found['mean']:.3f} (asked within {told['mean_below']:g}), of one "
            f"quantity at most {worst['mean']:.3f}, `{worst['quantity']}` (asked within {told['each_below']:g}): "
            f"**{'they agree' if found['agrees'] else 'they do not agree'}**. "
            f"Divergent steps: {100.0 * found['divergent']:.2f}%."
        ),
        "",
        (
            f"As it was registered, `{first['quantity']}` differed by {first['mean']:.3f}, which is more than was "
            "asked: a chain tells it without how trials came on file, the weights told it with that. That was found "
            "after it had run. The sentence above has the same quantity by both, and all others are as they were."
        ),
        "",
    ]


_RANKS = (
    "| quantity | mean place of the truth (.5) | inside the middle half | inside the middle 90% | p after Holm |",
    "|---|---|---|---|---|",
)


def moved(plan: CalibrationPlan, found: Posterior) -> list[str]:
    """Each judge of this posterior beside the same judge of the one that runs drew from before, better or worse."""
    before = load_posterior(BEFORE)
    now = judges(found, _checks())
    was = judges(before, _checks()[BEFORE])
    earlier = {row["protocol"]: row["log_score"]["chain"] for row in before.judged["left_out"]}
    off = np.array([row["log_score"]["chain"] - earlier[row["protocol"]] for row in found.judged["left_out"]])
    return [
        f"The same judges of `{BEFORE}`, from which runs drew before, and of this one. Values: median (90%).",
        _less("Log scores of trials left out, this one less the one before", off, plan),
        "",
        "| what | before | now |",
        "|---|---|---|",
        *(f"| {what} | {was[what]} | {text} |" for what, text in now.items()),
    ]


def judges(one: Posterior, checks: dict[str, Any]) -> dict[str, str]:
    """What every judge said of a posterior."""
    emulators, arms = one.diagnostics["emulators"], checks["arms"]["chain"]
    agree = {part: [row["agrees"] for row in checks[part]["rows"]] for part in ("weights", "second")}
    p_values = [row["posterior"] for row in checks["predictive"] if not row.get("is_chance")]
    values = (
        "mean", "tau", "substance.alcohol", "substance.cocaine", "substance.opioid", "substance.nicotine",
        "effect.krupitsky-2007", "effect.kare", "level.krupitsky-2007", "level.dakwar-2019",
    )  # fmt: skip
    return {
        "sum of log scores of trials left out": f"{sum(r['log_score']['chain'] for r in one.judged['left_out']):.2f}",
        "stacking weight of the chain": f"{one.judged['stacking_weight']:.2f}",
        "R-hat": f"{one.diagnostics['r_hat']:.3f}",
        "effective draws": f"{one.diagnostics['effective_draws']:.0f}",
        "Pareto k, exact simulator": f"{one.judged['psis_k']:.2f}",
        "standard deviation of its log weights": f"{one.judged['exact_error']:.2f}",
        "emulators that reach what was asked": f"{sum(row['reached'] for row in emulators)} of {len(emulators)}",
        "pieces that agree with weights of the prior": f"{sum(agree['weights'])} of {len(agree['weights'])}",
        "pieces that agree with the flow": f"{sum(agree['second'])} of {len(agree['second'])}",
        "smallest two-sided p of a number in the fit": f"{min(p_values):.3f}",
        "largest Pareto k of a trial left out by weights": f"{max(row['k'] for row in checks['influence']):.2f}",
        "arms left out inside their 90% interval": f"{arms['inside']} of {arms['of']}",
        "mean width of these, points": f"{arms['width']:.0f}",
        "mean CRPS of these, points": f"{arms['crps']:.1f}",
        **{f"`{name}`": _interval(one.draws[name]) for name in values},
    }


def _made_of(found: Posterior) -> str:
    told = found.diagnostics
    return (
        f"Draws `{found.sha256[:10]}`, published data `{told['data']}`, code and values of the model `{told['code']}`."
    )


def _named(names: list[str]) -> str:
    return ", ".join(f"`{one}`" for one in names) or "none"


def second() -> list[str]:
    """The posterior by other computations."""
    found, told = _checks(), REGISTERED["second"]
    parts = {
        "weights": "Weights of draws of the prior, with the same emulators and likelihood and no sampler:",
        "second": f"A flow that learns it from simulated data sets, without a likelihood ({told['method']}):",
    }
    lines = [] if not any(name in found for name in parts) else [
        "## Other ways to the same posterior", "",
        (f"Asked: medians less than {told['median_within_sd']:g} standard deviations apart, widths of 90% intervals in "
         f"a ratio of {told['width_low']:g} to {told['width_high']:g}."), "",
    ]  # fmt: skip
    for name, words in parts.items():
        if name not in found:
            continue
        rows = found[name]["rows"]
        lines += [
            f"{words} {sum(row['agrees'] for row in rows)} of {len(rows)} pieces agree.",
            "",
            "| piece | chains, median (90%) | this way | medians apart, in sd | ratio of widths | |",
            "|---|---|---|---|---|---|",
            *(
                f"| `{row['quantity']}` | {_three(row['first'])} | {_three(row['second'])} | {row['median_off']:.2f} | "
                f"{row['width_ratio']:.2f} | {'agrees' if row['agrees'] else '**differs**'} |"
                for row in rows
            ),
            "",
        ]
    return lines


def sobol() -> list[str]:
    """Which values move each trial's z, alone and with the others."""
    found = _checks().get("sobol")
    if found is None:
        return []
    lines = [
        "## Which values move a trial",
        "",
        (
            "Sobol indices of the z of each trial's first analysis, through its emulator: the share of its variance "
            "that one value makes alone, and with all that it does together with others. Over the ranges of prior and "
            "of posterior; in the posterior correlations between values are left out. The three largest in all:"
        ),
        "",
        "| trial | over the prior: alone, in all | over the posterior: alone, in all |",
        "|---|---|---|",
    ]
    for trial, row in found.items():
        cells = []
        for law in ("prior", "posterior"):
            indices = row[law]
            if indices is None:
                cells.append("hardly moves")
                continue
            top = sorted(indices, key=lambda name: -indices[name]["ST"])[:3]
            cells.append(", ".join(f"`{name}` {indices[name]['S1']:z.2f}, {indices[name]['ST']:z.2f}" for name in top))
        lines.append(f"| {trial} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _three(told: list[float]) -> str:
    low, middle, high = told
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def _checks() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CHECKS.read_text("utf-8"))
    return found


def _less(what: str, off: Any, plan: CalibrationPlan) -> str:
    """A sum of differences over trials with its standard error, and what can be told of it."""
    total, error = float(off.sum()), float(off.std(ddof=1) * np.sqrt(len(off)))
    says = "the first is better" if total > 0.0 else "the first is worse"
    if abs(total) < plan.scores.none_below_errors * error:
        says = "none that can be told"
    return f"{what}: {total:z.2f} (standard error {error:.2f}): {says}."


def _row(text: str, prior: Any, posterior: Any) -> str:
    low, high = np.quantile(prior, [0.05, 0.95])
    # Said only of what may lie on either side.
    below = f"{(posterior < 0).mean():.2f}" if low < 0.0 else ""
    return f"| {text} | {low:.2f} to {high:.2f} | {_interval(posterior)} | {below} |"


def _interval(draws: Any) -> str:
    low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95])
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main()
