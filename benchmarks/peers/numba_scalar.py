"""The course in Numba as one would first write it: one person at a time, libm, branches where they save work."""

import math
from typing import Any

import numpy as np
from numba import njit

from benchmarks.peers.equations import translate
from benchmarks.problem import Problem, weights_of
from remission.patient.course import Course
from remission.patient.drawn import felt_exposure
from remission.patient.parameters import CourseParameters
from remission.patient.weights import starting_states
from remission.streams import Stream


@njit
def _logistic(x: Any) -> Any:
    return 1.0 / (1.0 + math.exp(-x))


_EQUATIONS = translate({"exp": math.exp, "logistic": _logistic, "tanh": math.tanh, "sqrt": math.sqrt}, njit)
_felt, _experience, _gate = (_EQUATIONS[name] for name in ("felt_dose", "experience_session", "gate"))
_attend, _withdrawal, _affect = (_EQUATIONS[name] for name in ("attend_session", "withdrawal", "negative_affect"))
_share, _control, _incubation = (_EQUATIONS[name] for name in ("raised_share", "control", "incubation"))
_craving, _eased, _drive = (_EQUATIONS[name] for name in ("craving", "eased_craving", "drive"))
_usual, _probability, _try = (_EQUATIONS[name] for name in ("own_weekday", "use_probability", "try_to_stop"))
_rise, _fall, _regime = (_EQUATIONS[name] for name in ("chance_up", "chance_down", "update_regime"))
_amount, _vas, _leaving = (_EQUATIONS[name] for name in ("amount_used", "craving_vas", "leaving_probability"))
_recent = _EQUATIONS["update_recent"]
_weekday, _habit, _load = (_EQUATIONS[name] for name in ("update_weekday", "update_habit", "update_load"))
_trace, _reward, _commit = (_EQUATIONS[name] for name in ("update_fast_trace", "update_reward", "update_commitment"))
_decay_g, _raise_g, _decay_p = (_EQUATIONS[name] for name in ("decay_efficacy", "raise_efficacy", "decay_window"))
_decay_s, _decay_l, _cue = (_EQUATIONS[name] for name in ("decay_serotonin", "decay_skill", "update_cue"))

_DAY, _CUE, _ATTENDANCE = (np.uint64(int(stream)) for stream in (Stream.DAY, Stream.CUE, Stream.ATTENDANCE))
_MASK, _SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)


@njit
def _philox(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    for _ in range(10):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _SHIFT) ^ c1 ^ k0, p1 & _MASK, (p0 >> _SHIFT) ^ c3 ^ k1, p0 & _MASK
        k0, k1 = (k0 + _W0) & _MASK, (k1 + _W1) & _MASK
    return c0, c1, c2, c3


@njit
def _unit(word: Any) -> Any:
    return (np.float64(word) + 0.5) * 2.0**-32


@njit(error_model="numpy", nogil=True)
def _courses(  # noqa: C901 - one day, written down as it goes
    subject: Any, replicate: Any, seed: Any, traits: Any, infusion_day: Any, effect: Any, psychoactive: Any,
    session_day: Any, quality: Any, weekday0: Any, blocked: Any, start: Any, rates: Any, weights: Any, use_all: Any,
    amount_all: Any, vas_all: Any, days_in_study: Any, attended: Any,
) -> None:  # fmt: skip
    (
        rho, gamma, k_g, g_b, a_h, d_h, tau_r, k_r, tau_a, w_w, c_a, c_x, eta, tau_l, c_l, w_m, l_m, tau_m, k_m, k_a,
        phi, sigma_x, wk, z_habit, z_affect, z_skill, z_constant, c_r, k_c, i_max, tau_i, lambda_v, z_v, beta_c, l0, l1,
        l2, chi, w7, sm, omega, nu, kappa, attempt, success, mu_a, gamma_a, sigma_a, k_heavy,
        k_light, heavy_amount, leave, miss, factor,
    ) = rates  # fmt: skip
    (
        keep_p, keep_s, keep_f, keep_gc, keep_gn, keep_gk, per_rise, w_eased, w_k, u_rest, onset, growth, recovery,
        easing,
    ) = weights  # fmt: skip
    k0, k1 = seed & _MASK, seed >> _SHIFT
    weekdays = np.empty(7)
    for i in range(subject.size):
        habit, load, trace, reward = start[0], start[1], start[2], start[3]
        striatal, amygdalar, prefrontal = g_b, g_b, g_b
        window, tone, skill, clean, use, total, recent = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        weekdays[:] = 0.0
        in_study = True
        tendency, level, up, down = traits[0, i], traits[1, i], traits[2, i], traits[3, i]
        responsiveness, commitment, cue, regime = traits[4, i], traits[5, i], traits[6, i], traits[7, i]
        engagement = traits[8, i]
        for day in range(blocked.size):
            access = 0.0 if blocked[day] else 1.0
            w0, w1, w2, w3 = _philox(subject[i], replicate[i], np.uint64(day), _DAY, k0, k1)
            if attempt > 0.0 and _try(regime, _unit(w3), attempt, success) > 0.0:
                regime, commitment = 0.0, traits[5, i]
            dose = 0.0
            if in_study:
                for slot in range(infusion_day.shape[1]):
                    if infusion_day[i, slot] == day:
                        felt = _felt(responsiveness, effect[i, slot], rho)
                        dose, window, tone = dose + felt, window + felt, tone + felt
                        commitment = _experience(commitment, responsiveness, psychoactive[i, slot], k_m)
            opened = _gate(window, gamma)
            if in_study:
                for slot in range(session_day.shape[1]):
                    if session_day[i, slot] == day:
                        word, _, _, _ = _philox(subject[i], replicate[i], np.uint64(slot), _ATTENDANCE, k0, k1)
                        if _unit(word) >= access * _leaving(use, miss, factor):
                            skill = _attend(skill, quality[i] * engagement, opened, eta)
                            attended[i, slot] = True
            affect = _affect(_withdrawal(load, trace), load, cue, w_w, c_a, c_x)
            eased = _share(striatal, g_b, per_rise)
            held = _control(_share(prefrontal, g_b, per_rise), skill, commitment, load, w_k, c_l, w_m, k_a)
            own = _craving(
                habit, cue, affect, reward, skill, _incubation(clean, i_max, tau_i),
                z_habit, z_affect, z_skill, z_constant, c_r, c_l,
            )  # fmt: skip
            strength = _eased(own, eased, k_c)
            weekend = 1.0 if (weekday0[i] + day) % 7 >= 5 else 0.0
            push = _drive(own, eased, held, weekend, tendency, beta_c, w_eased, wk, u_rest)
            today = day % 7
            usual = _usual(weekdays[today], weekdays[(today + 6) % 7], weekdays[(today + 1) % 7], total, sm)
            chance = _probability(regime, level, usual, push, access, l0, l1, l2, w7, chi)
            n0, n1, _, _ = _philox(subject[i], replicate[i], np.uint64(day), _CUE, k0, k1)
            radius = math.sqrt(-2.0 * math.log(_unit(n0)))
            angle = 2.0 * math.pi * _unit(n1)
            use = 1.0 if _unit(w0) < chance else 0.0
            use_all[i, day] = np.int8(use)
            if use > 0.0:
                amount_all[i, day] = _amount(
                    use, strength, radius * math.sin(angle), traits[9, i], recent, mu_a, gamma_a, sigma_a, k_heavy,
                    k_light,
                )  # fmt: skip
            recent = _recent(recent, use, amount_all[i, day], heavy_amount)
            vas_all[i, day] = _vas(strength, lambda_v, z_v)
            if in_study and _unit(w2) < access * _leaving(use, leave, factor):
                in_study = False
                days_in_study[i] = day + 1
            clean = (clean + 1.0) * (1.0 - use)
            rise, fall = 0.0, 0.0
            if regime < 2.0:
                rise = _rise(regime, use, up, push, access, onset, growth, omega, nu, kappa)
            if regime > 0.0:
                fall = _fall(regime, down, push, recovery, easing, nu, 0.0, 0.0)
            regime = _regime(regime, rise, fall, _unit(w1))
            tomorrow = _weekday(weekdays[today], use)
            total, weekdays[today] = total + (tomorrow - weekdays[today]), tomorrow
            habit = _habit(habit, use, opened, a_h, d_h)
            load = _load(load, use, tau_a)
            trace = _trace(trace, use, keep_f)
            reward = _reward(reward, use, tau_r, k_r)
            commitment = _commit(commitment, use, tau_m, l_m)
            window = _decay_p(window, keep_p)
            tone = _decay_s(tone, keep_s)
            skill = _decay_l(skill, tau_l)
            striatal = _decay_g(striatal, g_b, keep_gc)
            amygdalar = _decay_g(amygdalar, g_b, keep_gn)
            prefrontal = _decay_g(prefrontal, g_b, keep_gk)
            if dose > 0.0:
                striatal = _raise_g(striatal, dose, k_g)
                amygdalar = _raise_g(amygdalar, dose, k_g)
                prefrontal = _raise_g(prefrontal, dose, k_g)
            cue = _cue(cue, radius * math.cos(angle), phi, sigma_x)


RATES = [
    "rho", "gamma", "k_g", "g_b", "a_h", "d_h", "tau_r_day", "k_r", "tau_a_day", "w_w", "c_a", "c_x", "eta",
    "tau_l_day", "c_l", "w_m", "l_m", "tau_m_day", "k_m", "k_a", "phi", "sigma_x", "wk", "z_habit", "z_affect",
    "z_skill", "z_constant", "c_r", "k_c", "i_max", "tau_i_day", "lambda_v", "z_v", "beta_c", "l0", "l1", "l2", "chi",
    "w7", "sm", "omega", "nu", "kappa", "attempt_per_day", "success", "mu_a", "gamma_a", "sigma_a",
    "k_heavy", "k_light", "heavy_amount",
    "leave_hazard_per_day", "miss_hazard_per_day", "leave_use_factor",
]  # fmt: skip
"""Parameters that the day uses, in the order in which compiled peers unpack them."""


WEIGHTS = [
    "keep_p", "keep_s", "keep_f", "keep_gc", "keep_gn", "keep_gk", "per_rise", "w_eased", "w_k", "u_rest", "onset",
    "growth", "recovery", "easing",
]  # fmt: skip
"""Weights that the day uses, in the order in which they are unpacked."""


def weights_row(parameters: CourseParameters) -> tuple[float, ...]:
    """The weights in that order."""
    weights = weights_of(parameters)
    return tuple(weights[name] for name in WEIGHTS)


def start_row(problem: Problem) -> np.ndarray:
    """H, A, F, R on day 0."""
    return np.array(starting_states(problem.parameters, problem.schedule.entry.clean_days))


def trait_rows(problem: Problem) -> np.ndarray:
    """Traits of all people, one row each."""
    t = problem.traits
    return np.stack([
        t.tendency, t.level, t.up, t.down, t.responsiveness, t.commitment0, t.cue0, t.regime0, t.engagement,
        t.heaviness,
    ])  # fmt: skip


def effects(problem: Problem) -> np.ndarray:
    """What each infusion does; subject by infusion."""
    return felt_exposure(problem.schedule, problem.parameters, problem.traits.drawn)


def empty_baseline(n: int) -> dict[str, np.ndarray]:
    """The baseline of a course that has none."""
    return {
        "baseline_use": np.zeros((n, 0), dtype=np.int8),
        "baseline_amount": np.zeros((n, 0)),
        "baseline_vas": np.zeros((n, 0)),
    }


def simulate_course(problem: Problem) -> Course:
    """The courses, one person after the other; people who have stopped and try to stay so, and take no medicine."""
    people, schedule, p = problem.people, problem.schedule, problem.parameters
    n, n_days = len(people), schedule.n_days
    course = Course(
        use=np.zeros((n, n_days), dtype=np.int8),
        amount=np.zeros((n, n_days)),
        vas=np.empty((n, n_days)),
        **empty_baseline(n),
        days_in_study=np.full(n, n_days, dtype=np.int64),
        attended=np.zeros(schedule.session_day.shape, dtype=np.bool_),
        states={},
    )
    _courses(
        people.subject, people.replicate, np.uint64(people.seed), trait_rows(problem), schedule.infusion_day,
        effects(problem), schedule.psychoactive, schedule.session_day, schedule.quality, schedule.weekday0,
        schedule.blocked, start_row(problem), tuple(getattr(p, name) for name in RATES), weights_row(p),
        course.use, course.amount, course.vas, course.days_in_study, course.attended,
    )  # fmt: skip
    return course
