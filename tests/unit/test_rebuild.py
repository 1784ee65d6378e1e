"""A finished run made again from its own record: the same bytes, or each difference by name."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from validation.small_trials import small_protocol

from remission import rebuild, run_trial
from remission.cli.app import run_app
from remission.errors import ProvenanceError, RunError
from remission.library.facts import load_facts
from remission.patient.parameters import load_course_parameters
from remission.provenance import file_hash
from remission.runs.compare import Difference, compare_files

pytestmark = pytest.mark.usefixtures("no_figures")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    protocol = small_protocol()
    parameters = load_course_parameters(protocol.substance).replace(use_effect=0.0)
    out = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("remission.report.write.has_extra", lambda name: False)
        return run_trial(protocol, out, n_replicates=3, seed=5, parameters=parameters, with_diaries=True)


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(made, tmp_path / "stored" / made.name))


def changed(run: Path, **values: object) -> None:
    """Change the manifest and its seal, as if another machine had written them."""
    path = run / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **values}), encoding="utf-8")
    sealed(run)


def sealed(run: Path) -> None:
    """Seal the folder as it is."""
    lines = [f"{file_hash(run / name)}  {name}\n" for name in ("manifest.json", "run.json")]
    (run / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def test_the_record_is_complete(run: Path) -> None:
    """Protocol in full, values and which of them were changed, seed, code, versions, machine, command."""
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    assert manifest["changed_parameters"].keys() == {"use_effect"}
    assert manifest["changed_parameters"]["use_effect"]["used"] == 0.0
    assert set(manifest["source_sha256"]) == {"numbers", "files"}
    assert {"protocol_sha256", "parameter_set_sha256", "seed", "n_replicates", "command", "versions"} <= set(manifest)
    assert manifest["model_form"] == load_facts().form
    assert "protocol.yaml" in manifest["files"]
    machine = json.loads((run / "run.json").read_text("utf-8"))["machine"]
    what_libraries_make_of_it = {"compiled_for", "numpy_features", "blas_kernel", "python"}
    assert {"architecture", "cpu", "cpu_features", "cores", "system"} | what_libraries_make_of_it == set(machine)


def test_a_run_made_again_has_the_same_bytes(run: Path, tmp_path: Path) -> None:
    """Only so can a stranger check a result."""
    before = {path: file_hash(path) for path in run.rglob("*") if path.is_file()}
    found = rebuild(run, out=tmp_path / "again")
    assert found.is_same
    assert found.made_of == ()
    assert found.n_files > 6
    assert found.folder is not None
    assert found.folder.parent == tmp_path / "again"
    assert {path: file_hash(path) for path in before} == before


def test_a_value_that_differs_is_named_with_its_size(
    run: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A run of another version: which number, where, by how much, and what may be the cause."""
    table = pq.read_table(run / "arms.parquet")
    mean = table["mean"].to_numpy().copy()
    mean[4] += 0.25
    index = table.schema.get_field_index("mean")
    pq.write_table(table.set_column(index, "mean", pa.array(mean)), run / "arms.parquet")
    summary = json.loads((run / "summary.json").read_text("utf-8"))
    summary["rows"][0]["simulated"]["mean"] += 1.0
    (run / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    files = {**manifest["files"], **{name: file_hash(run / name) for name in ("arms.parquet", "summary.json")}}
    changed(run, files=files, versions={**manifest["versions"], "numpy": "1.0"})
    found = rebuild(run)
    places = {difference.place: difference for difference in found.differences}
    assert set(places) == {"arms.parquet, column mean, row 4", "summary.json, rows 0, simulated, mean"}
    assert places["arms.parquet, column mean, row 4"].largest == pytest.approx(0.25)
    assert [difference.place for difference in found.made_of] == ["versions, numpy"]
    assert run_app(["rerun", str(run)]) == 1
    out = capsys.readouterr().out
    assert "arms.parquet, column mean, row 4" in out
    assert "versions, numpy: stored '1.0'" in out
    assert run_app(["rerun", str(run), "--json", "--out", str(tmp_path / "kept")]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["same_bytes"] is False
    assert Path(answer["folder"]).is_dir()


def test_the_command_says_same_bytes(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer people look for, in these words."""
    assert run_app(["rerun", str(run)]) == 0
    assert "Same bytes" in capsys.readouterr().out


def test_a_stored_run_is_never_written_into(run: Path) -> None:
    """Its own folder would hold both."""
    with pytest.raises(RunError, match="another folder"):
        rebuild(run, out=run.parent)


def test_a_damaged_run_is_not_made_again(run: Path) -> None:
    """Its record may be what was damaged."""
    (run / "protocol.yaml").write_text((run / "protocol.yaml").read_text("utf-8") + "\n", encoding="utf-8")
    with pytest.raises(ProvenanceError, match=r"protocol\.yaml"):
        rebuild(run)


@pytest.mark.parametrize("parameters", [{"gamma": 0.1}, {"no_such_value": 1.0}])
def test_parameters_of_another_version_are_refused_by_name(parameters: dict[str, float], run: Path) -> None:
    """Values that were added or renamed since cannot be guessed."""
    changed(run, parameters=parameters)
    with pytest.raises(RunError, match="Rebuild it with remission"):
        rebuild(run)


def test_a_protocol_read_differently_is_refused(run: Path) -> None:
    """The same text may mean another trial to a later version."""
    changed(run, protocol_sha256="0" * 64)
    with pytest.raises(ProvenanceError, match="Rebuild it with remission"):
        rebuild(run)


def test_files_are_compared_down_to_the_value(tmp_path: Path) -> None:
    """Text, missing values, lengths, bytes: each kind of difference has its words."""
    left, right = tmp_path / "left", tmp_path / "right"
    for folder, extra in ((left, 0), (right, 1)):
        folder.mkdir()
        values = {"a": [1.0, np.nan, 3.0 + extra], "b": ["x", "y", "z" * (1 + extra)]}
        pq.write_table(pa.table(values), folder / "t.parquet")
        pq.write_table(pa.table({"a": np.arange(2 + extra)}), folder / "n.parquet")
        (folder / "s.svg").write_text("<svg/>" + " " * extra, encoding="utf-8")
        (folder / "j.json").write_text(json.dumps({"a": [1, 2], "b": "x" * extra}), encoding="utf-8")
    (left / "gone").write_text("x", encoding="utf-8")
    names = {path.name: file_hash(path) for path in sorted(left.iterdir())}
    found = {difference.place: difference for difference in compare_files(left, right, names)}
    assert set(found) == {
        "gone", "j.json, b", "n.parquet", "s.svg", "t.parquet, column a, row 2", "t.parquet, column b, row 2"
    }  # fmt: skip
    assert found["t.parquet, column a, row 2"].count == 1
    assert "largest difference 1" in str(found["t.parquet, column a, row 2"])
    assert compare_files(left, left, names) == []
    assert str(Difference(place="p", stored="1", rebuilt="2", count=3)).endswith("3 values differ")


def test_a_place_taken_by_other_versions_is_refused_before_any_work(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour of work that ends in a refusal; other code and a damaged folder are the neighbours."""

    def again() -> None:
        protocol = small_protocol()
        parameters = load_course_parameters(protocol.substance).replace(use_effect=0.0)
        run_trial(protocol, run.parent, n_replicates=3, seed=5, parameters=parameters, with_diaries=True)

    def worked(*_: object, **__: object) -> None:
        raise AssertionError("it began to work")

    monkeypatch.setattr("remission.runs.run.run_chunks", worked)
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    for values in (
        {"versions": {**manifest["versions"], "numpy": "1.0"}},
        {"source_sha256": {**manifest["source_sha256"], "numbers": "0" * 64}},
        {"files": {**manifest["files"], "summary.json": "0" * 64}},
    ):
        changed(run, **values)
        with pytest.raises(RunError, match="Nothing was computed") as told:
            again()
        assert "numpy 1.0, here" in str(told.value) or "versions" not in values
        assert [path.name for path in run.parent.iterdir()] == [run.name]
        changed(run, **manifest)
    # Python moves no byte: a run that named it among its versions is this very run, and work begins.
    changed(run, versions={**manifest["versions"], "python": "3.13.0"})
    with pytest.raises(AssertionError, match="it began to work"):
        again()


def test_only_a_processor_that_differs_is_a_reason_to_report(run: Path, tmp_path: Path) -> None:
    """The promise covers the kernel and Python, and not another architecture or version."""
    day = json.loads((run / "run.json").read_text("utf-8"))
    for key, value, should_be_same in (
        ("blas_kernel", "Zen", True),
        ("python", "3.12.1", True),
        ("architecture", "arm64", False),
    ):
        (run / "run.json").write_text(json.dumps({**day, "machine": {**day["machine"], key: value}}), encoding="utf-8")
        sealed(run)
        found = rebuild(run)
        assert found.is_same
        assert [one.place for one in found.made_of] == [f"machine, {key}"]
        assert found.should_be_same is should_be_same
