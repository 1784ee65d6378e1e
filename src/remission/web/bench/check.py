"""A design that was typed, checked as the command checks it: the same reader of the file, the same plan of the work."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import tomli

from remission.errors import RemissionError, SpecError
from remission.protocol.file import parse_protocol
from remission.protocol.record import Protocol
from remission.records.effect import DiaryEffect
from remission.records.seed import DEFAULT_SEED
from remission.web.bench.edit import NAME
from remission.web.bench.own import OWN, read_own
from remission.web.problems import Fault, fault_of

_LAWS_TRIALS = 1000
_ARGUMENTS = {
    "max_replicates": "replicates", "n_draws": "draws", "n_truth": "truth", "n_people": "truth", "fractions": "looks",
    "people": "vary", "n_subjects": "vary", "boundary": "spending", "parameters": "draws",
}  # fmt: skip
"""Options of the form by the names of arguments in faults, where these differ."""


@cache
def form() -> Mapping[str, Any]:
    """The form of /design: ``design.toml``."""
    return tomli.loads(files("remission.web.bench").joinpath("design.toml").read_text("utf-8"))


@cache
def options() -> Mapping[str, Mapping[str, Any]]:
    """Options of the command that the form has, by name."""
    parts = [*form()["step"], *form()["whose"].values()]
    return {one["name"]: one for part in parts for one in part.get("options", ())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A design as far as it can be read.

    ``words``: the command, as it runs in the folder of a job; empty where there is a fault. ``person_days``: of the
    whole plan if nothing stops early; 0 where no people are simulated.
    """

    protocol: Protocol | None
    kind: str
    words: tuple[str, ...]
    faults: tuple[Fault, ...]
    person_days: int = 0

    @property
    def key(self) -> str:
        """What the numbers hang on: equal keys give equal results."""
        if self.protocol is None:
            return ""
        content = [self.protocol.content_hash, self.kind, self.words]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def check_design(text: str, asked: Mapping[str, Any], folder: Path | None = None) -> Checked:
    """Read a protocol and what is asked of it; every fault with its place, in the words of the command.

    ``folder``: where diaries and prices of the draft lie.
    """
    protocol, faults = None, []
    try:
        protocol = parse_protocol(text, name=NAME)
    except RemissionError as error:
        faults = [fault_of(one) for one in getattr(error, "faults", (error,))]
    given, wrong = _given(asked)
    faults += wrong
    if protocol is None or faults:
        return Checked(protocol=protocol, kind="design", words=(), faults=tuple(faults))
    is_law = protocol.effect is not None and protocol.effect.law != "diary"
    kind = "effect" if is_law else "design"
    try:
        own = {name: folder / str(asked[word]) for name, word in OWN.items() if folder is not None and asked.get(word)}
        used, person_days = _plan_law(protocol, given) if is_law else _plan(protocol, given, own)
    except RemissionError as error:
        found = tuple(_named(fault_of(one)) for one in getattr(error, "faults", (error,)))
        return Checked(protocol=protocol, kind=kind, words=(), faults=found)
    words = ["design", NAME, *_words(used)]
    words += ["--json"] if is_law else ["--report", "report", "--yes", "--json"]
    return Checked(protocol=protocol, kind=kind, words=tuple(words), faults=(), person_days=person_days)


def check_worlds(text: str, worlds: str) -> int:
    """Check a table of scenarios over a protocol; its person-days.

    Raises SpecError: every fault with its line.
    """
    from remission.design.scenario_file import read_scenarios
    from remission.design.table import table_person_days
    from remission.door.diaries import all_diaries
    from remission.files import scratch_folder, write_text

    protocol = parse_protocol(text, name=NAME)
    with scratch_folder() as place:
        write_text(place / "worlds.yaml", worlds)
        try:
            table, cells = read_scenarios(place / "worlds.yaml", protocol, analysis=None, read_people=all_diaries)
        except SpecError as error:
            shorter = [
                SpecError(where=one.where.replace(f"{place}/", ""), got=one.got, allowed=one.allowed, remedy=one.remedy)
                for one in error.faults
            ]
            raise SpecError.from_faults(shorter) from None
        return table_person_days(table, cells)


def _given(asked: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """The options that were typed, read; those of an effect whose answer was not chosen are not used."""
    whose = str(asked.get("whose", "chain"))
    unused = {one["name"] for name, part in form()["whose"].items() if name != whose for one in part["options"]}
    given: dict[str, Any] = {}
    faults = []
    for name, one in options().items():
        typed = str(asked.get(name, "")).strip()
        if name in unused:
            continue
        if not typed and name == "draws" and whose == "evidence":
            typed = one["usual"]
        if not typed:
            continue
        try:
            given[name] = _read(one, typed)
        except ValueError:
            words = {"whole": "a whole number", "number": "a number"}.get(one.get("kind", ""), "a word")
            faults.append(Fault(where=one["option"], got=typed[:80], allowed=words))
    return given, faults


def _read(one: Mapping[str, Any], typed: str) -> Any:
    match one.get("kind"):
        case "whole":
            # Python itself would read 1_0 as ten.
            return int(typed.replace("_", "?"))
        case "number":
            return float(typed.replace("_", "?"))
        case "flag":
            return typed in {"yes", "on", "true"}
        case _:
            return typed


def _plan(protocol: Protocol, given: Mapping[str, Any], own: Mapping[str, Path]) -> tuple[dict[str, Any], int]:
    if "spending" in given and "looks" not in given and "futility" not in given:
        raise SpecError(
            where="--spending", got="given without looks", allowed="used with --looks or --futility",
            remedy="Add for example --looks 0.5,1.",
        )  # fmt: skip
    from remission.design.study import plan_design
    from remission.design.variants import sizes_of

    used, prices, diaries = dict(given), given.get("prices"), None
    if prices == "own":
        if "prices" not in own:
            raise SpecError(where="--prices", got="own", allowed="prices that are kept with this draft",
                            remedy="Type them under “Diaries and prices of your own”.")  # fmt: skip
        prices, used["prices"] = own["prices"], f"data/{own['prices'].name}"
    effect = protocol.effect
    if "diaries" in own and isinstance(effect, DiaryEffect) and effect.people == "diaries":
        diaries, used["diaries"] = read_own(own["diaries"]), f"data/{own['diaries'].name}"
    sizes = sizes_of(str(given["vary"])) if "vary" in given else None
    plan = plan_design(
        protocol, parameters=None, n_subjects=sizes, power=given.get("power"), alpha=given.get("alpha", 0.05),
        analysis=given.get("analysis"), max_replicates=given.get("replicates", 400), mcse=given.get("mcse", 0.02),
        is_null=given.get("null", False), n_truth=given.get("truth", 0), n_draws=given.get("draws", 0),
        evidence=given.get("evidence"), without=given.get("without"),
        effect_model=given.get("effect_model"), looks=given.get("looks"),
        futility=[given["futility"]] if "futility" in given else [], spending=given.get("spending", "obrien-fleming"),
        prices=prices, budget=given.get("budget"), seed=given.get("seed", DEFAULT_SEED), diaries=diaries,
    )  # fmt: skip
    return used, plan.person_days


def _plan_law(protocol: Protocol, given: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """A law has a closed form; options that it does not read are refused by the command and left out here, said so."""
    reads = {"vary", "power", "alpha", "replicates", "budget", "seed", "looks", "futility", "spending", "analysis"}
    unread = [options()[name]["option"] for name in given if name not in reads]
    if unread:
        raise SpecError(
            where=unread[0], got="given with a protocol that states the law of an outcome",
            allowed="nothing here: no people are simulated day by day", remedy="Empty it, or ask the chain.",
        )  # fmt: skip
    from remission.design.stated import plan_effect
    from remission.design.stated_protocol import effect_of_protocol
    from remission.design.variants import sizes_of

    effect, compared = effect_of_protocol(protocol, given.get("analysis"))
    sizes = sizes_of(str(given["vary"])).sizes if "vary" in given else ()
    plan_effect(
        effect, sizes=sizes, alpha=given.get("alpha", 0.05), power=given.get("power"), budget=given.get("budget"),
        n_replicates=given.get("replicates", _LAWS_TRIALS), seed=given.get("seed", DEFAULT_SEED),
        compared_share=compared,
    )  # fmt: skip
    return dict(given), 0


def _words(given: Mapping[str, Any]) -> Iterator[str]:
    for name, one in options().items():
        value = given.get(name)
        if value is True:
            yield one["option"]
        elif value is not None and value is not False:
            yield from (one["option"], str(value))
    if "diaries" in given:
        yield from ("--diaries", str(given["diaries"]))


def _named(fault: Fault) -> Fault:
    """The fault under the name of its option; what a page has in another place is said to be there."""
    if fault.where == "diaries" and fault.got == "nothing":
        remedy = "Send them under “Diaries and prices of your own”, or choose chain as where people are drawn from."
        return fault.model_copy(update={"remedy": remedy})
    first = fault.where.split()[0].removeprefix("--").replace("-", "_")
    name = _ARGUMENTS.get(first, first)
    known = options().get(name) or next((one for one in options().values() if one["option"] == f"--{first}"), None)
    return fault if known is None else fault.model_copy(update={"where": known["option"]})
