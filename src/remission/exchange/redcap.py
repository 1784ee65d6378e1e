"""Diaries in a REDCap project: its data dictionary and raw export, flat, longitudinal or with repeating instruments.

A row of the export belongs to a record, and in larger projects to an event and an instance of an instrument; each row
in which the field of the day is filled is one row of a diary, all others belong to other instruments. Choice fields
come as codes, and the dictionary says what they mean. A field marked as an identifier is never read.
"""

import csv
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from remission.errors import SpecError, did_you_mean, known_names
from remission.exchange.quality import Imported
from remission.exchange.rows import Mapping, diaries_of_rows
from remission.exchange.tables import read_table, spreadsheet_safe, unreadable
from remission.files import new_text
from remission.records.diaries import Diaries

__all__ = ["FIELDS", "read_redcap", "write_redcap"]

_NAME, _KIND, _CHOICES = "Variable / Field Name", "Field Type", "Choices, Calculations, OR Slider Labels"
_IDENTIFIER = "Identifier?"
_VALIDATION = "Text Validation Type OR Show Slider Number"
_MACHINE_NAMES = {
    "field_name": _NAME,
    "field_type": _KIND,
    "select_choices_or_calculations": _CHOICES,
    "identifier": _IDENTIFIER,
}
_CODED = {"dropdown", "radio"}
_SUBSTANCE = "substance of the mapping"


FIELDS = Mapping(when="tlfb_day", substance="tlfb_substance", use="tlfb_use", amount="tlfb_amount")
"""What the fields of :func:`write_redcap` hold; the unit of the amounts is in the dictionary."""


def write_redcap(diaries: Sequence[Diaries], path: Path, dictionary: Path) -> None:
    """Write diaries as a REDCap project: raw export with a repeating instrument, and its data dictionary.

    Each assessed day is an instance; substances are codes of a choice field. Files are never replaced.

    Raises
    ------
    SpecError
        Amounts of different units, or a substance whose name a choice field cannot hold.
    RunError
        A file exists or cannot be written.
    """
    units = sorted({one.amount_unit for one in diaries if one.amount_unit is not None})
    if len(units) > 1:
        raise SpecError(
            where="diaries", got=f"amounts in {' and '.join(units)}", allowed="one unit, since amounts are one field",
            remedy="Export one substance at a time.",
        )  # fmt: skip
    for one in diaries:
        if "|" in one.substance or not one.substance.strip():
            raise SpecError(where="diaries", got=one.substance, allowed="a substance that a list of choices can hold")
    choices = " | ".join(f"{code}, {one.substance}" for code, one in enumerate(diaries, start=1))
    fields = [
        ("record_id", "entry", "text", "Record", "", "", ""),
        ("tlfb_day", "tlfb", "text", "Study day; day 0 is day 0", "", "integer", ""),
        ("tlfb_substance", "tlfb", "radio", "Substance", choices, "", ""),
        ("tlfb_use", "tlfb", "radio", "Use on this day", "0, No | 1, Yes", "", ""),
        ("tlfb_amount", "tlfb", "text", f"Amount in {units[0]}" if units else "Amount", "", "number", ""),
        ("tlfb_origin", "tlfb", "text", "Observed in people, or synthetic", "", "", ""),
    ]
    # Both or neither: the second gets its name just before the first.
    with new_text(dictionary) as file, new_text(path) as rows_file:
        out = csv.writer(file)
        out.writerow([_NAME, "Form Name", _KIND, "Field Label", _CHOICES, _VALIDATION, _IDENTIFIER])
        out.writerows(fields)
        out = csv.writer(rows_file)
        names = [name for name, *_ in fields]
        out.writerow([names[0], "redcap_repeat_instrument", "redcap_repeat_instance", *names[1:]])
        instance: Counter[str] = Counter()
        for code, one in enumerate(diaries, start=1):
            origin = "synthetic" if one.origin == "simulated" else "observed"
            who, at = np.nonzero(one.assessed)
            known = [math.nan] * len(who) if one.amount is None else one.amount[who, at].tolist()
            used = one.used[who, at].astype(int).tolist()
            for i, day, use, much in zip(who.tolist(), one.study_day[at].tolist(), used, known, strict=True):
                person = one.person[i]
                instance[person] += 1
                amount = "" if math.isnan(much) else much
                out.writerow([spreadsheet_safe(person), "tlfb", instance[person], day, code, use, amount, origin])


def read_redcap(path: Path, dictionary: Path, mapping: Mapping) -> Imported:
    """The diaries of a REDCap export, one record a substance, with what was kept and set aside.

    Parameters
    ----------
    path
        Raw export as CSV (codes, not labels).
    dictionary
        Data dictionary of the project as CSV, as the project's page or its interface for programs gives it.
    mapping
        Which field says what; ``person`` is the record's identifier, the first field of the dictionary. With dates,
        day 0 is the first date of the person.

    Raises
    ------
    SpecError
        A file cannot be read, a field is not in the dictionary or is marked as an identifier, the export has labels
        in the place of codes, or no row holds a day.
    """
    if mapping.layout != "rows":
        raise SpecError(where="mapping, layout", got=mapping.layout, allowed="rows; a REDCap export has no calendar")
    if (mapping.amount is None) != (mapping.amount_unit is None):
        raise SpecError(where="mapping, amount_unit", got="one of two", allowed="amount and amount_unit, or neither")
    fields = _read_dictionary(dictionary)
    person = next(iter(fields))
    mapping = replace(mapping, person=person) if mapping.person == Mapping.person else mapping
    wanted = [mapping.when, *(name for name in (mapping.amount, mapping.use) if name)]
    if mapping.one_substance is None:
        wanted.append(mapping.substance)
    for name in wanted:
        _check_field(name, fields, dictionary)
    if mapping.person != person:
        raise SpecError(where="mapping, person", got=mapping.person, allowed=f"{person}, the record's identifier")
    export = read_table(path, needed=[person, *wanted])
    is_diary = (export[mapping.when] != "").to_numpy()
    if not is_diary.any():
        raise unreadable(path.name, f"no row with {mapping.when}", "rows of the diary's instrument")
    place = pd.DataFrame({"row": np.flatnonzero(is_diary) + 2})
    rows = export[is_diary].reset_index(drop=True)
    is_coded = mapping.one_substance is None and fields[mapping.substance][_KIND] in _CODED
    if mapping.one_substance is None:
        rows[mapping.substance] = _decoded(rows[mapping.substance], fields[mapping.substance], path, place)
    else:
        rows[_SUBSTANCE] = mapping.one_substance
        mapping = replace(mapping, substance=_SUBSTANCE)
    marked = [name for name, field in fields.items() if field[_IDENTIFIER].lower() == "y"]
    found = diaries_of_rows(
        rows, mapping, source=path.name, place=place, columns=list(export.columns), is_coded=is_coded
    )
    notes = [f"The field {name} is marked as an identifier; it is not read." for name in marked if name in export]
    others = int((~is_diary).sum())
    if others:
        notes.append(f"{others} rows belong to other instruments or events: {mapping.when} is empty in them.")
    return replace(found, report=replace(found.report, cautions=(*found.report.cautions, *notes)))


def _read_dictionary(path: Path) -> dict[str, dict[str, str]]:
    """Fields by name, in their order, with kind, choices and mark of identifiers as text."""
    table = read_table(path, needed=[]).rename(columns=_MACHINE_NAMES)
    needed = [_NAME, _KIND, _CHOICES, _IDENTIFIER]
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise unreadable(
            f"{path.name}, row 1", f"no column {', '.join(missing)}", "a REDCap data dictionary",
            "Download it from the project: Project Setup, Data Dictionary.",
        )  # fmt: skip
    table = table[table[_NAME] != ""]
    repeated = table[_NAME][table[_NAME].duplicated()]
    if len(repeated) or table.empty:
        got = f"the field {repeated.iloc[0]} twice" if len(repeated) else "no field"
        raise unreadable(path.name, got, "a data dictionary with each field once")
    rows = table[needed].to_dict("records")
    return {str(row[_NAME]): {str(name): str(value) for name, value in row.items()} for row in rows}


def _check_field(name: str, fields: dict[str, dict[str, str]], dictionary: Path) -> None:
    if name not in fields:
        raise SpecError(
            where=f"mapping against {dictionary.name}", got=name, allowed="a field of it",
            remedy=did_you_mean(name, fields, otherwise=known_names(fields)),
        )  # fmt: skip
    if fields[name][_IDENTIFIER].lower() == "y":
        raise SpecError(
            where=f"mapping against {dictionary.name}", got=f"{name}, marked as an identifier",
            allowed="fields that do not tell who somebody is",
        )  # fmt: skip
    if fields[name][_KIND] in {"checkbox", "file", "signature", "descriptive"}:
        raise SpecError(
            where=f"mapping against {dictionary.name}", got=f"{name}, a field of kind {fields[name][_KIND]}",
            allowed="a field that holds one value",
        )  # fmt: skip


def _decoded(codes: "pd.Series[str]", field: dict[str, str], path: Path, place: pd.DataFrame) -> "pd.Series[str]":
    """What the codes of a choice field mean; the text itself of other fields."""
    if field[_KIND] not in _CODED:
        return codes
    pairs = [choice.split(",", 1) for choice in field[_CHOICES].split("|")]
    labels = {pair[0].strip(): pair[1].strip() for pair in pairs if len(pair) == 2}
    unknown = ~codes.isin([*labels, ""])
    if unknown.any():
        first = int(np.flatnonzero(unknown)[0])
        raise unreadable(
            f"{path.name}, row {place['row'].iloc[first]}, {field[_NAME]}", codes.iloc[first],
            f"a code: {', '.join(labels)}", "Export raw data, not labels.",
        )  # fmt: skip
    return codes.map({**labels, "": ""})
