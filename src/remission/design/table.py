"""Cells of a table of scenarios by designs, simulated: every number with its Monte Carlo error."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from remission.design.cost import person_days_of
from remission.design.looks import Sequential
from remission.design.measures import Measure, is_ratio
from remission.design.nulls import SAME, NullResult, nulls_of, simulate_nulls
from remission.design.operating import characterize, simulate_design
from remission.design.scenario_file import Cell
from remission.design.scenarios import ScenarioTable
from remission.design.variants import one_analysis, resize_protocol
from remission.patient.parameters import CourseParameters
from remission.protocol.question import possible_events
from remission.protocol.record import Protocol
from remission.records.endpoint_kinds import KINDS
from remission.records.estimand import Estimand, EventKind, Strategy
from remission.runs.crew import Crew
from remission.trial.truth import estimand_truth


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One scenario under one design.

    ``power`` and ``type1_error`` count both tails, at any look. ``estimate``, ``width`` and ``bias`` are on the log
    scale for ratios; ``width`` is of the trial carried to its end. ``type1_error`` is that of the null of the same
    treatment: ``None`` where it was not asked for or no null exists; ``nulls`` are all that were simulated, by name.
    ``duration_day`` is ``None`` without a recruitment plan. What is said of bias, truth and flattery is as in
    :class:`~remission.design.operating.Characteristics`; where no people were asked for to find the true value, it is
    that of the same trials with nobody unseen.
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
    return found.estimate, found.mcse / abs(found.estimate) if is_ratio(found.method) else found.mcse


def _row(
    table: ScenarioTable,
    cell: Cell,
    seed: int,
    crew: Crew | None,
    truths: dict[str, tuple[float, float]],
) -> TableRow:
    protocol = one_analysis(cell.protocol, cell.analysis)
    truth = None
    if table.truth:
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
        crew=crew,
    )
    found = characterize(protocol, run)[0]
    looked = found.sequential
    assert looked is not None, "a rule was given"
    nulls: tuple[NullResult, ...] = ()
    if table.type1_error:
        nulls = simulate_nulls(
            cell.protocol,
            cell.analysis,
            parameters=cell.parameters,
            max_replicates=table.replicates,
            mcse=table.mcse,
            seed=seed,
            alpha=table.alpha,
            rule=cell.rule,
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
    )


_TRUTH_SIZE = 96
"""People in the trial of which the true value is found; with another number other people would be drawn."""
