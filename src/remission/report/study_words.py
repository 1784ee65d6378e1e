"""An analysis of a file in words and tables: the methods text, the estimates, the flow, what was not used."""

import math
from collections.abc import Iterator

from remission.analyses.estimate import Status
from remission.records.packaged import packaged_toml
from remission.records.study_plan import Measure, PlannedAnalysis, StudyPlan
from remission.report.chart import Table
from remission.study.gate import forms_of
from remission.study.result import StudyEstimate, StudyResult

_WORDS = packaged_toml("words", "study.toml")
LIMITS: tuple[str, ...] = tuple(_WORDS["limits"]["lines"])


def number_text(value: float) -> str:
    """A number with four digits that count; a dash for none."""
    return "\u2013" if not math.isfinite(value) else f"{value:.4g}".replace("-", "\u2212")


def p_text(value: float) -> str:
    """A p value with three decimals, as a bound where it is smaller."""
    return "\u2013" if not math.isfinite(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def estimate_text(one: StudyEstimate, *, with_unit: bool = True) -> str:
    """The estimate with its interval, or its status."""
    if one.status is not Status.OK:
        return f"no estimate ({one.status.value.replace('_', ' ')})"
    numbers = f"{number_text(one.estimate)} ({number_text(one.low)} to {number_text(one.high)})"
    return f"{numbers} {one.unit}" if with_unit else numbers


def estimates_table(result: StudyResult) -> Table:
    """Every analysis with its estimate, and in words what the margin says."""
    has_margin = any(one.analysis.margin is not None for one in result.estimates)
    has_gates = result.plan.multiplicity is not None
    columns = ["analysis", "role", "method", "treatment / control analyzed", "estimate (95% interval)", "p"]
    columns += ["p adjusted"] if has_gates else []
    columns += ["not inferior"] if has_margin else []
    rows = []
    for one in result.estimates:
        cells = [
            one.analysis.label,
            one.analysis.role,
            one.analysis.method,
            f"{one.n_treatment} / {one.n_control}",
            estimate_text(one) if one.status is Status.OK else f"{one.status.value.replace('_', ' ')}: {one.message}",
            p_text(one.p_value),
        ]
        cells += [p_text(one.p_adjusted)] if has_gates else []
        if has_margin:
            shown = {True: "shown", False: "not shown", None: ""}[one.not_inferior]
            cells.append(f"{shown} (margin {one.analysis.margin:g})" if one.analysis.margin is not None else "")
        rows.append(cells)
    return Table(columns=columns, rows=rows)


def arms_table(result: StudyResult) -> Table:
    """What each arm shows in each analysis."""
    labels = {one.id: one.label for one in result.plan.arms}
    rows = [
        [
            one.analysis.label,
            labels[arm],
            f"{numbers['analyzed']:.0f}",
            f"{numbers['with_value']:.0f}",
            number_text(numbers["mean"]),
            number_text(numbers["sd"]),
            f"{numbers['with_event']:.0f}" if "with_event" in numbers else "",
        ]
        for one in result.estimates
        for arm, numbers in one.by_arm.items()
    ]
    return Table(
        columns=["analysis", "arm", "analyzed", "with a value", "mean or share", "SD", "with the event"], rows=rows
    )


def flow_table(result: StudyResult) -> Table:
    """The CONSORT counts, a row a step and a column an arm."""
    flow = result.flow
    steps: list[tuple[str, list[int]]] = [("Randomized", [one.randomized for one in flow])]
    for part, words in (("events", ""), ("seen", "Seen at "), ("analyzed", ""), ("not_analyzed", "Not analyzed: ")):
        if part == "analyzed":
            steps.append((f"Analyzed ({result.primary.analysis.label})", [one.analyzed for one in flow]))
            continue
        names = dict.fromkeys(name for one in flow for name in getattr(one, part))
        steps += [(f"{words}{name}", [getattr(one, part).get(name, 0) for one in flow]) for name in names]
    return Table(
        columns=["people", "all arms", *(one.label for one in flow)],
        rows=[[name, str(sum(counts)), *map(str, counts)] for name, counts in steps],
    )


def not_used_table(result: StudyResult, *, most: int | None = None) -> Table:
    """Every row, and every person, that was not used; at most so many."""
    lines = result.not_used if most is None else result.not_used[:most]
    return Table(
        columns=["row", "person", "column or analysis", "cell", "reason"],
        rows=[[str(one.row or ""), one.person, one.where, one.got, one.reason] for one in lines],
    )


def tipping_tables(result: StudyResult) -> list[tuple[str, Table, str]]:
    """Of each analysis with a tipping point: its label, the table, and a sentence."""
    found = []
    for one in result.estimates:
        tip = one.tipping
        if tip is None:
            continue
        rows = [
            [f"{delta:g}", f"{number_text(estimate)} ({number_text(low)} to {number_text(high)})", p_text(p)]
            for delta, estimate, low, high, p in zip(
                tip.deltas, tip.estimate, tip.low, tip.high, tip.p_value, strict=True
            )
        ]
        words = (
            f"None of these numbers turns the finding (p above {result.plan.alpha:g})."
            if tip.turns_at is None
            else "There is no finding to turn: p is above alpha with nothing added."
            if not one.p_value <= result.plan.alpha
            else f"The finding turns (p above {result.plan.alpha:g}) with {tip.turns_at:g} added to what was imputed."
        )
        found.append((one.analysis.label, Table(columns=["added", "estimate (95% interval)", "p"], rows=rows), words))
    return found


def methods_text(result: StudyResult) -> list[tuple[str, str]]:
    """Paragraphs with their titles, for the methods section of a paper."""
    plan = result.plan
    found = [("Data", _data_words(result))]
    if plan.estimand is not None:
        fields = ("treatment", "population", "variable", "summary")
        parts = [f"{name.capitalize()}: {getattr(plan.estimand, name).rstrip('.')}." for name in fields]
        found.append(("Question", " ".join(parts)))
    if plan.intercurrent_events:
        words = [
            f"{one.label}: {one.strategy} ({_WORDS['strategy'][one.strategy]})" for one in plan.intercurrent_events
        ]
        found.append(("Intercurrent events", f"{'; '.join(words)}."))
    found += [(one.label, " ".join(_analysis_words(plan, one))) for one in plan.analyses]
    found.append(("Errors and intervals", _error_words(plan)))
    return found


def _data_words(result: StudyResult) -> str:
    plan, n = result.plan, len(result.data.person)
    arms = ", ".join(f"{one.label} {flow.randomized}" for one, flow in zip(plan.arms, result.flow, strict=True))
    files = "; ".join(f"{name}, SHA-256 {digest[:12]}..." for name, digest in result.data.files.items())
    kinds = {"people": "a row a person", "visits": "a row for each visit of a person", "diaries": "diaries by day"}
    read = f"{n} randomized people ({arms}) were read from {kinds[plan.data.layout]}"
    unused = f"{len(result.not_used)} rows or people were not used in one of the analyses and are listed"
    return f"{read}{f' ({files})' if files else ''}. The data were not changed; {unused}."


def _analysis_words(plan: StudyPlan, analysis: PlannedAnalysis) -> Iterator[str]:
    outcome = plan.outcome(analysis.endpoint)
    labels = {one.id: one.label for one in plan.arms}
    sides = [
        " and ".join(labels[name] for name in getattr(analysis.contrast, side)) for side in ("treatment", "control")
    ]
    aim = f"Sensitivity analysis of {analysis.of}" if analysis.of else f"{analysis.role.capitalize()} analysis"
    yield f"{aim}: {outcome.label}, {sides[0]} against {sides[1]}."
    yield str(_WORDS["method"][analysis.method])
    yield from _model_words(analysis)
    if isinstance(outcome, Measure):
        visits = plan.visits_of(outcome)
        if analysis.visit_day is not None:
            yield f"The estimate is of day {analysis.visit_day}."
        elif analysis.mean_over_visits:
            yield "The estimate is of the mean over all visits."
        elif len(visits) > 1 and analysis.method not in {"repeated_difference", "within_people_difference"}:
            yield f"The estimate is of the last visit ({visits[-1].name})."
        if not analysis.method.startswith(("imputed", "mmrm")):
            yield f"Missing values: {_WORDS['rule'][outcome.rule]}."
    else:
        yield f"Days nobody saw: the rule is {outcome.missing}."
    if analysis.margin is not None:
        how = "read off the 95% interval" if plan.alpha == 0.05 else f"tested at a two-sided alpha of {plan.alpha:g}"
        yield f"Non-inferiority with a margin of {analysis.margin:g}, {how}."
    if analysis.tipping_deltas and analysis.imputation is None:
        yield "Tipping points are of the same comparison with what is missing imputed at random."
    yield f"Form in the table of double programming: {', '.join(forms_of(analysis))}."


def _model_words(analysis: PlannedAnalysis) -> Iterator[str]:
    """Terms and options."""
    terms = [*analysis.adjust, *([analysis.baseline] if analysis.baseline else [])]
    has_slopes = analysis.method == "mmrm" and analysis.baseline is not None
    if terms:
        slopes = ", the measure before treatment with a slope for each visit" if has_slopes else ""
        yield f"Adjusted for {', '.join(terms)}{slopes}."
    if analysis.stratify_by:
        yield f"Stratified by {', '.join(analysis.stratify_by)}."
    if analysis.method == "mmrm":
        by_side = " by side" if analysis.covariance_by_side else ""
        yield f"Covariance {analysis.covariance}{by_side}, degrees of freedom by {analysis.degrees_of_freedom}."
    if analysis.method == "repeated_difference":
        small = "corrected for few people (Mancl and DeRouen)" if analysis.small_sample else "uncorrected"
        yield f"Working correlation {analysis.correlation}, sandwich errors {small}."
    if analysis.errors == "hc3":
        yield "Errors are robust to unequal spread (HC3)."
    if analysis.test != "wald":
        yield f"The p value is of the {analysis.test} test."
    if analysis.imputation is not None:
        assumed = _WORDS["assumption"][analysis.imputation.assumption]
        yield f"{analysis.imputation.n_imputations} imputations; what was not seen of the treatment side is {assumed}."


def _error_words(plan: StudyPlan) -> str:
    words = f"Tests are two-sided at {plan.alpha:g}; intervals are 95% intervals, not adjusted for several analyses."
    if plan.multiplicity is not None:
        gates = "; then ".join(f"{', '.join(gate.analyses)} by {gate.test}" for gate in plan.multiplicity.in_order)
        words += f" Adjusted p values: {gates}."
    return f"{words} Draws of imputations have the seed {plan.seed}."
