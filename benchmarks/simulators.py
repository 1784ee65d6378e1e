"""Another trial simulator on its own default study, and a like study of ours.

Like: 180 people in three arms (a control and two doses), people drawn anew, kinetics of each, 84 days, visits on days
28, 56 and 84, one endpoint, one comparison. Not equal: theirs adapts its allocation and may stop (``default``) or not
(``fixed``), and knows an effect at each visit; ours lives every day of every person. Processor time of a trial, theirs
over ours: ``trial_vs_refua_default``, ``trial_vs_refua_fixed``.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from validation.small_trials import small_protocol

from benchmarks.measure import write_results
from remission.protocol.record import Protocol
from remission.trial.simulate import plan_trial

PEER = Path(__file__).parent / "peers" / "refua_study.py"
N_TRIALS = 200
PEER_TRIALS = 10
REPEATS = 5


def like_study() -> Protocol:
    """Ketamine at two doses against saline."""
    plain = small_protocol().to_dict()
    infusion = {"day": 0, "duration_min": 40.0}
    doses = {"saline": 0.0, "low": 0.5, "high": 0.8}
    window = {"first": 0, "last": 84}
    changes = {
        "follow_up_days": 85,
        "population": {**plain["population"], "n_subjects": 180},
        "drugs": {
            name: {"drug": "saline" if dose == 0.0 else "racemic-ketamine",
                   "infusions": [{**infusion, "dose_mg_per_kg": dose}]}
            for name, dose in doses.items()
        },
        "arms": [
            {"id": name, "label": name, "drug": name, "therapy": "mbrp", "factors": {"dose": name}} for name in doses
        ],
        "randomization": {"block_size": 6},
        "visits": [{"id": "visit", "days": [28, 56, 84], "collects": ["diary"]}],
        "test": None,
        "endpoints": [
            {"id": "pda", "label": "Days abstinent", "kind": "percent_days_abstinent", "window": window,
             "missing": "observed"},
        ],
        "analyses": [
            {"id": "high", "label": "High dose", "endpoint": "pda", "method": "mean_difference",
             "contrast": {"treatment": {"dose": "high"}, "control": {"dose": "saline"}}},
        ],
    }  # fmt: skip
    return Protocol.create(**{**plain, **changes})


def seconds_of_a_trial() -> float:
    """Median processor time of a trial of ours, simulated and analyzed."""
    plan = plan_trial(like_study(), n_replicates=N_TRIALS, seed=1)
    found = []
    for _ in range(REPEATS + 1):
        started = time.process_time()
        for chunk in plan.chunks:
            plan.run(chunk)
        found.append((time.process_time() - started) / N_TRIALS)
    return statistics.median(found[1:])


def main(peer_python: str) -> None:
    """Measure, print, write."""
    command = [peer_python, str(PEER), str(PEER_TRIALS), str(REPEATS)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    own = seconds_of_a_trial()
    for name, (seconds, people) in told.items():
        print(
            f"refua-clinical, {name}: {1000.0 * seconds:.1f} ms a trial of {people:.0f} people; ours {1000.0 * own:.2f}"
        )
    write_results(**{f"trial_vs_refua_{name}": seconds / own for name, (seconds, _) in told.items()})


if __name__ == "__main__":
    main(sys.argv[1])
