"""A file of scenarios and designs laid over a protocol: the trial of every cell, or every fault with its line.

Changes are put over the protocol as its own file would state it, and the whole is checked again before anything is
simulated.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from remission.design.costing import read_prices
from remission.design.prices import cost_per_person
from remission.design.scenarios import DesignChoice, Scenario, ScenarioTable
from remission.design.sources import source_of, with_arms
from remission.design.stated_protocol import effect_of_protocol
from remission.design.stops import StopRule, plan_stops
from remission.design.variants import choose_analysis
from remission.errors import SpecError, did_you_mean
from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import CourseParameters
from remission.protocol.file import write_protocol
from remission.protocol.record import Protocol
from remission.records.diaries import Diaries
from remission.records.effect import DiaryEffect
from remission.records.faults import Location, located_faults
from remission.records.yaml_tree import Tree, read_tree, read_tree_file
from remission.trial.resampled import ChainPeople, DiaryPeople

_T = TypeVar("_T")
_MAX_CELLS = 400

ReadPeople = Callable[[Path], Sequence[Diaries]]
"""What reads the diaries of a path: they lie above this layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One scenario under one design, ready to be simulated."""

    scenario: Scenario
    design: DesignChoice
    protocol: Protocol
    parameters: CourseParameters
    analysis: str
    rule: StopRule
    source: DiaryPeople | ChainPeople | None = None
    cost_per_person: float | None = None


def read_scenarios(
    path: Path,
    protocol: Protocol,
    *,
    analysis: str | None = None,
    changes: Mapping[str, float] | None = None,
    read_people: ReadPeople | None = None,
) -> tuple[ScenarioTable, tuple[Cell, ...]]:
    """The table that a file asks for and its cells, scenario by scenario.

    ``path``: a YAML file of at most 1 MB. ``protocol``: what scenarios and designs are laid over. ``analysis``: the
    analysis that decides where a design names none; ``None``: the protocol's first. ``changes``: values of the model
    for every scenario that does not have its own. ``read_people``: reads the diaries of a path. Raises ``SpecError``:
    the file cannot be read, or something in it is wrong; every fault has its line and field.
    """
    tree = read_tree_file(path, what="a YAML file with scenarios", example="scenarios:")
    try:
        table = ScenarioTable.model_validate(tree.data)
    except ValidationError as error:
        faults = [_moved(tree, (), place, fault) for place, fault in located_faults(error, ScenarioTable)]
        raise SpecError.from_faults([*tree.faults, *faults]) from None
    faults = [*tree.faults, *_repeated(tree, table)]
    n_cells = len(table.scenarios) * len(table.designs)
    if n_cells > _MAX_CELLS:
        raise SpecError(where=str(path), got=f"{n_cells} cells", allowed=f"at most {_MAX_CELLS} in one table")
    if table.truth and table.truth < 100:
        faults.append(SpecError(where=tree.place(("truth",)), got=table.truth, allowed="0, or at least 100 people"))
    people = _People(path.parent, read_people, {})
    # Parsed once: every cell begins with a copy.
    base = _file_form(protocol)
    cells: list[Cell] = []
    for s_index, scenario in enumerate(table.scenarios):
        for d_index, design in enumerate(table.designs):
            try:
                given = _Given(table=table, analysis=analysis, changes=changes or {}, people=people)
                cells.append(_cell(tree, s_index, d_index, scenario, design, deepcopy(base), given))
            except SpecError as error:
                faults += [fault for fault in error.faults if str(fault) not in {str(one) for one in faults}]
    if faults:
        raise SpecError.from_faults(faults[:50])
    return table, tuple(cells)


def _cell(
    tree: Tree,
    s_index: int,
    d_index: int,
    scenario: Scenario,
    design: DesignChoice,
    data: dict[str, Any],
    given: "_Given",
) -> Cell:
    # ``data`` has the file form: quantities with their unit, lists and names as people write them.
    in_scenario, in_design = ("scenarios", s_index), ("designs", d_index)
    _at(tree, (*in_scenario, "changes"), lambda: _lay_over(data, scenario.changes))
    _at(tree, (*in_design, "changes"), lambda: _lay_over(data, design.changes))
    changed = _validated(tree, data, s_index, d_index, scenario, design)
    if design.n_subjects or design.allocation or design.n_infusions:
        sound = _file_form(changed)
        _at(tree, in_design, lambda: _choose(sound, design))
        changed = _validated(tree, sound, s_index, d_index, scenario, design)
    parameters = course_parameters_of(changed)
    chosen = _at(tree, in_design, lambda: choose_analysis(changed, design.analysis or given.analysis))
    if scenario.effect is not None:
        changed = with_arms(changed.replace(effect=scenario.effect), chosen)
    if changed.effect is not None and not isinstance(changed.effect, DiaryEffect):
        _at(tree, in_scenario, lambda: effect_of_protocol(changed, chosen))
    return Cell(
        scenario=scenario,
        design=design,
        protocol=changed,
        parameters=_at(tree, in_scenario, lambda: parameters.replace(**{**given.changes, **scenario.parameters})),
        analysis=chosen,
        source=_at(tree, in_scenario, lambda: given.people.of(changed, scenario, chosen)),
        cost_per_person=_at(tree, (), lambda: _price(changed, given.table.prices)),
        rule=_at(
            tree,
            (*in_design, "looks"),
            lambda: plan_stops(
                design.looks,
                futility=_floors(design),
                boundary=design.boundary,
                alpha=given.table.alpha,
            ),
        ),
    )


@dataclass(frozen=True, slots=True)
class _People:
    """The people of worlds, each file read once."""

    folder: Path
    read: ReadPeople | None
    known: dict[Path, Sequence[Diaries]]

    def of(self, protocol: Protocol, scenario: Scenario, analysis: str) -> DiaryPeople | ChainPeople | None:
        """Those of a scenario; ``None`` where the chain or a law makes the world."""
        effect = protocol.effect
        if effect is not None and not isinstance(effect, DiaryEffect):
            return None
        diaries = None
        if scenario.diaries is not None:
            place = self.folder / scenario.diaries
            if place not in self.known:
                if self.read is None:
                    raise SpecError(where="diaries", got=scenario.diaries, allowed="a reader of diaries")
                self.known[place] = self.read(place)
            diaries = self.known[place]
        return source_of(protocol, diaries, analysis)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What holds for every cell."""

    table: ScenarioTable
    analysis: str | None
    changes: Mapping[str, float]
    people: _People


def _price(protocol: Protocol, prices: str | None) -> float | None:
    """What a person costs on average over the arms, at the highest prices; ``None`` where nothing of it is priced."""
    return None if prices is None else cost_per_person(protocol, read_prices(prices, protocol)[0]) or None


def _floors(design: DesignChoice) -> dict[float, float]:
    """The futility rule of each look, each look once."""
    floors = {one.at: one.below for one in design.futility}
    if len(floors) < len(design.futility):
        twice = next(at for at in floors if sum(one.at == at for one in design.futility) > 1)
        raise SpecError(where="futility", got=f"the look at {twice:g} twice", allowed="each look once")
    return floors


def _lay_over(base: dict[str, Any], changes: dict[str, Any], where: str = "") -> None:
    """Changes put over plain data: blocks into blocks, lists of named items by their id, all else replaced."""
    for name, value in changes.items():
        place = f"{where}.{name}" if where else name
        there = base.get(name)
        if isinstance(value, dict) and isinstance(there, dict):
            _lay_over(there, value, place)
        elif (
            isinstance(value, dict)
            and isinstance(there, list)
            and all(isinstance(item, dict) and "id" in item for item in there)
        ):
            items = {item["id"]: item for item in there}
            for item_id, change in value.items():
                if item_id not in items or not isinstance(change, dict):
                    raise SpecError(
                        where=f"{place}.{item_id}", got=item_id, allowed=f"one of {', '.join(items)}, with a block",
                        remedy=did_you_mean(item_id, items),
                    )  # fmt: skip
                _lay_over(items[item_id], change, f"{place}.{item_id}")
        elif value is None:
            base.pop(name, None)
        else:
            base[name] = deepcopy(value)


def _choose(data: dict[str, Any], design: DesignChoice) -> None:
    if design.n_subjects is not None:
        data["population"]["n_subjects"] = design.n_subjects
    if design.allocation:
        arms = [arm["id"] for arm in data["arms"]]
        for name in set(design.allocation) - set(arms):
            raise SpecError(
                where=f"allocation.{name}", got=name, allowed=f"one of {', '.join(arms)}",
                remedy=did_you_mean(name, arms),
            )  # fmt: skip
        _lay_over(data, {"arms": {arm: {"allocation": share} for arm, share in design.allocation.items()}})
        whole = sum(arm["allocation"] for arm in data["arms"])
        size = data["randomization"].get("block_size")
        if size is not None:
            data["randomization"]["block_size"] = -(-size // whole) * whole
    if design.n_infusions is not None:
        _choose_infusions(data, design.n_infusions)


def _choose_infusions(data: dict[str, Any], count: int) -> None:
    planned: list[int] = []
    for name, drug in data["drugs"].items():
        infusions = drug["infusions"]
        days: list[int] = []
        for one in infusions:
            days.append(one["day"] if "day" in one else days[-1] + one["gap"]["mode"])
        planned = planned if len(planned) >= len(days) else days
        while len(infusions) < count:
            last = infusions[-1]
            if "gap" not in last and len(days) < 2:
                raise SpecError(
                    where="n_infusions", got=count, allowed=f"1, the infusions of {name}, which has no gap to repeat",
                    remedy="Write the infusions under changes: drugs.",
                )  # fmt: skip
            gap = last.get("gap") or dict.fromkeys(("low", "mode", "high"), days[-1] - days[-2])
            days.append(days[-1] + gap["mode"])
            infusions.append({key: value for key, value in last.items() if key != "day"} | {"gap": gap})
        del infusions[count:]
    for therapy in data["therapies"].values():
        for session in therapy["sessions"]:
            if session.get("infusion", 0) > count:
                session["day"] = planned[session.pop("infusion") - 1] + session.pop("offset_days", 0)
        therapy["sessions"].sort(key=lambda session: session.get("day", -1))


def _file_form(protocol: Protocol) -> dict[str, Any]:
    data: dict[str, Any] = read_tree(write_protocol(protocol), name="protocol").data
    return data


def _validated(
    tree: Tree, data: dict[str, Any], s_index: int, d_index: int, scenario: Scenario, design: DesignChoice
) -> Protocol:
    try:
        return Protocol.model_validate(data, context={"units_required": True}, by_alias=True, by_name=False)
    except ValidationError as error:
        faults = []
        for place, fault in located_faults(error, Protocol):
            # Whose change it was: the scenario's where it names the field and the design does not.
            first = place[0] if place else ""
            is_scenario = first in scenario.changes and first not in design.changes
            where: Location = ("scenarios", s_index) if is_scenario else ("designs", d_index)
            if first in (scenario if is_scenario else design).changes:
                where = (*where, "changes")
            faults.append(_moved(tree, where, place, fault))
        raise SpecError.from_faults(faults) from None


def _repeated(tree: Tree, table: ScenarioTable) -> list[SpecError]:
    faults = []
    for name, items in (("scenarios", table.scenarios), ("designs", table.designs)):
        ids = [item.id for item in items]
        faults += [
            SpecError(where=tree.place((name, index, "id")), got=one, allowed="an id used once")
            for index, one in enumerate(ids)
            if one in ids[:index]
        ]
    return faults


def _at(tree: Tree, location: Location, make: Callable[[], _T]) -> _T:
    """What is made; its faults moved to the place in the file."""
    try:
        return make()
    except SpecError as error:
        raise SpecError.from_faults([_moved(tree, location, (), fault) for fault in error.faults]) from None


def _moved(tree: Tree, before: Location, place: Location, fault: SpecError) -> SpecError:
    inner = fault.where if not place else ""
    where = tree.place((*before, *place))
    got = "nothing" if fault.got is None or fault.got == "" else fault.got
    return SpecError(where=f"{where}.{inner}" if inner else where, got=got, allowed=fault.allowed, remedy=fault.remedy)
