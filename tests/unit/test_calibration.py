"""The calibration but for its sampling, which needs an environment of its own (make calibrate)."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sklearn.gaussian_process  # noqa: F401 - the first import sets environment variables
from scipy.stats import norm
from validation.posterior_page import PAGE, page

from remission.calibration import judge
from remission.calibration.emulator import fit_emulator
from remission.calibration.pieces import paced
from remission.calibration.posterior import write_posterior
from remission.calibration.study import data_hash
from remission.calibration.wave import (
    Point,
    TrialTargets,
    from_unit,
    simulate_point,
    to_scale,
    trial_targets,
    wave_points,
)
from remission.cli.app import run_app
from remission.errors import SpecError, WorkError
from remission.evidence.standardized import Seen, load_other_trials
from remission.library.calibration_plan import load_calibration_plan
from remission.library.posteriors import Posterior, load_posterior, plan_hash, read_posterior
from remission.patient.course import CourseSchedule, Entry
from remission.patient.kernels import fast
from remission.patient.parameters import load_course_parameters, shifted
from remission.patient.sampling import sample_traits
from remission.records.substance import Substance
from remission.streams import People

PLAN = load_calibration_plan()


@pytest.fixture(scope="module")
def targets() -> tuple[TrialTargets, ...]:
    """What the plan takes of its trials; what therapy is worth takes seconds to find."""
    return trial_targets(PLAN)


def test_every_trial_of_the_plan_has_its_published_numbers(targets: tuple[TrialTargets, ...]) -> None:
    """A number that the registry does not hold, or holds from the press, would be invented here."""
    assert [one.entry.protocol for one in targets] == [one.protocol for one in PLAN.trial]
    assert all(target.error > 0.0 for one in targets for target in one.numbers)
    kare = targets[0]
    assert [target.value for target in kare.numbers] == [10.1, 15.9]
    assert to_scale(50.0, "logit") == 0.0
    assert not {one.protocol for one in PLAN.trial} & set(PLAN.left_out)


def test_the_baseline_knows_the_trials_of_the_posterior(targets: tuple[TrialTargets, ...]) -> None:
    """Its file is read in the place of the posterior: trials, plan and stacking weight must be those."""
    found, posterior = load_other_trials(), load_posterior()
    assert (found.plan, found.plan_hash) == (posterior.plan, posterior.plan_hash)
    assert found.stacking_weight == posterior.judged["stacking_weight"]
    for one, target in zip(found.trials, targets, strict=True):
        expected = judge.seen_of(target)
        assert (one.protocol, one.says) == (expected.protocol, expected.says)
        assert [one.error, one.z or 0.0] == pytest.approx([expected.error, expected.z or 0.0])


def test_a_level_is_the_same_as_a_tendency() -> None:
    """A level that also moved craving or the drug would teach the wrong values."""
    people = People.of_replicates(seed=4, first=0, count=1, n_subjects=512)
    parameters = load_course_parameters(Substance("alcohol"))
    entry = Entry(clean_days=7)
    nobody = np.full((512, 1), -1, dtype=np.int64)
    schedule = CourseSchedule(
        infusion_day=nobody, exposure=np.zeros((512, 1)), psychoactive=np.zeros((512, 1)), session_day=nobody,
        quality=np.zeros(512), weekday0=nobody[:, 0] + 1, blocked=np.zeros(60, dtype=np.bool_), entry=entry,
    )  # fmt: skip
    traits = sample_traits(people, parameters, entry=entry)
    pushed = fast.simulate_course(people, replace(traits, tendency=traits.tendency + 0.7), schedule, parameters)
    moved = fast.simulate_course(people, traits, schedule, shifted(parameters, 0.7))
    assert pushed.use.mean() > 1.2 * fast.simulate_course(people, traits, schedule, parameters).use.mean()
    # The same numbers but for rounding, which may decide a day in very many.
    assert (pushed.use != moved.use).mean() < 1e-3


def test_points_cover_the_box_and_are_the_same_again() -> None:
    """A wave that another machine makes otherwise could not be resumed there."""
    points = wave_points(PLAN)
    assert points.shape == (PLAN.wave.draws + PLAN.wave.judged, len(PLAN.value))
    np.testing.assert_array_equal(points, wave_points(PLAN))
    assert np.abs(points[: PLAN.wave.draws].mean(axis=0)).max() < 0.02
    for value in PLAN.value:
        assert from_unit(value, np.array([-1.0, 1.0])) == pytest.approx([value.low, value.high])


def test_without_window_and_without_expectancy_the_posterior_is_the_same_bit_for_bit(
    targets: tuple[TrialTargets, ...],
) -> None:
    """Both have weight zero in the form, so a refit without them reads the same points; a window that is there moves.

    Emulators and chains are functions of the points and of the seed.
    """
    rows = [dict.fromkeys([value.name for value in PLAN.value], 0.0) for _ in targets]
    for row in rows:
        row.update({value.name: float(from_unit(value, np.array(0.3))) for value in PLAN.value})
    usual = simulate_point(targets, 2, (rows, 5))
    closed = simulate_point(targets, 2, ([{**row, "gamma": 0.0} for row in rows], 5))
    opened = simulate_point(targets, 2, ([{**row, "gamma": 2.0} for row in rows], 5))
    for one, was, now, moved in zip(targets, usual, closed, opened, strict=True):
        assert one.protocol.blinding is None, one.entry.protocol
        assert load_course_parameters(one.protocol.substance, parameter_set=PLAN.form).gamma == 0.0
        for part in ("mean", "covariance", "z", "z_sd"):
            assert np.array_equal(getattr(was, part), getattr(now, part), equal_nan=True), one.entry.protocol
        has_therapy = bool(one.protocol.therapies)
        assert not has_therapy or not np.array_equal(was.z, moved.z), one.entry.protocol
    assert "gamma" not in {value.name for value in PLAN.value}


def test_a_stronger_drug_moves_every_trial_towards_help(targets: tuple[TrialTargets, ...]) -> None:
    """The sign of a benefit is written by hand in the plan, and a wrong one would turn a trial around."""
    values = {value.name: value.low if value.center is None else value.center for value in PLAN.value}
    weak, strong = (
        simulate_point(targets, 12, ([{**values, "use_effect": effect} for _ in targets], 11)) for effect in (-1.0, 2.0)
    )
    for one, before, after in zip(targets, weak, strong, strict=True):
        moved = one.entry.z.benefit * (after.z[0] - before.z[0])
        # Hardly anybody of yoon-2025 abstains for eight weeks, whatever the drug does.
        assert moved > (0.3 if one.entry.protocol != "yoon-2025" else -0.1), one.entry.protocol


def test_an_emulator_learns_a_curve_and_calls_noise_noise() -> None:
    """One that follows noise would count it as knowledge."""
    generator = np.random.default_rng(3)
    units = generator.uniform(-1.0, 1.0, (160, 3))
    clear = np.sin(2.0 * units[:, 0]) + units[:, 1] ** 2
    points = [
        Point(
            mean=np.array([value]), covariance=np.array([[1e-6]]), z=np.array([noise]), z_sd=np.array([1.0]), n_trials=9
        )
        for value, noise in zip(clear, generator.normal(size=160), strict=True)
    ]
    found = fit_emulator(units, points, n_draws=120)
    assert found.r2[0] > 0.99
    assert not found.weights[1].any()
    np.testing.assert_allclose(found.at(units[120:])[:, 0], clear[120:], atol=0.1)


def test_random_effects_without_other_trials_are_the_prior() -> None:
    """And one large trial moves them to itself."""
    new = Seen(protocol="new", z=None, says="no difference", error=0.2)
    z, _, weight = judge._random_effects([], new, 0.05)
    assert weight @ z == pytest.approx(0.0, abs=1e-9)
    known = Seen(protocol="large", z=40.0, says=None, error=0.02)
    z, _, moved = judge._random_effects([known], new, 0.05)
    assert 0.2 < moved @ z * 0.2 < 0.8


def test_scores_are_those_of_a_normal() -> None:
    """The three scores against closed forms."""
    one = Seen(protocol="a", z=0.5, says=None, error=0.2)
    law = np.array([0.0]), np.array([1.0]), np.array([1.0])
    assert judge._log_score(one, *law, 0.05) == pytest.approx(norm.logpdf(0.5))
    exact = 0.5 * (2 * norm.cdf(0.5) - 1) + 2 * norm.pdf(0.5) - 1 / np.sqrt(np.pi)
    assert judge._crps(0.5, *law, 7) == pytest.approx(exact, abs=0.03)
    null = Seen(protocol="a", z=None, says="no difference", error=0.2)
    assert np.exp(judge._log_score(null, *law, 0.05)) == pytest.approx(0.95)


def test_steps_of_the_sampler_are_told_by_the_pace_of_the_last_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first comes after the compiler's minute, which is no pace of a step."""
    now = iter([0.0, 60.0, 70.0, 90.0, 90.5])
    monkeypatch.setattr("remission.calibration.pieces.time.monotonic", lambda: next(now))
    heard: list[str] = []
    done = paced(1500, heard.append, what="step", every=500)
    for step in (1, 500, 1000, 1500):
        done(step)
    assert heard == ["step 500 of 1,500, 20 s left", "step 1,000 of 1,500, 20 s left", "step 1,500 of 1,500"]


def test_stacking_gives_all_to_who_is_always_better() -> None:
    """And nothing to who is always worse."""
    rows = tuple(
        SimpleNamespace(log_score={"chain": -1.0, "random effects": -2.0 - number}) for number in range(3)
    )  # fmt: skip
    assert judge.stacking_weight(rows) == 1.0  # type: ignore[arg-type]  # only the scores are read


def _posterior() -> Posterior:
    generator = np.random.default_rng(5)
    names = ["mean", "tau", "craving_tau", "k_c", *(f"substance.{one.value}" for one in Substance)]
    names += [value.name for value in PLAN.value if not value.per_trial and value.name not in {"use_effect", "k_c"}]
    draws = {name: np.abs(generator.normal(size=50)) for name in names}
    return Posterior(
        plan=PLAN.id, plan_hash=plan_hash(PLAN), form=PLAN.form, seed=PLAN.seed, draws=draws, diagnostics={}, judged={}
    )


def test_a_posterior_comes_back_and_draws_new_trials(tmp_path: Path) -> None:
    """What is shipped must be what was fitted, and values of a new trial must be values of the model."""
    path = tmp_path / "posterior.json"
    write_posterior(_posterior(), path)
    found = read_posterior(path)
    np.testing.assert_allclose(found.draws["tau"], _posterior().draws["tau"], rtol=1e-4)
    values = found.new_trial("alcohol", 120, seed=1)
    assert values == found.new_trial(Substance("alcohol"), 120, seed=1)
    assert len({row["use_effect"] for row in values}) > 90
    load_course_parameters(Substance("alcohol")).replace(**values[0])
    with pytest.raises(SpecError, match="substance: got gin; expected one of alcohol"):
        found.new_trial("gin", 1, seed=1)


def test_the_shipped_posterior_is_that_of_the_plan_and_of_its_page(targets: tuple[TrialTargets, ...]) -> None:
    """Numbers on a page that no file holds could be anything; and it must have reached what was asked of every fit."""
    found = load_posterior()
    assert found.plan_hash == plan_hash(PLAN)
    # A result of the registry that was corrected since is not in the fit.
    assert found.diagnostics["data"] == data_hash(targets)
    assert found.diagnostics["r_hat"] <= PLAN.tolerance.r_hat
    assert found.diagnostics["effective_draws"] >= PLAN.tolerance.effective_draws
    assert [row["protocol"] for row in found.judged["left_out"]] == [one.protocol for one in PLAN.trial]
    assert page(PLAN, found) == PAGE.read_text("utf-8")


@pytest.mark.parametrize(
    "damage",
    [
        lambda told: told.pop("draws"),
        lambda told: told["draws"].update(mean=[1.0]),
        lambda told: told["draws"].update(mean=[float("nan")] * 50),
        lambda told: told.update(form="rhythms-2026"),
        lambda told: told.update(plan_hash="0" * 16),
        lambda told: told.update(format=2),
    ],
)
def test_a_damaged_posterior_is_refused(tmp_path: Path, damage: object) -> None:
    """Half a posterior would be a narrow one."""
    path = tmp_path / "posterior.json"
    write_posterior(_posterior(), path)
    told = json.loads(path.read_text("utf-8"))
    damage(told)  # type: ignore[operator]  # one of the list
    path.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(SpecError, match="posterior"):
        read_posterior(path)
    with pytest.raises(WorkError, match="No such file"):
        read_posterior(tmp_path / "none.json")


def test_without_its_libraries_the_command_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The core does not have them, and nothing may be begun that cannot be ended."""
    monkeypatch.setitem(__import__("remission.extras").extras.EXTRAS, "calibrate", ("no_such_library",))
    assert run_app(["calibrate", "--out", str(tmp_path / "c")]) != 0
    assert "pip install 'remission[calibrate]'" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()
