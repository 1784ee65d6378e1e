"""Methods inside trials: what 10,000 trials with a mixed model cost, and how soon a stated effect and a size answer.

All are processor time, which a busy machine lengthens less than a clock does.
``mmrm_10000_trials_core_minutes``: trials of the chain, 300 people at 6 visits, simulated, scored and analyzed by a
mixed model (unstructured, Kenward-Roger, adjusted for therapy); two cores take half of it.
``mmrm_law_10000_trials_core_minutes``: the same size from a stated law of repeated measures, with and without effect.
``closed_form_answer_s``: a stated effect answered in closed form, after start. ``kare_size_core_s``: the smallest kare
with power .9, found to within 5 people by ``remission design``, start and all.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.design import CHUNK, design_protocol
from benchmarks.measure import pin_to_one_core, write_results
from remission.protocol.record import Protocol
from remission.records.effect import EffectFile
from remission.trial.chunk import analyze_batch
from remission.trial.simulate import plan_trial

REPEATS = 5


def mixed_protocol() -> Protocol:
    """Two arms of 150 people with craving at six visits, analyzed at the last."""
    plain = design_protocol().to_dict()
    visits = [{"id": "visits", "days": [13, 27, 55, 83, 111, 139], "collects": ["craving"]}]
    window = {"first": 13, "last": 139}
    endpoint = {"id": "craving", "label": "Craving", "kind": "mean_craving", "window": window, "missing": "observed"}
    analysis = {**plain["analyses"][0], "id": "mixed", "label": "Mixed model", "endpoint": "craving", "method": "mmrm"}
    return Protocol.create(**{**plain, "visits": visits, "endpoints": [endpoint], "analyses": [analysis]})


def seconds_of_trials() -> float:
    """Processor time of one trial of the chain, the least of a few chunks."""
    protocol = mixed_protocol()
    plan = plan_trial(protocol, n_replicates=CHUNK.count, seed=1)

    def chunk() -> None:
        analyze_batch(protocol, CHUNK, plan.simulate(CHUNK), parameters=plan.parameters)

    return least_of(chunk) / CHUNK.count


def seconds_of_law_trials(n_replicates: int = 20) -> float:
    """Processor time of one trial of a stated law, its twin without an effect included."""
    from remission.design.law_trials import simulate_law

    visits = [14, 28, 56, 84, 112, 140]
    law = EffectFile.from_dict(
        {
            "id": "visits", "people": 300,
            "effect": {"law": "repeated", "visit_days": visits, "differences": [-2.0] * 6, "sd": 20, "correlation": 0.5,
                       "leaving": {"share": 0.2, "by_day": 140}},
        }
    ).effect  # fmt: skip
    return least_of(lambda: simulate_law(law, 300, 0.5, alpha=0.05, n_replicates=n_replicates, seed=1)) / n_replicates


def seconds_of_closed_form() -> float:
    """Processor time from a file's fields to the answer, of a program that is running."""
    from remission.design.stated import answer_effect, plan_effect

    fields = {"id": "x", "people": 120, "effect": {"law": "difference", "difference": -8, "sd": 20,
              "leaving": {"share": 0.2, "by_day": 84}}}  # fmt: skip
    return least_of(lambda: answer_effect(plan_effect(EffectFile.from_dict(fields), power=0.9)))


def least_of(work: "object") -> float:
    """Processor seconds of one call, the least of a few after one that compiles."""
    assert callable(work)
    work()
    found = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return min(found)


def seconds_of_size() -> float:
    """Processor seconds of all processes of the command."""
    command = [str(Path(sys.executable).with_name("remission")), "design", "kare", "--power", "0.9"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, env={**os.environ})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def figures() -> dict[str, float]:
    """All of them by name."""
    return {
        "mmrm_10000_trials_core_minutes": seconds_of_trials() * 10_000 / 60.0,
        "mmrm_law_10000_trials_core_minutes": seconds_of_law_trials() * 10_000 / 60.0,
        "closed_form_answer_s": seconds_of_closed_form(),
        "kare_size_core_s": seconds_of_size(),
    }


if __name__ == "__main__":
    pin_to_one_core()
    write_results(**figures())
