"""The page of the wide fit: first whether it did what was asked of it."""

import json
from math import fsum
from typing import Any

import numpy as np

from remission.calibration.groups import LEVEL
from remission.library.calibration_plan import CalibrationPlan
from remission.library.posteriors import load_posterior
from validation.wide.accepted import NOT_MADE, accepted
from validation.wide.registered import BEFORE, EARLIER, NAME

_LEARNT = 0.8


def page(plan: CalibrationPlan, found: dict[str, Any]) -> str:
    """The page of the wide fit: first whether it did what was asked of it."""
    judged = accepted(found)
    met = sum(row["met"] for row in judged)
    says = "It did not meet all that was registered, so no set of it is in the library."
    if met == len(judged):
        says = "It met all that was registered, so the set is in the library by its own name."
    elif "r_hat" not in found:
        says = "**The trials of ketamine are not in it yet**: it is what natural history, diaries and contrasts say."
    wide = plan.wide
    assert wide is not None, "a plan that frees the shape"
    later = sorted({one.substance for one in wide.group} - set(wide.fits))
    parts = [
        "# A wider fit: the shape of use is free", "",
        f"Written by `make wide` from the plan `{plan.id}` (hash `{found['plan_hash']}`), seed {found['seed']}.",
        "Written down before any fit: [what is free](../decisions/0057-the-wide-fit-is-registered.md).",
        "[Where it is simulated](../decisions/0061-a-third-wave-where-the-rows-are.md).",
        *(["[How errors enter, and at whose level a fact is computed](../decisions/0065-emulators-err-together.md)."]
          if wide.errors else []),
        *(["[A finer wave and longer chains](../decisions/0068-a-finer-wave-and-longer-chains.md)."]
          if wide.fourth else []),
        f"[The posterior that the program draws from](posterior.md) stays the default. {says}", "",
        f"Fitted: {', '.join(wide.fits)}.",
        *([f"Rows of {', '.join(later)} are registered and wait."] if later else []),
        f"Made by {found['method']}.", "", *_cost(found), "",
        "## What was asked of it", "",
        "| asked | came out | |", "|---|---|---|",
        *(f"| {row['asked']} | {row['got']} | {_verdict(row)} |" for row in judged), "",
        *(["## Trials left out", "", *_left_out(found), "",
           "## Effects of ketamine, before and now", "", *_effects(found), ""] if "left_out" in found else []),
        *(["## Parts that were sampled by themselves", "", *_parts(found), ""] if "parts" in found else []),
        "## Values that moved", "", *_values(found), "",
        "## What was read, and what the fit says of it", "", *_rows(found), "",
        *(["## Facts, before and now", "", *_facts(found), ""] if "facts" in found else []),
        "## What could not be fitted", "", *_open(plan, found), "",
        "## Emulators", "", *_emulators(found), "",
        *_others(plan),
    ]  # fmt: skip
    return "\n".join(parts).rstrip() + "\n"


def _cost(found: dict[str, Any]) -> list[str]:
    lines = ["| part | processor, minutes | wall clock, minutes | largest process so far, GB |", "|---|---|---|---|"]
    lines += [f"| {part} | {one['processor_min']:.1f} | {one['wall_min']:.1f} | "
              f"{'' if one['memory_gb'] is None else format(one['memory_gb'], '.2f')} |"
              for part, one in found["cost"].items()]  # fmt: skip
    total = fsum(one["processor_min"] for one in found["cost"].values())
    all_wall = fsum(one["wall_min"] for one in found["cost"].values())
    return [
        *lines,
        f"| all | {total:.1f} | {all_wall:.1f} | |",
        "",
        "Wall clock is that of a machine with other work on it.",
        *(
            ["Processes that work beside are counted when they end, which can be in a later part."]
            if found["plan"] == "posterior-2026-joint"
            else []
        ),
    ]


def _verdict(row: dict[str, Any]) -> str:
    return "met" if row["met"] else "open" if row["got"] == NOT_MADE else "**not met**"


def _left_out(found: dict[str, Any]) -> list[str]:
    lines = [
        "Each trial is predicted without itself: by weights of the draws with their Pareto k, or by a fit without it.",
        "The scores of the set before are those of its page.", "",
        "| trial | published | predicted z (90%) | log score: wide | before | random effects | no effect | k |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    was = {one["protocol"]: one["log_score"]["chain"] for one in load_posterior(BEFORE).judged["left_out"]}
    sums = dict.fromkeys(("chain", "before", "random effects", "no effect"), 0.0)
    gaps: dict[str, list[float]] = {"before": [], "random effects": [], "no effect": []}
    for row in found["left_out"]:
        one, score = row["scores"], {**row["scores"]["log_score"]}
        score["before"] = was[one["protocol"]]
        sums = {name: total + score[name] for name, total in sums.items()}
        for name, told_gaps in gaps.items():
            told_gaps.append(score["chain"] - score[name])
        lines.append(
            f"| {one['protocol']} | {one['published']} | {one['z']:.2f} ({one['low']:.2f} to {one['high']:.2f}) | "
            + "".join(f"{score[name]:.2f} | " for name in ("chain", "before", "random effects", "no effect"))
            + f"{row['k']:.2f}{', fitted again' if row['refit'] else ''} |"
        )
    lines += [
        "", f"Sums: wide {sums['chain']:.2f}, before {sums['before']:.2f}.",
        f"Random effects {sums['random effects']:.2f}, no effect {sums['no effect']:.2f}.",
        *(_less(name, np.array(gap)) for name, gap in gaps.items()),
        f"**Stacking weight of the wide chain beside random effects: {found['stacking_weight']:.2f}.**",
    ]  # fmt: skip
    return lines


def _less(name: str, off: np.ndarray) -> str:
    gap, error = off.sum(), off.std(ddof=1) * np.sqrt(len(off))
    told = "none that can be told" if abs(gap) < 2.0 * error else "more than twice its error"
    return f"Wide less {name}: {gap:.2f} (standard error {error:.2f}): {told}."


def _parts(found: dict[str, Any]) -> list[str]:
    exact = {one["part"]: one for one in found.get("exact", ())}
    lines = [
        "A substance without a trial whose people share no value with others stands alone.",
        "Weights: of draws against the exact simulator.", "",
        "| part | R-hat | effective draws | Pareto k | raw weights worth | spread of log weights |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for one in found["parts"]:
        judged = exact.get(one["part"])
        told = "| | |" if judged is None else (
            f"| {judged['psis_k']:.2f} | {judged['effective']:.1f} | {judged['error']:.2f} |"
        )  # fmt: skip
        lines.append(f"| {one['part']} | {one['r_hat']:.3f} | {one['effective_draws']:.0f} {told}")
    return lines


def _others(plan: CalibrationPlan) -> list[str]:
    """How the fits before were judged, and that the next one waits where it does."""
    lines = []
    if plan.id != NAME:
        lines = [
            "## The next one", "",
            f"`{NAME}` is written down, its code and tests are there, and no whole run of it has been made.",
            "[What it changes](../decisions/0068-a-finer-wave-and-longer-chains.md).", "",
        ]  # fmt: skip
    for path in EARLIER:
        told = json.loads(path.read_text("utf-8"))
        if told["plan"] == plan.id:
            continue
        lines += [
            f"## The fit before: `{told['plan']}`", "",
            f"Hash `{told['plan_hash']}`: {told['was']}",
            f"Run whole once, {told['processor_min']:.1f} minutes of processor.", "",
            "| asked | came out | |", "|---|---|---|",
            *(f"| {row['asked']} | {row['got']} | {_verdict(row)} |" for row in told["judged"]), "",
        ]  # fmt: skip
    return lines


def _effects(found: dict[str, Any]) -> list[str]:
    names = {"mean": "mean over substances", "tau": "spread between trials", "craving_tau": "spread of craving effects"}
    lines = ["Log odds of a use day after one reference dose; positive helps. Median (90%).", "",
             "| what | before | now |", "|---|---|---|"]  # fmt: skip
    for row in found["values"]:
        if row["prior"] is None:
            kind, _, of = row["name"].partition(".")
            told = names.get(row["name"]) or (f"mean, {of}" if kind == "substance" else f"in {of}")
            lines.append(f"| {told} | {_cell(row['present'])} | {_cell(row['found'])} |")
    return lines


def _values(found: dict[str, Any]) -> list[str]:
    lines = [
        "Before: the value that the set holds fixed, searched on most of these rows, or its median.",
        f"Ratio: standard deviation after the fit over that of the prior; below {_LEARNT:g} is called learnt.", "",
        "| value | prior, 90% | before | now, median (90%) | ratio | |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row in found["values"]:
        if row["prior"] is None:
            continue
        prior, now = row["prior"], row["found"]
        fixed = row["set_at"]
        before = _number(fixed) if fixed is not None else "" if row["present"] is None else _cell(row["present"])
        far = fixed is not None and not now["low"] <= fixed <= now["high"]
        note = ", ".join(["learnt"] * (row["ratio"] < _LEARNT) + ["away from before"] * far)
        lines.append(
            f"| `{row['name']}` | {_number(prior['low'])} to {_number(prior['high'])} | {before} | {_cell(now)} | "
            f"{row['ratio']:.2f} | {note} |"
        )
    return lines


def _rows(found: dict[str, Any]) -> list[str]:
    lines = ["These are in the fit: agreement is capacity.", "", "| people | what | read | fit, median (90%) | |",
             "|---|---|---|---|---|"]  # fmt: skip
    for row in found["rows"]:
        read = "in words" if row["read"] is None else _number(row["read"])
        off = row["read"] is not None and not row["found"]["low"] <= row["read"] <= row["found"]["high"]
        lines.append(
            f"| {row['group']} | {_named(row)} | {read} | {_cell(row['found'])} | {'outside' if off else ''} |"
        )
    return lines


def _facts(found: dict[str, Any]) -> list[str]:
    lines = ["Computed with fewer people than on [their page](facts.md), for both sets alike.",
             "At: the level of the people that the fact was read of; without, level 0.", "",
             "| fact | read | before | now | role | at |", "|---|---|---|---|---|---|"]  # fmt: skip
    for row in found["facts"]:
        cells = [f"{_number(row[name]['value'])}, {row[name]['verdict']}" for name in ("before", "after")]
        role = f"{row['role']}{', a row here' if row['fitted'] else ''}"
        moved = row["before"]["verdict"] != row["after"]["verdict"]
        mark = "**" if moved else ""
        lines.append(
            f"| `{row['fact']}` | {row['published'] or 'in words'} | {cells[0]} | {mark}{cells[1]}{mark} | {role} | "
            f"{row['people'].removeprefix(f'{LEVEL}.')} |"
        )
    for role in ("check", "fit"):
        chosen = [one for one in found["facts"] if one["role"] == role]
        counts = [sum(one[name]["verdict"] == "inside" for one in chosen) for name in ("before", "after")]
        lines += ["", f"Inside, {role}: {counts[0]} before, {counts[1]} now, of {len(chosen)}."]
    return lines


def _open(plan: CalibrationPlan, found: dict[str, Any]) -> list[str]:
    wide = plan.wide
    assert wide is not None, "a plan that frees the shape"
    lines = []
    for substance, limit in found["limits"].items():
        if limit > wide.within:
            lines.append(
                f"- {substance}: too few shapes lie within {wide.within:g} errors of all rows at once; some went "
                f"to {limit:g}. These rows contradict each other or the form."
            )
    off = [row for row in found["rows"] if row["read"] is not None
           and not row["found"]["low"] <= row["read"] <= row["found"]["high"]]  # fmt: skip
    if off:
        names = "; ".join(_named(row) for row in off)
        lines.append(f"- Rows that the fit does not reach with nine tenths of its draws: {names}.")
    unmoved = [f"`{row['name']}`" for row in found["values"] if row["ratio"] is not None and row["ratio"] >= 0.95]
    if unmoved:
        lines.append(f"- As wide after as before, so no row tells of them: {', '.join(unmoved)}.")
    if found["tied"]:
        pairs = "; ".join(f"`{a}` with `{b}` ({r:.2f})" for a, b, r in found["tied"])
        lines.append(f"- Known together more than alone (correlation of draws): {pairs}.")
    lines.append("- Values of the shape that no row tells from these stay fixed, and so does `k_n`: prior only.")
    lines += [f"- `{name}` is not in it: {why}." for name, why in wide.left_out.items()]
    lines += [f"- `{name}` is not in it: {why}." for name, why in plan.left_out.items()]
    return lines


def _emulators(found: dict[str, Any]) -> list[str]:
    lines = [
        "At points that they never saw, those of people where the rows put all values at once.",
        "Errors enter the likelihood; outside of trials with their Monte Carlo noise, those of a group together.",
        "", "| of | outcome | R2 | error | asked at most | |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    coarse = sum(row["error"] > row["limit"] for row in (*found["rows"], *found["emulators"]))
    if coarse:
        lines.insert(2, f"{coarse} are coarser than asked: intervals are wider than what was read would leave them.")
    told = [(one["trial"], one["outcome"], one["r2"], one["error"], one["limit"]) for one in found["emulators"]]
    told += [(row["group"], _named(row), row["r2"], row["error"], row["limit"]) for row in found["rows"]]
    for of, outcome, r2, error, limit in told:
        reached = "reached" if error <= limit else "**not reached**"
        lines.append(f"| {of} | {outcome} | {r2:.2f} | {error:.3f} | {limit:.3f} | {reached} |")
    return lines


def _named(row: dict[str, Any]) -> str:
    return f"{row['row']}{row['output'] and ', '}{row['output']}"


def _cell(three: dict[str, float]) -> str:
    return f"{_number(three['median'])} ({_number(three['low'])} to {_number(three['high'])})"


def _number(x: float) -> str:
    return f"{x:.3g}"
