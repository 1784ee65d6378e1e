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
from dataclasses import fields
from functools import cache
from math import prod
from operator import attrgetter
from types import FunctionType
from typing import Any

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
from remission.errors import NumericalError
from remission.numerics.lanes import (
    bits_of,
    compile_equation,
    compile_naming,
    cos_turns_lane,
    log_lane,
    philox_lane,
    sin_turns_lane,
)
from remission.numerics.lanes import unit_lane as _unit
from remission.numerics.loops import inner, loop, made_loop
from remission.numerics.memory import keep_freed_memory
from remission.patient.course import STATES, Course, CourseSchedule, Traits
from remission.patient.kernels.links import active_links
from remission.patient.parameters import CourseParameters
from remission.patient.weights import CourseWeights, Pieces, course_weights, keep_share, pieces_of, starting_states
from remission.plasticity.dose_response import daily_exposure, dose_effect
from remission.plasticity.glutamate import decay_efficacy, raise_efficacy, raised_share
from remission.plasticity.serotonin import decay_serotonin
from remission.plasticity.window import decay_window, felt_dose, gate
from remission.streams import People, Stream
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

__all__ = ["BLOCK", "simulate_course"]

BLOCK = 256
"""People handled side by side; the rows that one loop touches stay in the first-level cache."""

keep_freed_memory()
_CACHE_LINE_BYTES = 64
_TICKETS_PER_THREAD = 4
_GOALS = ("none", "reduce", "stop")
_MOST_BLOCKS = 64

_felt_dose, _decay_window, _gate = (compile_equation(f) for f in (felt_dose, decay_window, gate))
_decay_efficacy, _raise_efficacy = (compile_equation(f) for f in (decay_efficacy, raise_efficacy))
_raised_share, _dose_effect = compile_equation(raised_share), compile_equation(dose_effect)
_update_habit, _update_reward, _update_cue = (compile_equation(f) for f in (update_habit, update_reward, update_cue))
_negative_affect, _update_fast_trace = (compile_equation(f) for f in (negative_affect, update_fast_trace))
_update_load, _withdrawal = (compile_equation(f) for f in (update_load, withdrawal))
_attend_session, _control, _decay_skill = (compile_equation(f) for f in (attend_session, control, decay_skill))
_experience, _update_commitment = (compile_equation(f) for f in (experience_session, update_commitment))
_amount_used, _craving, _craving_vas = (compile_equation(f) for f in (amount_used, craving, craving_vas))
_eased_craving, _incubation, _drive = (compile_equation(f) for f in (eased_craving, incubation, drive))
_own_weekday, _update_weekday = (compile_equation(f) for f in (own_weekday, update_weekday))
_chance_up, _chance_down, _update_regime = (compile_equation(f) for f in (chance_up, chance_down, update_regime))
_use_probability, _try_to_stop = (compile_equation(f) for f in (use_probability, try_to_stop))
# What a drug eases of mood is no part of use: only the recorded states have it, and efficacy in the amygdala too.
_eased_affect, _decay_serotonin = compile_equation(eased_affect), compile_equation(decay_serotonin)
_leaving, _update_recent = compile_equation(leaving_probability), compile_equation(update_recent)
_give_incentive, _decay_incentive = (compile_equation(f) for f in (give_incentive, decay_incentive))

# What the loops below know of these equations beside their numbers; false where the caller replaced them.
_IS_OUR_INCUBATION = _IS_OUR_HABIT = _IS_OUR_GATE = _IS_OUR_ATTEMPT = True

# Names come from the records, so that a parameter is added in one place.
_Parameters: Any = namedtuple("_Parameters", tuple(field.name for field in fields(CourseParameters)))  # type: ignore[misc]  # names from a list  # noqa: PYI024
_Weights: Any = namedtuple("_Weights", tuple(field.name for field in fields(CourseWeights)))  # type: ignore[misc]  # names from a list  # noqa: PYI024
# A call from Python with an array costs microseconds; with a named tuple of sixty fields, a quarter of a millisecond.
# The functions below are given the array too, because sixty numbers would go through memory at each call.
_named, _weighed = compile_naming(_Parameters), compile_naming(_Weights)
# The numbers of a record in the order of its fields.
_PARAMETERS, _WEIGHTS, _PIECES = (
    attrgetter(*(field.name for field in fields(kind))) for kind in (CourseParameters, CourseWeights, Pieces)
)

# Rows of the scratch buffer, as element offsets; one row is one quantity of BLOCK people.
_N_ROWS = 64
(
    # What each person has, copied in at the start of a block.
    _B, _LEVEL, _UP, _DOWN, _RESP, _M0, _X, _E, _TAKES, _ENGAGE, _HEAVINESS, _Q, _WEEKDAY, _SUBJECT, _REPLICATE,
    _SLOPE, _E_HALF, _MEDICINE, _M_FIRST, _M_LAST, _BELIEF,
    _KEEP_GC, _KEEP_GK, _PER_RISE, _W_EASED, _W_K, _K_C, _K_G, _C_L,
    # What moves or is worked out.
    _P, _GC, _GK, _H, _R, _A, _F, _L, _M, _Y, _CLEAN, _IN, _GATE, _U_USE, _U_REGIME, _U_LEAVE, _RADIUS, _TURN, _N_CUE,
    _Z, _DRIVE, _DOSE, _WEEK, _USUAL, _INCUBATED, _RECENT, _INCENTIVE, _PUSHED, _GN, _TONE, _, _, _, _, _,
) = (row * BLOCK for row in range(_N_ROWS))  # fmt: skip
_N_OWN = _P // BLOCK
_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_DAY, _CUE, _ATTENDANCE = (np.uint64(int(stream)) for stream in (Stream.DAY, Stream.CUE, Stream.ATTENDANCE))


@inner
def _draw(b, index, k0, k1):
    """The day's draws of every person of the block into the rows that await them."""
    for i in range(BLOCK):
        subject, replicate = np.uint64(bits_of(b[_SUBJECT + i])), np.uint64(bits_of(b[_REPLICATE + i]))
        w0, w1, w2, _ = philox_lane(subject, replicate, index, _DAY, k0, k1)
        b[_U_USE + i], b[_U_REGIME + i], b[_U_LEAVE + i] = _unit(w0), _unit(w1), _unit(w2)
        w0, w1, _, _ = philox_lane(subject, replicate, index, _CUE, k0, k1)
        b[_RADIUS + i], b[_TURN + i] = _unit(w0), _unit(w1)
    for i in range(BLOCK):
        radius = np.sqrt(-2.0 * log_lane(b[_RADIUS + i]))
        b[_RADIUS + i] = radius
        b[_N_CUE + i] = radius * cos_turns_lane(b[_TURN + i])


@inner
def _stop(b, values, is_stop_day, attempt, index, k0, k1):
    """Step 1: the stop of the quit day, or an attempt, with the draw that nothing else needs."""
    p = _named(values)
    for i in range(BLOCK):
        subject, replicate = np.uint64(bits_of(b[_SUBJECT + i])), np.uint64(bits_of(b[_REPLICATE + i]))
        _, _, _, word = philox_lane(subject, replicate, index, _DAY, k0, k1)
        tries = _try_to_stop(b[_E + i], _unit(word), attempt, p.success)
        stops = b[_TAKES + i] if is_stop_day else tries
        b[_E + i] = b[_E + i] * (1.0 - stops)
        b[_M + i] = b[_M + i] + stops * (b[_M0 + i] - b[_M + i])


@inner
def _dose(b, values, due_day, is_due, day, exposure, psychoactive, o):
    """Step 1: infusions due today."""
    p = _named(values)
    b[_DOSE : _DOSE + BLOCK] = 0.0
    for slot in range(due_day.shape[0]):
        if not is_due[slot]:
            continue
        days, exposures, scores = (
            due_day[slot, o : o + BLOCK],
            exposure[slot, o : o + BLOCK],
            psychoactive[slot, o : o + BLOCK],
        )
        for i in range(BLOCK):
            due = (1.0 if days[i] == day else 0.0) * b[_IN + i]
            effect = _dose_effect(exposures[i], b[_SLOPE + i], b[_E_HALF + i])
            felt = _felt_dose(b[_RESP + i], effect * due, p.rho)
            b[_DOSE + i] = b[_DOSE + i] + felt
            b[_P + i], b[_TONE + i] = b[_P + i] + felt, b[_TONE + i] + felt
            b[_M + i] = _experience(b[_M + i], b[_RESP + i], scores[i] * due, p.k_m)


@inner
def _contact(b, values, due_day, is_due, incentive, day, open_access, k0, k1, attended, o):
    """Step 2: therapy sessions due today."""
    p = _named(values)
    for slot in range(due_day.shape[0]):
        if not is_due[slot]:
            continue
        days, given, came = due_day[slot, o : o + BLOCK], incentive[slot, o : o + BLOCK], attended[slot, o : o + BLOCK]
        for i in range(BLOCK):
            person = np.uint64(bits_of(b[_SUBJECT + i])), np.uint64(bits_of(b[_REPLICATE + i]))
            w0, _, _, _ = philox_lane(person[0], person[1], np.uint64(slot), _ATTENDANCE, k0, k1)
            missing = open_access * _leaving(b[_Y + i], p.miss_hazard_per_day, p.leave_use_factor)
            due = 1.0 if days[i] == day else 0.0
            held = due * (1.0 if _unit(w0) >= missing else 0.0) * b[_IN + i]
            rewards = held * (1.0 if given[i] >= 0.0 else 0.0)
            b[_INCENTIVE + i] = _give_incentive(b[_INCENTIVE + i], given[i], rewards)
            contact = b[_Q + i] * b[_ENGAGE + i] * held * (1.0 - rewards)
            b[_L + i] = _attend_session(b[_L + i], contact, b[_GATE + i], p.eta)
            came[i] = 1 if held > 0.0 else came[i]


@inner
def _push(b, day, has_rewards, has_medicine, has_belief):
    """Step 3: what pushes on use from outside today, where anybody has more than a tendency of their own."""
    for i in range(BLOCK):
        b[_PUSHED + i] = b[_B + i]
    if has_rewards:
        for i in range(BLOCK):
            b[_PUSHED + i] = b[_PUSHED + i] - b[_INCENTIVE + i]
    if has_medicine:
        for i in range(BLOCK):
            taken = (1.0 if b[_M_FIRST + i] <= day else 0.0) * (1.0 if b[_M_LAST + i] >= day else 0.0)
            b[_PUSHED + i] = b[_PUSHED + i] + b[_MEDICINE + i] * taken
    if has_belief and day >= 0.0:
        for i in range(BLOCK):
            b[_PUSHED + i] = b[_PUSHED + i] + b[_BELIEF + i]


@inner
def _live(b, week, values, weights, week_day, open_access):
    """Step 3: craving and use."""
    p, w = _named(values), _weighed(weights)
    today, before, after = week[week_day], week[(week_day + 6) % 7], week[(week_day + 1) % 7]
    for i in range(BLOCK):
        b[_USUAL + i] = _own_weekday(today[i], before[i], after[i], b[_WEEK + i], p.sm)
    # Without incubation the equation gives exactly 1, as the row does already, and its division is not needed. A loop
    # of its own, for a choice inside the next one would divide before it chooses.
    if p.i_max != 1.0 or not _IS_OUR_INCUBATION:
        for i in range(BLOCK):
            b[_INCUBATED + i] = _incubation(b[_CLEAN + i], p.i_max, p.tau_i_day)
    for i in range(BLOCK):
        load, skill, cue = b[_A + i], b[_L + i], b[_X + i]
        affect = _negative_affect(_withdrawal(load, b[_F + i]), load, cue, p.w_w, p.c_a, p.c_x)
        per_rise, c_l = b[_PER_RISE + i], b[_C_L + i]
        eased_c, eased_k = _raised_share(b[_GC + i], p.g_b, per_rise), _raised_share(b[_GK + i], p.g_b, per_rise)
        held_back = _control(eased_k, skill, b[_M + i], load, b[_W_K + i], c_l, p.w_m, p.k_a)
        own = _craving(
            b[_H + i], cue, affect, b[_R + i], skill, b[_INCUBATED + i],
            p.z_habit, p.z_affect, p.z_skill, p.z_constant, p.c_r, c_l,
        )  # fmt: skip
        weekday = b[_WEEKDAY + i] + float(week_day)
        weekday = weekday - 7.0 if weekday >= 7.0 else weekday
        weekend = 1.0 if weekday >= 5.0 else 0.0
        push = _drive(own, eased_c, held_back, weekend, b[_PUSHED + i], p.beta_c, b[_W_EASED + i], p.wk, w.u_rest)
        chance = _use_probability(
            b[_E + i], b[_LEVEL + i], b[_USUAL + i], push, open_access, p.l0, p.l1, p.l2, p.w7, p.chi
        )
        b[_Y + i] = 1.0 if b[_U_USE + i] < chance else 0.0
        b[_Z + i] = _eased_craving(own, eased_c, b[_K_C + i])
        b[_DRIVE + i] = push


@inner
def _keep(b, used, unknown):
    """Step 3: use, which is always kept, and whose craving is no number."""
    for i in range(BLOCK):
        used[i] = np.int8(b[_Y + i])
    for i in range(BLOCK):
        unknown[i] = unknown[i] if b[_Z + i] == b[_Z + i] else 1


@inner
def _take(b, values, amount):
    """Step 3: the amount."""
    p = _named(values)
    for i in range(BLOCK):
        use = b[_Y + i]
        noise = b[_RADIUS + i] * sin_turns_lane(b[_TURN + i])
        taken = _amount_used(
            use, b[_Z + i], noise, b[_HEAVINESS + i], b[_RECENT + i],
            p.mu_a, p.gamma_a, p.sigma_a, p.k_heavy, p.k_light,
        )  # fmt: skip
        b[_RECENT + i] = _update_recent(b[_RECENT + i], use, taken, p.heavy_amount)
        amount[i] = taken


@inner
def _mark(b, values, vas):
    """Step 3: craving as it would be marked."""
    p = _named(values)
    for i in range(BLOCK):
        vas[i] = _craving_vas(b[_Z + i], p.lambda_v, p.z_v)


@inner
def _record(b, values, weights, states):
    """Step 3: the states of the day, as of :data:`STATES`; two that no use follows from move here.

    ``states``: state by day by person, cut out for this day and block.
    """
    p, w = _named(values), _weighed(weights)
    for i in range(BLOCK):
        load, skill, cue, trace, per_rise = b[_A + i], b[_L + i], b[_X + i], b[_F + i], b[_PER_RISE + i]
        withdrawn = _withdrawal(load, trace)
        affect = _negative_affect(withdrawn, load, cue, p.w_w, p.c_a, p.c_x)
        eased_n, eased_k = _raised_share(b[_GN + i], p.g_b, per_rise), _raised_share(b[_GK + i], p.g_b, per_rise)
        states[0, i], states[1, i], states[2, i] = b[_P + i], b[_GC + i], b[_GN + i]
        states[3, i], states[4, i], states[5, i] = b[_GK + i], b[_TONE + i], b[_H + i]
        states[6, i], states[7, i], states[8, i], states[9, i] = b[_R + i], load, trace, withdrawn
        states[10, i] = _eased_affect(affect, eased_n, b[_TONE + i], p.k_n, p.k_s)
        states[11, i], states[12, i] = skill, b[_M + i]
        states[13, i] = _control(eased_k, skill, b[_M + i], load, b[_W_K + i], b[_C_L + i], p.w_m, p.k_a)
        states[14, i], states[15, i], states[16, i], states[17, i] = cue, b[_Z + i], b[_DRIVE + i], b[_E + i]
    for i in range(BLOCK):
        b[_TONE + i] = _decay_serotonin(b[_TONE + i], w.keep_s)
        b[_GN + i] = _decay_efficacy(b[_GN + i], p.g_b, w.keep_gn)


@inner
def _leave(b, days_in_study, day, leaving_clean, leaving_using):
    """Step 3: who leaves today."""
    for i in range(BLOCK):
        leaving = leaving_using if b[_Y + i] > 0.0 else leaving_clean
        leaves = (1.0 if b[_U_LEAVE + i] < leaving else 0.0) * b[_IN + i]
        b[_IN + i] = b[_IN + i] * (1.0 - leaves)
        days_in_study[i] = day + 1 if leaves > 0.0 else days_in_study[i]


@inner
def _night(b, week, values, weights, week_day, open_access, hold_1, hold_2):
    """Step 4: the states move."""
    p, w = _named(values), _weighed(weights)
    for i in range(BLOCK):
        use, push, regime = b[_Y + i], b[_DRIVE + i], b[_E + i]
        rise = _chance_up(regime, use, b[_UP + i], push, open_access, w.onset, w.growth, p.omega, p.nu, p.kappa)
        fall = _chance_down(regime, b[_DOWN + i], push, w.recovery, w.easing, p.nu, hold_1, hold_2)
        b[_E + i] = _update_regime(regime, rise, fall, b[_U_REGIME + i])
    today = week[week_day]
    for i in range(BLOCK):
        tomorrow = _update_weekday(today[i], b[_Y + i])
        b[_WEEK + i] = b[_WEEK + i] + (tomorrow - today[i])
        today[i] = tomorrow
    for i in range(BLOCK):
        use = b[_Y + i]
        b[_CLEAN + i] = (b[_CLEAN + i] + 1.0) * (1.0 - use)
        b[_A + i] = _update_load(b[_A + i], use, p.tau_a_day)
        b[_F + i] = _update_fast_trace(b[_F + i], use, w.keep_f)
        b[_R + i] = _update_reward(b[_R + i], use, p.tau_r_day, p.k_r)
        b[_M + i] = _update_commitment(b[_M + i], use, p.tau_m_day, p.l_m)
        b[_L + i] = _decay_skill(b[_L + i], p.tau_l_day)
        b[_GC + i] = _decay_efficacy(b[_GC + i], p.g_b, b[_KEEP_GC + i])
        b[_GK + i] = _decay_efficacy(b[_GK + i], p.g_b, b[_KEEP_GK + i])
        b[_X + i] = _update_cue(b[_X + i], b[_N_CUE + i], p.phi, p.sigma_x)


@inner
def _fade(b, weights, has_rewards, gate_moves, keep_i):
    """Step 4: what fades only where there is some of it, and where it acts."""
    w = _weighed(weights)
    if has_rewards:
        for i in range(BLOCK):
            b[_INCENTIVE + i] = _decay_incentive(b[_INCENTIVE + i], keep_i)
    if gate_moves:
        for i in range(BLOCK):
            b[_P + i] = _decay_window(b[_P + i], w.keep_p)


@inner
def _learn(b, values, gate_moves):
    """Step 4: habit, under a gate that is 1 for everybody or each person's own."""
    p = _named(values)
    if not gate_moves:
        for i in range(BLOCK):  # both exponentials are the same for everybody
            b[_H + i] = _update_habit(b[_H + i], b[_Y + i], 1.0, p.a_h, p.d_h)
        return
    for i in range(BLOCK):
        # One of the two terms is multiplied by 0; with one rate in both, their exponential is computed once.
        rate = p.a_h if b[_Y + i] > 0.0 else p.d_h
        a_h, d_h = (rate, rate) if _IS_OUR_HABIT else (p.a_h, p.d_h)
        b[_H + i] = _update_habit(b[_H + i], b[_Y + i], b[_GATE + i], a_h, d_h)


@inner
def _rise(b):
    """Step 4: what today's dose does in the night."""
    for i in range(BLOCK):
        b[_GC + i] = _raise_efficacy(b[_GC + i], b[_DOSE + i], b[_K_G + i])
        b[_GN + i] = _raise_efficacy(b[_GN + i], b[_DOSE + i], b[_K_G + i])
        b[_GK + i] = _raise_efficacy(b[_GK + i], b[_DOSE + i], b[_K_G + i])


@loop
def _mark_due(due_day, some):
    """For each slot and day of the course, whether anybody has it due; ``due_day`` is slot by person."""
    for slot in range(due_day.shape[0]):
        for person in range(due_day.shape[1]):
            day = due_day[slot, person]
            if 0 <= day < some.shape[1]:
                some[slot, day] = True


def _some_due(due_day: np.ndarray, n_days: int) -> np.ndarray:
    """Whether anybody has a slot due on a day, slot by day."""
    some = np.zeros((due_day.shape[0], n_days), dtype=np.bool_)
    _mark_due(due_day, some)
    return some


@loop
def _blocks(  # noqa: C901, PLR0912 - one loop; its parts are above
    b, week, values, weights, own, key, start, infusion_day, exposure, psychoactive, session_day, incentive, keep_i,
    closed, spans, goal, dosed, taught, some_dosed, some_taught, use_all, amount_all, vas_all, states, unknown,
    days_in_study, attended, first, last,
):  # fmt: skip
    p = _named(values)
    k0, k1 = np.uint64(key) & _MASK, np.uint64(key) >> _SHIFT
    before, stop_day, trying_from = spans[0], spans[1], spans[2]
    has_rewards, has_medicine, has_belief = spans[3] > 0, spans[4] > 0, spans[5] > 0
    has_amounts, has_marks, has_states = spans[6] > 0, spans[7] > 0, spans[8] > 0
    n_days = dosed.shape[1]
    gate_moves = p.gamma != 0.0 or not _IS_OUR_GATE
    # Use is 0 or 1, so two values of this exponential serve everybody.
    may_leave = (
        _leaving(0.0, p.leave_hazard_per_day, p.leave_use_factor),
        _leaving(1.0, p.leave_hazard_per_day, p.leave_use_factor),
    )
    for block in range(first, last):
        o = block * BLOCK
        end = o + BLOCK
        b[:] = 0.0
        week[:] = 0.0
        for row in range(_N_OWN):
            column = own[row, o:end]
            for i in range(BLOCK):
                b[row * BLOCK + i] = column[i]
        for i in range(BLOCK):
            b[_H + i], b[_A + i], b[_F + i], b[_R + i] = start[0], start[1], start[2], start[3]
            b[_GC + i], b[_GK + i], b[_GATE + i] = p.g_b, p.g_b, 1.0
            b[_GN + i] = p.g_b
            b[_M + i] = 0.0 if before > 0 else b[_M0 + i]
            b[_PUSHED + i], b[_INCUBATED + i], b[_IN + i] = b[_B + i], 1.0, 1.0
        for day in range(-before, n_days):
            open_access = 0.0 if closed[day + before] else 1.0
            followed = open_access if day >= 0 else 0.0
            wants = goal if day >= trying_from else 0
            week_day = (day + 7 * before) % 7
            has_dose = day >= 0 and some_dosed[max(day, 0)]
            index = np.uint64(day) & _MASK
            _draw(b, index, k0, k1)
            attempt = p.attempt_per_day if wants == 2 else 0.0
            if day == stop_day or attempt > 0.0 or not _IS_OUR_ATTEMPT:
                _stop(b, values, day == stop_day, attempt, index, k0, k1)
            if has_dose:
                _dose(b, values, infusion_day, dosed[:, day], day, exposure, psychoactive, o)
            if gate_moves:
                for i in range(BLOCK):
                    b[_GATE + i] = _gate(b[_P + i], p.gamma)
            if day >= 0 and some_taught[max(day, 0)]:
                _contact(b, values, session_day, taught[:, day], incentive, day, open_access, k0, k1, attended, o)
            if has_rewards or has_medicine or has_belief:
                _push(b, float(day), has_rewards, has_medicine, has_belief)
            _live(b, week, values, weights, week_day, open_access)
            if has_states and day >= 0:
                _record(b, values, weights, states[:, day, o:end])
            # Cut out here, for a number that might count from the end keeps a loop from being vectorized.
            row = day + before
            _keep(b, use_all[row, o:end], unknown[o:end])
            if has_amounts:
                _take(b, values, amount_all[row, o:end])
            if has_marks:
                _mark(b, values, vas_all[row, o:end])
            if followed > 0.0:
                _leave(b, days_in_study[o:end], day, followed * may_leave[0], followed * may_leave[1])
            hold_1, hold_2 = 0.0 if wants == 2 else p.hold, p.hold if wants == 0 else 0.0
            _night(b, week, values, weights, week_day, open_access, hold_1, hold_2)
            _fade(b, weights, has_rewards, gate_moves or has_states, keep_i)
            _learn(b, values, gate_moves)
            if has_dose:
                _rise(b)


def simulate_course(
    people: People,
    traits: Traits,
    schedule: CourseSchedule,
    parameters: CourseParameters,
    *,
    n_threads: int = 1,
    with_amounts: bool = True,
    with_craving: bool = True,
    record_states: bool = False,
) -> Course:
    """The courses of many people, equal in every bit to the reference kernel's.

    ``people``, ``traits``, ``schedule``, ``parameters``: as for
    :func:`remission.patient.kernels.reference.simulate_course`. ``n_threads``: threads that share the blocks.
    ``with_amounts``, ``with_craving``: whether somebody reads ``amount`` and ``vas``, those of the baseline too; they
    are not worked out otherwise, and every one is NaN. All else is the same. ``record_states``: whether to keep the
    states of every day; day by day they lie together, not person by person.

    Raises NumericalError: a craving that is not worked out would be no number.
    """
    n, n_days, entry = len(people), schedule.n_days, schedule.entry
    before, waits = entry.n_baseline, entry.waits
    n_blocks = -(-n // BLOCK)
    padded = n_blocks * BLOCK
    infusion_day, session_day = _padded(schedule.infusion_day.T, padded), _padded(schedule.session_day.T, padded)
    incentive = np.full(schedule.session_day.shape, -1.0) if schedule.incentive is None else schedule.incentive
    exposure = daily_exposure(schedule.exposure, schedule.infusion_day)
    drawn = parameters if traits.drawn is None else traits.drawn
    own = np.empty((_N_OWN, padded))
    columns = (
        traits.tendency, traits.level, traits.up, traits.down, traits.responsiveness, traits.commitment0, traits.cue0,
        traits.regime0, traits.takes, traits.engagement, traits.heaviness, schedule.quality, schedule.weekday0,
        people.subject.view(np.float64), people.replicate.view(np.float64), drawn.slope, drawn.e_half,
        *(0.0 if column is None else column for column in (
            schedule.medicine, schedule.medicine_first, schedule.medicine_last, schedule.belief,
        )),
        *_PIECES(pieces_of(parameters, traits.drawn)),
    )  # fmt: skip
    for row, column in zip(own, columns, strict=True):
        row[:n] = column
        row[n:] = row[n - 1]
    closed = np.concatenate([np.arange(before) >= before - waits, schedule.blocked])
    never = n_days + 1
    spans = (
        before, never if entry.stop_day is None else entry.stop_day, entry.trying_from,
        schedule.incentive is not None, schedule.medicine is not None, schedule.belief is not None,
        with_amounts, with_craving, record_states,
    )  # fmt: skip
    # One piece of memory for all of them: freed pieces larger than half of what is kept go back to the system, and
    # asking for the same pages again takes a fifth of the kernel's time.
    n_numbers = with_amounts + with_craving
    kept = _aligned((1 + 8 * n_numbers, before + n_days, padded), np.int8)
    numbers = list(kept[:-1].view(np.float64).reshape(n_numbers, before + n_days, padded))
    vas_all = numbers.pop() if with_craving else _NOTHING
    amount_all = numbers.pop() if with_amounts else _NOTHING
    use_all, unknown = kept[-1], np.zeros(padded, dtype=np.int8)
    states = np.empty((len(STATES), n_days, padded)) if record_states else np.empty((1, 1, 1))
    days_in_study = np.full(padded, n_days, dtype=np.int64)
    attended = np.zeros(session_day.shape, dtype=np.int8)
    dosed, taught = _some_due(infusion_day, n_days), _some_due(session_day, n_days)
    shared = (
        np.array(_PARAMETERS(parameters)), np.array(_WEIGHTS(course_weights(parameters))), own, np.uint64(people.seed),
        np.array(starting_states(parameters, entry.clean_days - waits)), infusion_day,
        _padded(exposure.T, padded), _padded(schedule.psychoactive.T, padded), session_day,
        _padded(incentive.T, padded), keep_share(schedule.tau_incentive_day), closed,
        np.array(spans, dtype=np.int64), _GOALS.index(entry.goal),
        dosed, taught, dosed.any(axis=0), taught.any(axis=0),
        use_all, amount_all, vas_all, states, unknown, days_in_study, attended,
    )  # fmt: skip
    tickets = itertools.count()
    # Few calls, for each looks at the types of its arguments anew; yet enough to share out among threads, and none so
    # long that Ctrl-C waits for it.
    span = min(n_blocks if n_threads == 1 else max(1, n_blocks // (_TICKETS_PER_THREAD * n_threads)), _MOST_BLOCKS)

    blocks = _blocks_with(tuple(active_links().items()))

    def work() -> None:
        scratch = _scratch()
        for ticket in tickets:  # the counter's step is atomic under the interpreter lock
            first = ticket * span
            if first >= n_blocks:
                return
            blocks(*scratch, *shared, first, min(first + span, n_blocks))

    helpers = [threading.Thread(target=work) for _ in range(min(n_threads, n_blocks) - 1)]
    for helper in helpers:
        helper.start()
    work()
    for helper in helpers:
        helper.join()
    if unknown.any() and not with_craving:
        raise NumericalError(
            where=f"course, craving of person {int(unknown.argmax())}", got="a number that is not finite",
            allowed="finite numbers", remedy="Take parameters nearer to those of the library.",
        )  # fmt: skip
    untold = np.broadcast_to(np.nan, use_all.shape)
    vas_all, amount_all = (vas_all if with_craving else untold), (amount_all if with_amounts else untold)
    return Course(
        use=use_all[before:, :n].T,
        amount=amount_all[before:, :n].T,
        vas=vas_all[before:, :n].T,
        baseline_use=use_all[:before, :n].T,
        baseline_amount=amount_all[:before, :n].T,
        baseline_vas=vas_all[:before, :n].T,
        days_in_study=days_in_study[:n],
        attended=attended[:, :n].T > 0,
        states={name: values[:, :n].T for name, values in zip(STATES, states, strict=True)} if record_states else {},
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
        "_IS_OUR_GATE": "gate" not in dict(links),
        "_IS_OUR_ATTEMPT": "try_to_stop" not in dict(links),
    }
    for name, function in links:
        space[_SHORT.get(name, f"_{name}")] = compile_equation(function)
    for part in (
        _draw,
        _stop,
        _dose,
        _contact,
        _push,
        _live,
        _take,
        _mark,
        _record,
        _leave,
        _night,
        _fade,
        _learn,
        _rise,
    ):
        space[part.__name__] = inner(FunctionType(part.py_func.__code__, space, part.__name__))
    return made_loop(FunctionType(_blocks.py_func.__code__, space, "_blocks"))


_SHORT = {"experience_session": "_experience", "leaving_probability": "_leaving"}


_NOTHING = np.zeros((1, 1))
_kept = threading.local()


def _scratch() -> tuple[np.ndarray, np.ndarray]:
    """The scratch buffer of this thread and its rows of weekdays, kept from call to call.

    A new piece of memory for each call is, depending on where it comes to lie, up to a sixth slower.
    """
    if not hasattr(_kept, "rows"):
        _kept.rows = _aligned((_N_ROWS * BLOCK,), np.float64), _aligned((7, BLOCK), np.float64)
    rows: tuple[np.ndarray, np.ndarray] = _kept.rows
    return rows


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
