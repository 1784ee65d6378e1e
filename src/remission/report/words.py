"""Fixed sentences and names of ``words/report.toml``, the same in reports, plans, pages and on the command line."""

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from remission.records.packaged import packaged_toml
from remission.records.substance import SUBSTANCES

if TYPE_CHECKING:
    from remission.planner import Plan
    from remission.planner.simulated import Quantity

WORDS = MappingProxyType(packaged_toml("words", "report.toml"))


class Label(NamedTuple):
    """A short name, and a sentence for the reader who asks."""

    name: str
    help: str


STATE_LABELS = {symbol: Label(*texts) for symbol, texts in WORDS["states"].items()}

_SAFETY = WORDS["safety"]
SAFETY_LINES: tuple[str, ...] = tuple(_SAFETY["lines"])
ESTABLISHED: dict[str, str] = {
    substance: _SAFETY["form"].format(
        disorder=facts.disorder,
        treatments=facts.treatments,
        ketamine=_SAFETY["off_label" if facts.has_medicine else "no_medicine"],
    )
    for substance, facts in SUBSTANCES.items()
}
"""Established treatments, by substance."""
ESTABLISHED_ALL: str = _SAFETY["all"].format(
    each="; ".join(
        f"{facts.disorder}: {facts.treatments}"
        for facts in sorted(SUBSTANCES.values(), key=lambda facts: not facts.has_medicine)
    ),
    ketamine=_SAFETY["off_label"],
)
"""Where no substance is known."""


def read_as(source_kind: str) -> str:
    """How a published number was read, in words for a reader."""
    words: str = WORDS["read_as"][source_kind]
    return words


def state_label(symbol: str) -> str:
    """The name of a state."""
    return STATE_LABELS[symbol].name


def lowered(label: str) -> str:
    """A label in the middle of a sentence; the S of S-ketamine is no capital but a name."""
    return label if label[1:2] == "-" else label[:1].lower() + label[1:]


def quantity_label(quantity: "Quantity | str") -> str:
    """The name of a quantity of a plan with its site; an effect may be given by name."""
    key = quantity if isinstance(quantity, str) else f"{quantity.name} {quantity.site}".strip()
    name: str = WORDS["plan"]["quantities"][key]
    return name


def share_label(plan: "Plan", name: str) -> str:
    """The name of a share of people beyond a limit of pressure."""
    form: str = WORDS["plan"]["shares"][name]
    return form.format(limits=plan.limits)
