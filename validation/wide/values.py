"""What draws of the fit say of each value, beside its prior and the set that runs draw from."""

import json
from typing import Any

import numpy as np
from scipy.stats import truncnorm

from remission.calibration.fit import prior_of
from remission.calibration.groups import LEVEL, GroupData
from remission.library.calibration_plan import BoxValue, CalibrationPlan
from remission.library.posteriors import load_posterior
from remission.patient.parameters import load_course_parameters
from remission.records.parameter import MODEL_FORM
from remission.records.substance import Substance
from validation.wide.registered import BEFORE

Draws = dict[str, np.ndarray]
_TIED = 0.6
_THREE = ("low", "median", "high")


def values_of(plan: CalibrationPlan, groups: tuple[GroupData, ...], draws: Draws) -> list[dict[str, Any]]:
    """Every value that there are draws of: prior, what the fit says, the present set, how much narrower it became."""
    present, rows = load_posterior(BEFORE), []

    def add(name: str, box: BoxValue, set_at: float | None, was: np.ndarray | None) -> None:
        if name not in draws:
            return
        low, high, center, sd = prior_of(box)
        law = truncnorm((low - center) / sd, (high - center) / sd, center, sd)
        ends = law.ppf([0.05, 0.5, 0.95])
        drawn = np.log(draws[name]) if box.scale == "log" else draws[name]
        rows.append({
            "name": name, "prior": dict(zip(_THREE, np.exp(ends) if box.scale == "log" else ends, strict=True)),
            "found": _three(draws[name]), "set_at": set_at, "present": None if was is None else _three(was),
            "ratio": float(drawn.std() / law.std()),
        })  # fmt: skip

    wide = plan.wide
    assert wide is not None, "a plan that frees the shape"
    usual = load_course_parameters(Substance("alcohol"), parameter_set=MODEL_FORM)
    for substance in wide.fits:
        own = load_course_parameters(Substance(substance), parameter_set=MODEL_FORM)
        for box in wide.shape:
            add(f"{box.name}.{substance}", box, float(getattr(own, box.name)), None)
    for box in wide.value:
        add(box.name, box, float(getattr(usual, box.name)) if hasattr(usual, box.name) else None, None)
    for box in plan.value:
        if not box.per_trial and box.name != "use_effect":
            add(box.name, box, None, present.draws[box.name])
    for one in groups:
        rest = [box for box in one.targets.box if box.name == LEVEL]
        for box in rest:
            add(f"{LEVEL}.{one.targets.group.id}", box, 0.0, None)
    effects = ["mean", "tau", "craving_tau", *(f"substance.{one.value}" for one in Substance)]
    effects += [f"effect.{one.protocol}" for one in plan.trial]
    rows += [
        {"name": name, "prior": None, "found": _three(draws[name]), "set_at": None,
         "present": _three(present.draws[name]), "ratio": None}
        for name in effects if name in draws
    ]  # fmt: skip
    return plain(rows)


def tied(plan: CalibrationPlan, groups: tuple[GroupData, ...], draws: Draws) -> list[list[Any]]:
    """Pairs of values of one substance, levels of its people among them, that are known in their sum only."""
    wide, found = plan.wide, []
    assert wide is not None, "a plan that frees the shape"
    for substance in wide.fits:
        names = [f"{box.name}.{substance}" for box in wide.shape]
        names += [f"{LEVEL}.{one.targets.group.id}" for one in groups
                  if one.targets.group.substance == substance and one.targets.group.level is not None]  # fmt: skip
        columns = [np.log(draws[n]) if (draws[n] > 0.0).all() else draws[n] for n in names]
        table = np.corrcoef(columns)
        found += [
            [names[i], names[j], float(table[i, j])]
            for i in range(len(names)) for j in range(i) if abs(table[i, j]) >= _TIED
        ]  # fmt: skip
    return found


def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without a number of NumPy in them."""
    plain: list[dict[str, Any]] = json.loads(json.dumps(rows, default=lambda x: x.item()))
    return plain


def _three(draws: np.ndarray) -> dict[str, float]:
    return dict(zip(_THREE, (float(x) for x in np.quantile(draws, [0.05, 0.5, 0.95])), strict=True))
