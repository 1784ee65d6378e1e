"""A standard medicine beside ketamine and therapy, by its name in the library of medicines."""

from remission.records.base import Record
from remission.records.quantity import Fraction
from remission.records.text import Slug

__all__ = ["MedicineCourse"]


class MedicineCourse(Record):
    """A medicine taken from day 0 to the end of follow-up.

    ``effect_share`` scales the sourced effect on the log-odds scale: 1 is the sourced contrast, 0 is an inert tablet.
    Adherence is not simulated: the sourced contrast is by intention to treat and holds it already.
    """

    medicine: Slug
    effect_share: Fraction = 1.0
