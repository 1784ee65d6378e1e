"""What a design says beside its power: bias, nulls by name, the smallest size, and how sure each is."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr
from validation.small_trials import small_protocol

from remission.cli.app import run_app
from remission.design.kept import KINDS
from remission.design.nulls import EXPECTANCY, INERT, SAME, nulls_of
from remission.design.operating import characterize, simulate_design
from remission.design.size_search import Enough, Evaluation, search_size
from remission.design.variants import one_analysis, sizes_of
from remission.design.verdicts import EARLY_STOP
from remission.errors import SpecError, WorkError
from remission.library.protocols import load_protocol
from remission.numerics.tallies import Measure
from remission.patient.parameters import load_course_parameters
from remission.protocol.file import parse_protocol, write_protocol
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import KINDS as ENDPOINTS
from remission.runs.crew import Crew
from remission.runs.journal import Journal, Journaled
from remission.trial.truth import estimand_truth

pytestmark = pytest.mark.usefixtures("no_figures")

BLINDING = {"guess_unfelt": 0.3, "guess_felt": 0.95, "expectancy_report": 0.3}


def test_a_power_that_comes_from_bias_is_named() -> None:
    """Days that nobody saw left out while an effect fades: the first weeks, with most of it, weigh too much.

    The true value is that of the same people under every arm, found by other code.
    """
    kare = load_protocol("kare")
    alone = one_analysis(kare, "pda-ketamine")
    parameters = load_course_parameters(kare.substance).replace(
        use_effect=1.0, half_use_day=14.0, leave_hazard_per_day=0.01, leave_use_factor=0.0
    )
    row = characterize(alone, simulate_design(alone, max_replicates=150, mcse=0.001, seed=3, parameters=parameters))[0]
    truth = estimand_truth(alone, n_people=4000, seed=3, parameters=parameters).primary
    assert row.bias is not None
    assert row.truth == pytest.approx(truth.estimate, abs=4.0 * np.hypot(truth.mcse, row.estimate.mcse))
    assert row.bias.value > 4.0 * row.bias.mcse
    assert row.is_flattered
    assert row.power_without_bias is not None
    assert row.power_without_bias < row.rejected.value - 0.1
    assert row.rejected_complete is not None
    assert row.rejected_complete.value < row.rejected.value


def test_a_rule_that_changes_the_question_shows_both_biases() -> None:
    """Leaving counted as use is unbiased for its own question, and for no other."""
    use = {
        "endpoints": [
            {**one.to_dict(), **({"missing": "use"} if one.kind == "percent_days_abstinent" else {})}
            for one in load_protocol("kare").endpoints
        ]
    }
    alone = one_analysis(load_protocol("kare").replace(**use), "pda-ketamine")
    parameters = load_course_parameters(alone.substance).replace(leave_hazard_per_day=0.003)
    row = characterize(alone, simulate_design(alone, max_replicates=100, mcse=0.001, seed=3, parameters=parameters))[0]
    assert row.own_truth is not None
    assert row.truth is not None
    assert row.own_bias is not None
    assert abs(row.own_truth - row.truth) > 0.5
    assert not row.is_flattered


def test_nulls_are_simulated_by_name() -> None:
    """A drug that is felt and does nothing to use is no effect, and blinding that fails makes one of it."""
    kare = load_protocol("kare")
    parameters = load_course_parameters(kare.substance)
    silent = nulls_of(kare, "pda-ketamine", parameters)
    assert [(one.name, one.same_as) for one in silent] == [(SAME, None), (INERT, SAME)]
    colored = kare.replace(blinding=BLINDING)
    found = {one.name: one for one in nulls_of(colored, "pda-ketamine", parameters)}
    assert found[EXPECTANCY].same_as == INERT
    inert = found[INERT]
    assert inert.protocol is not None
    assert inert.parameters is not None
    assert [arm.drug for arm in inert.protocol.arms] == [arm.drug for arm in kare.arms]
    assert inert.parameters.rho == inert.parameters.k_m == 0.0
    # With reports of craving that follow what is felt, expectancy alone is another null.
    felt = parameters.replace(w_report=0.5)
    marks = {"analyses": [{**kare.analyses[0].to_dict(), "endpoint": "craving"}], "comparisons": [], "estimand": None}
    more = nulls_of(colored.replace(**marks, purpose="exploratory"), "pda-ketamine", felt)
    assert [one.same_as for one in more] == [None, None, None]
    # A comparison of therapies has one drug on both sides.
    assert nulls_of(colored, "pda-therapy", parameters)[1].same_as == SAME


def test_an_inert_drug_does_nothing_to_use() -> None:
    """Were anything of the drug left, the null would be an effect: without expectancy all days are the control's."""
    from remission.patient.pharmacology import load_pharmacology
    from remission.trial.batch import simulate_batch

    protocol = small_protocol(blinding={**BLINDING, "expectancy_report": 0.2})
    inert = nulls_of(protocol, "pda-ketamine", load_course_parameters(protocol.substance))[1]
    assert inert.protocol is not None
    assert inert.parameters is not None
    use = [
        simulate_batch(
            inert.protocol, under=arm, without=(), seed=4, first_replicate=0, n_replicates=20,
            parameters=inert.parameters, pharmacology=load_pharmacology(),
        ).course.use
        for arm in (0, 1)
    ]  # fmt: skip
    np.testing.assert_array_equal(use[0], use[1])


@pytest.mark.parametrize(("power", "truth"), [(0.8, 157), (0.5, 77), (0.95, 260)])
def test_the_search_finds_the_size_of_a_normal_test(power: float, truth: int) -> None:
    """Against a power that is known: k * sqrt(n) with k = 2 * .3 / 2.683, by the normal formula."""
    k = (1.959963984540054 + 0.8416212335729143) / np.sqrt(157.0)

    def evaluate(n: int, _: Enough) -> Evaluation:
        value = float(ndtr(k * np.sqrt(n) - 1.959963984540054))
        return Evaluation(n_subjects=n, rejected=Measure(value=value, mcse=0.006), n_replicates=4000)

    found = search_size(evaluate, power=power, low=40, high=400, alpha=0.05)
    assert found.outcome == "found"
    assert found.n == pytest.approx(truth, abs=2)
    assert found.interval is not None
    assert found.interval[0] < truth < found.interval[1]
    assert len(found.evaluations) < 9
    assert search_size(evaluate, power=0.9999, low=40, high=100, alpha=0.05).n is None
    assert search_size(evaluate, power=0.1, low=40, high=100, alpha=0.05).outcome == "below"


def test_an_end_of_the_range_that_is_known_is_not_simulated_twice() -> None:
    """The same people from the same seed gave the same share again: half of a search that finds no size."""
    asked: list[int] = []

    def evaluate(n: int, enough: Enough) -> Evaluation:
        asked.append(n)
        share = Measure(value=0.6, mcse=0.01)
        assert enough(share)
        return Evaluation(n_subjects=n, rejected=share, n_replicates=400)

    assert search_size(evaluate, power=0.9, low=40, high=100, alpha=0.05, start=100).outcome == "above"
    assert asked == [100]


@pytest.mark.parametrize(
    "text", ["n=400:60", "n=60:60", "n=1", "n=60,60", "n=6:9:12", "n=", "m=60", "n=1e2", "n=9" * 99]
)
def test_sizes_that_cannot_be_are_refused(text: str) -> None:
    """A range the wrong way round or a size given twice is a slip, and half of it would be simulated."""
    with pytest.raises(SpecError):
        sizes_of(text)


@pytest.mark.parametrize(
    ("options", "place"),
    [
        (["--seed", "1", "--seed", "2"], "--seed"),
        (["--looks", "0.5,1", "--looks", "0.7,1"], "--looks"),
        (["-n", "10", "--replicates", "12"], "--replicates"),
        (["--futility", "0.5:0", "--futility", "0.5:0.5"], "--futility"),
        (["--futility", "0.5:0,0.5:1"], "--futility"),
        (["--spending", "pocock"], "--spending"),
        (["--null", "--power", "0.8"], "--power"),
        (["--mcse", "0"], "--mcse"),
        (["--alpha", "1"], "--alpha"),
        (["--power", "1"], "--power"),
    ],
)
def test_what_would_be_dropped_in_silence_is_refused(
    options: list[str], place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second of two values would replace the first, and an option without effect would be believed to act."""
    assert run_app(["design", "kare", *options]) == 2
    assert place in capsys.readouterr().err


def test_one_value_is_given_once_in_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """One place holds it for the whole program; what may be given again is kept."""
    assert run_app(["run", "kare", "--out", "a", "--out", "b"]) == 2
    assert "--out" in capsys.readouterr().err
    assert run_app(["evidence", "list", "--substance", "alcohol", "--substance", "cocaine"]) == 2
    assert run_app(["run", "kare", "--set", "gamma=0", "--set", "gamma=1"]) == 2
    assert "gamma" in capsys.readouterr().err


def test_every_look_of_a_repeated_option_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """Only the second was used, and the trial that was shown is not the one that was asked for."""
    options = ["design", "kare", "-n", "4", "--futility", "0.5:0", "--futility", "0.75:0.5", "--json"]
    assert run_app(options) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["looks"]["futility_z"] == [0.0, 0.5, None]
    assert found["command"].count("--futility") == 2
    assert {one["name"] for one in found["nulls"]} == {SAME, INERT}


def test_what_is_said_beside_a_power(capsys: pytest.CaptureFixture[str]) -> None:
    """An interval after a look undercovers, an error of simulation is no uncertainty, and a power needs a size."""
    assert run_app(["design", "kare", "-n", "4", "--looks", "0.5,1", "--power", "0.8", "--assurance", "2"]) == 0
    shown = capsys.readouterr().out
    assert EARLY_STOP in shown
    assert "--vary n=24:384" in shown
    assert "uncertainty of the effect: SD" in shown
    row = next(line for line in shown.splitlines() if line.startswith("  114 people"))
    assert "bias" in row
    assert "coverage" in row


def test_a_very_large_effect_carries_a_caution(capsys: pytest.CaptureFixture[str]) -> None:
    """Twelve people for 90% power are an error of the scale before they are a trial."""
    assert run_app(["design", "kare", "-n", "4", "--truth", "0", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["characteristics"][0]
    assert 0.1 < row["standardized_effect"] < 1.0


def test_a_field_that_nothing_reads_is_refused() -> None:
    """A score of 0 on ketamine was believed to blind the trial, and changed nothing."""
    text = write_protocol(load_protocol("kare"))
    assert parse_protocol(text, name="kare") == load_protocol("kare")
    for value in ("0.0", "0.3"):
        wrong = text.replace("drug: racemic-ketamine", f"drug: racemic-ketamine\n    psychoactive: {value}", 1)
        with pytest.raises(SpecError, match="psychoactive"):
            parse_protocol(wrong, name="kare")
    with pytest.raises(SpecError, match="test"):
        parse_protocol(text.replace("method: mean_difference", "method: mean_difference\n    test: wald", 1), name="x")


def test_a_rule_that_is_left_out_does_not_reward_leaving() -> None:
    """What is not said must not be the flattering answer."""
    for kind, facts in ENDPOINTS.items():
        assert facts.default_missing in facts.missing
        assert facts.default_missing != "observed" or not {"use", "carried"} & set(facts.missing), kind
    window = {"first": 0, "last": 9}
    said = Endpoint.create(id="a", label="A", kind="use_days", window=window)
    assert said.missing == "use"
    template = Path(str(__import__("remission").__file__)).parent / "library" / "protocol_template.yaml"
    assert {one.missing for one in parse_protocol(template.read_text("utf-8"), name="t").endpoints} == {"use"}


def test_a_journal_gives_back_what_it_was_given(tmp_path: Path) -> None:
    """A last bit lost would give another answer after a kill; a line cut off must not be half read."""
    design = one_analysis(small_protocol(), "pda-ketamine")
    whole = simulate_design(design, max_replicates=400, mcse=0.001, seed=2)
    journal = Journal(tmp_path / "journal", KINDS)
    crew = Journaled(Crew(), journal)
    simulate_design(design, max_replicates=400, mcse=0.001, seed=2, crew=crew)
    journal.close()
    lines = (tmp_path / "journal").read_bytes().splitlines(keepends=True)
    (tmp_path / "journal").write_bytes(lines[0] + lines[1][:40])
    again = Journal(tmp_path / "journal", KINDS)
    assert len(again) == 1
    crew = Journaled(Crew(), again)
    found = simulate_design(design, max_replicates=400, mcse=0.001, seed=2, crew=crew)
    again.close()
    assert repr(characterize(design, found)) == repr(characterize(design, whole))


def test_two_commands_into_one_folder_are_told_apart(tmp_path: Path) -> None:
    """The second was told that the disk is full; it must leave the first alone and say who writes there."""
    first = Journal(tmp_path / "journal", KINDS)
    first.put(0, 0, 1.5)
    with pytest.raises(WorkError, match="another command that is writing there"):
        Journal(tmp_path / "journal", KINDS)
    assert (tmp_path / "journal").read_bytes().count(b"\n") == 1
    first.close()
    again = Journal(tmp_path / "journal", KINDS)
    assert again.get(0, 0) == 1.5
    again.close()


def test_a_second_design_command_leaves_the_work_of_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1 with the right reason, and the folder of the command that is still writing stays."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out.unfinished").mkdir()
    held = Journal(tmp_path / "out.unfinished" / "journal.jsonl", KINDS)
    assert run_app(["design", "kare", "-n", "10", "--report", "out", "--yes"]) == 1
    assert "another command that is writing there" in capsys.readouterr().err
    assert (tmp_path / "out.unfinished" / "journal.jsonl").exists()
    held.close()


def test_a_design_that_was_killed_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Hours of work must survive a kill, leave nothing hidden, and end in the numbers of a design never stopped."""
    (tmp_path / "small.yaml").write_text(write_protocol(small_protocol()), encoding="utf-8")
    options = ["design", "small.yaml", "-n", "1500", "--mcse", "0.0005", "--workers", "1", "--seed", "5", "--yes"]
    program = [sys.executable, "-m", "remission", *options, "--report", "out"]
    job = subprocess.Popen(program, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    work = tmp_path / "out.unfinished" / "journal.jsonl"
    # A busy machine takes minutes until the first of it is written; killed before, there is nothing to go on with.
    deadline = time.monotonic() + 900.0
    while time.monotonic() < deadline and job.poll() is None and not (work.exists() and work.stat().st_size > 5000):
        time.sleep(0.01)
    assert work.exists()
    job.kill()
    assert job.wait() != 0
    assert not (tmp_path / "out").exists()
    (tmp_path / "small.yaml").unlink()  # what it reads is kept with it
    assert run_app(["resume", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    (tmp_path / "small.yaml").write_text(write_protocol(small_protocol()), encoding="utf-8")
    options[1] = str(tmp_path / "small.yaml")
    assert run_app([*options, "--report", str(tmp_path / "whole")]) == 0
    capsys.readouterr()
    first, second = (json.loads((tmp_path / name / "design.json").read_text("utf-8")) for name in ("out", "whole"))
    assert first == second
