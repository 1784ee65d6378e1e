"""The people of simulated trials, one by one: arm, times and outcomes, for other programs that run trials on them.

A person's numbers are addressed by seed, replicate and subject, so a finished run need not keep them: they are made
again by the code that made the run, and by no other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from remission.endpoints.data import EndpointData
from remission.endpoints.values import times_of, values_of
from remission.errors import RunError, SpecError, did_you_mean
from remission.patient.parameters import DEFAULT_PARAMETER_SET, CourseParameters
from remission.patient.pharmacology import pharmacology_of
from remission.protocol.record import Protocol
from remission.provenance import source_hashes
from remission.records.seed import DEFAULT_SEED
from remission.runs.folder import read_run
from remission.runs.rebuild import plan_of
from remission.shapes import Bool, Float
from remission.trial.batch import TrialBatch, simulate_batch
from remission.trial.chunk import Chunk
from remission.trial.endpoints import amount_unit_of, endpoint_data
from remission.trial.simulate import TrialPlan, plan_trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An endpoint of each person: its value, NaN for none, and for a time whether the event ended it."""

    value: Float[np.ndarray, " subject"]
    event: Bool[np.ndarray, " subject"] | None


def plan_of_run(folder: Path) -> TrialPlan:
    """The plan of a finished run, whose people this very program made.

    Raises ``RunError``: no finished run, or one of other code, which would make other people; ``ProvenanceError``: a
    file of it was changed.
    """
    run = read_run(folder)
    here, made_by = source_hashes()["numbers"], (run.manifest.get("source_sha256") or {}).get("numbers")
    if made_by != here:
        raise RunError(
            where=str(folder), got=f"a run by other code ({str(made_by)[:12]})",
            allowed=f"the code that made it (here {here[:12]}): this one would make other people",
            remedy="Run the protocol again with this version, or use the version that made it.",
        )  # fmt: skip
    return plan_of(run)


def check_replicate(plan: TrialPlan, replicate: int) -> None:
    """Refuse a replicate that a run has not, as a ``SpecError``."""
    if not 0 <= replicate < plan.n_replicates:
        raise SpecError(where="--replicate", got=replicate, allowed=f"0 to {plan.n_replicates - 1}")


def data_of(plan: TrialPlan, batch: TrialBatch) -> EndpointData:
    """What a trial saw of the people of a batch, as its endpoints read it."""
    return endpoint_data(
        batch.observation, heavy_amount=plan.parameters.heavy_amount, amount_unit=amount_unit_of(plan.protocol),
        female=batch.covariates.female == 1,
    )  # fmt: skip


def outcomes_of(plan: TrialPlan, batch: TrialBatch) -> dict[str, Outcome]:
    """The endpoints of the protocol for each person of a batch, by their ids."""
    data = data_of(plan, batch)
    found = {}
    for endpoint in plan.protocol.endpoints:
        value, event = times_of(endpoint, data) if endpoint.is_time_to_event else (values_of(endpoint, data), None)
        found[endpoint.id] = Outcome(value=value, event=event)
    return found


def simulate_people(
    protocol: Protocol,
    *,
    n_replicates: int = 1,
    seed: int = DEFAULT_SEED,
    arm: str | None = None,
    parameter_set: str = DEFAULT_PARAMETER_SET,
    parameters: CourseParameters | None = None,
) -> Iterator[dict[str, Any]]:
    """The people of simulated trials, one after the other, as the response model of another program.

    Parameters
    ----------
    protocol
        The trial; its ``n_subjects`` are the people of a replicate.
    n_replicates
        1 to 1,000,000; people are made in pieces, so memory does not grow with their number.
    seed
        0 to 2**64 - 1; the same seed gives the same people.
    arm
        The id of an arm: everybody gets it, and is seen in full, with nobody leaving the study; the same person is the
        same under every arm. ``None``: as randomized, and as seen by the trial.
    parameter_set
        Name of the set in the library.
    parameters
        Values that all replicates have; without them each replicate draws its own, as in a run.

    Returns
    -------
    iterator
        One dictionary a person with ``replicate``, ``subject``, ``arm``, ``age_y``, ``weight_kg``, ``female``,
        ``site``, ``days_in_study``, ``times`` and ``outcomes``. ``times``: id of each endpoint that is a time to its
        value and whether the event ended it, ``(None, False)`` for a person who has none. ``outcomes``: id of each
        other endpoint to its value, ``None`` where it does not exist. [unit of the endpoint]

    Raises
    ------
    SpecError
        An argument is out of range, or there is no such arm.
    """
    plan = plan_trial(
        protocol, n_replicates=n_replicates, seed=seed, parameter_set=parameter_set, parameters=parameters
    )
    return _people(plan, _index_of(protocol, arm))


def people_of_run(plan: TrialPlan, replicate: int | None) -> Iterator[dict[str, Any]]:
    """The people of a run, of all its replicates or of one; as :func:`simulate_people`."""
    if replicate is not None:
        check_replicate(plan, replicate)
    return _people(plan, None, replicate)


def _index_of(protocol: Protocol, arm: str | None) -> int | None:
    names = [one.id for one in protocol.arms]
    if arm is None or arm in names:
        return None if arm is None else names.index(arm)
    raise SpecError(where="arm", got=arm, allowed=f"one of {', '.join(names)}", remedy=did_you_mean(arm, names))


def _people(plan: TrialPlan, under: int | None, replicate: int | None = None) -> Iterator[dict[str, Any]]:
    chunks = plan.chunks if replicate is None else [Chunk(first=replicate, count=1)]
    for chunk in chunks:
        if under is None:
            batch = plan.simulate(chunk)
        else:
            batch = simulate_batch(
                plan.protocol, seed=plan.seed, first_replicate=chunk.first, n_replicates=chunk.count,
                parameters=plan.parameters, pharmacology=pharmacology_of(plan.protocol), under=under,
                drawing=plan.drawing,
            )  # fmt: skip
        yield from _rows(plan, batch)


def _rows(plan: TrialPlan, batch: TrialBatch) -> Iterator[dict[str, Any]]:
    found = outcomes_of(plan, batch)
    about, days = batch.covariates, batch.observation.days_in_study
    for k in range(len(batch.people)):
        times, outcomes = {}, {}
        for name, one in found.items():
            value = float(one.value[k]) if np.isfinite(one.value[k]) else None
            if one.event is None:
                outcomes[name] = value
            else:
                times[name] = (value, value is not None and bool(one.event[k]))
        yield {
            "replicate": int(batch.people.replicate[k]), "subject": int(batch.people.subject[k]),
            "arm": plan.protocol.arms[int(batch.arm[k])].id, "age_y": float(about.age_y[k]),
            "weight_kg": float(about.weight_kg[k]), "female": bool(about.female[k]), "site": int(batch.site[k]) + 1,
            "days_in_study": int(days[k]), "times": times, "outcomes": outcomes,
        }  # fmt: skip
