"""Values of the model drawn anew for each simulated trial: what is not known of them, and how trials differ.

A draw is one row of a posterior with the trial's own deviations of effect, craving and level from what trials of its
substance share. Everybody in a trial has the same draw; its address is (seed, replicate), so that chunks, threads and
sizes move nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields

import numpy as np

from remission.errors import RunError, SpecError
from remission.library.loader import load_parameter_set
from remission.library.posteriors import LEVEL, load_posterior
from remission.patient.course import CourseSchedule, DrawnValues
from remission.patient.parameters import DEFAULT_PARAMETER_SET, CourseParameters
from remission.plasticity.dose_response import daily_exposure, dose_effect
from remission.records.substance import Substance
from remission.shapes import Float, UInt64
from remission.streams import People, Stream, draw_normal_pair, draw_uniforms

__all__ = ["DRAWN", "Drawing", "TrialDraws", "default_posterior", "felt_exposure"]

DRAWN = (*(field.name for field in fields(DrawnValues)), LEVEL)
"""What a posterior can move: values of the drug's pieces and of skill, and the level of use of a trial's people."""


def default_posterior() -> str | None:
    """The posterior from which the default set draws, by name; None where it draws from none."""
    return load_parameter_set(DEFAULT_PARAMETER_SET).attributes.get("posterior")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialDraws:
    """Values of some trials, in the order of their replicates.

    ``shared``: columns by name as if the trial were the mean of its substance; ``own``: what it adds of its own, by
    name (``use_effect``, ``k_c`` and ``level``). The sum, held inside the box of the plan, is what the trial has.
    """

    replicate: UInt64[np.ndarray, " replicate"]
    shared: dict[str, Float[np.ndarray, " replicate"]]
    own: dict[str, Float[np.ndarray, " replicate"]]
    values: dict[str, Float[np.ndarray, " replicate"]]

    def of(self, people: People) -> tuple[DrawnValues, Float[np.ndarray, " subject"]]:
        """Everybody's values, and the level: what it adds to the log odds of use."""
        row = np.searchsorted(self.replicate, people.replicate)
        columns = {name: column[row] for name, column in self.values.items()}
        level = columns.pop(LEVEL)
        return DrawnValues(**columns), level


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Which values each trial draws, and from what.

    ``posterior``: by name, with the hash of its draws. ``names``: of :data:`DRAWN`, those that are drawn; of the others
    everybody has the parameters', and a level of 0.
    """

    posterior: str
    sha256: str
    names: tuple[str, ...] = DRAWN

    @classmethod
    def of(cls, posterior: str, *, without: Collection[str] = ()) -> "Drawing":
        """All that can be drawn but ``without``.

        Raises SpecError: the program carries no such posterior.
        """
        found = load_posterior(posterior)
        return cls(
            posterior=posterior, sha256=found.sha256, names=tuple(name for name in DRAWN if name not in without)
        )  # fmt: skip

    @classmethod
    def from_stored(cls, told: object) -> "Drawing | None":
        """What a run kept of it; None where nothing was drawn.

        Raises SpecError: it is nothing that a run keeps.
        """
        if told is None:
            return None
        names = told.get("names") if isinstance(told, dict) else None
        if not isinstance(told, dict) or not isinstance(names, list) or not set(names) <= set(DRAWN):
            raise SpecError(where="drawing", got=told, allowed="a posterior, its hash, and the names of what is drawn")
        return cls(posterior=str(told.get("posterior")), sha256=str(told.get("sha256")), names=tuple(names))

    def trials(
        self, *, seed: int, first: int, count: int, substance: Substance, parameters: CourseParameters
    ) -> TrialDraws:
        """The values of the replicates ``first`` to ``first + count - 1``.

        Raises RunError: the program's posterior of that name has other draws.
        """
        posterior = load_posterior(self.posterior)
        if posterior.sha256 != self.sha256:
            raise RunError(
                where=f"posterior {self.posterior}", got=f"draws with hash {posterior.sha256[:16]}",
                allowed=f"those with hash {self.sha256[:16]}, from which the run began",
                remedy="Use the version of the program that began it.",
            )  # fmt: skip
        replicates = np.arange(first, first + count, dtype=np.uint64)
        address = People(seed=seed, replicate=replicates, subject=np.zeros_like(replicates))
        place, own_level, _, _ = draw_uniforms(address, Stream.VALUES, 0)
        own_effect, own_craving = draw_normal_pair(address, Stream.VALUES, 1)
        found = posterior.trial_values(
            substance, row=np.floor(place * posterior.size).astype(np.int64), own_effect=own_effect,
            own_craving=own_craving, own_level=own_level,
        )  # fmt: skip
        fixed = {name: np.full(count, getattr(parameters, name, 0.0)) for name in DRAWN if name not in self.names}
        return TrialDraws(
            replicate=replicates,
            shared={name: fixed.get(name, found.shared[name]) for name in DRAWN},
            own={name: column for name, column in found.own.items() if name in self.names},
            values={name: fixed.get(name, found.values[name]) for name in DRAWN},
        )


def felt_exposure(
    schedule: CourseSchedule, parameters: CourseParameters, drawn: DrawnValues | None
) -> Float[np.ndarray, "subject infusion"]:
    """f of each exposure, those of one day together. [dimensionless]"""
    day = daily_exposure(schedule.exposure, schedule.infusion_day)
    values = parameters if drawn is None else drawn
    slope, e_half = (np.reshape(each, (-1, 1)) for each in (values.slope, values.e_half))
    return dose_effect(day, slope=slope, e_half=e_half)
