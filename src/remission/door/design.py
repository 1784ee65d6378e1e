"""Designs of trials, studied by simulation."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remission.design import stated, study
from remission.design.measures import columns_of
from remission.design.scenario_file import read_scenarios
from remission.design.scenarios import ScenarioTable
from remission.design.table import TableRow, run_table
from remission.door.arguments import opened
from remission.door.diaries import all_diaries
from remission.protocol.record import Protocol
from remission.records.result import Result
from remission.records.seed import DEFAULT_SEED
from remission.runs.crew import crew_of

__all__ = ["ScenarioResults", "design_effect", "design_trial", "tabulate_scenarios"]

design_trial = opened(study.design_trial)
design_effect = opened(stated.design_effect)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResults(Result):
    """What :func:`tabulate_scenarios` found: one row for each scenario under each design."""

    protocol: str
    table: ScenarioTable
    rows: tuple[TableRow, ...]

    def columns(self) -> Mapping[str, Any]:
        """One row a cell of the table; the Monte Carlo error of each number stands beside it."""
        names = ("scenario", "design", "analysis", "n_subjects", "n_replicates", "scale", "n_failed", "is_flattered")
        return columns_of(self.rows, names, ("power", "bias", "coverage", "type1_error", "width", "n", "cost"))


@opened
def tabulate_scenarios(
    protocol: Protocol,
    path: Path,
    *,
    analysis: str | None = None,
    n_workers: int = 1,
    seed: int = DEFAULT_SEED,
) -> ScenarioResults:
    """Power, bias, coverage and type I error of designs under scenarios, as ``remission design --scenarios``.

    Parameters
    ----------
    protocol
        What scenarios and designs are laid over.
    path
        The YAML file of scenarios and designs.
    analysis
        The analysis that decides where a design names none; the protocol's first when left out.
    n_workers
        Processes; with more than one, a script of your own needs ``if __name__ == "__main__":``.
    seed
        0 to 2**64 - 1.

    Raises
    ------
    SpecError
        The file cannot be read, or something in it is wrong; every fault has its line and field.
    """
    table, cells = read_scenarios(path, protocol, analysis=analysis, read_people=all_diaries)
    with crew_of(n_workers) as crew:
        rows = tuple(run_table(table, cells, seed=seed, crew=crew))
    return ScenarioResults(protocol=protocol.id, table=table, rows=rows)
