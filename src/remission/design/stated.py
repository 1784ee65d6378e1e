"""A design on a stated effect: closed form and simulation side by side, smallest trial, detectable effect, budget.

:func:`answer_effect` gives the closed form at once; :func:`simulate_effect` adds what simulation says.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from math import ceil, isfinite
from typing import TYPE_CHECKING, Any

from remission.design.closed_forms import (
    Split,
    cautions,
    closed_power,
    effect_of,
    expected_events,
    no_effect,
    nulls_to_pass,
    split,
    test_level,
    with_effect,
)
from remission.errors import SpecError
from remission.records.effect import EffectFile, Hazard, Law, Proportions
from remission.records.result import Result, plain
from remission.records.seed import DEFAULT_SEED
from remission.streams import check_seed

if TYPE_CHECKING:
    from remission.design.at_look import Boundaries
    from remission.design.variants import VariedSizes
    from remission.records.blinding import BlindingTrial


_MOST_PEOPLE = 10_000_000
_NEAR = 4
"""Trials near the smallest size, as a multiple of those of another size."""
_CURVE = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0)
"""Sizes of the curve that is always given, as multiples of the size in question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectPlan:
    """What is asked of a stated effect, checked.

    ``sizes``: people in the trial. ``treatment_share``: of the people compared, those of the treatment side.
    ``compared_share``: of the people in the trial, those compared; below 1 where a protocol has further arms.
    """

    effect: EffectFile
    sizes: tuple[int, ...]
    alpha: float
    power: float | None
    n_replicates: int
    seed: int
    detectable: bool
    budget: float | None
    treatment_share: float
    compared_share: float = 1.0

    @property
    def law(self) -> Law:
        """The law of the effect."""
        return self.effect.effect

    def compared(self, people: int) -> int:
        """Of so many people in the trial, those who are compared."""
        return int(people * self.compared_share + 0.5)

    def split(self, people: int) -> Split:
        """Of so many people in the trial, those of each side."""
        return split(self.compared(people), self.treatment_share)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectStudy(Result):
    """What :func:`design_effect` found.

    plan
        What was asked.
    content
        Everything as plain data, as ``remission design --json`` prints it.
    """

    plan: EffectPlan
    content: dict[str, Any] = field(default_factory=dict)

    @property
    def smallest_n(self) -> int | None:
        """The smallest number of people with the power asked for, by the closed form; ``None``: none, or not asked."""
        found = self.content.get("smallest")
        return None if found is None else found["people"]

    def _facts(self) -> list[tuple[str, Any]]:
        rows = [
            (f"{row['people']} people", _row_text(row)) for row in self.content["sizes"]
        ]  # fmt: skip
        head = [("effect", self.plan.effect.id), ("law", self.plan.law.law), ("alpha", self.plan.alpha)]
        if "smallest" in self.content:
            rows.append((f"power {self.plan.power:g}", f"{self.smallest_n or 'no number of'} people"))
        return [*head, *rows]

    def columns(self) -> dict[str, Any]:
        """One row a number of people; the Monte Carlo error stands beside what was simulated."""
        rows = self.content["sizes"]
        found: dict[str, Any] = {name: [row[name] for row in rows] for name in ("people", "treatment", "control")}
        found["power_closed_form"] = [row["power"] for row in rows]
        for name in ("power", "bias", "coverage"):
            known = [None if row.get("simulated") is None else row["simulated"][name] for row in rows]
            found[f"{name}_simulated"] = [None if one is None else one["value"] for one in known]
            found[f"{name}_mcse"] = [None if one is None else one["mcse"] for one in known]
        return found

    def to_json(self) -> str:
        """What ``remission design --json`` prints, but for the command."""
        return json.dumps(plain(self.content), ensure_ascii=False, allow_nan=False)


def _row_text(row: dict[str, Any]) -> str:
    simulated = row.get("simulated")
    beside = "" if simulated is None else f", simulated {simulated['power']['value']:.3f}"
    return f"power {row['power']:.3f}{beside}" if row["power"] is not None else "too few people"


def design_effect(
    effect: EffectFile,
    *,
    n_subjects: "VariedSizes | None" = None,
    power: float | None = None,
    alpha: float = 0.05,
    detectable: bool = False,
    budget: float | None = None,
    max_replicates: int = 1000,
    is_simulated: bool = True,
    seed: int = DEFAULT_SEED,
) -> EffectStudy:
    """Power of a stated effect in closed form, with simulated trials beside it; no model of the program is used.

    Parameters
    ----------
    effect
        The effect with its trial: a file, its fields, or an EffectFile.
    n_subjects
        People in the trial, one number, several, or a range; those of the effect's file when left out.
    power
        What the smallest trial, or the detectable effect, must have.
    alpha
        Error of the test, over as many sides as the effect says.
    detectable
        Whether the effect is asked for that has the power with the people there are.
    budget
        Money, of which the effect's costs say how many people it pays for. [unit of the costs]

    Other Parameters
    ----------------
    max_replicates
        Simulated trials of each size, at least 100.
    is_simulated
        Whether trials are simulated beside the closed form.
    seed
        0 to 2**64 - 1.

    Raises
    ------
    SpecError
        An argument or a field of the effect is wrong.
    """
    plan = plan_effect(
        effect, sizes=() if n_subjects is None else n_subjects.sizes, alpha=alpha, power=power,
        n_replicates=max_replicates if is_simulated else 0, seed=seed, detectable=detectable, budget=budget,
    )  # fmt: skip
    return EffectStudy(plan=plan, content=simulate_effect(plan, answer_effect(plan)))


def plan_effect(
    effect: EffectFile,
    *,
    sizes: tuple[int, ...] = (),
    alpha: float = 0.05,
    power: float | None = None,
    n_replicates: int = 1000,
    seed: int = DEFAULT_SEED,
    detectable: bool = False,
    budget: float | None = None,
    compared_share: float = 1.0,
) -> EffectPlan:
    """Everything checked before anything is computed; parameters and errors as :func:`design_effect`."""
    for where, share in (("alpha", alpha), ("power", power)):
        if share is not None and not 0.0 < share < 1.0:
            raise SpecError(where=where, got=share, allowed="a number between 0 and 1, both excluded")
    if n_replicates and not 100 <= n_replicates <= 1_000_000:
        raise SpecError(where="max_replicates", got=n_replicates, allowed="0 for the closed form alone, or a whole "
                        "number from 100 to 1000000")  # fmt: skip
    check_seed(seed)
    share = effect.allocation.treatment / (effect.allocation.treatment + effect.allocation.control)
    if budget is not None:
        sizes = (_people_for(effect, budget, share),)
    sizes = sizes or (() if effect.people is None else (effect.people,))
    if detectable and power is None:
        raise SpecError(where="power", got="nothing", allowed="the power that the detectable effect has",
                        remedy="For example 0.9.")  # fmt: skip
    if detectable and effect.effect.goal == "equivalence":
        raise SpecError(where="detectable", got="asked of equivalence", allowed="superiority or non-inferiority",
                        remedy="Vary margin instead.")  # fmt: skip
    if not sizes and (power is None or detectable):
        raise SpecError(where="people", got="nothing", allowed="people in the effect's file, or sizes",
                        remedy="Add people: 120, or ask for a power.")  # fmt: skip
    found = EffectPlan(
        effect=effect, sizes=sizes, alpha=alpha, power=power, n_replicates=n_replicates, seed=seed,
        detectable=detectable, budget=budget, treatment_share=share, compared_share=compared_share,
    )  # fmt: skip
    if effect.blinding is not None:
        _bench_of(found, 8)
    return found


def _people_for(effect: EffectFile, budget: float, share: float) -> int:
    """The people that a budget pays for."""
    if effect.costs is None:
        raise SpecError(where="budget", got=budget, allowed="an effect whose file says costs",
                        remedy="Add costs: {treatment: 900, control: 300} to it.")  # fmt: skip
    each = share * effect.costs.treatment + (1.0 - share) * effect.costs.control
    if each <= 0.0:
        raise SpecError(where="costs", got="0 for everybody", allowed="a person who costs something, with a budget")
    found = int((budget - effect.costs.once) / each) + 2 if isfinite(budget) else -1
    # A whole person more of the dearer side may be just too much.
    while found >= 4 and _cost(effect, split(found, share)) > budget:
        found -= 1
    if found < 4:
        least = effect.costs.once + 4 * each
        raise SpecError(
            where="budget", got=budget, allowed=f"at least {least:,.0f}, which pays for four people",
            remedy=f"A person costs {each:,.0f} on average, after {effect.costs.once:,.0f} once.",
        )  # fmt: skip
    return min(found, 1_000_000)


def answer_effect(plan: EffectPlan) -> dict[str, Any]:
    """What the closed form says, as plain data."""
    law = plan.law
    content: dict[str, Any] = {
        "effect": plan.effect.to_dict(), "alpha": plan.alpha, "test": _test_words(plan),
        "sizes": [_row(plan, n) for n in plan.sizes],
    }  # fmt: skip
    centre = plan.sizes[-1] if plan.sizes else None
    if plan.power is not None and not plan.detectable:
        people = smallest_people(plan)
        at = None if people is None else _row(plan, people)
        content["smallest"] = {"power": plan.power, "people": people, "at": at}
        centre = people or centre
    if plan.detectable:
        assert plan.power is not None, "checked when it was planned"
        content["detectable"] = [
            {"people": n, "power": plan.power, "effect": detectable_effect(law, plan.split(n), plan.power, plan.alpha)}
            for n in plan.sizes
        ]
    if plan.budget is not None:
        content["budget"] = {"amount": plan.budget, "people": plan.sizes[0]}
    if centre is not None:
        # What was seen belongs to the trial that is under way, not to the smallest that might have been.
        content |= _beside(plan, plan.sizes[-1] if plan.sizes else centre)
        around = sorted({max(4, round(centre * one)) for one in _CURVE})
        content["curve"] = [{"people": n, "power": _closed(plan, n)} for n in around]
    return content


def _beside(plan: EffectPlan, people: int) -> dict[str, Any]:
    """What the file asks beside power, of a trial of so many people."""
    effect, sides = plan.effect, plan.split(people)
    content: dict[str, Any] = {}
    if effect.seen is None and effect.blinded is None and effect.decision is None:
        return content
    from remission.design import look_answers

    if effect.seen is not None:
        content["seen"] = {"people": people, **look_answers.seen_content(effect, sides, plan.alpha)}
    if effect.decision is not None:
        content["decision"] = {"people": people, **look_answers.decision_content(effect, sides)}
    if effect.blinded is not None:
        content["blinded"] = _reestimated(plan, people)
    return content


def _reestimated(plan: EffectPlan, people: int) -> dict[str, Any]:
    """The size again, with the nuisance number that the pooled data show in the place of the assumed one."""
    from remission.design.look_answers import with_blinded

    blinded = plan.effect.blinded
    assert blinded is not None, "asked by the caller"
    if plan.power is None:
        raise SpecError(where="power", got="nothing", allowed="the power that the size must keep", remedy="Add --power "
                        "0.9.")  # fmt: skip
    law = with_blinded(plan.law, blinded, plan.treatment_share)
    again = replace(plan, effect=plan.effect.replace(effect=law, blinded=None))
    found = smallest_people(again)
    # A trial is never made smaller than it is already.
    needed = None if found is None else max(found, blinded.people)
    return {
        "seen_people": blinded.people, "planned_people": people, "people": needed,
        "power_as_planned": _closed(again, people), "law": law.to_dict(),
    }  # fmt: skip


def simulate_effect(
    plan: EffectPlan, content: dict[str, Any], on_progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """The same with what simulated trials show beside it; ``content`` as :func:`answer_effect` gave it."""
    if not plan.n_replicates:
        return content
    rows = [row for row in content["sizes"] if row["power"] is not None]
    smallest = content.get("smallest")
    if smallest is not None and smallest["at"] is not None:
        smallest["search"] = _searched(plan, smallest["people"])
        rows.append(smallest["at"])
    for number, row in enumerate(rows):
        row["simulated"] = _simulated(plan, row["people"])
        if on_progress is not None:
            on_progress(number + 1, len(rows))
    if plan.effect.blinding is not None:
        people = plan.sizes[-1] if plan.sizes else smallest["people"] if smallest else None
        content["worlds"] = [] if people is None else _worlds(plan, people)
    if content.get("blinded") is not None:
        content["blinded"]["simulated"] = _reestimated_trials(plan, content["blinded"])
    content["seed"], content["n_replicates"] = plan.seed, plan.n_replicates
    return content


def _reestimated_trials(plan: EffectPlan, found: dict[str, Any]) -> list[dict[str, Any]]:
    """What the rule does where the numbers are as stated, and where they are as the blinded ones."""
    from remission.design.look_answers import with_blinded
    from remission.design.reestimation import blinded_of, simulate_reestimation

    seen, planned = plan.compared(found["seen_people"]), plan.compared(found["planned_people"])
    blinded = plan.effect.blinded
    assert blinded is not None, "asked by the caller"
    kept = {} if blinded.dispersion is None else {"dispersion": blinded.dispersion}
    rows = []
    for name, law in (("as stated", plan.law), ("as seen", with_blinded(plan.law, blinded, plan.treatment_share))):

        def size_of(numbers: dict[str, float]) -> int | None:
            try:
                believed = with_blinded(plan.law, blinded_of(seen, numbers | kept), plan.treatment_share)
            except SpecError:
                # No pair of shares with the stated difference has that mean.
                return None
            return smallest_people(replace(plan, effect=plan.effect.replace(effect=believed, blinded=None)))

        shown = simulate_reestimation(
            law, planned, seen, plan.treatment_share, size_of, alpha=plan.alpha, n_replicates=plan.n_replicates,
            seed=plan.seed,
        )  # fmt: skip
        rows.append({"numbers": name, **shown})
    return rows


def _worlds(plan: EffectPlan, people: int) -> list[dict[str, Any]]:
    """What the test finds in worlds by name, beside the power that no belief is part of."""
    from remission.blinding.bench import run_bench

    return [
        {"world": one.world, "people": people, "right_guesses": one.right, "truth": one.truth,
         **{name: asdict(getattr(one.estimators["naive"], name)) for name in ("rejects", "bias", "coverage")}}
        for one in run_bench(_bench_of(plan, people), with_frontier=False).cells
    ]  # fmt: skip


def _bench_of(plan: EffectPlan, people: int) -> "BlindingTrial":
    """The trial on the bench of blinding. Raises ``SpecError``: belief cannot be tried on such an effect."""
    from remission.records.blinding import BlindingTrial, ControlArm

    effect, blinding = plan.effect, plan.effect.blinding
    assert blinding is not None, "asked by the caller"
    return BlindingTrial.create(
        id=effect.id, people=max(8, plan.compared(people)), allocation=effect.allocation, effect=effect.effect,
        alpha=plan.alpha,
        drug=blinding.drug, guess=blinding.guess, belief=blinding.belief, asked=blinding.asked,
        outcome_day=blinding.outcome_day, worlds=blinding.worlds, trials=max(100, min(plan.n_replicates, 100_000)),
        seed=plan.seed, controls=[ControlArm(id="control", experience=blinding.control)],
    )  # fmt: skip


def _row(plan: EffectPlan, people: int) -> dict[str, Any]:
    sides = plan.split(people)
    found: dict[str, Any] = {
        "people": people, "treatment": sides.treatment, "control": sides.control, "power": _closed(plan, people),
        "simulated": None,
    }  # fmt: skip
    if found["power"] is not None:
        found["cautions"] = list(cautions(plan.law, sides))
        if isinstance(plan.law, Hazard):
            found["events"] = expected_events(plan.law, sides)
    else:
        found["cautions"] = ["Too few people on a side for a test."]
    if plan.effect.looks is not None and found["power"] is not None:
        from remission.design.look_answers import look_content

        found["looks"] = look_content(plan.law, sides, plan.effect.looks, plan.alpha, people)
    if plan.effect.costs is not None:
        found["cost"] = _cost(plan.effect, sides)
    return found


def _cost(effect: EffectFile, sides: Split) -> float:
    costs = effect.costs
    assert costs is not None, "asked by the caller"
    return costs.once + sides.treatment * costs.treatment + sides.control * costs.control


def _closed(plan: EffectPlan, people: int) -> float | None:
    sides = plan.split(people)
    found = closed_power(plan.law, sides, plan.alpha)
    if plan.effect.looks is not None and isfinite(found):
        from remission.design.look_answers import power_with_looks

        found = power_with_looks(plan.law, sides, plan.effect.looks, plan.alpha)
    return found if isfinite(found) else None


def _simulated(plan: EffectPlan, people: int) -> dict[str, Any]:
    from remission.design.law_trials import simulate_law

    return asdict(
        simulate_law(plan.law, plan.compared(people), plan.treatment_share, alpha=plan.alpha,
                     n_replicates=plan.n_replicates, seed=plan.seed, bounds=_bounds(plan))
    )  # fmt: skip


def _bounds(plan: EffectPlan) -> "Boundaries | None":
    """Boundaries where the looks come as planned."""
    if plan.effect.looks is None:
        return None
    from remission.design.look_answers import planned_bounds

    return planned_bounds(plan.effect.looks, test_level(plan.law, plan.alpha))


def _searched(plan: EffectPlan, near: int) -> dict[str, Any]:
    """The smallest size by simulation, on common random numbers, in a range around that of the closed form."""
    from remission.design.law_trials import reject_share
    from remission.design.size_search import Enough, Evaluation, search_size

    power = plan.power
    assert power is not None, "asked by the caller"

    def evaluate(n: int, _: Enough) -> Evaluation:
        count = reject_share(
            plan.law, plan.compared(n), plan.treatment_share, alpha=plan.alpha,
            n_replicates=_NEAR * plan.n_replicates, seed=plan.seed, against=power, bounds=_bounds(plan),
        )  # fmt: skip
        return Evaluation(n_subjects=n, rejected=count.measure, n_replicates=count.n)

    low, high = max(4, int(0.8 * near)), ceil(1.25 * near) + 4
    found = search_size(evaluate, power=power, low=low, high=high, alpha=2.0 * test_level(plan.law, plan.alpha))
    if found.outcome != "found":
        low, high = max(4, near // 3), 3 * near
        found = search_size(evaluate, power=power, low=low, high=high, alpha=2.0 * test_level(plan.law, plan.alpha))
    return asdict(found)


def smallest_people(plan: EffectPlan) -> int | None:
    """The smallest number of people with the power asked for, by the closed form; ``None``: no number has it."""
    power = plan.power
    assert power is not None, "asked by the caller"

    def enough(n: int) -> bool:
        return (_closed(plan, n) or 0.0) >= power

    low, high = 3, 4
    while not enough(high):
        low, high = high, 2 * high
        if high > _MOST_PEOPLE:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def detectable_effect(law: Law, people: Split, power: float, alpha: float) -> float | None:
    """The effect nearest to none (to the margin, for non-inferiority) that has a power; ``None``: none has.

    It lies on the side of the stated effect, or of what is better.
    """
    null, side = nulls_to_pass(law)[0]
    if law.goal == "superiority" and law.sides == 2 and effect_of(law) < no_effect(law):
        side = -1

    def at(distance: float) -> float | None:
        try:
            effect = null * 2.0 ** (side * distance) if law.is_ratio else null + side * distance
            if isinstance(law, Proportions) and not 0.0 < law.control + effect < 1.0:
                return None
            found = closed_power(with_effect(law, effect), people, alpha)
        except SpecError:
            return None
        return found if isfinite(found) else None

    far, unit = 1e-9, 1e-9
    while (found := at(far)) is not None and found < power:
        unit, far = far, 2.0 * far
    if found is None:
        # Bisect toward the edge of what can be.
        low, high = unit, far
        for _ in range(50):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if at(middle) is not None else (low, middle)
        far = low
        if (at(far) or 0.0) < power:
            return None
    low, high = 0.0, far
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if (at(middle) or 0.0) >= power else (middle, high)
    return null * 2.0 ** (side * high) if law.is_ratio else null + side * high


def _test_words(plan: EffectPlan) -> str:
    """What is tested, at which error."""
    law, level = plan.law, test_level(plan.law, plan.alpha)
    if law.goal == "superiority":
        return f"superiority, two-sided at {plan.alpha:g}" if law.sides == 2 else f"superiority, one-sided at {level:g}"
    if law.goal == "non-inferiority":
        return f"non-inferiority to the margin {law.margin:g}, one-sided at {level:g}"
    null = nulls_to_pass(law)
    return f"equivalence within {null[0][0]:.3g} to {null[1][0]:.3g}, two one-sided tests at {level:g} each"
