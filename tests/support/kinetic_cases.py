"""People and regimens drawn at random, the hard ones for closed forms among them."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from remission.dosing import Overlap, make_infusions
from remission.pk import PkIndividuals, individual_parameters, load_pk_model, simulate_concentrations

__all__ = ["KINDS", "Case", "concentrations_of", "draw_cases"]

KINDS = (
    "ordinary",
    "one peripheral compartment",
    "equal rates back",
    "nearly equal rates back",
    "nearly equal eigenvalues",
    "weak coupling",
)

# One species and an effect site; every number of it is replaced.
_MODEL = load_pk_model("domino1984")
_TYPICAL = individual_parameters(_MODEL, weight_kg=np.array([70.0]), z_iiv=np.zeros((1, 0)))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One person, one regimen, and the times at which concentrations are wanted; an infusion is mg, start and hours."""

    kind: str
    cl_l_per_h: float
    v1_l: float
    q_l_per_h: tuple[float, ...]
    v_l: tuple[float, ...]
    ke0_per_h: float
    infusions: tuple[tuple[float, float, float], ...]
    t_h: tuple[float, ...]

    @property
    def rates_per_h(self) -> dict[str, float]:
        """Rate constants by their usual names; a compartment that is not there has rates of 0."""
        (q2, q3), (v2, v3) = (*self.q_l_per_h, 0.0)[:2], (*self.v_l, 1.0)[:2]
        v1 = self.v1_l
        return {"k10": self.cl_l_per_h / v1, "k12": q2 / v1, "k21": q2 / v2, "k13": q3 / v1, "k31": q3 / v3}

    @property
    def segments(self) -> list[tuple[float, float]]:
        """Length [h] and total input rate [ug/h] between all times and changes, from 0 to the last time."""
        changes = [edge for _, start, length in self.infusions for edge in (start, start + length)]
        edges = sorted({0.0, *self.t_h, *(edge for edge in changes if edge < self.t_h[-1])})
        return [
            (end - begin, sum(1000.0 * mg / length for mg, start, length in self.infusions
                              if start <= begin < start + length))
            for begin, end in pairwise(edges)
        ]  # fmt: skip


def draw_cases(n: int, *, seed: int) -> list[Case]:
    """``n`` cases, each kind in turn."""
    generator = np.random.default_rng(seed)
    return [_case(KINDS[index % len(KINDS)], generator) for index in range(n)]


def _case(kind: str, generator: np.random.Generator) -> Case:
    cl, v1 = np.exp(generator.uniform(1.0, 5.5)), np.exp(generator.uniform(1.0, 4.5))
    v, q = np.exp(generator.uniform(1.0, 5.5, 2)), np.exp(generator.uniform(1.0, 5.5, 2))
    if kind == "equal rates back":
        q[1] = q[0] / v[0] * v[1]
    elif kind == "nearly equal rates back":
        q[1] = q[0] / v[0] * v[1] * (1.0 + 10.0 ** generator.uniform(-15.0, -6.0))
    elif kind == "nearly equal eigenvalues":
        q = 10.0 ** generator.uniform(-10.0, -2.0, 2)
        v = q / (cl / v1) * (1.0 + np.array([0.0, 10.0 ** generator.uniform(-15.0, -2.0)]))
    elif kind == "weak coupling":
        q *= 1e-7
    elif kind == "one peripheral compartment":
        q, v = q[:1], v[:1]
    matrix = np.diag(np.concatenate([[-(cl + q.sum()) / v1], -q / v]))
    matrix[1:, 0], matrix[0, 1:] = q / v1, q / v
    eigenvalue = float(-generator.choice(np.linalg.eigvals(matrix).real))
    near = (1.0, 1.0 + 10.0 ** generator.uniform(-15.0, -1.0), generator.uniform(0.1, 3.0))[generator.integers(3)]
    infusions, clock = [], 0.0
    for _ in range(generator.integers(1, 5)):
        # A bolus of seconds, minutes to hours, and now and then a gap of days; a tenth of the time two at once.
        length = float(np.exp(generator.uniform(-8.0, 1.5)))
        infusions.append((float(np.exp(generator.uniform(0.0, 5.0))), clock, length))
        gap = float(np.exp(generator.uniform(-3.0, 4.0)))
        clock = clock + length * (0.5 if generator.uniform() < 0.1 else 1.0 + gap)
    ends = [start + length for _, start, length in infusions]
    t_h = {*generator.choice(ends, 2), *(ends + np.exp(generator.uniform(-5.0, 2.0, len(ends))))}
    t_h |= {start + length * generator.uniform(0.02, 0.98) for _, start, length in infusions}
    return Case(
        kind=kind,
        cl_l_per_h=float(cl),
        v1_l=float(v1),
        q_l_per_h=tuple(q.tolist()),
        v_l=tuple(v.tolist()),
        ke0_per_h=eigenvalue * near,
        infusions=tuple(infusions),
        t_h=tuple(sorted(float(time) for time in t_h)),
    )


def person_of(case: Case) -> PkIndividuals:
    """The case's body, as the package takes it."""
    return replace(
        _TYPICAL,
        cl_l_per_h=np.array([[case.cl_l_per_h]]),
        v1_l=np.array([case.v1_l]),
        v_l=np.array(case.v_l)[:, np.newaxis],
        q_l_per_h=np.array(case.q_l_per_h)[:, np.newaxis],
        ke0_per_h=np.array([case.ke0_per_h]),
    )


def concentrations_of(case: Case) -> np.ndarray:
    """Plasma and effect site, two rows, as the package computes them. [ng/mL]"""
    dose_mg, start_h, duration_h = (np.array(column) for column in zip(*case.infusions, strict=True))
    events = make_infusions(dose_mg[np.newaxis], start_h=start_h, duration_h=duration_h, overlap=Overlap.SUPERPOSE)
    found = simulate_concentrations(
        person_of(case), events, t_h=np.array(case.t_h), analytes=("ket",), sites=("unstated", "effect")
    )
    return found.conc_ng_per_ml[0]
