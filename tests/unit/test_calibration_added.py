"""A trial of one's own in a posterior that was written, and diaries: weights, refusals, what cannot be moved."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import genpareto, norm

from remission.calibration import added
from remission.calibration.added import NewTrial, read_trial, reweight
from remission.calibration.people import level_of
from remission.calibration.posterior import write_posterior
from remission.calibration.psis import smoothed_weights
from remission.cli.app import run_app
from remission.errors import SpecError
from remission.files import copy_file
from remission.library.calibration_plan import load_calibration_plan
from remission.library.posteriors import load_posterior, read_posterior
from remission.library.protocols import load_protocol
from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import shifted
from remission.records.diaries import Diaries
from remission.records.parameter import DEFAULT_POSTERIOR
from remission.trial.simulate import plan_trial

PLAN = load_calibration_plan()
GOOD = {
    "id": "new-trial", "protocol": "kare", "result.analysis": "pda-ketamine", "result.says": "favors ketamine",
    "result.n": 90, "result.estimate": 12, "result.unit": "percentage points", "result.interval": "[3.0, 21.0]",
}  # fmt: skip


def record(folder: Path, **changes: object) -> Path:
    """A record's file; a change to None leaves a field out. ``result_n`` stands for ``result.n``."""
    told = {**GOOD, **{name.replace("result_", "result."): value for name, value in changes.items()}}
    told = {name: value for name, value in told.items() if value is not None}
    top = [f"{name}: {value}" for name, value in told.items() if not name.startswith("result.")]
    inner = [f"  {name[7:]}: {value}" for name, value in told.items() if name.startswith("result.")]
    path = folder / "record.yaml"
    path.write_text("\n".join([*top, "result:", *inner]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(("shape", "trusted"), [(0.2, True), (0.5, True), (1.2, False)])
def test_k_is_the_shape_of_the_tail(shape: float, trusted: bool) -> None:
    """A k that came out small whatever the weights would let every reweighting pass."""
    ratios = genpareto.ppf((np.arange(4000) + 0.5) / 4000, shape)
    weights, k = smoothed_weights(np.log1p(ratios))
    assert k == pytest.approx(shape, abs=0.12)
    assert (k <= PLAN.tolerance.psis_k) is trusted
    assert weights.sum() == pytest.approx(1.0)


def test_equal_weights_stay_equal() -> None:
    """A trial that says nothing must change nothing."""
    weights, k = smoothed_weights(np.full(100, -3.0))
    np.testing.assert_allclose(weights, 0.01)
    assert k <= PLAN.tolerance.psis_k
    alone = np.full(100, -800.0)
    alone[7] = 0.0
    assert smoothed_weights(alone)[1] > PLAN.tolerance.psis_k


def test_weights_are_those_of_arviz() -> None:
    """The library that the fit's own judge takes; it belongs to the extra calibrate."""
    arviz = pytest.importorskip("arviz")
    for scale in (0.5, 1.0, 2.5):
        log = scale * norm.ppf((np.random.default_rng(3).permutation(1000) + 0.5) / 1000)
        theirs, k = arviz.psislw(log.copy())
        mine, own = smoothed_weights(log)
        assert own == pytest.approx(float(k), abs=1e-6)
        np.testing.assert_allclose(mine, np.exp(theirs) / np.exp(theirs).sum(), rtol=1e-6)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"result_n": None}, "result.n: got nothing"),
        ({"result_interval": None}, "result.interval: got nothing"),
        ({"result_estimate": None}, "result.estimate: got nothing"),
        ({"result_unit": None}, "result.unit: got nothing"),
        ({"result_unit": "days"}, "result.unit: got days; expected percentage points"),
        ({"result_interval": "[13, 21]"}, "result.interval: got 13 to 21 around 12"),
        (
            {"result_estimate": 120, "result_interval": "[100, 140]"},
            "result.estimate: got 120, 100 to 140; expected perc",
        ),
        ({"result_interval": "[-500, 524]"}, "result.interval: got 12, -500 to 524; expected percentage points, from"),
        ({"result_interval": "[21, 3]"}, "result.interval: got 21 to 3 around 12"),
        ({"result_interval": "[-1, 25]"}, "result.says: got favors ketamine; expected no difference"),
        ({"result_says": "no difference"}, "result.says: got no difference; expected favors ketamine"),
        ({"result_says": "favors control"}, "result.says: got favors control; expected favors ketamine"),
        ({"result_says": "works"}, "result.says: got works"),
        ({"result_n": 97}, "result.n: got 97; expected no more than the 96"),
        ({"result_n": 1}, "result.n: got 1"),
        ({"result_arms": "{ketamine-therapy: 50, saline-therapy: 41}"}, "result.arms: got 91 people in all"),
        ({"result_arms": "{ketamine: 40}"}, "result.arms: got ketamine; expected arms of the protocol"),
        ({"result_arms": "{ketamine-therapy: 0}"}, "result.arms"),
        ({"result_analysis": "pda"}, "result.analysis: got pda; expected one of pda-ketamine"),
        ({"protocol": "kares"}, "protocol: got kares"),
        ({"id": "New Trial"}, "id: got New Trial"),
        ({"seen": "never"}, "seen: got never"),
        (
            {"result_analysis": "relapse-ketamine", "result_unit": "ratio", "result_interval": "[-1, 21]"},
            "result.interval: got -1 to 21; expected ends above 0",
        ),
    ],
    ids=lambda item: item.split(":")[0] if isinstance(item, str) else "-".join(item),
)
def test_a_wrong_record_is_named_with_file_and_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, object], field: str
) -> None:
    """A positive result without size or error would enter as stronger than it is."""
    path = record(tmp_path, **changes)
    assert run_app(["calibrate", "--add", str(path), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert field in said
    assert "record.yaml" in said
    assert not (tmp_path / "out").exists()


def test_a_null_needs_no_number_and_a_verdict_no_interval(tmp_path: Path) -> None:
    """Weak nulls and weak positives enter by one rule: the chance of the verdict at the trial's size."""
    bare = {"result_estimate": None, "result_unit": None, "result_interval": None}
    null = read_trial(record(tmp_path, result_says="no difference", result_n=None, **bare))
    assert null.targets.entry.verdicts[0].says == "no difference"
    assert null.targets.protocol.population.n_subjects == 96
    positive = read_trial(record(tmp_path, **bare))
    assert positive.targets.entry.sign_of(positive.targets.entry.verdicts[0]) == 1
    assert positive.targets.protocol.population.n_subjects == 90


@pytest.mark.parametrize(("name", "value"), [("id", "kare"), ("id", "dakwar-2019"), ("result_estimate", 10.1)])
def test_a_trial_counts_once(tmp_path: Path, name: str, value: object) -> None:
    """Added again, under its own name or with its own number, it would look like a second one that agrees."""
    changes = {name: value} if name == "id" else {name: value, "result_interval": "[1.1, 19.0]"}
    with pytest.raises(SpecError, match=r"id: got .*, which the posterior has been fitted to"):
        reweight(load_posterior(), read_trial(record(tmp_path, **changes)))


def _straight(new: NewTrial, monkeypatch: pytest.MonkeyPatch, per_effect: float = 4.0) -> None:
    """A simulator that is known: z and estimate rise in a line with the trial's own effect."""

    def surface(plan: object, targets: object, own: dict[str, np.ndarray], *rest: object) -> tuple[np.ndarray, ...]:
        z = per_effect * own["use_effect"]
        numbers = [z * 4.5] if new.targets.numbers else []
        return np.stack([*numbers, z, np.zeros(z.size)], axis=1), np.zeros(len(numbers) + 2)

    monkeypatch.setattr(added, "_surface", surface)


def test_weights_are_the_likelihood_of_a_new_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the integral over the trial's own effect in closed form, where everything is normal."""
    new = read_trial(record(tmp_path, seen="always"))
    _straight(new, monkeypatch)
    monkeypatch.setattr(added, "_OWN", 400)
    posterior = load_posterior()
    found = reweight(posterior, new)
    d, target = posterior.draws, new.targets.numbers[0]
    spread = np.hypot(target.error, 18.0 * d["tau"])
    weight = norm.pdf(target.value, 18.0 * d["substance.alcohol"], spread)
    expected = (weight * d["mean"]).sum() / weight.sum()
    assert found.posterior.draws["mean"].mean() == pytest.approx(expected, abs=0.03)
    assert found.k < PLAN.tolerance.psis_k
    assert found.effective < posterior.size


def test_a_null_lowers_and_a_positive_raises_the_mean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign the wrong way would turn every new trial around; and one on file by its result says less."""
    bare = {"result_estimate": None, "result_unit": None, "result_interval": None}
    means = {}
    for says in ("no difference", "favors ketamine", "favors control"):
        for seen in ("always", "selected"):
            new = read_trial(record(tmp_path, result_says=says, seen=seen, **bare))
            _straight(new, monkeypatch)
            means[says, seen] = reweight(load_posterior(), new).posterior.draws["substance.alcohol"].mean()
    before = load_posterior().draws["substance.alcohol"].mean()
    assert means["favors control", "always"] < means["no difference", "always"] < before
    assert before < means["favors ketamine", "always"]
    assert means["favors ketamine", "selected"] < means["favors ketamine", "always"]


@pytest.mark.parametrize(("estimate", "says"), [(-70.0, "any draw says"), (-19.0, "Pareto k")])
def test_a_result_beyond_the_draws_needs_a_refit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], estimate: float, says: str
) -> None:
    """A handful of draws, or those at the edge of the box, would stand for the posterior."""
    interval = f"[{estimate - 0.1}, {estimate + 0.1}]"
    path = record(tmp_path, result_estimate=estimate, result_interval=interval, result_says="favors control")
    _straight(read_trial(path), monkeypatch)
    assert run_app(["calibrate", "--add", str(path), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert says in said
    assert "refit needed" in said
    assert "--refit" in said
    assert not list(tmp_path.rglob("*.json"))


def test_a_new_trial_is_simulated_weighed_written_and_added_to_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole way, with the simulator as it is; the shipped posterior stays."""
    monkeypatch.setattr(added, "_POINTS", 100)
    monkeypatch.setattr(added, "_PEOPLE", 64)
    path = record(tmp_path, result_n=16, result_estimate=1, result_interval="[-20, 22]", result_says="no difference")
    out = tmp_path / "out"
    assert run_app(["calibrate", "--add", str(path), "--out", str(out), "--workers", "1"]) == 0
    said = capsys.readouterr().out
    assert "Pareto k" in said
    made = read_posterior(out / f"{DEFAULT_POSTERIOR}-with-new-trial.json")
    assert made.added[0]["result"]["n"] == 16
    assert "effect.new-trial" in made.draws
    # Sixteen people without a difference hardly speak.
    assert made.draws["mean"].mean() == pytest.approx(load_posterior().draws["mean"].mean(), abs=0.1)
    again = ["calibrate", "--add", str(path), "--to", str(out / f"{DEFAULT_POSTERIOR}-with-new-trial.json")]
    assert run_app(again) == 2
    assert "which the posterior has been fitted to" in capsys.readouterr().err
    assert run_app(["calibrate", "--add", str(path), "--out", str(out)]) == 2
    assert "nothing was overwritten" in capsys.readouterr().err


def test_the_shipped_posterior_is_never_overwritten(tmp_path: Path) -> None:
    """By no posterior of anybody's, however the folder is named."""
    import remission.library

    home = Path(remission.library.__file__).parent / "calibration"
    before = (home / f"{DEFAULT_POSTERIOR}.json").read_bytes()
    (tmp_path / "link").symlink_to(home)
    for folder in (home, tmp_path / "link"):
        with pytest.raises(SpecError, match="the folder of the shipped posterior"):
            write_posterior(load_posterior(), folder / f"{DEFAULT_POSTERIOR}.json")
    assert (home / f"{DEFAULT_POSTERIOR}.json").read_bytes() == before


def test_a_refit_without_its_libraries_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights need none of them, a fit does."""
    monkeypatch.setitem(__import__("remission.extras").extras.EXTRAS, "calibrate", ("no_such_library",))
    path = record(tmp_path)
    assert run_app(["calibrate", "--add", str(path), "--refit", "--out", str(tmp_path / "c")]) != 0
    assert "pip install 'remission[calibrate]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--refit", "--out", "x"], "--refit: got no --add"),
        (["--to", "x.json", "--out", "x"], "--to: got no --add"),
        ([], "--out: got nothing"),
        (["--add", "r.yaml", "--refit"], "--out: got nothing"),
        (["--add", "none.yaml"], "none.yaml: got no such file"),
    ],
    ids=lambda item: "-".join(item) if isinstance(item, list) else "",
)
def test_options_that_do_not_go_together(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Half an hour of work would begin for nothing."""
    assert run_app(["calibrate", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_place_or_a_plan_that_cannot_be_is_told_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half an hour later the folder of the shipped posterior would be refused; a slip is no damaged library."""
    shipped = Path(str(files("remission.library") / "calibration"))
    kept = {one.name: one.read_bytes() for one in shipped.iterdir() if one.is_file()}
    for words in (["--add", str(record(tmp_path))], []):
        assert run_app(["calibrate", *words, "--out", str(shipped)]) == 2
        assert "the folder of the shipped posterior" in capsys.readouterr().err
    assert {one.name: one.read_bytes() for one in shipped.iterdir() if one.is_file()} == kept
    for name in ("posterior-2025", "../facts"):
        assert run_app(["calibrate", "--plan", name, "--out", str(tmp_path / "out")]) == 2
        said = capsys.readouterr().err
        assert f"got {name}" in said
        assert "posterior-2026" in said
        assert "damaged" not in said


def _diaries(substance: str, level: float, n_days: int, first_day: int) -> Diaries:
    protocol = load_protocol(f"cold-turkey-{substance}")
    parameters = shifted(course_parameters_of(protocol), level)
    plan = plan_trial(protocol, n_replicates=1, seed=77, parameters=parameters)
    use = plan.simulate(plan.chunks[0]).course.use[:300, max(first_day, 0) : max(first_day, 0) + n_days].astype(bool)
    before = np.ones((300, max(-first_day, 0)), dtype=bool)
    used = np.concatenate([before, use], axis=1)
    return Diaries(
        substance=substance, person=tuple(map(str, range(300))), first_day=first_day, assessed=np.ones_like(used),
        used=used, amount=None, amount_unit=None, weekday_of_first_day=np.full(300, -1), group=("",) * 300,
        origin="simulated", source="a test", day_zero="the day they stopped",
    )  # fmt: skip


@pytest.mark.parametrize(("level", "first_day"), [(0.8, 0), (-0.8, -28), (0.8, 10)])
def test_diaries_tell_the_level_of_their_people(level: float, first_day: int) -> None:
    """Days before day 0, when everybody still uses, must not count; days that begin late must be held against late."""
    found = level_of(PLAN, _diaries("cocaine", level, 60, first_day))
    assert found.low < level < found.high
    assert found.high - found.low < 1.0
    assert {"mean", "tau", "k_c"} <= set(found.cannot_move)


def test_diaries_that_say_nothing_are_refused_and_few_say_little() -> None:
    """One person for a week must leave the prior nearly as it was."""
    whole = _diaries("alcohol", 0.0, 30, 0)
    with pytest.raises(SpecError, match="no day from day 0 on"):
        level_of(PLAN, replace(whole, first_day=-30))
    with pytest.raises(SpecError, match="substance: got gin"):
        level_of(PLAN, replace(whole, substance="gin"))
    one = replace(
        whole, person=("a",), assessed=whole.assessed[:1, :7], used=whole.used[:1, :7],
        weekday_of_first_day=np.array([-1]), group=("",),
    )  # fmt: skip
    found = level_of(PLAN, one)
    assert found.high - found.low > 0.7 * (found.prior[2] - found.prior[0])


def test_a_trial_of_ones_own_protocol(tmp_path: Path) -> None:
    """A file beside the record, as somebody who runs a trial has it."""
    home = Path(added.__file__).parents[1] / "library" / "protocols" / "yoon-2025.yaml"
    copy_file(home, tmp_path / "mine.yaml")
    bare = {"result_estimate": None, "result_unit": None, "result_interval": None}
    path = record(
        tmp_path, protocol="mine.yaml", result_analysis="abstinence-ketamine", result_n=40, **bare
    )  # fmt: skip
    assert read_trial(path).targets.protocol.population.n_subjects == 40
    assert read_trial(path).record.seen == "selected"
