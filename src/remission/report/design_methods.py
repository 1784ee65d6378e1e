"""The methods of a design in words, assembled from its own facts, with the keys of their sources.

Every sentence is made from a field of the protocol or an option of the command; nothing is written for a trial that is
not in it. A statistician can paste the paragraphs; what they leave open is named in the last one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from remission.library.loader import load_parameter_set
from remission.library.published import trial_citation
from remission.library.references import sources_of
from remission.patient.parameters import DEFAULT_PARAMETER_SET
from remission.patient.pharmacology import pharmacology_of
from remission.protocol.explanation import explain_analysis, explain_arm, explain_multiplicity, explain_visits
from remission.protocol.question import possible_events, strategy_for
from remission.protocol.record import Protocol
from remission.records.substance import Substance
from remission.records.treatment import Arm
from remission.report.design_study import ReportedDesign

__all__ = ["Paragraph", "method_paragraphs", "model_keys", "source_keys", "summary_lines"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph with its heading and the keys of ``references.bib`` behind it."""

    title: str
    text: str
    keys: tuple[str, ...] = ()


def summary_lines(study: ReportedDesign) -> list[tuple[str, str]]:
    """The design in words: name of the part, and a sentence or two."""
    protocol = study.protocol
    sides = [_side(side) for side in (study.analysis.contrast.treatment, study.analysis.contrast.control)]
    sizes = [str(one.population.n_subjects) for one in study.designs]
    return [
        ("Question", _question(study)),
        ("Compared", f"{sides[0]} against {sides[1]}"),
        ("Arms", "; ".join(arm.label for arm in protocol.arms)),
        ("Randomization", _randomization(protocol)),
        ("People", f"{_listed(sizes)}; the protocol says {protocol.population.n_subjects}"),
        ("Primary analysis", _analysis(study)),
        ("Multiplicity", _multiplicity(study)),
        ("Missing data", _missing(study)),
    ]


def estimand_rows(study: ReportedDesign) -> list[tuple[str, str]]:
    """The five attributes, then the strategy of each event that can happen; nothing without an estimand."""
    estimand = study.protocol.estimand
    if estimand is None:
        return []
    rows = [
        ("Treatment", estimand.treatment),
        ("Population", estimand.population),
        ("Variable", estimand.variable),
        ("Intercurrent events", estimand.intercurrent_events),
        ("Population-level summary", estimand.summary),
    ]
    analysis = study.protocol.analysis(estimand.analysis)
    endpoint = study.protocol.endpoint(analysis.endpoint)
    for event in possible_events(study.protocol):
        stated = "" if event in estimand.strategies else " (the protocol is silent; this is how it is counted)"
        rows.append((f"Strategy for {event.replace('-', ' ')}", f"{strategy_for(estimand, event, endpoint)}{stated}"))
    return rows


def method_paragraphs(study: ReportedDesign) -> list[Paragraph]:
    """Methods for a protocol or a paper, part by part; parts that were not used are left out."""
    return [paragraph for paragraph in _paragraphs(study) if paragraph.text]


def source_keys(study: ReportedDesign) -> list[str]:
    """Keys of ``references.bib`` behind the methods and the values of the model."""
    methods = [key for paragraph in method_paragraphs(study) for key in paragraph.keys]
    return sorted({*methods, *model_keys(study.protocol)})


def model_keys(protocol: Protocol) -> list[str]:
    """Keys of the sources behind the values of the model, those of other substances left out."""
    behavior = load_parameter_set(DEFAULT_PARAMETER_SET)
    others = {item.value for item in Substance} - {protocol.substance.value}
    used = tuple(one for one in behavior.parameters if one.id.rpartition(".")[2] not in others)
    return [one.key for one in sources_of(behavior.replace(parameters=used), *pharmacology_of(protocol).parameter_sets)]


def _paragraphs(study: ReportedDesign) -> Iterator[Paragraph]:
    protocol, content = study.protocol, study.content
    population = protocol.population
    yield Paragraph(
        title="Trial",
        text=(
            f"{protocol.title}. {_listed([str(one.population.n_subjects) for one in study.designs])} people with "
            f"{protocol.substance.value} use disorder are randomized to {len(protocol.arms)} arm"
            f"{'s' if len(protocol.arms) > 1 else ''} and followed for {protocol.follow_up_days} days. "
            f"Age has a mean of {population.age.mean_y:g} years (SD {population.age.sd_y:g}, {population.age.low_y:g} "
            f"to {population.age.high_y:g}); {100.0 * population.female_fraction:.0f}% are women. "
            f"{_randomization(protocol)}."
        ),
    )
    yield Paragraph(
        title="Interventions", text=_told([line for arm in protocol.arms for line in _arm_lines(arm, protocol)])
    )
    yield Paragraph(title="Visits", text=_told(explain_visits(protocol)))
    yield Paragraph(title="Outcome and primary analysis", text=f"{_analysis(study)} {_missing(study)}")
    others = [explain_analysis(one).strip() for one in protocol.analyses if one.id != study.analysis.id]
    yield Paragraph(title="Further analyses", text=" ".join(others))
    if protocol.estimand is not None:
        strategies = [
            f"{name.removeprefix('Strategy for ')}, {words.split(' (')[0]}"
            for name, words in estimand_rows(study)
            if name.startswith("Strategy")
        ]
        yield Paragraph(
            title="Estimand",
            text=(
                f"The estimand is the effect of: {protocol.estimand.treatment.rstrip('.')}; in: "
                f"{protocol.estimand.population.rstrip('.')}; on: {protocol.estimand.variable.rstrip('.')}; summarized "
                f"by: {protocol.estimand.summary.rstrip('.')}. Strategies for intercurrent events: "
                f"{'; '.join(strategies) or 'no event can happen'}."
            ),
            keys=("ich2019",),
        )
    yield Paragraph(title="Multiplicity", text=_multiplicity(study))
    rows = study.main_rows
    counts = sorted({row["n_replicates"] for row in rows})
    done = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    yield Paragraph(
        title="Simulation",
        text=(
            "Aim: to find how often the primary analysis succeeds and how well it estimates. Data: each person's days "
            "come from a mechanistic model that links the dose of ketamine, through concentrations, receptors, "
            "plasticity and circuits, to use on each day; the trial sees them through its visits, tests and missing "
            f"data. Each design was simulated {done} times (seed {study.seed}; at most {study.max_replicates:,}, "
            f"stopped from 100 trials on when the Monte Carlo standard error of the rejection share was at most "
            f"{study.mcse:g}). Performance measures are the share of trials with a two-sided p value below "
            f"{study.alpha:g}, with failed analyses counted as no success, the mean estimate and the mean width of the "
            "95% interval, with bias and coverage against the true value by treatment policy; each is given with its "
            "Monte Carlo standard error, which says nothing of the model. People are the same across sizes and arms as "
            "far as the design allows (common random numbers)."
            + (" Treatment and control were made the same, so the share is the type I error." if study.is_null else "")
        ),
        keys=("morris2019",),
    )
    if study.truth is not None and not study.is_null:
        yield Paragraph(
            title="True value",
            text=(
                f"The true value by treatment policy ({study.truth:.3g} {study.effect_unit}) is from "
                f"{study.content['truth_from']}. A rule for missing data that asks another question takes no bias "
                "away; its own value stands beside it where it differs."
            ),
        )
    if content.get("looks"):
        yield Paragraph(title="Interim analyses", text=_looks(content["looks"], study.alpha), keys=("lan1983",))
    if "assurance" in content:
        yield Paragraph(title="Assurance", text=_assurance(content["assurance"]))
    if study.flow.recruitment is not None:
        plan = protocol.recruitment
        assert plan is not None, "a flow has recruitment where its protocol has"
        yield Paragraph(
            title="Recruitment",
            text=(
                f"People are screened by a Poisson process that rises in a straight line over {plan.ramp_days} days to "
                f"{plan.screened_per_day:g} a day; {100.0 * plan.screening_failure:g}% of them fail screening."
            ),
        )
    yield Paragraph(
        title="Flow of people",
        text=(
            f"Counts at each stage are medians, lowest and highest of {study.flow.n_replicates} simulated trials of "
            f"{study.designs[-1].population.n_subjects} people, laid out as the CONSORT statement asks."
        ),
        keys=("moher2010",),
    )
    if "cost" in content:
        yield Paragraph(title="Cost", text=_cost(study), keys=("fieller1954",))
    yield Paragraph(
        title="To be added by hand",
        text=(
            "Eligibility criteria beyond age and substance, consent, concealment of allocation, safety monitoring and "
            "stopping for harm, the data monitoring committee and registration are not part of a simulation."
        ),
    )


def _arm_lines(arm: Arm, protocol: Protocol) -> list[str]:
    name, *rest = explain_arm(protocol, arm)
    return [f"{name.strip().split(' (')[0]}:", *rest]


def _told(lines: list[str]) -> str:
    """Lines as one paragraph, each begun with a capital."""
    return " ".join(f"{line.strip()[:1].upper()}{line.strip()[1:]}" for line in lines)


def _assurance(found: Mapping[str, Any]) -> str:
    text = (
        f"Power was averaged over {found['n_draws']} draws of {len(found['ranges'])} values of the model from their "
        f"priors of the library, independent of each other, with {found['n_replicates']} trials a draw. The priors are "
        "judgement, not a posterior."
    )
    sets = [" and ".join(one["trials"]) or "none, the prior" for one in found.get("given") or []]
    if sets:
        text += f" Draws were weighed by the likelihood of the published outcomes of: {'; '.join(sets)}."
    return text


def _looks(looks: Mapping[str, Any], alpha: float) -> str:
    times = _listed([f"{100.0 * one:g}%" for one in looks["fractions"]])
    bounds = [
        f"{z:.3f} at {100.0 * t:g}%" for t, z in zip(looks["fractions"], looks["z"], strict=True) if z is not None
    ]
    floors = [
        f"z below {low:g} at {100.0 * t:g}%"
        for t, low in zip(looks["fractions"], looks.get("futility_z") or [], strict=False)
        if low is not None
    ]
    futility = f" The trial may stop for futility at {_listed(floors)}; this is not binding." if floors else ""
    return (
        f"The trial is looked at when {times} of the people have their primary window behind them. A two-sided error "
        f"of {alpha:g} is kept by the boundary '{looks.get('boundary', 'error spending')}': |z| of {_listed(bounds)}, "
        f"computed by recursive integration of the score.{futility}"
    )


def _cost(study: ReportedDesign) -> str:
    cost = study.content["cost"]
    whose = "given by the user" if cost["set"] is None else f"read for this country ({cost['set']}), some second-hand"
    text = (
        f"The cost of a complete course was added up from prices in {cost['currency']}, {whose}; a price with a range "
        "was taken at even points of it (Sobol sequence)."
    )
    if cost["left_out"]:
        text += f" Left out, because no price was known: {'; '.join(cost['left_out'])}."
    if "abstinent_day" not in cost:
        return text
    return (
        f"{text} The price of a further abstinent day is the difference of two courses divided by the days gained, "
        f"over {cost['abstinent_day']['n_trials']} trials and {cost['abstinent_day']['n_prices']} points of the "
        "prices, with Fieller's interval for one trial; where a gain of zero is possible at that level the interval "
        "has no upper end. Net benefit is the days gained times what a day may cost, minus the extra cost."
    )


def _question(study: ReportedDesign) -> str:
    estimand = study.protocol.estimand
    if estimand is not None and estimand.analysis == study.analysis.id:
        return f"{estimand.variable.rstrip('.')}: {estimand.treatment}"
    return f"{study.analysis.label}; the protocol states no estimand for it."


def _side(levels: dict[str, str]) -> str:
    return " with ".join(f"{name} {level}" for name, level in levels.items())


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _randomization(protocol: Protocol) -> str:
    if len(protocol.arms) == 1:
        return "One arm, no randomization"
    how, shares = protocol.randomization, [arm.allocation for arm in protocol.arms]
    ratio = "equal shares" if len(set(shares)) == 1 else ":".join(map(str, shares))
    sites = f" at {protocol.setting.n_sites} sites" if protocol.setting.n_sites > 1 else ""
    within = f" within {' and '.join(how.stratify_by)}" if how.stratify_by else ""
    if how.method == "minimization":
        return f"Minimization{within}, the best arm with chance {how.p_best_arm:g}{sites}; {ratio}"
    return f"Permuted blocks of {how.block_size}{within}{sites}; {ratio}"


def _analysis(study: ReportedDesign) -> str:
    endpoint = study.endpoint
    return (
        f"{endpoint.label} (days {endpoint.window.first} to {endpoint.window.last}, {endpoint.unit}). "
        f"{explain_analysis(study.analysis)} Two-sided test at {study.alpha:g}."
    )


def _multiplicity(study: ReportedDesign) -> str:
    gates = explain_multiplicity(study.protocol)
    if gates:
        return (
            f"{' '.join(gates)} Power is given by each analysis's own p value, "
            "and after the whole procedure at the end of the trial; looks and assurance are by its own p value."
        )
    others = len(study.protocol.analyses) - 1
    if not others:
        return "One analysis, one test."
    return (
        f"One analysis decides. The {others} other analyses of the protocol are tested at the same {study.alpha:g} "
        "without correction and are exploratory."
    )


def _missing(study: ReportedDesign) -> str:
    protocol, endpoint = study.protocol, study.endpoint
    rule = {
        "use": "What is not observed counts as use.",
        "observed": "What is not observed is left out.",
    }.get(str(endpoint.missing), f"Missing values are handled by the rule '{endpoint.missing}'.")
    if protocol.setting.retention == "complete":
        return f"{rule} Everyone is followed to the end."
    if protocol.missingness is not None:
        return (
            f"{rule} Leaving and missed visits follow use: strength {protocol.missingness.observed:g} of the week last "
            f"seen, {protocol.missingness.latent:g} of the unseen week."
        )
    return f"{rule} People leave and miss visits more often after a day of use, as the model's values say."


def citation_lines(study: ReportedDesign) -> list[str]:
    """The published trial behind the protocol, where there is one."""
    return [] if study.protocol.evidence is None else [str(trial_citation(study.protocol.evidence))]
