"""Values drawn anew for each trial: what a posterior says, at addresses, and the three intervals that follow."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from validation import posterior_means
from validation.small_trials import small_protocol

from remission.design.effect_models import assurance_models
from remission.design.study import design_trial
from remission.errors import RunError, SpecError
from remission.library.posteriors import LEVEL, load_posterior
from remission.library.protocols import load_protocol
from remission.numerics.tallies import Measure
from remission.patient.backgrounds import course_parameters_of
from remission.patient.drawn import DRAWN, Drawing, TrialDraws
from remission.records.parameter import DEFAULT_POSTERIOR
from remission.report.numbers import drawn_words
from remission.trial.intervals import split_spread
from remission.trial.simulate import plan_trial, simulate_trial
from remission.trial.summary import summarize_trial


def draws_of(count: int, *, first: int = 0, without: tuple[str, ...] = ()) -> TrialDraws:
    """Draws for a small trial."""
    protocol = small_protocol()
    return Drawing.of(DEFAULT_POSTERIOR, without=without).trials(
        seed=3, first=first, count=count, substance=protocol.substance, parameters=course_parameters_of(protocol)
    )


def test_a_draw_belongs_to_its_replicate() -> None:
    """A draw that depended on how many were asked for would make every chunk another trial."""
    whole, later = draws_of(50), draws_of(20, first=30)
    for name in DRAWN:
        np.testing.assert_array_equal(whole.values[name][30:], later.values[name])


def test_draws_are_those_of_the_posterior() -> None:
    """Means and spreads of 20,000 draws, within 5 errors of the posterior's: a wrong column would be another model."""
    found, posterior = draws_of(20_000), load_posterior()
    d = posterior.draws
    for name, column in (("use_effect", d["substance.alcohol"]), ("k_c", d["k_c"]), ("e_half", d["e_half"])):
        error = column.std() / np.sqrt(20_000)
        assert abs(found.shared[name].mean() - column.mean()) < 5.0 * error
    own = found.own["use_effect"]
    assert abs(own.mean()) < 5.0 * own.std() / np.sqrt(own.size)
    assert own.std() == pytest.approx(float(np.sqrt((d["tau"] ** 2).mean())), rel=0.1)
    assert found.own[LEVEL].std() == pytest.approx(0.75, rel=0.05)


def test_a_value_that_is_set_is_not_drawn_and_moves_no_other() -> None:
    """--set use_effect=0 asks what happens without an effect, everything else as unknown as before."""
    free, fixed = draws_of(40), draws_of(40, without=("use_effect",))
    assert np.ptp(fixed.values["use_effect"]) == 0.0
    for name in set(DRAWN) - {"use_effect"}:
        np.testing.assert_array_equal(free.values[name], fixed.values[name])
    plan = plan_trial(small_protocol(), n_replicates=2, seed=1, changes={"use_effect": 0.0})
    assert plan.drawing is not None
    assert "use_effect" not in plan.drawing.names
    assert plan.parameters.use_effect == 0.0


def test_values_that_are_given_whole_are_everybodys() -> None:
    """One set of values is what a null, a truth and a calibration point need."""
    values = course_parameters_of(small_protocol())
    assert plan_trial(small_protocol(), n_replicates=2, seed=1, parameters=values).drawing is None
    assert plan_trial(small_protocol(), n_replicates=2, seed=1, parameter_set="model-form-2026").drawing is None


def test_draws_of_another_posterior_are_refused() -> None:
    """A run begun with other draws and finished with these would be neither."""
    protocol = small_protocol()
    other = replace(Drawing.of(DEFAULT_POSTERIOR), sha256="0" * 64)
    plan = plan_trial(protocol, n_replicates=1, seed=1, parameters=course_parameters_of(protocol), drawing=other)
    with pytest.raises(RunError, match=DEFAULT_POSTERIOR):
        plan.run(plan.chunks[0])
    for told in (DEFAULT_POSTERIOR, {"posterior": DEFAULT_POSTERIOR, "names": ["no_such"]}, {"names": 3}):
        with pytest.raises(SpecError, match="drawing"):
            Drawing.from_stored(told)


def test_the_set_of_means_is_that_of_the_posterior() -> None:
    """A value changed by hand would belong to no posterior."""
    place = Path(posterior_means.FOLDER, f"{DEFAULT_POSTERIOR}.toml")
    assert place.read_text("utf-8") == posterior_means.means(load_posterior())


@pytest.mark.parametrize(
    ("shared", "own", "noise"), [(2.0, 0.0, 1.0), (0.0, 3.0, 1.0), (0.0, 0.0, 1.0), (2.0, 2.0, 5.0)]
)
def test_the_intervals_say_what_made_the_numbers_vary(shared: float, own: float, noise: float) -> None:
    """Known parts put together: chance is what it was, values are what they were, and neither takes the other's."""
    n = 2000
    draws = draws_of(n)
    rng = np.random.default_rng(5)

    def unit(column: np.ndarray) -> np.ndarray:
        return np.asarray((column - column.mean()) / column.std())

    y = 10.0 + shared * unit(draws.shared["k_g"]) + own * unit(draws.own[LEVEL]) + noise * rng.normal(size=n)
    found = split_spread(y, np.full(n, noise), draws)
    assert found is not None
    assert found.parameters is not None
    center = y.mean()
    assert found.sampling == pytest.approx((center - 1.96 * noise, center + 1.96 * noise), abs=0.01)
    width = found.parameters[1] - found.parameters[0]
    expected = shared * float(np.ptp(np.quantile(unit(draws.shared["k_g"]), [0.025, 0.975])))
    # Of 12 columns chance leaves a part of noise*sqrt(12/n) or so.
    assert width == pytest.approx(expected, abs=0.15 * expected + 4.0 * noise * np.sqrt(12.0 / n))


def test_what_chance_could_hide_is_not_called_nothing() -> None:
    """Beside much chance a true spread of the values is told with at least half of its width, for any seed of sixty."""
    n, noise = 200, 5.0
    draws = draws_of(n)
    column = draws.shared["k_g"]
    unit = (column - column.mean()) / column.std()
    truth = float(np.ptp(np.quantile(unit, [0.025, 0.975])))
    for seed in range(60):
        y = unit + noise * np.random.default_rng(seed).normal(size=n)
        found = split_spread(y, np.full(n, noise), draws)
        assert found is not None
        assert found.parameters is not None
        assert found.parameters[1] - found.parameters[0] > 0.5 * truth


def test_few_replicates_say_nothing_of_the_values() -> None:
    """A regression on as many columns as trials would explain everything."""
    draws = draws_of(20)
    found = split_spread(np.arange(20.0), np.ones(20), draws)
    assert found is not None
    assert found.parameters is None
    assert split_spread(np.full(20, np.nan), np.ones(20), draws) is None


def test_a_run_and_the_assurance_of_its_design_are_one() -> None:
    """All commands agree: the same trials under the same draws."""
    protocol = small_protocol()
    run = simulate_trial(protocol, n_replicates=120, seed=9)
    design = design_trial(protocol, max_replicates=120, mcse=1e-9, seed=9)
    (told,) = design.content["over_posterior"]
    p_value = run.estimates[design.plan.analysis].p_value
    assert told["rejected"]["value"] == pytest.approx(float((p_value < 0.05).mean()))
    row = summarize_trial(run).row(design.plan.analysis)
    assert row.sampling is not None
    assert row.parameters is not None
    assert row.simulated_low <= row.sampling[1]


def test_the_less_favourable_assurance_is_told_first() -> None:
    """The average of published effects knows nothing of trials that were not published."""
    found = {
        "n_replicates": 100,
        "posterior": DEFAULT_POSTERIOR,
        "models": {"chain": "a", "baseline": "b", "stacked": "c"},
    }
    for least, start in (("chain", "a by the chain"), ("baseline", "b by the average effect")):
        assert drawn_words({**found, "least": least}, str).startswith(start)
    alone = drawn_words({**found, "models": {"chain": "a"}, "least": "chain"}, str)
    assert "other trials" not in alone
    measure = Measure(value=0.4, mcse=0.02)
    told = assurance_models(load_protocol("kare"), "pda-ketamine", measure, standard_error=5.0, alpha=0.05)
    values = {name: one["value"] for name, one in told["models"].items()}
    assert told["models"][told["least"]]["value"] == min(values["chain"], values["baseline"])
    assert min(values.values()) <= values["stacked"] <= max(values.values())


def test_no_interval_leaves_what_a_number_can_be() -> None:
    """Of few people a share near none has a wide error: below nothing, or above all, there are no people."""
    summary = summarize_trial(simulate_trial(small_protocol(), n_replicates=60, seed=11))
    stopped = 0
    for row in summary.rows:
        if row.kind == "arm" and row.unit.startswith("%"):
            for interval in (row.sampling, row.parameters):
                assert interval is not None
                low, high = interval
                assert 0.0 <= low <= row.simulated_mean <= high <= 100.0
                stopped += low == 0.0 or high == 100.0
    assert stopped > 0
