"""Files that make a design report again: the exact command for a shell, and a Python script to read and change."""

import shlex
from collections.abc import Mapping, Sequence
from pprint import pformat
from typing import Any

from remission.report.design_study import ReportedDesign

__all__ = ["AGAIN", "rerun_python", "rerun_shell_of", "rerun_table"]

AGAIN = "again"
"""Folder, beside the scripts, into which the command writes the report once more."""

_SHELL = """#!/bin/sh
# Makes this report again, into the folder "{again}" beside this file. Needs remission {version}.
# The same version on the same kind of machine gives the same numbers; compare design.json in both folders.
set -eu
cd "$(dirname "$0")"
exec {command} --report {again}
"""

_PYTHON = '''"""Simulates the designs of this report again and compares them with design.json.

Run it with: python rerun.py. It needs remission {version} and the files beside it. Change a value to see what follows.
"""

import json
import sys
from pathlib import Path

from remission.design.stops import StopRule
from remission.design.operating import characterize, simulate_design
from remission.design.variants import null_protocol, resize_protocol
from remission.patient.parameters import load_course_parameters
from remission.protocol.file import read_protocol

HERE = Path(__file__).resolve().parent
ANALYSIS = {analysis!r}
SIZES = {sizes}
SEED = {seed}
ALPHA = {alpha!r}
MAX_REPLICATES = {max_replicates}
MCSE = {mcse!r}
CHANGES = {changes}
TRUTHS = {truths}
IS_NULL = {is_null}
RULE = {rule}

protocol = read_protocol(HERE / "protocol.yaml")
if IS_NULL:
    protocol = null_protocol(protocol, ANALYSIS)
parameters = load_course_parameters(protocol.substance).replace(**CHANGES)

found = []
for n_subjects in SIZES:
    design = resize_protocol(protocol, n_subjects)
    run = simulate_design(
        design,
        parameters=parameters,
        max_replicates=MAX_REPLICATES,
        mcse=MCSE,
        seed=SEED,
        alpha=ALPHA,
        analysis=ANALYSIS,
        truths=TRUTHS,
        rule=RULE,
    )
    found += characterize(design, run, analysis=ANALYSIS)

stored = json.loads((HERE / "design.json").read_text(encoding="utf-8"))["characteristics"]
differences = 0
for row, before in zip(found, stored, strict=True):
    pairs = [(row.rejected.value, before["rejected"]["value"]), (row.estimate.value, before["estimate"]["value"])]
    is_same = all(old is None or abs(new - old) <= 1e-9 * max(1.0, abs(old)) for new, old in pairs)
    differences += not is_same
    name = f"{{row.analysis}}, {{row.n_subjects}} people"
    print(f"{{name}}: rejected {{row.rejected.text}}, estimate {{row.estimate.text}}", "" if is_same else "DIFFERS")
print("The same numbers as in design.json." if not differences else f"{{differences}} rows differ from design.json.")
sys.exit(1 if differences else 0)
'''


_TABLE = '''"""Simulates the cells of this report again and compares them with design.json.

Run it with: python rerun.py. It needs remission {version} and the files beside it.
"""

import json
import sys
from pathlib import Path

from remission.design.scenario_file import read_scenarios
from remission.design.table import run_table
from remission.protocol.file import read_protocol

HERE = Path(__file__).resolve().parent
SEED = {seed}
ANALYSIS = {analysis}

table, cells = read_scenarios(HERE / "{scenarios}", read_protocol(HERE / "protocol.yaml"), analysis=ANALYSIS)
stored = json.loads((HERE / "design.json").read_text(encoding="utf-8"))["rows"]
differences = 0
for row, before in zip(run_table(table, cells, seed=SEED), stored, strict=True):
    pairs = [(row.power.value, before["power"]["value"]), (row.estimate.value, before["estimate"]["value"])]
    is_same = all(old is None or abs(new - old) <= 1e-9 * max(1.0, abs(old)) for new, old in pairs)
    differences += not is_same
    print(f"{{row.scenario}}, {{row.design}}: power {{row.power.text}}", "" if is_same else "DIFFERS")
print("The same numbers as in design.json." if not differences else f"{{differences}} rows differ from design.json.")
sys.exit(1 if differences else 0)
'''


def rerun_shell_of(words: Sequence[str], *, version: str) -> str:
    """The exact command as a script for a shell."""
    return _SHELL.format(again=AGAIN, version=version, command=shlex.join(words))


def rerun_python(study: ReportedDesign, *, version: str) -> str:
    """The designs and their characteristics by the library's functions, compared with what was found."""
    return _PYTHON.format(
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
    return _TABLE.format(
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
