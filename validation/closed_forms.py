"""Closed forms of stated effects beside base R and beside simulation: ``python -m validation.closed_forms``.

R (package r-base-core of Debian) is needed here and nowhere else. Writes ``docs/validation/closed-forms.md``.
"""

import csv
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from remission.design.closed_forms import Split, closed_power
from remission.design.law_trials import simulate_law
from remission.records.effect import EffectFile, Law

_HERE = Path(__file__).parent
_PAGE = _HERE.parent / "docs" / "validation" / "closed-forms.md"
_LAWS = ("difference", "proportions", "hazard", "rate", "repeated", "clusters")
_CASES, _SIMULATED, _TRIALS = 60, 4, 4000
_COLUMNS = (
    "number", "law", "goal", "sides", "alpha", "n", "m", "effect", "margin", "sd", "sd2", "control", "by", "leave",
    "accrual", "follow", "extra", "size",
)  # fmt: skip


def random_case(law: str, number: int) -> tuple[dict[str, Any], Law, Split]:
    """Numbers of a case as R reads them, the effect, and the people."""
    rng = np.random.default_rng([20261129, _LAWS.index(law), number])
    goal = str(rng.choice(["superiority", "superiority", "non-inferiority", "equivalence"]))
    if law in {"repeated", "clusters"}:
        goal = "superiority"
    sides, alpha = int(rng.integers(1, 3)), float(rng.choice([0.01, 0.025, 0.05, 0.1]))
    n = int(rng.integers(8, 200))
    m = n if rng.random() < 0.5 else int(rng.integers(8, 200))
    case: dict[str, Any] = dict.fromkeys(_COLUMNS, 0.0)
    case |= {"number": number, "law": law, "goal": goal, "sides": sides, "alpha": alpha}
    about: dict[str, Any] = {"law": law, "goal": goal, "sides": sides}
    if law in {"difference", "clusters"}:
        sd, effect = float(rng.uniform(5.0, 30.0)), float(rng.normal(0.0, 6.0))
        sd2 = sd if law == "clusters" or rng.random() < 0.6 else float(rng.uniform(5.0, 30.0))
        case |= {"sd": sd, "sd2": sd2, "effect": effect}
        about |= {"law": "difference", "difference": effect, "sd": {"treatment": sd, "control": sd2}}
        if law == "clusters":
            size, icc = int(rng.integers(3, 15)), float(rng.uniform(0.0, 0.3))
            n, m = n + 4 * size, m + 4 * size
            case |= {"size": size, "extra": icc}
            about["clusters"] = {"size": size, "icc": icc}
        elif goal != "superiority":
            effect = abs(effect) / 3.0
            case["effect"] = about["difference"] = effect
            about["margin"] = case["margin"] = -8.0 if goal == "non-inferiority" else 8.0
            about["better"] = "higher"
    elif law == "proportions":
        control, other = (float(rng.uniform(0.1, 0.9)) for _ in range(2))
        case |= {"control": control, "effect": other - control}
        about |= {"treatment": other, "control": control}
        if goal != "superiority":
            other = control + float(rng.uniform(-0.03, 0.03))
            case["effect"] = other - control
            about |= {"treatment": other, "better": "higher", "margin": -0.15 if goal == "non-inferiority" else 0.15}
            case["margin"] = about["margin"]
    elif law in {"hazard", "rate"}:
        ratio = float(np.exp(rng.normal(-0.3, 0.3))) if goal == "superiority" else float(np.exp(rng.normal(0.0, 0.05)))
        leave, by = float(rng.choice([0.0, 0.2, 0.4])), float(rng.uniform(60.0, 200.0))
        case |= {"effect": ratio, "leave": leave, "by": by, "follow": float(rng.uniform(60.0, 200.0))}
        about["leaving"] = {"share": leave, "by_day": by}
        if law == "hazard":
            case |= {"control": float(rng.uniform(0.2, 0.8)), "accrual": float(rng.choice([0.0, 100.0, 400.0]))}
            about |= {"hazard_ratio": ratio, "control_share": case["control"], "by_day": by,
                      "accrual_days": case["accrual"], "follow_up_days": case["follow"]}  # fmt: skip
        else:
            case |= {"control": float(rng.uniform(0.02, 0.3)), "extra": float(rng.choice([0.0, 0.5, 1.5]))}
            about |= {"rate_ratio": ratio, "control_rate_per_day": case["control"], "dispersion": case["extra"],
                      "days": case["follow"]}  # fmt: skip
        if goal != "superiority":
            about |= {"margin": 1.5, "better": "lower"}
            case["margin"] = 1.5
    else:
        sd, effect, r = float(rng.uniform(5.0, 20.0)), float(rng.normal(0.0, 6.0)), float(rng.uniform(-0.2, 0.9))
        first, last = float(rng.uniform(5.0, 40.0)), float(rng.uniform(50.0, 120.0))
        leave = float(rng.choice([0.0, 0.2, 0.4]))
        case |= {"sd": sd, "effect": effect, "extra": r, "accrual": first, "follow": last, "leave": leave, "by": last}
        about |= {"visit_days": [first, last], "differences": [effect / 2.0, effect], "sd": sd, "correlation": r,
                  "leaving": {"share": leave, "by_day": last}}  # fmt: skip
    if about.get("leaving", {}).get("share") == 0.0:
        about.pop("leaving")
    case |= {"n": n, "m": m}
    return case, EffectFile.from_dict({"effect": about}).effect, Split(n, m)


def _r_powers(cases: list[dict[str, Any]]) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "cases.csv"), Path(folder, "powers.csv")
        with given.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, _COLUMNS)
            writer.writeheader()
            writer.writerows({name: repr(v) if isinstance(v, float) else v for name, v in one.items()} for one in cases)
        subprocess.run(["Rscript", "--vanilla", str(_HERE / "closed_forms.R"), str(given), str(found)], check=True)
        with found.open(encoding="utf-8") as file:
            return [float(row["power"]) for row in csv.DictReader(file)]


def main() -> None:
    """Compare and write the page."""
    made = {law: [random_case(law, number) for number in range(_CASES)] for law in _LAWS}
    powers = _r_powers([case for one in made.values() for case, _, _ in one])
    lines, at = [], 0
    for law, ones in made.items():
        here = [closed_power(effect, people, case["alpha"]) for case, effect, people in ones]
        away = np.abs(np.array(here) - powers[at : at + len(ones)])
        at += len(ones)
        gaps = []
        for (case, effect, people), power in list(zip(ones, here, strict=True))[
            : 1 if law == "repeated" else _SIMULATED
        ]:
            n_trials = 500 if law == "repeated" else _TRIALS
            found = simulate_law(effect, people.people, people.treatment / people.people, alpha=case["alpha"],
                                 n_replicates=n_trials, seed=case["number"])  # fmt: skip
            gaps.append(f"{power:.3f} / {found.power.value:.3f} ± {found.power.mcse:.3f}")
        lines.append(f"| {law} | {len(ones)} | {away.max():.1e} | {'; '.join(gaps)} |")
    _PAGE.write_text(
        (_HERE / "closed_forms.md.in").read_text("utf-8").replace("@rows@", "\n".join(lines)), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
