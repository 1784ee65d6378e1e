"""The equations of the circuits with another engine's exp: no engine is given different arithmetic to do."""

import inspect
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from remission.circuit.basal_ganglia import update_habit, update_reward
from remission.circuit.cues import update_cue
from remission.circuit.extended_amygdala import negative_affect, update_fast_trace, update_load, withdrawal
from remission.circuit.prefrontal import attend_session, control, decay_skill, experience_session, update_commitment
from remission.plasticity.glutamate import update_glutamate
from remission.plasticity.serotonin import decay_serotonin
from remission.plasticity.window import add_dose, decay_window, gate
from remission.use.amount import amount_used, update_recent
from remission.use.craving import craving, craving_vas, incubation
from remission.use.episode import drive, update_episode, use_probability
from remission.use.leaving import leaving_probability
from remission.use.rhythm import circumstance, update_drift

EQUATIONS = (
    add_dose, experience_session, gate, attend_session, withdrawal, negative_affect, control, incubation, craving,
    drive, use_probability, update_episode, amount_used, craving_vas, leaving_probability, update_habit, update_load,
    update_fast_trace, update_reward, update_glutamate, update_commitment, decay_window, decay_serotonin, decay_skill,
    update_cue, circumstance, update_drift, update_recent,
)  # fmt: skip


def translate(functions: Mapping[str, Any], finish: Callable[[Any], Any]) -> dict[str, Any]:
    """Every equation by its name, with ``functions`` in the place of exp and its kin, then given to ``finish``."""
    translated = {}
    for equation in EQUATIONS:
        own = {name: function for name, function in functions.items() if name in equation.__globals__}
        # Numba and JAX take every argument by position.
        code = inspect.unwrap(equation).__code__
        code = code.replace(co_argcount=code.co_argcount + code.co_kwonlyargcount, co_kwonlyargcount=0)
        space = {**equation.__globals__, **own}
        translated[equation.__name__] = finish(FunctionType(code, space, equation.__name__))
    return translated
