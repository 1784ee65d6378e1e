"""A protocol that names a kinetic model of the reader's own: it moves the trial, and the run needs the file no more."""

import json
from pathlib import Path

import numpy as np
import pytest

from remission.cli.app import run_app
from remission.errors import SpecError
from remission.library.protocols import load_protocol
from remission.patient.pharmacology import load_pharmacology, pharmacology_of
from remission.protocol.file import parse_protocol, read_protocol, write_protocol
from remission.protocol.record import Protocol
from remission.records.model_file import ModelFile
from remission.trial.simulate import plan_trial, simulate_trial
from tests.unit.test_own_model import GOOD

pytestmark = pytest.mark.usefixtures("no_figures")


def placed(folder: Path, *, model: str = GOOD, line: str = "pk_model: ward.toml") -> Path:
    """A protocol with its model beside it."""
    text = write_protocol(load_protocol("kare"))
    (folder / "ward.toml").write_text(model, encoding="utf-8")
    path = folder / "mine.yaml"
    path.write_text(f"{text}{line}\n", encoding="utf-8")
    return path


def test_the_model_moves_the_trial_and_only_its_exposure(tmp_path: Path) -> None:
    """A model that is named and not used would be the worst lie of all."""
    protocol = read_protocol(placed(tmp_path))
    usual, own = load_pharmacology(), pharmacology_of(protocol)
    assert own.pk.id == "our-ward"
    assert (own.effects, own.binding, own.exposure) == (usual.effects, usual.binding, usual.exposure)
    before = simulate_trial(load_protocol("kare"), n_replicates=2, seed=3)
    after = simulate_trial(protocol, n_replicates=2, seed=3)
    ketamine = [arm.drug == "ketamine" for arm in protocol.arms]
    found = [np.concatenate([one.mean for one in result.arms.values()]) for result in (before, after)]
    moved = np.any(found[0] != found[1], axis=0)
    assert moved.tolist() == ketamine


def test_a_protocol_without_one_keeps_its_hash_and_its_model() -> None:
    """Stored runs carry the hash of a protocol: a field that is not used must not change it."""
    protocol = load_protocol("kare")
    assert "pk_model" not in protocol.to_dict()
    assert "pk_model" not in write_protocol(protocol)
    assert pharmacology_of(protocol).pk.name == "pk-2026"


@pytest.mark.parametrize("ending", ["", "# a note with trailing space \n", "# µ and 日本\n\n\n", "\t# a tab\n"])
def test_what_is_stored_reads_back_equal_without_the_file(tmp_path: Path, ending: str) -> None:
    """The run folder must stand alone, whatever the text of the model looks like."""
    path = placed(tmp_path, model=GOOD + ending)
    protocol = read_protocol(path)
    (tmp_path / "ward.toml").unlink()
    again = parse_protocol(write_protocol(protocol), name="stored")
    assert again == protocol == Protocol.from_dict(protocol.to_dict())
    assert again.content_hash == protocol.content_hash
    assert protocol.pk_model is not None
    assert protocol.pk_model.text == GOOD + ending
    with pytest.raises(SpecError, match=r"No such file"):
        read_protocol(path)


def test_line_ends_of_another_system_are_the_same_model() -> None:
    """A checkout on Windows is no other model."""
    one = ModelFile(file="a.toml", text=GOOD)
    assert ModelFile(file="a.toml", text=GOOD.replace("\n", "\r\n")) == one


def test_run_verify_and_rerun_stand_without_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was run can be checked and made again after the model's file is gone."""
    path, runs = placed(tmp_path), tmp_path / "runs"
    words = ["run", str(path), "--replicates", "1", "--seed", "5", "--out", str(runs)]
    assert run_app(words) == 0
    folder = next(one for one in runs.iterdir() if one.is_dir())
    (tmp_path / "ward.toml").unlink()
    for command in ("verify", "rerun"):
        assert run_app([command, str(folder)]) == 0, command
    capsys.readouterr()
    assert run_app(["show", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["manifest"]["pk_model"]
    stored = read_protocol(folder / "protocol.yaml", is_stored=True)
    assert stored.pk_model is not None
    assert (found["name"], found["file"], found["file_sha256"]) == ("our-ward", "ward.toml", stored.pk_model.sha256)
    assert found["caution"].startswith("Yours, not checked by us")
    assert "yours, not checked by us" in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (("v1 = 0.06", "v1 = -0.06"), "pk_model: ward.toml", r"ward\.toml, line 15: variances\.v1"),
        (('v1 = "25 L"', "v1 = 25"), "pk_model: ward.toml", r"ward\.toml, line 8: values\.v1"),
        (('site = "arterial"', 'site = "vena"'), "pk_model: ward.toml", r"ward\.toml, line 6: site"),
        (('site = "arterial"', 'site = "venous"'), "pk_model: ward.toml", "effect site"),
        (('id = "our-ward"', 'id = "simons2022"'), "pk_model: ward.toml", "another id"),
        (("", ""), "pk_model: absent.toml", r"No such file"),
        (("", ""), "pk_model: /etc/model.toml", "from the folder of the protocol"),
        (("", ""), "pk_model: ward.yaml", r"ends in \.toml"),
        (("", ""), "pk_model: 3", "pk_model"),
        (("", ""), "pk_model: {file: ward.toml}", "text"),
    ],
)
def test_a_wrong_model_is_refused_before_any_work(
    tmp_path: Path, change: tuple[str, str], line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, the line, and no run folder."""
    path = placed(tmp_path, model=GOOD.replace(*change) if change[0] else GOOD, line=line)
    with pytest.raises(SpecError, match=said):
        plan_trial(read_protocol(path), n_replicates=2, seed=1)
    assert run_app(["run", str(path), "--replicates", "2", "--out", str(tmp_path / "runs")]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


def test_a_text_without_a_folder_names_no_file() -> None:
    """A protocol that came over a wire must not read files of this machine."""
    with pytest.raises(SpecError, match="no folder"):
        parse_protocol(write_protocol(load_protocol("kare")) + "pk_model: ward.toml\n", name="wire")
