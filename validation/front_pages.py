"""Compute what the first page and the story of /learn show, and write it into the library (``make worlds``).

Draws of the posterior for a trial not seen. In every draw the same people live under every arm. Twelve worlds of equal
weight are kept, at the middles of twelfths of the draws in the order of the effect. About a minute.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from remission.files import write_text
from remission.foresight.draws import closed_regions
from remission.library.calibration_plan import load_calibration_plan
from remission.library.closed_links import REGIONS
from remission.library.front_page import load_rule
from remission.library.loader import load_parameter_set
from remission.library.posteriors import Posterior, load_posterior
from remission.library.protocols import load_protocol
from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import DEFAULT_PARAMETER_SET, MODEL_FORM, CourseParameters
from remission.patient.pharmacology import pharmacology_of
from remission.protocol.record import Protocol
from remission.records.day_field import field_of_states
from remission.records.packaged import packaged_toml
from remission.records.seed import DEFAULT_SEED
from remission.runs.crew import Crew
from remission.trial.batch import simulate_batch
from remission.trial.simulate import simulate_trial

LIBRARY = Path(__file__).resolve().parent.parent / "src" / "remission" / "library"
N_DRAWS = 400
N_REPLICATES = 5
"""Groups of the trial's size that live under every arm."""
N_SHOWN = 100
N_WORLDS = 12
N_CURVES = 2000
SHOWN = ("P", "H", "N", "K", "z")
"""States whose course stands in the story."""
TRIAL = "kare"
GROUPS = {"education": "saline-education", "therapy": "saline-therapy", "ketamine": "ketamine-therapy"}
MEDICINE = "naltrexone"
MEASURED_DAYS = 112
"""The medicine is taken for as long as its contrast was measured."""


@cache
def trial() -> Protocol:
    return load_protocol(TRIAL)


@cache
def with_medicine() -> Protocol:
    """The trial with the medicine in the arm of therapy and salt water."""
    taken = {"medicine": MEDICINE, "stop_day": MEASURED_DAYS}
    arms = [
        {**arm.to_dict(), "medicine": MEDICINE} if arm.id == GROUPS["therapy"] else arm.to_dict()
        for arm in trial().arms
    ]
    return Protocol.from_dict({**trial().to_dict(), "medicines": {MEDICINE: taken}, "arms": arms})


def lives(protocol: Protocol, arm: str, parameters: CourseParameters) -> Bool[np.ndarray, "person day"]:
    """Whether each of the people uses on each day when all of them get an arm; the same people under every arm."""
    batch = simulate_batch(
        protocol, seed=DEFAULT_SEED, first_replicate=0, n_replicates=N_REPLICATES, parameters=parameters,
        pharmacology=pharmacology_of(protocol), under=[one.id for one in protocol.arms].index(arm),
    )  # fmt: skip
    return np.asarray(batch.course.use > 0)


def days_without(used: Bool[np.ndarray, "person day"]) -> float:
    return float((~used).sum(axis=1).mean())


def difference(parameters: CourseParameters) -> float:
    """Days that ketamine adds in place of salt water, averaged over both therapies, as the trial's contrast is."""
    gained = [
        days_without(lives(trial(), f"ketamine-{therapy}", parameters))
        - days_without(lives(trial(), f"saline-{therapy}", parameters))
        for therapy in ("therapy", "education")
    ]
    return sum(gained) / 2.0


@dataclass(frozen=True)
class Draws:
    """Draws of the posterior for a trial not seen, in the order of their effect; all count alike."""

    values: list[dict[str, float]]
    effect: Float[np.ndarray, " draw"]

    def at(self, share: float) -> int:
        """The draw at a share of them."""
        return min(int(share * len(self.values)), len(self.values) - 1)


def draws_of(n_draws: int) -> Draws:
    """The level of a new trial is not drawn: a world is for looking at what ketamine adds."""
    base = course_parameters_of(trial())
    values = posterior().new_trial(trial().substance, n_draws, seed=DEFAULT_SEED)
    effect = np.array(list(Crew().in_order(partial(one_draw, base), values)))
    order = np.argsort(effect, kind="stable")
    return Draws([values[k] for k in order], effect[order])


def one_draw(base: CourseParameters, values: dict[str, float]) -> float:
    """What ketamine adds in a draw."""
    return difference(base.replace(**values))


@cache
def posterior() -> Posterior:
    """The one from which every run draws."""
    return load_posterior(load_parameter_set(DEFAULT_PARAMETER_SET).attribute("posterior"))


def rows_of(used: Bool[np.ndarray, "person day"]) -> dict[str, Any]:
    shown = used[:N_SHOWN]
    field = field_of_states(
        what=trial().substance.value, origin="simulated", known=np.ones_like(shown), used=shown,
        groups=[("all", "all", "none", range(len(shown)))],
    )  # fmt: skip
    return {"days": round(days_without(shown), 1), "rows": field.groups[0].rows}


def world(parameters: CourseParameters, effect: float) -> dict[str, Any]:
    groups = [{"id": name, **rows_of(lives(trial(), arm, parameters))} for name, arm in GROUPS.items()]
    medicine = rows_of(lives(with_medicine(), GROUPS["therapy"], parameters))
    return {"effect": round(effect, 1), "groups": [*groups, {"id": "medicine", **medicine}]}


def shown_order(n: int) -> list[int]:
    """The lower of the two middle worlds first, then the others in an order that jumps to and fro."""
    rest = [k for k in range(n) if k != (n - 1) // 2]
    return [(n - 1) // 2, *np.random.default_rng(DEFAULT_SEED).permutation(rest).tolist()]


def closings(base: CourseParameters, chosen: list[dict[str, float]], middle: int) -> list[dict[str, Any]]:
    """The days with every set of closed links: in the middle world the people, over the worlds the range."""
    found = []
    for switches in product((False, True), repeat=len(REGIONS)):
        regions = tuple(name for name, is_closed in zip(REGIONS, switches, strict=True) if is_closed)
        gained, people = [], []
        for number, values in enumerate(chosen):
            parameters = closed_regions(base.replace(**values), regions)
            without, treated = (lives(trial(), GROUPS[name], parameters) for name in ("education", "ketamine"))
            gained.append(days_without(treated) - days_without(without))
            if number == middle:
                people = [{"id": "education", **rows_of(without)}, {"id": "ketamine", **rows_of(treated)}]
        found.append({"closed": list(regions), "gained": [round(one, 1) for one in gained], "groups": people})
    return found


def curves() -> list[dict[str, Any]]:
    """States of the default values by day, mean of people: education and salt water, therapy and ketamine."""
    count = -(-N_CURVES // trial().population.n_subjects)
    result = simulate_trial(trial(), n_replicates=count, seed=DEFAULT_SEED)
    arms = [[arm.id for arm in trial().arms].index(GROUPS[name]) for name in ("education", "ketamine")]
    means = {name: result.states.mean[name] for name in SHOWN}
    means["free"] = 1.0 - result.counts.using / result.counts.people[:, None]
    return [
        {"state": name, "without": mean[arms[0]].round(3).tolist(), "treated": mean[arms[1]].round(3).tolist()}
        for name, mean in means.items()
    ]


def write(n_draws: int) -> None:
    draws = draws_of(n_draws)
    base = course_parameters_of(trial())
    places = [draws.at((k + 0.5) / N_WORLDS) for k in range(N_WORLDS)]
    tail = (1.0 - load_rule().level) / 2.0
    effect = {"value": 0.5, "low": tail, "high": 1.0 - tail}
    about = {
        "made": datetime.now(UTC).date().isoformat(),
        "seed": DEFAULT_SEED,
        "model_form": MODEL_FORM,
        "parameter_hash": load_parameter_set(DEFAULT_PARAMETER_SET).content_hash,
        "protocol": TRIAL,
        "protocol_hash": trial().content_hash,
        "posterior": posterior().plan,
        "evidence": [one.protocol for one in load_calibration_plan(posterior().plan).trial],
        "n_draws": n_draws,
        "n_effective": float(min(n_draws, posterior().size)),
        "n_people": N_REPLICATES * trial().population.n_subjects,
        "n_days": trial().follow_up_days,
    }
    order = shown_order(N_WORLDS)
    worlds = [world(base.replace(**draws.values[k]), float(draws.effect[k])) for k in places]
    put("front-page.json", {
        **about,
        "effect": {name: round(float(draws.effect[draws.at(share)]), 1) for name, share in effect.items()},
        "order": order,
        "worlds": worlds,
    })  # fmt: skip
    chosen = [draws.values[k] for k in places]
    put("closed-links.json", {**about, "closings": closings(base, chosen, order[0]), "curves": curves()})


def put(name: str, content: Mapping[str, Any]) -> None:
    write_text(LIBRARY / name, json.dumps(content, separators=(",", ":")) + "\n", replace=True)


if __name__ == "__main__":
    assert packaged_toml("front-page.toml")["question"]["protocol"] == TRIAL, "one trial asks and weighs"
    write(int(sys.argv[1]) if len(sys.argv) > 1 else N_DRAWS)
