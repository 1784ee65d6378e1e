"""The course, day by day, in plain NumPy: the specification that any faster kernel must equal.

Order of a day
--------------
1. Stop or attempt, if any: E, M. Dose, if any: P, S, M.
2. Gate; therapy contact, if any: L, or I where it gives rewards.
3. Cue, negative affect, control, craving; use; amount; leaving.
4. Night: H, A, F, R, M, E, W; then decay of P, S, L, G, I; what today's dose does to G; then tomorrow's cue.

Days before day 0 are those of the baseline, the last of them clean where people wait: no treatment, no leaving.
Every line of arithmetic lives with its circuit; here stands only the order.
"""

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
from remission.patient.course import STATES, Course, CourseSchedule, Traits
from remission.patient.drawn import felt_exposure
from remission.patient.kernels.links import active_links, with_links
from remission.patient.parameters import CourseParameters
from remission.patient.weights import course_weights, keep_share, pieces_of, starting_states
from remission.plasticity.glutamate import decay_efficacy, raise_efficacy, raised_share
from remission.plasticity.serotonin import decay_serotonin
from remission.plasticity.window import decay_window, felt_dose, gate
from remission.shapes import Float, Int
from remission.streams import People, Stream, draw_normal_pair, draw_uniforms
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

__all__ = ["day_index", "simulate_course"]

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
    ``parameters``: one substance's numbers. ``record_states``: whether to keep the states of every day (18 arrays of
    subject by day). ``set_use``: an intervention, do(use) or do(clean): 1 or 0 on a day that is set, whatever the
    person would have done, -1 on a day that comes as it comes. Draws stay where they are, so days before the first
    set one are the same, and setting what would have happened changes nothing. The compiled kernel has none of this.

    Course of ``schedule.n_days`` days. A person's course depends on that person's address, traits and schedule only.
    """
    course = with_links(_simulate) if active_links() else _simulate
    return course(people, traits, schedule, parameters, record_states=record_states, set_use=set_use)


def day_index(day: int) -> int:
    """Where the draws of a day are: days before day 0 count down from the end, so that none depends on the baseline."""
    return day if day >= 0 else 2**32 + day


def _simulate(
    people: People,
    traits: Traits,
    schedule: CourseSchedule,
    parameters: CourseParameters,
    *,
    record_states: bool,
    set_use: Int[np.ndarray, "subject day"] | None,
) -> Course:
    p, w, entry = parameters, course_weights(parameters), schedule.entry
    v = pieces_of(p, traits.drawn)
    n, n_days = len(people), schedule.n_days
    n_sessions = schedule.session_day.shape[1]
    use_all = np.zeros((n, entry.n_baseline + n_days), dtype=np.int8)
    amount_all, vas_all = np.zeros(use_all.shape), np.zeros(use_all.shape)
    attended = np.zeros((n, n_sessions), dtype=np.bool_)
    days_in_study = np.full(n, n_days, dtype=np.int64)
    recorded = {name: np.zeros((n, n_days)) for name in STATES} if record_states else {}

    habit, load, trace, reward = (
        np.full(n, value) for value in starting_states(p, schedule.entry.clean_days - entry.waits)
    )
    striatal, amygdalar, prefrontal = (np.full(n, p.g_b) for _ in range(3))
    window, tone, skill, clean, recent, incentive, none = (np.zeros(n) for _ in range(7))
    keep_i = keep_share(schedule.tau_incentive_day)
    use: _Column = np.zeros(n)
    commitment = none if entry.n_baseline else traits.commitment0.copy()
    cue, regime = traits.cue0.copy(), traits.regime0.copy()
    weekdays, total = [np.zeros(n) for _ in range(7)], np.zeros(n)
    in_study = np.ones(n)
    attend_chance = [draw_uniforms(people, Stream.ATTENDANCE, slot)[0] for slot in range(n_sessions)]
    effect = felt_exposure(schedule, p, traits.drawn)
    infusion_days = set(np.unique(schedule.infusion_day).tolist())
    session_days = set(np.unique(schedule.session_day).tolist())

    for day in range(entry.first_day, n_days):
        waiting = -entry.waits <= day < 0
        open_access = 0.0 if waiting or (day >= 0 and schedule.blocked[day]) else 1.0
        # Leaving and missing begin on day 0.
        followed = open_access if day >= 0 else 0.0
        wants = entry.goal if day >= entry.trying_from else "none"
        # 1. Stop, attempt, dose
        use_draw, regime_draw, leave_draw, attempt_draw = draw_uniforms(people, Stream.DAY, day_index(day))
        if day == entry.stop_day:
            stops = traits.takes
        else:
            attempt = p.attempt_per_day if wants == "stop" else 0.0
            stops = try_to_stop(regime, attempt_draw, attempt=attempt, success=p.success)
        regime = regime * (1.0 - stops)
        commitment = commitment + stops * (traits.commitment0 - commitment)
        dose = none
        if day in infusion_days and day >= 0:
            for slot in np.flatnonzero((schedule.infusion_day == day).any(axis=0)):
                due = (schedule.infusion_day[:, slot] == day) * in_study
                felt = felt_dose(traits.responsiveness, effect[:, slot] * due, rho=p.rho)
                dose, window, tone = dose + felt, window + felt, tone + felt
                m = schedule.psychoactive[:, slot] * due
                commitment = experience_session(commitment, traits.responsiveness, m, k_m=p.k_m)
        # 2. Gate and therapy contact
        opened = gate(window, gamma=p.gamma)
        if day in session_days and day >= 0:
            missing = open_access * leaving_probability(
                use, hazard_per_day=p.miss_hazard_per_day, use_factor=p.leave_use_factor
            )
            for slot in np.flatnonzero((schedule.session_day == day).any(axis=0)):
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
        own_affect = negative_affect(withdrawn, load, cue, w_w=p.w_w, c_a=p.c_a, c_x=p.c_x)
        eased_c, eased_n, eased_k = (
            raised_share(each, g_b=p.g_b, per_rise=v.per_rise) for each in (striatal, amygdalar, prefrontal)
        )
        held_back = control(eased_k, skill, commitment, load, w_k=v.w_k, c_l=v.c_l, w_m=p.w_m, k_a=p.k_a)
        incubated = incubation(clean, i_max=p.i_max, tau_i=p.tau_i_day)
        own_craving = craving(
            habit, cue, own_affect, reward, skill, incubated,
            c_r=p.c_r, c_l=v.c_l, z_habit=p.z_habit, z_affect=p.z_affect, z_skill=p.z_skill, z_constant=p.z_constant,
        )  # fmt: skip
        strength = eased_craving(own_craving, eased_c, k_c=v.k_c)
        weekend = ((schedule.weekday0 + day) % 7 >= 5) * 1.0
        tendency = traits.tendency - incentive + _medicine(schedule, day)
        if schedule.belief is not None:
            tendency = tendency + schedule.belief * (1.0 if day >= 0 else 0.0)
        push = drive(
            own_craving, eased_c, held_back, weekend, tendency,
            beta_c=p.beta_c, w_eased=v.w_eased, wk=p.wk, u_rest=w.u_rest,
        )  # fmt: skip
        today = day % 7
        usual = own_weekday(weekdays[today], weekdays[today - 1], weekdays[(today + 1) % 7], total, sm=p.sm)
        access = np.full(n, open_access)
        chance = use_probability(
            regime, traits.level, usual, push, access, l0=p.l0, l1=p.l1, l2=p.l2, w7=p.w7, chi=p.chi
        )
        cue_noise, amount_noise = draw_normal_pair(people, Stream.CUE, day_index(day))
        use = np.asarray((use_draw < chance) * 1.0, dtype=np.float64)
        if set_use is not None and day >= 0:
            use = np.where(set_use[:, day] < 0, use, set_use[:, day] * 1.0)
        if record_states and day >= 0:
            affect = eased_affect(own_affect, eased_n, tone, k_n=p.k_n, k_s=p.k_s)
            now = (window, striatal, amygdalar, prefrontal, tone, habit, reward, load, trace, withdrawn, affect, skill)
            for name, value in zip(STATES, (*now, commitment, held_back, cue, strength, push, regime), strict=True):
                recorded[name][:, day] = value
        amount = amount_used(
            use, strength, amount_noise, traits.heaviness, recent,
            mu_a=p.mu_a, gamma_a=p.gamma_a, sigma_a=p.sigma_a, k_heavy=p.k_heavy, k_light=p.k_light,
        )  # fmt: skip
        recent = update_recent(recent, use, amount, heavy_amount=p.heavy_amount)
        column = day + entry.n_baseline
        use_all[:, column] = use
        amount_all[:, column] = amount
        vas_all[:, column] = craving_vas(strength, lambda_v=p.lambda_v, z_v=p.z_v)
        leaving = followed * leaving_probability(
            use, hazard_per_day=p.leave_hazard_per_day, use_factor=p.leave_use_factor
        )
        leaves = (leave_draw < leaving) & (in_study > 0.0)
        days_in_study[leaves] = day + 1
        in_study = in_study * (1.0 - leaves)
        clean = (clean + 1.0) * (1.0 - use)
        # 4. Night
        rise = chance_up(
            regime, use, traits.up, push, access,
            onset=w.onset, growth=w.growth, omega=p.omega, nu=p.nu, kappa=p.kappa,
        )  # fmt: skip
        fall = chance_down(
            regime, traits.down, push, recovery=w.recovery, easing=w.easing, nu=p.nu,
            hold_1=0.0 if wants == "stop" else p.hold, hold_2=p.hold if wants == "none" else 0.0,
        )  # fmt: skip
        regime = update_regime(regime, rise, fall, regime_draw)
        tomorrow = update_weekday(weekdays[today], use)
        total, weekdays[today] = total + (tomorrow - weekdays[today]), tomorrow
        habit = update_habit(habit, use, opened, a_h=p.a_h, d_h=p.d_h)
        load = update_load(load, use, tau_a=p.tau_a_day)
        trace = update_fast_trace(trace, use, keep_f=w.keep_f)
        reward = update_reward(reward, use, tau_r=p.tau_r_day, k_r=p.k_r)
        commitment = update_commitment(commitment, use, tau_m=p.tau_m_day, l_m=p.l_m)
        window = decay_window(window, keep_p=w.keep_p)
        tone = decay_serotonin(tone, keep_s=w.keep_s)
        skill = decay_skill(skill, tau_l=p.tau_l_day)
        striatal = raise_efficacy(decay_efficacy(striatal, g_b=p.g_b, keep=v.keep_gc), dose, k_g=v.k_g)
        amygdalar = raise_efficacy(decay_efficacy(amygdalar, g_b=p.g_b, keep=w.keep_gn), dose, k_g=v.k_g)
        prefrontal = raise_efficacy(decay_efficacy(prefrontal, g_b=p.g_b, keep=v.keep_gk), dose, k_g=v.k_g)
        cue = update_cue(cue, cue_noise, phi=p.phi, sigma_x=p.sigma_x)
        incentive = decay_incentive(incentive, keep_i=keep_i)

    before = entry.n_baseline
    return Course(
        use=use_all[:, before:],
        amount=amount_all[:, before:],
        vas=vas_all[:, before:],
        baseline_use=use_all[:, :before],
        baseline_amount=amount_all[:, :before],
        baseline_vas=vas_all[:, :before],
        days_in_study=days_in_study,
        attended=attended,
        states=recorded,
    )


def _medicine(schedule: CourseSchedule, day: int) -> _Column | float:
    """What a standard medicine pushes today. [log odds]"""
    if schedule.medicine is None or schedule.medicine_first is None or schedule.medicine_last is None:
        return 0.0
    return schedule.medicine * ((schedule.medicine_first <= day) & (day <= schedule.medicine_last))
