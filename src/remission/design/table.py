"""Cells of a table of scenarios by designs, simulated: every number with its Monte Carlo error."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from remission.design.cost import person_days_of
from remission.design.crew import Crew
from remission.design.looks import Sequential
from remission.design.measures import Measure, is_ratio
from remission.design.operating import Characteristics, characterize, simulate_design
from remission.design.scenario_file import Cell
from remission.design.scenarios import ScenarioTable
from remission.design.variants import null_protocol, one_analysis
from remission.errors import SpecError
from remission.records.estimand import Estimand
from remission.records.protocol import Protocol
from remission.trial.truth import estimand_truth

__all__ = ["TableRow", "null_truth", "run_table", "table_person_days", "true_value"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One scenario under one design.

    ``power`` and ``type1_error`` count both tails, at any look. ``estimate``, ``width`` and ``bias`` are on the log
    scale for ratios; ``width`` is of the trial carried to its end. ``type1_error`` is ``None`` where it was not asked
    for or no null exists, ``duration_day`` without a recruitment plan.
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
    estimate: Measure
    width: Measure
    truth: float | None
    bias: Measure | None
    coverage: Measure | None
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

    Raises
    ------
    SpecError
        The truth of a cell's estimand cannot be computed.
    WorkError
        A worker died.
    """
    for cell in cells:
        yield _row(table, cell, seed, crew)


def table_person_days(table: ScenarioTable, cells: Sequence[Cell]) -> int:
    """People times days of all cells, if none stops early."""
    days = person_days_of([cell.protocol for cell in cells], table.replicates) * (2 if table.type1_error else 1)
    return days + table.truth * sum(len(cell.protocol.arms) * cell.protocol.follow_up_days for cell in cells)


def true_value(protocol: Protocol, analysis: str, cell: Cell, *, n_people: int, seed: int) -> float:
    """True value of an analysis in the world of a cell; by treatment policy where the protocol asks nothing else."""
    asked = protocol.estimand
    if asked is None:
        words = "As the protocol says."
        asked = Estimand(
            treatment=words, population=words, variable=words, intercurrent_events=words, summary=words,
            analysis=analysis,
        )  # fmt: skip
    found = estimand_truth(
        protocol, asked.replace(analysis=analysis), n_people=n_people, seed=seed, parameters=cell.parameters
    )
    return found.primary.estimate


def null_truth(method: str) -> float:
    """True value where treatment and control are the same."""
    return 1.0 if is_ratio(method) else 0.0


def _row(
    table: ScenarioTable,
    cell: Cell,
    seed: int,
    crew: Crew | None,
) -> TableRow:
    protocol = one_analysis(cell.protocol, cell.analysis)
    truth = true_value(cell.protocol, cell.analysis, cell, n_people=table.truth, seed=seed) if table.truth else None
    found, looked = _simulated(table, cell, protocol, truth, seed, crew)
    error, note = None, ""
    if table.type1_error:
        try:
            null = one_analysis(null_protocol(cell.protocol, cell.analysis), cell.analysis)
        except SpecError as problem:
            note = str(problem)
        else:
            error = _simulated(table, cell, null, None, seed, crew)[1].rejected
    return TableRow(
        scenario=cell.scenario.id,
        design=cell.design.id,
        analysis=cell.analysis,
        scale=found.scale,
        n_subjects=found.n_subjects,
        n_replicates=found.n_replicates,
        n_failed=looked.n_failed,
        power=looked.rejected,
        type1_error=error,
        null_note=note,
        estimate=looked.estimate,
        width=found.width,
        truth=truth,
        bias=looked.bias,
        coverage=looked.coverage,
        n=looked.n,
        duration_day=looked.duration_day,
        sequential=looked,
    )


def _simulated(
    table: ScenarioTable,
    cell: Cell,
    protocol: Protocol,
    truth: float | None,
    seed: int,
    crew: Crew | None,
) -> tuple[Characteristics, Sequential]:
    run = simulate_design(
        protocol,
        max_replicates=table.replicates,
        mcse=table.mcse,
        seed=seed,
        alpha=table.alpha,
        parameters=cell.parameters,
        truths={} if truth is None else {cell.analysis: truth},
        rule=cell.rule,
        crew=crew,
    )
    found = characterize(protocol, run)[0]
    assert found.sequential is not None, "a rule was given"
    return found, found.sequential
