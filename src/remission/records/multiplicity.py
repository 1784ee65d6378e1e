"""Several questions of one trial: how their p values are adjusted so that one error rate holds for all of them."""

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from remission.errors import SpecError
from remission.records.base import Record
from remission.records.grown import GrownRecord
from remission.records.text import EachOnce, Slug

FamilyTest = Literal["holm", "hochberg", "bonferroni"]


class Gate(GrownRecord):
    """Analyses that are tested together, by Holm's, Hochberg's or Bonferroni's rule.

    after
        The gate that comes before; the first has none.
    hands_on
        What the next gate gets: alpha once ``all`` hypotheses here are rejected (a serial gate), or the share of alpha
        that belongs to the ``rejected`` ones (a parallel gate, by Bonferroni's rule).
    """

    added_fields: ClassVar[frozenset[str]] = frozenset({"after", "hands_on"})

    id: Slug
    analyses: Annotated[tuple[Slug, ...], Field(min_length=1), EachOnce]
    test: FamilyTest = "holm"
    after: Slug | None = None
    hands_on: Literal["all", "rejected"] = "all"


class Multiplicity(Record):
    """The gates of a trial, one after the other; a single gate is a family without gatekeeping."""

    gates: Annotated[tuple[Gate, ...], Field(min_length=1, max_length=20)]

    def _faults(self) -> Iterator[SpecError]:
        yield from _repeat_faults(self.gates)
        yield from _link_faults(self.gates)

    @property
    def in_order(self) -> tuple[Gate, ...]:
        """The gates from the first to the last."""
        following = {gate.after: gate for gate in self.gates}
        found, gate = [], following.get(None)
        while gate is not None:
            found.append(gate)
            gate = following.get(gate.id)
        return tuple(found)


def _repeat_faults(gates: Sequence[Gate]) -> Iterator[SpecError]:
    ids, seen = [gate.id for gate in gates], set()
    for index, gate in enumerate(gates):
        if gate.id in ids[:index]:
            yield SpecError(where=f"gates[{index}].id", got=gate.id, allowed="an id used once", remedy="Rename one.")
        for name in gate.analyses:
            if name in seen:
                allowed = "each analysis once: a hypothesis tested twice would spend alpha twice"
                yield SpecError(where=f"gates[{index}].analyses", got=name, allowed=allowed)
            seen.add(name)


def _link_faults(gates: Sequence[Gate]) -> Iterator[SpecError]:
    known = {gate.id: gate for gate in gates}
    before = [gate.after for gate in gates]
    for index, gate in enumerate(gates):
        where = f"gates[{index}].after"
        if gate.after is not None and gate.after not in known:
            yield SpecError(where=where, got=gate.after, allowed=f"one of {', '.join(known)}")
        elif _circle(gate, known):
            yield SpecError(
                where=where,
                got=" after ".join(_circle(gate, known)),
                allowed="gates in a row: in a circle each waits for the other, and nothing is ever tested",
                remedy="Leave 'after' out of the gate that comes first.",
            )
        elif gate.after in before[:index]:
            other = gates[before.index(gate.after)].id
            yield SpecError(
                where=where,
                got=gate.after or "nothing",
                allowed=f"a place of its own in the row; {other} has this one, and alpha cannot be given to both",
                remedy="Put one gate after the other, or their analyses into one gate.",
            )
        if gate.hands_on == "rejected" and gate.test != "bonferroni":
            allowed = "bonferroni: other rules have spent what the rejected hypotheses would hand on"
            yield SpecError(where=f"gates[{index}].test", got=gate.test, allowed=allowed)


def _circle(gate: Gate, known: dict[str, Gate]) -> list[str]:
    """The ids of a circle that leads back to the gate; empty without one."""
    path, at = [gate.id], gate.after
    while at is not None and at in known and at not in path:
        path.append(at)
        at = known[at].after
    return [*path, gate.id] if at == gate.id else []
