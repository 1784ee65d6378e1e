"""Posteriors by name: draws of the model's values, where they come from, how they were judged.

A file is JSON, made by ``remission calibrate``; reading one needs no inference library.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from remission.errors import SpecError, WorkError
from remission.library.calibration_plan import BoxValue, CalibrationPlan, load_calibration_plan
from remission.records.parameter import DEFAULT_POSTERIOR, MODEL_FORM
from remission.records.result import Result
from remission.records.substance import Substance
from remission.shapes import Float, Int

__all__ = ["LEVEL", "POSTERIOR_FORMAT", "Posterior", "TrialValues", "load_posterior", "plan_hash", "read_posterior"]

POSTERIOR_FORMAT = 1
LEVEL = "level"
"""How much likelier people of one trial use than people of the substance: no parameter, a shift of everybody."""

_Draws = Float[np.ndarray, " draw"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialValues:
    """Values of trials not seen, by name.

    ``shared``: those of the mean of the substance; ``own``: what the trial adds; ``values``: both, inside the box.
    """

    shared: dict[str, _Draws]
    own: dict[str, _Draws]
    values: dict[str, _Draws]


@dataclass(frozen=True, kw_only=True)
class Posterior(Result):
    """Draws of a posterior by name, with what it was made of.

    ``draws``: ``mean``, ``tau``, ``craving_tau``, ``null_seen``, one column each for the mean of a substance
    (``substance.alcohol``), of a trial (``effect.kare``, ``level.kare``), and the values that all trials share.
    ``plan``: the registered plan; ``diagnostics``, ``judged``: how the fit and the trials left out came out; ``added``:
    records of trials that were added since.
    """

    plan: str
    plan_hash: str
    form: str
    seed: int
    draws: dict[str, _Draws]
    diagnostics: dict[str, Any]
    judged: dict[str, Any]
    added: tuple[dict[str, Any], ...] = ()

    def _facts(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in ("plan", "form", "seed")] + [
            ("draws", self.size), *((k, v) for k, v in self.diagnostics.items() if k != "emulators"),
        ]  # fmt: skip

    def columns(self) -> dict[str, Any]:
        """One row a draw."""
        return dict(self.draws)

    @cached_property
    def sha256(self) -> str:
        """Of what it says, draws and plan."""
        told = [self.plan, self.plan_hash, self.form, {name: column.tolist() for name, column in self.draws.items()}]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    @property
    def size(self) -> int:
        """How many draws there are."""
        return len(self.draws["mean"])

    def trial_values(
        self,
        substance: Substance | str,
        *,
        row: Int[np.ndarray, " draw"],
        own_effect: _Draws,
        own_craving: _Draws,
        own_level: _Draws,
    ) -> TrialValues:
        """Values of trials not seen, around the means of their substance.

        ``row``: draws by their place. ``own_effect``, ``own_craving``: standard normals, what each trial differs by.
        ``own_level``: uniforms in (0, 1), the place of each trial's level in the prior that the plan registered.
        Raises SpecError: the substance is unknown.
        """
        names = [one.value for one in Substance]
        name = substance.value if isinstance(substance, Substance) else substance
        if name not in names:
            raise SpecError(where="substance", got=name, allowed=f"one of {', '.join(names)}")
        d, box = self.draws, {one.name: one for one in load_calibration_plan(self.plan).value}
        shared = {"use_effect": d[f"substance.{name}"][row]}
        shared |= {each: d[each][row] for each, one in box.items() if each != "use_effect" and not one.per_trial}
        own = {
            "use_effect": d["tau"][row] * own_effect, "k_c": d["craving_tau"][row] * own_craving,
            LEVEL: _level(box[LEVEL], own_level),
        }  # fmt: skip
        shared[LEVEL] = np.zeros(row.size)
        values = {each: np.clip(shared[each] + own.get(each, 0.0), one.low, one.high) for each, one in box.items()}
        return TrialValues(shared=shared, own=own, values=values)

    def new_trial(
        self, substance: Substance | str, n_draws: int, *, seed: int, with_level: bool = False
    ) -> list[dict[str, float]]:
        """Values of the model for a trial not seen: its own effect and craving around the means of its substance.

        ``substance``: whose mean effect. ``n_draws``: draws, taken in an order that ``seed`` shuffles, again from the
        start when there are more than the posterior has. ``with_level``: whether the trial's level is among them, which
        is no parameter. Raises SpecError: the substance is unknown.
        """
        generator = np.random.default_rng(seed)
        order = np.resize(generator.permutation(self.size), n_draws)
        own, craving = generator.normal(size=(2, n_draws))
        level = generator.uniform(size=n_draws)
        found = self.trial_values(substance, row=order, own_effect=own, own_craving=craving, own_level=level).values
        names = [name for name in found if with_level or name != LEVEL]
        return [{name: float(found[name][draw]) for name in names} for draw in range(n_draws)]


def _level(box: BoxValue, uniform: _Draws) -> _Draws:
    center, sd = box.center, box.sd
    assert center is not None, "the plan gives the level a prior"
    assert sd is not None, "the plan gives the level a prior"
    from remission.numerics.distributions import normal_quantile  # compiled; who only reads what was judged needs none

    return center + sd * normal_quantile(uniform)


def plan_hash(plan: CalibrationPlan) -> str:
    """What a plan says, as 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(plan.to_dict(), sort_keys=True).encode()).hexdigest()[:16]


def read_posterior(path: Path) -> Posterior:
    """A posterior from its file.

    Raises SpecError: the file is no posterior, was made by another form of the model, or its plan is not the
    registered one. WorkError: it cannot be read.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise WorkError(
            where=str(path), got=error.strerror or str(error), allowed="a file that can be read",
            remedy="Write one with: remission calibrate --out FOLDER.",
        ) from None  # fmt: skip
    return _read(content, str(path))


@cache
def load_posterior(name: str = DEFAULT_POSTERIOR) -> Posterior:
    """The posterior that the program carries.

    Raises SpecError: there is none of that name.
    """
    place = files("remission.library") / "calibration" / f"{name}.json"
    if not place.is_file():
        raise SpecError(
            where="posterior", got=name, allowed="a posterior that the program carries",
            remedy="Write one with: remission calibrate --out FOLDER.",
        )  # fmt: skip
    return _read(place.read_text(encoding="utf-8"), name)


def _read(content: str, where: str) -> Posterior:
    expected = f"a posterior of the form {MODEL_FORM}, format {POSTERIOR_FORMAT}"
    try:
        told = json.loads(content)
        found = Posterior(
            plan=told["plan"], plan_hash=told["plan_hash"], form=told["form"], seed=int(told["seed"]),
            draws={str(key): np.asarray(column, dtype=np.float64) for key, column in told["draws"].items()},
            diagnostics=dict(told["diagnostics"]), judged=dict(told["judged"]),
            added=tuple(dict(one) for one in told.get("added", ())),
        )  # fmt: skip
        sizes = {column.shape for column in found.draws.values()}
        sound = told["format"] == POSTERIOR_FORMAT and len(sizes) == 1 and all(len(one) == 1 for one in sizes)
        sound = sound and all(bool(np.isfinite(column).all()) for column in found.draws.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SpecError(where=where, got="a file that is no posterior", allowed=expected) from None
    if not sound or found.form != MODEL_FORM:
        raise SpecError(where=where, got=f"form {found.form}, format {told['format']}", allowed=expected)
    if found.plan_hash != plan_hash(load_calibration_plan(found.plan)):
        raise SpecError(
            where=where, got=f"plan {found.plan} with hash {found.plan_hash}", allowed="the plan that is registered",
            remedy="Make the posterior again with: remission calibrate.",
        )  # fmt: skip
    return found
