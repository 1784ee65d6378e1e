"""Shares of a run for the jobs of an array: whatever dies or overlaps, the merged run is the undivided one."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from validation.small_trials import small_protocol

from remission.cli.app import run_app
from remission.errors import ProvenanceError, RunError, SpecError, WorkError
from remission.protocol.file import write_protocol
from remission.runs.folder import read_run
from remission.runs.run import write_run
from remission.runs.shares import Share, do_share
from remission.runs.work import merge_shares, open_work, read_work, verify_work
from remission.trial.simulate import TrialPlan, plan_trial

pytestmark = pytest.mark.usefixtures("no_figures")


def plan_of(n_replicates: int = 24, *, step: int | None = 1) -> TrialPlan:
    return plan_trial(small_protocol(), n_replicates=n_replicates, seed=3, with_diaries=True, chunk_replicates=step)


def no_report(*_: object, **__: object) -> None:
    """The numbers are what is compared."""


def files_of(plan: TrialPlan, root: Path) -> dict[str, str]:
    """Hashes of the files of a finished run."""
    return dict(read_run(write_run(plan, root, "x", report=no_report).folder).manifest["files"])


class DiedError(Exception):
    """A job at the end of its life."""


def die_after(pieces: int) -> Callable[[int, int], None]:
    def stop(done: int, _total: int) -> None:
        if done >= pieces:
            raise DiedError

    return stop


def test_eight_shares_of_which_three_die_and_two_overlap_are_the_undivided_run(tmp_path: Path) -> None:
    """The bytes of every table and of the diaries; chunks of one piece against those of the usual size."""
    plan = plan_of()
    folder = open_work(tmp_path / "shared", plan, "x")
    plan, _ = read_work(folder)
    for number in (1, 2, 3):
        do_share(folder, plan, Share(number, 8))
    overlap = [threading.Thread(target=do_share, args=(folder, plan, Share(4, 8))) for _ in range(2)]
    for job in overlap:
        job.start()
    for job in overlap:
        job.join()
    with pytest.raises(DiedError):
        do_share(folder, plan, Share(5, 8), on_progress=die_after(1))
    for number in (6, 7):
        do_share(folder, plan, Share(number, 8))
    files = {path.name.split("-", 1)[0]: path for path in (folder / "shares").iterdir()}
    files["6"].write_bytes(files["6"].read_bytes()[:-7])  # died in the middle of its last piece
    files["7"].write_bytes(files["7"].read_bytes()[:9])  # died in the middle of its first line
    with pytest.raises(WorkError, match=r"9 of 24 pieces .* 5/8, 6/8, 7/8, 8/8\."):
        merge_shares(folder, plan)
    assert verify_work(folder, plan) == (15, 24)
    assert [do_share(folder, plan, Share(number, 8)) for number in range(1, 9)] == [0, 0, 0, 0, 2, 1, 3, 3]
    merge_shares(folder, plan)
    assert files_of(plan, tmp_path / "shared") == files_of(plan_of(step=None), tmp_path / "whole")
    assert not folder.exists()


def test_another_division_goes_on_where_the_first_stopped(tmp_path: Path) -> None:
    """A cluster gives fewer nodes the next day; what stood in the store of a run that was stopped counts as well."""
    plan, _ = read_work(folder := open_work(tmp_path / "shared", plan_of(12), "x"))
    do_share(folder, plan, Share(2, 5))
    assert [do_share(folder, plan, Share(number, 2)) for number in (1, 2, 1)] == [6 - 1, 6 - 2, 0]
    assert do_share(folder, plan, Share(50, 60)) == 0  # fewer pieces than shares
    assert files_of(plan, tmp_path / "shared") == files_of(plan_of(12, step=None), tmp_path / "whole")


def test_a_run_that_is_resumed_takes_what_shares_have_done(tmp_path: Path) -> None:
    """Whoever has no array any more must lose nothing."""
    plan, _ = read_work(folder := open_work(tmp_path, plan_of(6), "x"))
    do_share(folder, plan, Share(1, 2))
    seen: list[int] = []
    write_run(plan, tmp_path, "x", report=no_report, on_progress=lambda done, _total: seen.append(done))
    assert seen == [3, 4, 5, 6]


def test_a_damaged_piece_is_named_and_never_used(tmp_path: Path) -> None:
    """A flipped bit on a scratch disk must not become a result; the other pieces stay."""
    plan, _ = read_work(folder := open_work(tmp_path, plan_of(4), "x"))
    do_share(folder, plan, Share(1, 2))
    (file,) = (folder / "shares").iterdir()
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)
    for look in (merge_shares, verify_work):
        with pytest.raises(ProvenanceError, match=file.name):
            look(folder, plan)
    file.unlink()
    assert do_share(folder, plan, Share(1, 2)) == 2


def test_pieces_of_another_plan_are_refused(tmp_path: Path) -> None:
    """Files of two starts, or of two versions, copied into one folder would be two trials in one."""
    plan, _ = read_work(folder := open_work(tmp_path / "one", plan_of(4), "x"))
    other = open_work(tmp_path / "two", plan_of(4, step=2), "x")
    do_share(other, read_work(other)[0], Share(1, 1))
    (folder / "shares").mkdir()
    (file,) = (other / "shares").iterdir()
    file.rename(folder / "shares" / file.name)
    for step in (lambda: do_share(folder, plan, Share(1, 2)), lambda: merge_shares(folder, plan)):
        with pytest.raises(RunError, match="another plan"):
            step()


@pytest.mark.parametrize(
    "change", [{"version": "9.9.9"}, {"source_sha256": "0" * 64}, {"libraries": "numpy 1.0"}], ids=str
)
@pytest.mark.parametrize("command", [["work", "--share", "1/2"], ["merge"], ["resume"]], ids=lambda one: one[0])
def test_two_versions_on_one_run_are_refused(
    change: dict[str, str], command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half of the pieces with one program or library and half with another would be a third trial."""
    folder = open_work(tmp_path, plan_of(4), "x")
    place = folder / "plan.json"
    place.write_text(json.dumps({**json.loads(place.read_text(encoding="utf-8")), **change}), encoding="utf-8")
    assert run_app([command[0], str(folder), *command[1:]]) == 2
    assert "plan.json" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["plan.json"]


@pytest.mark.parametrize(
    "text",
    ["51/50", "0/50", "-1/50", "3", "3/", "/3", "3/0", "1/100001", "a/b", "3/50/2", "1.0/2", "٣/٥", " 1/2", "1_0/20"],
)
def test_a_share_that_there_is_not_is_refused(text: str) -> None:
    """Job 51 of 50 would do the work of nobody, or of somebody else, and say that it is done."""
    with pytest.raises(SpecError, match="--share"):
        Share.parse(text)


def test_from_the_command_line_to_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prepared, done in shares, merged, and merged again: as its own words say, with exit codes for a job script."""
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(write_protocol(small_protocol()), encoding="utf-8")
    assert run_app(["run", "small.yaml", "-n", "6", "--shares", "3", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["runs"]
    assert (told["pieces"], len(told["work"])) == (3, 3)
    for line in told["work"][:2]:
        assert run_app(line.split()[1:]) == 0
    assert run_app(told["merge"].split()[1:]) == 1
    assert "--share: 3/3." in capsys.readouterr().err
    assert run_app(["work", told["folder"].removesuffix(".unfinished"), "--share", "4/3"]) == 2
    assert run_app(told["work"][2].split()[1:]) == 0
    assert run_app(told["merge"].split()[1:]) == 0
    before = {path.name: path.read_bytes() for path in Path("runs").rglob("*") if path.is_file()}
    for again in (told["merge"], *told["work"], "remission run small.yaml -n 6 --shares 3"):
        assert run_app(again.split()[1:]) == 0
    assert {path.name: path.read_bytes() for path in Path("runs").rglob("*") if path.is_file()} == before
    assert run_app(["run", "small.yaml", "-n", "6", "--out", "whole"]) == 0
    manifests = [json.loads(path.read_text("utf-8")) for path in sorted(Path().glob("*/*/manifest.json"))]
    assert manifests[0] == manifests[1]
    assert run_app(["run", "small.yaml", "--shares", "0"]) == 2


def test_a_design_is_divided_by_its_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A job for each size gives the rows of the table: whoever has an array needs no shares of a design."""
    path = tmp_path / "small.yaml"
    path.write_text(write_protocol(small_protocol()), "utf-8")

    def rows(sizes: str) -> list[dict[str, object]]:
        capsys.readouterr()
        assert run_app(["design", str(path), "--vary", f"n={sizes}", "--replicates", "6", "--json"]) == 0
        found: list[dict[str, object]] = json.loads(capsys.readouterr().out)["characteristics"]
        return found

    assert rows("8,12") == [*rows("8"), *rows("12")]
