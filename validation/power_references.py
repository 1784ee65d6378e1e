"""Power of the program's tests against exact and asymptotic references, and of its simulated trials as well."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

from remission.analyses.counts import analyze_rate
from remission.analyses.estimate import Estimates
from remission.analyses.hazards import analyze_hazards
from remission.analyses.means import analyze_differences
from remission.analyses.odds import analyze_many_odds
from remission.design.operating import characterize, simulate_design
from remission.design.stops import plan_stops
from remission.design.variants import null_protocol, one_analysis, resize_protocol
from remission.library.protocols import load_protocol
from remission.patient.backgrounds import course_parameters_of
from remission.trial.simulate import simulate_trial
from validation.exact_sizes import binomial_power, count_power, hazard_power, normal_power

ALPHA = 0.05
_Table = Float[np.ndarray, "replicate subject"]
Analyze = Callable[[_Table, Bool[np.ndarray, "replicate subject"]], Estimates]


def means(values: _Table, treated: Bool[np.ndarray, "replicate subject"]) -> Estimates:
    """The least-squares difference without adjustment."""
    return analyze_differences(values, np.ones_like(treated), treated, np.zeros((len(values), 0, values.shape[1])))


def odds(values: _Table, treated: Bool[np.ndarray, "replicate subject"]) -> Estimates:
    """The odds ratio of the two-by-two table."""
    return analyze_many_odds(values, np.ones_like(treated), treated, np.zeros((len(values), 0, values.shape[1])))


def sides(n_replicates: int, n_1: int, n_0: int) -> Bool[np.ndarray, "replicate subject"]:
    """Who is treated."""
    return np.broadcast_to(np.arange(n_1 + n_0) < n_1, (n_replicates, n_1 + n_0))


def share_below(found: Estimates) -> tuple[float, float]:
    """Share of rejections and its error."""
    share = float((found.p_value < ALPHA).mean())
    return share, float(np.sqrt(max(share * (1.0 - share), 1e-4) / found.p_value.size))


def normal_share(n_replicates: int, difference: float, n_1: int, n_0: int, seed: int) -> tuple[float, float]:
    """Normal outcomes through the program's analysis."""
    treated = sides(n_replicates, n_1, n_0)
    values = np.random.default_rng(seed).standard_normal(treated.shape) + difference * treated
    return share_below(means(values, treated))


def binomial_share(n_replicates: int, p_1: float, p_0: float, n_1: int, n_0: int, seed: int) -> tuple[float, float]:
    """Events through the program's analysis."""
    treated = sides(n_replicates, n_1, n_0)
    values = (np.random.default_rng(seed).random(treated.shape) < np.where(treated, p_1, p_0)) * 1.0
    return share_below(odds(values, treated))


def hazard_share(n_replicates: int, ratio: float, n_1: int, n_0: int, seed: int) -> tuple[float, float, float]:
    """Exponential times cut at day 180 through the program's analysis, and the mean number of events."""
    treated = sides(n_replicates, n_1, n_0)
    waits = np.random.default_rng(seed).exponential(90.0, treated.shape) / np.where(treated, ratio, 1.0)
    days = np.ceil(np.minimum(waits, 180.0))
    event = waits <= 180.0
    nothing = np.zeros((n_replicates, 0, treated.shape[1]))
    found = analyze_hazards(days, event, np.ones_like(treated), treated, nothing)
    return *share_below(found), float(event.sum(axis=1).mean())


def count_share(
    n_replicates: int, ratio: float, mean_0: float, dispersion: float, n_1: int, n_0: int, seed: int
) -> tuple[float, float]:
    """Negative-binomial counts over 30 days through the program's analysis."""
    treated = sides(n_replicates, n_1, n_0)
    generator = np.random.default_rng(seed)
    rate = generator.gamma(1.0 / dispersion, dispersion, treated.shape) * mean_0 * np.where(treated, ratio, 1.0)
    counts = generator.poisson(rate) * 1.0
    days, nothing = np.full(treated.shape[1], 30.0), np.zeros((treated.shape[1], 0))
    return share_below(Estimates.of([analyze_rate(one, days, treated[0], nothing) for one in counts]))


def power_lines(scale: float, seed: int) -> list[str]:
    """The page's sections on power, looks and simulated trials."""
    many = max(200, round(20_000 * scale))
    lines = [
        "## Power on data with a known law",
        "",
        "Data of a known law go through the analyses of the program.",
        "Exact references must agree within four standard errors, asymptotic ones within .03.",
        "",
        "| test | data | power | reference | value |",
        "|---|---|---|---|---|",
    ]
    for difference, n_1, n_0 in ((0.5, 48, 48), (0.8, 20, 40)):
        share, error = normal_share(many, difference, n_1, n_0, seed)
        exact = normal_power(difference, 1.0, n_1, n_0)
        lines.append(
            _line("t test", f"normal, {difference} SD, {n_1} and {n_0} people", share, error, "noncentral t", exact)
        )
    for p_1, p_0, n_1, n_0 in ((0.48, 0.11, 27, 28), (0.6, 0.4, 80, 80), (0.3, 0.05, 20, 40)):
        share, error = binomial_share(many, p_1, p_0, n_1, n_0, seed)
        exact = binomial_power([(n_1, p_1)], [(n_0, p_0)])
        lines.append(_line("odds ratio", f"{p_1} v {p_0}, {n_1} and {n_0} people", share, error, "enumeration", exact))
    for ratio, n_1, n_0 in ((0.6, 60, 60), (0.5, 40, 80)):
        share, error, events = hazard_share(many // 4, ratio, n_1, n_0, seed)
        near = hazard_power(ratio, events, n_1 / (n_1 + n_0))
        lines.append(
            _line("Cox regression", f"hazard ratio {ratio}, {n_1} and {n_0} people", share, error, "Schoenfeld", near)
        )
    for ratio, mean, dispersion, n_1, n_0 in ((0.6, 8.0, 0.8, 80, 80), (0.5, 3.0, 0.5, 30, 60)):
        share, error = count_share(many // 20, ratio, mean, dispersion, n_1, n_0, seed)
        near = count_power(ratio, mean, dispersion, n_1, n_0)
        data = f"ratio {ratio} of {mean:g} days, dispersion {dispersion}, {n_1} and {n_0} people"
        lines.append(_line("quasi-Poisson", data, share, error, "normal approximation", near))
    return [*lines, "", *trial_lines(scale, seed), "", *look_lines(scale, seed)]


def trial_lines(scale: float, seed: int) -> list[str]:
    """Simulated trials whose outcome has a law that is known once its parameters are."""
    lines = [
        "## Power of simulated trials",
        "",
        "The same references with the shares, means and spreads that the trials themselves have.",
        "Outcomes of the model are not normal, so the t reference is an approximation here.",
        "People are independent, so the enumeration is exact up to the error of the shares.",
        "",
        "| test | trial | power | reference | value |",
        "|---|---|---|---|---|",
    ]
    n = max(100, round(4000 * scale))
    kare = one_analysis(load_protocol("kare"), "pda-extremes")
    found = simulate_trial(kare, n_replicates=n, seed=seed, parameters=course_parameters_of(kare))
    share, error = share_below(found.estimates["pda-extremes"])
    arms = found.arms["pda"]
    (first, last), sizes = (0, 3), arms.n.mean(axis=0)
    sd = np.sqrt(np.nanmean(arms.sd[:, [first, last]] ** 2))
    away = float(np.nanmean(arms.mean[:, first]) - np.nanmean(arms.mean[:, last]))
    near = normal_power(away, float(sd), round(sizes[first]), round(sizes[last]))
    lines.append(_line("t test", "kare, extreme arms", share, error, "noncentral t", near))
    cocaine = one_analysis(load_protocol("dakwar-2019"), "abstinence-ketamine")
    found = simulate_trial(cocaine, n_replicates=n, seed=seed, parameters=course_parameters_of(cocaine))
    share, error = share_below(found.estimates["abstinence-ketamine"])
    arms = found.arms["abstinent-last-2-weeks"]
    p = (arms.mean * arms.n).sum(axis=0) / arms.n.sum(axis=0)
    exact = float(np.mean([binomial_power([(int(a), p[0])], [(int(b), p[1])]) for a, b in arms.n]))
    lines.append(_line("odds ratio", "dakwar-2019, abstinent for two weeks", share, error, "enumeration", exact))
    return lines


def look_lines(scale: float, seed: int) -> list[str]:
    """Type I error of trials with looks."""
    lines = [
        "## Type I error with looks",
        "",
        "Trials without an effect are looked at in the calendar.",
        "The alcohol trial has 96 people, a window of half a year, and one person screened in two days.",
        "The cocaine trial has 56 people, a window of five weeks, and one person screened in ten days.",
        "Futility stops are not binding and can only lower the error.",
        "The cocaine trial's test is the two-by-two table, which is conservative without looks too (above).",
        "Futility below 0 takes away most rejections on the side of harm, which are half of a two-sided error.",
        "With a long window everybody has entered before the first look, which then saves days and no people.",
        "",
        "| trial | boundary | looks | trials | type I error | expected people | expected days |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    three, two = (1 / 3, 2 / 3, 1.0), (0.5, 1.0)
    for name, n, per_day, boundary, looks, futility in (
        ("kare", 96, 0.5, "obrien-fleming", three, {}),
        ("kare", 96, 0.5, "pocock", three, {}),
        ("kare", 96, 0.5, "obrien-fleming", two, {0.5: 0.0}),
        ("dakwar-2019", 56, 0.1, "obrien-fleming", two, {}),
        ("dakwar-2019", 56, 0.1, "classical-pocock", two, {0.5: 0.0}),
    ):
        null = null_protocol(resize_protocol(load_protocol(name), n))
        null = one_analysis(null, null.analyses[0].id).replace(recruitment={"screened_per_day": per_day})
        rule = plan_stops(looks, futility=futility, boundary=boundary)
        run = simulate_design(null, max_replicates=max(100, round(10_000 * scale)), mcse=1e-6, seed=seed, rule=rule)
        found = characterize(null, run)[0].sequential
        assert found is not None
        assert found.duration_day is not None
        at = ", ".join(f"{look:.2g}" for look in looks) + (" and futility at 0.5" if futility else "")
        error, count = found.rejected, run.decided(null.analyses[0].id).n
        lines.append(
            f"| {name} | {boundary} | {at} | {count:,} | {error.value:.4f} ± {error.mcse:.4f} | {found.n.value:.1f} "
            f"| {found.duration_day.value:.0f} |"
        )
    return lines


def _line(test: str, data: str, share: float, error: float, reference: str, value: float) -> str:
    return f"| {test} | {data} | {share:.4f} ± {error:.4f} | {reference} | {value:.4f} |"
