"""Errors of emulators that hang together: how they are read off, how they enter, what they are worth."""

import math
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sklearn.gaussian_process  # noqa: F401 - the first import sets environment variables
from scipy import special
from scipy.integrate import quad
from scipy.stats import kstest, multivariate_normal, norm

from remission.calibration import rows_alone
from remission.calibration.emulator import Emulator, errors_together, fit_emulator, outcomes_of
from remission.calibration.fit import Fit, fit_of, group_columns, joined, parts_of, posterior_model
from remission.calibration.groups import GroupData, GroupTargets, group_targets, row_log, together_log
from remission.calibration.wave import Point, trial_targets
from remission.errors import SpecError
from remission.library.calibration_plan import load_calibration_plan

with suppress(ImportError):  # an extra; as above
    import numpyro  # noqa: F401

PLAN = load_calibration_plan("posterior-2026-joint")
GROUPS = {one.group.id: one for one in group_targets(PLAN)}
_NONE = np.zeros(0)


def _near(one: GroupTargets, seed: int = 1, n: int = 4) -> np.ndarray:
    """Outputs about where the rows were read; in a chain of counts in their order."""
    read = np.concatenate([np.where(np.isfinite(row.value), row.value, 0.2) for row in one.rows])
    return read + np.random.default_rng(seed).normal(size=(n, 1)) * 0.02 * (1.0 + np.abs(read))


def _covariance(n: int, error: float, seed: int = 2) -> np.ndarray:
    """One of errors that hang together."""
    table = np.random.default_rng(seed).normal(size=(n, n)) + 1.5
    wide = table @ table.T
    spread = np.sqrt(np.diag(wide))
    return error**2 * wide / np.outer(spread, spread)


def _separate(one: GroupTargets, found: np.ndarray, error: np.ndarray) -> np.ndarray:
    return np.sum([row_log(row, found, error, xp=np, special=special) for row in one.rows], axis=0)


def _together(one: GroupTargets, covariance: np.ndarray, found: np.ndarray) -> np.ndarray:
    return np.asarray(together_log(one, covariance, found, xp=np, special=special))


@pytest.mark.parametrize("name", GROUPS)
def test_without_error_and_without_correlation_it_is_what_it_was(name: str) -> None:
    """The two limits in which nothing hangs together; of counts beside others the first count has its error now too."""
    one = GROUPS[name]
    found, n = _near(one), len(one.outputs)
    np.testing.assert_allclose(_together(one, np.zeros((n, n)), found), _separate(one, found, np.zeros(n)), rtol=1e-10)
    if all(row.given is None for row in one.rows):
        error = np.linspace(0.005, 0.02, n)
        np.testing.assert_allclose(_together(one, np.diag(error**2), found), _separate(one, found, error), rtol=1e-8)


@pytest.mark.parametrize("name", ["alcohol-diaries", "cannabis-diaries", "combine"])
def test_numbers_and_diaries_are_one_joint_normal(name: str) -> None:
    """Arms of one trial as well as ten statistics: the errors of all of them cross the rows."""
    one = GROUPS[name]
    n = len(one.outputs)
    covariance = _covariance(n, 0.03)
    own = np.zeros((n, n))
    for row in one.rows:
        own[row.first : row.last, row.first : row.last] = row.covariance
    read = np.concatenate([row.value for row in one.rows])
    found = _near(one)
    expected = [multivariate_normal.logpdf(read, each, own + covariance) for each in found]
    np.testing.assert_allclose(_together(one, covariance, found), expected, rtol=1e-9)
    assert not np.allclose(expected, _separate(one, found, np.sqrt(np.diag(covariance))), atol=0.05)


def test_a_limit_in_words_follows_the_number_beside_it() -> None:
    """In closed form: a number above its prediction says that the emulator is too low, of the other outcome too."""
    mood = GROUPS["mood"]
    number, bound = mood.rows
    covariance = np.array([[0.05**2, 0.9 * 0.05 * 0.04], [0.9 * 0.05 * 0.04, 0.04**2]])
    found = np.array([number.value[0] - 0.1, 0.18])
    wide = number.covariance[0, 0] + covariance[0, 0]
    gain = covariance[1, 0] / wide
    left = covariance[1, 1] - gain * covariance[0, 1]
    soft = math.sqrt(bound.covariance[0, 0] + left)
    expected = norm.logpdf(0.1, scale=math.sqrt(wide)) + norm.logcdf((bound.high - 0.18 - gain * 0.1) / soft)
    assert float(_together(mood, covariance, found)) == pytest.approx(expected, abs=1e-7)


def test_two_counts_of_the_same_people_share_an_error() -> None:
    """Against an integral: errors that are one, so that both shares move by it together."""
    dublin = GROUPS["opioid-dublin"]
    found, error = np.array([special.logit(0.62), special.logit(0.76)]), 0.15
    whole = np.full((2, 2), error**2)

    def at(size: float) -> float:
        return math.exp(float(_separate(dublin, found + size, np.zeros(2)))) * norm.pdf(size, scale=error)

    expected = math.log(quad(at, -8.0 * error, 8.0 * error)[0])
    assert float(_together(dublin, whole, found)) == pytest.approx(expected, abs=2e-4)
    assert float(_together(dublin, np.diag([error**2] * 2), found)) != pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("name", ["smokers", "methamphetamine-cohort"])
def test_a_chain_of_counts_is_averaged_over_all_their_errors(name: str) -> None:
    """Against draws of the errors: three nodes for each of six shares were off by .06."""
    one = GROUPS[name]
    n = len(one.outputs)
    found, covariance = _near(one, n=1)[0], 0.04**2 * (0.6 + 0.4 * np.eye(n))
    errors = np.random.default_rng(3).multivariate_normal(np.zeros(n), covariance, size=100_000)
    logs = _separate(one, found + errors, np.zeros(n))
    expected = special.logsumexp(logs) - math.log(len(errors))
    assert float(_together(one, covariance, found)) == pytest.approx(expected, abs=0.01)


def test_numbers_that_follow_from_each_other_are_named() -> None:
    """A covariance that is singular gives any answer, or none with a message about a matrix."""
    diary = GROUPS["alcohol-diaries"]
    row = diary.rows[0]
    twice = row.covariance.copy()
    twice[1], twice[:, 1] = twice[0], twice[:, 0]
    twice[1, 1] = twice[0, 0]
    found = row.value.copy()
    for covariance, names in (
        (twice, "alcohol-diary, mean; alcohol-diary, sd_between"), (np.diag([0.0, *[1.0] * 9]), "alcohol-diary, mean"),
    ):  # fmt: skip
        one = replace(diary, rows=(replace(row, covariance=covariance),))
        with pytest.raises(SpecError, match="singular") as caught:
            _together(one, np.zeros((10, 10)), found)
        assert f"alcohol-diaries: {names}:" in f"{caught.value}:".replace("\n", ":")
    # An error of the emulators mends it: then they are known apart.
    assert np.isfinite(_together(replace(diary, rows=(replace(row, covariance=twice),)), 1e-6 * np.eye(10), found))


def _missed(errors: np.ndarray) -> tuple[Emulator, np.ndarray, list[Point]]:
    """An emulator that says nothing, and points at which the simulator lies ``errors`` off."""
    n = errors.shape[1]
    made = Emulator(
        points=np.zeros((1, 1)), lengths=np.ones((n, 1)), weights=np.zeros((n, 1)), constants=np.zeros(n),
        error=np.sqrt((errors**2).mean(axis=0)), rms=np.zeros(n), r2=np.zeros(n),
    )  # fmt: skip
    points = [Point(mean=one, covariance=np.zeros((n, n)), z=_NONE, z_sd=_NONE, n_trials=2) for one in errors]
    return made, np.zeros((len(errors), 1)), points


def test_what_emulators_miss_together_is_read_off_points_that_they_never_saw() -> None:
    """Variances stay; of many points correlations are found, of few without any nearly all of them go."""
    truth = np.array([[1.0, 0.8, 0.0], [0.8, 1.0, -0.3], [0.0, -0.3, 1.0]])
    scale = np.array([0.1, 2.0, 0.5])
    generator = np.random.default_rng(4)
    errors = generator.multivariate_normal(np.zeros(3), truth, size=20_000) * scale
    made, units, points = _missed(errors)
    found = errors_together(made, units, points)
    np.testing.assert_allclose(np.diag(found), made.error**2)
    np.testing.assert_allclose(found / np.outer(made.error, made.error), truth, atol=0.03)
    few = generator.normal(size=(40, 10))
    hang = errors_together(*_missed(few))
    plain = few.T @ few / 40
    apart = ~np.eye(10, dtype=bool)
    assert np.abs(hang[apart]).max() < 0.35 * np.abs(plain[apart]).max()
    assert np.linalg.eigvalsh(hang).min() > 0.3


def test_an_outcome_without_error_hangs_together_with_nothing() -> None:
    """Zero over zero is no correlation; and one that was not at every point is not counted as if it had been."""
    errors = np.random.default_rng(5).normal(size=(30, 3))
    errors[:, 1] = 0.0
    errors[4, 2] = math.nan
    made, units, points = _missed(errors)
    made = replace(made, error=np.array([made.error[0], 0.0, 0.7]))
    found = errors_together(made, units, points)
    np.testing.assert_allclose(found, np.diag([made.error[0] ** 2, 0.0, 0.49]))


def test_known_values_are_found_as_surely_as_is_said_only_with_errors_together() -> None:
    """400 data sets of a cheap world whose ten outcomes an emulator misses together: ranks are even by the joint one.

    Read as independent the same errors leave an interval far too narrow, and the ranks say so: a test that both passed
    would test nothing.
    """
    diary = GROUPS["alcohol-diaries"]
    row = diary.rows[0]
    generator = np.random.default_rng(6)
    along, error = np.linspace(0.6, 1.4, 10), 0.5
    covariance = error**2 * (0.85 + 0.15 * np.eye(10))
    own = 0.3**2 * (0.3 + 0.7 * np.eye(10))
    grid = np.linspace(-4.0, 4.0, 801)
    prior = norm.logpdf(grid)
    ranks: dict[str, list[float]] = {"together": [], "independent": []}
    for _ in range(400):
        truth = generator.normal()
        read = generator.multivariate_normal(truth * along, covariance + own)
        one = replace(diary, rows=(replace(row, value=read, covariance=own),))
        found = grid[:, None] * along
        logs = {
            "together": _together(one, covariance, found), "independent": _separate(one, found, np.full(10, error)),
        }  # fmt: skip
        for name, log in logs.items():
            weights = np.exp(prior + log - (prior + log).max())
            ranks[name].append(float(weights[grid < truth].sum() / weights.sum()))
    assert kstest(ranks["together"], "uniform").pvalue > 0.01
    assert kstest(ranks["independent"], "uniform").pvalue < 1e-6


def test_rows_alone_read_errors_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third wave lies where the likelihood of the fit puts it, which is this one."""
    heard: list[int] = []

    def counted(*args: Any, **kwargs: Any) -> Any:
        heard.append(1)
        return together_log(*args, **kwargs)

    monkeypatch.setattr("remission.calibration.groups.together_log", counted)
    monkeypatch.setattr(rows_alone, "_STEPS", 1)
    cohort = GROUPS["opioid-dublin"]
    n = len(cohort.box)
    made = Emulator(
        points=np.zeros((1, n)), lengths=np.ones((2, n)), weights=np.zeros((2, 1)),
        constants=np.array([0.5, 1.2]), error=np.full(2, 0.1), rms=np.zeros(2), r2=np.zeros(2),
    )  # fmt: skip
    told = GroupData(targets=cohort, emulator=made, together=0.01 * np.ones((2, 2)))
    draws = rows_alone.rows_alone(PLAN, "opioid", (told,), n=50, generator=np.random.default_rng(7))
    assert heard
    assert group_columns(PLAN, told, draws).shape == (50, n)


def _data(name: str) -> GroupData:
    made: Any = None
    return GroupData(targets=GROUPS[name], emulator=made)


def test_a_substance_that_shares_no_value_is_a_part_of_its_own() -> None:
    """Sampled with the rest it would lengthen every step; one that shares a value must not be cut off."""
    groups = tuple(_data(name) for name in GROUPS)

    class Trial:
        def __init__(self, targets: Any) -> None:
            self.targets = targets

    trials: Any = tuple(Trial(one) for one in trial_targets(PLAN))
    parts = parts_of(PLAN, trials, groups)
    assert list(parts) == ["trials", "cannabis", "methamphetamine"]
    plan, its_trials, its_groups = parts["trials"]
    assert plan.wide is not None
    assert plan.wide.fits == ("alcohol", "cocaine", "opioid", "nicotine")
    assert its_trials == trials
    assert {one.targets.group.id for part in parts.values() for one in part[2]} == set(GROUPS)
    assert sum(len(part[2]) for part in parts.values()) == len(groups)
    assert {"mood", "craving", "smokers"} <= {one.targets.group.id for one in its_groups}
    alone, no_trials, _ = parts["cannabis"]
    assert (no_trials, alone.trial) == ((), ())
    # Without its trial nicotine stands alone too; substances with people whom a shared value moves do not.
    assert list(parts_of(PLAN, (), groups)) == ["trials", "opioid", "nicotine", "cannabis", "methamphetamine"]


def test_parts_are_joined_with_the_worst_of_each() -> None:
    """What one part did not reach must not be hidden by the others."""
    groups = {"trials": (_data("smokers"),), "cannabis": (_data("cannabis-cohort"),)}
    own = [f"{name}.cannabis" for name in GROUPS["cannabis-cohort"].names[:-1]] + ["level.cannabis-cohort"]

    def part(names: list[str], r_hat: float, draws: float, divergent: float, at: float) -> Fit:
        drawn: dict[str, np.ndarray] = {name: np.full(5, at) for name in names}
        return Fit(
            draws={**drawn, "row_log": np.full((5, 1), at)}, r_hat=r_hat, effective_draws=draws, divergent=divergent,
            log_likelihood=np.zeros((5, 0)), worst=f"of {at:g}",
        )  # fmt: skip

    main, other = part(["mean"], 1.001, 300.0, 0.02, 1.0), part(["mean", *own], 1.02, 900.0, 0.0, 2.0)
    fit = joined(PLAN, {"trials": main, "cannabis": other}, groups)
    assert (fit.r_hat, fit.worst, fit.effective_draws, fit.divergent) == (1.02, "of 2", 300.0, 0.02)
    assert fit.draws["mean"][0] == 1.0
    assert all(fit.draws[name][0] == 2.0 for name in own)
    np.testing.assert_array_equal(fit.draws["row_log"], [[1.0, 2.0]] * 5)


def test_an_emulator_beside_another_is_finer_where_it_is_and_leaves_that_one_elsewhere() -> None:
    """Third waves are small: an emulator of theirs alone would say their middle of everything far from them."""
    generator = np.random.default_rng(9)

    def points(units: np.ndarray) -> list[Point]:
        values = np.sin(3.0 * units[:, :1]) + units[:, 1:] ** 2
        return [Point(mean=one, covariance=np.zeros((1, 1)), z=_NONE, z_sd=_NONE, n_trials=2) for one in values]

    wide = generator.uniform(-1.0, 1.0, size=(40, 2))
    base = fit_emulator(wide, points(wide), n_draws=24)
    near = 0.5 + 0.08 * generator.normal(size=(60, 2))
    made = fit_emulator(near, points(near), n_draws=40, base=base)
    assert made.error[0] < 0.3 * math.sqrt(
        np.mean((base.at(near[40:])[:, 0] - outcomes_of(points(near[40:]))[0][:, 0]) ** 2)
    )
    assert made.error[0] == pytest.approx(math.sqrt(np.mean(
        (made.at(near[40:]) - outcomes_of(points(near[40:]))[0]) ** 2)))  # fmt: skip
    far = np.array([[-0.9, -0.9], [-0.5, 0.9]])
    own = replace(made, base=None).at(far) - made.constants
    np.testing.assert_allclose(made.at(far), base.at(far) + made.constants + own)
    assert made.r2[0] > 0.99


def test_the_model_that_is_sampled_says_of_rows_what_everybody_reads() -> None:
    """Emulators and likelihood are written once for the sampler and once for its judges: at one draw, both."""
    numpyro = pytest.importorskip("numpyro")
    import jax

    jax.config.update("jax_enable_x64", True)
    generator = np.random.default_rng(10)
    groups = []
    for name in ("cannabis-cohort", "cannabis-diaries"):
        one = GROUPS[name]
        k, n = len(one.box), len(one.outputs)
        read = _near(one, n=1)[0]
        base = Emulator(
            points=generator.uniform(-1.0, 1.0, (6, k)), lengths=np.full((n, k), 1.5), constants=read,
            weights=0.01 * generator.normal(size=(n, 6)), error=np.full(n, 0.01), rms=np.zeros(n), r2=np.zeros(n),
        )  # fmt: skip
        made = replace(base, points=0.3 * base.points, constants=np.zeros(n), base=base)
        groups.append(GroupData(targets=one, emulator=made, together=_covariance(n, 0.01)))
    plan = parts_of(PLAN, (), tuple(groups))["cannabis"][0]
    model = posterior_model(plan, (), groups=tuple(groups))
    drawn = numpyro.handlers.trace(numpyro.handlers.seed(model, jax.random.PRNGKey(1))).get_trace(())
    values = {name: np.asarray(site["value"])[None] for name, site in drawn.items() if site["type"] == "deterministic"}
    assert values["row_log"].shape == (1, 2)
    for place, told in enumerate(groups):
        found = told.emulator.at(group_columns(plan, told, values))
        (expected,) = told.logs(found, xp=np, special=special)
        assert values["row_log"][0, place] == pytest.approx(float(expected[0]), rel=1e-8)


def test_a_fit_of_people_without_trials_is_told_like_any_other() -> None:
    """What belongs to trials has no column then: a reshape of nothing ended the fit after all its work."""
    pytest.importorskip("numpyro")
    generator = np.random.default_rng(11)
    drawn = {
        "_effect": np.zeros((2, 50, 0)), "effect": np.zeros((2, 50, 0)), "log_likelihood": np.zeros((2, 50, 0)),
        "_l1.cannabis": generator.normal(size=(2, 50)), "l1.cannabis": np.arange(100.0).reshape(2, 50),
        "row_log": generator.normal(size=(2, 50, 3)), "diverging": np.zeros((2, 50)),
    }  # fmt: skip
    fit = fit_of((), drawn, ())
    assert (fit.draws["effect"].shape, fit.log_likelihood.shape) == ((100, 0), (100, 0))
    assert fit.draws["row_log"].shape == (100, 3)
    np.testing.assert_array_equal(fit.draws["l1.cannabis"], np.arange(100.0))
    assert fit.worst == "l1.cannabis"


def test_the_sampler_reads_the_same_likelihood() -> None:
    """JAX and NumPy by one function: where the extra ``calibrate`` is installed."""
    jax = pytest.importorskip("jax")
    from jax.scipy import special as of_jax

    jax.config.update("jax_enable_x64", True)
    for one in GROUPS.values():
        n = len(one.outputs)
        covariance, found = _covariance(n, 0.02), _near(one, n=1)[0]
        made = together_log(one, covariance, jax.numpy.asarray(found), xp=jax.numpy, special=of_jax)
        assert float(made) == pytest.approx(float(_together(one, covariance, found)), rel=1e-9)


@pytest.mark.parametrize(
    ("n", "events", "doubt"), [(40, 0, 0.3), (2000, 640, 0.5), (2000, 2000, 0.1), (30000, 900, 1.0)]
)
def test_a_count_of_many_people_is_averaged_where_it_lies(n: int, events: int, doubt: float) -> None:
    """By quadrature that knows nothing of places: fixed ones see a narrow count at one of them or between two.

    Then a sampler finds one peak for each place, and what is between them is lost.
    """
    one = next(row for told in GROUPS.values() for row in told.rows if row.row.kind == "count" and row.given is None)
    one = replace(one, first=0, last=1, events=events, n=n)
    found = np.linspace(-4.0, 4.0, 81)
    made = row_log(one, found[:, None], np.array([doubt]), xp=np, special=special)
    x, step = np.linspace(-14.0, 14.0, 56001, retstep=True)
    sure = row_log(one, x[:, None], np.zeros(1), xp=np, special=special)
    expected = [special.logsumexp(sure + norm.logpdf(x, at, doubt)) + math.log(step) for at in found]
    np.testing.assert_allclose(made, expected, atol=0.02)
    # One peak: the slope changes its sign once.
    assert (np.diff(np.sign(np.diff(made))) != 0).sum() <= 1
