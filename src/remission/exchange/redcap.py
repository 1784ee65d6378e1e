"""Diaries in a REDCap project: its data dictionary and raw export, flat, longitudinal or with repeating instruments.

A row of the export belongs to a record, and in larger projects to an event and an instance of an instrument; each row
in which the field of the day is filled is one row of a diary, all others belong to other instruments. Choice fields
come as codes, and the dictionary says what they mean. Boxes to tick (``substance___1``, ``substance___2``) are a
substance each: an empty box says no only where another is ticked, for an export writes 0 also where nobody asked. A
field marked as an identifier is never read.
"""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from remission.errors import SpecError, did_you_mean, known_names
from remission.exchange.cells import answer_of, is_not_known, is_nothing
from remission.exchange.mapping import Mapping
from remission.exchange.own import day_rows, extra_names, restored
from remission.exchange.quality import Imported
from remission.exchange.rows import RowSource, anchors_in, diaries_of_rows
from remission.exchange.tables import read_source, read_table, unreadable
from remission.files import new_text, spreadsheet_safe
from remission.records.diaries import MOST_SCORE, SCORES, Diaries

_NAME, _KIND, _CHOICES = "Variable / Field Name", "Field Type", "Choices, Calculations, OR Slider Labels"
_IDENTIFIER = "Identifier?"
_VALIDATION, _FORM = "Text Validation Type OR Show Slider Number", "Form Name"
_MACHINE_NAMES = {
    "field_name": _NAME,
    "field_type": _KIND,
    "select_choices_or_calculations": _CHOICES,
    "identifier": _IDENTIFIER,
    "text_validation_type_or_show_slider_number": _VALIDATION,
    "form_name": _FORM,
}
_CODED = {"dropdown", "radio"}
_BOXES = "checkbox"
_SUBSTANCE = "substance of the mapping"
# Of one choice, or of two by their kind.
_FIXED = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}
_OWN = {"tlfb_day", "tlfb_substance", "tlfb_use", "tlfb_amount", "tlfb_unit", "tlfb_origin"}
_REPEAT = "redcap_repeat_instrument"


FIELDS = Mapping(when="tlfb_day", substance="tlfb_substance", use="tlfb_use", amount="tlfb_amount")
"""What the fields of :func:`write_redcap` hold; ``tlfb_unit`` holds the unit of each amount."""


def write_redcap(diaries: Sequence[Diaries], path: Path, dictionary: Path) -> None:
    """Write diaries as a REDCap project: raw export with a repeating instrument, and its data dictionary.

    Each assessed day is an instance; substances are codes of a choice field. Files are never replaced.

    Raises SpecError: a substance whose name a choice field cannot hold. Raises RunError: a file exists or cannot be
    written.
    """
    for one in diaries:
        if "|" in one.substance or not one.substance.strip():
            raise SpecError(where="diaries", got=one.substance, allowed="a substance that a list of choices can hold")
    choices = " | ".join(f"{code}, {one.substance}" for code, one in enumerate(diaries, start=1))
    units = sorted({one.amount_unit for one in diaries if one.amount_unit is not None})
    before, after = extra_names(diaries)
    labels = {"group": "Arm", "weekday": "Weekday of the day", "day_zero": "What day 0 is"}
    labels |= {name: f"{name.capitalize()} of the day, 0 to {MOST_SCORE:g}" for name in SCORES}
    fields = [
        ("record_id", "entry", "text", "Record", "", "", ""),
        ("tlfb_day", "tlfb", "text", "Study day; day 0 is day 0", "", "integer", ""),
        ("tlfb_substance", "tlfb", "radio", "Substance", choices, "", ""),
        ("tlfb_use", "tlfb", "radio", "Use on this day", "0, No | 1, Yes", "", ""),
        ("tlfb_amount", "tlfb", "text", f"Amount in {' or '.join(units)}" if units else "Amount", "", "number", ""),
        ("tlfb_unit", "tlfb", "text", "Unit of the amount", "", "", ""),
        *((f"tlfb_{name}", "tlfb", "text", labels[name], "", "", "") for name in before),
        ("tlfb_origin", "tlfb", "text", "Observed in people, or synthetic", "", "", ""),
        *((f"tlfb_{name}", "tlfb", "text", labels[name], "", "", "") for name in after),
    ]
    # Both or neither: the second gets its name just before the first.
    with new_text(dictionary) as file, new_text(path) as rows_file:
        out = csv.writer(file)
        out.writerow([_NAME, _FORM, _KIND, "Field Label", _CHOICES, _VALIDATION, _IDENTIFIER])
        out.writerows(fields)
        out = csv.writer(rows_file)
        names = [name for name, *_ in fields]
        out.writerow([names[0], _REPEAT, "redcap_repeat_instance", *names[1:]])
        instance: Counter[str] = Counter()
        for code, one in enumerate(diaries, start=1):
            unit = spreadsheet_safe(one.amount_unit or "")
            for i, day, use, much, *rest in day_rows(one, before, after):
                person = one.person[i]
                instance[person] += 1
                out.writerow([spreadsheet_safe(person), "tlfb", instance[person], day, code, use, much, unit, *rest])


def read_redcap(path: Path, dictionary: Path, mapping: Mapping | None = None) -> Imported:
    """The diaries of a REDCap export, one record a substance, with what was kept and set aside.

    ``path``: raw export as CSV (codes, not labels). ``dictionary``: data dictionary of the project as CSV, as the
    project's page or its interface for programs gives it. It says where a decimal comma stands and which fields are
    dates. ``mapping``: which field says what; ``person`` is the record's identifier, the first field of the dictionary.
    Without one the project is read as :func:`write_redcap` makes it.
    Raises SpecError: a file cannot be read, a field is not in the dictionary or is marked as an identifier, the export
    has labels in the place of codes, or no row holds a day.
    """
    fields = _read_dictionary(dictionary)
    mapping, is_own = _agreed(mapping, fields, dictionary)
    person, wanted = mapping.person, _wanted(mapping)
    boxes = _boxes(mapping, fields)
    needed = [person, *(name for name in wanted if not (boxes and name == mapping.substance)), *boxes]
    source = read_source(path, needed=needed, encoding=mapping.encoding, decimal=mapping.decimal)
    export = source.cells
    if boxes:
        export[mapping.substance] = _ticked(export, boxes, path, source.first_row)
    is_diary = _is_diary(export, mapping, fields)
    if not is_diary.any():
        raise unreadable(path.name, f"no row with {mapping.when}", "rows of the diary's instrument")
    place = pd.DataFrame({"row": np.flatnonzero(is_diary) + source.first_row})
    rows = export[is_diary].reset_index(drop=True)
    is_coded = mapping.one_substance is None and fields[mapping.substance][_KIND] in {*_CODED, _BOXES}
    no_code = None
    if boxes:
        answers = None if mapping.use is None else _read_answers(rows[mapping.use], fields[mapping.use], mapping)
        rows, mapping = _one_row_a_box(rows, answers, boxes, mapping)
        place = place.loc[rows.index].reset_index(drop=True)
        rows = rows.reset_index(drop=True)
    elif mapping.one_substance is None:
        column = mapping.substance
        rows[column], no_code = _decoded(rows[column], fields[column], path, place, mapping)
    else:
        rows[_SUBSTANCE] = mapping.one_substance
        mapping = replace(mapping, substance=_SUBSTANCE)
    for name in () if boxes else filter(None, (mapping.use, mapping.amount)):
        if fields[name][_KIND] in {*_CODED, *_FIXED} and not is_own:
            to_text = _answers_of_codes if name == mapping.use else _amounts_of_codes
            rows[name] = to_text(rows[name], fields[name])
    about = RowSource(
        name=path.name, place=place, columns=[str(name) for name in export.columns], is_coded=is_coded, is_own=is_own,
        is_typed=source.is_typed, no_code=no_code, anchors=anchors_in(source, mapping, name=path.name),
        scores={name: f"tlfb_{name}" for name in SCORES if is_own and f"tlfb_{name}" in rows},
    )  # fmt: skip
    found = diaries_of_rows(rows, mapping, about)
    if "tlfb_origin" in rows:
        found = restored(found, rows, mapping, is_own=is_own, prefix="tlfb_")
    marked = [name for name, field in fields.items() if field[_IDENTIFIER].lower() == "y"]
    notes = [f"The field {name} is marked as an identifier; it is not read." for name in marked if name in export]
    if boxes:
        notes.append(f"A row counts once for each of the {len(boxes)} boxes of {mapping.substance}.")
    others = int((~is_diary).sum())
    if others:
        notes.append(f"{others} rows belong to other instruments or events: {mapping.when} is empty in them.")
    return replace(found, report=replace(found.report, cautions=(*found.report.cautions, *notes)))


def _agreed(mapping: Mapping | None, fields: dict[str, dict[str, str]], dictionary: Path) -> tuple[Mapping, bool]:
    """The mapping as the dictionary allows it and completes it, and whether the project is one that we wrote."""
    person = next(iter(fields))
    is_own = mapping is None and set(fields) >= _OWN
    if mapping is None:
        mapping = _own_mapping(fields) if is_own else Mapping()
    if mapping.layout != "rows":
        raise SpecError(where="mapping, layout", got=mapping.layout, allowed="rows; a REDCap export has no calendar")
    mapping = replace(mapping, person=person) if mapping.person == Mapping.person else mapping
    mapping.check()
    for name in _wanted(mapping):
        is_which = name == mapping.substance and mapping.one_substance is None
        _check_field(name, fields, dictionary, may_be_boxes=is_which and fields.get(name, {}).get(_KIND) == _BOXES)
    if mapping.person != person:
        raise SpecError(where="mapping, person", got=mapping.person, allowed=f"{person}, the record's identifier")
    return _declared(mapping, fields), is_own


def _own_mapping(fields: dict[str, dict[str, str]]) -> Mapping:
    return replace(FIELDS, unit="tlfb_unit", assessed="rows", group="tlfb_group" if "tlfb_group" in fields else None)


def _wanted(mapping: Mapping) -> list[str]:
    """Fields that the mapping reads."""
    named = [mapping.when, mapping.amount, mapping.use, mapping.unit, mapping.group]
    named.append(mapping.substance if mapping.one_substance is None else None)
    named.append(mapping.anchor if mapping.anchor_file is None else None)
    return list(dict.fromkeys(name for name in named if name))


def _declared(mapping: Mapping, fields: dict[str, dict[str, str]]) -> Mapping:
    """The mapping with what the dictionary declares: decimal commas, dates, times of day.

    A raw export writes dates as year-month-day, whatever the project shows.
    """
    if mapping.amount is not None and fields[mapping.amount][_VALIDATION].endswith("comma_decimal"):
        mapping = replace(mapping, decimal="comma")
    kind = fields[mapping.when][_VALIDATION]
    if kind.startswith("datetime") and mapping.when_is in {"day", "date"}:
        return replace(mapping, when_is="datetime")
    return replace(mapping, when_is="date") if kind.startswith("date_") and mapping.when_is == "day" else mapping


def _is_diary(export: pd.DataFrame, mapping: Mapping, fields: dict[str, dict[str, str]]) -> np.ndarray:
    """Rows of the diary's instrument: one of its fields is filled, or the row is an instance of it."""
    form = fields[mapping.when][_FORM]
    said = [mapping.amount, mapping.use, None if mapping.one_substance else mapping.substance]
    same = [name for name in said if name is not None and form and fields[name][_FORM] == form]
    found = (export[[mapping.when, *same]] != "").any(axis=1).to_numpy(dtype=bool, copy=True)
    if form and _REPEAT in export:
        found |= (export[_REPEAT] == form).to_numpy(dtype=bool)
    # Saved as unverified or complete, it was asked on some day.
    if form and f"{form}_complete" in export and len(same) > 0:
        found |= export[f"{form}_complete"].isin(["1", "2"]).to_numpy(dtype=bool)
    return found


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
    for name in (_VALIDATION, _FORM):
        if name not in table.columns:
            table[name] = ""
    rows = table[[*needed, _VALIDATION, _FORM]].to_dict("records")
    return {str(row[_NAME]): {str(name): str(value) for name, value in row.items()} for row in rows}


def _check_field(name: str, fields: dict[str, dict[str, str]], dictionary: Path, *, may_be_boxes: bool) -> None:
    field, is_box, _ = name.partition("___")
    kind = fields.get(name, {}).get(_KIND)
    if is_box and fields.get(field, {}).get(_KIND) == _BOXES:
        got, allowed = f"{name}, one box of {field}", "the name of the field in the dictionary"
        remedy = f"Write substance: {field} to read all its boxes."
    elif name not in fields:
        got, allowed = name, "a field of it"
        remedy = did_you_mean(name, fields, otherwise=known_names(fields))
    elif fields[name][_IDENTIFIER].lower() == "y":
        got, allowed, remedy = f"{name}, marked as an identifier", "fields that do not tell who somebody is", ""
    elif kind in {_BOXES, "file", "signature", "descriptive"} and not may_be_boxes:
        got, allowed, remedy = f"{name}, a field of kind {kind}", "a field that holds one value", ""
        if kind == _BOXES:
            remedy = "Boxes can say which substances were used: name their field as substance."
    else:
        return
    raise SpecError(where=f"mapping against {dictionary.name}", got=got, allowed=allowed, remedy=remedy)


def _labels(field: dict[str, str]) -> dict[str, str]:
    """What the codes of a field mean; empty where it has no codes."""
    if field[_KIND] in _FIXED:
        return _FIXED[field[_KIND]]
    if field[_KIND] not in {*_CODED, _BOXES}:
        return {}
    pairs = [choice.split(",", 1) for choice in field[_CHOICES].split("|")]
    return {pair[0].strip(): pair[1].strip() for pair in pairs if len(pair) == 2}


def _decoded(
    codes: "pd.Series[str]", field: dict[str, str], path: Path, place: pd.DataFrame, mapping: Mapping
) -> tuple["pd.Series[str]", np.ndarray | None]:
    """What the codes of a choice field mean, and which cells are none of them; the text itself of other fields."""
    labels = _labels(field)
    if not labels:
        return codes, None
    is_code = codes.isin([*labels, ""]).to_numpy(dtype=bool)
    is_label = ~is_code & codes.isin(labels.values()).to_numpy(dtype=bool)
    if is_label.any():
        first = int(np.flatnonzero(is_label)[0])
        raise unreadable(
            f"{path.name}, row {place['row'].iloc[first]}, {field[_NAME]}", codes.iloc[first],
            f"a code: {', '.join(labels)}", "Export raw data, not labels.",
        )  # fmt: skip
    is_missing = codes.map(lambda cell: mapping.is_missing(cell, field[_NAME])).to_numpy(dtype=bool)
    return codes.map({**labels, "": ""}).where(is_code, codes), ~is_code & ~is_missing


def _boxes(mapping: Mapping, fields: dict[str, dict[str, str]]) -> dict[str, str]:
    """The label of each column of boxes to tick that say the substance; none where one field says it.

    Raises SpecError: an amount: of which of the substances it is, the file does not say.
    """
    if mapping.one_substance is not None or fields[mapping.substance][_KIND] != _BOXES:
        return {}
    name = mapping.substance
    if mapping.amount is not None or mapping.unit is not None:
        raise SpecError(
            where="mapping, amount", got=f"{mapping.amount or mapping.unit}, beside the checkbox field {name}",
            allowed="no amount: one row may hold several substances",
            remedy=f"Leave amount out; or write one_substance and leave the boxes of {name} out.",
        )  # fmt: skip
    labels = _labels(fields[name])
    named = [label for label in labels.values() if not (is_nothing(label) or is_not_known(label))]
    if not named:
        raise SpecError(where=f"the field {name}", got="boxes that name no substance", allowed="choices that name some")
    # REDCap writes codes in small letters, and a minus as an underscore.
    return {f"{name}___{code.lower().replace('-', '_')}": label for code, label in labels.items()}


def _ticked(export: pd.DataFrame, boxes: dict[str, str], path: Path, first_row: int) -> "pd.Series[str]":
    """Which boxes each row has ticked, as text; empty where none is.

    Raises SpecError: a box holds anything but 0 and 1, as in an export of labels.
    """
    cells = export[list(boxes)]
    is_wrong = ~cells.isin(["0", "1", ""])
    if is_wrong.to_numpy().any():
        row = int(np.flatnonzero(is_wrong.any(axis=1))[0])
        column = str(is_wrong.columns[is_wrong.iloc[row].to_numpy()][0])
        raise unreadable(
            f"{path.name}, row {row + first_row}, {column}", cells[column].iloc[row], "0 or 1",
            "Export raw data, not labels.",
        )  # fmt: skip
    return (cells == "1").apply(lambda row: " ".join(row.index[row]), axis=1)


def _read_answers(codes: "pd.Series[str]", field: dict[str, str], mapping: Mapping) -> np.ndarray:
    """1, 0 or -1 for each row, from a field that answers whether anything was used."""
    texts = _answers_of_codes(codes, field) if field[_KIND] in {*_CODED, *_FIXED} else codes
    return np.array([-1 if mapping.is_missing(cell, mapping.use) else answer_of(cell) for cell in texts])


def _one_row_a_box(
    rows: pd.DataFrame, answers: np.ndarray | None, boxes: dict[str, str], mapping: Mapping
) -> tuple[pd.DataFrame, Mapping]:
    """A row of each substance that has a box, in the order of the rows, with the answer that the boxes give.

    A ticked box is use. An empty one is none where another substance is ticked, "none" is, or the answer is no; where
    nothing is ticked, "not known" is, or the boxes contradict each other or the answer, it is not known.
    """
    labels = np.array(list(boxes.values()))
    is_none, is_open = (np.array([says(label) for label in labels]) for says in (is_nothing, is_not_known))
    is_named = ~(is_none | is_open)
    ticked = (rows[list(boxes)] == "1").to_numpy()
    any_used, says_none = ticked[:, is_named].any(axis=1), ticked[:, is_none].any(axis=1)
    said = np.full(len(rows), -1) if answers is None else answers
    is_asked = (rows[list(boxes)] != "").to_numpy().all(axis=1)
    is_clear = ~(any_used & (says_none | (said == 0))) & ~ticked[:, is_open].any(axis=1)
    is_no = is_asked & is_clear & (any_used | says_none | (said == 0)) & ~(says_none & (said == 1))
    is_yes = ticked[:, is_named] & ~(said == 0)[:, None]
    texts = np.where(is_yes, "1", np.where(is_no[:, None], "0", ""))
    use = f"boxes of {mapping.substance}"
    long = rows.loc[rows.index.repeat(int(is_named.sum()))].copy()
    long[mapping.substance], long[use] = np.tile(labels[is_named], len(rows)), texts.reshape(-1)
    return long, replace(mapping, use=use)


def _answers_of_codes(codes: "pd.Series[str]", field: dict[str, str]) -> "pd.Series[str]":
    """What the codes of an answer mean by their labels; the codes 0 and 1 alone say nothing, a 0 may mean use.

    Raises SpecError: no label says yes, so that every day that can be read would be a clean one.
    """
    labels = _labels(field)
    says = {code: answer_of(label) for code, label in labels.items() if answer_of(label) >= 0}
    others = [code for code, label in labels.items() if code not in says and not is_not_known(label)]
    if set(says.values()) == {0} and len(others) == 1:
        # Of two choices that are not "no" and no missing answer, one is left.
        says[others[0]] = 1
    if 1 not in says.values():
        shown = " | ".join(f"{code}, {label}" for code, label in labels.items())
        raise SpecError(
            where=f"the field {field[_NAME]}", got=f"the choices {shown[:120]}", allowed="choices that say yes and no",
            remedy="Write Yes and No as the labels in a copy of the data dictionary.",
        )  # fmt: skip
    texts = {**labels, **{code: str(answer) for code, answer in says.items()}}
    return codes.map(lambda code: texts.get(code, code if code not in {"0", "1"} else f"code {code}"))


def _amounts_of_codes(codes: "pd.Series[str]", field: dict[str, str]) -> "pd.Series[str]":
    """The labels of the codes of an amount: a code is never one."""
    labels = _labels(field)
    return codes.map(lambda code: labels.get(code, f"code {code}" if code else ""))
