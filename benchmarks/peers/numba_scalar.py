"""The course in Numba as one would first write it: one person at a time, libm, branches where they save work."""

import math
from typing import Any

import numpy as np
from numba import njit

from benchmarks.peers.equations import translate
from benchmarks.problem import Problem
from remission.patient.course import Course
from remission.patient.kernels.reference import keep_share, starting_states
from remission.streams import Stream
from remission.use.rhythm import drift_step


@njit
def _logistic(x: Any) -> Any:
    return 1.0 / (1.0 + math.exp(-x))


_EQUATIONS = translate({"exp": math.exp, "logistic": _logistic, "tanh": math.tanh, "sqrt": math.sqrt}, njit)
_add_dose, _experience, _gate = (_EQUATIONS[name] for name in ("add_dose", "experience_session", "gate"))
_attend, _withdrawal, _affect = (_EQUATIONS[name] for name in ("attend_session", "withdrawal", "negative_affect"))
_control, _incubation, _craving = (_EQUATIONS[name] for name in ("control", "incubation", "craving"))
_drive, _probability, _episode = (_EQUATIONS[name] for name in ("drive", "use_probability", "update_episode"))
_amount, _vas, _leaving = (_EQUATIONS[name] for name in ("amount_used", "craving_vas", "leaving_probability"))
_habit, _load, _trace = (_EQUATIONS[name] for name in ("update_habit", "update_load", "update_fast_trace"))
_reward, _glutamate, _commit = (_EQUATIONS[name] for name in ("update_reward", "update_glutamate", "update_commitment"))
_decay_p, _decay_s, _decay_l = (_EQUATIONS[name] for name in ("decay_window", "decay_serotonin", "decay_skill"))
_cue, _circumstance, _update_drift = (_EQUATIONS[name] for name in ("update_cue", "circumstance", "update_drift"))
_recent = _EQUATIONS["update_recent"]

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
def _courses(
    subject: Any, replicate: Any, seed: Any, traits: Any, infusion_day: Any, exposure: Any, psychoactive: Any,
    session_day: Any, quality: Any, weekday0: Any, blocked: Any, start: Any, rates: Any, use_all: Any, amount_all: Any,
    vas_all: Any, days_in_study: Any, attended: Any,
) -> None:  # fmt: skip
    (
        rho, gamma, k_g, g_b, tau_g, a_h, d_h, tau_r, k_r, tau_a, w_w, c_a, c_x, k_n, k_s, eta, tau_l, c_l, w_m, l_m,
        tau_m, k_m, k_k, k_a, phi, sigma_x, wk, z_habit, z_affect, z_skill, z_constant, c_r, k_c, i_max, tau_i,
        lambda_v, z_v, beta_c, b0, lam, chi, b_in, pi_start, om_end, mu_a, gamma_a, sigma_a, k_heavy, k_light,
        heavy_amount, leave, miss, factor,
    ) = rates  # fmt: skip
    k0, k1 = seed & _MASK, seed >> _SHIFT
    for i in range(subject.size):
        habit, load, trace, reward = start[0], start[1], start[2], start[3]
        window, tone, skill, clean, use, recent = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        efficacy, in_study = g_b, True
        tendency, responsiveness, commitment = traits[0, i], traits[1, i], traits[2, i]
        cue, episode, engagement, drift = traits[3, i], traits[4, i], traits[5, i], traits[6, i]
        for day in range(blocked.size):
            access = 0.0 if blocked[day] else 1.0
            if in_study:
                for slot in range(infusion_day.shape[1]):
                    if infusion_day[i, slot] == day:
                        window = _add_dose(window, rho, responsiveness, exposure[i, slot])
                        tone = _add_dose(tone, rho, responsiveness, exposure[i, slot])
                        commitment = _experience(commitment, responsiveness, psychoactive[i, slot], k_m)
            opened = _gate(window, gamma)
            if in_study:
                for slot in range(session_day.shape[1]):
                    if session_day[i, slot] == day:
                        word, _, _, _ = _philox(subject[i], replicate[i], np.uint64(slot), _ATTENDANCE, k0, k1)
                        if _unit(word) >= access * _leaving(use, miss, factor):
                            skill = _attend(skill, quality[i] * engagement, opened, eta)
                            attended[i, slot] = True
            affect = _affect(_withdrawal(load, trace), load, cue, efficacy, tone, w_w, c_a, c_x, k_n, k_s, g_b)
            held = _control(efficacy, skill, commitment, load, k_k, c_l, w_m, k_a, g_b)
            strength = _craving(
                habit, cue, affect, reward, efficacy, skill, _incubation(clean, i_max, tau_i),
                z_habit, z_affect, z_skill, z_constant, c_r, k_c, c_l, g_b,
            )  # fmt: skip
            weekday = (weekday0[i] + day) % 7
            weekend = 1.0 if weekday >= 5 else 0.0
            push = _drive(strength, held, weekend, _circumstance(drift, traits[7 + weekday, i]), beta_c, wk)
            chance = _probability(tendency, push, episode, access, b0, lam, chi, b_in)
            w0, w1, w2, w3 = _philox(subject[i], replicate[i], np.uint64(day), _DAY, k0, k1)
            n0, n1, _, _ = _philox(subject[i], replicate[i], np.uint64(day), _CUE, k0, k1)
            radius = math.sqrt(-2.0 * math.log(_unit(n0)))
            angle = 2.0 * math.pi * _unit(n1)
            use = 1.0 if _unit(w0) < chance else 0.0
            episode = _episode(episode, use, _unit(w1), pi_start, om_end)
            use_all[i, day] = np.int8(use)
            if use > 0.0:
                amount_all[i, day] = _amount(
                    use, strength, radius * math.sin(angle), traits[14, i], recent, mu_a, gamma_a, sigma_a, k_heavy,
                    k_light,
                )  # fmt: skip
            recent = _recent(recent, use, amount_all[i, day], heavy_amount)
            vas_all[i, day] = _vas(strength, lambda_v, z_v)
            if in_study and _unit(w2) < access * _leaving(use, leave, factor):
                in_study = False
                days_in_study[i] = day + 1
            clean = (clean + 1.0) * (1.0 - use)
            habit = _habit(habit, use, opened, a_h, d_h)
            load = _load(load, use, tau_a)
            trace = _trace(trace, use, start[6])
            reward = _reward(reward, use, tau_r, k_r)
            efficacy = _glutamate(efficacy, window, k_g, g_b, tau_g)
            commitment = _commit(commitment, use, tau_m, l_m)
            window = _decay_p(window, start[4])
            tone = _decay_s(tone, start[5])
            skill = _decay_l(skill, tau_l)
            cue = _cue(cue, radius * math.cos(angle), phi, sigma_x)
            drift = _update_drift(drift, _unit(w3), start[7], start[8])


RATES = [
    "rho",
    "gamma",
    "k_g",
    "g_b",
    "tau_g_day",
    "a_h",
    "d_h",
    "tau_r_day",
    "k_r",
    "tau_a_day",
    "w_w",
    "c_a",
    "c_x",
    "k_n",
    "k_s",
    "eta",
    "tau_l_day",
    "c_l",
    "w_m",
    "l_m",
    "tau_m_day",
    "k_m",
    "k_k",
    "k_a",
    "phi",
    "sigma_x",
    "wk",
    "z_habit",
    "z_affect",
    "z_skill",
    "z_constant",
    "c_r",
    "k_c",
    "i_max",
    "tau_i_day",
    "lambda_v",
    "z_v",
    "beta_c",
    "b0",
    "lam",
    "chi",
    "b_in",
    "pi_start",
    "om_end",
    "mu_a",
    "gamma_a",
    "sigma_a",
    "k_heavy",
    "k_light",
    "heavy_amount",
    "leave_hazard_per_day",
    "miss_hazard_per_day",
    "leave_use_factor",
]
"""Parameters that the day uses, in the order in which compiled peers unpack them."""


def start_row(problem: Problem) -> np.ndarray:
    """H, A, F, R on day 0 and what is left of P, S, F and D after a day, D's step."""
    p = problem.parameters
    kept = (keep_share(tau) for tau in (p.tau_p_day, p.tau_s_day, p.tau_f_day, p.tau_d_day))
    step = drift_step(sigma_d=p.sigma_d, keep_d=keep_share(p.tau_d_day))
    return np.array([*starting_states(p, problem.schedule.clean_days), *kept, step])


def trait_rows(problem: Problem) -> np.ndarray:
    """Traits of all people, one row each."""
    t = problem.traits
    return np.stack(
        [
            t.tendency,
            t.responsiveness,
            t.commitment0,
            t.cue0,
            t.episode0,
            t.engagement,
            t.drift0,
            *t.rhythm.T,
            t.heaviness,
        ]
    )


def simulate_course(problem: Problem) -> Course:
    """The courses, one person after the other."""
    people, schedule, p = problem.people, problem.schedule, problem.parameters
    n, n_days = len(people), schedule.n_days
    course = Course(
        use=np.zeros((n, n_days), dtype=np.int8),
        amount=np.zeros((n, n_days)),
        vas=np.empty((n, n_days)),
        days_in_study=np.full(n, n_days, dtype=np.int64),
        attended=np.zeros(schedule.session_day.shape, dtype=np.bool_),
        states={},
    )
    _courses(
        people.subject, people.replicate, np.uint64(people.seed), trait_rows(problem), schedule.infusion_day,
        schedule.exposure, schedule.psychoactive, schedule.session_day, schedule.quality, schedule.weekday0,
        schedule.blocked, start_row(problem), tuple(getattr(p, name) for name in RATES), course.use, course.amount,
        course.vas, course.days_in_study, course.attended,
    )  # fmt: skip
    return course
