"""How people pass through a simulated trial, from screening to the analysis: the counts of a CONSORT diagram.

Every count is of one simulated trial and arm, so that a diagram can say what such a trial would print and how far it
would vary. Screening comes from the protocol's recruitment; without one it is not counted, because nothing says how
many people would be asked.
"""

from dataclasses import dataclass

import numpy as np

from remission.design.variants import choose_analysis
from remission.patient.parameters import CourseParameters
from remission.patient.pharmacology import pharmacology_of
from remission.protocol.record import Protocol
from remission.shapes import Bool, Int
from remission.trial.analyze import sides_of
from remission.trial.batch import TrialBatch
from remission.trial.recruitment import RecruitmentResult, simulate_recruitment
from remission.trial.resampled import ChainPeople, DiaryPeople
from remission.trial.schedule import build_schedule
from remission.trial.simulate import plan_trial

STEPS = {
    "allocated": "Allocated",
    "received_all": "Had every planned session of the arm's drug, or of its therapy where it has no drug",
    "received_part": "Had some of them",
    "received_none": "Had none of them",
    "left_using": "Left the study on the evening of a day with use",
    "left_clean": "Left the study on the evening of a day without use",
    "in_custody": "Were in custody at some time",
    "followed": "Stayed to the end of follow-up",
    "analyzed": "Had a value in the primary analysis",
    "not_analyzed": "Had none",
}
"""What is counted, in the order of a diagram, and in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantFlow:
    """Counts of people in simulated trials.

    ``steps``: by name of :data:`STEPS`. Custody overlaps with the others; an arm that is outside the contrast has
    nobody analyzed and nobody missing. Sessions are counted for drug arms by infusions, for others by therapy.
    ``recruitment``: when people entered and how many were screened; ``None`` where the protocol does not say how they
    are found.
    """

    analysis: str
    arms: tuple[str, ...]
    in_contrast: tuple[bool, ...]
    has_treatment: tuple[bool, ...]
    steps: dict[str, Int[np.ndarray, "replicate arm"]]
    recruitment: RecruitmentResult | None

    @property
    def n_replicates(self) -> int:
        """Simulated trials behind the counts."""
        return int(self.steps["allocated"].shape[0])

    @property
    def shown_steps(self) -> tuple[str, ...]:
        """Steps that can happen: custody only where somebody was in it, treatment only where it was planned."""
        return tuple(
            name
            for name in STEPS
            if (name != "in_custody" or self.steps[name].any())
            and (not name.startswith("received") or any(self.has_treatment))
        )


def simulate_flow(
    protocol: Protocol,
    *,
    n_replicates: int,
    seed: int,
    analysis: str | None = None,
    parameters: CourseParameters | None = None,
    source: DiaryPeople | ChainPeople | None = None,
) -> ParticipantFlow:
    """The flow of people through the first trials of a design: the same people that its results rest on.

    ``analysis``: whose people are counted as analyzed; ``None``: the first. ``parameters``: values to use instead of
    the library's. ``source``: people on whose days an effect is stated. Raises ``SpecError``: a number is out of range,
    or the protocol has no such analysis.
    """
    wanted = choose_analysis(protocol, analysis)
    primary = protocol.analysis(wanted)
    alone = protocol.replace(
        analyses=(primary,), estimand=None, purpose="exploratory", comparisons=(), multiplicity=None
    )
    plan = plan_trial(alone, n_replicates=n_replicates, seed=seed, parameters=parameters, source=source)
    sides = [index for side in sides_of(protocol, primary.contrast) for index in side]
    inside = np.isin(np.arange(len(protocol.arms)), sides)
    parts: list[dict[str, Int[np.ndarray, "replicate arm"]]] = []
    for chunk in plan.chunks:
        batch = plan.simulate(chunk)
        counts = _count(alone, batch)
        valued = plan.analyze(chunk, batch).arms[primary.endpoint].n
        counts["analyzed"] = np.where(inside, valued, 0)
        counts["not_analyzed"] = np.where(inside, counts["allocated"] - valued, 0)
        parts.append(counts)
    steps = {name: np.concatenate([part[name] for part in parts]) for name in STEPS}
    return ParticipantFlow(
        analysis=wanted,
        arms=tuple(arm.id for arm in protocol.arms),
        in_contrast=tuple(inside.tolist()),
        has_treatment=tuple(bool(arm.drug_starts or arm.contacts) for arm in protocol.arms),
        steps=steps,
        recruitment=None
        if protocol.recruitment is None
        else simulate_recruitment(protocol, n_replicates=n_replicates, seed=seed),
    )


def _count(protocol: Protocol, batch: TrialBatch) -> dict[str, Int[np.ndarray, "replicate arm"]]:
    """Counts by trial and arm, the analysis left out."""
    n_days = batch.course.use.shape[1]
    stayed = batch.course.days_in_study
    last_use = batch.course.use[np.arange(stayed.size), np.maximum(stayed, 1) - 1] > 0
    left = stayed < n_days
    had, due = _sessions(protocol, batch)
    found = {
        "allocated": np.ones_like(left),
        "received_all": (due > 0) & (had == due),
        "received_part": (had > 0) & (had < due),
        "received_none": (due > 0) & (had == 0),
        "left_using": left & last_use,
        "left_clean": left & ~last_use,
        "in_custody": batch.happenings.custody_day < n_days,
        "followed": ~left,
    }
    return {name: _by_arm(which, batch, len(protocol.arms)) for name, which in found.items()}


def _sessions(protocol: Protocol, batch: TrialBatch) -> tuple[Int[np.ndarray, " subject"], Int[np.ndarray, " subject"]]:
    """Sessions that people had and that were planned within follow-up."""
    schedule = build_schedule(
        batch.people, protocol, arm=batch.arm, covariates=batch.covariates, pharmacology=pharmacology_of(protocol)
    )
    by_drug = np.array([bool(arm.drug_starts) for arm in protocol.arms])[batch.arm]
    had, due = np.zeros(by_drug.size, dtype=np.int64), np.zeros(by_drug.size, dtype=np.int64)
    n_days = batch.course.use.shape[1]
    for days, mine in ((schedule.infusion_day, by_drug), (schedule.session_day, ~by_drug)):
        planned = (days >= 0) & (days < n_days) & mine[:, None]
        held = planned & (days < batch.course.days_in_study[:, None])
        if batch.happenings.in_custody is not None:
            row = np.arange(days.shape[0])[:, None]
            held &= ~batch.happenings.in_custody[row, np.clip(days, 0, n_days - 1)]
        due += planned.sum(axis=1)
        had += held.sum(axis=1)
    return had, due


def _by_arm(which: Bool[np.ndarray, " subject"], batch: TrialBatch, n_arms: int) -> Int[np.ndarray, "replicate arm"]:
    trial = np.repeat(np.arange(batch.n_replicates), which.size // batch.n_replicates)
    cells = np.bincount((trial * n_arms + batch.arm)[which], minlength=batch.n_replicates * n_arms)
    return cells.reshape(batch.n_replicates, n_arms).astype(np.int64)
