"""Titles of charts say what was seen and no more: no word of a cause, and what is simulated says so."""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeGuard

import numpy as np
import pytest

import remission
from remission.library.protocols import load_protocol
from remission.report.write import report_charts
from remission.trial.simulate import simulate_trial
from remission.trial.summary import summarize_trial

SOURCE = Path(str(remission.__file__)).parent
CLAIMS = re.compile(
    r"\b(?:works?|cures?|heals?|prevents?|proves?|proven|shows? that|demonstrates?|effective|efficacious|superior|"
    r"better|best|worse|worst|safe|safely|causes?|because|due to|leads? to|thanks to|reduces?|increases?|improves?|"
    r"lowers?|raises?|protects?|helps|beats?|outperforms?|significant(?:ly)?|benefits?|succeeds?|breakthrough|promising|will)\b",
    re.IGNORECASE,
)
"""What a mean of some people, a simulation or one trial cannot carry as a heading."""
ALLOWED = {"half of the trials find a net benefit", "less than half of the trials find a net benefit in this range"}
"""Net benefit is what is counted there: outcome times its worth, less cost."""
NOT_SIMULATED = {
    "blinding_charts.py": "guesses of a finished trial; its other title says simulated",
    "cost_section.py": "prices; its other title says simulated",
    "describe_page.py": "says of whom the diaries are: observed or simulated",
    "effect_report.py": "a closed form of an effect that somebody believes; says so",
    "forest.py": "published",
    "looks_charts.py": "a rule that is computed; its other title says simulated",
    "schedule_chart.py": "what a protocol says",
    "study_charts.py": "a file of real people",
    "therapy_forest.py": "published",
    "design_charts.py": "assurance says that its priors are assumed; the others say simulated",
}


def titles_of(module: Path) -> list[str]:
    """The fixed words of every title of a chart in a module: names are followed to what they were set to, calls to
    functions of the module to what they return.
    """
    functions = {one.name: one for one in ast.walk(ast.parse(module.read_text("utf-8"))) if _is_function(one)}
    return [
        " | ".join(_words(next(one.value for one in call.keywords if one.arg == "title"), scope, functions))
        for scope in functions.values()
        for call in ast.walk(scope)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Chart"
    ]


def _is_function(node: ast.AST) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef)


def _words(node: ast.AST, scope: ast.FunctionDef, functions: Mapping[str, ast.FunctionDef]) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value
        elif isinstance(one, ast.Name) and one.id in functions:
            for found in ast.walk(functions[one.id]):
                if isinstance(found, ast.Return) and found.value is not None:
                    yield from _words(found.value, functions[one.id], functions)
        elif isinstance(one, ast.Name):
            for found in ast.walk(scope):
                if isinstance(found, ast.Assign) and one.id in {getattr(to, "id", "") for to in found.targets}:
                    yield from _words(found.value, scope, functions)


MODULES = sorted(
    path for path in SOURCE.rglob("*.py") if re.search(r"\bChart\(", path.read_text("utf-8")) and path.stem != "chart"
)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_no_title_claims_a_cause_and_the_simulated_says_so(module: Path) -> None:
    """A heading is read alone, cut out and shown; a mean of invented people must not read as one of real ones."""
    titles = titles_of(module)
    assert titles, "the module makes a chart"
    for title in titles:
        said = title
        for one in ALLOWED:
            said = said.replace(one, "")
        assert not CLAIMS.search(said), title
        assert "simulated" in title.lower() or module.name in NOT_SIMULATED, title


def test_the_rule_sees_a_claim(tmp_path: Path) -> None:
    """A check that follows no variable and no function would pass every module."""
    module = tmp_path / "some_chart.py"
    module.write_text(
        'def draw(result):\n    name = "It"\n    words = f"{name} reduces craving"\n    return Chart(title=_t(words))\n'
        'def _t(x):\n    return f"best: {x}" if x else "no claim"\n',
        encoding="utf-8",
    )
    (title,) = titles_of(module)
    assert {found.lower() for found in CLAIMS.findall(title)} == {"reduces", "best"}
    assert {path.name for path in MODULES} >= set(NOT_SIMULATED)


@pytest.mark.parametrize("place", sorted(SOURCE.glob("web/text/en/*.toml")), ids=lambda place: place.name)
def test_headings_of_pages_claim_nothing(place: Path) -> None:
    """The same holds for headings that are written as data."""

    def headings(table: object, key: str = "") -> Iterator[str]:
        if isinstance(table, dict):
            for name, value in table.items():
                yield from headings(value, name)
        elif isinstance(table, list):
            for one in table:
                yield from headings(one, key)
        elif isinstance(table, str) and re.search(r"title|heading|^h\d", key):
            yield table

    for heading in headings(tomllib.loads(place.read_text("utf-8"))):
        assert not CLAIMS.search(heading) or heading.endswith("?"), heading


def test_a_title_names_arms_in_the_order_of_the_protocol() -> None:
    """The highest of four means is the highest by chance as well; a title that picks it out is a ranking."""
    protocol = load_protocol("kare")
    protocol = protocol.replace(population=protocol.population.replace(n_subjects=40))
    result = simulate_trial(protocol, n_replicates=3, seed=4)
    titles = {chart.name: chart.title for chart in report_charts(result, summarize_trial(result))}
    using = result.counts.using.mean(axis=1) / result.counts.people
    for name in ("abstinence", "circuits"):
        places = [titles[name].lower().find(protocol.arms[place].label.lower()) for place in (0, -1)]
        assert -1 < places[0] < places[1]
    assert f"{100.0 * (1.0 - using[0]):.0f} of 100" in titles["abstinence"]
    assert np.isfinite(using).all()
    assert "95% of trials" in titles["results"]
