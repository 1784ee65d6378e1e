"""A crossover trial: the difference within people, and what it misses.

Equations::

    within people = 1/2 * (mean of y1 - y2 in sequence AB  -  mean of y1 - y2 in sequence BA)
    first period  = mean of y1 of everybody under AB  -  mean of y1 of everybody under BA

Nothing comes before the first period, so with the same people under both sequences it gives the effect of the drug
then. The difference within people differs from it by what is left of the first drug in the second period, and by what
the same drug does otherwise in a second period. Both fade or stay as the model has it; no washout is known to be long
enough.
"""

from dataclasses import dataclass

import numpy as np

from remission.errors import SpecError
from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import DEFAULT_PARAMETER_SET, CourseParameters
from remission.protocol.record import Protocol
from remission.records.endpoint import Endpoint
from remission.records.seed import DEFAULT_SEED
from remission.shapes import Float
from remission.streams import check_seed
from remission.trial.truth import TrueContrast, check_people, simulate_everybody

_Values = Float[np.ndarray, " subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossoverTruth:
    """The true effect in the first period, what the crossover aims at, and the second minus the first.

    The difference is carryover together with any change of the effect from the first period to the second. Each is a
    difference of means, first drug of the first sequence minus the other drug, in the endpoint's unit.
    """

    first_period: TrueContrast
    within_people: TrueContrast
    difference: TrueContrast


def crossover_truth(
    protocol: Protocol,
    *,
    endpoints: tuple[str, str],
    n_people: int = 20_000,
    seed: int = DEFAULT_SEED,
    parameter_set: str = DEFAULT_PARAMETER_SET,
    parameters: CourseParameters | None = None,
) -> CrossoverTruth:
    """What a crossover aims at and what it misses, from the same people under both sequences, seen in full.

    ``endpoints``: endpoints of the first and of the second period, of one kind and one length. ``n_people``: 100 to
    1,000,000. Raises ``SpecError``: the protocol is not a crossover of two drugs in two sequences, or the endpoints do
    not fit its periods.
    """
    one, other = _checked(protocol, endpoints)
    check_people(n_people)
    check_seed(seed)
    used = parameters or course_parameters_of(protocol, parameter_set=parameter_set)
    first, second = (
        simulate_everybody(protocol, endpoint, {}, n_people=n_people, seed=seed, parameters=used)[0]
        for endpoint in (one, other)
    )
    direct = first[0] - first[1]
    within = 0.5 * ((first[0] - second[0]) - (first[1] - second[1]))
    return CrossoverTruth(
        first_period=_mean(f"{one.id}, first period", direct),
        within_people=_mean(f"{one.id} and {other.id}, within people", within),
        difference=_mean("within people minus first period", within - direct),
    )


def _mean(name: str, values: _Values) -> TrueContrast:
    good = values[np.isfinite(values)]
    error = float(good.std(ddof=1) / np.sqrt(good.size))
    return TrueContrast(analysis=name, method="mean_difference", estimate=float(good.mean()), mcse=error)


def _checked(protocol: Protocol, endpoints: tuple[str, str]) -> tuple[Endpoint, Endpoint]:
    if protocol.design is None or protocol.design.kind != "crossover" or len(protocol.arms) != 2:
        raise SpecError(
            where="design",
            got=protocol.design.kind if protocol.design is not None else "nothing",
            allowed="a crossover of two drugs in two sequences",
        )
    known = {endpoint.id: endpoint for endpoint in protocol.endpoints}
    for index, name in enumerate(endpoints):
        if name not in known:
            raise SpecError(where=f"endpoints[{index}]", got=name, allowed=f"one of {', '.join(known)}")
    one, other = known[endpoints[0]], known[endpoints[1]]
    second_start = protocol.arms[0].periods[1].start
    if one.window.last >= second_start or other.window.first < second_start:
        raise SpecError(
            where="endpoints",
            got=f"windows that end on day {one.window.last} and begin on day {other.window.first}",
            allowed=f"a window before day {second_start}, when the second period starts, and one from it on",
        )
    if one.kind != other.kind or len(one.window) != len(other.window) or one.is_time_to_event:
        raise SpecError(
            where="endpoints",
            got=f"{one.kind} over {len(one.window)} days and {other.kind} over {len(other.window)} days",
            allowed="the same measure over the same number of days, other than a time to an event",
        )
    return one, other
