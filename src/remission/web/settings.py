"""What the operator of the web app sets."""

from pathlib import Path

from remission.records.base import Record

__all__ = ["WebSettings"]


class WebSettings(Record):
    """Settings of one server.

    ``country`` is that of the emergency numbers, two letters of ISO 3166; ``clinics_store`` the file that ``remission
    clinics load`` fills, None for the usual one. ``is_operator``: the pages that change it exist. ``demonstrates``:
    invented clinics are shown, marked so, where none is loaded. ``hosts``: names that are answered; others are refused,
    so that no foreign site can reach it by a name. ``is_clinician``: the planner offers volumes and an empty session
    log. ``n_replicates``: behind the pages of a trial.
    """

    country: str = "US"
    clinics_store: Path | None = None
    is_operator: bool = False
    demonstrates: bool = False
    is_clinician: bool = False
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    n_replicates: int = 1000
