"""Who the simulated people are: covariates and traits, each from its own addressed stream."""

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from remission.errors import SpecError
from remission.numerics.distributions import beta_quantile, normal_cdf, normal_quantile
from remission.numerics.elementary import exp
from remission.pk import BandDraws, PkModel, VenousLinks, draw_venous_links, with_band_spread
from remission.receptor import correlated_pressure_z
from remission.records.parameter import ParameterSet
from remission.shapes import Float, Int
from remission.streams import People, Stream, draw_normal_pair, draw_normals, draw_uniforms

if TYPE_CHECKING:
    from remission.patient.course import Entry, Traits
    from remission.patient.parameters import CourseParameters
    from remission.records.population import Population

__all__ = [
    "AcuteResponse",
    "Covariates",
    "sample_acute_response",
    "sample_band_draws",
    "sample_covariates",
    "sample_iiv",
    "sample_traits",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariates:
    """What a clinic would write down at entry."""

    age_y: Float[np.ndarray, " subject"]
    weight_kg: Float[np.ndarray, " subject"]
    female: Int[np.ndarray, " subject"]
    weekday0: Int[np.ndarray, " subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcuteResponse:
    """Standard normals of each person's acute effects: pressures, heart rate, dissociation. [dimensionless]"""

    z_sbp: Float[np.ndarray, " subject"]
    z_dbp: Float[np.ndarray, " subject"]
    z_heart_rate: Float[np.ndarray, " subject"]
    z_dissociation: Float[np.ndarray, " subject"]


def sample_covariates(people: People, population: "Population") -> Covariates:
    """Age, weight, sex and the weekday of day 0 of each person. [year], [kg]"""
    u_age, u_weight, u_sex, u_weekday = draw_uniforms(people, Stream.COVARIATES, 0)
    age, weight = population.age, population.weight
    n_weekdays = 5 if population.day0_on == "weekday" else 7
    return Covariates(
        age_y=_truncated_normal(u_age, age.mean_y, age.sd_y, age.low_y, age.high_y),
        weight_kg=_truncated_normal(u_weight, weight.mean_kg, weight.sd_kg, weight.low_kg, weight.high_kg),
        female=(u_sex < population.female_fraction).astype(np.int64),
        weekday0=np.floor(u_weekday * n_weekdays).astype(np.int64),
    )


def sample_iiv(people: People, *, n_iiv: int) -> Float[np.ndarray, "subject iiv"]:
    """Standard normals for between-subject variability of pharmacokinetics; a model may state none. [dimensionless]"""
    if n_iiv == 0:
        return np.zeros((len(people), 0))
    blocks = [np.stack(draw_normals(people, Stream.PK_IIV, block), axis=1) for block in range(-(-n_iiv // 4))]
    return np.concatenate(blocks, axis=1)[:, :n_iiv]


def sample_acute_response(people: People, *, response: ParameterSet | None = None) -> AcuteResponse:
    """How much each person reacts in a session; systolic and diastolic hang together, the rest is independent.

    ``people``: whose draws. ``response``: the library's ``acute-response`` by default.
    """
    # One block holds them all: the stream is named for its first use, and these two were free.
    z_sbp, z_other, z_heart_rate, z_dissociation = draw_normals(people, Stream.PRESSURE, 0)
    return AcuteResponse(
        z_sbp=z_sbp,
        z_dbp=correlated_pressure_z(z_sbp, z_other, response=response),
        z_heart_rate=z_heart_rate,
        z_dissociation=z_dissociation,
    )


def sample_venous_links(people: People, *, links: ParameterSet) -> VenousLinks:
    """A link from artery to arm vein for each person, inside the uncertainty of its fit.

    ``people``: whose draws. ``links``: the library's ``sampling-links`` or a changed copy.
    """
    z = np.stack(draw_normal_pair(people, Stream.VENOUS_LINK, 0), axis=1)
    return draw_venous_links(z, links=links)


def sample_band_draws(people: People, *, model: PkModel) -> BandDraws:
    """Normals for the band of measured values of :func:`remission.pk.measured_band`, at their addresses.

    ``people``: whose draws; kinetics and link are those of every other function here. ``model``: the kinetic model,
    before its variances are widened.
    """
    z_residual, z_share, z_rate, z_study = draw_normals(people, Stream.PK_RESIDUAL, 0)
    return BandDraws(
        z_iiv=sample_iiv(people, n_iiv=with_band_spread(model).n_iiv),
        z_link=np.stack(draw_normal_pair(people, Stream.VENOUS_LINK, 0), axis=1),
        z_absorption=np.stack([z_share, z_rate], axis=1),
        z_residual=z_residual,
        z_study=z_study,
    )


def sample_traits(people: People, parameters: "CourseParameters", *, entry: "Entry") -> "Traits":
    """Behavioral traits of each person.

    Raises SpecError: ``q0_mean`` and ``q0_sd`` do not belong to a Beta distribution.

    l_i, k_i and q_i are normal; s_i log-normal; M on the day of the stop is ``1 - (1 - q0)*exp(-clean_days/tau_M)``
    with q0 Beta (``q0_mean``, ``q0_sd``); engagement normal, clipped; h normal. Who has stopped before the course
    begins starts abstinent; who has not starts near-daily with chance ``daily0``, else using now and then, and an
    attempt to stop on the quit day takes with chance ``success``.
    """
    from remission.patient.course import Traits  # where people live days; a session has none

    p = parameters
    z_level, z_response, z_cue, z_engagement = draw_normals(people, Stream.BEHAVIOR, 0)
    u_commitment, u_regime, u_success, u_heavy = draw_uniforms(people, Stream.BEHAVIOR, 1)
    z_up, z_tempo, _, _ = draw_normals(people, Stream.BEHAVIOR, 2)
    precision = p.q0_mean * (1.0 - p.q0_mean) / (p.q0_sd * p.q0_sd) - 1.0
    if not precision > 0.0:
        raise SpecError(
            where="parameters.q0_sd",
            got=p.q0_sd,
            allowed=f"less than {sqrt(p.q0_mean * (1.0 - p.q0_mean)):.3g}, the most a mean of {p.q0_mean} allows",
        )
    q0 = beta_quantile(p.q0_mean * precision, (1.0 - p.q0_mean) * precision, u_commitment)
    waited = float(exp(np.array([(entry.waits - entry.clean_days) / p.tau_m_day]))[0])
    return Traits(
        tendency=np.zeros(len(people)),
        level=p.sigma_l * z_level,
        up=p.sigma_k * z_up + p.sigma_t * z_tempo,
        down=p.sigma_t * z_tempo - p.sigma_k * z_up,
        responsiveness=exp(p.s_log_sd * z_response),
        commitment0=1.0 - (1.0 - q0) * waited,
        cue0=p.sigma_x * z_cue,
        regime0=1.0 + (u_regime < p.daily0) if entry.still_using else np.zeros(len(people)),
        takes=np.ones(len(people)) if entry.clean_days > 0 else (u_success < p.success) * 1.0,
        engagement=np.clip(p.engagement_mean + p.engagement_sd * z_engagement, p.engagement_low, p.engagement_high),
        heaviness=p.sigma_heavy * normal_quantile(u_heavy),
    )


def _truncated_normal(
    u: Float[np.ndarray, " subject"], mean: float, sd: float, low: float, high: float
) -> Float[np.ndarray, " subject"]:
    if sd == 0.0:
        return np.full(u.shape, mean)
    lower, upper = normal_cdf((low - mean) / sd), normal_cdf((high - mean) / sd)
    return np.clip(mean + sd * normal_quantile(lower + u * (upper - lower)), low, high)
