"""The course in JAX, double precision: one person as a scan over days, vmap over people, jit around all."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peers.equations import translate
from benchmarks.peers.numba_scalar import RATES, effects, empty_baseline, start_row, trait_rows
from benchmarks.problem import Problem, weights_of
from remission.patient.course import Course
from remission.streams import Stream

jax.config.update("jax_enable_x64", True)

_EQ = translate(
    {"exp": jnp.exp, "logistic": jax.nn.sigmoid, "tanh": jnp.tanh, "sqrt": jnp.sqrt}, lambda equation: equation
)
_MASK, _SHIFT = jnp.uint64(0xFFFFFFFF), jnp.uint64(32)
_M0, _M1 = jnp.uint64(0xD2511F53), jnp.uint64(0xCD9E8D57)
_W0, _W1 = jnp.uint64(0x9E3779B9), jnp.uint64(0xBB67AE85)


def _words(subject: Any, replicate: Any, index: Any, stream: Stream, seed: Any) -> Any:
    c0, c1, c2, c3 = subject, replicate, index.astype(jnp.uint64), jnp.uint64(int(stream))
    k0, k1 = seed & _MASK, seed >> _SHIFT
    for _ in range(10):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _SHIFT) ^ c1 ^ k0, p1 & _MASK, (p0 >> _SHIFT) ^ c3 ^ k1, p0 & _MASK
        k0, k1 = (k0 + _W0) & _MASK, (k1 + _W1) & _MASK
    return c0, c1, c2, c3


def _unit(word: Any) -> Any:
    return (word.astype(jnp.float64) + 0.5) * 2.0**-32


def _one_person(
    subject: Any, replicate: Any, traits: Any, infusion_day: Any, effect: Any, psychoactive: Any, session_day: Any,
    quality: Any, weekday0: Any, blocked: Any, is_dosed: Any, is_taught: Any, start: Any, p: Any, w: Any, seed: Any,
) -> Any:  # fmt: skip
    tendency, level, up, down, responsiveness, commitment0, cue0, regime0, engagement, heaviness = traits
    slots = jnp.arange(session_day.shape[0])
    attend = _unit(jax.vmap(lambda slot: _words(subject, replicate, slot, Stream.ATTENDANCE, seed)[0])(slots))

    def day_of(state: Any, today: Any) -> Any:
        day, closed, dosed, taught = today
        habit, load, trace, reward, window, tone, skill, clean, use = state[:9]
        striatal, amygdalar, prefrontal, commitment, cue, regime, inside, weekdays, total, recent = state[9:]
        access = jnp.where(closed, 0.0, 1.0)
        w0, w1, w2, w3 = _words(subject, replicate, day, Stream.DAY, seed)
        stops = _EQ["try_to_stop"](regime, _unit(w3), p["attempt_per_day"], p["success"])
        regime = regime * (1.0 - stops)
        commitment = commitment + stops * (commitment0 - commitment)

        def dose(now: Any) -> Any:
            given, window, tone, commitment = now
            for slot in range(infusion_day.shape[0]):
                due = jnp.where(infusion_day[slot] == day, inside, 0.0)
                felt = _EQ["felt_dose"](responsiveness, effect[slot] * due, p["rho"])
                given, window, tone = given + felt, window + felt, tone + felt
                score = psychoactive[slot] * due
                commitment = _EQ["experience_session"](commitment, responsiveness, score, p["k_m"])
            return given, window, tone, commitment

        before = (jnp.float64(0.0), window, tone, commitment)
        given, window, tone, commitment = jax.lax.cond(dosed, dose, lambda now: now, before)
        opened = _EQ["gate"](window, p["gamma"])

        def teach(skill: Any) -> Any:
            missing = access * _EQ["leaving_probability"](use, p["miss_hazard_per_day"], p["leave_use_factor"])
            contact = quality * engagement * inside
            attended = []
            for slot in range(session_day.shape[0]):
                held = (session_day[slot] == day) & (attend[slot] >= missing) & (inside > 0.0)
                skill = _EQ["attend_session"](skill, jnp.where(held, contact, 0.0), opened, p["eta"])
                attended.append(held)
            return skill, jnp.stack(attended)

        nobody = jnp.zeros(session_day.shape[0], dtype=bool)
        skill, attended = jax.lax.cond(taught, teach, lambda skill: (skill, nobody), skill)
        affect = _EQ["negative_affect"](
            _EQ["withdrawal"](load, trace), load, cue, p["w_w"], p["c_a"], p["c_x"]
        )  # fmt: skip
        eased = _EQ["raised_share"](striatal, p["g_b"], w["per_rise"])
        held_back = _EQ["control"](
            _EQ["raised_share"](prefrontal, p["g_b"], w["per_rise"]), skill, commitment, load,
            w["w_k"], p["c_l"], p["w_m"], p["k_a"],
        )  # fmt: skip
        own = _EQ["craving"](
            habit, cue, affect, reward, skill, _EQ["incubation"](clean, p["i_max"], p["tau_i_day"]),
            p["z_habit"], p["z_affect"], p["z_skill"], p["z_constant"], p["c_r"], p["c_l"],
        )  # fmt: skip
        strength = _EQ["eased_craving"](own, eased, p["k_c"])
        weekend = jnp.where((weekday0 + day) % 7 >= 5, 1.0, 0.0)
        push = _EQ["drive"](
            own, eased, held_back, weekend, tendency, p["beta_c"], w["w_eased"], p["wk"], w["u_rest"]
        )  # fmt: skip
        # Today's trace is the first of the seven; they turn by one each night.
        usual = _EQ["own_weekday"](weekdays[0], weekdays[6], weekdays[1], total, p["sm"])
        chance = _EQ["use_probability"](
            regime, level, usual, push, access, p["l0"], p["l1"], p["l2"], p["w7"], p["chi"]
        )  # fmt: skip
        n0, n1, _, _ = _words(subject, replicate, day, Stream.CUE, seed)
        radius = jnp.sqrt(-2.0 * jnp.log(_unit(n0)))
        angle = 2.0 * jnp.pi * _unit(n1)
        used = jnp.where(_unit(w0) < chance, 1.0, 0.0)
        amount = _EQ["amount_used"](
            used, strength, radius * jnp.sin(angle), heaviness, recent,
            p["mu_a"], p["gamma_a"], p["sigma_a"], p["k_heavy"], p["k_light"],
        )  # fmt: skip
        vas = _EQ["craving_vas"](strength, p["lambda_v"], p["z_v"])
        leaving = access * _EQ["leaving_probability"](used, p["leave_hazard_per_day"], p["leave_use_factor"])
        leaves = jnp.where(_unit(w2) < leaving, inside, 0.0)
        rise = _EQ["chance_up"](
            regime, used, up, push, access, w["onset"], w["growth"], p["omega"], p["nu"], p["kappa"]
        )  # fmt: skip
        fall = _EQ["chance_down"](regime, down, push, w["recovery"], w["easing"], p["nu"], 0.0, 0.0)
        tomorrow = _EQ["update_weekday"](weekdays[0], used)
        efficacy = tuple(
            _EQ["decay_efficacy"](each, p["g_b"], w[keep])
            for each, keep in ((striatal, "keep_gc"), (amygdalar, "keep_gn"), (prefrontal, "keep_gk"))
        )
        efficacy = jax.lax.cond(
            dosed,
            lambda now: tuple(_EQ["raise_efficacy"](each, given, p["k_g"]) for each in now),
            lambda now: now,
            efficacy,
        )
        after = (
            _EQ["update_habit"](habit, used, opened, p["a_h"], p["d_h"]),
            _EQ["update_load"](load, used, p["tau_a_day"]),
            _EQ["update_fast_trace"](trace, used, w["keep_f"]),
            _EQ["update_reward"](reward, used, p["tau_r_day"], p["k_r"]),
            _EQ["decay_window"](window, w["keep_p"]),
            _EQ["decay_serotonin"](tone, w["keep_s"]),
            _EQ["decay_skill"](skill, p["tau_l_day"]),
            (clean + 1.0) * (1.0 - used),
            used,
            *efficacy,
            _EQ["update_commitment"](commitment, used, p["tau_m_day"], p["l_m"]),
            _EQ["update_cue"](cue, radius * jnp.cos(angle), p["phi"], p["sigma_x"]),
            _EQ["update_regime"](regime, rise, fall, _unit(w1)),
            inside * (1.0 - leaves),
            jnp.append(weekdays[1:], tomorrow),
            total + (tomorrow - weekdays[0]),
            _EQ["update_recent"](recent, used, amount, p["heavy_amount"]),
        )
        return after, (used.astype(jnp.int8), amount, vas, leaves > 0.0, attended)

    zero = jnp.float64(0.0)
    before = (
        start[0], start[1], start[2], start[3], zero, zero, zero, zero, zero, p["g_b"], p["g_b"], p["g_b"], commitment0,
        cue0, regime0, jnp.float64(1.0), jnp.zeros(7), zero, zero,
    )  # fmt: skip
    days = jnp.arange(blocked.size)
    _, (use, amount, vas, leaves, attended) = jax.lax.scan(day_of, before, (days, blocked, is_dosed, is_taught))
    stayed = jnp.where(jnp.any(leaves), jnp.argmax(leaves) + 1, blocked.size)
    return use, amount, vas, stayed, jnp.any(attended, axis=0)


_EVERYBODY = jax.jit(jax.vmap(_one_person, in_axes=(0, 0, 1, 0, 0, 0, 0, 0, 0, *(None,) * 7)))


class JaxCourse:
    """A problem on the device; calling it runs the courses and waits for them."""

    def __init__(self, problem: Problem) -> None:
        people, schedule, p = problem.people, problem.schedule, problem.parameters
        days = np.arange(schedule.n_days)
        self.arguments = jax.device_put((
            people.subject, people.replicate, trait_rows(problem), schedule.infusion_day, effects(problem),
            schedule.psychoactive, schedule.session_day, schedule.quality, schedule.weekday0, schedule.blocked,
            np.isin(days, schedule.infusion_day), np.isin(days, schedule.session_day), start_row(problem),
            {name: getattr(p, name) for name in RATES}, weights_of(p), np.uint64(people.seed),
        ))  # fmt: skip

    def __call__(self) -> Any:
        """Arrays on the device, ready."""
        return jax.block_until_ready(_EVERYBODY(*self.arguments))


def simulate_course(problem: Problem) -> Course:
    """The courses as the package's own record."""
    use, amount, vas, stayed, attended = (np.asarray(part) for part in JaxCourse(problem)())
    return Course(
        use=use,
        amount=amount,
        vas=vas,
        **empty_baseline(len(use)),
        days_in_study=stayed,
        attended=attended,
        states={},
    )
