"""A posterior that was written: draws, where they come from, how they were judged; read without the inference library.

A file is JSON. It is written whole, and only when the fit reached what the plan asks of every fit: convergence.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from remission.errors import SpecError, WorkError
from remission.files import write_text
from remission.library.calibration_plan import CalibrationPlan, load_calibration_plan
from remission.patient.parameters import MODEL_FORM
from remission.records.result import Result
from remission.records.substance import Substance

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior(Result):
    """Draws of a posterior by name, with what it was made of.

    ``draws``: ``mean``, ``tau``, ``craving_tau``, ``null_seen``, one column each for the mean of a substance
    (``substance.alcohol``), of a trial (``effect.kare``, ``level.kare``), and the values that all trials share.
    ``plan``: the registered plan; ``diagnostics``, ``judged``: how the fit and the trials left out came out.
    """

    plan: str
    plan_hash: str
    form: str
    seed: int
    draws: dict[str, Float[np.ndarray, " draw"]]
    diagnostics: dict[str, Any]
    judged: dict[str, Any]

    def _facts(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in ("plan", "form", "seed")] + [
            ("draws", len(self.draws["mean"])), *((k, v) for k, v in self.diagnostics.items() if k != "emulators"),
        ]  # fmt: skip

    def columns(self) -> dict[str, Any]:
        """One row a draw."""
        return dict(self.draws)

    def new_trial(self, substance: Substance | str, n_draws: int, *, seed: int) -> list[dict[str, float]]:
        """Values of the model for a trial not seen: its own effect and craving around the means of its substance.

        ``substance``: whose mean effect. ``n_draws``: draws, taken in an order that ``seed`` shuffles, again from the
        start when there are more than the posterior has. Raises SpecError: the substance is unknown.
        """
        plan = load_calibration_plan(self.plan)
        names = [one.value for one in Substance]
        name = substance.value if isinstance(substance, Substance) else substance
        if name not in names:
            raise SpecError(where="substance", got=name, allowed=f"one of {', '.join(names)}")
        generator = np.random.default_rng(seed)
        size = len(self.draws["mean"])
        order = np.resize(generator.permutation(size), n_draws)
        own, craving = generator.normal(size=(2, n_draws))
        d = self.draws
        columns = {
            "use_effect": d[f"substance.{name}"][order] + d["tau"][order] * own,
            "k_c": d["k_c"][order] + d["craving_tau"][order] * craving,
        }
        for value in plan.value:
            if not value.per_trial and value.name not in columns:
                columns[value.name] = d[value.name][order]
        ends = {value.name: (value.low, value.high) for value in plan.value}
        cut = {key: np.clip(column, *ends[key]) for key, column in columns.items()}
        return [{key: float(column[draw]) for key, column in cut.items()} for draw in range(n_draws)]


def plan_hash(plan: CalibrationPlan) -> str:
    """What a plan says, as 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(plan.to_dict(), sort_keys=True).encode()).hexdigest()[:16]


def write_posterior(posterior: Posterior, path: Path) -> None:
    """Write it, whole or not at all.

    Raises WorkError: the disk refused.
    """
    told = {"format": FORMAT, **asdict(posterior)}
    told["draws"] = {name: [float(f"{x:.5g}") for x in column] for name, column in posterior.draws.items()}
    write_text(path, json.dumps(told, indent=None, separators=(",", ":")) + "\n")


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
def load_posterior(name: str = "posterior-2026") -> Posterior:
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
    expected = f"a posterior of the form {MODEL_FORM}, format {FORMAT}"
    try:
        told = json.loads(content)
        found = Posterior(
            plan=told["plan"], plan_hash=told["plan_hash"], form=told["form"], seed=int(told["seed"]),
            draws={str(key): np.asarray(column, dtype=np.float64) for key, column in told["draws"].items()},
            diagnostics=dict(told["diagnostics"]), judged=dict(told["judged"]),
        )  # fmt: skip
        sizes = {column.shape for column in found.draws.values()}
        sound = told["format"] == FORMAT and len(sizes) == 1 and all(len(one) == 1 for one in sizes)
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
