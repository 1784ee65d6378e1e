"""Mixed models for repeated measures: what a fit costs, beside the one of a library.

``mmrm_fit_ms``: processor time of one fit of 120 people at 4 visits of which a tenth is missed, unstructured
covariance, baseline by visit, Kenward-Roger, in a batch on one core. ``mmrm_fit_300_by_6_ms``: the same for 300 people
at 6 visits. ``mmrm_vs_statsmodels``: the model that both have, one intercept a person, by ``MixedLM`` of statsmodels
over ours (compound symmetry, with the degrees of freedom that the other lacks).
"""

import time
import warnings
from typing import Any

import numpy as np

from benchmarks.measure import pin_to_one_core, times_faster, write_results
from remission.analyses.mmrm import analyze_mmrms

REPEATS = 5


def batch(n_replicates: int, n: int, m: int) -> dict[str, Any]:
    """Made-up trials: errors that covary, a tenth of the visits missed."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=(n_replicates, n, m)) + rng.normal(size=(n_replicates, n, 1))
    values[rng.random(values.shape) < 0.1] = np.nan
    return {
        "values": values,
        "inside": np.ones((n_replicates, n), dtype=np.bool_),
        "treated": np.tile(np.arange(n) % 2 == 1, (n_replicates, 1)),
        "adjust": rng.normal(size=(n_replicates, 1, n)),
        "n_by_visit": 1,
        "weights": np.eye(m)[-1],
        "position": np.arange(m),
    }


def milliseconds_of_a_fit(given: dict[str, Any]) -> float:
    """Processor time of one fit, the least of a few batches."""
    analyze_mmrms(**given)
    found = []
    for _ in range(REPEATS):
        started = time.process_time()
        analyze_mmrms(**given)
        found.append(time.process_time() - started)
    return 1000.0 * min(found) / len(given["values"])


def against_statsmodels() -> float:
    """Median ratio over a few trials of 120 people at 4 visits."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    given = batch(3, 120, 4)

    def peer() -> None:
        for values, treated, adjust in zip(given["values"], given["treated"], given["adjust"], strict=True):
            subject, visit = np.nonzero(np.isfinite(values))
            at = (visit[:, None] == np.arange(4)) * 1.0
            design = np.concatenate([at, at * adjust[0][subject][:, None], at * treated[subject][:, None]], axis=1)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                MixedLM(values[subject, visit], design, subject).fit()

    return times_faster(
        lambda: analyze_mmrms(**given, structure="compound-symmetry"), peer, repeats=REPEATS
    )[0]  # fmt: skip


if __name__ == "__main__":
    pin_to_one_core()
    write_results(
        mmrm_fit_ms=milliseconds_of_a_fit(batch(50, 120, 4)),
        mmrm_fit_300_by_6_ms=milliseconds_of_a_fit(batch(10, 300, 6)),
        mmrm_vs_statsmodels=against_statsmodels(),
    )
