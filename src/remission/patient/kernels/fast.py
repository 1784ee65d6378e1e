"""The course for many people at machine speed: blocks of people side by side, compiled by Numba.

The specification is :mod:`remission.patient.kernels.reference`; this module repeats its order of a day over the very
same equations (``compile_equation`` reads their source) and the same draws, so that every bit agrees. What is new here
is only how the work is laid out: ``BLOCK`` people are columns of one scratch buffer, the loop over people is innermost
and branch-free, and so the compiler handles several people with each instruction.

Threads share nothing but the ticket counter; results never depend on their number.
"""

import itertools
import threading
from collections import namedtuple
from dataclasses import astuple, fields
from functools import cache
from math import prod
from types import FunctionType
from typing import Any

import numpy as np
from numba import int64, njit, uint64

from remission.circuit.basal_ganglia import update_habit, update_reward
from remission.circuit.cues import update_cue
from remission.circuit.extended_amygdala import negative_affect, update_fast_trace, update_load, withdrawal
from remission.circuit.prefrontal import attend_session, control, decay_skill, experience_session, update_commitment
from remission.numerics.lanes import (
    OPTIONS,
    bits_of,
    compile_equation,
    compile_naming,
    cos_turns_lane,
    float_of,
    log_lane,
    philox_lane,
    sin_turns_lane,
)
from remission.numerics.lanes import unit_lane as _unit
from remission.patient.course import Course, CourseSchedule, Traits
from remission.patient.kernels.links import active_links
from remission.patient.kernels.reference import keep_share, starting_states
from remission.patient.parameters import CourseParameters
from remission.plasticity.glutamate import update_glutamate
from remission.plasticity.serotonin import decay_serotonin
from remission.plasticity.window import add_dose, decay_window, gate
from remission.streams import People, Stream
from remission.use.amount import amount_used, update_recent
from remission.use.craving import craving, craving_vas, incubation
from remission.use.episode import drive, update_episode, use_probability
from remission.use.incentive import decay_incentive, give_incentive
from remission.use.leaving import leaving_probability
from remission.use.rhythm import circumstance, drift_step, update_drift

__all__ = ["BLOCK", "simulate_course"]

BLOCK = 256
"""People handled side by side; the rows that one loop touches stay in the first-level cache."""

_CACHE_LINE_BYTES = 64
_TICKETS_PER_THREAD = 4
_MOST_BLOCKS = 64

_add_dose, _decay_window, _gate = (compile_equation(f) for f in (add_dose, decay_window, gate))
_update_glutamate, _decay_serotonin = (compile_equation(f) for f in (update_glutamate, decay_serotonin))
_update_habit, _update_reward, _update_cue = (compile_equation(f) for f in (update_habit, update_reward, update_cue))
_negative_affect, _update_fast_trace = (compile_equation(f) for f in (negative_affect, update_fast_trace))
_update_load, _withdrawal = (compile_equation(f) for f in (update_load, withdrawal))
_attend_session, _control, _decay_skill = (compile_equation(f) for f in (attend_session, control, decay_skill))
_experience, _update_commitment = (compile_equation(f) for f in (experience_session, update_commitment))
_amount_used, _craving, _craving_vas = (compile_equation(f) for f in (amount_used, craving, craving_vas))
_incubation, _drive, _update_episode = (compile_equation(f) for f in (incubation, drive, update_episode))
_circumstance, _update_drift = (compile_equation(f) for f in (circumstance, update_drift))
_give_incentive, _decay_incentive = (compile_equation(f) for f in (give_incentive, decay_incentive))
_use_probability, _leaving = (compile_equation(f) for f in (use_probability, leaving_probability))
_update_recent = compile_equation(update_recent)

# What the loops below know of these two equations beside their numbers; false where the caller replaced them.
_IS_OUR_INCUBATION = _IS_OUR_HABIT = True

# Names come from the record, so that a parameter is added in one place.
_NAMES = tuple(field.name for field in fields(CourseParameters))
_Parameters: Any = namedtuple("_Parameters", _NAMES)  # type: ignore[misc]  # names from a list  # noqa: PYI024
# A call with an array costs microseconds; with a named tuple of sixty fields, a quarter of a millisecond.
_named = compile_naming(_Parameters)

# Rows of the scratch buffer, as element offsets; one row is one quantity of BLOCK people.
_N_ROWS = 43
(
    _P, _G, _S, _H, _R, _A, _F, _L, _M, _X, _E, _Y, _CLEAN, _IN, _GATE, _B, _RESP, _ENGAGE, _Q, _WEEKDAY, _SUBJECT,
    _REPLICATE, _U_USE, _U_EPISODE, _U_LEAVE, _N_CUE, _N_AMOUNT, _Z, _VAS, _AMOUNT, _LEAVES, _DRIFT, _U_DRIFT,
    _RHYTHM, _, _, _, _, _, _, _INCENTIVE, _HEAVINESS, _RECENT,
) = (row * BLOCK for row in range(_N_ROWS))  # fmt: skip
_MASK = uint64(0xFFFFFFFF)
_SHIFT = uint64(32)
_DAY, _CUE, _ATTENDANCE = (uint64(int(stream)) for stream in (Stream.DAY, Stream.CUE, Stream.ATTENDANCE))


@njit(**OPTIONS)
def _draw(b, index, k0, k1):
    """The day's draws of every person of the block into the rows that await them."""
    for i in range(BLOCK):
        subject, replicate = uint64(bits_of(b[_SUBJECT + i])), uint64(bits_of(b[_REPLICATE + i]))
        w0, w1, w2, w3 = philox_lane(subject, replicate, index, _DAY, k0, k1)
        b[_U_USE + i], b[_U_EPISODE + i], b[_U_LEAVE + i], b[_U_DRIFT + i] = _unit(w0), _unit(w1), _unit(w2), _unit(w3)
        w0, w1, _, _ = philox_lane(subject, replicate, index, _CUE, k0, k1)
        b[_N_CUE + i], b[_N_AMOUNT + i] = _unit(w0), _unit(w1)
    for i in range(BLOCK):
        radius, turn = np.sqrt(-2.0 * log_lane(b[_N_CUE + i])), b[_N_AMOUNT + i]
        b[_N_CUE + i] = radius * cos_turns_lane(turn)
        b[_N_AMOUNT + i] = radius * sin_turns_lane(turn)


@njit(**OPTIONS)
def _dose(b, p, due_day, day, exposure, psychoactive, o):
    """Step 1: infusions due today."""
    for slot in range(due_day.shape[0]):
        for i in range(BLOCK):
            due = 1.0 if due_day[slot, o + i] == day else 0.0
            e = exposure[slot, o + i] * due * b[_IN + i]
            m = psychoactive[slot, o + i] * due * b[_IN + i]
            b[_P + i] = _add_dose(b[_P + i], p.rho, b[_RESP + i], e)
            b[_S + i] = _add_dose(b[_S + i], p.rho, b[_RESP + i], e)
            b[_M + i] = _experience(b[_M + i], b[_RESP + i], m, p.k_m)


@njit(**OPTIONS)
def _contact(b, p, due_day, incentive, day, open_access, k0, k1, attended, o):
    """Step 2: therapy sessions due today."""
    for slot in range(due_day.shape[0]):
        for i in range(BLOCK):
            w0, _, _, _ = philox_lane(
                uint64(bits_of(b[_SUBJECT + i])), uint64(bits_of(b[_REPLICATE + i])), uint64(slot), _ATTENDANCE, k0, k1
            )
            missing = open_access * _leaving(b[_Y + i], p.miss_hazard_per_day, p.leave_use_factor)
            due = 1.0 if due_day[slot, o + i] == day else 0.0
            held = due * (1.0 if _unit(w0) >= missing else 0.0) * b[_IN + i]
            rewards = held * (1.0 if incentive[slot, o + i] >= 0.0 else 0.0)
            b[_INCENTIVE + i] = _give_incentive(b[_INCENTIVE + i], incentive[slot, o + i], rewards)
            contact = b[_Q + i] * b[_ENGAGE + i] * held * (1.0 - rewards)
            b[_L + i] = _attend_session(b[_L + i], contact, b[_GATE + i], p.eta)
            if held > 0.0:
                attended[slot, o + i] = 1


@njit(**OPTIONS)
def _live(b, p, day, open_access):
    """Step 3: craving, use, episode, amount, leaving."""
    # Use is 0 or 1, so two values of this exponential serve everybody.
    leaving_clean = open_access * _leaving(0.0, p.leave_hazard_per_day, p.leave_use_factor)
    leaving_using = open_access * _leaving(1.0, p.leave_hazard_per_day, p.leave_use_factor)
    # Without incubation the equation gives exactly 1, and its division is not needed.
    cues_incubate = p.i_max != 1.0 or not _IS_OUR_INCUBATION
    usual = _RHYTHM + day % 7 * BLOCK
    for i in range(BLOCK):
        load, efficacy = b[_A + i], b[_G + i]
        skill, cue = b[_L + i], b[_X + i]
        withdrawn = _withdrawal(load, b[_F + i])
        affect = _negative_affect(withdrawn, load, cue, efficacy, b[_S + i], p.w_w, p.c_a, p.c_x, p.k_n, p.k_s, p.g_b)
        held_back = _control(efficacy, skill, b[_M + i], load, p.k_k, p.c_l, p.w_m, p.k_a, p.g_b)
        incubated = _incubation(b[_CLEAN + i], p.i_max, p.tau_i_day) if cues_incubate else 1.0
        strength = _craving(
            b[_H + i], cue, affect, b[_R + i], efficacy, skill, incubated,
            p.z_habit, p.z_affect, p.z_skill, p.z_constant, p.c_r, p.k_c, p.c_l, p.g_b,
        )  # fmt: skip
        weekday = b[_WEEKDAY + i] + float(day % 7)
        weekday = weekday - 7.0 if weekday >= 7.0 else weekday
        weekend = 1.0 if weekday >= 5.0 else 0.0
        today = _circumstance(b[_DRIFT + i], b[usual + i])
        push = _drive(strength, held_back, weekend, today, p.beta_c, p.wk)
        chance = _use_probability(
            b[_B + i] - b[_INCENTIVE + i], push, b[_E + i], open_access, p.b0, p.lam, p.chi, p.b_in
        )
        use = 1.0 if b[_U_USE + i] < chance else 0.0
        b[_E + i] = _update_episode(b[_E + i], use, b[_U_EPISODE + i], p.pi_start, p.om_end)
        b[_Y + i] = use
        b[_Z + i] = strength
    for i in range(BLOCK):
        use = b[_Y + i]
        b[_AMOUNT + i] = _amount_used(
            use, b[_Z + i], b[_N_AMOUNT + i], b[_HEAVINESS + i], b[_RECENT + i],
            p.mu_a, p.gamma_a, p.sigma_a, p.k_heavy, p.k_light,
        )  # fmt: skip
        b[_RECENT + i] = _update_recent(b[_RECENT + i], use, b[_AMOUNT + i], p.heavy_amount)
        b[_VAS + i] = _craving_vas(b[_Z + i], p.lambda_v, p.z_v)
        leaving = leaving_using if use > 0.0 else leaving_clean
        leaves = (1.0 if b[_U_LEAVE + i] < leaving else 0.0) * b[_IN + i]
        b[_LEAVES + i] = leaves
        b[_IN + i] = b[_IN + i] * (1.0 - leaves)
        b[_CLEAN + i] = (b[_CLEAN + i] + 1.0) * (1.0 - use)


@njit(**OPTIONS)
def _night(b, p, keep_p, keep_s, keep_f, keep_d, step_d, keep_i):
    """Step 4: the states move."""
    for i in range(BLOCK):
        use, opened = b[_Y + i], b[_GATE + i]
        # One of the two terms is multiplied by 0; with one rate in both, their exponential is computed once.
        rate = p.a_h if use > 0.0 else p.d_h
        a_h, d_h = (rate, rate) if _IS_OUR_HABIT else (p.a_h, p.d_h)
        b[_H + i] = _update_habit(b[_H + i], use, opened, a_h, d_h)
        b[_A + i] = _update_load(b[_A + i], use, p.tau_a_day)
        b[_F + i] = _update_fast_trace(b[_F + i], use, keep_f)
        b[_R + i] = _update_reward(b[_R + i], use, p.tau_r_day, p.k_r)
        b[_G + i] = _update_glutamate(b[_G + i], b[_P + i], p.k_g, p.g_b, p.tau_g_day)
        b[_M + i] = _update_commitment(b[_M + i], use, p.tau_m_day, p.l_m)
        b[_P + i] = _decay_window(b[_P + i], keep_p)
        b[_S + i] = _decay_serotonin(b[_S + i], keep_s)
        b[_L + i] = _decay_skill(b[_L + i], p.tau_l_day)
        b[_X + i] = _update_cue(b[_X + i], b[_N_CUE + i], p.phi, p.sigma_x)
        b[_DRIFT + i] = _update_drift(b[_DRIFT + i], b[_U_DRIFT + i], keep_d, step_d)
        b[_INCENTIVE + i] = _decay_incentive(b[_INCENTIVE + i], keep_i)


@njit(nogil=True, cache=True, **OPTIONS)
def _blocks(
    b, values, key, start, traits, address, weekday0, quality, infusion_day, exposure, psychoactive, session_day,
    incentive, blocked, dosed, taught, use_all, amount_all, vas_all, days_in_study, attended, first, last,
):  # fmt: skip
    p = _named(values)
    k0, k1 = uint64(key) & _MASK, uint64(key) >> _SHIFT
    n_days = blocked.size
    for block in range(first, last):
        o = block * BLOCK
        b[:] = 0.0
        for i in range(BLOCK):
            b[_G + i], b[_H + i], b[_A + i], b[_F + i], b[_R + i] = p.g_b, start[0], start[1], start[2], start[3]
            b[_B + i], b[_RESP + i], b[_M + i] = traits[0, o + i], traits[1, o + i], traits[2, o + i]
            b[_X + i], b[_E + i], b[_ENGAGE + i] = traits[3, o + i], traits[4, o + i], traits[5, o + i]
            b[_DRIFT + i], b[_HEAVINESS + i] = traits[6, o + i], traits[14, o + i]
            b[_Q + i], b[_WEEKDAY + i], b[_IN + i] = quality[o + i], float(weekday0[o + i]), 1.0
            b[_SUBJECT + i] = float_of(int64(address[0, o + i]))
            b[_REPLICATE + i] = float_of(int64(address[1, o + i]))
        for k in range(7):
            for i in range(BLOCK):
                b[_RHYTHM + k * BLOCK + i] = traits[7 + k, o + i]
        for day in range(n_days):
            open_access = 0.0 if blocked[day] else 1.0
            if dosed[day]:
                _dose(b, p, infusion_day, day, exposure, psychoactive, o)
            for i in range(BLOCK):
                b[_GATE + i] = _gate(b[_P + i], p.gamma)
            if taught[day]:
                _contact(b, p, session_day, incentive, day, open_access, k0, k1, attended, o)
            _draw(b, uint64(day), k0, k1)
            _live(b, p, day, open_access)
            for i in range(BLOCK):
                use_all[day, o + i] = np.int8(b[_Y + i])
                amount_all[day, o + i] = b[_AMOUNT + i]
                vas_all[day, o + i] = b[_VAS + i]
                if b[_LEAVES + i] > 0.0:
                    days_in_study[o + i] = day + 1
            _night(b, p, start[4], start[5], start[6], start[7], start[8], start[9])


def simulate_course(
    people: People,
    traits: Traits,
    schedule: CourseSchedule,
    parameters: CourseParameters,
    *,
    n_threads: int = 1,
) -> Course:
    """The courses of many people, equal in every bit to the reference kernel's; states are not recorded.

    ``people``, ``traits``, ``schedule``, ``parameters``: as for
    :func:`remission.patient.kernels.reference.simulate_course`. ``n_threads``: threads that share the blocks.
    """
    n, n_days = len(people), schedule.n_days
    n_blocks = -(-n // BLOCK)
    padded = n_blocks * BLOCK
    keep_d = keep_share(parameters.tau_d_day)
    start = np.array(
        [
            *starting_states(parameters, schedule.clean_days),
            *(keep_share(tau) for tau in (parameters.tau_p_day, parameters.tau_s_day, parameters.tau_f_day)),
            keep_d,
            drift_step(sigma_d=parameters.sigma_d, keep_d=keep_d),
            keep_share(schedule.tau_incentive_day),
        ]
    )
    # Weekdays in the order of the days of the course: row k is for the days k, k + 7, ...
    weekday = (schedule.weekday0[:, np.newaxis] + np.arange(7)) % 7
    columns = (
        traits.tendency, traits.responsiveness, traits.commitment0, traits.cue0, traits.episode0, traits.engagement,
        traits.drift0, *np.take_along_axis(traits.rhythm, weekday, axis=1).T, traits.heaviness,
    )  # fmt: skip
    trait_rows = _padded(np.stack(columns), padded)
    address = _padded(np.stack([people.subject, people.replicate]), padded)
    incentive = np.full(schedule.session_day.shape, -1.0) if schedule.incentive is None else schedule.incentive
    infusion_day, session_day = _padded(schedule.infusion_day.T, padded), _padded(schedule.session_day.T, padded)
    # One piece of memory for all of them: freed pieces larger than half of what is kept go back to the system, and
    # asking for the same pages again takes a fifth of the kernel's time.
    kept = _aligned((17, n_days, padded), np.int8)
    amount_all, vas_all = kept[:16].view(np.float64).reshape(2, n_days, padded)
    use_all = kept[16]
    days_in_study = np.full(padded, n_days, dtype=np.int64)
    attended = np.zeros(session_day.shape, dtype=np.int8)
    shared = (
        np.array(astuple(parameters)), np.uint64(people.seed), start, trait_rows, address,
        _padded(schedule.weekday0, padded), _padded(schedule.quality, padded), infusion_day,
        _padded(schedule.exposure.T, padded), _padded(schedule.psychoactive.T, padded), session_day,
        _padded(incentive.T, padded), schedule.blocked,
        _some_due(schedule.infusion_day, n_days), _some_due(schedule.session_day, n_days),
        use_all, amount_all, vas_all, days_in_study, attended,
    )  # fmt: skip
    tickets = itertools.count()
    # Few calls, for each looks at the types of its arguments anew; yet enough to share out among threads, and none so
    # long that Ctrl-C waits for it.
    span = min(n_blocks if n_threads == 1 else max(1, n_blocks // (_TICKETS_PER_THREAD * n_threads)), _MOST_BLOCKS)

    blocks = _blocks_with(tuple(active_links().items()))

    def work() -> None:
        scratch = _aligned((_N_ROWS * BLOCK,), np.float64)
        for ticket in tickets:  # the counter's step is atomic under the interpreter lock
            first = ticket * span
            if first >= n_blocks:
                return
            blocks(scratch, *shared, first, min(first + span, n_blocks))

    helpers = [threading.Thread(target=work) for _ in range(min(n_threads, n_blocks) - 1)]
    for helper in helpers:
        helper.start()
    work()
    for helper in helpers:
        helper.join()
    return Course(
        use=use_all[:, :n].T,
        amount=amount_all[:, :n].T,
        vas=vas_all[:, :n].T,
        days_in_study=days_in_study[:n],
        attended=attended[:, :n].T > 0,
        states={},
    )


@cache
def _blocks_with(links: tuple[tuple[str, Any], ...]) -> Any:
    """The compiled loop over blocks, with the caller's equations in the place of ours; never stored on disk."""
    if not links:
        return _blocks
    space = {
        **globals(),
        "_IS_OUR_INCUBATION": "incubation" not in dict(links),
        "_IS_OUR_HABIT": "update_habit" not in dict(links),
    }
    for name, function in links:
        space[_SHORT.get(name, f"_{name}")] = compile_equation(function)
    for inner in (_draw, _dose, _contact, _live, _night):
        space[inner.__name__] = njit(**OPTIONS)(FunctionType(inner.py_func.__code__, space, inner.__name__))
    return njit(nogil=True, **OPTIONS)(FunctionType(_blocks.py_func.__code__, space, "_blocks"))


_SHORT = {"experience_session": "_experience", "leaving_probability": "_leaving"}


def _some_due(due_day: np.ndarray, n_days: int) -> np.ndarray:
    """For each day of the course, whether anybody has something due."""
    some = np.zeros(n_days, dtype=np.bool_)
    some[due_day[(due_day >= 0) & (due_day < n_days)]] = True
    return some


def _padded(array: np.ndarray, width: int) -> np.ndarray:
    """The array with its last axis filled up with copies of its last person, contiguous."""
    missing = width - array.shape[-1]
    filled = np.concatenate([array, np.repeat(array[..., -1:], missing, axis=-1)], axis=-1) if missing else array
    return np.ascontiguousarray(filled)


def _aligned(shape: tuple[int, ...], dtype: type[np.generic]) -> np.ndarray:
    """An unfilled array that begins on a cache line, so that no vector of eight numbers straddles two."""
    n_bytes = prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(n_bytes + _CACHE_LINE_BYTES, dtype=np.uint8)
    skip = -raw.ctypes.data % _CACHE_LINE_BYTES
    return raw[skip : skip + n_bytes].view(dtype).reshape(shape)
