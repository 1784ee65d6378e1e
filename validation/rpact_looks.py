"""Looks beside rpact, the R package: ``python -m validation.rpact_looks`` (``make rpact``).

Plans are made here, rpact's numbers by ``validation/rpact.R``; Debian has the package (r-cran-rpact), and ``R_LIBS``
names the folder of a copy elsewhere. Writes ``docs/validation/rpact.md``; without rpact nothing is written.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from remission.design.at_look import boundaries_of, chances, forecast
from remission.design.sequential import first_stops
from remission.records.effect import LookPlan

_HERE = Path(__file__).parent
_PAGE = _HERE.parent / "docs" / "validation" / "rpact.md"
N_PLANS = 96
SPENDING = ("obrien-fleming", "pocock", "hwang-shih-decani", "classical-obrien-fleming", "classical-pocock")


def plans() -> pd.DataFrame:
    """Random plans of two to five looks at uneven information."""
    draw, rows = np.random.default_rng(20261130), []
    for number in range(N_PLANS):
        k = int(draw.integers(2, 6))
        steps = draw.dirichlet(np.full(k, 8.0))
        at = np.append(np.round(np.cumsum(steps)[:-1], 3), 1.0)
        spending = SPENDING[number % len(SPENDING)]
        # Classical shapes spend no function's error, and have no floors by beta here.
        has_floors = not spending.startswith("classical") and bool(draw.random() < 0.6)
        rows.append(
            {
                "plan": number,
                "at": " ".join(map(str, at.tolist())),
                "spending": spending,
                "gamma": float(draw.choice([-8.0, -4.0, -1.0, 2.0])) if spending == "hwang-shih-decani" else 0.0,
                "level": float(draw.choice([0.005, 0.0125, 0.025, 0.05])),
                "drift": round(float(draw.uniform(0.5, 4.0)), 3),
                "beta": float(draw.choice([0.1, 0.2])) if has_floors else 0.0,
                "gammaB": float(draw.choice([-8.0, -6.0, -4.0])),
                "estimate": round(float(draw.uniform(0.0, 3.0)), 3),
            }
        )
    return pd.DataFrame(rows)


def ours(plan: pd.Series) -> list[tuple[str, int, float]]:
    """The same numbers from this program."""
    at = tuple(float(one) for one in str(plan["at"]).split())
    k, spending = len(at), str(plan["spending"])
    if spending == "hwang-shih-decani":
        spending += f":{plan['gamma']:g}"
    bounds = boundaries_of(LookPlan(at=at, spending=spending), level=float(plan["level"]))
    found = [("boundary", look + 1, z) for look, z in enumerate(bounds.z)]
    crossed = first_stops(bounds.z, [-z for z in bounds.z], list(at))
    found += [("error spent", look + 1, x) for look, x in enumerate(np.cumsum(crossed[0] + crossed[1]).tolist())]
    under = chances(bounds, float(plan["drift"]))
    stops = np.array(under.success) + np.array(under.harm)
    found += [("stopping under an effect", look + 1, x) for look, x in enumerate(stops.tolist())]
    found.append(("expected information", k, under.expected_share))
    if plan["beta"]:
        beta = {"beta_spending": f"hwang-shih-decani:{plan['gammaB']:g}", "beta": float(plan["beta"])}
        floored = boundaries_of(LookPlan(at=at, spending=spending, **beta), level=float(plan["level"]))  # type: ignore[arg-type]
        assert floored.drift is not None, "it spends beta"
        found += [("floor", look + 1, floor) for look, floor in enumerate(floored.floors[:-1])]
        found.append(("drift for the power", k, floored.drift))
    ahead = forecast(bounds, 0, float(plan["estimate"]), float(plan["drift"]))
    return [*found, ("conditional power", k, ahead.as_assumed)]


def theirs(made: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Version and numbers of rpact; ends the program where it is not there."""
    if shutil.which("Rscript") is None:
        sys.exit("Rscript is not here; Debian has it (r-base-core, r-cran-rpact). Nothing was written.")
    with tempfile.TemporaryDirectory() as name:
        plan, answer = Path(name) / "plans.csv", Path(name) / "answers.csv"
        made.to_csv(plan, index=False)
        done = subprocess.run(
            ["Rscript", str(_HERE / "rpact.R"), str(plan), str(answer)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"rpact gave nothing (R_LIBS names its folder); nothing was written.\n{done.stderr[-600:]}")
        return done.stdout.strip(), pd.read_csv(answer)


def main() -> None:
    """Compare and write the page."""
    made = plans()
    version, other = theirs(made)
    own = pd.DataFrame(
        [(plan["plan"], *one) for _, plan in made.iterrows() for one in ours(plan)],
        columns=["plan", "what", "look", "own"],
    )
    both = own.merge(other, on=["plan", "what", "look"], how="outer", validate="1:1")
    both["away"] = (both["own"] - both["value"]).abs()
    lines = []
    for row in both.to_dict("records"):
        plan = made.iloc[row["plan"]]
        of = f"- plan {row['plan']} ({plan['spending']}, {plan['at']}), {row['what']}, look {row['look']}"
        if not row["away"] <= 1e-4:
            lines.append(f"{of}: {row['own']:.7g}, rpact {row['value']:.7g}")
    table = [
        f"| {what} | {len(part)} | {part['away'].median():.0e} | {part['away'].max():.0e} |"
        for what, part in both.groupby("what", sort=False)
    ]
    text = (_HERE / "rpact.md.in").read_text("utf-8")
    for name, value in (
        ("version", version), ("cells", f"{len(both):,}"), ("plans", str(N_PLANS)), ("rows", "\n".join(table)),
        ("differing", "\n".join(lines) or "Nothing."),
    ):  # fmt: skip
        text = text.replace(f"@{name}@", value)
    _PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
