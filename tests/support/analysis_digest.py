"""Print the digest of every analysis on fixed tables; run as a process of its own, under variables that it is given."""

import hashlib

import numpy as np

from remission.analyses import bayes, counts
from remission.analyses.estimate import Estimate
from remission.analyses.hazards import analyze_hazards, analyze_log_ranks, analyze_restricted_mean
from remission.analyses.imputation import analyze_imputed
from remission.analyses.means import analyze_differences, analyze_percent_lower
from remission.analyses.mmrm import STRUCTURES, analyze_mmrms
from remission.analyses.odds import analyze_many_odds
from remission.analyses.repeated import analyze_repeated
from remission.streams import People

R, N, T = 6, 60, 4


def whole(*shape: int) -> np.ndarray:
    """Numbers 0 to 999 in a fixed scatter, without a random generator or a function of NumPy's."""
    size = int(np.prod(shape))
    return ((np.arange(size, dtype=np.int64) * 7919 + 104729) ** 2 % 1009 % 1000).reshape(shape)


def main() -> None:
    """The digest, and the statuses that it holds."""
    treated = whole(R, N) % 2 == 0
    inside = whole(R, N + 1)[:, 1:] % 11 != 0
    terms = np.stack([whole(R, N + 2)[:, 2:] % 2, whole(R, N + 3)[:, 3:] % 97 / 3.0], axis=1).astype(np.float64)
    terms[1, 1] = terms[1, 0] * (1.0 + 1e-12)
    values = whole(R, N + 4)[:, 4:] / 7.0 + 9.0 * treated
    events = (whole(R, N + 5)[:, 5:] % 3 == 0) * 1.0
    events[2] = treated[2]
    days = 1.0 + whole(R, N + 6)[:, 6:] % 28
    table = values[:, :, None] / 3.0 + whole(R, N, T) / 11.0
    table[whole(R, N, T + 1)[:, :, 1:] % 9 == 0] = np.nan
    table[3, :, 1] = table[3, :, 0] * (1.0 + 1e-12)
    seen, used = np.full(N, 28.0), whole(R, N + 7)[:, 7:] % 29 * 1.0
    people = People.of_replicates(seed=1, first=0, count=1, n_subjects=N)
    found: list[Estimate] = []
    for many in (
        analyze_differences(values, inside, treated, terms),
        analyze_many_odds(events, inside, treated, terms),
        analyze_many_odds(events, inside, treated, terms, test="score"),
        analyze_many_odds(events, inside, treated, terms[:, :0]),
        analyze_hazards(days, days < 25, inside, treated, terms),
        analyze_log_ranks(days, days < 25, inside, treated, terms[:, 0].astype(np.int64)),
        *(
            analyze_mmrms(
                table,
                inside,
                treated,
                terms,
                n_by_visit=1,
                weights=np.eye(T)[-1],
                position=np.arange(T),
                structure=one,
                by_side=one == "toeplitz",
            )
            for one in STRUCTURES
        ),
    ):
        found += [many.one(number) for number in range(R)]
    for r in range(R):
        side, adjust = treated[r], terms[r].T
        found += [
            analyze_percent_lower(values[r], side),
            analyze_restricted_mean(days[r], days[r] < 25, side, tau_day=20.0),
            counts.analyze_rate(used[r], seen, side, adjust),
            counts.analyze_day_odds(used[r], seen, side, adjust),
            *(analyze_repeated(table[r], side, adjust, correlation=one)
              for one in ("independence", "exchangeable", "autoregressive")),
            analyze_imputed(table[r], side, adjust, people, assumption="copy-increments", n_imputations=2,
                            weight=np.full(T, 1.0 / T)),
            bayes.analyze_difference_with_prior(values[r], side, adjust, center=1.0, worth_people=9.0),
            bayes.analyze_odds_with_prior(events[r], side, adjust, center=0.0, sd=1.0),
            bayes.analyze_shares_with_prior(events[r], side, prior_events=0.5, prior_others=0.5),
        ]  # fmt: skip
    print(hashlib.sha256(repr(found).encode()).hexdigest(), sorted({one.status.value for one in found}))  # noqa: T201


if __name__ == "__main__":
    main()
