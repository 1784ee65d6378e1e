"""A registered calibration: priors, data, judges, as the library has them."""

from functools import cache
from typing import Annotated, Literal

from pydantic import Field

from remission.errors import SpecError
from remission.library.loader import damaged
from remission.records.base import Record
from remission.records.packaged import packaged_toml
from remission.records.parameter import Text

Says = Literal["no difference", "favors ketamine", "favors control"]
_Count = Annotated[int, Field(ge=2, le=100_000)]
_Share = Annotated[float, Field(gt=0.0, le=1.0)]
_Spread = Annotated[float, Field(gt=0.0)]


class Wave(Record):
    """How many points of the box are simulated, how many judge, and trials at each."""

    draws: _Count
    judged: _Count
    replicates: _Count


class BoxValue(Record):
    """A value of the model in the box: its ends, and the normal prior on its scale where it has one of its own."""

    name: str
    scale: Literal["plain", "log"]
    low: float
    high: float
    center: float | None = None
    sd: float | None = None
    per_trial: bool = False
    note: Text = ""


class Hierarchy(Record):
    """How effects of trials hang together. [log odds]"""

    mean_sd: _Spread
    substance_sd: _Spread
    tau_half_normal: _Spread
    craving_tau_half_normal: _Spread
    note: Text = ""


class Signal(Record):
    """The analysis that says whether a trial was significant, and in which direction a benefit lies."""

    analysis: str
    benefit: Literal[-1, 1]


class Number(Record):
    """A published number: an analysis, or an endpoint in an arm."""

    analysis: str | None = None
    endpoint: str | None = None
    arm: str | None = None


class Verdict(Record):
    """A published result in words."""

    analysis: str
    says: Says


class TrialEntry(Record):
    """What a trial enters with."""

    protocol: str
    z: Signal
    seen: Literal["selected", "stopped early", "always"]
    numbers: tuple[Number, ...] = ()
    verdicts: tuple[Verdict, ...] = ()

    def sign_of(self, verdict: Verdict) -> int:
        """The sign of z that a verdict states: 0 for no difference."""
        return {"no difference": 0, "favors ketamine": 1, "favors control": -1}[verdict.says] * self.z.benefit


class Selection(Record):
    """How surely a trial without a difference is on file, for each with one."""

    null_seen_low: _Share
    null_seen_high: _Share
    alpha: _Share


class Tolerance(Record):
    """What the fit must reach."""

    r_hat: float
    effective_draws: int
    divergent_share: float
    emulator_rms_share: float
    exact_points: _Count
    psis_k: float
    note: Text = ""


class Scores(Record):
    """How a trial left out is scored."""

    names: tuple[str, ...]
    baselines: tuple[str, ...]
    none_below_errors: float


class Beside(Record):
    """A rule shown beside the main one."""

    name: Literal["no selection", "verdicts in favor left out", "wider prior"]


class CalibrationPlan(Record):
    """All of it. ``value``: the box; ``left_out``: protocols that do not enter, with the reason."""

    id: str
    form: str
    seed: int
    wave: Wave
    value: tuple[BoxValue, ...]
    hierarchy: Hierarchy
    trial: tuple[TrialEntry, ...]
    left_out: dict[str, str]
    selection: Selection
    tolerance: Tolerance
    scores: Scores
    beside: tuple[Beside, ...]


@cache
def load_calibration_plan(name: str = "posterior-2026") -> CalibrationPlan:
    """The registered plan of a posterior.

    Raises LibraryError: there is none of that name, or its file is damaged.

    Examples
    --------
    >>> plan = load_calibration_plan()
    >>> plan.form, len(plan.trial)
    ('model-form-2026', 7)
    """
    try:
        return CalibrationPlan.from_dict(packaged_toml("calibration", f"{name}.toml"))
    except SpecError as error:
        raise damaged(f"calibration/{name}.toml", error, "a registered calibration", "") from None
