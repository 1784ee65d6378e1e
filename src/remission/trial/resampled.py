"""Trials of people who are drawn whole from diaries, with an effect that somebody states laid over their days.

A person keeps all days as they are: use, amount, and which days nobody knows, so that missing visits and leaving are
those of the source. On the treatment side a day of use may fall away, or come up, with the chance that multiplies the
person's own odds of a use day by the stated ratio::

    keep(use day)      = r / (1 - p + r p)             r below 1
    begin(clean day)   = (r - 1) p / (1 - p + r p)     r above 1

with p the person's share of use days, drawn toward that of all by two days' worth. The odds of persons change by the
ratio; the odds over everybody change by less, because people differ. A day that nobody knows stays unknown.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from remission.analyses.estimate import log_of
from remission.errors import SpecError
from remission.numerics.elementary import exp
from remission.patient.course import Course
from remission.patient.drawn import Drawing
from remission.patient.parameters import CourseParameters
from remission.patient.pharmacology import Pharmacology
from remission.patient.sampling import Covariates
from remission.protocol.record import Protocol
from remission.records.diaries import Diaries
from remission.records.effect import DiaryEffect
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import KINDS
from remission.shapes import Bool, Float, Int
from remission.streams import People, Stream, draw_normals, draw_uniforms
from remission.trial.analyze import sides_of
from remission.trial.batch import TrialBatch, simulate_batch
from remission.trial.before import STRATA_LEVELS, baseline_strata
from remission.trial.endpoints import amount_unit_of
from remission.trial.happenings import Happenings
from remission.trial.measured import Measured
from remission.trial.observation import DaysBefore, Observation
from remission.trial.randomization import allocate, assign_sites, strata_of

_WORTH_DAYS: Final = 2.0
"""A person's share of use days is drawn toward that of everybody as if so many more days had been asked about."""
_DRAWS: Final = 4
"""Uniforms at an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryPeople:
    """Everybody who can be drawn: their days, and the share of use days of each.

    ``use``: 0 where ``seen`` is false. ``amount``: NaN where unknown; ``None``: the source has none. ``first_day``:
    study day of the first column. ``chance``: share of use days of each person. [share]
    """

    source: str
    first_day: int
    use: Int[np.ndarray, "person day"]
    seen: Bool[np.ndarray, "person day"]
    amount: Float[np.ndarray, "person day"] | None
    amount_unit: str | None
    weekday_of_first_day: Int[np.ndarray, " person"]
    chance: Float[np.ndarray, " person"]

    @classmethod
    def of(cls, diaries: Diaries) -> "DiaryPeople":
        """The people of diaries who were asked about a day from day 0 on.

        Raises ``SpecError``: there are fewer than two.
        """
        on = diaries.assessed[:, max(0, -diaries.first_day) :].any(axis=1)
        if on.sum() < 2:
            raise SpecError(
                where=f"diaries of {diaries.substance}", got=f"{int(on.sum())} people with a day from day 0 on",
                allowed="two or more",
            )  # fmt: skip
        seen, used = diaries.assessed[on], diaries.used[on]
        return cls(
            source=f"{int(on.sum())} people of {diaries.source}, {diaries.substance}",
            first_day=diaries.first_day,
            use=used.astype(np.int8),
            seen=seen,
            amount=None if diaries.amount is None else diaries.amount[on],
            amount_unit=diaries.amount_unit,
            weekday_of_first_day=diaries.weekday_of_first_day[on],
            chance=_chances(used, seen, np.zeros(len(used), dtype=np.int64)),
        )

    @property
    def last_day(self) -> int:
        """Study day of the last column."""
        return self.first_day + self.use.shape[1] - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPeople:
    """People of the chain, all of whom get what the control side gets."""

    control: Protocol

    @property
    def source(self) -> str:
        """Where the people come from, in words."""
        return "the chain, everybody under the control"


def simulate_resampled(
    protocol: Protocol,
    source: DiaryPeople | ChainPeople,
    *,
    seed: int,
    first_replicate: int,
    n_replicates: int,
    parameters: CourseParameters,
    pharmacology: Pharmacology | None = None,
    under: int | None = None,
    drawing: Drawing | None = None,
) -> TrialBatch:
    """Some replicates of a trial whose people come from a source; arguments as for ``simulate_batch``.

    A person is the same under every arm but for the effect, so that arms are compared with nobody but that person.
    """
    effect = protocol.effect
    assert isinstance(effect, DiaryEffect), "planned with one"
    if isinstance(source, ChainPeople):
        assert pharmacology is not None, "the chain has one"
        batch = simulate_batch(
            source.control, seed=seed, first_replicate=first_replicate, n_replicates=n_replicates,
            parameters=parameters, pharmacology=pharmacology, under=under, drawing=drawing,
        )  # fmt: skip
        used = batch.course.use > 0
        chance = _chances(used, np.ones(used.shape, dtype=np.bool_), batch.people.replicate)
    else:
        batch, chance = _drawn(protocol, source, seed, first_replicate, n_replicates, under)
    treated = np.isin(batch.arm, treated_arms(protocol))
    return _with_effect(batch, effect, chance, treated)


def treated_arms(protocol: Protocol) -> list[int]:
    """Indices of the arms that have the stated effect: those it names, or the treatment side of the first analysis."""
    effect = protocol.effect
    if isinstance(effect, DiaryEffect) and effect.arms:
        return [index for index, arm in enumerate(protocol.arms) if arm.id in effect.arms]
    return sides_of(protocol, protocol.analyses[0].contrast)[0]


def _chances(
    used: Bool[np.ndarray, "person day"], seen: Bool[np.ndarray, "person day"], group: Int[np.ndarray, " person"]
) -> np.ndarray:
    days, hits = seen.sum(axis=1), used.sum(axis=1)
    usual = _of_group(hits, days, group, none=0.0)
    return np.asarray((hits + _WORTH_DAYS * usual) / (days + _WORTH_DAYS))


def _of_group(
    total: Float[np.ndarray, " person"] | Int[np.ndarray, " person"],
    count: Int[np.ndarray, " person"],
    group: Int[np.ndarray, " person"],
    *,
    none: float,
) -> Float[np.ndarray, " person"]:
    """Mean of each person's group: of the trial and not of all that are simulated together, which is no property of it.

    ``none``: of a group without a number.
    """
    place = np.unique(group, return_inverse=True)[1]
    counts = np.bincount(place, weights=count)
    sums = np.bincount(place, weights=total)
    return np.asarray(np.where(counts > 0.0, sums / np.maximum(counts, 1.0), none)[place])


def _drawn(
    protocol: Protocol, source: DiaryPeople, seed: int, first: int, n_replicates: int, under: int | None
) -> tuple[TrialBatch, Float[np.ndarray, " subject"]]:
    n_subjects, n_days = protocol.population.n_subjects, protocol.follow_up_days
    people = People.of_replicates(seed=seed, first=first, count=n_replicates, n_subjects=n_subjects)
    n = len(people)
    who = np.floor(draw_uniforms(people, Stream.RESAMPLING, 0)[0] * len(source.chance)).astype(np.int64)
    use, seen, amount = _days(source, who, 0, n_days)
    n_before = min(max(0, -source.first_day), _days_before(protocol))
    earlier = _days(source, who, -n_before, 0)
    before = DaysBefore(diary=earlier[0], amount=earlier[2], seen=earlier[1]) if n_before else None
    female = np.zeros(n, dtype=np.int64)
    site = assign_sites(people, protocol.setting.n_sites)
    levels = {"site": site}
    if before is not None and set(protocol.randomization.stratify_by) & set(STRATA_LEVELS):
        levels |= baseline_strata(protocol, before, female=female == 1)
    stratum = strata_of(protocol, levels=levels, n_levels=STRATA_LEVELS)
    arm = allocate(people, protocol, stratum=stratum.reshape(n_replicates, n_subjects)).ravel()
    if under is not None:
        arm = np.full_like(arm, under)
    asked = seen.any(axis=1)
    stayed = np.where(asked, n_days - seen[:, ::-1].argmax(axis=1), 0)
    visits = np.array(sorted({day for visit in protocol.visits for day in visit.days}), dtype=np.int64)
    weekday = source.weekday_of_first_day[who]
    none = np.zeros((n, 0))
    course = Course(
        use=use, amount=np.nan_to_num(amount), vas=np.zeros(use.shape), baseline_use=earlier[0],
        baseline_amount=np.nan_to_num(earlier[2]), baseline_vas=np.zeros(earlier[0].shape), days_in_study=stayed,
        attended=np.zeros((n, 0), dtype=np.bool_), states={},
    )  # fmt: skip
    observation = Observation(
        diary=use, amount=amount, seen=seen, test_day=np.zeros(0, dtype=np.int64),
        test_kept=np.zeros((n, 0), dtype=np.bool_), test_positive=np.zeros((n, 0), dtype=np.bool_),
        craving_day=np.zeros(0, dtype=np.int64), craving_vas=none, days_in_study=stayed, diary_day=visits,
        diary_kept=np.ones((n, visits.size), dtype=np.bool_), before=before,
    )  # fmt: skip
    nothing = np.full(n, np.nan)
    batch = TrialBatch(
        people=people, n_replicates=n_replicates, arm=arm, site=site,
        covariates=Covariates(age_y=nothing, weight_kg=nothing, female=female,
                              weekday0=np.where(weekday >= 0, (weekday - source.first_day) % 7, 0)),
        conditions={}, course=course,
        happenings=Happenings(custody_day=np.full(n, n_days), in_custody=None, kept=None, guess=None),
        measured=Measured(), observation=observation,
    )  # fmt: skip
    return batch, source.chance[who]


def _days(
    source: DiaryPeople, who: Int[np.ndarray, " subject"], first: int, end: int
) -> tuple[Int[np.ndarray, "subject day"], Bool[np.ndarray, "subject day"], Float[np.ndarray, "subject day"]]:
    """Use, whether it was asked about, and amount, of study days ``first`` to ``end - 1``; days outside are unknown."""
    column = np.arange(first, end) - source.first_day
    inside = (column >= 0) & (column < source.use.shape[1])
    place = np.where(inside, column, 0)
    seen = source.seen[who][:, place] & inside
    use = source.use[who][:, place] * seen
    amount = use.astype(np.float64) if source.amount is None else np.where(seen, source.amount[who][:, place], np.nan)
    return use.astype(np.int8), seen, amount


def _days_before(protocol: Protocol) -> int:
    """Days before day 0 that an endpoint or the population looks at."""
    windows = [one.baseline.first for one in protocol.endpoints if one.baseline is not None]
    baseline = protocol.population.baseline
    return max([0, *(-first for first in windows), *([baseline.days] if baseline is not None else [])])


def _with_effect(
    batch: TrialBatch, effect: DiaryEffect, chance: Float[np.ndarray, " subject"], treated: Bool[np.ndarray, " subject"]
) -> TrialBatch:
    is_neutral = effect.use_odds_ratio == 1.0 and effect.amount_ratio == 1.0 and effect.spread == 0.0
    if is_neutral or not treated.any():
        return batch
    strength = strength_by_day(effect, batch.course.use.shape[1])
    who = np.flatnonzero(treated)
    own = People(seed=batch.people.seed, replicate=batch.people.replicate[who], subject=batch.people.subject[who])
    wish = log_of(effect.use_odds_ratio) + effect.spread * draw_normals(own, Stream.RESAMPLING, 1)[0]
    ratio = exp(strength * wish[:, None])
    p = chance[who][:, None]
    keeps = np.minimum(1.0, ratio / (1.0 - p + ratio * p))
    begins = np.maximum(0.0, (ratio - 1.0) * p / (1.0 - p + ratio * p))
    n_days = strength.size
    draws = [draw_uniforms(own, Stream.RESAMPLING, 2 + block) for block in range(-(-n_days // _DRAWS))]
    luck = np.stack([one for block in draws for one in block][:n_days], axis=1)
    course, seen = batch.course, batch.observation
    factor = exp(log_of(effect.amount_ratio) * strength)
    under = {"luck": luck, "keeps": keeps, "begins": begins, "factor": factor, "group": own.replicate}
    use, amount = _changed(course.use[who], course.amount[who], **under)
    diary, reported = _changed(seen.diary[who], seen.amount[who], **under)
    return replace(
        batch,
        course=replace(course, use=_put(course.use, who, use), amount=_put(course.amount, who, amount)),
        observation=replace(
            seen, diary=_put(seen.diary, who, diary), amount=_put(seen.amount, who, reported)
        ),
    )  # fmt: skip


def strength_by_day(effect: DiaryEffect, n_days: int) -> Float[np.ndarray, " day"]:
    """How much of the effect there is on each day: 0 before it begins, up to 1, and falling where it decays."""
    since = np.arange(n_days) - effect.from_day + 1.0
    rising = np.clip(since / max(effect.onset_days, 1.0), 0.0, 1.0)
    if effect.half_life_days is None:
        return rising
    after = np.maximum(since - max(effect.onset_days, 1.0), 0.0)
    return np.asarray(rising * exp(log_of(0.5) * after / effect.half_life_days))


def _put(table: np.ndarray, who: Int[np.ndarray, " person"], rows: np.ndarray) -> np.ndarray:
    found = table.copy()
    found[who] = rows
    return found


def _changed(
    use: np.ndarray,
    amount: np.ndarray,
    *,
    luck: np.ndarray,
    keeps: np.ndarray,
    begins: np.ndarray,
    factor: np.ndarray,
    group: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Days and amounts under the effect; a day that begins has the person's mean amount of a use day.

    Of somebody without a known one, that of the people of the trial who have the effect, or 1.
    """
    used = use > 0
    new = ~used & (luck < begins)
    after = np.where(used, luck < keeps, new)
    known = used & np.isfinite(amount) & (amount > 0.0)
    total, count = np.where(known, amount, 0.0).sum(axis=1), known.sum(axis=1)
    usual = _of_group(total, count, group, none=1.0)
    mean = np.where(count > 0, total / np.maximum(count, 1), usual)[:, None]
    return after.astype(use.dtype), np.where(after, np.where(new, mean, amount) * factor, 0.0 * np.nan_to_num(amount))


def check_source(protocol: Protocol, source: DiaryPeople | ChainPeople) -> None:
    """Refuse a protocol that asks these people for what nobody knows of them.

    Raises ``SpecError`` with every fault: endpoints that need more than a diary or days the source does not have,
    adjustment or strata by what is unknown, arms that differ within the treatment side.
    """
    faults: list[SpecError] = []
    effect = protocol.effect
    if isinstance(effect, DiaryEffect):
        names = [arm.id for arm in protocol.arms]
        faults += [
            SpecError(where="effect.arms", got=one, allowed=f"one of {', '.join(names)}")
            for one in effect.arms
            if one not in names
        ]
    belief = protocol.blinding
    if belief is not None and (belief.expectancy_use > 0.0 or belief.expectancy_report > 0.0):
        faults.append(SpecError(
            where="blinding", got="belief that acts, beside an effect on days",
            allowed="belief that does nothing: what is felt under an effect that is only stated is not known",
            remedy="Leave it out, and put the effect on the endpoint on the bench: remission blinding bench FILE.",
        ))  # fmt: skip
    if not protocol.analyses:
        faults.append(SpecError(where="analyses", got="none", allowed="an analysis, whose treatment has the effect"))
    for index, endpoint in enumerate(protocol.endpoints):
        faults += _endpoint_faults(f"endpoints[{index}]", endpoint, protocol, source)
    if isinstance(source, DiaryPeople):
        if any(arm.periods for arm in protocol.arms):
            faults.append(SpecError(where="arms", got="periods", allowed="arms side by side, with people of diaries"))
        if protocol.randomization.method == "minimization":
            faults.append(SpecError(where="randomization.method", got="minimization", allowed="permuted-blocks, with "
                                    "people of diaries"))  # fmt: skip
        known = {"site", *(STRATA_LEVELS if source.first_day < 0 else ())}
        asked: list[tuple[str, str, set[str]]] = [
            ("randomization.stratify_by", name, known) for name in protocol.randomization.stratify_by
        ]
        factors = {name for arm in protocol.arms for name in arm.factors}
        usable = {"site", "baseline-use", "baseline-amount", *factors}
        for index, one in enumerate(protocol.analyses):
            asked += [(f"analyses[{index}].adjust", name, usable) for name in one.adjust]
            asked += [(f"analyses[{index}].stratify_by", name, known) for name in one.stratify_by]
        faults += [
            SpecError(where=where, got=name, allowed=f"one of {', '.join(sorted(may))}: diaries tell no more of people")
            for where, name, may in asked
            if name not in may
        ]
    SpecError.check(faults)


def _endpoint_faults(
    where: str, endpoint: Endpoint, protocol: Protocol, source: DiaryPeople | ChainPeople
) -> list[SpecError]:
    facts = KINDS[endpoint.kind]
    if facts.needs != "diary":
        allowed = "an endpoint of the diary: the effect is stated on its days"
        remedy = "Leave it out, or take the chain without effect:."
        fault = SpecError(where=f"{where}.kind", got=endpoint.kind, allowed=allowed, remedy=remedy)
        return [fault]
    if isinstance(source, ChainPeople):
        return []
    found = []
    if endpoint.window.last > source.last_day:
        found.append(SpecError(
            where=f"{where}.window", got=f"days to {endpoint.window.last}",
            allowed=f"days that the source has, {source.first_day} to {source.last_day}",
            remedy="Shorten the window: days that nobody was asked about stay unknown.",
        ))  # fmt: skip
    baseline = endpoint.baseline
    if baseline is not None and baseline.first < source.first_day:
        found.append(SpecError(where=f"{where}.baseline", got=f"days from {baseline.first}",
                               allowed=f"days that the source has, from {source.first_day}"))  # fmt: skip
    if facts.needs_amounts and source.amount is None:
        found.append(SpecError(where=f"{where}.kind", got=endpoint.kind, allowed="an endpoint without amounts: the "
                               "source has none"))  # fmt: skip
    unit = amount_unit_of(protocol)
    if facts.needs_amounts and source.amount_unit not in {None, unit}:
        found.append(SpecError(where=f"{where}.kind", got=f"amounts in {source.amount_unit}", allowed=f"amounts in "
                               f"{unit}, as for {protocol.substance.value}"))  # fmt: skip
    return found
