"""How long recruitment takes: people are screened over calendar time, some fail, the rest enter.

Equations::

    rate of entry:   r(t) = s * (1 - f) * min(t / ramp, 1)
    entry i:         the time at which the integral of r reaches the sum of i + 1 unit exponentials
    failures before: geometric, with chance f of each

Screening is a Poisson process; eligibility depends on nothing that is simulated. Evidence: assumed.
"""

from dataclasses import dataclass

import numpy as np

from remission.errors import SpecError
from remission.numerics.elementary import log
from remission.protocol.record import Protocol
from remission.records.seed import DEFAULT_SEED
from remission.shapes import Float, Int
from remission.streams import People, Stream, draw_uniforms


@dataclass(frozen=True, slots=True, kw_only=True)
class RecruitmentResult:
    """When people entered, and how many were screened.

    ``entry_day``: calendar day of entry of each person, rising; 0 is the opening of the trial. [day] ``n_screened``:
    people screened until the last one entered. ``duration_day``: days from the opening to the end of the last person's
    follow-up. [day]
    """

    entry_day: Float[np.ndarray, "replicate subject"]
    n_screened: Int[np.ndarray, " replicate"]
    duration_day: Float[np.ndarray, " replicate"]


def simulate_recruitment(
    protocol: Protocol, *, n_replicates: int = 200, seed: int = DEFAULT_SEED, first_replicate: int = 0
) -> RecruitmentResult:
    """Recruitment of a trial, many times.

    ``n_replicates``: 1 to 1,000,000. ``first_replicate``: number of the first of them. Raises ``SpecError``: the
    protocol says nothing of recruitment, or a number is out of range.
    """
    plan = protocol.recruitment
    if plan is None:
        raise SpecError(
            where="recruitment", got="nothing", allowed="a recruitment plan", remedy="Give screened_per_day."
        )
    if isinstance(n_replicates, bool) or not isinstance(n_replicates, int) or not 1 <= n_replicates <= 1_000_000:
        raise SpecError(where="n_replicates", got=n_replicates, allowed="a whole number from 1 to 1000000")
    n_subjects = protocol.population.n_subjects
    people = People.of_replicates(seed=seed, first=first_replicate, count=n_replicates, n_subjects=n_subjects)
    u_wait, u_failures, _, _ = draw_uniforms(people, Stream.RECRUITMENT, 0)
    needed = np.cumsum(-log(u_wait).reshape(n_replicates, n_subjects), axis=1)
    rate_per_day = plan.screened_per_day * (1.0 - plan.screening_failure)
    ramp = float(plan.ramp_days)
    entry = needed / rate_per_day + ramp / 2.0
    if ramp > 0.0:
        entry = np.where(entry < ramp, np.sqrt(2.0 * ramp * needed / rate_per_day), entry)
    failures = np.zeros(len(people), dtype=np.int64)
    if plan.screening_failure > 0.0:
        failures = np.floor(log(u_failures) / log(np.array([plan.screening_failure]))).astype(np.int64)
    return RecruitmentResult(
        entry_day=entry,
        n_screened=n_subjects + failures.reshape(n_replicates, n_subjects).sum(axis=1),
        duration_day=entry[:, -1] + protocol.follow_up_days,
    )
