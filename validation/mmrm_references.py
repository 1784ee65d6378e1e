"""Mixed models beside printed output of SAS PROC MIXED; ``make mmrm`` writes ``docs/validation/mmrm.md``.

The data and the output are of the R package mmrm (openpharma, Apache License 2.0) and are not part of this repository:
they are read from ``../shared/data/mmrm``. SAS prints degrees of freedom of coefficients as whole numbers, and its
search for an unstructured covariance stops slightly short of the maximum, so tolerances are stated, not the last digit.
"""

import csv
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from remission.analyses.mmrm import Mmrm, fit_mmrm
from remission.records.regression import Freedom, Structure

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT.parent / "shared" / "data" / "mmrm"
PAGE, PROSE = ROOT / "docs" / "validation" / "mmrm.md", ROOT / "validation" / "mmrm_page.md.in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One printed number beside ours. ``tolerance``: how far they may be apart."""

    source: str
    model: str
    what: str
    printed: float
    ours: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        return abs(self.ours - self.printed) <= self.tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class _Data:
    outcome: np.ndarray
    person: np.ndarray
    visit: np.ndarray
    columns: dict[str, np.ndarray]
    points: np.ndarray

    @classmethod
    def read(cls) -> "_Data":
        with (FOLDER / "fev_data.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        number = {name: np.array([float(row[name] or "nan") for row in rows]) for name in
                  ("FEV1", "FEV1_BL", "VISITN", "VISITN2")}  # fmt: skip
        arm = np.array([row["ARMCD"] == "TRT" for row in rows]) * 1.0
        sex = np.array([row["SEX"] == "Female" for row in rows]) * 1.0
        people = {name: place for place, name in enumerate(dict.fromkeys(row["USUBJID"] for row in rows))}
        before = number["FEV1_BL"]
        columns = {
            "1": np.ones(len(rows)), "TRT": arm, "PBO": 1.0 - arm, "Female": sex, "TRT*Female": arm * sex,
            "FEV1_BL": before, "FEV1_BL*TRT": before * arm, "FEV1_BL*PBO": before * (1.0 - arm),
        }  # fmt: skip
        return cls(
            outcome=number["FEV1"],
            person=np.array([people[row["USUBJID"]] for row in rows]),
            visit=number["VISITN"].astype(np.int64),
            columns=columns,
            points=np.column_stack([number["VISITN"], number["VISITN2"]]),
        )

    def design(self, names: str) -> np.ndarray:
        return np.column_stack([self.columns[name] for name in names.split()])

    def fit(self, names: str, structure: Structure, *, likelihood: str = "reml", by_arm: bool = False,
            order: str = "", n_coordinates: int = 2) -> Mmrm:  # fmt: skip
        visit = np.array([order.index(str(one)) for one in self.visit]) if order else self.visit
        return fit_mmrm(
            self.outcome, self.design(names), self.person, visit, structure=structure,
            points=self.points[:, :n_coordinates],
            group=self.columns["TRT"].astype(np.int64) if by_arm else None,
            likelihood="ml" if likelihood == "ml" else "reml",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Printed:
    """Numbers of one listing: criterion, coefficients by label, covariance parameters with their intervals."""

    criterion: float
    coefficients: dict[str, tuple[float, float, float]]
    covariances: list[tuple[str, float, float, float]]


_NUMBER = r"-?\d*\.?\d+"


def _printed(text: str) -> _Printed:
    levels = re.findall(rf"^\s+\d+\s+\d+\s+(\d+\.\d+)(?:\s+{_NUMBER})?\s*$", text, re.MULTILINE)
    found = re.findall(
        rf"^\s+(Intercept|ARMCD\s+\w+|SEX\s+\w+)\s+({_NUMBER})\s+({_NUMBER})\s+(\d+)\s+{_NUMBER}\s+", text, re.MULTILINE
    )
    rows = re.findall(
        rf"^\s+([A-Z]\w*(?:\(\w+(?:,\d)?\))?)\s+(?:USUBJID\s+)?(?:ARMCD (\w+)\s+)?({_NUMBER})\s+0\.05\s+"
        rf"({_NUMBER})\s+({_NUMBER})\s*$", text, re.MULTILINE,
    )  # fmt: skip
    return _Printed(
        criterion=float(levels[-1]),
        coefficients={name.split()[-1]: (float(a), float(b), float(c)) for name, a, b, c in found},
        covariances=[(f"{name} {arm}".strip(), float(a), float(b), float(c)) for name, arm, a, b, c in rows],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One listing: its mean model, in the class order of SAS, and its structure."""

    file: str
    part: int = 0
    terms: str = "1"
    labels: str = "Intercept"
    structure: Structure = "unstructured"
    likelihood: str = "reml"
    by_arm: bool = False
    order: str = ""
    n_coordinates: int = 2
    freedom: Freedom = "satterthwaite"


_CASES = (
    _Case(file="sas_coef_ci_reml_un", terms="1 TRT Female", labels="Intercept TRT Female"),
    _Case(file="sas_coef_ci_ml_un", likelihood="ml", terms="1 TRT Female", labels="Intercept TRT Female"),
    _Case(file="sas_log_simple_reml", order="2341"),
    _Case(file="sas_ar1_reml", structure="autoregressive"),
    _Case(file="sas_ar1_ml", structure="autoregressive", likelihood="ml"),
    _Case(file="sas_cs_reml", structure="compound-symmetry"),
    _Case(file="sas_cs_ml", structure="compound-symmetry", likelihood="ml"),
    _Case(file="sas_group_cs_reml", structure="compound-symmetry", by_arm=True),
    _Case(file="sas_toeph_reml", structure="heterogeneous-toeplitz"),
    _Case(file="sas_sp_gau_reml", structure="spatial-gaussian", n_coordinates=1),
    _Case(file="sas_sp_gau_kr", terms="1 PBO", labels="Intercept PBO", structure="spatial-gaussian",
          freedom="kenward-roger"),
    _Case(file="sas_sp_gau_kr", part=1, terms="1 PBO", labels="Intercept PBO", structure="spatial-gaussian",
          freedom="kenward-roger-linear"),
)  # fmt: skip


def compare() -> Iterator[Row]:
    """Every number of the listings and tables beside ours."""
    data = _Data.read()
    for case in _CASES:
        whole = (FOLDER / f"{case.file}.txt").read_text("utf-8")
        parts = re.split(r"(?=Model Information)", whole)[1:]
        yield from _listing(data, case, _printed(parts[case.part]))
    yield from _tests(data)


def _listing(data: _Data, case: _Case, printed: _Printed) -> Iterator[Row]:
    fit = data.fit(case.terms, case.structure, likelihood=case.likelihood, by_arm=case.by_arm, order=case.order,
                   n_coordinates=case.n_coordinates)  # fmt: skip
    mean = case.terms.replace("1 ", "").replace(" ", " + ") if case.terms != "1" else "intercept"
    words = f"{mean}; {case.structure}{' by arm' if case.by_arm else ''}; {case.likelihood.upper()}; {case.freedom}"

    def row(what: str, shown: float, ours: float, tolerance: float) -> Row:
        return Row(source=case.file, model=words, what=what, printed=shown, ours=ours, tolerance=tolerance)

    yield row("-2 log likelihood", printed.criterion, fit.criterion, 0.05)
    found = fit.coefficients(freedom=case.freedom)
    for place, label in enumerate(case.labels.split()):
        estimate, error, freedom = printed.coefficients[label]
        yield row(f"{label}: estimate", estimate, float(found.estimate[place]), 5e-4 * abs(estimate) + 5e-5)
        yield row(f"{label}: standard error", error, float(found.standard_error[place]), 5e-4 * error + 5e-5)
        yield row(f"{label}: degrees of freedom", freedom, float(found.degrees_of_freedom[place]), 0.5 + 5e-4 * freedom)
    theirs = _as_theirs(fit, case)
    if len(theirs) != len(printed.covariances):
        raise ValueError(f"{case.file}: {len(printed.covariances)} covariance parameters read, {len(theirs)} fitted")
    for ours, (label, value, low, high) in zip(theirs, printed.covariances, strict=True):
        # Where the search of SAS stops short, it does so by a small part of a parameter's own error.
        yield row(f"{label}", value, ours, 5e-4 * abs(value) + (high - low) / 3.92 * 0.005)


def _as_theirs(fit: Mmrm, case: _Case) -> list[float]:
    """Covariance parameters in the order and form of SAS: correlation before residual variance, variance less CS."""
    values = list(fit.parameters.values())
    if case.structure == "compound-symmetry" and case.by_arm:
        return [values[0] - values[1], values[1], values[2] - values[3], values[3]]
    if case.structure == "compound-symmetry":
        return [values[1], values[0] - values[1]]
    return values[::-1] if len(values) == 2 else values


def _tests(data: _Data) -> Iterator[Row]:
    """F tests of effects of type 2 and 3, first-order autoregressive covariance, Satterthwaite."""
    names = {
        1: ("1 TRT FEV1_BL FEV1_BL*TRT", {"ARMCD": ([1], []), "FEV1_BL": ([2], [3]), "FEV1_BL*ARMCD": ([3], [])}),
        2: ("1 TRT Female TRT*Female FEV1_BL*PBO FEV1_BL*TRT", {
            "ARMCD": ([1], [3]), "SEX": ([2], [3]), "SEX*ARMCD": ([3], []), "FEV1_BL*ARMCD": ([4, 5], []),
        }),
    }  # fmt: skip
    for kind in (2, 3):
        for model, (terms, effects) in names.items():
            source = f"anova_test{kind}_{model}"
            fit = data.fit(terms, "autoregressive")
            design = data.design(terms)[np.isfinite(data.outcome)]
            with (FOLDER / f"{source}.csv").open(encoding="utf-8") as file:
                printed = {row["Effect"]: row for row in csv.DictReader(file)}
            for effect, (own, above) in effects.items():
                found = fit.test(_weights(design, own, above, kind), freedom="satterthwaite")
                shown = printed[effect]
                words = f"{terms.removeprefix('1 ').replace(' ', ' + ')}; autoregressive; REML; type {kind}"
                for what, value in (("FValue", found.f), ("DenDF", found.denominator), ("ProbF", found.p_value)):
                    number = float(shown[what])
                    yield Row(
                        source=source, model=words, what=f"{effect}: {what}", printed=number, ours=value,
                        tolerance=5e-4 * abs(number),
                    )  # fmt: skip


def _weights(design: np.ndarray, own: list[int], above: list[int], kind: int) -> np.ndarray:
    """Weights of a test of the columns of an effect, of which an interaction with a two-level factor contains it.

    Type 3: at the mean of both levels. Type 2: what least squares adjusts it for, all effects that do not contain it.
    """
    found = np.zeros((len(own), design.shape[1]))
    found[:, own] = np.eye(len(own))
    if above and kind == 3:
        found[:, above] = 0.5
    elif above:
        rest = [place for place in range(design.shape[1]) if place not in {*own, *above}]
        left = [column - design[:, rest] @ np.linalg.lstsq(design[:, rest], column, rcond=None)[0]
                for column in design[:, [*own, *above]].T]  # fmt: skip
        found[:, above] = left[0] @ left[1] / (left[0] @ left[0])
    return found


def page() -> str:
    """The page: by listing, how many numbers agree; then every number."""
    rows = list(compare())
    sources = list(dict.fromkeys((row.source, row.model) for row in rows))
    lines = [PROSE.read_text("utf-8").format(n=len(rows), good=sum(row.agrees for row in rows)).rstrip("\n"), ""]
    lines += ["| listing | model | numbers | agree |", "|---|---|---|---|"]
    for source, model in sources:
        here = [row for row in rows if (row.source, row.model) == (source, model)]
        lines.append(f"| {source} | {model} | {len(here)} | {sum(row.agrees for row in here)} |")
    lines += [
        "",
        "## Every number",
        "",
        "| listing | number | printed | here | may differ by |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        mark = "" if row.agrees else " **differs**"
        lines.append(f"| {row.source} | {row.what} | {row.printed:.8g} | {row.ours:.8g}{mark} | {row.tolerance:.2g} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if not FOLDER.is_dir():
        sys.exit(f"{FOLDER}: the reference files are not here; the page stays as it is.")
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
