"""The model's values in a trial not seen, draw by draw, from the posterior that the program carries."""

from collections.abc import Mapping

import numpy as np

from remission.library.closed_links import CLOSED
from remission.library.posteriors import LEVEL, Posterior
from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import CourseParameters, shifted
from remission.protocol.record import Protocol
from remission.records.therapy_kinds import THERAPIES
from remission.shapes import Int
from remission.trial.package import therapy_effect


def new_trials(
    posterior: Posterior,
    protocol: Protocol,
    n_draws: int,
    *,
    seed: int,
    row: Int[np.ndarray, " draw"] | None = None,
) -> list[dict[str, float]]:
    """Values of the model in ``n_draws`` trials of this protocol, with ``level``: how likely its people use.

    ``row``: draws of the posterior to take, in place of shuffled ones; with the same rows and other seeds these are
    other trials that share what trials have in common.
    """
    generator = np.random.default_rng(seed)
    shuffled = np.resize(generator.permutation(posterior.size), n_draws)
    own_effect, own_craving = generator.normal(size=(2, n_draws))
    values = posterior.trial_values(
        protocol.substance, row=shuffled if row is None else row, own_effect=own_effect, own_craving=own_craving,
        own_level=generator.random(n_draws),
    ).values  # fmt: skip
    return [{name: float(column[draw]) for name, column in values.items()} for draw in range(n_draws)]


def with_fixed_worth(protocol: Protocol) -> Protocol:
    """The protocol whose sessions are worth what the library's values make of their contrast.

    Found anew in every draw it would follow the draw and hide it; ``c_l`` says what a session then does.

    Raises SpecError: no worth of a session shows the contrast.
    """
    base = course_parameters_of(protocol)
    # Past the check of a file's quality: a session of a sourced contrast may be worth more than a full one.
    worth = {
        name: one.model_copy(
            update={"quality": therapy_effect(one, substance=protocol.substance, parameters=base).quality}
        )
        for name, one in protocol.therapies.items()
        if THERAPIES[one.kind].target == "skill"
    }
    return protocol.replace(therapies={**protocol.therapies, **worth})


def parameters_of_draw(protocol: Protocol, values: Mapping[str, float]) -> CourseParameters:
    """The model's parameters with the values of a draw."""
    named = {name: value for name, value in values.items() if name != LEVEL}
    return shifted(course_parameters_of(protocol).replace(**named), values.get(LEVEL, 0.0))


def closed_regions(parameters: CourseParameters, regions: tuple[str, ...]) -> CourseParameters:
    """The values with what some regions give to craving and use taken out, for everybody alike."""
    changed: dict[str, float] = {}
    for region in regions:
        changed |= dict.fromkeys(CLOSED[region]["zero"], 0.0)
    # The drug's effect on use has two parts, one through craving and one beside it; each belongs to a region.
    part = {"habit": parameters.craving_share, "control": 1.0 - parameters.craving_share}
    left = {name: 0.0 if name in regions else share for name, share in part.items()}
    total = sum(left.values())
    changed["use_effect"] = parameters.use_effect * total
    if total:
        changed["craving_share"] = left["habit"] / total
    return parameters.replace(**changed)
