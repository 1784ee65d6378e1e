"""The analyses of a plan on the people of a file: by the same functions that simulated trials are analyzed with."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from remission.analyses.estimate import Z95, Estimate, Estimates, Status, failed_estimate, log_of
from remission.analyses.methods import Compared, analyze_compared
from remission.analyses.multiplicity import adjusted_behind_gates
from remission.endpoints.values import values_of
from remission.numerics.distributions import normal_cdf, t_quantile
from remission.records.packaged import packaged_toml
from remission.records.study_plan import Measure, PlannedAnalysis, StudyPlan
from remission.shapes import Bool, Float, Int, Integer
from remission.study.data import NotUsed, StudyData
from remission.study.gate import check_gate, state_of_analysis
from remission.study.outcome import Outcome, outcome_of
from remission.study.result import ArmFlow, StudyEstimate, StudyResult, Tipping, VisitMeans

_Flags = Bool[np.ndarray, " subject"]
_WORDS = packaged_toml("words", "study.toml")
_FEW = 10
"""Fewer people on a side than this are said to be few."""


@dataclass(frozen=True, kw_only=True)
class StudyCompared(Compared):
    """The people of a file as the one replicate of a trial; those in neither side are not in it."""

    plan: StudyPlan
    analysis: PlannedAnalysis
    data: StudyData
    delta: float = 0.0
    margin: float | None = None
    """What the outcomes of the treatment side are moved by, so that a test of nothing is one of the margin."""

    @cached_property
    def outcome(self) -> Outcome:
        """What the strategies and the rule for missing values make of the measure."""
        found = outcome_of(self.plan, self.analysis, self.data)
        if self.margin is None or self.analysis.facts.margin_at == "test":
            return found
        if self.analysis.is_ratio:
            return replace(found, exposure=found.exposure * np.where(self.sides[0], self.margin, 1.0))
        moved = np.where(self.sides[0], self.margin, 0.0)
        periods = found.periods - moved[:, None]
        if self.analysis.method == "within_people_difference":
            # Half the difference of the two periods is moved by half of what the first one is.
            periods = found.periods - 2.0 * moved[:, None] * (np.arange(periods.shape[1]) == 0)
        return replace(found, value=found.value - moved, periods=periods)

    @property
    def null(self) -> float:
        """As of :class:`Compared`."""
        if self.margin is None or self.analysis.facts.margin_at != "test":
            return 0.0
        return log_of(self.margin) if self.analysis.is_ratio else self.margin

    @cached_property
    def sides(self) -> tuple[_Flags, _Flags]:
        """Who is on the treatment side, and on the control side."""
        ids = [one.id for one in self.plan.arms]
        contrast = self.analysis.contrast
        one, other = (
            np.isin(self.data.arm, [ids.index(name) for name in names])
            for names in (contrast.treatment, contrast.control)
        )
        return one, other

    @cached_property
    def terms(self) -> list[tuple[str, Float[np.ndarray, "subject term"]]]:
        """Each term of the adjustment with its columns, the measure before treatment the last."""
        found = [(name, self.data.columns_of(name)) for name in self.analysis.adjust]
        if self.analysis.baseline is not None:
            found.append((self.analysis.baseline, _baseline(self.plan, self.analysis, self.data)[:, None]))
        return found

    @cached_property
    def value(self) -> Float[np.ndarray, "replicate subject"]:
        """As of :class:`Compared`."""
        return self.outcome.value[None]

    @cached_property
    def event(self) -> Bool[np.ndarray, "replicate subject"]:
        """As of :class:`Compared`."""
        return self.outcome.event[None]

    @cached_property
    def randomized(self) -> Bool[np.ndarray, "replicate subject"]:
        """As of :class:`Compared`."""
        who = self.sides[0] | self.sides[1]
        for _, columns in self.terms:
            who = who & np.isfinite(columns).all(axis=1)
        for name in self.analysis.stratify_by:
            who = who & (self.data.levels[name][0] >= 0)
        if self.analysis.method == "imputed_rate_ratio":
            who = who & np.isfinite(self.outcome.exposure)
        return who[None]

    @property
    def inside(self) -> Bool[np.ndarray, "replicate subject"]:
        """As of :class:`Compared`, and of counts with a day in which they were counted."""
        inside = self.randomized & np.isfinite(self.value)
        if self.analysis.facts.counts_days:
            # Nobody has a rate over no day.
            inside = inside & (self.outcome.exposure > 0.0)
        return inside

    @cached_property
    def treated(self) -> Bool[np.ndarray, "replicate subject"]:
        """As of :class:`Compared`."""
        return self.sides[0][None]

    @cached_property
    def adjust(self) -> Float[np.ndarray, "replicate term subject"]:
        """As of :class:`Compared`."""
        columns = [np.zeros((len(self.data.person), 0)), *(columns for _, columns in self.terms)]
        whole = np.concatenate(columns, axis=1)
        return np.ascontiguousarray(np.where(self.randomized[0][:, None], whole, 0.0).T)[None]

    @cached_property
    def strata(self) -> Int[np.ndarray, "replicate subject"]:
        """Each combination of the levels is a stratum."""
        strata = np.zeros(len(self.data.person), dtype=np.int64)
        for name in self.analysis.stratify_by:
            level, names = self.data.levels[name]
            strata = strata * len(names) + np.maximum(level, 0)
        return strata[None]

    @cached_property
    def counts(self) -> tuple[Float[np.ndarray, "replicate subject"], Float[np.ndarray, "replicate subject"]]:
        """As of :class:`Compared`."""
        return self.outcome.counts[None], self.outcome.exposure[None]

    @cached_property
    def periods(self) -> Float[np.ndarray, "replicate subject period"]:
        """As of :class:`Compared`."""
        return self.outcome.periods[None]

    @property
    def shares(self) -> Float[np.ndarray, " period"]:
        """As of :class:`Compared`."""
        return self.outcome.shares

    @property
    def imputed_shares(self) -> Float[np.ndarray, " period"]:
        """Of visits one is compared, the last if none is named; days of a window are one outcome."""
        if self.plan.measure(self.analysis.endpoint) is None or self.target is None:
            return self.shares
        return (np.arange(self.shares.size) == self.target).astype(np.float64)

    @property
    def days(self) -> Int[np.ndarray, " period"]:
        """As of :class:`Compared`."""
        return self.outcome.days

    @property
    def target(self) -> int | None:
        """As of :class:`Compared`."""
        return self.outcome.target

    @property
    def addresses(
        self,
    ) -> tuple[int, Integer[np.ndarray, "replicate subject"], Integer[np.ndarray, "replicate subject"]]:
        """Places in the file are the numbers of the people."""
        subject = np.arange(len(self.data.person), dtype=np.uint64)
        return self.plan.seed, np.full_like(subject, self.data.replicate)[None], subject[None]

    @cached_property
    def analyzed(self) -> _Flags:
        """Who enters: the randomized where a method speaks for what is missing, else those with an outcome."""
        if self.analysis.method.startswith("imputed"):
            return self.randomized[0]
        if self.analysis.method == "mmrm":
            return self.randomized[0] & np.isfinite(self.outcome.periods).any(axis=1)
        if self.analysis.method == "within_people_difference":
            return self.randomized[0] & np.isfinite(self.outcome.periods).all(axis=1)
        return self.inside[0]

    def reasons(self) -> Iterator[tuple[_Flags, str]]:
        """Who of the two sides is not analyzed and why; each person by the first reason that holds."""
        left = (self.sides[0] | self.sides[1]) & ~self.analyzed
        for name, columns in self.terms:
            gone = left & ~np.isfinite(columns).all(axis=1)
            yield gone, f"no {name}, which the analysis is adjusted for"
            left = left & ~gone
        for name in self.analysis.stratify_by:
            gone = left & (self.data.levels[name][0] < 0)
            yield gone, f"no {name}, by which the analysis is stratified"
            left = left & ~gone
        yield left, f"no value of {self.analysis.endpoint}"


def _baseline(plan: StudyPlan, analysis: PlannedAnalysis, data: StudyData) -> Float[np.ndarray, " subject"]:
    """The measure before treatment; nothing that happens later changes it."""
    assert analysis.baseline is not None
    measure = plan.measure(analysis.baseline)
    if measure is not None:
        return data.measures[measure.id].value[:, 0]
    endpoint = plan.endpoint(analysis.baseline)
    assert endpoint is not None, "checked with the plan"
    assert data.diaries is not None
    return values_of(endpoint, data.diaries)


def compared_of(plan: StudyPlan, analysis: PlannedAnalysis, data: StudyData, *, delta: float = 0.0) -> StudyCompared:
    """Who is compared in an analysis, and by what."""
    return StudyCompared(plan=plan, analysis=analysis, data=data, delta=delta)


def analyze_study(plan: StudyPlan, data: StudyData) -> StudyResult:
    """Every analysis of a plan; one that has no number says why.

    Raises SpecError: a method is not offered, because its second program differs.
    """
    check_gate(plan)
    compared = [compared_of(plan, one, data) for one in plan.analyses]
    plain = [_estimate(one) for one in compared]
    adjusted = adjusted_behind_gates(
        plan.multiplicity,
        {one.id: Estimates.of([found]) for one, (found, _) in zip(plan.analyses, plain, strict=True)},
    )
    estimates = tuple(
        _described(one, *found, float(adjusted[one.analysis.id][0]) if one.analysis.id in adjusted else np.nan)
        for one, found in zip(compared, plain, strict=True)
    )
    result = StudyResult(
        plan=plan,
        data=data,
        estimates=estimates,
        flow=(),
        visits=None,
        not_used=(),
        cautions=tuple(_cautions(plan, data)),
    )
    first = compared[[one.analysis.id for one in estimates].index(result.primary.analysis.id)]
    return replace(
        result,
        flow=tuple(_flow(first, index) for index in range(len(plan.arms))),
        visits=_visit_means(first),
        not_used=(*data.not_used, *(line for one in compared for line in _lines(one))),
    )


def _estimate(one: StudyCompared) -> tuple[Estimate, str]:
    """The estimate, and in words why there is none."""
    analyzed, (treated, control) = one.analyzed, one.sides
    for side, name in ((treated, "treatment"), (control, "control")):
        count = int((analyzed & side).sum())
        if count < 2:
            people = "one person" if count == 1 else "nobody"
            return failed_estimate(Status.NOT_ESTIMABLE), (
                f"{people} on the {name} side has what the analysis needs; it takes two at least on each side. "
                "Look at what was not used."
            )
    if one.analysis.method in _OF_ONE_VALUE and _is_constant(one):
        return failed_estimate(Status.NO_VARIATION), str(_WORDS["status"]["no_variation"])
    found = analyze_compared(one).one(0)
    return found, "" if found.status is Status.OK else _why(one, found.status)


_OF_ONE_VALUE = ("odds_ratio", "hazard_ratio")
"""Methods that have a number of people who are all alike, 1 with an interval, which tells nothing."""


def _is_constant(one: StudyCompared) -> bool:
    """Whether everybody analyzed has the same outcome."""
    value, event = one.outcome.value[one.analyzed], one.outcome.event[one.analyzed]
    return value.size > 0 and bool((value == value[0]).all() and (event == event[0]).all())


def _why(one: StudyCompared, status: Status) -> str:
    """In words why there is no number: by what this method asks of the data, or by the status alone."""
    analysis, outcome, who = one.analysis, one.outcome, one.analyzed
    special = _WORDS["why"]
    if analysis.method == "percent_lower" and any(outcome.value[side & who].mean() <= 0.0 for side in one.sides):
        return str(special["mean_below_nothing"])
    if analysis.method == "restricted_mean_difference" and status is Status.NOT_ESTIMABLE:
        last = min(float(outcome.value[side & who].max()) for side in one.sides)
        return str(special["not_followed"]).format(day=f"{last:g}", tau=f"{analysis.tau_day:g}")
    if analysis.method == "imputed_difference" and status is Status.NOT_ESTIMABLE:
        seen = np.isfinite(outcome.periods[who])
        together = (seen[:, :, None] & seen[:, None, :]).sum(axis=0)
        a, b = np.unravel_index(int(together.argmin()), together.shape)
        needed = 4 + sum(columns.shape[1] for _, columns in one.terms) + together.shape[0]
        if together.min() < needed:
            names = outcome.names[a] if a == b else f"{outcome.names[a]} and {outcome.names[b]} together"
            return str(special["seldom_seen"]).format(names=names, count=int(together.min()), needed=needed)
    return str(_WORDS["status"][status.value])


def _described(one: StudyCompared, found: Estimate, message: str, p_adjusted: float) -> StudyEstimate:
    analysis, analyzed, (treated, control) = one.analysis, one.analyzed, one.sides
    left_out = {reason: int(gone.sum()) for gone, reason in one.reasons() if gone.any()}
    is_ok = found.status is Status.OK
    return StudyEstimate(
        analysis=analysis,
        unit=_unit(one),
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        p_adjusted=p_adjusted,
        status=found.status,
        message=message,
        n_treatment=int((analyzed & treated).sum()),
        n_control=int((analyzed & control).sum()),
        left_out=left_out,
        by_arm=_by_arm(one),
        not_inferior=_not_inferior(one, found) if is_ok and analysis.margin is not None else None,
        tipping=_tipping(one) if is_ok and analysis.tipping_deltas else None,
        programmed_twice=state_of_analysis(analysis),
        cautions=tuple(_analysis_cautions(one, left_out)),
    )


def _unit(one: StudyCompared) -> str:
    facts, outcome = one.analysis.facts, one.plan.outcome(one.analysis.endpoint)
    if facts.scale == "ratio":
        return facts.name or facts.words.split(" (")[0]
    if facts.scale == "percent_lower":
        return "percent lower"
    return "percentage points" if facts.in_points else outcome.unit or "unit of the column"


def _not_inferior(one: StudyCompared, found: Estimate) -> bool:
    """Whether the interval of one minus alpha lies on the good side of the margin."""
    margin, is_high = one.analysis.margin, one.plan.good_is_high(one.analysis)
    assert margin is not None
    if one.plan.alpha == 0.05:
        return bool(found.low > margin) if is_high else bool(found.high < margin)
    facts = one.analysis.facts
    if facts.margin_at == "interval":
        low, high, estimate, at = (_on_normal_scale(one, x) for x in (found.low, found.high, found.estimate, margin))
        error = abs(high - low) / (2.0 * Z95)
        away = abs(estimate - at) / error
        is_better = found.estimate > margin if is_high else found.estimate < margin
        return is_better and 2.0 * float(normal_cdf(-away)) < one.plan.alpha
    moved = analyze_compared(replace(one, margin=margin)).one(0)
    none = 1.0 if one.analysis.is_ratio else 0.0
    is_better = moved.estimate > none if is_high else moved.estimate < none
    return is_better and bool(moved.p_value < one.plan.alpha)


def _on_normal_scale(one: StudyCompared, value: float) -> float:
    scale = one.analysis.facts.scale
    if scale == "difference":
        return value
    return log_of(value if scale == "ratio" else 1.0 - value / 100.0)


def _tipping(one: StudyCompared) -> Tipping:
    alpha = one.plan.alpha
    # Of a method that imputes nothing, its like that does.
    moved = replace(one, analysis=one.analysis.tipped)
    found = [analyze_compared(replace(moved, delta=delta)).one(0) for delta in one.analysis.tipping_deltas]
    turned = [
        delta
        for delta, estimate in zip(one.analysis.tipping_deltas, found, strict=True)
        if not estimate.p_value <= alpha
    ]
    return Tipping(
        deltas=one.analysis.tipping_deltas,
        **{name: tuple(getattr(item, name) for item in found) for name in ("estimate", "low", "high", "p_value")},
        turns_at=min(turned, key=abs) if turned else None,
    )


def _by_arm(one: StudyCompared) -> dict[str, dict[str, float]]:
    """What each arm of the contrast shows at the visit that is compared, of those analyzed."""
    outcome, found = one.outcome, {}
    value = outcome.value
    if one.analysis.facts.at_visits and outcome.periods.shape[1]:
        value = outcome.periods[:, outcome.target] if outcome.target is not None else outcome.periods.mean(axis=1)
    for index, arm in enumerate(one.plan.arms):
        who = one.analyzed & (one.data.arm == index) & (one.sides[0] | one.sides[1])
        if not (one.data.arm[one.sides[0] | one.sides[1]] == index).any():
            continue
        known = value[who & np.isfinite(value)]
        numbers = {"analyzed": float(who.sum()), "with_value": float(known.size)}
        numbers["mean"] = float(known.mean()) if known.size else np.nan
        numbers["sd"] = float(known.std(ddof=1)) if known.size > 1 else np.nan
        if _is_time(one.plan, one.analysis):
            numbers["with_event"] = float(outcome.event[who].sum())
        found[arm.id] = numbers
    return found


def _is_time(plan: StudyPlan, analysis: PlannedAnalysis) -> bool:
    outcome = plan.outcome(analysis.endpoint)
    return outcome.measure == "time" if isinstance(outcome, Measure) else outcome.is_time_to_event


def _analysis_cautions(one: StudyCompared, left_out: dict[str, int]) -> Iterator[str]:
    analysis, total = one.analysis, int((one.sides[0] | one.sides[1]).sum())
    if state_of_analysis(analysis) != "agrees":
        yield f"{analysis.id}: not yet programmed twice; check its numbers elsewhere before you rest on them."
    gone = sum(left_out.values())
    if gone:
        reasons = ", ".join(f"{count} with {reason}" for reason, count in left_out.items())
        yield f"{analysis.id}: {gone} of {total} people are not analyzed ({reasons}); who is missing may differ by arm."
    for side, name in zip(one.sides, ("treatment", "control"), strict=True):
        count = int((side & one.analyzed).sum())
        if 2 <= count < _FEW:
            yield f"{analysis.id}: {count} people on the {name} side; intervals of so few rest on their assumptions."
    lost = [float((side & ~np.isfinite(one.outcome.value)).sum()) / max(int(side.sum()), 1) for side in one.sides]
    if abs(lost[0] - lost[1]) > 0.1:
        yield (
            f"{analysis.id}: {100 * lost[0]:.0f}% of the treatment side and {100 * lost[1]:.0f}% of the control side "
            "have no outcome; such a difference can make an effect, or hide one."
        )
    for line in (*_one_sided(one), *_odd_visits(one)):
        yield f"{analysis.id}: {line}"
    measure = one.plan.measure(analysis.endpoint)
    if isinstance(measure, Measure) and measure.rule == "carried":
        yield f"{analysis.id}: a last value carried forward is an assumption about what was not seen, seldom true."


def _one_sided(one: StudyCompared) -> Iterator[str]:
    """A side on which all is alike has a ratio all the same; and a prior speaks where the data are alike."""
    if one.analysis.method == "posterior_share_difference" and _is_constant(one):
        yield "the outcome is the same for everybody; the interval is that of the prior and of the number of people."
    is_table = one.analysis.method == "odds_ratio" and not one.terms and one.analysis.test == "wald"
    if not is_table and one.analysis.method != "log_rank":
        return
    happened = one.outcome.value == 1.0 if is_table else one.outcome.event
    for side, name in zip(one.sides, ("treatment", "control"), strict=True):
        mine = happened[side & one.analyzed]
        if not mine.any():
            yield f"nobody on the {name} side had the event; the ratio says that it was rarer there, and not how much."
        elif is_table and mine.all():
            yield f"everybody on the {name} side had the event; the ratio says that it was not rarer, and not how much."


def _odd_visits(one: StudyCompared) -> Iterator[str]:
    """Visits that say what another says, that do not vary, or that few people of a side came to."""
    if not one.analysis.facts.at_visits:
        return
    names, table = one.outcome.names, one.outcome.periods[one.analyzed]
    seen = np.isfinite(table)
    for place, name in enumerate(names):
        known = table[seen[:, place], place]
        if known.size > 2 and np.ptp(known) == 0.0:
            yield f"{name} has one value for everybody."
            continue
        for earlier in range(place):
            both = seen[:, place] & seen[:, earlier]
            if both.sum() > 2 and (table[both, place] == table[both, earlier]).all():
                yield f"{name} holds what {names[earlier]} holds, of everybody; one may be a copy."
    if one.outcome.target is not None:
        at = np.isfinite(one.outcome.periods[:, one.outcome.target]) & one.analyzed
        for side, word in zip(one.sides, ("treatment", "control"), strict=True):
            count = int((at & side).sum())
            if count < _FEW <= int((one.analyzed & side).sum()):
                yield f"{count} people of the {word} side were seen at {names[one.outcome.target]}, which is compared."


def _cautions(plan: StudyPlan, data: StudyData) -> Iterator[str]:
    yield from data.cautions
    if data.is_simulated or plan.is_synthetic:
        yield "Simulated people: nothing here is a finding about anybody."
    tested = [one.id for one in plan.analyses if one.role != "sensitivity"]
    gated = {name for gate in (plan.multiplicity.gates if plan.multiplicity else ()) for name in gate.analyses}
    loose = [name for name in tested if name not in gated]
    if len(tested) > 1 and loose:
        yield (
            f"{len(tested)} analyses are tested, and {', '.join(loose)} stand in no gate: the chance that one of "
            "several is found by chance alone is larger than alpha."
        )
    if not any(one.role == "sensitivity" for one in plan.analyses):
        yield "No sensitivity analysis is declared: nothing shows what hangs on the assumption about missing values."
    for event in plan.intercurrent_events:
        for index, arm in enumerate(plan.arms):
            count = int((data.happened[event.id] & (data.arm == index)).sum())
            if count:
                yield f"{event.label}: {count} people of {arm.label}; {_WORDS['strategy'][event.strategy]}."


def _flow(one: StudyCompared, index: int) -> ArmFlow:
    mine = one.data.arm == index
    in_contrast = bool(((one.sides[0] | one.sides[1]) & mine).any())
    outcome = one.outcome
    seen = {
        name: int((mine & np.isfinite(outcome.periods[:, place])).sum())
        for place, name in enumerate(outcome.names)
        if outcome.periods.shape[1]
    }
    return ArmFlow(
        arm=one.plan.arms[index].id,
        label=one.plan.arms[index].label,
        randomized=int(mine.sum()),
        events={event.label: int((one.data.happened[event.id] & mine).sum()) for event in one.plan.intercurrent_events},
        seen=seen,
        analyzed=int((one.analyzed & mine).sum()),
        not_analyzed=dict(
            Counter({reason: int((gone & mine).sum()) for gone, reason in one.reasons() if (gone & mine).any()})
        )
        if in_contrast
        else {"not in this contrast": int(mine.sum())},
    )


def _visit_means(one: StudyCompared) -> VisitMeans | None:
    """Of the measure of the first analysis as it was taken, baseline among its visits where it has one."""
    outcome = one.outcome
    if outcome.periods.shape[1] < 2:
        return None
    table, names, days = outcome.periods, list(outcome.names), outcome.days
    if one.analysis.baseline is not None:
        before = _baseline(one.plan, one.analysis, one.data)
        table = np.concatenate([before[:, None], table], axis=1)
        names, days = ["baseline", *names], np.concatenate([[min(0, int(days[0]) - 1)], days])
    shape = (len(one.plan.arms), table.shape[1])
    mean, half, n = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)
    for index in range(shape[0]):
        for visit in range(shape[1]):
            known = table[one.data.arm == index, visit]
            known = known[np.isfinite(known)]
            n[index, visit] = known.size
            if known.size:
                mean[index, visit] = known.mean()
            if known.size > 1:
                half[index, visit] = t_quantile(known.size - 1.0, 0.975) * known.std(ddof=1) / np.sqrt(known.size)
    found = one.plan.outcome(one.analysis.endpoint)
    return VisitMeans(
        measure=found.label,
        unit=found.unit or "",
        names=tuple(names),
        days=days,
        mean=mean,
        low=mean - half,
        high=mean + half,
        n=n,
    )


def _lines(one: StudyCompared) -> Iterator[NotUsed]:
    """A line for each person of the two sides who is not analyzed."""
    for gone, reason in one.reasons():
        for place in np.flatnonzero(gone):
            yield NotUsed(row=0, person=one.data.person[int(place)], where=one.analysis.id, got="", reason=reason)
