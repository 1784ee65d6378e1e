"""The command that makes a plan again, to the last digit."""

from remission.pk import model_argument
from remission.planner import PlanRequest
from remission.planner.request import usual_model
from remission.units import hours_to_minutes


def command_line(request: PlanRequest) -> str:
    """The command that makes the plan again."""
    words = ["remission plan", f"--weight {_exact(request.weight_kg)}", f"--age {_exact(request.age_y)}"]
    for one in request.infusions:
        words.append(f"--dose {_exact(one.dose_mg_per_kg)}mg/kg")
        if one.duration_min is not None:
            words.append(f"--minutes {_exact(one.duration_min)}")
    clock = 0.0
    follows = True
    for one in request.infusions:
        follows = follows and abs(one.start_h - clock) < 1e-9
        clock = one.end_h
    if not follows:
        words += [f"--start {_exact(hours_to_minutes(one.start_h))}" for one in request.infusions]
    if request.is_esketamine:
        words.append("--drug esketamine")
    if request.route != "iv":
        words.append(f"--route {request.route}")
    if request.assumed_ka_per_h is not None:
        words.append(f"--assume-ka {_exact(request.assumed_ka_per_h)}/h")
    if request.assumed_f is not None:
        words.append(f"--assume-f {_exact(request.assumed_f)}")
    if request.product is not None:
        words.append(f"--product {request.product}")
    optional = (
        ("sex", request.sex), ("substance", request.substance), ("height", request.height_cm),
        ("systolic", request.sbp0_mmhg), ("diastolic", request.dbp0_mmhg), ("pulse", request.hr0_per_min),
        ("sessions", request.n_sessions), ("spacing", request.spacing_days),
    )  # fmt: skip
    words += [
        f"--{name} {_exact(value)}" if isinstance(value, float) else f"--{name} {value}"
        for name, value in optional
        if value is not None
    ]
    words += ["--hypertension"] * request.hypertension
    words += [f"--has {name}" for name in request.has]
    words += [f"--takes {name}" for name in request.takes]
    defaults = (
        ("people", request.n_people, 1000),
        ("model", model_argument(request.model), usual_model(request.drug, request.route)),
        ("seed", request.seed, 1),
    )
    words += [f"--{name} {value}" for name, value, usual in defaults if value != usual]
    if request.weights:
        words.append(f"--weights '{', '.join(f'{name}={_exact(one)}' for name, one in request.weights)}'")
    return " ".join(words)


def _exact(value: float) -> str:
    """The shortest text that reads back as the same number: a rounded dose would be another plan."""
    return repr(float(value)).removesuffix(".0")
