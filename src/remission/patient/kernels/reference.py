"""The course, day by day, in plain NumPy: the specification that any faster kernel must equal.

Order of a day
--------------
1. Dose, if any: P, S, M.
2. Gate; therapy contact, if any: L, or I where it gives rewards.
3. Cue, negative affect, control, craving; use; episode; amount; leaving.
4. Night: H, A, F, R, G, M; then decay of P, S, L, I; then tomorrow's cue and drift.

Every line of arithmetic lives with its circuit; here stands only the order.
"""

import numpy as np
from jaxtyping import Float, Int

from remission.circuit.basal_ganglia import update_habit, update_reward
from remission.circuit.cues import update_cue
from remission.circuit.extended_amygdala import negative_affect, update_fast_trace, update_load, withdrawal
from remission.circuit.prefrontal import attend_session, control, decay_skill, experience_session, update_commitment
from remission.numerics.elementary import exp
from remission.patient.course import STATES, Course, CourseSchedule, Traits
from remission.patient.kernels.links import active_links, with_links
from remission.patient.parameters import CourseParameters
from remission.plasticity.glutamate import update_glutamate
from remission.plasticity.serotonin import decay_serotonin
from remission.plasticity.window import add_dose, decay_window, gate
from remission.streams import People, Stream, draw_normal_pair, draw_uniforms
from remission.use.amount import amount_used, update_recent
from remission.use.craving import craving, craving_vas, incubation
from remission.use.episode import drive, update_episode, use_probability
from remission.use.incentive import decay_incentive, give_incentive
from remission.use.leaving import leaving_probability
from remission.use.rhythm import circumstance, drift_step, update_drift

__all__ = ["keep_share", "simulate_course", "starting_states"]

_Column = Float[np.ndarray, " subject"]


def simulate_course(
    people: People,
    traits: Traits,
    schedule: CourseSchedule,
    parameters: CourseParameters,
    *,
    record_states: bool = False,
    set_use: Int[np.ndarray, "subject day"] | None = None,
) -> Course:
    """The courses of many people.

    ``people``: addresses of the draws, one per subject. ``traits``, ``schedule``: arrays over the same subjects.
    ``parameters``: one substance's numbers. ``record_states``: whether to keep the states of every day (16 arrays of
    subject by day). ``set_use``: an intervention, do(use) or do(clean): 1 or 0 on a day that is set, whatever the
    person would have done, -1 on a day that comes as it comes. Draws stay where they are, so days before the first
    set one are the same, and setting what would have happened changes nothing. The compiled kernel has none of this.

    Course of ``schedule.n_days`` days. A person's course depends on that person's address, traits and schedule only.
    """
    course = with_links(_simulate) if active_links() else _simulate
    return course(people, traits, schedule, parameters, record_states=record_states, set_use=set_use)


def _simulate(
    people: People,
    traits: Traits,
    schedule: CourseSchedule,
    parameters: CourseParameters,
    *,
    record_states: bool,
    set_use: Int[np.ndarray, "subject day"] | None,
) -> Course:
    p = parameters
    n, n_days = len(people), schedule.n_days
    n_sessions = schedule.session_day.shape[1]
    use_all = np.zeros((n, n_days), dtype=np.int8)
    amount_all = np.zeros((n, n_days))
    vas_all = np.zeros((n, n_days))
    attended = np.zeros((n, n_sessions), dtype=np.bool_)
    days_in_study = np.full(n, n_days, dtype=np.int64)
    recorded = {name: np.zeros((n, n_days)) for name in STATES} if record_states else {}

    keep_p, keep_s, keep_f = (keep_share(tau) for tau in (p.tau_p_day, p.tau_s_day, p.tau_f_day))
    habit, load, trace, reward = (np.full(n, value) for value in starting_states(p, schedule.clean_days))
    efficacy = np.full(n, p.g_b)
    window, tone, skill, clean, recent = (np.zeros(n) for _ in range(5))
    use: _Column = np.zeros(n)
    incentive, keep_i = np.zeros(n), keep_share(schedule.tau_incentive_day)
    commitment, cue, episode = traits.commitment0.copy(), traits.cue0.copy(), traits.episode0.copy()
    drift, keep_d = traits.drift0.copy(), keep_share(p.tau_d_day)
    step_d = drift_step(sigma_d=p.sigma_d, keep_d=keep_d)
    everybody = np.arange(n)
    in_study = np.ones(n)
    attend_chance = [draw_uniforms(people, Stream.ATTENDANCE, slot)[0] for slot in range(n_sessions)]
    infusion_days = set(np.unique(schedule.infusion_day).tolist())
    session_days = set(np.unique(schedule.session_day).tolist())

    for day in range(n_days):
        open_access = 0.0 if schedule.blocked[day] else 1.0
        # 1. Dose
        if day in infusion_days:
            for slot in range(schedule.infusion_day.shape[1]):
                due = schedule.infusion_day[:, slot] == day
                e = schedule.exposure[:, slot] * due * in_study
                m = schedule.psychoactive[:, slot] * due * in_study
                window = add_dose(window, rho=p.rho, responsiveness=traits.responsiveness, exposure=e)
                tone = add_dose(tone, rho=p.rho, responsiveness=traits.responsiveness, exposure=e)
                commitment = experience_session(commitment, traits.responsiveness, m, k_m=p.k_m)
        # 2. Gate and therapy contact
        opened = gate(window, gamma=p.gamma)
        if day in session_days:
            missing = open_access * leaving_probability(
                use, hazard_per_day=p.miss_hazard_per_day, use_factor=p.leave_use_factor
            )
            for slot in range(n_sessions):
                held = (schedule.session_day[:, slot] == day) * (attend_chance[slot] >= missing) * in_study
                contact = schedule.quality * traits.engagement * held
                if schedule.incentive is not None:
                    rewards = held * (schedule.incentive[:, slot] >= 0.0)
                    incentive = give_incentive(incentive, schedule.incentive[:, slot], rewards)
                    contact = contact * (1.0 - rewards)
                skill = attend_session(skill, contact, opened, eta=p.eta)
                attended[:, slot] |= held > 0.0
        # 3. The day
        withdrawn = withdrawal(load, trace)
        affect = negative_affect(
            withdrawn, load, cue, efficacy, tone, w_w=p.w_w, c_a=p.c_a, c_x=p.c_x, k_n=p.k_n, k_s=p.k_s, g_b=p.g_b
        )
        held_back = control(efficacy, skill, commitment, load, k_k=p.k_k, c_l=p.c_l, w_m=p.w_m, k_a=p.k_a, g_b=p.g_b)
        incubated = incubation(clean, i_max=p.i_max, tau_i=p.tau_i_day)
        strength = craving(
            habit,
            cue,
            affect,
            reward,
            efficacy,
            skill,
            incubated,
            c_r=p.c_r,
            k_c=p.k_c,
            c_l=p.c_l,
            g_b=p.g_b,
            z_habit=p.z_habit,
            z_affect=p.z_affect,
            z_skill=p.z_skill,
            z_constant=p.z_constant,
        )
        weekday = (schedule.weekday0 + day) % 7
        weekend = (weekday >= 5) * 1.0
        today = circumstance(drift, traits.rhythm[everybody, weekday])
        push = drive(strength, held_back, weekend, today, beta_c=p.beta_c, wk=p.wk)
        access = np.full(n, open_access)
        chance = use_probability(
            traits.tendency - incentive, push, episode, access, b0=p.b0, lam=p.lam, chi=p.chi, b_in=p.b_in
        )
        use_draw, episode_draw, leave_draw, drift_draw = draw_uniforms(people, Stream.DAY, day)
        cue_noise, amount_noise = draw_normal_pair(people, Stream.CUE, day)
        use = np.asarray((use_draw < chance) * 1.0, dtype=np.float64)
        if set_use is not None:
            use = np.where(set_use[:, day] < 0, use, set_use[:, day] * 1.0)
        if record_states:
            now = (window, efficacy, tone, habit, reward, load, trace, withdrawn, affect, skill, commitment)
            for name, value in zip(STATES, (*now, held_back, cue, strength, episode, drift), strict=True):
                recorded[name][:, day] = value
        episode = update_episode(episode, use, episode_draw, pi_start=p.pi_start, om_end=p.om_end)
        use_all[:, day] = use
        amount = amount_used(
            use,
            strength,
            amount_noise,
            traits.heaviness,
            recent,
            mu_a=p.mu_a,
            gamma_a=p.gamma_a,
            sigma_a=p.sigma_a,
            k_heavy=p.k_heavy,
            k_light=p.k_light,
        )
        recent = update_recent(recent, use, amount, heavy_amount=p.heavy_amount)
        amount_all[:, day] = amount
        vas_all[:, day] = craving_vas(strength, lambda_v=p.lambda_v, z_v=p.z_v)
        leaving = open_access * leaving_probability(
            use, hazard_per_day=p.leave_hazard_per_day, use_factor=p.leave_use_factor
        )
        leaves = (leave_draw < leaving) & (in_study > 0.0)
        days_in_study[leaves] = day + 1
        in_study = in_study * (1.0 - leaves)
        clean = (clean + 1.0) * (1.0 - use)
        # 4. Night
        habit = update_habit(habit, use, opened, a_h=p.a_h, d_h=p.d_h)
        load = update_load(load, use, tau_a=p.tau_a_day)
        trace = update_fast_trace(trace, use, keep_f=keep_f)
        reward = update_reward(reward, use, tau_r=p.tau_r_day, k_r=p.k_r)
        efficacy = update_glutamate(efficacy, window, k_g=p.k_g, g_b=p.g_b, tau_g=p.tau_g_day)
        commitment = update_commitment(commitment, use, tau_m=p.tau_m_day, l_m=p.l_m)
        window = decay_window(window, keep_p=keep_p)
        tone = decay_serotonin(tone, keep_s=keep_s)
        skill = decay_skill(skill, tau_l=p.tau_l_day)
        cue = update_cue(cue, cue_noise, phi=p.phi, sigma_x=p.sigma_x)
        drift = update_drift(drift, drift_draw, keep_d=keep_d, step=step_d)
        incentive = decay_incentive(incentive, keep_i=keep_i)

    return Course(
        use=use_all,
        amount=amount_all,
        vas=vas_all,
        days_in_study=days_in_study,
        attended=attended,
        states=recorded,
    )


def keep_share(tau_day: float) -> float:
    """The share of a decaying trace left after one day."""
    return float(exp(np.array([-1.0 / tau_day]))[0])


def starting_states(p: CourseParameters, clean_days: int) -> tuple[float, float, float, float]:
    """H, A, F and R on day 0 after ``clean_days`` without use."""
    since = np.array([-clean_days / p.tau_a_day, -clean_days / p.tau_f_day, -clean_days / p.tau_r_day])
    left = exp(since)
    return p.h0, p.use0 * float(left[0]), p.use0 * float(left[1]), 1.0 - p.r_deficit0 * float(left[2])
