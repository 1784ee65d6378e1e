"""The R script beside an analysis, run where R is: every method that has a block of R, compared with its own numbers.

Run it with: python -m validation.study_in_r. Without Rscript it says so and ends well; packages that are missing are
named. Simulated people; nothing of them is kept.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from remission.door.study import analyze
from remission.report.study_write import write_study

_EXACT = 1e-5
_LOOSE = {"rate_ratio", "day_odds_ratio", "repeated_difference", "mmrm"}
"""R's interval of these is another one (Wald's, without the correction for few people, or normal where mmrm is not
here): estimates only."""
_OTHER = {"gee": 1e-3}
"""geepack finds the correlation by another moment."""


def _people(n: int = 120) -> pd.DataFrame:
    g = np.random.default_rng(5)
    treated, before = np.arange(n) % 2 == 0, g.normal(50.0, 10.0, n)
    visits = before[:, None] + g.normal(0.0, 6.0, (n, 3)) - 4.0 * treated[:, None]
    visits[g.random(visits.shape) < 0.1] = np.nan
    time = np.minimum(np.ceil(g.exponential(30.0 + 15.0 * treated)), 84.0)
    seen = g.integers(40, 85, n)
    return pd.DataFrame({
        "id": [f"P{i:03}" for i in range(n)], "arm": np.where(treated, "a", "b"), "age": g.integers(20, 65, n),
        "site": np.array(["north", "south", "west"])[np.arange(n) % 3], "before": before, "v1": visits[:, 0],
        "v2": visits[:, 1], "v3": visits[:, 2], "relapse": (g.random(n) < 0.5 - 0.15 * treated).astype(int),
        "use": g.binomial(seen, 0.35 - 0.1 * treated), "seen": seen, "time": time, "event": (time < 84).astype(int),
    })  # fmt: skip


def _plan() -> dict[str, Any]:
    def one(name: str, endpoint: str, method: str, **more: Any) -> dict[str, Any]:
        sides = {"treatment": "a", "control": "b"}
        return {"id": name, "label": name, "endpoint": endpoint, "method": method, "contrast": sides, **more}

    both = {"adjust": ["age", "site"]}
    columns = {"week 2": "v1", "week 4": "v2", "week 6": "v3"}
    structures = (
        "unstructured", "compound-symmetry", "heterogeneous-compound-symmetry", "autoregressive",
        "heterogeneous-autoregressive", "heterogeneous-toeplitz", "spatial-exponential", "spatial-gaussian",
    )  # fmt: skip
    return {
        "id": "r", "title": "R beside it",
        "data": {"layout": "people", "person": "id", "arm": "arm",
                 "visits": [{"name": name, "day": day} for name, day in zip(columns, (14, 28, 42), strict=True)]},
        "arms": [{"id": "a", "label": "A"}, {"id": "b", "label": "B"}],
        "covariates": [{"id": "age", "column": "age", "kind": "number"},
                       {"id": "site", "column": "site", "kind": "category"}],
        "measures": [
            {"id": "y", "label": "Y", "columns": columns, "measure": "mean", "better": "lower"},
            {"id": "last", "label": "Last", "column": "v3", "measure": "mean", "better": "lower"},
            {"id": "before", "label": "Before", "column": "before", "measure": "mean", "better": "lower"},
            {"id": "relapse", "label": "Relapse", "column": "relapse", "measure": "binary", "better": "lower"},
            {"id": "use", "label": "Use", "column": "use", "measure": "count", "better": "lower", "exposure": "seen"},
            {"id": "time", "label": "Time", "column": "time", "measure": "time", "better": "higher",
             "event_column": "event"},
        ],
        "analyses": [
            one("means", "last", "mean_difference", **both, baseline="before"),
            one("means-hc3", "last", "mean_difference", **both, errors="hc3"),
            one("odds", "relapse", "odds_ratio", **both),
            one("cox", "time", "hazard_ratio", adjust=["age"], stratify_by=["site"]),
            one("log-rank", "time", "log_rank", stratify_by=["site"]),
            one("rmst", "time", "restricted_mean_difference", tau_day=60),
            one("lower", "last", "percent_lower"),
            one("rate", "use", "rate_ratio", **both),
            one("robust", "use", "robust_rate_ratio", **both),
            one("days", "use", "day_odds_ratio", **both),
            one("gee", "y", "repeated_difference", **both),
            one("gee-independent", "y", "repeated_difference", **both, correlation="independence"),
            *(one(f"mmrm-{name}", "y", "mmrm", adjust=["site"], baseline="before", covariance=name,
                  degrees_of_freedom="satterthwaite") for name in structures),
        ],
    }  # fmt: skip


def main() -> int:
    """Differences by analysis; 1 where one is larger than rounding."""
    if shutil.which("Rscript") is None:
        print("Rscript is not on this machine: nothing was compared.")
        return 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _people().to_csv(folder / "trial.csv", index=False)
        (folder / "plan.yaml").write_text(json.dumps(_plan()), encoding="utf-8")
        found = analyze(folder / "trial.csv", folder / "plan.yaml")
        write_study(found, folder / "out", data=folder / "trial.csv", plan=folder / "plan.yaml", command="validation")
        ran = subprocess.run(
            ["Rscript", "analysis.R"], cwd=folder / "out", capture_output=True, text=True, check=False
        )  # fmt: skip
    print(ran.stderr, file=sys.stderr)
    theirs = {line.split()[0]: line.split()[1:] for line in ran.stdout.splitlines() if len(line.split()) == 5}
    n_apart = 0
    for one in found.estimates:
        if one.analysis.id not in theirs:
            print(f"{one.analysis.id}: R gave nothing")
            continue
        ours = np.array([one.estimate, one.low, one.high, one.p_value])
        other = np.array(theirs[one.analysis.id], dtype=np.float64)
        kept = slice(0, 1) if one.analysis.method in _LOOSE else slice(0, 3)
        apart = float(np.max(np.abs(ours - other)[kept] / np.maximum(np.abs(ours[kept]), 1e-8)))
        n_apart += apart > _OTHER.get(one.analysis.id, _EXACT)
        print(f"{one.analysis.id}: {apart:.1e} {'' if apart <= _OTHER.get(one.analysis.id, _EXACT) else 'APART'}")
    return 1 if n_apart or ran.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
