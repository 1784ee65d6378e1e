"""Traps: kinds without a formula, parameters without a range, evidence that is not there, damaged records of runs."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from remission.cli.app import run_app
from remission.door.runs import run_trial
from remission.endpoints.values import FORMULAS, TIME_FORMULAS, values_of
from remission.errors import SpecError
from remission.library.protocols import load_protocol, protocol_text
from remission.records.endpoint_kinds import KINDS, EndpointKind
from remission.runs.work import open_work
from remission.trial.simulate import plan_trial

pytestmark = pytest.mark.usefixtures("no_figures")


def test_every_kind_has_one_formula() -> None:
    """A kind that is declared and has none came out under its name with the number of another."""
    kinds = set(get_args(EndpointKind))
    assert set(KINDS) == kinds == set(FORMULAS) | set(TIME_FORMULAS)
    assert not set(FORMULAS) & set(TIME_FORMULAS)
    assert {kind for kind in kinds if KINDS[kind].scale == "time"} == set(TIME_FORMULAS)


@pytest.mark.parametrize("kind", ["no_heavy_day", "days_to_nothing", "percent_of_something"])
def test_a_kind_without_a_formula_is_refused_before_the_work(kind: str) -> None:
    """No formula is a formula of last resort."""
    kare = load_protocol("kare")
    strange = kare.endpoints[0].model_copy(update={"kind": kind})
    protocol = kare.model_copy(update={"endpoints": (strange, *kare.endpoints[1:])})
    with pytest.raises(SpecError, match=kind):
        plan_trial(protocol, n_replicates=1, seed=1)
    with pytest.raises(SpecError, match=kind):
        values_of(strange, None)  # type: ignore[arg-type] # refused before the data are looked at


@pytest.mark.parametrize(
    "change",
    ["q0_sd=0", "w_m=-1", "q0_mean=1", "half_use_day=0", "chi=1.1", "k_c=nan", "phi=1", "q0_sd=0.5", "c_l=-0.001"],
)
def test_a_value_outside_its_range_is_wrong_input(
    change: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A spread of zero divided by itself; a weight of the wrong sign gave a report."""
    assert run_app(["run", "kare", "-n", "1", "--set", change, "--out", str(tmp_path / "runs")]) == 2
    assert f"parameters.{change.partition('=')[0]}" in capsys.readouterr().err
    assert not list(tmp_path.glob("runs/*"))


def test_a_parameter_set_twice_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only one of two could be used, and nobody would know which."""
    words = ["run", "kare", "-n", "1", "--set", "gamma=0", "--set", "gamma=1", "--out", str(tmp_path)]
    assert run_app(words) == 2
    assert "gamma again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("evidence: grabski_2022_kare", "evidence: grabski_2023_kare", "evidence"),
        ("evidence: grabski_2022_kare", "evidence: dakwar_2019_cocaine", "comparisons[0]"),
        ("arm_or_contrast: ", "arm_or_contrast: not ", "comparisons[0]"),
    ],
)
def test_evidence_that_is_not_there_is_found_when_the_file_is_read(
    old: str, new: str, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was found after the simulation, and left an unfinished run."""
    text = protocol_text("kare")
    assert old in text
    path = tmp_path / "trial.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    for words in (["show", str(path)], ["run", str(path), "-n", "1", "--out", str(tmp_path / "runs")]):
        assert run_app(words) == 2
        assert f": {place}: got" in capsys.readouterr().err
    assert not list(tmp_path.glob("runs/*"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished run."""
    return run_trial(load_protocol("dakwar-2019"), tmp_path_factory.mktemp("runs"), n_replicates=1, seed=1)


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


def hide(folder: Path, name: str) -> None:
    """Correct the hashes after a change, the seal too."""
    found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    edit(folder / "manifest.json", lambda data: data["files"].update({name: found}))
    lines = [
        f"{hashlib.sha256((folder / one).read_bytes()).hexdigest()}  {one}\n" for one in ("manifest.json", "run.json")
    ]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def folder_for_file(folder: Path) -> None:
    (folder / "summary.json").unlink()
    (folder / "summary.json").mkdir()


def spoil(folder: Path) -> None:
    table = folder / "estimates.parquet"
    raw = table.read_bytes()
    table.write_bytes(raw[: len(raw) // 2] + bytes(len(raw) - len(raw) // 2))
    hide(folder, "estimates.parquet")


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no files": (lambda folder: edit(folder / "manifest.json", lambda data: data.pop("files")), "manifest.json"),
    "empty files": (lambda folder: edit(folder / "manifest.json", lambda data: data.update(files={})), "manifest.json"),
    "files as list": (lambda folder: edit(folder / "manifest.json", lambda d: d.update(files=[])), "manifest.json"),
    "other seed": (lambda folder: edit(folder / "manifest.json", lambda d: d.update(seed=2)), "manifest.json"),
    "truncated": (lambda folder: (folder / "manifest.json").write_text('{"schema": 3,'), "manifest.json"),
    "hidden table": (spoil, "estimates.parquet"),
    "a file too much": (lambda folder: (folder / "notes.txt").write_text("x"), "notes.txt"),
    "a folder too much": (lambda folder: (folder / "notes").mkdir(), "notes"),
    "a folder in a folder": (lambda folder: (folder / "figures" / "old").mkdir(parents=True), "old"),
    "a link to nowhere": (lambda folder: (folder / "notes").symlink_to("nowhere"), "notes"),
    "a file too few": (lambda folder: (folder / "arms.parquet").unlink(), "arms.parquet"),
    "a folder for a file": (folder_for_file, "summary.json"),
    "no seal": (lambda folder: (folder / "SHA256SUMS").unlink(), "SHA256SUMS"),
    "the day": (lambda folder: edit(folder / "run.json", lambda data: data.update(seconds=0)), "run.json"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_run_is_named(what: str, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A manifest without files matched all its hashes: none."""
    folder = tmp_path / finished.name
    shutil.copytree(finished, folder)
    assert run_app(["verify", str(folder)]) == 0
    damage, place = DAMAGE[what]
    damage(folder)
    capsys.readouterr()
    assert run_app(["verify", str(folder)]) == run_app(["show", "--verify", str(folder)]) == 1
    assert place in capsys.readouterr().err


@pytest.mark.parametrize("name", ["seed", "protocol", "parameters", "n_replicates", "command", "version"])
@pytest.mark.parametrize("value", [None, "x", [], True])
def test_a_damaged_plan_is_named(name: str, value: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A plan without its seed gave a traceback from resume."""
    if name in {"command", "version"} and value == "x":
        value = 1
    folder = open_work(tmp_path, plan_trial(load_protocol("kare"), n_replicates=2, seed=1), "remission run")
    edit(folder / "plan.json", lambda data: data.pop(name) if value is None else data.update({name: value}))
    assert run_app(["resume", str(folder)]) in {1, 2}
    said = capsys.readouterr().err
    assert "plan.json" in said
    assert np.all([word not in said for word in ("Traceback", "Error")])
