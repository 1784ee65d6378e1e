"""What people of an arm feel, from a uniform of each: stated distributions, or the chain's scores after a dose.

A stated experience is normal among the share who feel anything and 0 for the others. After a dose of ketamine it is the
drug high of the chain at its peak, as a share of the most there is, of simulated people of 70 kg who differ in their
kinetics and in how sensitive they are.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from remission.patient.pharmacology import load_pharmacology
from remission.receptor.dissociation import simulate_vas
from remission.records.belief import Experience
from remission.records.blinding import BlindingTrial, ControlArm
from remission.session.effects import simulate_session_effects
from remission.shapes import Float
from remission.streams import People, Stream, draw_normals
from remission.units import minutes_to_hours

_Table = Float[np.ndarray, "replicate subject"]
_N_CHAIN = 400
_WEIGHT_KG = 70.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Felt:
    """The experience under an arm.

    ``scores``: sorted, of simulated people; ``None`` where the distribution is stated. ``mean``, ``sd`` of those who
    feel anything, the ``share`` of all. ``exposure``: of the chain; 0 where no dose is said. ``side_effect``:
    share with a telltale effect of the body. ``is_open``: people are told.
    """

    mean: float = 0.0
    sd: float = 0.0
    share: float = 1.0
    scores: tuple[float, ...] | None = None
    exposure: float = 0.0
    side_effect: float = 0.0
    is_open: bool = False

    @property
    def moments(self) -> tuple[float, float]:
        """Mean and variance over everybody."""
        if self.scores is not None:
            return float(np.mean(self.scores)), float(np.var(self.scores))
        mean = self.share * self.mean
        return mean, self.share * (self.sd**2 + self.mean**2) - mean**2

    def of(self, normal: _Table, uniform: _Table) -> _Table:
        """The experience of each person, from a standard normal and a uniform of theirs."""
        if self.scores is not None:
            places = (np.arange(len(self.scores)) + 0.5) / len(self.scores)
            return np.interp(uniform, places, np.array(self.scores))
        felt = self.mean + self.sd * normal
        return felt if self.share == 1.0 else np.where(uniform < self.share, felt, 0.0)


def felt_of(experience: Experience) -> Felt:
    """What a stated experience, or a dose, makes people feel."""
    if experience.dose_mg_per_kg is None or experience.duration_min is None:
        stated = Felt(mean=experience.mean, sd=experience.sd, share=experience.share)
    else:
        scores, exposure = _chain(experience.dose_mg_per_kg, experience.duration_min)
        stated = Felt(scores=scores, exposure=exposure)
    return replace(stated, side_effect=experience.side_effect, is_open=experience.open)


@lru_cache(maxsize=64)
def _chain(dose_mg_per_kg: float, duration_min: float) -> tuple[tuple[float, ...], float]:
    """Sorted peaks of drug high, 0 to 1, and mean exposure of simulated people after one infusion."""
    pharmacology = load_pharmacology()
    people = People.of_replicates(seed=1, first=0, count=1, n_subjects=_N_CHAIN)
    blocks = [draw_normals(people, Stream.PK_IIV, k) for k in range(-(-pharmacology.n_iiv // 4))]
    z_iiv = np.stack([column for block in blocks for column in block], axis=1)[:, : pharmacology.n_iiv]
    found = simulate_session_effects(
        dose_mg_per_kg=dose_mg_per_kg, duration_h=minutes_to_hours(duration_min),
        weight_kg=np.full(_N_CHAIN, _WEIGHT_KG), z_iiv=z_iiv, pharmacology=pharmacology,
    )  # fmt: skip
    # A trial gives everybody of one concentration one score; that people differ in it is what a guess meets.
    z = draw_normals(people, Stream.BELIEF, 0)[0]
    most = pharmacology.effects.value("emax_high_vas")
    felt = simulate_vas(found.peak_s_ket_ng_per_ml, effects=pharmacology.effects, z=z) / most
    return tuple(np.sort(felt).tolist()), float(found.exposure.mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmPair:
    """What is felt under the drug and under a control, and what of the drug's effect the control has itself."""

    drug: Felt
    control: Felt
    effect_share: float


def arms_felt(trial: BlindingTrial, control: ControlArm) -> ArmPair:
    """Both arms of a comparison. A control that is felt as a dose of ketamine has its share of the exposure."""
    drug, other = felt_of(trial.drug), felt_of(control.experience)
    share = control.effect_share
    if control.matches is not None:
        # To each person the share of what the drug would have given them.
        scores = None if drug.scores is None else tuple(control.matches * one for one in drug.scores)
        other = Felt(mean=control.matches * drug.mean, sd=control.matches * drug.sd, share=drug.share, scores=scores,
                     side_effect=control.matches * drug.side_effect)  # fmt: skip
    if share is None:
        share = other.exposure / drug.exposure if drug.exposure > 0.0 else 0.0
    if control.is_masked:
        drug, other = Felt(exposure=drug.exposure), Felt(exposure=other.exposure)
    return ArmPair(drug=drug, control=other, effect_share=min(share, 1.0))
