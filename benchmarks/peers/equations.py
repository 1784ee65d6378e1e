"""The equations of the circuits with another engine's exp: no engine is given different arithmetic to do."""

import inspect
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from remission.circuit.basal_ganglia import update_habit, update_reward
from remission.circuit.cues import update_cue
from remission.circuit.extended_amygdala import negative_affect, update_fast_trace, update_load, withdrawal
from remission.circuit.prefrontal import attend_session, control, decay_skill, experience_session, update_commitment
from remission.plasticity.glutamate import decay_efficacy, raise_efficacy, raised_share
from remission.plasticity.serotonin import decay_serotonin
from remission.plasticity.window import decay_window, felt_dose, gate
from remission.use.amount import amount_used, update_recent
from remission.use.craving import craving, craving_vas, eased_craving, incubation
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

EQUATIONS = (
    felt_dose, experience_session, gate, attend_session, withdrawal, negative_affect, raised_share, control, incubation,
    craving, eased_craving, drive, own_weekday, use_probability, amount_used, update_recent,
    craving_vas, leaving_probability,
    chance_up, chance_down, update_regime, try_to_stop, update_weekday, update_habit, update_load, update_fast_trace,
    update_reward, decay_efficacy, raise_efficacy, update_commitment, decay_window, decay_serotonin, decay_skill,
    update_cue,
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
