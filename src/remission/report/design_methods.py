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
from remission.numerics.digits import from_to
from remission.patient.backgrounds import values_of_people
from remission.patient.parameters import DEFAULT_PARAMETER_SET
from remission.patient.pharmacology import pharmacology_of
from remission.protocol.explanation import explain_analysis, explain_arm, explain_multiplicity, explain_visits
from remission.protocol.question import possible_events, strategy_for
from remission.protocol.record import Protocol
from remission.records.treatment import Arm
from remission.report.design_study import ReportedDesign
from remission.report.words import WORDS

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
    used = values_of_people(protocol, behavior)
    return [one.key for one in sources_of(behavior.replace(parameters=used), *pharmacology_of(protocol).parameter_sets)]


def _paragraph(part: str, text: str | None = None, **fields: object) -> Paragraph:
    """A part of the methods by its form in ``library/words/report.toml``, or with a text of its own."""
    form = WORDS["methods"][part]
    words = form["text"].format(**fields) if text is None else text
    return Paragraph(title=form["title"], text=words, keys=tuple(form.get("keys", ())))


def _paragraphs(study: ReportedDesign) -> Iterator[Paragraph]:
    protocol, content, form = study.protocol, study.content, WORDS["methods"]
    population = protocol.population
    yield _paragraph(
        "trial",
        protocol=protocol,
        population=population,
        sizes=_listed([str(one.population.n_subjects) for one in study.designs]),
        n_arms=f"{len(protocol.arms)} arm{'s' if len(protocol.arms) > 1 else ''}",
        percent_women=100.0 * population.female_fraction,
        randomization=_randomization(protocol),
    )
    yield _paragraph("interventions", _told([line for arm in protocol.arms for line in _arm_lines(arm, protocol)]))
    yield _paragraph("visits", _told(explain_visits(protocol)))
    yield _paragraph("primary", f"{_analysis(study)} {_missing(study)}")
    others = [explain_analysis(one).strip() for one in protocol.analyses if one.id != study.analysis.id]
    yield _paragraph("further", " ".join(others))
    if protocol.estimand is not None:
        strategies = [
            f"{name.removeprefix('Strategy for ')}, {words.split(' (')[0]}"
            for name, words in estimand_rows(study)
            if name.startswith("Strategy")
        ]
        parts = ("treatment", "population", "variable", "summary")
        yield _paragraph(
            "estimand",
            **{name: getattr(protocol.estimand, name).rstrip(".") for name in parts},
            strategies="; ".join(strategies) or "no event can happen",
        )
    yield _paragraph("multiplicity", _multiplicity(study))
    counts = sorted({row["n_replicates"] for row in study.main_rows})
    null = form["simulation"]["null"] if study.is_null else ""
    yield _paragraph("simulation", study=study, done=from_to(counts[0], counts[-1]), null=null)
    if study.truth is not None and not study.is_null:
        yield _paragraph("truth", study=study, truth_from=content["truth_from"])
    if content.get("looks"):
        yield _looks(content["looks"], study.alpha)
    if "assurance" in content:
        yield _assurance(content["assurance"])
    if study.flow.recruitment is not None:
        plan = protocol.recruitment
        assert plan is not None, "a flow has recruitment where its protocol has"
        yield _paragraph("recruitment", plan=plan, percent_failing=100.0 * plan.screening_failure)
    yield _paragraph("flow", study=study, n_people=study.designs[-1].population.n_subjects)
    if "cost" in content:
        yield _cost(content["cost"])
    yield _paragraph("by_hand")


def _arm_lines(arm: Arm, protocol: Protocol) -> list[str]:
    name, *rest = explain_arm(protocol, arm)
    return [f"{name.strip().split(' (')[0]}:", *rest]


def _told(lines: list[str]) -> str:
    """Lines as one paragraph, each begun with a capital."""
    return " ".join(f"{line.strip()[:1].upper()}{line.strip()[1:]}" for line in lines)


def _assurance(found: Mapping[str, Any]) -> Paragraph:
    sets = "; ".join(" and ".join(one["trials"]) or "none, the prior" for one in found.get("given") or [])
    return _paragraph(
        "assurance",
        n_draws=found["n_draws"],
        n_values=len(found["ranges"]),
        source=found["source"],
        n_replicates=found["n_replicates"],
        weighed=WORDS["methods"]["assurance"]["weighed"].format(sets=sets) if sets else "",
    )


def _looks(looks: Mapping[str, Any], alpha: float) -> Paragraph:
    times = [f"{100.0 * one:g}%" for one in looks["fractions"]]
    bounds = [f"{z:.3f} at {time}" for time, z in zip(times, looks["z"], strict=True) if z is not None]
    floors = [
        f"z below {low:g} at {time}"
        for time, low in zip(times, looks.get("futility_z") or [], strict=False)
        if low is not None
    ]
    return _paragraph(
        "looks",
        times=_listed(times),
        alpha=alpha,
        boundary=looks.get("boundary", "error spending"),
        bounds=_listed(bounds),
        futility=WORDS["methods"]["looks"]["futility"].format(floors=_listed(floors)) if floors else "",
    )


def _cost(cost: Mapping[str, Any]) -> Paragraph:
    form, left_out = WORDS["methods"]["cost"], "; ".join(cost["left_out"])
    return _paragraph(
        "cost",
        currency=cost["currency"],
        whose=form["own"] if cost["set"] is None else form["read"].format(set=cost["set"]),
        left_out=form["left_out"].format(left_out=left_out) if left_out else "",
        day=form["day"].format(**cost["abstinent_day"]) if "abstinent_day" in cost else "",
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
    form, gates = WORDS["methods"]["multiplicity"], explain_multiplicity(study.protocol)
    others = len(study.protocol.analyses) - 1
    kind = "gated" if gates else "others" if others else "single"
    text: str = form[kind].format(gates=" ".join(gates), others=others, alpha=study.alpha)
    return text


def _missing(study: ReportedDesign) -> str:
    form, protocol, rule = WORDS["methods"]["missing"], study.protocol, str(study.endpoint.missing)
    followed = "follows" if protocol.missingness is not None else "usual"
    kind = "complete" if protocol.setting.retention == "complete" else followed
    what: str = form[rule] if rule in {"use", "observed"} else form["rule"].format(rule=rule)
    return what + form[kind].format(found=protocol.missingness)


def citation_lines(study: ReportedDesign) -> list[str]:
    """The published trial behind the protocol, where there is one."""
    return [] if study.protocol.evidence is None else [str(trial_citation(study.protocol.evidence))]
