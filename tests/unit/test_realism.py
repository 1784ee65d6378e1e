"""The statistics of diaries that are stored for calibration, and the machine that tells diaries apart."""

from itertools import pairwise

import numpy as np
import pytest
from validation.realism.__main__ import across
from validation.realism.fit import PULLS, Found, fit, match_level, match_spread, read_found, values_at
from validation.realism.score import summaries, tell_apart
from validation.realism.statistics import DEFINITIONS, diary_statistics, longest_stretch, searched_too, with_errors
from validation.realism.windows import BASELINE_DAYS, N_DAYS, NAMES, Window, simulated_use

from remission.library.loader import load_parameter_set
from remission.library.references import load_reference
from remission.patient.parameters import CourseParameters, load_course_parameters, meaningful_range
from remission.records.packaged import packaged_toml
from remission.records.substance import Substance


def by_hand(use: list[list[int]]) -> dict[str, float]:
    """Some of the statistics once more, person by person and day by day."""
    n_days = len(use[0])
    product = {lag: [0.0, 0] for lag in (1, 7)}
    square, days, after = 0.0, 0, {0: [0, 0], 1: [0, 0]}
    runs: list[int] = []
    clean: list[int] = []
    for person in use:
        mean = sum(person) / n_days
        square += sum((y - mean) ** 2 for y in person)
        days += n_days
        for lag, sums in product.items():
            for day in range(n_days - lag):
                sums[0] += (person[day] - mean) * (person[day + lag] - mean)
                sums[1] += 1
        for yesterday, today in pairwise(person):
            after[yesterday][0] += today
            after[yesterday][1] += 1
        start = 0
        for day in range(1, n_days + 1):
            if day == n_days or person[day] != person[start]:
                if start > 0 and day < n_days:
                    (runs if person[start] else clean).append(day - start)
                start = day
    return {
        **{f"lag_{lag}": (total / pairs) / (square / days) for lag, (total, pairs) in product.items()},
        "after_use": after[1][0] / after[1][1],
        "after_clean": after[0][0] / after[0][1],
        "single_use": runs.count(1) / len(runs),
        "use_run_mean": sum(runs) / len(runs),
        "clean_run_median": float(np.median(clean)),
        "none": sum(not any(person) for person in use) / len(use),
    }


@pytest.mark.parametrize("seed", range(4))
def test_statistics_are_those_of_a_second_computation(seed: int) -> None:
    """Calibration will trust these numbers; a run that crosses from one person to the next would be such a slip."""
    rng = np.random.default_rng(seed)
    use = (rng.random((17, 60)) < rng.beta(0.6, 2.0, size=(17, 1))).astype(float)
    use[0], use[1] = 0.0, 1.0
    found = diary_statistics(use)
    assert set(found) == set(DEFINITIONS)
    for name, value in by_hand(use.astype(int).tolist()).items():
        assert found[name] == pytest.approx(value, rel=1e-12), name


def test_the_standard_error_of_a_share_is_known() -> None:
    """For the share of people without use the bootstrap's error must be the binomial one (within 15%)."""
    use = np.zeros((500, 40))
    use[:200, ::3] = 1.0
    value, error, low, high = with_errors(use, n_resamples=400, seed=3)["none"]
    assert value == 0.6
    assert error == pytest.approx((0.6 * 0.4 / 500) ** 0.5, rel=0.15)
    assert low < value < high


def test_the_machine_cannot_tell_what_is_equal_and_can_tell_what_is_not() -> None:
    """A score that is good for the wrong reason would end the work on the model.

    400 people of each kind: the error of a score of .5 is .02, so five of them (false alarm 1 in a million) are .1.
    """
    rng = np.random.default_rng(8)
    level = rng.beta(0.6, 2.0, size=(800, 1))
    use = (rng.random((800, 84)) < level).astype(float)
    same = tell_apart(summaries(use[:400]), summaries(use[400:]), seed=1)
    assert abs(same.value - 0.5) < 0.1
    assert same.low < same.value < same.high
    weekly = use[400:].copy()
    weekly[:, 7:] = np.where(rng.random((400, 77)) < 0.5, weekly[:, :-7], weekly[:, 7:])
    assert tell_apart(summaries(use[:400]), summaries(weekly), seed=1).value > 0.6


@pytest.mark.parametrize("substance", ["alcohol", "cocaine", "opioid", "cannabis"])
def test_the_stored_statistics_are_whole(substance: str) -> None:
    """Every number has its definition, its error and a source that was read."""
    content = packaged_toml("diaries", "ctn0094.toml")
    statistics = {name: one for name, one in content["substance"][substance].items() if isinstance(one, dict)}
    assert set(statistics) == set(content["definitions"]) == set(DEFINITIONS)
    for name, one in statistics.items():
        assert one["low"] <= one["value"] <= one["high"], name
        assert one["standard_error"] > 0.0 or name == "clean_run_median", name
    assert load_reference(content["source"]).key == "ctn0094"


def random_days(seed: int, n_people: int = 60) -> np.ndarray:
    """Days of people of very different levels."""
    rng = np.random.default_rng(seed)
    return (rng.random((n_people, N_DAYS)) < rng.beta(0.4, 1.6, size=(n_people, 1))).astype(float)


@pytest.fixture(scope="module")
def alcohol() -> CourseParameters:
    """The shipped set."""
    return load_course_parameters(Substance("alcohol"))


@pytest.mark.parametrize("seed", range(3))
def test_what_a_search_looks_at_beside_them_by_a_second_computation(seed: int) -> None:
    """A gap counted one day wrong would move the onset of everybody."""
    use = random_days(seed)
    found = searched_too(use)
    chances: dict[int, list[float]] = {}
    after_lapse = []
    for person in use:
        last: int | None = None
        for day, used in enumerate(person):
            if last is not None:
                gap = day - last - 1
                chances.setdefault(gap, []).append(used)
                if used and gap >= 7 and day + 1 < N_DAYS:
                    after_lapse.append(person[day + 1])
            last = day if used else last
    for first, end in ((1, 1), (2, 3), (4, 7), (8, 14), (15, 28)):
        pooled = [used for gap in range(first, end + 1) for used in chances.get(gap, [])]
        assert found[f"hazard_{first}_{end}"] == pytest.approx(np.mean(pooled), rel=1e-12)
    assert found["lapse_7"] == pytest.approx(np.mean(after_lapse), rel=1e-12)
    weeks = [sum(any(person[k : k + 7]) for k in range(0, N_DAYS, 7)) / (N_DAYS / 7) for person in use]
    assert found["weeks_sd"] == pytest.approx(np.std(weeks), rel=1e-12)
    for value in (0.0, 1.0):
        by_text = [max(len(run) for run in "".join(str(int(y == value)) for y in one).split("0")) for one in use]
        assert longest_stretch(use, value).tolist() == by_text


def test_halves_share_nobody_and_each_has_half_of_every_trial() -> None:
    """Values judged on the people they were searched on would be fit, called prediction."""
    trial = np.array(["27"] * 31 + ["30"] * 8 + ["51"] * 20)
    whole = Window(use=np.arange(59.0)[:, np.newaxis], trial=trial, arm=np.array(["x"] * 59), n_with_use_before=70)
    first, second = whole.halves()
    assert sorted([*first.use[:, 0], *second.use[:, 0]]) == list(range(59))
    for name in ("27", "30", "51"):
        assert abs(int((first.trial == name).sum()) - int((second.trial == name).sum())) <= 1


def test_an_agonist_background_has_nobody_on_naltrexone() -> None:
    """Naltrexone blocks; its days would not be those under buprenorphine or methadone."""
    arm = np.array(["Inpatient BUP", "Inpatient NR-NTX", "Methadone", "Outpatient BUP + EMM", ""])
    whole = Window(use=np.eye(5), trial=np.array(["51", "51", "27", "30", "27"]), arm=arm, n_with_use_before=5)
    assert whole.within(["27", "30", "51"], agonist_only=True).arm.tolist() == [arm[0], arm[2], arm[3]]
    assert len(whole.within(["51"]).use) == 2


def test_the_simulated_of_a_half_have_the_values_of_the_other(
    alcohol: CourseParameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Turned round, the page would show values on their own people as judged on others."""
    monkeypatch.setattr(
        "validation.realism.__main__.simulated_use",
        lambda parameters, *, n_people, seed: np.full((n_people, 1), parameters.l0),
    )
    trial = np.array(["27"] * 30 + ["51"] * 11)
    window = Window(use=np.arange(41.0)[:, np.newaxis], trial=trial, arm=np.array([""] * 41), n_with_use_before=50)
    found = {
        name: Found(values={"l0": l0}, errors={}, misfit=0.0, n_people=20, n_runs=0)
        for name, l0 in (("first half", -1.0), ("second half", -2.0))
    }
    real, days = across(alcohol, found, window)
    first, second = (set(half.use[:, 0]) for half in window.halves())
    for person, value in zip(real[:, 0], days[:, 0], strict=False):
        assert value == (-2.0 if person in first else -1.0)
        assert (person in first) != (person in second)
    assert len(days) == 8_000


def test_matching_meets_the_level_and_the_share_without_use(alcohol: CourseParameters) -> None:
    """Rows called matched must be: shape is what is left to tell apart."""
    found = match_spread(alcohol, mean=0.15, none=0.45, n_people=600, seed=3)
    days = simulated_use(found, n_people=600, seed=3)
    # Half a person in 600, and what the last halving of the interval leaves.
    assert abs((days.sum(axis=1) == 0.0).mean() - 0.45) < 0.02
    assert abs(days.mean() - 0.15) < 0.005
    level = match_level(alcohol, mean=0.15, n_people=600, seed=3)
    assert level.replace(onset_per_day=alcohol.onset_per_day) == alcohol


def test_a_search_comes_nearer_and_stays_where_the_equations_have_a_meaning(alcohol: CourseParameters) -> None:
    """Diaries that the model itself wrote must be met nearly as well as the model meets them with the true values."""
    truth = alcohol.replace(wk=0.0, **values_at(np.tile([0.8, -0.8], len(PULLS) // 2)))
    found = fit(truth, simulated_use(truth, n_people=500, seed=9), n_people=500, most_runs=70)
    assert found.n_runs <= 70
    # About 37 squared distances; 1 each would be chance, and both sides have 500 people.
    assert found.misfit < 2 * 2 * 37
    for name, value in found.values.items():
        low, high = meaningful_range(name)
        assert low <= value <= high, name


def test_what_was_found_is_whole() -> None:
    """The library cites these values; a search that was cut short would leave a substance out."""
    found = read_found()
    assert set(found) == set(NAMES)
    for parts in found.values():
        assert list(parts) == ["all", "first half", "second half", "two trials"]
        assert parts["first half"].n_people + parts["second half"].n_people == parts["all"].n_people
        for one in parts.values():
            assert set(one.values) == set(one.errors) == set(PULLS)
            assert all(error > 0.0 for error in one.errors.values())


def test_simulated_days_are_those_of_people_who_used_before(alcohol: CourseParameters) -> None:
    """The real ones were chosen by it."""
    stays = alcohol.replace(growth_per_day=1e-6, easing_per_day=1e-6, sigma_l=0.0, sigma_k=0.0, sigma_t=0.0)
    users = simulated_use(stays.replace(daily0=1.0, l2=30.0), n_people=300, seed=5)
    assert users.shape == (300, N_DAYS)
    assert simulated_use(stays.replace(daily0=0.0, l0=-30.0, l1=-30.0), n_people=300, seed=5).shape == (0, N_DAYS)
    assert BASELINE_DAYS == 28


def test_the_agonist_background_is_what_was_found_on_two_trials() -> None:
    """A value changed in one place alone would be judged on the page and another one shipped."""
    shipped = {one.id: one.value for one in load_parameter_set("model-form-2026").parameters}
    found = read_found()[Substance("opioid")]["two trials"].values
    assert {f"{name}.opioid-agonist": value for name, value in found.items()} == {
        name: value for name, value in shipped.items() if name.endswith("-agonist")
    }
