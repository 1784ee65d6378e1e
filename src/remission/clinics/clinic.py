"""One place of care as somebody declared it, with where the statement comes from and how old it is."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from remission.records.base import Record

CARE_TYPES = ("detox", "outpatient", "iop", "php", "residential", "inpatient", "telehealth", "otp")
MEDICATIONS = ("methadone", "buprenorphine", "naltrexone", "acamprosate", "disulfiram", "other")
KETAMINE_ROUTES = ("iv", "im", "nasal_esketamine", "oral", "home")
THERAPY = ("none", "optional", "required", "unknown")
MONITORING = ("none", "remote", "nurse", "physician", "anesthesia", "unknown")
CHECKED_WITHIN_DAYS = 180
"""A row older than this is marked "not recently checked"."""
HIDDEN_AFTER_DAYS = 540
"""A row older than this is hidden unless asked for."""
ECHO_LENGTH = 80
"""Most characters of a file that a message repeats."""

_Text = Annotated[str, StringConstraints(max_length=200)]
_Words = tuple[_Text, ...]


class Clinic(Record):
    """A place of care. Everything about its services is somebody's statement, never a finding of this project.

    ``dataset``: ``operator``: plain CSV of who runs the site; ``samhsa``: FindTreatment.gov; ``nppes``: NPI registry;
    ``demonstration``: invented. ``ketamine``: ``self_declared`` or ``samhsa_survey``: who says so. ``unknown`` means
    nobody said; it never means no. ``is_approximate``: whether the position is only that of the ZIP area.
    ``last_verified``: when the row was last checked; for files without such a date the date of the file.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    dataset: Literal["operator", "samhsa", "nppes", "demonstration"] = "operator"
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    street: _Text = ""
    city: _Text
    region: _Text = ""
    postal_code: _Text
    lat_deg: Annotated[float, Field(ge=-90, le=90)] | None = None
    lon_deg: Annotated[float, Field(ge=-180, le=180)] | None = None
    is_approximate: bool = False
    phone: _Text = ""
    website: Annotated[str, StringConstraints(max_length=4000)] = ""
    care_types: _Words = ()
    medications: _Words = ()
    ketamine: Literal["self_declared", "samhsa_survey", "no", "unknown"] = "unknown"
    ketamine_route: _Words = ()
    therapy_included: Literal["none", "optional", "required", "unknown"] = "unknown"
    medical_monitoring: Literal["none", "remote", "nurse", "physician", "anesthesia", "unknown"] = "unknown"
    addiction_experience: Literal["yes", "no", "unknown"] = "unknown"
    payment: _Words = ()
    languages: _Words = ()
    services: tuple[str, ...] = ()
    npi: str = ""
    licence_number: _Text = ""
    licence_board: _Text = ""
    is_person: bool = False
    last_verified: date
    source: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    source_url: Annotated[str, StringConstraints(max_length=4000)] = ""

    def age_days(self, today: date) -> int:
        """Days since the row was checked."""
        return (today - self.last_verified).days


class RowFault(Record):
    """What is wrong with one cell: row of the file (the header is row 1), field, reason, and what stood there.

    ``is_warning``: the row is kept all the same.
    """

    row: int
    field: str
    reason: str
    got: str = ""
    is_warning: bool = False


def echo(text: object) -> str:
    """What came, in at most 80 characters of one line, fit for any terminal or page.

    >>> echo("a" * 200)[-4:], len(echo("a" * 200))
    ('aaa…', 80)
    """
    line = "".join(letter if letter.isprintable() else "�" for letter in str(text)[: ECHO_LENGTH + 1])
    return line if len(line) <= ECHO_LENGTH else line[: ECHO_LENGTH - 1] + "…"
