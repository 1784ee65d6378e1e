"""The command line as a newcomer meets it: right input, wrong input, interruption."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from validation.small_trials import small_protocol

from remission.cli.app import run_app
from remission.library.protocols import list_protocols, protocol_text
from remission.protocol.file import write_protocol
from remission.runs.folder import read_run

Answer = tuple[int, str, str]
Ask = Callable[..., Answer]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ask:
    """Run one command line in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Answer:
        code = run_app(list(arguments))
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(write_protocol(small_protocol()), encoding="utf-8")
    return path


def folders(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir()) if root.exists() else []


def test_a_run_leaves_a_whole_folder(ask: Ask, small_file: Path, tmp_path: Path) -> None:
    """Table on the screen, folder with report, hashes that match; and the same again is recognized as the same."""
    code, out, err = ask("run", str(small_file), "--replicates", "5", "--seed", "3")
    assert (code, err) == (0, "")
    (name,) = folders(tmp_path / "runs")
    run = read_run(tmp_path / "runs" / name)
    expected = {"protocol.yaml", "estimates.parquet", "arms.parquet", "course.parquet", "summary.json", "report.html"}
    assert expected <= set(run.manifest["files"])
    assert any(file.endswith(".svg") for file in run.manifest["files"])
    assert name in out
    code, out, _ = ask("run", str(small_file), "--replicates", "5", "--seed", "3")
    assert code == 0
    assert "Identical run already" in out
    code, out, _ = ask("show", str(tmp_path / "runs" / name))
    assert code == 0
    assert "match their hashes" in out


@pytest.mark.usefixtures("no_figures")
def test_json_is_one_object_and_nothing_else(ask: Ask, small_file: Path) -> None:
    """Other programs read standard output; a stray line would break them."""
    code, out, err = ask("run", str(small_file), "--replicates", "4", "--json")
    assert (code, err) == (0, "")
    (run,) = json.loads(out)["runs"]
    assert run["n_replicates"] == 4
    assert {row["kind"] for row in run["rows"]} == {"analysis", "arm"}
    for arguments in (("list", "--json"), ("show", "kare", "--json"), ("show", run["folder"], "--json")):
        code, out, err = ask(*arguments)
        assert (code, err) == (0, "")
        assert isinstance(json.loads(out), dict)


@pytest.mark.usefixtures("no_figures")
def test_some_trials_are_run_one_after_the_other(ask: Ask, small_file: Path, tmp_path: Path) -> None:
    """In the order in which they were named, each as alone; a wrong name is told before any work."""
    code, out, err = ask("run", str(small_file), "dakwar-2019", "--replicates", "3", "--json")
    assert (code, err) == (0, "")
    together = [
        json.loads((Path(run["folder"]) / "manifest.json").read_text("utf-8")) for run in json.loads(out)["runs"]
    ]
    for name, manifest in zip((str(small_file), "dakwar-2019"), together, strict=True):
        code, out, _ = ask("run", name, "--replicates", "3", "--out", "alone", "--json")
        assert code == 0
        (run,) = json.loads(out)["runs"]
        alone = json.loads((Path(run["folder"]) / "manifest.json").read_text("utf-8"))
        assert (alone["command"], alone["files"]) == (manifest["command"], manifest["files"])
    code, _, err = ask("run", str(small_file), "kore", "--replicates", "3", "--out", "wrong")
    assert code == 2
    assert "kare" in err
    assert folders(tmp_path / "wrong") == []


@pytest.mark.usefixtures("no_figures")
def test_a_parameter_can_be_changed_and_is_recorded(ask: Ask, small_file: Path) -> None:
    """A run with another value is another run, and says so."""
    names = []
    for extra in ((), ("--set", "use_effect=0")):
        code, out, _ = ask("run", str(small_file), "--replicates", "2", "--json", *extra)
        assert code == 0
        names.append(json.loads(out)["runs"][0]["folder"])
    assert names[0] != names[1]
    assert read_run(Path(names[1])).manifest["parameters"]["use_effect"] == 0.0


@pytest.mark.usefixtures("no_figures")
def test_new_writes_a_protocol_that_runs_and_never_overwrites(ask: Ask, tmp_path: Path) -> None:
    """The first own trial begins with this file."""
    code, _, _ = ask("new", "mine.yaml")
    assert code == 0
    code, out, _ = ask("show", "mine.yaml")
    assert code == 0
    assert "Arms:" in out
    before = (tmp_path / "mine.yaml").read_bytes()
    code, _, err = ask("new", "mine.yaml", "--from", "kare")
    assert code == 2
    assert "exists" in err
    assert (tmp_path / "mine.yaml").read_bytes() == before


def test_list_names_every_protocol(ask: Ask) -> None:
    """What is not listed will not be found."""
    _, out, _ = ask("list")
    for name in list_protocols():
        assert name in out


def edited(old: str, new: str) -> bytes:
    text = protocol_text("kare")
    assert old in text
    return text.replace(old, new, 1).encode()


WRONG_FILES = {
    "negative dose": (edited("dose: 0.8 mg/kg", "dose: -0.8 mg/kg"), "dose"),
    "infusion of 40 hours": (edited("duration: 40 min", "duration: 40 h"), "duration"),
    "weight of 5 kg": (edited("mean: 78 kg", "mean: 5 kg"), "weight"),
    "two arms of one name": (edited("id: ketamine-education", "id: ketamine-therapy"), "ketamine-therapy"),
    "visit after the end": (edited("days: [84, 179]", "days: [84, 180]"), "180"),
    "unknown substance": (edited("substance: alcohol", "substance: sugar"), "sugar"),
    "misspelt key": (edited("follow_up_days:", "folow_up_days:"), "folow_up_days"),
    "empty": (b"", "empty"),
    "ten megabytes": (b"# " + b"x" * 10_000_000, "1 MB"),
    "bomb": (b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "anchor"),
    "not UTF-8": (protocol_text("kare").encode().replace(b"KARE", b"K\xc4RE", 1), "UTF-8"),
}


@pytest.mark.parametrize("case", WRONG_FILES)
def test_a_wrong_file_is_named_with_place_and_remedy(case: str, ask: Ask, tmp_path: Path) -> None:
    """Exit code 2, the file and the fault named, no traceback, nothing written."""
    content, word = WRONG_FILES[case]
    (tmp_path / "mine.yaml").write_bytes(content)
    code, out, err = ask("run", "mine.yaml", "--replicates", "2")
    assert code == 2, err
    assert "mine.yaml" in err
    assert word.lower() in err.lower()
    assert "Traceback" not in out + err
    assert folders(tmp_path / "runs") == []


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("run", "kore"), "kare"),
        (("run", "nothere.yaml"), "nothere.yaml"),
        (("run", "kare", "--seed", "-1"), "seed"),
        (("run", "kare", "--replicates", "0"), "--replicates"),
        (("run", "kare", "--replicates", "1000000000"), "--replicates"),
        (("run", "kare", "--replicates", "500000"), "--yes"),
        (("run", "kare", "--replicates", "many"), "--replicates"),
        (("run", "kare", "--set", "gamme=0"), "gamma"),
        (("run", "kare", "--set", "gamma"), "name=number"),
        (("run", "kare", "--set", "gamma=nan"), "gamma"),
        (("run", "cold-turkey", "--substance", "sugar"), "sugar"),
        (("run", "kare", "--substance", "alcohol"), "cold-turkey"),
        (("run", "kare", "--outt", "x"), "--outt"),
        (("show", "nothing-here"), "nothing-here"),
        (("dance",), "dance"),
    ],
)
def test_a_wrong_argument_is_named(arguments: tuple[str, ...], word: str, ask: Ask, tmp_path: Path) -> None:
    """Exit code 2 and the word that is wrong, before any work is done."""
    code, out, err = ask(*arguments)
    assert code == 2, err
    assert word in err
    assert "Traceback" not in out + err
    assert folders(tmp_path / "runs") == []


def test_errors_are_json_when_json_is_asked(ask: Ask) -> None:
    """A program that asked for JSON gets its fault as JSON."""
    code, out, _ = ask("run", "kore", "--json")
    assert code == 2
    fault = json.loads(out)["error"]["faults"][0]
    assert set(fault) == {"where", "got", "allowed", "remedy"}


def test_an_unwritable_output_folder_is_found_before_the_work(ask: Ask, small_file: Path, tmp_path: Path) -> None:
    """A file in the way, or a place where no folder can be made (also for root: /proc)."""
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for place in ("file", "/proc/none"):
        code, out, err = ask("run", str(small_file), "--out", place, "--replicates", "2")
        assert code == 2
        assert place in err
        assert "Traceback" not in out + err
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


@pytest.mark.usefixtures("no_figures")
def test_a_damaged_run_is_not_shown_as_whole(ask: Ask, small_file: Path, tmp_path: Path) -> None:
    """An edited number, a missing file and a folder that is no run are each told apart from a result."""
    code, out, _ = ask("run", str(small_file), "--replicates", "2", "--json")
    assert code == 0
    folder = Path(json.loads(out)["runs"][0]["folder"])
    arms = folder / "arms.parquet"
    kept = arms.read_bytes()
    arms.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    code, _, err = ask("show", str(folder))
    assert code == 1
    assert "arms.parquet" in err
    arms.unlink()
    code, _, err = ask("show", str(folder))
    assert code == 1
    assert "no file" in err
    code, _, err = ask("run", str(small_file), "--replicates", "2")
    assert code == 2
    assert "computed or overwritten" in err
    (tmp_path / "empty").mkdir()
    code, _, err = ask("show", str(tmp_path / "empty"))
    assert code == 2
    assert "finished run" in err


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(ask: Ask, small_file: Path, tmp_path: Path) -> None:
    """Tables, figures and report, made twice in two processes: every hash agrees."""
    arguments = ["run", str(small_file), "--replicates", "3", "--json"]
    code, out, _ = ask(*arguments, "--out", "here")
    assert code == 0
    here = read_run(Path(json.loads(out)["runs"][0]["folder"]))
    command = [sys.executable, "-m", "remission", *arguments, "--out", "there"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    there = read_run(tmp_path / json.loads(done.stdout)["runs"][0]["folder"])
    assert here.manifest == there.manifest


@pytest.mark.slow
def test_an_interrupt_keeps_the_work_and_no_result(ask: Ask, tmp_path: Path) -> None:
    """Ctrl-C while the trial runs: code 130 soon after, no finished run, the work kept and named, no traceback."""
    # A shell gives its background jobs an ignored SIGINT, and CI may be one: take the signal back first.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from remission.cli import main; main()"
    )
    command = [sys.executable, "-c", code, "run", "kare", "--replicates", "50000", "--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        deadline = time.monotonic() + 60.0
        while not any(name.endswith(".unfinished") for name in folders(tmp_path / "out")):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(3.0)
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Interrupted" in err
    assert "Traceback" not in err
    (name,) = folders(tmp_path / "out")
    assert f"remission resume {tmp_path / 'out' / name}" in err
    for command_name in ("verify", "show"):
        code_number, out, _ = ask(command_name, str(tmp_path / "out" / name))
        assert code_number == 0
        assert "Unfinished" in out


def test_a_country_without_numbers_to_call_is_refused_at_the_start(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Found on the page of a reader in danger it would be found too late."""
    assert run_app(["serve", "--port", "0", "--country", "zz"]) == 2
    said = capsys.readouterr().err
    assert "country: got ZZ" in said
    assert "US, GB" in said
