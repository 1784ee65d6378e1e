"""What the operator of the web app sets."""

from pathlib import Path

from remission.records.base import Record

__all__ = ["WebSettings"]


class WebSettings(Record):
    """Settings of one server.

    country
        Two letters of ISO 3166; whose emergency and crisis numbers stand on the pages.
    clinics_store
        The file of clinics that ``remission clinics load`` fills; None for the usual place.
    is_operator
        Whether the pages that change the store exist.
    demonstrates
        Whether invented clinics are shown, marked as such, where no store is filled.
    hosts
        Names under which the server answers; others are refused, so that no foreign site can reach it by a name.
    is_clinician
        Whether the planner offers volumes for a vial and an empty session log.
    n_replicates
        Replicates behind the pages of a trial.
    """

    country: str = "US"
    clinics_store: Path | None = None
    is_operator: bool = False
    demonstrates: bool = False
    is_clinician: bool = False
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    n_replicates: int = 1000
