"""Files that make a design report again: the exact command for a shell, and a Python script to read and change."""

import shlex
from collections.abc import Mapping, Sequence
from pprint import pformat
from typing import Any

from remission.report.design_study import ReportedDesign
from remission.report.page import read_asset

AGAIN = "again"
"""Folder, beside the scripts, into which the command writes the report once more."""


def rerun_shell_of(words: Sequence[str], *, version: str) -> str:
    """The exact command as a script for a shell."""
    return read_asset("rerun.sh.txt").format(again=AGAIN, version=version, command=shlex.join(words))


def rerun_python(study: ReportedDesign, *, version: str) -> str:
    """The designs and their characteristics by the library's functions, compared with what was found."""
    return read_asset("rerun_design.py.txt").format(
        version=version,
        analysis=study.analysis.id,
        sizes=pformat([one.population.n_subjects for one in study.designs]),
        seed=study.seed,
        alpha=study.alpha,
        max_replicates=study.max_replicates,
        mcse=study.mcse,
        changes=pformat(dict(study.changes)),
        truths=pformat(_given_truths(study)),
        is_null=study.is_null,
        rule=_rule(study),
    )


def rerun_table(content: Mapping[str, Any], *, scenario_file: str, seed: int, version: str) -> str:
    """The cells of a table by the library's functions, compared with what was found."""
    analyses = {row["analysis"] for row in content["rows"]}
    return read_asset("rerun_table.py.txt").format(
        version=version,
        scenarios=scenario_file,
        seed=seed,
        analysis=repr(analyses.pop()) if len(analyses) == 1 else "None",
    )


def _given_truths(study: ReportedDesign) -> dict[str, float]:
    """True values that were given to the simulation; what comes from its own trials is found again."""
    return {} if study.content["truth_from"] == "the same trials with nobody unseen" else dict(study.content["truths"])


def _rule(study: ReportedDesign) -> str:
    """The looks as an expression; a look without a boundary has an infinite one."""
    looks = study.content.get("looks")
    if looks is None:
        return "None"
    z = ", ".join("float('inf')" if one is None else repr(one) for one in looks["z"])
    rest = {name: looks[name] for name in ("boundary", "alpha")}
    tuples = {name: tuple(looks[name]) for name in ("fractions", "futility_z")}
    words = ", ".join(f"{name}={value!r}" for name, value in {**tuples, **rest}.items())
    return f"StopRule(z=({z},), {words})"
