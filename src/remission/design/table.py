"""Cells of a table of scenarios by designs, simulated: every number with its Monte Carlo error."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from math import inf, nan

from remission.design.at_look import Boundaries
from remission.design.closed_forms import effect_of
from remission.design.cost import person_days_of
from remission.design.law_trials import simulate_law
from remission.design.looks import Sequential
from remission.design.measures import is_ratio
from remission.design.nulls import SAME, NullResult, nulls_of, simulate_nulls
from remission.design.operating import characterize, simulate_design
from remission.design.scenario_file import Cell
from remission.design.scenarios import ScenarioTable
from remission.design.stated_protocol import effect_of_protocol
from remission.design.variants import one_analysis, resize_protocol
from remission.numerics.tallies import Measure
from remission.patient.parameters import CourseParameters
from remission.protocol.question import possible_events
from remission.protocol.record import Protocol
from remission.records.effect import DiaryEffect
from remission.records.endpoint_kinds import KINDS
from remission.records.estimand import Estimand, EventKind, Strategy
from remission.runs.crew import Crew
from remission.trial.truth import estimand_truth, truth_of_stated


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One scenario under one design.

    ``power`` and ``type1_error`` count both tails, at any look. ``estimate``, ``width`` and ``bias`` are on the log
    scale for ratios; ``width`` is of the trial carried to its end. ``type1_error`` is that of the null of the same
    treatment: ``None`` where it was not asked for or no null exists; ``nulls`` are all that were simulated, by name.
    ``duration_day`` is ``None`` without a recruitment plan. What is said of bias, truth and flattery is as in
    :class:`~remission.design.operating.Characteristics`; where no people were asked for to find the true value, it is
    that of the same trials with nobody unseen. ``cost``: of the people expected at the stop, ``None`` without prices.
    Where a law of the outcome is the world, its own test is simulated and there are no days.
    """

    scenario: str
    design: str
    analysis: str
    scale: str
    n_subjects: int
    n_replicates: int
    n_failed: int
    power: Measure
    type1_error: Measure | None
    null_note: str
    nulls: tuple[NullResult, ...]
    estimate: Measure
    estimate_sd: float
    width: Measure
    truth: float | None
    bias: Measure | None
    coverage: Measure | None
    own_truth: float | None
    own_bias: Measure | None
    rejected_complete: Measure | None
    power_without_bias: float | None
    is_flattered: bool
    standardized_effect: float | None
    n: Measure
    duration_day: Measure | None
    sequential: Sequential
    cost: Measure | None = None


def run_table(
    table: ScenarioTable,
    cells: Sequence[Cell],
    *,
    seed: int,
    crew: Crew | None = None,
) -> Generator[TableRow, None, None]:
    """The rows, one after the other as they are done; nothing of a row is kept.

    All cells share the people of the seed, so that differences between them have less noise than each of them.

    Raises ``SpecError``: the truth of a cell's estimand cannot be computed; ``WorkError``: a worker died.
    """
    truths: dict[str, tuple[float, float]] = {}
    for cell in cells:
        yield _row(table, cell, seed, crew, truths)


def table_person_days(table: ScenarioTable, cells: Sequence[Cell]) -> int:
    """People times days of all cells, if none stops early."""
    cells = [cell for cell in cells if cell.protocol.effect is None or cell.source is not None]
    days = person_days_of([cell.protocol for cell in cells], table.replicates)
    if table.type1_error:
        days += sum(
            person_days_of([null.protocol], table.replicates)
            for cell in cells
            for null in nulls_of(cell.protocol, cell.analysis, cell.parameters)
            if null.protocol is not None
        )
    return days + table.truth * sum(len(cell.protocol.arms) * cell.protocol.follow_up_days for cell in cells)


def true_value(
    protocol: Protocol, analysis: str, parameters: CourseParameters, *, n_people: int, seed: int
) -> tuple[float, float]:
    """True value of an analysis by treatment policy, and its error on the scale of the analysis.

    Raises ``SpecError``: the number of people is out of range.
    """
    words = "By treatment policy."
    chosen = protocol.analysis(analysis)
    endpoint = protocol.endpoint(chosen.endpoint)
    # Said for every event, because an endpoint that counts what is missing as use asks something else in silence.
    events = possible_events(protocol)
    policy: dict[EventKind, Strategy] = (
        {} if KINDS[endpoint.kind].missing_is_outcome else dict.fromkeys(events, "treatment-policy")
    )
    asked = Estimand(
        treatment=words, population=words, variable=words, intercurrent_events=words, summary=words, analysis=analysis,
        strategies=policy,
    )  # fmt: skip
    found = estimand_truth(protocol, asked, n_people=n_people, seed=seed, parameters=parameters).primary
    if not is_ratio(found.method):
        return found.estimate, found.mcse
    # A ratio of 0 has no logarithm, and no error on its scale.
    return found.estimate, found.mcse / abs(found.estimate) if found.estimate else float("inf")


def _row(
    table: ScenarioTable,
    cell: Cell,
    seed: int,
    crew: Crew | None,
    truths: dict[str, tuple[float, float]],
) -> TableRow:
    effect = cell.protocol.effect
    if effect is not None and not isinstance(effect, DiaryEffect):
        return _row_of_law(table, cell, seed)
    protocol = one_analysis(cell.protocol, cell.analysis)
    truth = None
    if cell.source is not None:
        found_truth = truth_of_stated(
            protocol, cell.analysis, cell.source, n_people=table.truth or _STATED_TRUTH, seed=seed,
            parameters=cell.parameters,
        )  # fmt: skip
        size = abs(found_truth.estimate) if is_ratio(found_truth.method) else 1.0
        truth = (found_truth.estimate, found_truth.mcse / size)
    elif table.truth:
        # The true value does not depend on how many people a trial has: it is found once for all sizes.
        world = resize_protocol(cell.protocol, _TRUTH_SIZE)
        key = repr((world.content_hash, cell.analysis, cell.parameters))
        if key not in truths:
            truths[key] = true_value(world, cell.analysis, cell.parameters, n_people=table.truth, seed=seed)
        truth = truths[key]
    run = simulate_design(
        protocol,
        max_replicates=table.replicates,
        mcse=table.mcse,
        seed=seed,
        alpha=table.alpha,
        parameters=cell.parameters,
        truths={} if truth is None else {cell.analysis: truth[0]},
        truth_errors={} if truth is None else {cell.analysis: truth[1]},
        rule=cell.rule,
        source=cell.source,
        crew=crew,
    )
    found = characterize(protocol, run)[0]
    looked = found.sequential
    assert looked is not None, "a rule was given"
    nulls: tuple[NullResult, ...] = ()
    if table.type1_error:
        (nulls,) = simulate_nulls(
            [cell.protocol],
            cell.analysis,
            parameters=cell.parameters,
            max_replicates=table.replicates,
            mcse=table.mcse,
            seed=seed,
            alpha=table.alpha,
            rule=cell.rule,
            source=cell.source,
            crew=crew,
        )
    same = next((one for one in nulls if one.name == SAME), None)
    return TableRow(
        scenario=cell.scenario.id,
        design=cell.design.id,
        analysis=cell.analysis,
        scale=found.scale,
        n_subjects=found.n_subjects,
        n_replicates=found.n_replicates,
        n_failed=looked.n_failed,
        power=looked.rejected,
        type1_error=None if same is None else same.rejected,
        null_note="" if same is None or same.rejected is not None else same.note,
        nulls=nulls,
        estimate=looked.estimate,
        estimate_sd=found.estimate_sd,
        width=found.width,
        truth=found.truth,
        bias=looked.bias,
        coverage=looked.coverage,
        own_truth=found.own_truth,
        own_bias=found.own_bias,
        rejected_complete=found.rejected_complete,
        power_without_bias=found.power_without_bias,
        is_flattered=found.is_flattered,
        standardized_effect=found.standardized_effect,
        n=looked.n,
        duration_day=looked.duration_day,
        sequential=looked,
        cost=_cost(cell, looked.n),
    )


def _cost(cell: Cell, people: Measure) -> Measure | None:
    each = cell.cost_per_person
    return None if each is None else Measure(value=each * people.value, mcse=each * people.mcse)


def _row_of_law(table: ScenarioTable, cell: Cell, seed: int) -> TableRow:
    """A cell whose world is a law of the outcome: its own test, over as many people as the design compares."""
    effect, compared = effect_of_protocol(cell.protocol, cell.analysis)
    share = effect.allocation.treatment / (effect.allocation.treatment + effect.allocation.control)
    people = cell.protocol.population.n_subjects
    floors = tuple(-inf if one is None else one for one in cell.rule.futility_z)
    bounds = Boundaries(information=cell.rule.fractions, z=cell.rule.z, floors=floors, level=table.alpha / 2.0)
    law = effect.effect
    has_looks = len(bounds.z) > 1
    found = simulate_law(
        law, int(people * compared + 0.5), share, alpha=table.alpha, n_replicates=max(100, table.replicates),
        seed=seed, bounds=bounds if has_looks else None,
    )  # fmt: skip
    entered = Measure(value=found.expected_people.value / compared, mcse=found.expected_people.mcse / compared)
    if not has_looks:
        entered = Measure(value=float(people), mcse=0.0)
    nulls = tuple(
        NullResult(name=SAME if name == "no effect" else name, rejected=one, n_replicates=found.n_replicates, note="")
        for name, one in (found.nulls.items() if table.type1_error else ())
    )
    nothing = Measure(value=nan, mcse=nan)
    scale = f"log {law.law} ratio" if law.is_ratio else law.law
    looks = Sequential(
        boundary=cell.rule.boundary, rejected=found.power, n_failed=found.n_failed, n=entered, duration_day=None,
        estimate=found.estimate, shift=nothing, bias=found.bias, coverage=found.coverage, looks=(),
    )  # fmt: skip
    return TableRow(
        scenario=cell.scenario.id, design=cell.design.id, analysis=cell.analysis, scale=scale, n_subjects=people,
        n_replicates=found.n_replicates, n_failed=found.n_failed, power=found.power,
        type1_error=nulls[0].rejected if nulls else None, null_note="", nulls=nulls, estimate=found.estimate,
        estimate_sd=nan, width=nothing, truth=effect_of(law), bias=found.bias, coverage=found.coverage, own_truth=None,
        own_bias=None, rejected_complete=None, power_without_bias=None, is_flattered=False, standardized_effect=None,
        n=entered, duration_day=None, sequential=looks, cost=_cost(cell, entered),
    )  # fmt: skip


_STATED_TRUTH = 20_000
"""People by whom the true value of a stated effect on days is found, unless the table says how many."""
_TRUTH_SIZE = 96
"""People in the trial of which the true value is found; with another number other people would be drawn."""
