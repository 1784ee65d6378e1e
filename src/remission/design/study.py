"""A design studied by simulation: how often it succeeds and how well it estimates, at which size, at what cost.

:func:`plan_design` checks everything before anything is simulated; :func:`study_design` does the work.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from remission.analyses.estimate import Z95
from remission.design.again import AGAIN, can_randomize_again, power_again
from remission.design.assurance import estimate_assurance
from remission.design.cost import person_days_of
from remission.design.costing import cost_content, read_prices
from remission.design.effect_models import (
    EffectModel,
    assurance_models,
    check_effect_model,
    no_baseline,
    under_effect_model,
)
from remission.design.evidence_sets import evidence_sets, trials_of
from remission.design.measures import columns_of, is_ratio
from remission.design.nulls import nulls_of, simulate_nulls
from remission.design.operating import (
    Characteristics,
    DesignRun,
    characterize,
    check_share,
    simulate_design,
    simulate_sizes,
)
from remission.design.price_sets import PriceSet
from remission.design.prices import Prices, cost_per_person
from remission.design.sequential import check_boundary
from remission.design.size_search import TRIALS_NEAR, Enough, Evaluation, SizeSearch, along_curve, search_size
from remission.design.sources import source_of, with_arms
from remission.design.stops import StopRule, plan_stops
from remission.design.table import true_value
from remission.design.variants import (
    VariedSizes,
    around,
    choose_analysis,
    null_protocol,
    one_analysis,
    resize_protocol,
)
from remission.errors import SpecError
from remission.numerics.tallies import Count, Measure
from remission.patient.backgrounds import course_parameters_of
from remission.patient.drawn import Drawing, default_posterior
from remission.patient.parameters import CourseParameters
from remission.patient.standing import standing_of_protocol
from remission.protocol.record import Protocol
from remission.records.diaries import Diaries
from remission.records.result import Result, plain
from remission.records.seed import DEFAULT_SEED
from remission.runs.crew import Crew, crew_of
from remission.shapes import Float
from remission.streams import check_seed
from remission.trial.resampled import ChainPeople, DiaryPeople
from remission.trial.simulate import MAX_REPLICATES
from remission.trial.truth import check_people, truth_of_stated

OnProgress = Callable[[int, int], None]
OnShare = Callable[[int, Count], None]

OnSettled = Callable[[int, Measure, Literal["fixed", "drawn"]], None]

_TRIALS_A_DRAW = 20
"""Trials at each draw of the model's values: enough to tell draws apart, few enough for many draws."""
_STEPS_EXPECTED = 4
_SEARCH_SETS = 10
"""About what a search costs, in trials of another size: a thousand sets of people in each arm, where 400 are usual."""
_STATED_TRUTH = 20_000
"""People by whom the true value of a stated effect on days is found, unless said otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignPlan:
    """What is asked of a design, checked; parameters as in :func:`design_trial`.

    ``designs``: what is simulated: the protocol at each size, without an effect under the null. ``sizes``: as asked;
    with a power and no sizes a range around the protocol's own.
    """

    protocol: Protocol
    designs: tuple[Protocol, ...]
    sizes: VariedSizes
    parameters: CourseParameters
    analysis: str
    power: float | None
    alpha: float
    max_replicates: int
    mcse: float
    seed: int
    is_null: bool
    n_truth: int
    n_draws: int
    evidence: tuple[tuple[str, ...], ...]
    rule: StopRule | None
    prices: tuple[Prices, PriceSet | None] | None
    source: DiaryPeople | ChainPeople | None = None
    effect_model: EffectModel = "stacked"

    @property
    def drawing(self) -> Drawing | None:
        """What each trial draws where the assurance is asked for; None where nothing is drawn."""
        posterior = default_posterior()
        if posterior is None or self.is_null or self.source is not None:
            return None
        return Drawing.of(posterior, without=self.changes)

    @property
    def changes(self) -> dict[str, float]:
        """Values that are not the library's."""
        usual = asdict(course_parameters_of(self.protocol))
        return {name: value for name, value in asdict(self.parameters).items() if value != usual[name]}

    @property
    def is_searched(self) -> bool:
        """Whether the smallest size of a range is searched."""
        return self.power is not None and self.sizes.is_range

    @property
    def person_days(self) -> int:
        """People times days of all that is simulated, if nothing stops early."""
        # Sizes share their people, but for people of a source.
        designs = self.designs if self.source is not None else self.designs[-1:]
        days = person_days_of(designs, self.max_replicates) * (1 if self.drawing is None else 2)
        if not self.is_null:
            trials = [one.protocol for design in designs for one in nulls_of(design, self.analysis, self.parameters)]
            days += person_days_of([one for one in trials if one is not None], self.max_replicates)
            days += self.n_truth * len(self.designs[0].arms) * self.designs[0].follow_up_days
        if self.is_searched:
            middle = self.designs[len(self.designs) // 2]
            days += person_days_of([middle], _SEARCH_SETS * self.max_replicates)
        return days + person_days_of([self.designs[-1], *trials_of(self.evidence)], self.n_draws * _TRIALS_A_DRAW)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignStudy(Result):
    """What :func:`design_trial` found.

    rows
        Characteristics of every analysis, design by design.
    runs
        The trials of each design; their estimates are kept where a report or a cost needs them.
    content
        Everything as plain data, as ``remission design --json`` prints it.
    """

    plan: DesignPlan
    rows: tuple[Characteristics, ...]
    runs: tuple[DesignRun, ...]
    content: dict[str, Any]

    @property
    def main(self) -> list[Characteristics]:
        """Characteristics of the analysis that decides, a design each."""
        return [row for row in self.rows if row.analysis == self.plan.analysis]

    @property
    def smallest_n(self) -> int | None:
        """The smallest size with the power asked for; ``None`` where there is none or none was asked for."""
        found: int | None = self.content.get("smallest_n")
        return found

    @property
    def estimates(self) -> tuple[Float[np.ndarray, " replicate"], ...]:
        """Of the analysis that decides, trial by trial for each design; NaN where it failed."""
        return tuple(np.concatenate(run.kept) for run in self.runs)

    def _facts(self) -> list[tuple[str, Any]]:
        name = "type I error" if self.plan.is_null else "power"
        rows = [(f"{row.n_subjects} people", f"{name} {row.rejected.text}, {_bias_text(row)}") for row in self.main]
        head = [("protocol", self.plan.protocol.id), ("analysis", self.plan.analysis), ("alpha", self.plan.alpha)]
        if self.plan.power is None:
            return [*head, *rows]
        smallest = "no size that was tried" if self.smallest_n is None else f"from {self.smallest_n} people"
        return [*head, *rows, (f"power {self.plan.power:g}", smallest)]

    def columns(self) -> dict[str, Any]:
        """One row an analysis and design; the Monte Carlo error of each number stands beside it."""
        names = ("analysis", "n_subjects", "n_replicates", "scale", "estimate_sd", "n_failed")
        return columns_of(self.rows, names, ("rejected", "bias", "coverage", "estimate", "width"))

    def to_json(self) -> str:
        """What ``remission design --json`` prints, but for the command."""
        return json.dumps(plain(self.content), ensure_ascii=False, allow_nan=False)


def _bias_text(row: Characteristics) -> str:
    return "no bias can be told" if row.bias is None else f"bias {row.bias.text}"


def design_trial(
    protocol: Protocol,
    *,
    parameters: CourseParameters | None = None,
    n_subjects: VariedSizes | None = None,
    power: float | None = None,
    alpha: float = 0.05,
    analysis: str | None = None,
    max_replicates: int = 400,
    mcse: float = 0.02,
    is_null: bool = False,
    n_truth: int = 0,
    n_draws: int = 0,
    evidence: str | None = None,
    without: str | None = None,
    effect_model: str | None = None,
    looks: str | None = None,
    futility: Sequence[str] = (),
    spending: str = "obrien-fleming",
    prices: str | Path | None = None,
    budget: float | None = None,
    diaries: Sequence[Diaries] | None = None,
    n_workers: int = 1,
    seed: int = DEFAULT_SEED,
) -> DesignStudy:
    """Power of a trial with bias, coverage and type I errors beside it, at one size or several, and the smallest size.

    Parameters
    ----------
    protocol
        The trial.
    parameters
        Values to use instead of the library's, or changes to those.
    n_subjects
        People in the trial: a range such as ``"60:400"``, in which ``power`` is searched, or sizes. Left out: the
        protocol's own, or with a power the range from a quarter to four times of it.
    power
        What the smallest size must have.
    alpha
        Two-sided error of a test.
    analysis
        Id of the analysis that decides; the first when left out.
    max_replicates, mcse
        Most trials of a design, and the Monte Carlo error of power at which fewer are enough.
    is_null
        Whether treatment and control are made the same: type I error.
    n_truth
        People for the true value of bias; 0: the same trials with nobody unseen.

    Other Parameters
    ----------------
    n_draws
        Draws of the model's values for the assurance; 0: none.
    evidence, without
        Published trials that weigh the draws, with commas, and those that are left out.
    effect_model
        What the assurance rests on: ``"chain"``, ``"baseline"`` (the other trials), or both ``"stacked"``; left out:
        stacked.
    looks, futility, spending
        Looks by share of people with a complete window (``"0.5,1"``), floors of z (``"0.5:0.0"``), and how alpha is
        spent.
    prices
        ``"us"``, ``"uk"``, or a YAML file.
    budget
        Money, of which the prices say how many people it pays for; the trial has so many. [currency of the prices]
    diaries
        Of whom people are drawn, where the protocol states an effect on their days.
    n_workers
        Processes; with more than one, a script of your own needs ``if __name__ == "__main__":``.
    seed
        0 to 2**64 - 1.

    Raises
    ------
    SpecError
        An argument is wrong, or the analysis cannot be asked this.
    """
    plan = plan_design(
        protocol, parameters=parameters, n_subjects=n_subjects, power=power, alpha=alpha, analysis=analysis,
        max_replicates=max_replicates, mcse=mcse, is_null=is_null, n_truth=n_truth, n_draws=n_draws,
        evidence=evidence, without=without, effect_model=effect_model, looks=looks,
        futility=futility, spending=spending, prices=prices, budget=budget, diaries=diaries,
        seed=seed,
    )  # fmt: skip
    with crew_of(n_workers) as crew:
        return study_design(plan, crew=crew)


def plan_design(
    protocol: Protocol,
    *,
    parameters: CourseParameters | None,
    n_subjects: VariedSizes | None,
    power: float | None,
    alpha: float,
    analysis: str | None,
    max_replicates: int,
    mcse: float,
    is_null: bool,
    n_truth: int,
    n_draws: int,
    evidence: str | None,
    without: str | None,
    looks: str | None,
    futility: Sequence[str],
    spending: str,
    prices: str | Path | None,
    budget: float | None,
    seed: int,
    diaries: Sequence[Diaries] | None = None,
    effect_model: str | None = None,
) -> DesignPlan:
    """Everything checked before anything is simulated; parameters and errors as :func:`design_trial`."""
    for where, share in (("alpha", alpha), ("mcse", mcse), ("power", power)):
        if share is not None:
            check_share(where, share)
    if not 1 <= max_replicates <= MAX_REPLICATES:
        raise SpecError(
            where="max_replicates", got=max_replicates, allowed=f"a whole number from 1 to {MAX_REPLICATES}"
        )
    if n_draws < 0 or n_draws == 1:
        raise SpecError(where="n_draws", got=n_draws, allowed="0 for none, or a whole number from 2")
    check_seed(seed)
    if is_null:
        for name, value in (("power", power), ("n_truth", n_truth)):
            if value:
                raise SpecError(
                    where=name, got="given together with the null",
                    allowed="nothing here: without an effect there is no power, and the true value is known",
                )  # fmt: skip
    if n_truth:
        check_people(n_truth)
    if parameters is not None and n_draws:
        raise SpecError(
            where="parameters", got="changed values, together with draws of them",
            allowed="one of the two: an assurance draws the values itself",
            remedy="Leave out the changes or the draws.",
        )  # fmt: skip
    source = source_of(protocol, diaries, analysis)
    if source is not None and n_draws:
        raise SpecError(
            where="n_draws", got=n_draws, allowed="0 where an effect is stated: it is no value of the model",
            remedy="Vary it by --set effect.use_odds_ratio=0.7, or in a table of scenarios.",
        )  # fmt: skip
    rule = read_looks(looks, list(futility), spending, alpha)
    sets = evidence_sets(evidence, without, n_draws)
    wanted = choose_analysis(protocol, analysis)
    protocol = with_arms(protocol, wanted)
    model = _effect_model(protocol, wanted, effect_model, n_draws)
    used = null_protocol(protocol, wanted) if is_null else protocol
    priced = None if prices is None else read_prices(str(prices), protocol)
    if budget is not None:
        n_subjects = _affordable(protocol, budget, priced, n_subjects)
    sizes = n_subjects or (around(protocol) if power is not None else VariedSizes(sizes=(), is_range=False))
    return DesignPlan(
        protocol=protocol,
        designs=tuple(resize_protocol(used, n) for n in sizes.sizes) or (used,),
        sizes=sizes,
        parameters=parameters or course_parameters_of(protocol),
        analysis=wanted,
        power=power,
        alpha=alpha,
        max_replicates=max_replicates,
        mcse=mcse,
        seed=seed,
        is_null=is_null,
        n_truth=n_truth,
        n_draws=n_draws,
        evidence=sets,
        rule=rule,
        prices=priced,
        source=source,
        effect_model=model,
    )


def _effect_model(protocol: Protocol, analysis: str, asked: str | None, n_draws: int) -> EffectModel:
    """What the assurance rests on, checked before anything is simulated."""
    model = check_effect_model(asked or "stacked")
    if not n_draws:
        if asked is not None:
            raise SpecError(
                where="effect_model", got=f"{asked}, without draws", allowed="an assurance to say it of",
                remedy="Add --assurance 200 (n_draws=200).",
            )  # fmt: skip
        return model
    refused = None if model == "chain" else no_baseline(protocol, analysis)
    if refused is not None and asked is not None:
        raise refused
    # Not asked for, the chain answers alone where the others say nothing, and the answer says so by name.
    return model if refused is None else "chain"


def _affordable(
    protocol: Protocol,
    budget: float,
    prices: tuple[Prices, PriceSet | None] | None,
    n_subjects: VariedSizes | None,
) -> VariedSizes:
    """The people that a budget pays for at the highest prices, whose courses are complete."""
    if prices is None:
        raise SpecError(where="budget", got=budget, allowed="a budget together with prices", remedy="Add --prices us, "
                        "uk, or a file of your own.")  # fmt: skip
    if n_subjects is not None:
        raise SpecError(where="budget", got="given together with sizes", allowed="one of the two")
    each = cost_per_person(protocol, prices[0])
    if each <= 0.0:
        raise SpecError(where="budget", got=budget, allowed="prices under which a course costs something")
    if budget < 4.0 * each:
        raise SpecError(
            where="budget", got=budget, allowed=f"at least {4.0 * each:,.0f} {prices[0].currency}, for four people",
            remedy=f"A person costs {each:,.0f} on average over the arms.",
        )  # fmt: skip
    return VariedSizes(sizes=(min(int(budget / each), 100_000),), is_range=False)


def study_design(
    plan: DesignPlan,
    *,
    crew: Crew,
    keep: bool = False,
    on_progress: Callable[[str, int], Any] | None = None,
    on_share: OnShare | None = None,
    on_settled: OnSettled | None = None,
) -> DesignStudy:
    """Do the work of a plan.

    ``crew``: who simulates. ``keep``: whether the estimates of all trials are kept, for a report. ``on_progress``:
    called with the name of each part and its person-days; gives a context that gives what is called with (done, all).
    ``on_share``: called with the people of a design and the trials that rejected, as they stand. ``on_settled``: called
    with the people of a design and its share of rejections as soon as that moves no more, of fixed values or
    over the posterior.
    """
    used, wanted, power, rule = plan.designs[0], plan.analysis, plan.power, plan.rule
    trials = partial(_shown, on_progress)
    truths, errors = _truths(plan)
    rows, runs, drawn = _each_design(plan, truths, errors, keep, crew, trials, on_share, on_settled)
    main = [row for row in rows if row.analysis == wanted]
    standing = standing_of_protocol(plan.protocol).to_dict()
    if plan.source is not None:
        words = f"A stated effect on the days of {plan.source.source}; no effect of the model."
        standing = {**standing, "lines": [words]}
    content: dict[str, Any] = {
        "protocol": plan.protocol.id,
        "standing": standing,
        **({"over_posterior": drawn} if drawn else {}),
        "analysis": wanted,
        "is_null": plan.is_null,
        "alpha": plan.alpha,
        "truths": truths or {row.analysis: row.truth for row in main[-1:] if row.truth is not None},
        "truth_from": _truth_words(plan),
        "characteristics": [asdict(row) for row in rows],
    }
    if plan.source is not None:
        assert plan.protocol.effect is not None, "its people have one"
        content["stated"] = {"people": plan.source.source, **plan.protocol.effect.to_dict()}
    if plan.changes:
        content["changes"] = plan.changes
    shown = list(plan.designs)
    if plan.is_searched:
        with trials("search", _SEARCH_SETS * person_days_of([used], plan.max_replicates)) as tell:
            search, at = _search(plan, main, truths=truths, errors=errors, crew=crew, on_progress=tell)
        content["search"] = {**asdict(search), "at": None if at is None else asdict(at)}
        content["smallest_n"] = search.n
        if at is not None:
            shown.append(resize_protocol(used, at.n_subjects))
    elif power is not None:
        content["smallest_n"] = next((row.n_subjects for row in main if _power(row) >= power), None)
    if not plan.is_null:
        content["nulls"] = _nulls(plan, shown, crew, trials)
    if rule is not None:
        content["looks"] = asdict(rule)
    if plan.n_draws:
        with trials("assurance", person_days_of(plan.designs[-1:], plan.n_draws * _TRIALS_A_DRAW)):
            assured = estimate_assurance(
                plan.designs[-1], n_draws=plan.n_draws, n_replicates=_TRIALS_A_DRAW, seed=plan.seed, alpha=plan.alpha,
                analysis=wanted, evidence=plan.evidence, crew=crew,
            )  # fmt: skip
        under = under_effect_model(
            plan.designs[-1], wanted, asdict(assured), model=plan.effect_model, alpha=plan.alpha
        )  # fmt: skip
        content["assurance"] = {**asdict(assured), **under}
    if plan.prices is not None:
        estimates = np.concatenate(runs[-1].kept)
        content["cost"] = cost_content(plan.protocol, *plan.prices, estimates=estimates, analysis=wanted)
    return DesignStudy(plan=plan, rows=tuple(rows), runs=tuple(runs), content=content)


def _each_design(
    plan: DesignPlan,
    truths: dict[str, float],
    errors: dict[str, float],
    keep: bool,
    crew: Crew,
    trials: Callable[[str, int], Any],
    on_share: OnShare | None,
    on_settled: OnSettled | None,
) -> tuple[list[Characteristics], list[DesignRun], list[dict[str, Any]]]:
    """Characteristics and trials of every design, and its assurance where values are drawn; sizes share people."""
    wanted, designs = plan.analysis, plan.designs
    name, weight = _sizes_words(designs), person_days_of(designs[-1:], plan.max_replicates)

    def settled(place: int, run: DesignRun, values: Literal["fixed", "drawn"]) -> None:
        if on_settled is not None:
            on_settled(designs[place].population.n_subjects, run.decided(wanted).measure, values)

    with trials(name, weight) as tell:
        runs = simulate_sizes(
            designs, parameters=plan.parameters, max_replicates=plan.max_replicates, mcse=plan.mcse, seed=plan.seed,
            alpha=plan.alpha, analysis=wanted, truths=truths, truth_errors=errors, rule=plan.rule, source=plan.source,
            keep=keep or plan.prices is not None, is_null=plan.is_null, crew=crew, on_progress=tell, on_share=on_share,
            on_settled=lambda place, run: settled(place, run, "fixed"),
        )  # fmt: skip
    found = [characterize(design, run, analysis=wanted) for design, run in zip(designs, runs, strict=True)]
    rows = [row for some in found for row in some]
    if plan.drawing is None:
        return rows, list(runs), []
    with trials(f"{name}, over the posterior", weight) as tell:
        over = simulate_sizes(
            [one_analysis(design, wanted) for design in designs], parameters=plan.parameters, drawing=plan.drawing,
            max_replicates=plan.max_replicates, mcse=plan.mcse, seed=plan.seed, alpha=plan.alpha, analysis=wanted,
            rule=plan.rule, is_null=True, crew=crew, on_progress=tell,
            on_settled=lambda place, run: settled(place, run, "drawn"),
        )  # fmt: skip
    main = [row for row in rows if row.analysis == wanted]
    drawn = [_over_posterior(plan, *one) for one in zip(designs, main, over, strict=True)]
    return rows, list(runs), drawn


def _sizes_words(designs: Sequence[Protocol]) -> str:
    """People of some designs, in words."""
    sizes = sorted(design.population.n_subjects for design in designs)
    return f"{sizes[0]} people" if len(sizes) == 1 else f"{len(sizes)} sizes, {sizes[0]} to {sizes[-1]} people"


def _over_posterior(plan: DesignPlan, design: Protocol, row: Characteristics, run: DesignRun) -> dict[str, Any]:
    """The assurance of a design: every trial draws its values from the posterior; the other trials speak beside it."""
    assert plan.drawing is not None, "asked for where something is drawn"
    share = run.decided(plan.analysis)
    return {
        "posterior": plan.drawing.posterior, "n_subjects": design.population.n_subjects,
        "rejected": asdict(share.measure), "n_replicates": share.n,
        **assurance_models(
            design, plan.analysis, share.measure, standard_error=row.width.value / (2.0 * Z95), alpha=plan.alpha
        ),
    }  # fmt: skip


def first_look(plan: DesignPlan, on_share: OnShare, *, n_trials: int = 20, over_posterior: bool = False) -> None:
    """A few trials of each design of a plan, told at once: a wide band before a narrow one. Nothing of it is kept.

    ``over_posterior``: each trial draws its values, where the plan has something to draw.
    """
    runs = simulate_sizes(
        [one_analysis(design, plan.analysis) for design in plan.designs], parameters=plan.parameters, mcse=0.5,
        seed=plan.seed, max_replicates=min(n_trials, plan.max_replicates), alpha=plan.alpha, analysis=plan.analysis,
        rule=plan.rule, source=plan.source, is_null=True, drawing=plan.drawing if over_posterior else None,
    )  # fmt: skip
    for design, run in zip(plan.designs, runs, strict=True):
        on_share(design.population.n_subjects, run.decided(plan.analysis))


def _shown(on_progress: Callable[[str, int], Any] | None, name: str, person_days: int) -> Any:
    """The context of a part of the work; without a listener it says nothing."""
    return nullcontext(None) if on_progress is None else on_progress(name, person_days)


def _nulls(
    plan: DesignPlan, shown: Sequence[Protocol], crew: Crew, trials: Callable[[str, int], Any]
) -> list[dict[str, Any]]:
    """How often each design rejects where the drug does nothing to use."""
    sizes = {design.population.n_subjects: design for design in shown}
    largest = sizes[max(sizes)]
    name = f"{_sizes_words(list(sizes.values()))}, where the drug does nothing"
    with trials(name, person_days_of([largest], 2 * plan.max_replicates)):
        nulls = simulate_nulls(
            list(sizes.values()), plan.analysis, parameters=plan.parameters, max_replicates=plan.max_replicates,
            mcse=plan.mcse, seed=plan.seed, alpha=plan.alpha, rule=plan.rule, source=plan.source, crew=crew,
        )  # fmt: skip
    return [{"n_subjects": n, **asdict(one)} for n, found in zip(sizes, nulls, strict=True) for one in found]


def _search(
    plan: DesignPlan,
    main: Sequence[Characteristics],
    *,
    truths: dict[str, float],
    errors: dict[str, float],
    crew: Crew,
    on_progress: OnProgress | None,
) -> tuple[SizeSearch, Characteristics | None]:
    """The smallest size of a range with a power, and how the design behaves there.

    People are randomized again and again where that says the same (:mod:`remission.design.again`); with looks, with
    people of a source, or with an analysis of days or periods, ordinary trials are simulated.
    """
    power, sizes = plan.power, plan.sizes.sizes
    assert power is not None, "a search has a power to reach"
    most = min(TRIALS_NEAR * plan.max_replicates, MAX_REPLICATES)
    alone = one_analysis(plan.designs[0], plan.analysis)
    is_again = plan.rule is None and plan.source is None and can_randomize_again(alone, plan.analysis)
    tried = 0

    def evaluate(n: int, enough: Enough) -> Evaluation:
        nonlocal tried
        design = resize_protocol(alone, n)
        if is_again:
            measure, count = power_again(
                design, plan.analysis, parameters=plan.parameters, alpha=plan.alpha, seed=plan.seed, most=most,
                enough=enough, crew=crew,
            )  # fmt: skip
        else:
            run = simulate_design(
                design, parameters=plan.parameters, max_replicates=most, mcse=1e-9, seed=plan.seed, alpha=plan.alpha,
                analysis=plan.analysis, rule=plan.rule, is_null=True, enough=enough, source=plan.source, crew=crew,
            )  # fmt: skip
            share = run.decided(plan.analysis)
            measure, count = share.measure, share.n
        tried += 1
        if on_progress is not None:
            on_progress(min(tried, _STEPS_EXPECTED - 1), _STEPS_EXPECTED)
        return Evaluation(
            n_subjects=n, rejected=measure, n_replicates=count, n_randomizations=AGAIN if is_again else 1
        )  # fmt: skip

    # The sizes that are known already say where to begin.
    near = min(main, key=lambda row: abs(_power(row) - power))
    start = along_curve(near.n_subjects, _power(near), power, plan.alpha)
    found = search_size(
        evaluate, power=power, low=sizes[0], high=sizes[-1], alpha=plan.alpha, start=int(np.ceil(start))
    )  # fmt: skip
    if found.n is None:
        return found, None
    design = resize_protocol(alone, found.n)
    run = simulate_design(
        design, parameters=plan.parameters, max_replicates=plan.max_replicates, mcse=plan.mcse, seed=plan.seed,
        alpha=plan.alpha, analysis=plan.analysis, rule=plan.rule, source=plan.source, crew=crew,
        truths={name: value for name, value in truths.items() if name == plan.analysis}, truth_errors=errors,
    )  # fmt: skip
    return found, characterize(design, run, analysis=plan.analysis)[0]


def _truth_words(plan: DesignPlan) -> str:
    if plan.is_null:
        return "no effect"
    if plan.source is not None:
        return f"the same people under every arm ({plan.source.source}), the endpoint's own rule kept"
    return "the same people under every arm" if plan.n_truth else "the same trials with nobody unseen"


def _truths(plan: DesignPlan) -> tuple[dict[str, float], dict[str, float]]:
    """True values and their errors: none without an effect, else from the same people under every arm."""
    protocol, wanted = plan.designs[0], plan.analysis
    if plan.is_null:
        return {wanted: 1.0 if protocol.analysis(wanted).is_ratio else 0.0}, {}
    if plan.source is not None:
        found = truth_of_stated(protocol, wanted, plan.source, n_people=plan.n_truth or _STATED_TRUTH, seed=plan.seed,
                                parameters=plan.parameters)  # fmt: skip
        return {wanted: found.estimate}, {wanted: found.mcse / (abs(found.estimate) if is_ratio(found.method) else 1.0)}
    if not plan.n_truth:
        return {}, {}
    truth, error = true_value(plan.protocol, wanted, plan.parameters, n_people=plan.n_truth, seed=plan.seed)
    return {wanted: truth}, {wanted: error}


def _power(row: Characteristics) -> float:
    return (row.rejected if row.sequential is None else row.sequential.rejected).value


def read_looks(looks: str | None, futility: Sequence[str], boundary: str, alpha: float = 0.05) -> StopRule | None:
    """The rule that texts ask for; ``None`` where they ask for no look.

    ``looks``: shares with commas. ``futility``: ``"0.5:0.0"``, several with commas. Raises ``SpecError``: a text says
    something else, or a number or the boundary is not possible.
    """
    check_boundary(boundary)
    if looks is None and not futility:
        return None
    try:
        fractions = [1.0] if looks is None else [float(part) for part in looks.split(",")]
    except ValueError:
        raise SpecError(where="looks", got=looks, allowed="numbers with commas, for example 0.5,1") from None
    floors: dict[float, float] = {}
    for part in (part for text in futility for part in text.split(",")):
        try:
            fraction, z = (float(word) for word in part.split(":"))
        except ValueError:
            raise SpecError(
                where="futility", got=part or "nothing", allowed="a fraction, a colon and z, for example 0.5:0.0"
            ) from None
        if fraction in floors:
            raise SpecError(
                where="futility", got=f"the look at {fraction:g} twice, with {floors[fraction]:g} and {z:g}",
                allowed="each look once", remedy="Keep the one that is meant.",
            )  # fmt: skip
        floors[fraction] = z
    return plan_stops(fractions, futility=floors, boundary=boundary, alpha=alpha)
