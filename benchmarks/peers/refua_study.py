"""Studies of the trial simulator refua-clinical, in an environment of its own: JSON of seconds a trial and people.

Run by its path, since that environment knows nothing of this package.
"""

import json
import statistics
import sys
import time

from refua_clinical import ClinicalStudy
from refua_clinical.models import default_simulation_config


def seconds_of_a_trial(*, adapts: bool, n_trials: int, repeats: int) -> tuple[float, float]:
    """Median processor seconds of a trial of its default study, and the people in it."""
    config = default_simulation_config()
    config.adaptive.enabled = config.stopping.enabled = adapts
    study = ClinicalStudy(config)
    study.simulate(replicates=1)
    found, people = [], []
    for _ in range(repeats):
        started = time.process_time()
        run = study.simulate(replicates=n_trials)
        found.append((time.process_time() - started) / n_trials)
        people += [one.enrolled_n for one in run.result.replicates]
    return statistics.median(found), statistics.mean(people)


if __name__ == "__main__":
    count, rounds = int(sys.argv[1]), int(sys.argv[2])
    told = {
        name: seconds_of_a_trial(adapts=adapts, n_trials=count, repeats=rounds)
        for name, adapts in (("default", True), ("fixed", False))
    }
    print(json.dumps(told))
