"""Why a trial comes out as it does: what carries its effect, what would change it, which study would tell more.

In every draw of the posterior the same people live under every arm, with each link open and closed in turn::

    through a link = effect - effect with the link closed            (positive: better for the treatment)

A study of this design tells y = mean over its sites of their effects + noise of its standard error. With f a smooth
form of the effect as a function of the values, fitted to the draws, and T the effect asked about::

    doubt left = sd(T - E[T | y]) / sd(T),   E[T | y] by regression of T on y, y**2, y**3 over draws

T is the mean effect over such trials, or that of the next one, whose own difference no other trial can tell.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from remission.analyses.estimate import Z95
from remission.design.effect_models import direction_of
from remission.design.measures import is_ratio, to_scale
from remission.design.table import true_value
from remission.design.variants import choose_analysis, one_analysis
from remission.errors import SpecError, WorkError
from remission.evidence.standardized import load_other_trials
from remission.foresight.draws import (
    closed_regions,
    new_trials,
    parameters_of_draw,
    with_fixed_worth,
)
from remission.library.explanations import (
    Conclusion,
    Explained,
    Link,
    Mover,
    Part,
    Range,
    StudyShape,
    StudyWorth,
    links,
    study_shapes,
)
from remission.library.front_page import load_rule
from remission.library.posteriors import LEVEL, Posterior, load_posterior
from remission.patient.parameters import CourseParameters
from remission.protocol.record import Protocol
from remission.provenance import today
from remission.records.packaged import packaged_toml
from remission.records.result import Result
from remission.records.seed import DEFAULT_SEED
from remission.runs.crew import Crew, crew_of
from remission.shapes import Float
from remission.streams import check_seed
from remission.trial.simulate import plan_trial
from remission.trial.summary import unit_of

_TRIALS = 24
"""Simulated trials by which the standard error of the design is found."""
_NORMALS = 24
"""Further trials of each draw of what trials have in common, over which their mean is taken."""
_LEVEL = 0.9
_RIDGE = 1e-3
_HALF = 0.5
_FEW = 3
"""Values of which it is said where they would turn the conclusion: a fifth of the draws of any turns it by chance."""
_LEAST = 1e-12
_LEAST_R2 = 0.5
"""Below it nothing is said of studies: the smooth form they rest on explains too little of the effect."""

_Values = Mapping[str, float]
_Column = Float[np.ndarray, " draw"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(Result):
    """Why a trial comes out as it does: ``found`` holds everything."""

    found: Explained

    def _facts(self) -> list[tuple[str, Any]]:
        one = self.found
        return [
            ("protocol", one.protocol), ("effect", f"{_text(one.effect)} {one.unit}"),
            *((part.name, "none" if part.through is None else _text(part.through)) for part in one.parts),
        ]  # fmt: skip

    def columns(self) -> dict[str, Any]:
        """One row a link."""
        rows = [one for one in self.found.parts if one.through is not None]
        ranges = [one.through for one in rows if one.through is not None]
        return {
            "link": [one.id for one in rows], "kind": [one.kind for one in rows],
            **{name: [getattr(one, name) for one in ranges] for name in ("mean", "low", "high")},
        }  # fmt: skip

    def to_json(self) -> str:
        """Everything as one JSON object."""
        return self.found.model_dump_json()


def explain_trial(
    protocol: Protocol,
    *,
    analysis: str | None = None,
    n_draws: int = 200,
    n_people: int = 400,
    studies: Iterable[StudyShape] | None = None,
    n_workers: int = 1,
    seed: int = DEFAULT_SEED,
) -> Explanation:
    """What carries the effect of a trial in the model, what would change it, and which study would halve the doubt.

    Parameters
    ----------
    protocol
        The trial.
    analysis
        Id of the analysis that decides; the first when left out.
    n_draws
        Draws of the posterior, at least 100.
    n_people
        People who live under every arm in each draw, at least 100.
    studies
        Studies of this design to compare; those of the library when left out.
    n_workers
        Processes; with more than one, a script of your own needs ``if __name__ == "__main__":``.
    seed
        0 to 2**64 - 1.

    Raises
    ------
    SpecError
        An argument is wrong, or the analysis has no true value (a crossover, an outcome that is missing itself).
    WorkError
        Too few draws have an effect.
    """
    with crew_of(n_workers) as crew:
        return Explanation(
            found=explained(
                protocol, analysis=analysis, n_draws=n_draws, n_people=n_people,
                shapes=tuple(studies) if studies is not None else study_shapes(), crew=crew, seed=seed,
            )
        )  # fmt: skip


def explained(
    protocol: Protocol,
    *,
    analysis: str | None,
    n_draws: int,
    n_people: int,
    shapes: tuple[StudyShape, ...],
    crew: Crew,
    seed: int,
) -> Explained:
    """As :func:`explain_trial`; ``crew``: who simulates."""
    for where, count in (("n_draws", n_draws), ("n_people", n_people)):
        if count < 100:
            raise SpecError(where=where, got=count, allowed="a whole number from 100")
    wanted = choose_analysis(protocol, analysis)
    posterior = load_posterior()
    draws = new_trials(posterior, protocol, n_draws, seed=check_seed(seed))
    seeds = np.random.SeedSequence(seed).generate_state(n_draws, dtype=np.uint64).tolist()
    work = partial(_one_draw, with_fixed_worth(one_analysis(protocol, wanted)), wanted, n_people)
    rows = list(crew.in_order(work, list(zip(draws, seeds, strict=True))))
    kept = [number for number, row in enumerate(rows) if all(np.isfinite(one) for one in row.values())]
    if len(kept) < n_draws // 2:
        raise WorkError(
            where=f"analysis {wanted}", got=f"{n_draws - len(kept)} of {n_draws} draws without an effect",
            allowed="an effect in at least half of them", remedy="Take more people, or another analysis.",
        )  # fmt: skip
    table = {name: np.array([rows[number][name] for number in kept]) for name in rows[0]}
    draws = [draws[number] for number in kept]
    effect = table[""]
    unit = unit_of(protocol.analysis(wanted), protocol.endpoint(protocol.analysis(wanted).endpoint))
    unit = f"log {unit}" if is_ratio(protocol.analysis(wanted).method) else unit
    parts = tuple(_part(one, protocol, table) for one in links())
    movers = tuple(_movers(draws, effect))
    most = max((one.sites for one in shapes), default=1)
    doubt = _Doubt.of(posterior, protocol, draws, effect, n_sites=most, seed=seed)
    error = _standard_error(protocol, wanted, seed)
    worths = doubt.worths(shapes, protocol.population.n_subjects, error, seed)
    conclusion, share = _conclusion(effect), float((effect > 0.0).mean())
    found = Explained(
        protocol=protocol.id, title=protocol.title, analysis=protocol.analysis(wanted).label, unit=unit,
        posterior=posterior.plan, posterior_hash=posterior.sha256, seed=seed, n_draws=len(kept),
        n_people=n_people, made=today(), effect=_range(effect), helps_share=share, conclusion=conclusion, parts=parts,
        movers=movers, sd_mean=_short(doubt.sd_mean), sd_next=_short(doubt.sd_next), surrogate_r2=_short(doubt.r2),
        studies=worths, says=(),
    )  # fmt: skip
    return found.replace(says=tuple(_says(found, _range(effect, load_rule().level))))


def _one_draw(protocol: Protocol, wanted: str, n_people: int, item: tuple[dict[str, float], int]) -> dict[str, float]:
    """The effect of a draw with every link open (under no name) and with each closed; the same people throughout."""
    values, seed = item
    base = parameters_of_draw(protocol, values)
    sign = direction_of(protocol, wanted)
    method = protocol.analysis(wanted).method

    def effect(tried: Protocol, parameters: CourseParameters) -> float:
        truth, _ = true_value(tried, wanted, parameters, n_people=n_people, seed=seed)
        with np.errstate(divide="ignore", invalid="ignore"):
            return sign * float(to_scale(np.array([truth]), method)[0])

    found = {"": effect(protocol, base)}
    for one in links():
        tried, parameters = closed(one, protocol, base)
        found[one.id] = found[""] if (tried, parameters) == (protocol, base) else effect(tried, parameters)
    return found


def closed(link: Link, protocol: Protocol, parameters: CourseParameters) -> tuple[Protocol, CourseParameters]:
    """Protocol and values with a link closed; both as they are where there is nothing to close."""
    if link.belief:
        blinding = protocol.blinding
        if blinding is None or not (blinding.expectancy_use or blinding.expectancy_report):
            return protocol, parameters
        calm = blinding.replace(expectancy_use=0.0, expectancy_report=0.0)
        return protocol.replace(blinding=calm), parameters
    if link.kind == "region":
        return protocol, closed_regions(parameters, (link.id,))
    changed: dict[str, float] = dict.fromkeys(link.zero, 0.0)
    if link.through_craving is not None:
        kept = 1.0 - parameters.craving_share if link.through_craving else parameters.craving_share
        changed |= {"use_effect": parameters.use_effect * kept, "craving_share": float(not link.through_craving)}
    return protocol, parameters.replace(**changed)


def _part(link: Link, protocol: Protocol, table: Mapping[str, _Column]) -> Part:
    words = packaged_toml("explain.toml")["words"]
    through = table[""] - table[link.id]
    if not through.any() and (link.belief or link.id == "gate"):
        blinding = protocol.blinding
        is_silent = link.belief and (blinding is None or not (blinding.expectancy_use or blinding.expectancy_report))
        says = words["without_belief"] if is_silent else words["fixed"]
        return Part(id=link.id, kind=link.kind, name=link.name, through=None, left=None, says=says)
    return Part(id=link.id, kind=link.kind, name=link.name, through=_range(through), left=_range(table[link.id]))


def _movers(draws: list[dict[str, float]], effect: _Column) -> Iterable[Mover]:
    """Values in the order in which they move the effect."""
    names = packaged_toml("explain.toml")["values"]
    fifth = max(2, len(draws) // 5)
    found = []
    for key, name in names.items():
        if key not in draws[0]:
            continue
        order = np.argsort([one[key] for one in draws], kind="stable")
        low, high = effect[order[:fifth]], effect[order[-fifth:]]
        found.append(Mover(id=key, name=name, low=_range(low), high=_range(high), low_says=_conclusion(low),
                           high_says=_conclusion(high)))  # fmt: skip
    return sorted(found, key=lambda one: -abs(one.high.mean - one.low.mean))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Doubt:
    """Effects by a smooth form: of the next trial, then of the sites of a study, then the mean of such trials."""

    trials: Float[np.ndarray, "draw trial"]
    mean: _Column
    r2: float

    @property
    def sd_mean(self) -> float:
        return float(self.mean.std())

    @property
    def sd_next(self) -> float:
        return float(self.trials[:, 0].std())

    @classmethod
    def of(
        cls,
        posterior: Posterior,
        protocol: Protocol,
        draws: list[dict[str, float]],
        effect: _Column,
        *,
        n_sites: int,
        seed: int,
    ) -> "_Doubt":
        form = _Form.fitted(draws, effect)
        size = posterior.size
        row = np.arange(size)
        first = 1 + n_sites
        trials = np.stack([
            form.at(new_trials(posterior, protocol, size, seed=seed + 1000 + k, row=row))
            for k in range(first + _NORMALS)
        ], axis=1)  # fmt: skip
        return cls(trials=trials[:, :first], mean=trials[:, first:].mean(axis=1), r2=form.r2)

    def worths(
        self, shapes: tuple[StudyShape, ...], n_subjects: int, error: float, seed: int
    ) -> tuple[StudyWorth, ...]:
        """What studies would leave of the doubt; nothing where the smooth form explains too little of the effect."""
        if self.r2 < _LEAST_R2:
            return ()
        return tuple(self.worth(one, n_subjects, error, seed) for one in shapes)

    def worth(self, shape: StudyShape, n_subjects: int, error: float, seed: int) -> StudyWorth:
        """What a study would leave of the doubt; its sites are not the trial asked about."""
        seen = self.trials[:, 1 : 1 + shape.sites].mean(axis=1)
        noise = 0.0 if shape.people == 0 else error / np.sqrt(shape.people)
        told = seen + noise * np.random.default_rng([seed, 7]).normal(size=seen.size)
        left, left_next = (_left(one, told) for one in (self.mean, self.trials[:, 0]))
        return StudyWorth(
            people=shape.people * n_subjects or None, sites=shape.sites, sd=_short(left * self.sd_mean),
            sd_next=_short(left_next * self.sd_next), left=_short(left), left_next=_short(left_next),
        )  # fmt: skip


def _left(asked: _Column, told: _Column) -> float:
    """The share of the standard deviation of what is asked that stays when something is told."""
    spread = told.std()
    if spread <= 0.0 or asked.std() <= 0.0:
        return 1.0
    z = (told - told.mean()) / spread
    design = np.stack([np.ones_like(z), z, z**2, z**3], axis=1)
    rest = asked - design @ np.linalg.lstsq(design, asked, rcond=None)[0]
    return float(min(1.0, np.sqrt((rest**2).sum() / (len(asked) - 4)) / asked.std()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """The effect as a smooth form of the values: straight in each, squares and products of the two effects."""

    names: tuple[str, ...]
    center: Float[np.ndarray, " value"]
    spread: Float[np.ndarray, " value"]
    weights: Float[np.ndarray, " term"]
    r2: float

    @classmethod
    def fitted(cls, draws: list[dict[str, float]], effect: _Column) -> "_Form":
        names = tuple(draws[0])
        table = np.array([[one[name] for name in names] for one in draws])
        center, spread = table.mean(axis=0), np.maximum(table.std(axis=0), 1e-12)
        terms = _terms(names, (table - center) / spread)
        inverse = np.linalg.inv(terms.T @ terms + _RIDGE * len(draws) * np.eye(terms.shape[1]))
        weights = inverse @ terms.T @ effect
        # Each draw predicted without itself.
        leverage = np.einsum("dt,ts,ds->d", terms, inverse, terms)
        off = (effect - terms @ weights) / np.maximum(1.0 - leverage, 1e-3)
        r2 = 1.0 - float((off**2).sum() / max(((effect - effect.mean()) ** 2).sum(), 1e-300))
        return cls(names=names, center=center, spread=spread, weights=weights, r2=r2)

    def at(self, draws: list[dict[str, float]]) -> _Column:
        table = np.array([[one[name] for name in self.names] for one in draws])
        # Beyond what was simulated the form knows nothing: values stay at the edge.
        z = np.clip((table - self.center) / self.spread, -3.0, 3.0)
        return np.asarray(_terms(self.names, z) @ self.weights)


def _terms(names: tuple[str, ...], z: Float[np.ndarray, "draw value"]) -> Float[np.ndarray, "draw term"]:
    use, craving = (z[:, names.index(name)] for name in ("use_effect", "k_c"))
    columns = [np.ones(len(z)), *z.T, use**2, craving**2, *(use * column for column in z.T)]
    if LEVEL in names:
        columns.append(z[:, names.index(LEVEL)] ** 2)
    return np.stack(columns, axis=1)


def _standard_error(protocol: Protocol, wanted: str, seed: int) -> float:
    """What simulated trials of the design report, on the scale of the analysis."""
    plan = plan_trial(one_analysis(protocol, wanted), n_replicates=_TRIALS, seed=seed)
    found = [plan.run(chunk).estimates[wanted] for chunk in plan.chunks]
    method = protocol.analysis(wanted).method
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = (
            to_scale(np.concatenate([getattr(one, name) for one in found]), method) for name in ("low", "high")
        )
        width = high - low
    good = width[np.isfinite(width)]
    if not good.size:
        raise WorkError(where=f"analysis {wanted}", got="no interval in any simulated trial", allowed="one in some",
                        remedy="Take more people, or another analysis.")  # fmt: skip
    return float(np.sqrt(np.mean((good / (2.0 * Z95)) ** 2)))


def _conclusion(effect: _Column) -> Conclusion:
    """By the rule of the first page, so that no page says more than another."""
    low, high = _ends(effect, load_rule().level)
    return "helps" if low > 0.0 else "worse" if high < 0.0 else "unclear"


def _range(values: _Column, level: float = _LEVEL) -> Range:
    low, high = _ends(values, level)
    return Range(mean=_short(float(values.mean())), low=_short(low), high=_short(high))


def _ends(values: _Column, level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return float(low), float(high)


def _short(value: float) -> float:
    """Four digits; what rounding leaves of nothing is nothing."""
    return float(f"{value:.4g}") if abs(value) > _LEAST else 0.0


def _text(one: Range) -> str:
    return f"{one.mean:.3g} ({one.low:.3g} to {one.high:.3g})"


def _says(found: Explained, said: Range) -> Iterable[str]:
    """The answer in sentences: conclusion, what carries it, what would change it, what would tell more.

    ``said``: the effect with the range that the conclusion goes by.
    """
    words, unit, effect = packaged_toml("explain.toml")["words"], found.unit, found.effect
    yield words[found.conclusion].format(
        low=said.low, high=said.high, unit=unit, percent=100.0 * found.helps_share, level=100.0 * load_rule().level
    )  # fmt: skip
    known = [(one, one.through, one.left) for one in found.parts if one.through is not None and one.left is not None]
    known.sort(key=lambda row: -abs(row[1].mean))
    for kind in ("region", "piece"):
        first = next(((one, left) for one, through, left in known if one.kind == kind and through.mean), None)
        if first is not None:
            yield words["carries"].format(name=first[0].name, left=first[1].mean, effect=effect.mean, unit=unit)
    if not known:
        yield words["none_carries"]
    top = found.movers[0]
    yield words["change"].format(name=top.name, low=top.low.mean, high=top.high.mean, unit=unit)
    told = {"helps": "it helps", "unclear": "it cannot be told", "worse": "it harms"}
    for one in found.movers[:_FEW]:
        for which, says in (("lowest", one.low_says), ("highest", one.high_says)):
            if says != found.conclusion:
                yield words["turns"].format(which=which, name=one.name, says=told[says])
    if not found.studies:
        yield words["no_studies"].format(r2=found.surrogate_r2)
        yield words["limits"].format(weight=load_other_trials().stacking_weight)
        return
    halving = [one for one in found.studies if one.left <= _HALF and one.people is not None]
    if halving:
        best = min(halving, key=lambda one: one.people or 0)
        yield words["halves"].format(sd=found.sd_mean, unit=unit, people=best.people, sites=best.sites)
    else:
        yield words["halves_none"].format(sd=found.sd_mean, unit=unit)
    for study in found.studies:
        if study.people is None and study.sites == 1:
            yield words["one_site"].format(percent=100.0 * study.left)
    yield words["next"].format(sd=min(one.sd_next for one in found.studies), unit=unit)
    yield words["limits"].format(weight=load_other_trials().stacking_weight)
