"""Which clinics fit a question, nearest first."""

from collections.abc import Iterable
from datetime import date
from typing import Literal

from remission.clinics.clinic import CHECKED_WITHIN_DAYS, HIDDEN_AFTER_DAYS, Clinic
from remission.clinics.geography import Spot, distance_mi
from remission.records.base import Record


class Wanted(Record):
    """What a reader asks for; empty means anything.

    ``ketamine``: only places that say they offer ketamine, or said so to SAMHSA. ``therapy``: only places that say
    therapy is part of it. ``with_old``: also rows that nobody checked for 540 days.
    """

    radius_mi: Literal[10, 25, 50, 100, 250] = 50
    ketamine: bool = False
    therapy: bool = False
    medication: str = ""
    payment: str = ""
    language: str = ""
    with_old: bool = False


class Found(Record):
    """A clinic with its straight-line distance, and whether its row needs another check."""

    clinic: Clinic
    distance_mi: float | None
    is_stale: bool
    is_old: bool


def is_visible(clinic: Clinic) -> bool:
    """Whether a row is ever shown: individual people are not."""
    return not clinic.is_person


def _fits(clinic: Clinic, wanted: Wanted) -> bool:
    return (
        (not wanted.ketamine or clinic.ketamine in {"self_declared", "samhsa_survey"})
        and (not wanted.therapy or clinic.therapy_included in {"optional", "required"})
        and (not wanted.medication or wanted.medication in clinic.medications)
        and (not wanted.payment or wanted.payment in clinic.payment)
        and (not wanted.language or wanted.language in clinic.languages)
    )


def find_clinics(clinics: Iterable[Clinic], wanted: Wanted, *, spot: Spot | None, today: date) -> tuple[Found, ...]:
    """Clinics that fit, nearest first; without a spot all that fit, by city and name.

    ``clinics``: of any kind; people are left out. ``wanted``: the reader's question. ``spot``: where to measure from;
    clinics farther than ``wanted.radius_mi`` or without a position are left out. ``today``: day on which rows are
    judged old.
    """
    found = []
    for clinic in clinics:
        age_days = clinic.age_days(today)
        is_old = age_days > HIDDEN_AFTER_DAYS
        if not is_visible(clinic) or (is_old and not wanted.with_old) or not _fits(clinic, wanted):
            continue
        away_mi = None
        if spot is not None:
            if clinic.lat_deg is None or clinic.lon_deg is None:
                continue
            away_mi = distance_mi(
                lat_deg=spot.lat_deg, lon_deg=spot.lon_deg, to_lat_deg=clinic.lat_deg, to_lon_deg=clinic.lon_deg
            )
            if away_mi > wanted.radius_mi:
                continue
        found.append(Found(clinic=clinic, distance_mi=away_mi, is_stale=age_days > CHECKED_WITHIN_DAYS, is_old=is_old))
    found.sort(key=lambda one: (one.distance_mi or 0.0, one.clinic.city, one.clinic.name, one.clinic.id))
    return tuple(found)
