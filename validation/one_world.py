"""One drug against two controls: can a single world give both published results, and what must hold in it?

Ketamine in depression against midazolam and against saline (records ``ket_dep_*``): effects of 0.7 and 1.8 standard
deviations, response to ketamine alike, to the control 18% and 1%. Here the drug's arm is the same in both trials, and
who believes to have had the control does worse by w. Improvement is normal with SD 1 and response is beyond a bound::

    drug:     m_d
    control:  m_c, for those of the share p who believe to have had the control m_c - w

p is that of each control. All six numbers must lie in their published intervals.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from remission.numerics.distributions import normal_cdf
from remission.records.packaged import read_library_json

IDS = {
    "d, midazolam": "ket_dep_d_midaz", "d, saline": "ket_dep_d_saline",
    "response, drug beside midazolam": "ket_dep_resp_ket_midaz",
    "response, drug beside saline": "ket_dep_resp_ket_saline", "response, midazolam": "ket_dep_resp_midaz",
    "response, saline": "ket_dep_resp_saline",
}  # fmt: skip
_DRUG = np.linspace(-0.45, 0.25, 15)
_CONTROL = np.linspace(-1.7, 1.5, 65)
_WORTH = np.linspace(0.0, 6.0, 61)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneWorld:
    """Worlds on a grid that give all six numbers, for two shares who believe to have had the control.

    ``least_worth``: the smallest w among them; NaN where none does. ``low``, ``high``: the drug's own effect in them.
    """

    midazolam: float
    saline: float
    least_worth: float
    low: float
    high: float


def published() -> dict[str, tuple[float, float, float]]:
    """Value and interval of each published number."""
    records = {one["id"]: one for one in read_library_json("blinding.json")}
    return {name: tuple(records[key][part] for part in ("value", "ci_low", "ci_high")) for name, key in IDS.items()}


def predicted(m_d: np.ndarray, m_c: np.ndarray, w: np.ndarray, p: float) -> tuple[np.ndarray, np.ndarray]:
    """The effect in standard deviations and the response to a control."""
    mean = m_c - p * w
    sd = np.sqrt(1.0 + 0.5 * p * (1.0 - p) * w**2)
    return (m_d - mean) / sd, (1.0 - p) * normal_cdf(m_c) + p * normal_cdf(m_c - w)


def worlds_of(midazolam: float, saline: float) -> OneWorld:
    """The worlds in which shares ``midazolam`` and ``saline`` of the controls believe to have had the control."""
    told = published()
    m_d, m_c, w = np.meshgrid(_DRUG, _CONTROL, _WORTH, indexing="ij")
    (d_m, r_m), (d_s, r_s) = (predicted(m_d, m_c, w, share) for share in (midazolam, saline))
    drug = np.asarray(normal_cdf(m_d))
    held = np.ones(m_d.shape, dtype=np.bool_)
    for name, found in zip(IDS, (d_m, d_s, drug, drug, r_m, r_s), strict=True):
        _, low, high = told[name]
        held &= (found >= low) & (found <= high)
    if not held.any():
        return OneWorld(midazolam=midazolam, saline=saline, least_worth=np.nan, low=np.nan, high=np.nan)
    own = (m_d - m_c)[held]
    return OneWorld(midazolam=midazolam, saline=saline, least_worth=float(w[held].min()), low=float(own.min()),
                    high=float(own.max()))  # fmt: skip


def table() -> Iterator[OneWorld]:
    """Worlds for shares of the controls who believe to have had the control; the last as one trial had it, 89.3%."""
    for midazolam, saline in ((0.0, 1.0), (0.25, 1.0), (0.5, 1.0), (0.75, 1.0), (0.893, 1.0), (0.5, 0.5)):
        yield worlds_of(midazolam, saline)
