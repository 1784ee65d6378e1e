"""Kinetic models of the reader's own, from a TOML file; what comes of them is graded ``yours``.

A file says what a model of the library says: structure, values with units, variances between people, how values go
with weight, where plasma was sampled, and where the numbers come from::

    id = "our-ward-2026"
    title = "Racemic ketamine on our ward"
    source = "internal report 12, 14 people, 2026"
    structure = "mammillary"
    species = "ket"                     # "ket", "s_ket", or "s_ket r_ket"
    site = "venous"                     # or "arterial"

    [values]
    v1 = "60 L"
    cl = "1.3 L/min"
    q2 = "90 L/h"
    v2 = "150 L"

    [variances]                         # of the log, between people
    v1 = 0.06
    cl = 0.03

    [covariances]                       # of the logs
    "v1 cl" = 0.01

    [weight]
    reference = "70 kg"
    exponents = { cl = 0.75, q2 = 0.75, v1 = 1.0, v2 = 1.0 }

    [residual]                          # of one measured value
    proportional = 0.2

A value without a unit, a variance below 0, a site that is none or a key that is not known is an error with the line it
stands in; all faults are listed. Exponents that are not given are 0.75 for clearances and flows and 1 for volumes, and
are then assumed.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli

from remission.errors import RemissionError, SpecError, did_you_mean
from remission.files import read_small_text
from remission.library.loader import load_parameter_set
from remission.pk.model import LINKS, PkModel
from remission.pk.structures import BUILT_IN, find_structure, structure_names
from remission.records.model_file import LARGEST_MODEL_BYTES
from remission.records.parameter import Grade, Parameter, ParameterSet
from remission.units import parse_quantity

_UNITS = {
    "v1": ("v1_l", "L"), "v2": ("v2_l", "L"), "v3": ("v3_l", "L"), "cl": ("cl_l_per_h", "L/h"),
    "q2": ("q2_l_per_h", "L/h"), "q3": ("q3_l_per_h", "L/h"), "cl_ratio_r_ket": ("cl_ratio_r_ket", "1"),
    "nk_fraction": ("nk_fraction", "1"), "nk_v1": ("nk_v1_l", "L"), "nk_v2": ("nk_v2_l", "L"),
    "nk_cl": ("nk_cl_l_per_h", "L/h"), "nk_q": ("nk_q_l_per_h", "L/h"),
}  # fmt: skip
_NEEDED = ("v1", "cl", "v2", "q2")
_NORKETAMINE = ("nk_fraction", "nk_v2", "nk_cl", "nk_q")
_TOP = ("id", "title", "source", "structure", "species", "site", "note", "population")
_TABLES = ("values", "variances", "covariances", "weight", "residual")
_SPECIES = ("ket", "s_ket", "s_ket r_ket")
_SITES = ("arterial", "venous")
_SHARES = frozenset({"nk_fraction"})
_LARGEST_VARIANCE = 4.0


def read_pk_model(path: str | Path) -> PkModel:
    """The model of a file, ready for every function that takes a model.

    Raises SpecError: the file cannot be read or is not TOML, or a key, value, unit, variance or site is wrong; each
    fault has its line.
    """
    text = read_small_text(Path(path), allowed="a TOML file of a kinetic model", largest_bytes=LARGEST_MODEL_BYTES)
    return parse_pk_model(text, name=str(path))


def parse_pk_model(text: str, *, name: str) -> PkModel:
    """The model of a text; ``name`` is what messages call it, and errors are those of :func:`read_pk_model`."""
    try:
        content = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise SpecError(
            where=name, got=str(error), allowed="a TOML file", remedy="Correct the line that is named."
        ) from None
    except RecursionError:
        raise SpecError(where=name, got="tables nested without end", allowed="a flat TOML file") from None
    return _Reader(name, text, content).model()


class _Reader:
    """One file: its faults are collected, so that a reader sees them all at once."""

    def __init__(self, file: str, text: str, content: dict[str, Any]) -> None:
        self.file, self.lines, self.content = file, text.splitlines(), content
        self.faults: list[SpecError] = []

    def model(self) -> PkModel:
        self._known(self.content, (*_TOP, *_TABLES), "")
        words = {name: self._word(name) for name in ("id", "title", "source", "structure", "species", "site")}
        tables = {name: self._table(name) for name in _TABLES}
        structure = words["structure"]
        if structure and structure not in structure_names():
            self._fault(
                "structure",
                structure,
                f"one of {', '.join(structure_names())}",
                did_you_mean(structure, structure_names(), otherwise="Add a new one with register_structure()."),
            )
        elif structure == "hepatoportal":
            self._fault("structure", structure, "mammillary or a structure of your own",
                        "The model of the nasal spray is in the library: perezruixo2021.")  # fmt: skip
        if words["id"] and not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", words["id"]):
            self._fault("id", words["id"], "small letters, digits, - and _, at most 64")
        if words["site"] and words["site"] not in _SITES:
            self._fault("site", words["site"], "arterial or venous: where the plasma of the source was drawn",
                        did_you_mean(words["site"], _SITES))  # fmt: skip
        if words["species"] and words["species"] not in _SPECIES:
            self._fault("species", words["species"], "'ket', 's_ket' or 's_ket r_ket'")
        parameters = self._values(structure, words["species"], tables["values"])
        stated = {one.id for one in parameters}
        parameters += self._spread(structure, stated, tables["variances"], tables["covariances"])
        parameters += self._weight(structure, stated, tables["weight"])
        residual = self._residual(tables["residual"])
        if self.faults:
            raise SpecError.from_faults(self.faults)
        has_nk = "nk_cl_l_per_h" in stated
        attributes = {
            "structure": structure, "parameterization": "clearances", "species": words["species"],
            "sampling_site": words["site"], "metabolites": "s_nk" if has_nk else "",
            "population": str(self.content.get("population", "not stated in the file")), "sampling": words["site"],
            "caution": f"Yours, not checked by us: a model of your own, {words['source']}",
            **({"norketamine": "direct"} if has_nk else {}),
            **({"residual_sd": repr(residual)} if residual is not None else {}),
        }  # fmt: skip
        made = ParameterSet(
            id=words["id"], title=words["title"], note=str(self.content.get("note", "")), attributes=attributes,
            parameters=tuple(parameters),
        )  # fmt: skip
        return PkModel(parameter_set=made, links=load_parameter_set(LINKS))

    # ------------------------------------------------------------------------------------------------- pieces

    def _values(self, structure: str, species: str, table: Mapping[str, Any]) -> list[Parameter]:
        units = self._units(structure)
        self._known(table, tuple(units), "values")
        needed = _NEEDED if units is _UNITS else tuple(units)
        if species == "s_ket r_ket" and units is _UNITS:
            needed = (*needed, "cl_ratio_r_ket")
        if any(name.startswith("nk_") for name in table) and units is _UNITS:
            needed = (*needed, *_NORKETAMINE)
        for pair in (("v3", "q3"),):
            if units is _UNITS and (pair[0] in table) != (pair[1] in table):
                needed = (*needed, *pair)
        for name in dict.fromkeys(needed):
            if name not in table:
                self._fault("values", f"no {name}", f"{name}, with its unit, such as {self._example(units[name][1])}")
        found = []
        for name, value in table.items():
            if name not in units:
                continue
            parameter_id, unit = units[name]
            number = self._number(f"values.{name}", value, unit)
            if number is None:
                continue
            if not number > 0.0 or (name in _SHARES and number > 1.0):
                self._fault(f"values.{name}", value, "more than 0" + (" and at most 1" if name in _SHARES else ""))
                continue
            found.append(self._parameter(parameter_id, name, number, unit))
        return found

    def _spread(
        self, structure: str, stated: set[str], variances: Mapping[str, Any], pairs: Mapping[str, Any]
    ) -> list[Parameter]:
        units = self._units(structure)
        found, sizes = [], {}
        self._known(variances, tuple(units), "variances")
        for name, value in variances.items():
            number = self._plain(f"variances.{name}", value)
            if name not in units or number is None:
                continue
            if units[name][0] not in stated and not self._is_faulty(f"values.{name}"):
                self._fault(f"variances.{name}", value, "the variance of something that has a value above")
            elif not 0.0 <= number <= _LARGEST_VARIANCE:
                self._fault(f"variances.{name}", value, f"0 to {_LARGEST_VARIANCE:g}, the variance of the log between "
                            "people", "A CV of 30% is a variance of 0.086: the log of 1 + 0.3 squared.")  # fmt: skip
            else:
                sizes[name] = number
                found.append(self._parameter(f"omega2_{self._iiv_name(name, units)}", f"omega2({name})", number, "1"))
        for key, value in pairs.items():
            names, number = key.split(), self._plain(f"covariances.{key}", value)
            if len(names) != 2 or names[0] == names[1] or not set(names) <= set(variances):
                self._fault(f"covariances.{key}", key, 'two names of [variances] with a space between, such as "v1 cl"')
                continue
            if number is None or not set(names) <= set(sizes):
                continue
            most = math.sqrt(sizes[names[0]] * sizes[names[1]])
            if not abs(number) < most:
                self._fault(
                    f"covariances.{key}", value, f"between -{most:.4g} and {most:.4g}, as the two variances allow"
                )
                continue
            ids = ".".join(self._iiv_name(name, units) for name in names)
            found.append(self._parameter(f"cov.{ids}", f"cov({', '.join(names)})", number, "1"))
        return found

    def _weight(self, structure: str, stated: set[str], table: Mapping[str, Any]) -> list[Parameter]:
        self._known(table, ("reference", "exponents", "fitted_to"), "weight")
        units = self._units(structure)
        reference = self._number("weight.reference", table["reference"], "kg") if "reference" in table else None
        if "reference" not in table:
            self._fault("weight", "no reference", 'the weight that the values are for, such as reference = "70 kg"')
        elif reference is not None and not 30.0 <= reference <= 250.0:
            self._fault("weight.reference", table["reference"], "an adult's weight, 30 to 250 kg")
        exponents = table.get("exponents", {})
        if not isinstance(exponents, dict):
            self._fault("weight.exponents", exponents, "a table, such as { cl = 0.75, v1 = 1.0 }")
            exponents = {}
        self._known(exponents, tuple(units), "weight.exponents")
        found = [
            self._parameter("reference_weight_kg", "WT_ref", reference or 70.0, "kg"),
            self._parameter("exponent_clearance", "a_CL", 0.75, "1", grade=Grade.ASSUMED),
            self._parameter("exponent_volume", "a_V", 1.0, "1", grade=Grade.ASSUMED),
        ]
        for name, value in exponents.items():
            number = self._plain(f"weight.exponents.{name}", value)
            if name not in units or number is None:
                continue
            if not -3.0 <= number <= 3.0:
                self._fault(f"weight.exponents.{name}", value, "a number from -3 to 3; 0 is no effect of weight")
            elif units[name][0] in stated:
                found.append(self._parameter(f"exponent.{units[name][0]}", f"a({name})", number, "1"))
        if "fitted_to" in table:
            ends = table["fitted_to"]
            if not (isinstance(ends, list) and len(ends) == 2):
                self._fault("weight.fitted_to", ends, 'two weights, such as ["50 kg", "95 kg"]')
            else:
                low, high = (self._number("weight.fitted_to", one, "kg") for one in ends)
                if low is not None and high is not None:
                    if not low <= high:
                        self._fault("weight.fitted_to", ends, "the lower weight first")
                    else:
                        found.append(
                            self._parameter("population_weight_kg", "WT", 0.5 * (low + high), "kg", low=low, high=high)
                        )
        return found

    def _residual(self, table: Mapping[str, Any]) -> float | None:
        self._known(table, ("proportional",), "residual")
        if "proportional" not in table:
            return None
        number = self._plain("residual.proportional", table["proportional"])
        if number is not None and not 0.0 <= number <= 2.0:
            self._fault("residual.proportional", number, "0 to 2, the standard deviation as a share of the value")
        return number

    # -------------------------------------------------------------------------------------------------- tools

    def _units(self, structure: str) -> dict[str, tuple[str, str]]:
        if structure in structure_names() and structure not in BUILT_IN:
            return {name: (name, unit) for name, unit in find_structure(structure).units().items()}
        return _UNITS

    def _iiv_name(self, name: str, units: Mapping[str, tuple[str, str]]) -> str:
        return name if units is _UNITS else units[name][0]

    def _parameter(
        self,
        parameter_id: str,
        symbol: str,
        value: float,
        unit: str,
        *,
        grade: Grade = Grade.YOURS,
        low: float | None = None,
        high: float | None = None,
    ) -> Parameter:
        return Parameter(
            id=parameter_id, symbol=symbol, value=value, unit=unit, grade=grade, source="yours", low=low, high=high
        )

    def _word(self, name: str) -> str:
        value = self.content.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip() if len(value) <= 300 else value.strip()[:300]
        self._fault(name, "nothing" if name not in self.content else value, f'{name} = "...", a text that is not empty')
        return ""

    def _table(self, name: str) -> dict[str, Any]:
        value = self.content.get(name, {})
        if not isinstance(value, dict):
            self._fault(name, value, f"a table, written [{name}]")
            return {}
        return value

    def _known(self, table: Mapping[str, Any], known: tuple[str, ...], place: str) -> None:
        for name in table:
            if name not in known:
                where = f"{place}.{name}" if place else name
                self._fault(where, name, f"one of {', '.join(known)}", did_you_mean(name, known))

    def _number(self, where: str, value: Any, unit: str) -> float | None:
        if unit == "1":
            return self._plain(where, value)
        if not isinstance(value, str):
            self._fault(where, value, f"a text with its unit, such as {self._example(unit)}",
                        "A bare number could be in any unit.")  # fmt: skip
            return None
        try:
            number = parse_quantity(value, unit)
        except RemissionError as error:
            self._fault(
                where, value, f"a value in {unit} or a unit like it, such as {self._example(unit)}", error.remedy
            )
            return None
        if not math.isfinite(number):
            self._fault(where, value, "a finite number")
            return None
        return number

    def _plain(self, where: str, value: Any) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self._fault(where, value, "a plain number")
            return None
        return float(value)

    @staticmethod
    def _example(unit: str) -> str:
        return {"L": '"60 L"', "L/h": '"80 L/h"', "1/h": '"0.7 1/h"', "kg": '"70 kg"', "h": '"20 min"'}.get(
            unit, "0.8" if unit == "1" else f'"1 {unit}"'
        )

    def _fault(self, where: str, got: object, allowed: str, remedy: str = "") -> None:
        self.faults.append(
            SpecError(where=f"{self.file}, line {self._line(where)}: {where}", got=got, allowed=allowed, remedy=remedy)
        )

    def _is_faulty(self, where: str) -> bool:
        return any(one.where.endswith(f": {where}") for one in self.faults)

    def _line(self, where: str) -> int:
        """The line where a key stands, else that of its table, else 1."""
        *tables, key = where.split(".", 2) if where.startswith("weight.exponents.") else where.split(".", 1)
        table, current, of_table = ".".join(tables), "", 0
        quoted = re.escape(key)
        inside = re.compile(rf"""(^|[{{,]\s*)\s*(["']?){quoted}\2\s*=""")
        for number, line in enumerate(self.lines, start=1):
            head = re.match(r"\s*\[+\s*([^\]]*?)\s*\]+", line)
            if head:
                current = head[1].replace('"', "")
                if current in (table, where):
                    of_table = number
                continue
            at_home = current == table or (tables and current == tables[0])
            if at_home and inside.search(line):
                return number
        return of_table or 1
