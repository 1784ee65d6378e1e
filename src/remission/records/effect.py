"""An effect that somebody states, whatever any model says: a known law of the outcome, and what the trial must show.

The same block stands in a file of its own, with the number of people, and in a protocol, which has that already.
Shares are from 0 to 1. Times are in days.
"""

import re
from collections.abc import Callable, Iterator
from math import prod
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from remission.errors import SpecError, did_you_mean
from remission.records.base import Record
from remission.records.belief import EffectBlinding
from remission.records.text import EachOnce, Slug, Title

_Finite = Annotated[float, Field(ge=-1e9, le=1e9)]
_Share = Annotated[float, Field(gt=0.0, lt=1.0)]
_Days = Annotated[float, Field(gt=0.0, le=36_500.0)]
_Ratio = Annotated[float, Field(gt=0.0, le=1000.0)]

Goal: TypeAlias = Literal["superiority", "non-inferiority", "equivalence"]


class PerSide(Record):
    """A number of the treatment side and one of the control side; a file may give one number for both."""

    treatment: float
    control: float


def _per_side(words: str, is_right: Callable[[float], bool]) -> Any:
    """A number, or one for each side, each of which is right; ``words`` say which are."""

    def check(value: Any) -> Any:
        if isinstance(value, PerSide):
            return value
        both = value if isinstance(value, dict) else dict.fromkeys(("treatment", "control"), value)
        if set(both) != {"treatment", "control"}:
            raise SpecError(where="value", got=", ".join(map(str, both)) or "nothing",
                            allowed="one number, or treatment: and control: below it")  # fmt: skip
        for name, one in both.items():
            if isinstance(one, bool) or not isinstance(one, int | float) or not is_right(float(one)):
                place = name if isinstance(value, dict) else "value"
                raise SpecError(where=place, got="nothing" if one is None else one, allowed=words)
        return both

    return BeforeValidator(check)


class Allocation(Record):
    """People of the treatment side to people of the control side, such as 2 to 1 or 17 to 23."""

    treatment: Annotated[float, Field(gt=0.0, le=1e6)] = 1.0
    control: Annotated[float, Field(gt=0.0, le=1e6)] = 1.0


class Leaving(Record):
    """The share of people who have left by a day; they leave at one rate. One share, or one for each side."""

    share: Annotated[PerSide, _per_side("a share from 0 to below 1", lambda one: 0.0 <= one < 1.0)]
    by_day: _Days


class Clusters(Record):
    """Whole groups of ``size`` people are allocated, whose outcomes have the correlation ``icc`` within a group."""

    size: Annotated[int, Field(strict=True, ge=2, le=100_000)]
    icc: Annotated[float, Field(ge=0.0, lt=1.0)]


class Costs(Record):
    """What a person of each side costs, and what is paid once, all in one currency."""

    treatment: Annotated[float, Field(ge=0.0, le=1e12)]
    control: Annotated[float, Field(ge=0.0, le=1e12)]
    once: Annotated[float, Field(ge=0.0, le=1e12)] = 0.0


class _Stated(Record):
    """What every law has.

    ``margin`` stands on the scale of the effect, with its sign: for non-inferiority the effect that must be ruled out,
    for equivalence the half width (of a ratio, its upper end). ``better``: which side of no effect is the wished one;
    needed for non-inferiority, and for a one-sided test of superiority where the effect is none. ``sides``: 2 spends
    alpha on both sides, so that non-inferiority and equivalence are tested at half of it; 1 spends it on one.
    """

    is_ratio: ClassVar[bool] = False

    goal: Goal = "superiority"
    margin: _Finite | None = None
    better: Literal["higher", "lower"] | None = None
    sides: Annotated[int, Field(strict=True, ge=1, le=2)] = 2
    leaving: Leaving | None = None

    def _faults(self) -> Iterator[SpecError]:
        none = 1.0 if self.is_ratio else 0.0
        if self.goal == "superiority":
            if self.margin is not None:
                yield SpecError(where="margin", got=self.margin, allowed="nothing with superiority",
                                remedy="Leave it out, or write goal: non-inferiority or equivalence.")  # fmt: skip
            return
        if self.margin is None:
            yield SpecError(where="margin", got="nothing", allowed=f"a number, for {self.goal}")
            return
        if self.is_ratio and self.margin <= 0.0:
            yield SpecError(where="margin", got=self.margin, allowed="a ratio above 0")
        elif self.goal == "equivalence":
            if self.margin <= none:
                yield SpecError(where="margin", got=self.margin, allowed=f"a number above {none:g}: the upper end of "
                                "what counts as equal; the lower end is its mirror")  # fmt: skip
        elif self.better is None:
            yield SpecError(where="better", got="nothing", allowed="higher or lower, for non-inferiority",
                            remedy="Say whether a higher outcome of the treatment is the wished one.")  # fmt: skip
        elif (self.margin < none) != (self.better == "higher") or self.margin == none:
            side = "below" if self.better == "higher" else "above"
            yield SpecError(
                where="margin", got=f"{self.margin:g}, where {self.better} is better",
                allowed=f"a number {side} {none:g}: how much worse the treatment may be",
                remedy="Turn its sign." if not self.is_ratio else "Take one divided by it.",
            )  # fmt: skip


class Difference(_Stated):
    """Means of a normal outcome: their difference, treatment minus control, and the SD of people.

    ``sd``: one, or one for each side. ``baseline_correlation``: of the outcome with a baseline that the analysis
    adjusts for. ``clusters``: groups are allocated.
    """

    law: Literal["difference"]
    difference: _Finite
    sd: Annotated[PerSide, _per_side("a standard deviation above 0", lambda one: 0.0 < one <= 1e9)]
    baseline_correlation: Annotated[float, Field(gt=-1.0, lt=1.0)] = 0.0
    clusters: Clusters | None = None

    def _faults(self) -> Iterator[SpecError]:
        yield from super()._faults()
        if self.sd.treatment != self.sd.control and (self.baseline_correlation or self.clusters):
            yield SpecError(where="sd", got="one for each side", allowed="one number with baseline_correlation or "
                            "clusters")  # fmt: skip
        if self.clusters and self.baseline_correlation:
            yield SpecError(
                where="baseline_correlation", got=self.baseline_correlation, allowed="nothing with clusters",
                remedy="Give the SD of the outcome that is left after the baseline.",
            )  # fmt: skip


class Proportions(_Stated):
    """Shares of people with an outcome, compared by their difference."""

    law: Literal["proportions"]
    treatment: _Share
    control: _Share
    clusters: Clusters | None = None

    def _faults(self) -> Iterator[SpecError]:
        yield from super()._faults()
        if self.margin is not None and abs(self.margin) >= 1.0:
            yield SpecError(where="margin", got=self.margin, allowed="a difference of shares, between -1 and 1")


class Hazard(_Stated):
    """Times to an event at constant hazards: their ratio, treatment to control, and how long people are watched.

    Of the control, ``control_share`` have had the event ``by_day``. People enter evenly over ``accrual_days``; the last
    one is watched for ``follow_up_days``, nobody longer than ``each_days``. ``better``: ``higher`` where a higher
    hazard is wished.
    """

    is_ratio: ClassVar[bool] = True

    law: Literal["hazard"]
    hazard_ratio: _Ratio
    control_share: _Share
    by_day: _Days
    accrual_days: Annotated[float, Field(ge=0.0, le=36_500.0)] = 0.0
    follow_up_days: _Days
    each_days: _Days | None = None


class Rate(_Stated):
    """Counts of events: the control's rate a day, the ratio of rates, and how much more than Poisson they vary.

    ``dispersion``: variance of a count is mean + dispersion * mean^2; 0 is Poisson. ``days``: of each person's count.
    """

    is_ratio: ClassVar[bool] = True

    law: Literal["rate"]
    rate_ratio: _Ratio
    control_rate_per_day: Annotated[float, Field(gt=0.0, le=1000.0)]
    dispersion: Annotated[float, Field(ge=0.0, le=1000.0)] = 0.0
    days: _Days


_ONE_OR_MORE = BeforeValidator(lambda value: (value,) if isinstance(value, int | float) else value)


class Repeated(_Stated):
    """A normal outcome at visits, analyzed by a mixed model for repeated measures.

    ``visit_days`` rise. ``differences``: of the means at each visit, treatment minus control. ``covariance``: of one
    person's visits, the whole matrix; or ``sd`` (one, or one for each visit) with ``correlation``, the same between any
    two visits, or falling by visit with ``correlation_falls``. ``at``: what is tested, the last visit or the mean of
    all. ``margin`` is of that.
    """

    law: Literal["repeated"]
    visit_days: Annotated[tuple[_Days, ...], Field(min_length=2, max_length=20)]
    differences: Annotated[tuple[_Finite, ...], Field(min_length=2, max_length=20)]
    covariance: tuple[tuple[_Finite, ...], ...] | None = None
    sd: Annotated[tuple[Annotated[float, Field(gt=0.0, le=1e9)], ...], _ONE_OR_MORE] | None = None
    correlation: Annotated[float, Field(gt=-1.0, lt=1.0)] | None = None
    correlation_falls: bool = False
    at: Literal["last", "mean"] = "last"

    def _faults(self) -> Iterator[SpecError]:
        yield from super()._faults()
        n = len(self.visit_days)
        if any(late <= early for early, late in zip(self.visit_days, self.visit_days[1:], strict=False)):
            yield SpecError(where="visit_days", got=list(self.visit_days), allowed="rising days")
        if len(self.differences) != n:
            yield SpecError(where="differences", got=f"{len(self.differences)} numbers", allowed=f"{n}, as visit_days")
        if (self.covariance is None) == (self.sd is None or self.correlation is None):
            yield SpecError(where="covariance", got="both" if self.covariance else "nothing whole",
                            allowed="a covariance matrix, or sd with correlation")  # fmt: skip
            return
        if self.sd is not None and len(self.sd) not in {1, n}:
            yield SpecError(where="sd", got=f"{len(self.sd)} numbers", allowed=f"one, or {n}, as visit_days")
            return
        if self.covariance is not None:
            if any(len(row) != n for row in self.covariance) or len(self.covariance) != n:
                yield SpecError(where="covariance", got="another shape", allowed=f"{n} rows of {n} numbers")
                return
            if any(
                abs(self.covariance[i][j] - self.covariance[j][i]) > 1e-9 * abs(self.covariance[i][j])
                for i in range(n) for j in range(i)
            ):  # fmt: skip
                yield SpecError(where="covariance", got="rows that differ from columns", allowed="a symmetric matrix")
                return
        if not _is_positive_definite(self.matrix):
            place = "covariance" if self.covariance is not None else "correlation"
            yield SpecError(where=place, got="a covariance that is not positive definite",
                            allowed="one in which no visit is foretold exactly by others, and no variance is 0",
                            remedy="Bring the correlations nearer to 0.")  # fmt: skip

    @property
    def matrix(self) -> tuple[tuple[float, ...], ...]:
        """The covariance of one person's visits."""
        if self.covariance is not None:
            return self.covariance
        n = len(self.visit_days)
        sds = (self.sd or (0.0,)) * (n if len(self.sd or (0.0,)) == 1 else 1)
        r = self.correlation or 0.0
        return tuple(
            tuple(
                sds[i] * sds[j] * (1.0 if i == j else prod([r] * (abs(i - j) if self.correlation_falls else 1)))
                for j in range(n)
            )
            for i in range(n)
        )


def _is_positive_definite(matrix: tuple[tuple[float, ...], ...]) -> bool:
    """By elimination; a pivot that is a rounding's worth of its variance counts as none."""
    rows = [list(row) for row in matrix]
    for k, row in enumerate(rows):
        if not row[k] > 1e-10 * abs(matrix[k][k]) or not matrix[k][k] > 0.0:
            return False
        for below in rows[k + 1 :]:
            factor = below[k] / row[k]
            for j in range(k, len(row)):
                below[j] -= factor * row[j]
    return True


class NormalPrior(Record):
    """What is believed of the effect before the trial, on the scale of the analysis: the logarithm for ratios."""

    mean: _Finite
    sd: Annotated[float, Field(gt=0.0, le=1e9)]


def _boundary(name: str) -> str:
    """A boundary by its name; the family of Hwang, Shih and DeCani with its number."""
    if not re.fullmatch(r"(classical-)?(obrien-fleming|pocock)|hwang-shih-decani:-?[0-9]{1,2}(\.[0-9]{1,6})?", name):
        raise SpecError(
            where="value", got=name, allowed="obrien-fleming, pocock, either with classical- before it, or "
            "hwang-shih-decani:-4 with a number from -40 to 40",
        )  # fmt: skip
    return name


def _spent(name: str) -> str:
    """A boundary that spends, which one of a fixed shape does not."""
    if name.startswith("classical-"):
        raise SpecError(where="value", got=name, allowed=f"a spending function, such as {name[10:]}")
    return _boundary(name)


Boundary: TypeAlias = Annotated[str, AfterValidator(_boundary)]
"""The name of a boundary of success."""


class LookPlan(Record):
    """When the trial is looked at, and what stops it.

    ``at``: shares of the information, the last one 1. ``spending``: how alpha is spent, ``hwang-shih-decani:-4`` among
    them. ``beta_spending``: how the error of the second kind is spent on floors of futility, of ``beta`` in all; the
    floors are not binding. ``futility_z``: floors that are given instead, one for each look but the last.
    """

    at: Annotated[tuple[float, ...], Field(min_length=1, max_length=20)]
    spending: Boundary = "obrien-fleming"
    beta_spending: Annotated[str, AfterValidator(_spent)] | None = None
    beta: _Share = 0.1
    futility_z: tuple[Annotated[float, Field(ge=-10.0, le=10.0)] | None, ...] | None = None

    def _faults(self) -> Iterator[SpecError]:
        steps = [late - early for early, late in zip((0.0, *self.at[:-1]), self.at, strict=True)]
        if min(steps) <= 0.0 or self.at[-1] != 1.0:
            yield SpecError(where="at", got=list(self.at), allowed="rising shares above 0, the last one 1",
                            remedy="For example [0.5, 1].")  # fmt: skip
        if self.futility_z is not None and self.beta_spending is not None:
            yield SpecError(where="futility_z", got="given with beta_spending", allowed="one of the two")
        if self.futility_z is not None and len(self.futility_z) != len(self.at) - 1:
            yield SpecError(where="futility_z", got=f"{len(self.futility_z)} floors",
                            allowed=f"{len(self.at) - 1}: one for each look but the last, null for none")  # fmt: skip


class SeenAtLook(Record):
    """What a look has shown: the estimate and its standard error, on the scale of the analysis.

    ``errors``: the standard error at each look so far, the last one of this; one over their squares is the information
    that the boundaries follow. ``is_last``: no further look comes, whatever was planned. ``prior``: for predictive
    power; without one nothing is believed but what was seen.
    """

    estimate: _Finite
    errors: Annotated[tuple[Annotated[float, Field(gt=0.0, le=1e9)], ...], Field(min_length=1, max_length=20)]
    is_last: bool = False
    prior: NormalPrior | None = None

    def _faults(self) -> Iterator[SpecError]:
        if any(late >= early for early, late in zip(self.errors, self.errors[1:], strict=False)):
            yield SpecError(where="errors", got=list(self.errors), allowed="falling errors: each look knows more",
                            remedy="Write the first look first.")  # fmt: skip


class Blinded(Record):
    """What the pooled data show before anybody knows who had what: of how many ``people``, and one nuisance number.

    ``sd`` of a normal outcome, both sides together; ``share`` of people with the outcome; ``rate_per_day`` of events
    with their ``dispersion``.
    """

    people: Annotated[int, Field(strict=True, ge=4, le=1_000_000)]
    sd: Annotated[float, Field(gt=0.0, le=1e9)] | None = None
    share: _Share | None = None
    rate_per_day: Annotated[float, Field(gt=0.0, le=1000.0)] | None = None
    dispersion: Annotated[float, Field(ge=0.0, le=1000.0)] | None = None


class GoRule(Record):
    """Go, consider or no-go, by what is believed of the effect at the end.

    Go where the effect is better than ``reference`` with at least ``go_at`` and than ``target`` with at least
    ``stop_below``; no-go where it is better than ``target`` with less than ``stop_below``; else consider. Both on the
    scale of the effect.
    """

    target: _Finite
    reference: _Finite
    go_at: _Share = 0.8
    stop_below: _Share = 0.1
    prior: NormalPrior | None = None


class DiaryEffect(Record):
    """An effect on the days of people who are drawn whole from diaries, or from the chain under the control.

    On the treatment side the person's own odds of a use day are multiplied by ``use_odds_ratio`` and the amount of a
    use day by ``amount_ratio``. The effect begins on ``from_day``, is whole ``onset_days`` later, and then halves every
    ``half_life_days``; without one it stays. ``spread``: standard deviation between people of the logarithm of the odds
    ratio. ``substance``: of the diaries, where it has another name there. ``arms`` that have the effect; where none is
    named, the treatment side of the analysis that decides.
    """

    law: Literal["diary"]
    people: Literal["diaries", "chain"] = "diaries"
    use_odds_ratio: _Ratio = 1.0
    amount_ratio: _Ratio = 1.0
    from_day: Annotated[int, Field(strict=True, ge=0, le=1826)] = 0
    onset_days: Annotated[float, Field(ge=0.0, le=1826.0)] = 0.0
    half_life_days: _Days | None = None
    spread: Annotated[float, Field(ge=0.0, le=5.0)] = 0.0
    substance: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    arms: Annotated[tuple[Slug, ...], EachOnce] = ()


Law: TypeAlias = Difference | Proportions | Hazard | Rate | Repeated
"""Effects that have a closed form."""

_LAWS = ("difference", "proportions", "hazard", "rate", "repeated")
_NOT_DAYS = (
    "An effect on days stands in a protocol (remission design PROTOCOL --diaries FILE). Here state what it does to the "
    "endpoint of those days: their mean with its SD, the share of people, the time or the count."
)


def _law_of(value: Any) -> Any:
    return value.get("law") if isinstance(value, dict) else getattr(value, "law", None)


def _known(laws: tuple[str, ...]) -> BeforeValidator:
    """Refuse a law that is none, before its fields are read by another one's names."""

    def check(value: Any) -> Any:
        law = _law_of(value)
        if not isinstance(value, dict) and law is None:
            raise SpecError(where="value", got="nothing" if value is None else value, allowed="a block of fields",
                            remedy="Begin it with law: below effect:.")  # fmt: skip
        if law not in laws:
            if law == "diary":
                remedy = _NOT_DAYS
            elif isinstance(law, str):
                remedy = did_you_mean(law, laws)
            else:
                remedy = "Say which law the outcome follows."
            got = "nothing" if law is None else law
            raise SpecError(where="law", got=got, allowed=f"one of {', '.join(laws)}", remedy=remedy)
        return value

    return BeforeValidator(check)


_OneLaw: TypeAlias = (
    Annotated[Difference, Tag("difference")] | Annotated[Proportions, Tag("proportions")]
    | Annotated[Hazard, Tag("hazard")] | Annotated[Rate, Tag("rate")] | Annotated[Repeated, Tag("repeated")]
)  # fmt: skip

Effect: TypeAlias = Annotated[
    _OneLaw | Annotated[DiaryEffect, Tag("diary")], Discriminator(_law_of), _known((*_LAWS, "diary"))
]
"""Any effect that a protocol can state."""

LawField: TypeAlias = Annotated[_OneLaw, Discriminator(_law_of), _known(_LAWS)]
"""The field of a file that states a law."""


def effect_sign(law: Law) -> int:
    """1 where a higher outcome is the wished one, -1 where a lower one is, 0 where nothing says so.

    Of hazards and rates a higher one is. Where ``better`` is not said, the effect itself says it.
    """
    if law.better is not None:
        return 1 if law.better == "higher" else -1
    match law:
        case Difference():
            gain = law.difference
        case Proportions():
            gain = law.treatment - law.control
        case Hazard():
            gain = law.hazard_ratio - 1.0
        case Rate():
            gain = law.rate_ratio - 1.0
        case _:
            gain = law.differences[-1] if law.at == "last" else sum(law.differences)
    return int(gain > 0.0) - int(gain < 0.0)


class EffectFile(Record):
    """An effect with the trial around it: people in all, how they are allocated, and what they cost."""

    format: Literal["remission/effect/1"] = "remission/effect/1"
    id: Slug = "stated-effect"
    title: Title | None = None
    people: Annotated[int, Field(strict=True, ge=4, le=1_000_000)] | None = None
    allocation: Allocation = Allocation()
    costs: Costs | None = None
    effect: LawField
    looks: LookPlan | None = None
    seen: SeenAtLook | None = None
    blinded: Blinded | None = None
    decision: GoRule | None = None
    blinding: EffectBlinding | None = None

    def _faults(self) -> Iterator[SpecError]:
        law = self.effect
        if law.goal == "equivalence":
            for name in ("looks", "seen", "decision"):
                if getattr(self, name) is not None:
                    yield SpecError(where=name, got="given with equivalence", allowed="superiority or non-inferiority")
        if self.seen is not None and self.looks is None:
            yield SpecError(where="seen", got="given without looks", allowed="the plan of looks that it belongs to",
                            remedy="Add looks: {at: [0.5, 1]}.")  # fmt: skip
        if self.seen is not None and self.looks is not None and len(self.seen.errors) > len(self.looks.at):
            yield SpecError(where="seen.errors", got=f"{len(self.seen.errors)} looks",
                            allowed=f"at most {len(self.looks.at)}, as looks.at")  # fmt: skip
        yield from self._blinded_faults()
        yield from self._decision_faults()

    def _blinded_faults(self) -> Iterator[SpecError]:
        if self.blinded is None:
            return
        needs = {"difference": "sd", "proportions": "share", "rate": "rate_per_day"}.get(self.effect.law)
        given = [name for name in ("sd", "share", "rate_per_day") if getattr(self.blinded, name) is not None]
        if needs is None or getattr(self.effect, "clusters", None) is not None:
            yield SpecError(where="blinded", got=f"given with {self.effect.law}",
                            allowed="difference, proportions or rate, of people and not of clusters")  # fmt: skip
        elif given != [needs]:
            yield SpecError(where="blinded", got=", ".join(given) or "no number", allowed=f"{needs}, as the law has")

    def _decision_faults(self) -> Iterator[SpecError]:
        rule, law = self.decision, self.effect
        if rule is None:
            return
        if law.is_ratio and min(rule.target, rule.reference) <= 0.0:
            yield SpecError(where="decision", got=min(rule.target, rule.reference), allowed="ratios above 0")
        if rule.target == rule.reference:
            yield SpecError(where="decision.target", got=rule.target, allowed="a number that is not the reference",
                            remedy="The target is what is hoped for, the reference what is just worth it.")  # fmt: skip
        if rule.go_at <= rule.stop_below:
            yield SpecError(where="decision.go_at", got=rule.go_at, allowed=f"more than stop_below, {rule.stop_below}")
