"""One link of the chain exchanged for the caller's own: a function for one mechanism, compiled like ours.

A link is an elementwise function of one of the equation files (``plasticity``, ``circuit``, ``use``), known by name:
``gate``, ``update_habit``, ``craving`` and so on. Another function of the same parameters takes its place while
:func:`replace_link` holds, in the reference kernel and in the compiled one. What is computed meanwhile bears the name
and the hash of the link, so that it never passes as the default model.
"""

import dis
import hashlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType, MappingProxyType
from typing import Any, Final

import numpy as np

from remission.circuit.basal_ganglia import update_habit, update_reward
from remission.circuit.cues import update_cue
from remission.circuit.extended_amygdala import (
    eased_affect,
    negative_affect,
    update_fast_trace,
    update_load,
    withdrawal,
)
from remission.circuit.prefrontal import attend_session, control, decay_skill, experience_session, update_commitment
from remission.errors import RunError, SpecError, did_you_mean, known_names
from remission.numerics import elementary
from remission.numerics.lanes import compile_equation
from remission.numerics.loops import inner
from remission.plasticity.glutamate import decay_efficacy, raise_efficacy, raised_share
from remission.plasticity.serotonin import decay_serotonin
from remission.plasticity.window import decay_window, felt_dose, gate
from remission.use.amount import amount_used, update_recent
from remission.use.craving import craving, craving_vas, eased_craving, incubation
from remission.use.incentive import decay_incentive, give_incentive
from remission.use.leaving import leaving_probability
from remission.use.regime import (
    chance_down,
    chance_up,
    drive,
    own_weekday,
    try_to_stop,
    update_regime,
    update_weekday,
    use_probability,
)

__all__ = ["LINKS", "active_links", "check_links", "link_hashes", "replace_link", "with_links"]

Equation = Callable[..., Any]

LINKS: Final[Mapping[str, Equation]] = MappingProxyType(
    {
        one.__name__: one
        for one in (
            felt_dose, decay_window, gate, decay_efficacy, raise_efficacy, raised_share, decay_serotonin, update_habit,
            update_reward, update_cue, negative_affect, eased_affect, update_fast_trace, update_load, withdrawal,
            attend_session, control, decay_skill, experience_session, update_commitment, craving, eased_craving,
            craving_vas, incubation, drive, own_weekday, use_probability, chance_up, chance_down, update_regime,
            try_to_stop, update_weekday, amount_used, update_recent, leaving_probability, give_incentive,
            decay_incentive,
        )
    }
)  # fmt: skip
"""The links that can be replaced, each with its default equation."""

_ALLOWED = {"exp", "log", "logistic", "tanh"}
_active: dict[str, Equation] = {}


@contextmanager
def replace_link(name: str, function: Equation) -> Iterator[None]:
    """Use another equation for one link of the chain, until the ``with`` block ends.

    Parameters
    ----------
    name
        A name of :data:`LINKS`.
    function
        Takes the parameters of the default under the same names and gives one number for each person. Elementwise and
        without branches: arithmetic, comparisons times numbers, ``abs``, and ``exp``, ``log``, ``logistic`` and
        ``tanh`` of :mod:`remission.numerics.elementary`, because the same source is compiled for one person at a time.

    Raises
    ------
    SpecError
        There is no such link, the parameters are others, or the function cannot be compiled or gives other numbers
        when it is.

    Examples
    --------
    >>> def straight(window, *, gamma):
    ...     return 1.0 + gamma
    >>> with replace_link("gate", straight):
    ...     list(link_hashes())
    ['gate']
    """
    if name not in LINKS:
        raise SpecError(
            where="name", got=name, allowed="a link of the chain",
            remedy=did_you_mean(name, LINKS, otherwise=known_names(LINKS, most=len(LINKS))),
        )  # fmt: skip
    _check(name, function)
    if name in _active:
        raise SpecError(where="name", got=f"{name}, which is replaced already", allowed="each link once")
    _active[name] = function
    try:
        yield
    finally:
        del _active[name]


def active_links() -> Mapping[str, Equation]:
    """The links that are replaced now."""
    return MappingProxyType(_active)


def link_hashes() -> dict[str, str]:
    """The links that are replaced now, each with the hash of its source; empty for the default model."""
    return {name: _hash(function) for name, function in sorted(_active.items())}


def check_links(wanted: Mapping[str, str]) -> None:
    """Refuse to compute with other links than a plan was made with, in whatever process this is.

    Raises RunError: links are missing, further ones are active, or one has another source.
    """
    here = link_hashes()
    if dict(wanted) != here:
        raise RunError(
            where="links",
            got=f"{', '.join(here) or 'none'} replaced here, {', '.join(wanted) or 'none'} in the plan",
            allowed="the links that the plan was made with",
            remedy="Compute inside the same `with replace_link(...)`, in one process.",
        )


def with_links(function: Equation) -> Equation:
    """A function of a kernel, with the replaced links in the place of the equations that it calls by their names."""
    plain: Any = inspect.unwrap(function)
    copy = FunctionType(plain.__code__, {**plain.__globals__, **_active}, plain.__name__, plain.__defaults__)
    copy.__kwdefaults__ = plain.__kwdefaults__
    return copy


def _check(name: str, function: Equation) -> None:
    """Refuse what is not an equation of this link, before anything is simulated."""
    where, default = f"link {name}", inspect.unwrap(LINKS[name])
    if not isinstance(function, FunctionType) or function.__closure__:
        raise SpecError(
            where=where, got=repr(function), allowed="a plain function without variables of a surrounding function",
            remedy="Write its constants into it, or as constants of its module.",
        )  # fmt: skip
    ours, theirs = (
        [(one.name, one.kind) for one in inspect.signature(item).parameters.values()] for item in (default, function)
    )
    if ours != theirs:
        raise SpecError(
            where=where, got=_parameters(function),
            allowed=f"the parameters of the default, {_parameters(default)}",
        )  # fmt: skip
    used = {item.argval for item in dis.get_instructions(function) if item.opname == "LOAD_GLOBAL"}
    strange = [word for word in sorted(used) if not _is_known(word, function)]
    if strange:
        raise SpecError(
            where=where, got=", ".join(strange),
            allowed=f"arithmetic, numbers, abs, and {', '.join(sorted(_ALLOWED))} of remission.numerics.elementary",
            remedy="Another library's functions differ in the last bit between machines.",
        )  # fmt: skip
    _check_twin(where, function, len(ours))


def _parameters(function: Equation) -> str:
    """The parameters as they are written, without their types."""
    parameters = inspect.signature(function).parameters.values()
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in parameters]
    return str(inspect.Signature(plain))


def _is_known(word: str, function: FunctionType) -> bool:
    found = function.__globals__.get(word)
    if word in _ALLOWED:
        return found is getattr(elementary, word)
    return word == "abs" or (isinstance(found, int | float) and not isinstance(found, bool))


def _check_twin(where: str, function: FunctionType, n: int) -> None:
    """The function on arrays, and its compiled twin on single numbers, must give the same finite bits."""
    twin = compile_equation(function)
    parameters = list(inspect.signature(function).parameters.values())
    place = [one.name for one in parameters if one.kind is not one.KEYWORD_ONLY]
    call = inner(lambda values: twin(*values))
    # Inside the range of every state and parameter, and with use on and off.
    rows = np.array([[0.25 + 0.5 * ((3 * k + 7 * row) % 5) / 5.0 for k in range(n)] for row in range(4)])
    for index, one in enumerate(parameters):
        if one.name in {"use", "regime"}:
            rows[:, index] = [0.0, 1.0, 0.0, 1.0 if one.name == "use" else 2.0]
    named = {one.name: 0.5 for one in parameters if one.kind is one.KEYWORD_ONLY}
    rows[:, len(place) :] = 0.5
    try:
        with np.errstate(all="ignore"):  # a number that is not finite is told below, in words
            found = np.asarray(function(*rows[:, : len(place)].T, **named)) * np.ones(len(rows))
        single = np.array([call(tuple(row)) for row in rows], dtype=np.float64)
    except Exception as error:  # noqa: BLE001 - whatever a function of somebody else raises says that it does not fit
        raise SpecError(
            where=where, got=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no words'}",
            allowed="an elementwise function without branches, which compiles",
            remedy="Write a choice as a comparison times a number, such as (x > 0.5) * y.",
        ) from None  # fmt: skip
    if found.shape != (len(rows),) or not np.all(np.isfinite(found)) or not np.array_equal(found, single):
        raise SpecError(
            where=where, got=f"{found.tolist()} on arrays, {single.tolist()} compiled",
            allowed="one finite number a person, the same in both",
        )  # fmt: skip


def _hash(function: Equation) -> str:
    """Of the source where there is one, else of the compiled code; numbers of its module are part of it."""
    code = function.__code__
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        text = f"{code.co_code.hex()} {code.co_consts!r}"
    numbers = {word: repr(function.__globals__.get(word)) for word in code.co_names if word not in _ALLOWED}
    whole = [text, code.co_code.hex(), repr(code.co_consts), repr(sorted(numbers.items()))]
    return hashlib.sha256("\n".join(whole).encode()).hexdigest()
