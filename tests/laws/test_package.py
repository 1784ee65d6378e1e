"""Laws of the package beside the drug: what was read sets what acts, and what was not read says so."""

from typing import Any

import numpy as np
import pytest
from law_cases import law
from validation.small_trials import course_schedule, small_protocol

from remission.errors import SpecError
from remission.patient.comorbidity import both_share, sample_comorbidity
from remission.patient.course import Entry
from remission.patient.kernels.reference import simulate_course
from remission.patient.parameters import load_course_parameters
from remission.patient.sampling import sample_traits
from remission.protocol.file import parse_protocol, write_protocol
from remission.records.substance import Substance
from remission.records.therapy_kinds import THERAPIES, WAYS_OF_LIFE, therapy_worth, way_contrast
from remission.streams import People
from remission.trial.contrasts import shown_contrast
from remission.trial.package import check_package, therapy_effect

MEASURES = (
    "odds-of-clean-day", "ratio-of-never-used", "odds-of-clean-window", "fewer-use-days-in-30", "points-of-days",
    "standardized-difference-of-days",
)  # fmt: skip


def some_protocol(rng: np.random.Generator) -> Any:
    """A trial with a random kind of therapy, perhaps a quality, a way of life and conditions."""
    substance = str(rng.choice([one.value for one in Substance]))
    days = sorted(rng.choice(28, size=int(rng.integers(1, 9)), replace=False).tolist())
    course: dict[str, Any] = {
        "kind": str(rng.choice(list(THERAPIES))), "session_min": float(rng.integers(10, 120)),
        "sessions": [{"day": day} for day in days],
    }  # fmt: skip
    if rng.uniform() < 0.5:
        course["quality"] = round(float(rng.uniform()), 3)
    arms = [{**arm.to_dict(), "therapy": None} for arm in small_protocol().arms]
    arms[0] |= {"therapy": "own", "way_of_life": ["one"]}
    population = {
        **small_protocol().population.to_dict(),
        "comorbidity": {"depression": round(float(rng.uniform()), 3), "anxiety": round(float(rng.uniform()), 3)},
    }
    return small_protocol(
        substance=substance, arms=arms, therapies={"own": course}, population=population,
        way_of_life={"one": {"kind": str(rng.choice(list(WAYS_OF_LIFE)))}},
    )  # fmt: skip


@law(seed=4101)
def test_a_package_says_what_it_rests_on_and_comes_back_from_its_file(rng: np.random.Generator) -> None:
    """Every worth is given in the file, read in a record that is named, or assumed; and nothing of it is lost."""
    protocol = some_protocol(rng)
    course, substance = protocol.therapies["own"], protocol.substance.value
    text = " ".join(protocol.explain().split())
    worth = therapy_worth(course.kind, substance=substance)
    if course.quality is not None:
        assert "given in this file" in text
    assert (worth.record in text) if worth.record else ("assumed" in text)
    assert WAYS_OF_LIFE[protocol.way_of_life["one"].kind].shown[0] in text
    assert parse_protocol(write_protocol(protocol), name="again.yaml") == protocol


@law(seed=4102)
def test_a_quality_in_the_file_is_the_quality(rng: np.random.Generator) -> None:
    """Whatever was read of a kind, a lesson whose worth a file gives is worth that, and nothing for its number."""
    protocol = some_protocol(rng)
    course = protocol.therapies["own"]
    quality = round(float(rng.uniform()), 3)
    course = course.replace(quality=quality)
    if THERAPIES[course.kind].target == "skill":
        parameters = load_course_parameters(protocol.substance)
        effect = therapy_effect(course, substance=protocol.substance, parameters=parameters)
        assert (effect.quality, effect.incentive) == (quality, None)


@law(seed=4103)
def test_no_share_acts_of_what_was_not_read(rng: np.random.Generator) -> None:
    """A way of life with a share acts only where a contrast on this substance was read; 0 is always allowed."""
    protocol = some_protocol(rng)
    kind = protocol.way_of_life["one"].kind
    share = float(rng.uniform(0.01, 1.0))
    check_package(protocol)
    wanted = protocol.replace(way_of_life={"one": {"kind": kind, "effect_share": share}})
    if way_contrast(kind, substance=protocol.substance) is None:
        with pytest.raises(SpecError, match=r"way_of_life\.one\.effect_share"):
            check_package(wanted)
    else:
        check_package(wanted)


@law(seed=4104)
def test_more_clean_people_are_a_larger_contrast(rng: np.random.Generator) -> None:
    """Halving an interval finds a strength only where the contrast rises; a ratio of hazards falls."""
    control, less, more = np.sort(rng.uniform(0.02, 0.98, size=3))[rng.permutation(3)]
    less, more = min(less, more), max(less, more)
    spread = float(rng.uniform(0.05, 0.5))
    for measure in MEASURES:
        small, large = (shown_contrast(measure, one, control, spread=spread) for one in (less, more))
        assert small <= large
    assert shown_contrast("hazard-of-first-use", less, control) >= shown_contrast("hazard-of-first-use", more, control)


@law(seed=4105)
def test_both_conditions_keep_their_shares(rng: np.random.Generator) -> None:
    """The joint share lies between its limits, grows with the odds ratio, and does not care which comes first."""
    one, other = rng.uniform(size=2)
    ratio = float(np.exp(rng.normal(0.0, 3.0)))
    both = both_share(one, other, ratio)
    assert max(0.0, one + other - 1.0) - 1e-12 <= both <= min(one, other) + 1e-12
    assert both_share(other, one, ratio) == pytest.approx(both, rel=1e-9, abs=1e-12)
    assert both_share(one, other, 2.0 * ratio) >= both - 1e-12


@law(seed=4106)
def test_a_higher_prevalence_takes_nobody_out(rng: np.random.Generator) -> None:
    """Comparing two prevalences compares the same people; nobody with depression at 20% is without it at 30%."""
    people = People.of_replicates(seed=int(rng.integers(2**32)), first=0, count=1, n_subjects=60)
    low, high = np.sort(rng.uniform(size=2))
    few, many = (
        sample_comorbidity(people, prevalence={"depression": share}, odds_ratio=5.9)["depression"]
        for share in (low, high)
    )
    assert (few <= many).all()


@law(seed=4107, one_in=5)
def test_rewards_never_add_to_the_first_use(rng: np.random.Generator) -> None:
    """With the same draws, whoever is clean until a day without rewards is clean until it with them."""
    n, n_days = 12, 30
    people = People.of_replicates(seed=int(rng.integers(2**32)), first=0, count=1, n_subjects=n)
    parameters = load_course_parameters(Substance(str(rng.choice([one.value for one in Substance]))))
    parameters = parameters.replace(leave_hazard_per_day=0.0, miss_hazard_per_day=0.0)
    entry = Entry()
    traits = sample_traits(people, parameters, entry=entry)
    days = tuple(sorted(rng.choice(n_days, size=6, replace=False).tolist()))
    plain = course_schedule(n, n_days, session_days=days, quality=0.0, entry=entry)
    given = rng.uniform(0.0, 4.0, size=(n, 6))
    rewarded = type(plain)(**{
        **{name: getattr(plain, name) for name in type(plain).__slots__},
        "incentive": given, "tau_incentive_day": float(rng.uniform(1.0, 200.0)),
    })  # fmt: skip
    first = [
        np.where(use.any(axis=1), use.argmax(axis=1), n_days)
        for use in (simulate_course(people, traits, one, parameters).use > 0 for one in (plain, rewarded))
    ]
    assert (first[1] >= first[0]).all()
