"""Records of the evidence in words, the same on the command line and on the pages."""

import math
import re

from remission.evidence.contrasts import ContrastGroup
from remission.records.evidence import CareRecord, StudyArm, StudyOutcome, StudyRecord
from remission.records.packaged import packaged_toml

_AUTHORS = re.compile(r"(?P<first>[^,:]+?) [A-Z]{1,3}(?:,.*| et al)?")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_PRINTED = re.compile(r"\b(?:19|20)\d\d(?=[;:])")
_JOURNAL = re.compile(r"[^:]*\b(?:19|20)\d\d(?:[;:].*| \(.*|)")


def study_title(study: StudyRecord) -> str:
    """The title of a work as its citation has it; author and year where the citation has none."""
    first, *rest = _parts(study)
    if not _is_authors(first):
        return first
    return rest[0] if rest and not _JOURNAL.fullmatch(rest[0]) else study_name(study)


def study_name(study: StudyRecord) -> str:
    """First author and year, to tell works apart in a line; the registry number or nothing where no author is named."""
    first = _parts(study)[0]
    if not _is_authors(first):
        return ""
    found = _AUTHORS.fullmatch(first)
    name = found["first"] if found else first
    printed, any_year = (re.search(pattern, study.citation) for pattern in (_PRINTED, _YEAR))
    year = printed or any_year
    return f"{name} {year[0]}" if year else name


def _is_authors(words: str) -> bool:
    is_short = "," in words or " et al" in words or len(words.split()) <= 3
    return "Group" in words or (is_short and _AUTHORS.fullmatch(words) is not None)


def _parts(study: StudyRecord) -> list[str]:
    """The sentences of a citation: authors, title, journal."""
    return [one.strip() for one in re.split(r"(?<!Univ)(?<!incl)\. (?=[\"A-Z])", study.citation.rstrip("."))]


def value_text(item: StudyOutcome) -> str:
    """Value with its interval; a dash for a statement without a number, "range" where the ends are no interval."""
    if item.value is None:
        ends = [f"{end:g}" for end in (item.ci_low, item.ci_high) if end is not None]
        return f"{' to '.join(ends)} (range)" if ends else "\u2013"
    if not item.has_interval:
        return f"{item.value:g}"
    word = "range " if "range" in f"{item.statistic} {item.endpoint}" else ""
    return f"{item.value:g} ({word}{item.ci_low:g} to {item.ci_high:g})"


def pooled_text(group: ContrastGroup) -> str:
    """The pooled mean with both intervals, or why there is none."""
    if group.pooled is None:
        return f"{group.refusal}{group.left_out}"
    found = group.pooled
    numbers = (found.estimate, found.low, found.high, found.predicted_low, found.predicted_high)
    mean, low, high, new_low, new_high = (math.exp(x) if group.scale == "log" else x for x in numbers)
    return (
        f"Pooled, {found.n_contrasts} contrasts: {mean:.3g} ({low:.3g} to {high:.3g}); a new trial {new_low:.3g} to "
        f"{new_high:.3g}; tau2 {found.tau2:.2g}, Q {found.q:.1f}, I2 {100 * found.i2:.0f}%, uncertain with so few."
        f"{group.left_out}"
    )


def care_value_text(record: CareRecord) -> str:
    """Value, interval and unit; people per 100 where a record has no single value; a result in words as it stands."""
    if record.value is None and record.statistic.startswith("direction"):
        return record.statistic.partition(": ")[2] or "a direction, no number"
    if record.value is None and record.absolute_per_100_treated is None and record.absolute_per_100_control is None:
        ends = [f"{end:g}" for end in (record.ci_low, record.ci_high) if end is not None]
        return (
            f"value not read, interval {' to '.join(ends)}, {record.unit}" if ends else "no single value, see the note"
        )
    if record.value is None:
        pair = (record.absolute_per_100_treated, record.absolute_per_100_control)
        return " v ".join("?" if number is None else f"{number:g}" for number in pair) + f" ({record.unit})"
    interval = f" ({record.ci_low:g} to {record.ci_high:g})" if record.has_interval else ""
    return f"{record.value:g}{interval}, {record.unit}"


def contrast_text(record: CareRecord) -> str:
    """What a number compares: treatment v comparator; what it counts where nothing is compared."""
    alone = record.comparator == "-"
    if record.treatment == "-":
        return record.population
    return f"{record.treatment} v {record.comparator}" if record.comparator and not alone else record.treatment


def number_title(record: CareRecord) -> str:
    """What a number compares and of which endpoint."""
    return f"{contrast_text(record)}: {record.endpoint}"


def outcome_value_text(item: StudyOutcome) -> str:
    """Value, interval and standard deviation."""
    return value_text(item) if item.sd is None else f"{value_text(item)}, SD {item.sd:g}"


def people_text(item: StudyOutcome, record_id: str) -> str:
    """How many people a number is about, with events where given, or what was counted instead; may be empty."""
    if item.n is None:
        return ""
    if counted := packaged_toml("words", "evidence.toml")["counts"].get(record_id):
        return f"{item.n} {counted}"
    return str(item.n) if item.events is None else f"{item.events} of {item.n}"


def counted_text(record: CareRecord) -> str:
    """How many people a number is about, or what was counted instead; may be empty."""
    counted = packaged_toml("words", "evidence.toml")["counts"].get(record.id, "")
    return "" if record.n is None else f"{record.n} {counted}".strip()


def facts_of(record: StudyRecord | CareRecord) -> tuple[tuple[str, str], ...]:
    """Name and text of each fact about a record that is known."""
    if isinstance(record, StudyRecord):
        facts = [
            ("Substance", record.substance),
            ("Design", record.design),
            ("People", record.population),
            ("Therapy", record.cotherapy),
            ("Schedule", record.schedule),
            ("Used here for", record.role),
            ("Risk of bias", record.risk_of_bias or "not assessed"),
        ]
    else:
        # Not "treated" and "control": a record may set people who left against those who stayed.
        sides = (
            (record.absolute_per_100_treated, record.treatment),
            (record.absolute_per_100_control, record.comparator or record.treatment),
        )
        shown = [f"{number:g} with: {side}" for number, side in sides if number is not None]
        counted = counted_text(record)
        facts = [
            ("Treatment", "" if record.treatment == "-" else contrast_text(record)),
            ("Substance", record.substance),
            ("People", record.population),
            (
                "Endpoint",
                record.endpoint if record.time_days is None else f"{record.endpoint}, day {record.time_days}",
            ),
            ("Statistic", record.statistic),
            ("Value", care_value_text(record)),
            ("Per 100 people", "; ".join(shown)),
            ("Counted", f"{counted} people" if counted.isdecimal() else counted),
            ("Read in", record.source_kind),
            ("Certainty", record.certainty or ""),
            ("Note", record.note or ""),
        ]
    return tuple((name, text) for name, text in facts if text)


def arm_texts(arm: StudyArm) -> tuple[str, str, str, str, str, str]:
    """Name, people, drug and dose, doses and their spacing, therapy, control; unknown ones are empty."""

    def unit(number: float | None, text: str) -> str:
        return "" if number is None else f"{number:g} {text}"

    note = arm.dose_note
    if note and re.search(r"\d", note) and not re.search(r"\d m?g|ng/", note):
        note = f"{note} (its unit is not noted here)"
    milligrams = unit(arm.dose_mg, "mg")
    dose = (
        arm.drug,
        unit(arm.dose_mg_per_kg, "mg/kg"),
        "" if milligrams in (arm.drug or "") else milligrams,
        note,
        arm.route,
        unit(arm.infusion_minutes, "min"),
        arm.infusion_note,
    )
    spacing = f"every {arm.spacing_note} days" if arm.spacing_note else unit(arm.spacing_days, "days apart")
    if arm.spacing_days == 1 and not arm.spacing_note:
        spacing = "one a day"
    return (
        f"{arm.name} ({arm.confidence})" if arm.confidence else arm.name,
        "" if arm.n is None else str(arm.n),
        ", ".join(part for part in dose if part),
        ", ".join(part for part in (unit(arm.n_doses, "x"), spacing) if part),
        arm.psychotherapy or "",
        arm.control or "",
    )
