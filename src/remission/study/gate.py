"""Whether a method was programmed twice before it meets real data, as a data file says."""

from collections.abc import Iterator
from functools import cache
from typing import Literal

from remission.errors import SpecError
from remission.records.base import Record
from remission.records.packaged import packaged_toml
from remission.records.study_plan import PlannedAnalysis, StudyPlan

State = Literal["agrees", "pending", "differs"]
_FILE = "double-programming.toml"
_NAMED = ("test", "errors", "correlation", "small_sample", "covariance", "covariance_by_side", "degrees_of_freedom")


class _Form(Record):
    state: State
    second: str = ""


class _Policy(Record):
    pending: Literal["warn", "refuse"]


@cache
def _table() -> tuple[_Policy, dict[str, _Form]]:
    rows = packaged_toml(_FILE)
    return _Policy.from_dict(rows["policy"]), {name: _Form.from_dict(row) for name, row in rows["form"].items()}


def forms_of(analysis: PlannedAnalysis) -> tuple[str, ...]:
    """The forms of methods whose numbers an analysis gives: its method, and options that change the numbers."""
    return tuple(dict.fromkeys(_forms(analysis)))


def _forms(analysis: PlannedAnalysis) -> Iterator[str]:
    method, reads = analysis.method, analysis.read_options
    if analysis.imputation is not None:
        yield f"{method}:assumption={analysis.imputation.assumption}"
    else:
        yield method
    if analysis.tipping_deltas:
        tipped = analysis.tipped
        if tipped is not analysis:
            yield from _forms(tipped)
        yield f"{tipped.method}:delta"
    if method == "odds_ratio" and (analysis.adjust or analysis.baseline):
        yield f"{method}:adjusted"
    if analysis.stratify_by:
        yield f"{method}:stratified"
    for name in _NAMED:
        value = getattr(analysis, name)
        if name in reads and value != type(analysis).model_fields[name].default:
            yield f"{method}:{name}={str(value).lower()}"


def state_of_analysis(analysis: PlannedAnalysis) -> State:
    """The worst state of its forms; one that the file does not name is pending."""
    known = _table()[1]
    states = {known[form].state if form in known else "pending" for form in forms_of(analysis)}
    return "differs" if "differs" in states else "pending" if "pending" in states else "agrees"


def check_gate(plan: StudyPlan) -> None:
    """Refuse analyses whose second program differs, or is not there where the policy asks for one.

    Raises SpecError: there is one; all are listed.
    """
    refuses = _table()[0].pending == "refuse"
    SpecError.check(
        SpecError(
            where=f"analyses[{index}].method",
            got=", ".join(forms_of(one)),
            allowed="a method that two programs agree on",
            remedy="Take another one, such as mean_difference for counts; /validation says where the programs differ.",
        )
        for index, one in enumerate(plan.analyses)
        if (state := state_of_analysis(one)) == "differs" or (refuses and state == "pending")
    )
