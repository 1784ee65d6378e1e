"""Forecasts that are written once and scored, and explanations that add nothing of their own."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from validation.small_trials import small_protocol

from remission.cli.app import run_app
from remission.errors import NameTakenError, SpecError
from remission.evidence.standardized import Law
from remission.foresight.draws import closed_regions, new_trials, parameters_of_draw
from remission.foresight.explain import Explanation, _Doubt, _Form, _left, closed, explain_trial
from remission.foresight.forecast import VERDICTS, Forecast, forecast_trial, law_of_file, register_forecast
from remission.foresight.score import crps_of, read_outcome, score_forecast
from remission.library.closed_links import REGIONS
from remission.library.explanations import StudyShape, links
from remission.library.posteriors import load_posterior
from remission.library.protocols import load_protocol
from remission.patient.backgrounds import course_parameters_of

POINTS = {"unit": "percentage points", "is_log": False, "favors_treatment": "larger"}
RATIO = {"unit": "ratio", "is_log": True, "favors_treatment": "smaller"}
SOURCE = "doi 10.1000/abc"


@pytest.fixture(scope="module")
def forecast() -> Forecast:
    """A forecast of a small trial of days abstinent."""
    return forecast_trial(small_protocol(), n_draws=20, n_replicates=3)


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    """The explanation of the same trial."""
    return explain_trial(small_protocol(), n_draws=100, n_people=100)


def test_a_forecast_says_what_made_it_and_what_would_count_against_it(forecast: Forecast) -> None:
    """Without protocol, posterior, seed, day and baselines it could be explained either way afterwards."""
    content = forecast.content
    assert content["protocol"]["content_hash"] == small_protocol().content_hash
    assert content["posterior"]["sha256"] == load_posterior().sha256
    assert {"seed", "written", "commit", "source_sha256", "stacking_weight"} <= content.keys()
    assert set(forecast.models) == {"chain", "baseline", "stacked", "no effect"}
    assert len(content["counts_against_it"]) >= 8
    for model in forecast.models.values():
        assert sum(model["verdict"][name] for name in VERDICTS) == pytest.approx(1.0, abs=1e-5)
        law = law_of_file(model["law"])
        # The file's few digits are the law that is scored.
        assert law.quantiles(np.array([0.05, 0.95])) == pytest.approx(
            [model["quantiles"]["5%"], model["quantiles"]["95%"]], abs=1e-3 * law.sd
        )
    # The weight is 0: nothing of the chain is in the stacked answer.
    assert content["stacking_weight"] == 0.0
    assert forecast.models["stacked"] == forecast.models["baseline"]
    assert forecast.models["no effect"]["sd"] == pytest.approx(content["standard_error"], rel=1e-4)
    assert json.loads(forecast.to_json()) == content


def test_the_same_seed_forecasts_the_same(forecast: Forecast) -> None:
    """A forecast that its command does not make again is a claim."""
    again = forecast_trial(small_protocol(), n_draws=20, n_replicates=3)
    assert again.content["models"] == forecast.content["models"]
    other = forecast_trial(small_protocol(), n_draws=20, n_replicates=3, seed=1)
    assert other.content["models"]["chain"] != forecast.content["models"]["chain"]


def test_a_forecast_is_written_once(forecast: Forecast, tmp_path: Path) -> None:
    """One that can be written again can be corrected after the result."""
    path = tmp_path / "forecast.json"
    register_forecast(forecast, path)
    before = path.read_bytes()
    with pytest.raises(NameTakenError):
        register_forecast(forecast, path)
    assert path.read_bytes() == before


def test_people_of_a_draw_have_a_level_of_their_own() -> None:
    """Left at the natural history, levels would be forecast far too surely."""
    draws = new_trials(load_posterior(), load_protocol("kare"), 400, seed=3)
    levels = np.array([one["level"] for one in draws])
    assert 0.5 < levels.std() < 1.0
    base = course_parameters_of(load_protocol("kare"))
    moved = parameters_of_draw(load_protocol("kare"), {"level": 1.0})
    assert moved.l1 > base.l1
    assert moved.use_effect == base.use_effect


def test_the_same_draws_with_another_seed_are_other_trials_of_the_same_world() -> None:
    """A study tells nothing of the next trial's own difference, and all of what both share."""
    row = np.arange(200)
    one, other = (new_trials(load_posterior(), load_protocol("kare"), 200, seed=seed, row=row) for seed in (1, 2))
    shared = [[each["half_use_day"] for each in draws] for draws in (one, other)]
    assert shared[0] == shared[1]
    assert [each["use_effect"] for each in one] != [each["use_effect"] for each in other]


def test_the_score_of_a_mixture_is_that_of_its_draws() -> None:
    """The closed form against its definition by a large sample, and against the normal's own formula."""
    law = Law(center=np.array([-1.0, 2.0]), spread=np.array([0.5, 1.0]), weight=np.array([0.3, 0.7]))
    generator = np.random.default_rng(1)
    part = generator.choice(2, size=(2, 200_000), p=law.weight)
    draws = generator.normal(law.center[part], law.spread[part])
    sampled = np.abs(draws[0] - 0.7).mean() - 0.5 * np.abs(draws[0] - draws[1]).mean()
    assert crps_of(law, 0.7) == pytest.approx(sampled, abs=0.01)
    one = Law(center=np.zeros(1), spread=np.ones(1), weight=np.ones(1))
    exact = 0.5 * (2 * norm.cdf(0.5) - 1) + 2 * norm.pdf(0.5) - 1 / np.sqrt(np.pi)
    assert crps_of(one, 0.5) == pytest.approx(exact)


def test_scores_are_those_of_the_laws_in_the_file(forecast: Forecast, tmp_path: Path) -> None:
    """Years later the file is all there is."""
    path = tmp_path / "forecast.json"
    register_forecast(forecast, path)
    told = ["estimate=3", "low=-4", "high=10", "unit=percentage points", f"source={SOURCE}"]
    found = score_forecast(path, told)
    assert found.outcome.verdict == "no difference"
    assert found.log_score["no effect"] == pytest.approx(
        norm.logpdf(3.0, 0.0, forecast.content["standard_error"]), abs=1e-3
    )
    assert found.probability["no effect"] == pytest.approx(0.95)
    assert found.log_score["stacked"] == found.log_score["baseline"]
    words = score_forecast(path, {"verdict": "helps", "n": 20, "source": SOURCE})
    assert set(words.log_score.values()) == {None}
    assert words.probability["baseline"] == pytest.approx(forecast.models["baseline"]["verdict"]["helps"])


def test_the_forecasts_of_november_can_be_scored_too() -> None:
    """They are on record, and their files never change."""
    for name in ("default", "evidence"):
        path = Path(__file__).resolve().parents[2] / "docs" / "forecasts" / f"more-kare-{name}.json"
        found = score_forecast(path, ["estimate=-4", "low=-8", "high=0", "unit=percentage points", f"source={SOURCE}"])
        assert all(np.isfinite(float(one or 0.0)) for one in found.log_score.values())
        assert sum(found.probability.values()) > 0.0


GOOD: dict[str, Any] = {"estimate": -4.0, "low": -8.0, "high": -0.5, "unit": "percentage points", "source": SOURCE}


@pytest.mark.parametrize(("changes", "words"), [
    ({"low": None}, "low: got nothing"),
    ({"low": -3.0}, "inside of its interval"),
    ({"low": -0.5}, "inside of its interval"),
    ({"unit": None}, "unit: got nothing"),
    ({"unit": "days"}, "unit: got days"),
    ({"estimate": "four"}, "estimate: got four"),
    ({"estimate": float("nan")}, "estimate: got nan"),
    ({"estimate": True}, "estimate: got True"),
    ({"high": "1_0"}, "high: got 1_0"),
    ({"verdict": "helps"}, "as the interval from -8 to -0.5 says"),
    ({"verdict": "works"}, "verdict: got works"),
    ({"source": None}, "a memory is never scored"),
    ({"source": "a newspaper"}, "a memory is never scored"),
    ({"n": 1}, "n: got 1"),
    ({"n": 10_000}, "the forecast was of 96"),
    ({"n": 50.5}, "n: got 50.5"),
    ({"p": 0.04}, "result: got p"),
    ({"estimate": None, "low": None, "high": None}, "an estimate with its interval, or a verdict"),
    ({"estimate": None, "low": None, "high": None, "verdict": "helps"}, "n: got nothing"),
])  # fmt: skip
def test_a_result_that_contradicts_itself_is_refused(changes: dict[str, Any], words: str) -> None:
    """A score of a result that was typed wrongly stays on record as the model's."""
    given = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    with pytest.raises(SpecError) as error:
        read_outcome(given, POINTS, planned=96)
    assert words in str(error.value)


def test_a_verdict_follows_the_interval_and_its_direction() -> None:
    """A hazard ratio below one helps; an end that rounding put on no effect leaves both verdicts open."""
    ratio = {"estimate": 0.5, "low": 0.3, "high": 0.9, "unit": "ratio", "source": SOURCE}
    assert read_outcome(ratio, RATIO, planned=96).verdict == "helps"
    assert read_outcome({**ratio, "estimate": 2.0, "low": 1.2, "high": 4.0}, RATIO, planned=96).verdict == "harms"
    with pytest.raises(SpecError, match="above 0"):
        read_outcome({**ratio, "low": -0.1}, RATIO, planned=96)
    near = {**GOOD, "high": 0.0}
    assert read_outcome(near, POINTS, planned=96).verdict in {"harms", "no difference"}
    for says in ("harms", "no difference"):
        assert read_outcome({**near, "verdict": says}, POINTS, planned=96).verdict == says


def test_texts_and_names_say_the_same() -> None:
    """A result of the command line and one of Python are one result; a name twice is none."""
    texts = [f"{name}={value}" for name, value in GOOD.items()]
    assert read_outcome(texts, POINTS, planned=96) == read_outcome(GOOD, POINTS, planned=96)
    for wrong in (["estimate"], ["estimate=1", "estimate=2"], ["=3"], []):
        with pytest.raises(SpecError):
            read_outcome(wrong, POINTS, planned=96)


@pytest.mark.parametrize("content", [
    "[]", "{}", '{"format": "remission/forecast/2"}', '{"format": "remission/forecast/1"}', "no json",
    '{"format": "remission/forecast/2", "models": []}',
])  # fmt: skip
def test_what_is_no_forecast_is_not_scored(tmp_path: Path, content: str) -> None:
    """A half file would be scored on its half."""
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(SpecError):
        score_forecast(path, GOOD)
    with pytest.raises(SpecError, match="no file"):
        score_forecast(tmp_path / "b.json", GOOD)


@pytest.mark.parametrize(("words", "says"), [
    (["forecast", "score"], "got no FILE"),
    (["forecast", "kare", "a.json"], "only after score"),
    (["forecast", "kare", "--result", "verdict=helps"], "only after score"),
    (["forecast", "kare", "--out", "a.json"], "without --register"),
    (["forecast", "kare", "--draws", "3"], "--draws: got 3"),
    (["forecast", "kare", "--effect-model", "best"], "got best"),
    (["forecast", "dakwar-2019", "--analysis", "craving-ketamine"], "craving-ketamine (mean_craving)"),
    (["forecast", "cold-turkey"], "got"),
    (["forecast", "score", "a.json", "--register"], "--register: got given with score"),
    (["explain", "kare", "--study", "many"], "--study: got many"),
    (["explain", "kare", "--study", "4@0"], "1 to 64 sites"),
    (["explain", "kare", "--people", "7"], "--people: got 7"),
    (["explain", "kare", "--picture", "a.png"], "the ending .svg"),
])  # fmt: skip
def test_a_wrong_command_is_told_before_any_work(
    capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    """Minutes of draws for a typing error would be lost."""
    assert run_app(words) == 2
    assert says in capsys.readouterr().err


def test_a_closed_link_takes_out_what_it_says_and_nothing_else() -> None:
    """The part through craving and the part beside it are the whole; all regions closed leave no effect on use."""
    kare = load_protocol("kare")
    base = course_parameters_of(kare).replace(use_effect=0.8, craving_share=0.25, k_c=0.4)
    by = {one.id: closed(one, kare, base)[1] for one in links()}
    assert by["use"] == base.replace(use_effect=0.0)
    assert by["craving"] == base.replace(k_c=0.0)
    assert by["share"].use_effect == pytest.approx(0.6)
    assert by["share"] == base.replace(use_effect=by["share"].use_effect, craving_share=0.0)
    assert closed_regions(base, tuple(REGIONS)).use_effect == 0.0
    habit, control = (closed_regions(base, (name,)).use_effect for name in ("habit", "control"))
    assert habit + control == pytest.approx(base.use_effect)
    # Nothing is stated of expectancy, so there is nothing to close.
    assert closed(next(one for one in links() if one.belief), kare, base) == (kare, base)


def test_an_explanation_has_no_effect_left_without_the_effect(explanation: Explanation) -> None:
    """In a trial whose sides differ in the drug alone, the drug's effect on use is all there is."""
    found = explanation.found
    parts = {one.id: one for one in found.parts}
    assert parts["use"].left is not None
    assert parts["use"].left.mean == pytest.approx(0.0, abs=1e-9)
    assert parts["use"].through == found.effect
    assert parts["belief"].through is None
    assert "states no expectancy" in parts["belief"].says
    assert parts["gate"].through is None
    assert "use_effect" in {one.id for one in found.movers[:3]}
    moved = next(one for one in found.movers if one.id == "use_effect")
    assert moved.high.mean > moved.low.mean
    assert found.effect.low <= found.effect.mean <= found.effect.high
    assert any("halve" in one for one in found.says)


def test_more_people_and_more_sites_leave_less_doubt(explanation: Explanation) -> None:
    """A study that knows more and leaves more would be a fault of the regression."""
    found = {(one.people, one.sites): one.left for one in explanation.found.studies}
    n = small_protocol().population.n_subjects
    assert found[n, 1] > found[4 * n, 1] > found[None, 1]
    assert found[16 * n, 16] < found[4 * n, 4] < 1.0
    # The next trial's own difference stays, whatever was studied.
    assert all(one.left_next > 0.3 for one in explanation.found.studies)


def test_doubt_that_is_left_is_that_of_a_normal() -> None:
    """For normals sd(T | y) = sd(T)*sqrt(1 - r**2); what is told exactly tells all, what is unrelated nothing."""
    generator = np.random.default_rng(4)
    truth = generator.normal(size=20_000)
    told = truth + generator.normal(size=truth.size)
    assert _left(truth, told) == pytest.approx(np.sqrt(0.5), abs=0.01)
    assert _left(truth, truth) == pytest.approx(0.0, abs=1e-6)
    assert _left(truth, generator.normal(size=truth.size)) == pytest.approx(1.0, abs=0.01)
    assert _left(truth, np.zeros_like(truth)) == 1.0


def test_studies_are_not_valued_by_a_form_that_explains_little() -> None:
    """A number from it would look like any other."""
    generator = np.random.default_rng(6)
    trials = generator.normal(size=(50, 3))
    shape = (StudyShape(people=4, sites=2),)
    known = _Doubt(trials=trials, mean=trials.mean(axis=1), r2=0.9).worths(shape, 20, 0.1, 1)
    assert [one.people for one in known] == [80]
    assert _Doubt(trials=trials, mean=trials.mean(axis=1), r2=0.3).worths(shape, 20, 0.1, 1) == ()


def test_the_smooth_form_learns_what_it_can_and_says_when_it_cannot() -> None:
    """Studies are valued by it: noise that it called knowledge would be sold as such."""
    generator = np.random.default_rng(5)
    draws = [{"level": a, "use_effect": b, "k_c": c} for a, b, c in generator.normal(size=(200, 3)).tolist()]
    clear = np.array(
        [3.0 * one["use_effect"] + one["use_effect"] * one["level"] + 0.5 * one["k_c"] ** 2 for one in draws]
    )
    assert _Form.fitted(draws, clear).r2 > 0.97
    assert _Form.fitted(draws, generator.normal(size=200)).r2 < 0.1
