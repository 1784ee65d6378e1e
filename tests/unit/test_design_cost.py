"""What a course costs: sourced or given, with its range, and honest where a ratio has no bound."""

import json
from pathlib import Path

import numpy as np
import pytest
from validation.small_trials import small_protocol

from remission.cli.app import run_app
from remission.design.day_cost import cost_per_day, fieller_interval, price_text
from remission.design.price_sets import count_hours, list_price_sets, load_price_set
from remission.design.prices import cost_course, extra_cost, price_points
from remission.evidence.care import number_of
from remission.library.protocols import load_protocol
from remission.protocol.file import write_protocol

GRADES = {"measured", "derived", "assumed", "placeholder", "unverified"}


@pytest.mark.parametrize("name", list_price_sets())
def test_every_default_price_has_its_source_and_what_has_none_is_named(name: str) -> None:
    """An invented price would travel into a grant application."""
    found = load_price_set(name)
    assert found.sources
    for one in found.sources:
        assert one.source
        assert one.read
        assert one.kind in {"secondary", "press", "provider", "derived"}
        assert one.grade in GRADES
        assert 0.0 < one.low <= one.high
    priced = {one.item for one in found.sources if one.is_in_sums}
    without = {item for item, bounds in found.prices.items.items() if bounds is None}
    assert priced == {"infusion", "assessment"}
    assert without == set(found.missing) == {"therapy", "medicine"}


def test_the_british_course_is_the_one_that_was_read() -> None:
    """Three infusions and an assessment: the derived 900 pounds of the patient pages, from two other facts."""
    course = cost_course(load_protocol("kare"), load_price_set("uk").prices)[0]
    assert course.low == course.high == number_of("price_uk_course").low
    assert course.left_out == ("therapy",)


def test_what_is_unknown_is_left_out_and_never_free() -> None:
    """A control arm of therapy alone has no price here; 0 without a word would make ketamine look dear."""
    saline = cost_course(load_protocol("kare"), load_price_set("us").prices)[2]
    assert (saline.amount, saline.left_out) == (0.0, ("therapy",))


def test_points_of_the_prices_are_even() -> None:
    """Their mean is the middle and their spread that of an even range; the same points every time."""
    prices = load_price_set("us").prices.replace(therapy={"low": 100.0, "high": 200.0})
    points = price_points(prices)
    low, high = number_of("price_infusion_wide").low, number_of("price_infusion_wide").high
    assert low is not None
    assert high is not None
    assert points["infusion"].mean() == pytest.approx((low + high) / 2.0)
    assert points["infusion"].std() == pytest.approx((high - low) / np.sqrt(12.0), rel=0.01)
    assert abs(np.corrcoef(points["infusion"], points["therapy"])[0, 1]) < 0.05
    assert {round(float(one)) for one in points["assessment"]} == {350}
    extra, least, most = extra_cost(load_protocol("kare"), prices, ([0, 1], [2, 3]))
    # Therapy is the same on both sides; three infusions and an assessment are not.
    assert (least, most) == (3 * low + 350, 3 * high + 350)
    assert least <= extra.min() <= extra.max() <= most
    assert extra.mean() == pytest.approx((least + most) / 2.0)


@pytest.mark.parametrize(
    ("numerator", "denominator", "var_numerator", "var_denominator"),
    [
        (10.0, 5.0, 1.0, 0.25),
        (10.0, 5.0, 0.0, 1.0),
        (10.0, 5.0, 30.0, 0.25),
        (10.0, 5.0, 0.0, 9.0),
        (10.0, 5.0, 99.0, 9.0),
    ],
)
def test_the_interval_holds_the_ratios_that_its_equation_allows(
    numerator: float, denominator: float, var_numerator: float, var_denominator: float
) -> None:
    """Against the inequality itself on a fine grid; a root of the wrong sign would give a confident wrong price."""
    ratio = np.linspace(0.0, 400.0, 400_001)
    noise = var_numerator + ratio**2 * var_denominator
    allowed = ratio[(numerator - ratio * denominator) ** 2 <= 1.959963984540054**2 * noise]
    low, high = fieller_interval(numerator, denominator, var_numerator, var_denominator)
    assert (low or 0.0) == pytest.approx(allowed.min(), abs=0.002)
    assert (400.0 if high is None else high) == pytest.approx(allowed.max(), abs=0.002)


def test_the_interval_of_a_ratio_covers_at_its_level() -> None:
    """Drawn from a known ratio of 4: 95% of intervals hold it, within four Monte Carlo errors."""
    draws = np.random.default_rng(7).normal((40.0, 10.0), (3.0, 2.0), size=(2000, 2))
    held = 0
    for c, d in draws:
        low, high = fieller_interval(c, d, 9.0, 4.0)
        held += (low is None or low <= 4.0) and (high is None or high >= 4.0)
    assert held / 2000 == pytest.approx(0.95, abs=4.0 * np.sqrt(0.95 * 0.05 / 2000))


def test_a_day_that_may_not_be_gained_has_no_highest_price() -> None:
    """A mean of ratios would be nonsense here; a plain interval would hide that nothing may be gained."""
    days = np.random.default_rng(3).normal(5.0, 5.0, size=400)
    found = cost_per_day(days, n_days=100, extra_amount=np.array([1000.0]), willingness_to_pay=(0.0, 200.0, 1e6))
    assert found.amount == pytest.approx(1000.0 / days.mean())
    assert found.low is not None
    assert found.high is None
    nothing, some, all_gains = found.net_benefit
    assert nothing.acceptable.value == 0.0
    assert some.mean == pytest.approx(200.0 * days.mean() - 1000.0)
    assert all_gains.acceptable.value == pytest.approx(1.0 - found.share_without_gain, abs=0.01)
    assert 0.0 < nothing.acceptable.mcse < 0.01


def test_hours_are_the_protocols_own_and_the_recovery_that_was_read() -> None:
    """Two hours a visit are a reason to say no; the count of days is what an employer sees."""
    therapy, _, _, saline = count_hours(load_protocol("kare"))
    assert (therapy.infusion_h, therapy.therapy_h, therapy.n_days) == (2.0, 10.5, 7)
    assert (therapy.recovery_low_h, therapy.recovery_high_h) == (1.5, 3.0)
    assert saline.total_h == therapy.total_h


def test_a_file_can_start_from_a_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The library's prices and one's own price of therapy, budget and value of a day, in one table."""
    prices = tmp_path / "mine.yaml"
    prices.write_text("base: us\ntherapy: 100\nbudget: 10000\nwillingness_to_pay: [100]\n", encoding="utf-8")
    assert run_app(["design", "kare", "--replicates", "8", "--prices", str(prices), "--json"]) == 0
    cost = json.loads(capsys.readouterr().out)["cost"]
    # 3 x 300 + 350 + 7 x 100 and 3 x 1500 + 350 + 7 x 100; a foundation's quarter of three sessions at 1500 and 300.
    assert (cost["courses"][0]["low"], cost["courses"][0]["high"]) == (1950.0, 5550.0)
    assert (cost["people_for_budget"]["ketamine-therapy"], cost["most_people_for_budget"]["ketamine-therapy"]) == (1, 5)
    assert cost["charity"]["people"]["ketamine-therapy"] == [8, 44]
    assert cost["left_out"] == []
    assert cost["abstinent_day"]["net_benefit"][0]["worth_of_day"] == 100.0


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("base: mars\n", "base"),
        ("base: us\ncurrency: GBP\n", "currency"),
        ("base: us\ntherapy: {low: 9, high: 1}\n", "therapy"),
        ("currency: X\ntherapy: 1\nonce: 0\ninfusion: 5\nroom: 2\n", "infusion"),
        ("currency: X\ntherapy: 1\nonce: 0\ndrug: 5\n", "staff"),
        ("currency: X\ntherapy: many\nonce: 0\ninfusion: 5\n", "therapy"),
        ("base: us\nwillingness_to_pay: [-1]\n", "willingness_to_pay"),
        ("- 1\n", "a list at the top"),
    ],
)
def test_wrong_prices_are_refused_with_their_place(
    text: str, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two currencies added, or a session paid twice, would be a wrong number without a sign."""
    prices = tmp_path / "prices.yaml"
    prices.write_text(text, encoding="utf-8")
    assert run_app(["design", "kare", "--replicates", "2", "--prices", str(prices)]) == 2
    assert place in capsys.readouterr().err


def test_a_crossover_is_refused_before_anything_is_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The orders of a crossover are no courses of care; the news must not come after the simulation."""
    both = [
        {"id": f"{one}-first", "label": f"{one} first", "factors": {"order": one},
         "periods": [{"start": 0, "drug": one}, {"start": 14, "drug": other}]}
        for one, other in (("ketamine", "saline"), ("saline", "ketamine"))
    ]  # fmt: skip
    analysis = small_protocol().analyses[0]
    contrast = {"treatment": {"order": "ketamine"}, "control": {"order": "saline"}}
    protocol = small_protocol(
        design={"kind": "crossover", "washout_days": 14}, arms=both, therapies={},
        analyses=[analysis.replace(contrast=contrast, adjust=())],
    )  # fmt: skip
    (tmp_path / "crossed.yaml").write_text(write_protocol(protocol), encoding="utf-8")
    monkeypatch.setattr("remission.design.operating.simulate_design", lambda *_, **__: pytest.fail("simulated"))
    assert run_app(["design", str(tmp_path / "crossed.yaml"), "--prices", "us"]) == 2
    assert "crossover" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("amount", "low", "high", "words"),
    [
        (163.65, 49.51, 539.25, ["160", "50", "540"]),
        (12.345, 11.9, 12.9, ["12.3", "11.9", "12.9"]),
        (163.65, None, None, ["160"]),
    ],
)
def test_a_price_of_a_day_has_the_digits_of_its_error(
    amount: float, low: float | None, high: float | None, words: list[str]
) -> None:
    """Cents of a price that is known within hundreds would claim what no trial can know."""
    day = {"amount": amount, "low": low}
    assert [price_text(one, day) for one in (amount, low, high) if one is not None] == words
