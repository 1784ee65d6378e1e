"""A contrast that was read, in the terms of the model's own days, so that the model can be made to show it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcedContrast:
    """A contrast that reference people are made to show.

    measure
        ``odds-of-clean-day``: odds ratio of a day without use. ``ratio-of-never-used``: ratio of people without any
        use from day 0 on. ``odds-of-clean-window``: odds ratio of people without any use from ``first_day`` on.
        ``fewer-use-days-in-30``: days of use that are fewer, in 30. ``points-of-days``: difference in percent of days
        without use. ``standardized-difference-of-days``: the same in standard deviations of people.
        ``hazard-of-first-use``: hazard ratio of the first use day.
    contrast, low, high
        The ratio or difference and its 95% interval, where one was read.
    first_day, days, clean_days
        First day that counts, days in all, and clean days before day 0. [day]
    self_quit
        Whether people stop by themselves on day 0.
    source, source_kind, record
        Where and how it was read, as in the evidence registry; the id of its record, where there is one.
    """

    name: str
    substance: str
    measure: str
    contrast: float
    days: int
    grade: str
    note: str
    source: str = ""
    source_kind: str = ""
    record: str = ""
    clean_days: int = 0
    first_day: int = 0
    self_quit: bool = False
    low: float | None = None
    high: float | None = None

    @property
    def interval(self) -> str:
        """The interval in words, or that none was read."""
        if self.low is None or self.high is None:
            return "no interval read"
        return f"{self.low:g} to {self.high:g}"
