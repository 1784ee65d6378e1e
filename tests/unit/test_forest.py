"""Forest plots: every number drawn, its kind visible, the same bytes each time."""

import re
from pathlib import Path

import pytest
from matplotlib.colors import same_color

from remission.evidence.classes import endpoint_classes
from remission.evidence.contrasts import FIRST_HAND, ContrastGroup, find_endpoint, outcomes_of, pool_group
from remission.evidence.registry import EvidenceRegistry, load_evidence
from remission.evidence.verdicts import verdicts_of
from remission.records.evidence import StudyOutcome
from remission.report.evidence_text import pooled_text, value_text
from remission.report.forest import forest_chart, forest_rows, save_forest
from remission.report.look import INK

REGISTRY = load_evidence()
PLOTS = [
    (substance, endpoint)
    for substance in REGISTRY.substances()
    for endpoint in endpoint_classes()
    if endpoint != "other"
    and (
        outcomes_of(REGISTRY, substance=substance, endpoint=endpoint)
        or verdicts_of(REGISTRY, substance=substance, endpoint=endpoint)
    )
]
THREE = ("grabski_2022_kare", "dakwar_2019_cocaine", "johnson_2013")


def made_up_registry() -> EvidenceRegistry:
    """Three made-up trials with one comparable odds ratio each, and one press number."""
    fields = {
        "arm_or_contrast": "Ketamine vs midazolam", "endpoint": "relapse", "time_days": 180, "statistic": "odds ratio",
        "sd": None, "n": 50, "source_url": "made up", "source_kind": "abstract or registry",
    }  # fmt: skip
    numbers = [(0.5, 0.25, 1.0), (0.8, 0.4, 1.6), (0.4, 0.2, 0.8)]
    studies = []
    for study_id, (value, low, high) in zip(THREE, numbers, strict=True):
        study = next(one for one in REGISTRY.studies if one.id == study_id)
        item = StudyOutcome.from_dict({**fields, "value": value, "ci_low": low, "ci_high": high})
        press = StudyOutcome.from_dict(
            {**fields, "value": 0.1, "ci_low": None, "ci_high": None, "source_kind": "press"}
        )
        studies.append(study.replace(substance="alcohol", outcomes=(item, press) if study_id == THREE[0] else (item,)))
    return EvidenceRegistry(studies=tuple(studies), care=())


@pytest.mark.parametrize(("substance", "endpoint"), PLOTS)
def test_every_number_is_drawn_with_the_mark_of_its_kind(substance: str, endpoint: str) -> None:
    """A press number with a filled diamond, or a number left out, would be a lie told by a picture."""
    chart = forest_chart(REGISTRY, substance=substance, endpoint=endpoint)
    rows = outcomes_of(REGISTRY, substance=substance, endpoint=endpoint)
    words = verdicts_of(REGISTRY, substance=substance, endpoint=endpoint)
    drawn = sorted(
        (float(line.get_xdata()[0]), same_color(line.get_markerfacecolor(), INK))
        for axes in chart.figure.axes
        for line in axes.lines
        if line.get_marker() == "D"
    )
    assert sorted((float(item.value or 0.0), item.is_first_hand) for _, item in rows) == drawn
    texts = [text.get_text() for axes in chart.figure.axes for text in axes.texts]
    for kind in ("secondary", "press", "derived"):
        expected = sum(item.source_kind == kind for _, item in rows) + sum(one.source_kind == kind for one in words)
        assert expected == sum(bool(re.search(rf"  {kind}$", text)) for text in texts)
    assert len(chart.table.rows) == len(rows) + len(words)
    # A null without a number is a row, before every number.
    assert [one.text for one in words] == [text for text in texts if text in {one.text for one in words}]
    assert [row[6] for row in chart.table.rows][: len(words)] == [one.says for one in words]


def test_intervals_of_other_kinds_are_dashed() -> None:
    """Shape and dash carry the meaning without color."""
    chart = forest_chart(REGISTRY, substance="alcohol", endpoint="days-abstinent")
    axes = next(one for one in chart.figure.axes if "percentage points" in one.get_title(loc="left"))
    lines = [line for line in axes.lines if line.get_marker() == "None" and line.get_color() == INK]
    # The null of the secondary source stands first.
    assert [str(line.get_linestyle()) for line in lines] == ["--", "-", "-"]


def test_single_arms_have_no_line_of_no_effect() -> None:
    """An arm alone has no effect, so a line of none would invent one."""
    chart = forest_chart(REGISTRY, substance="cocaine", endpoint="abstinence")
    for axes in chart.figure.axes:
        has_line = any(text.get_text() == "no effect" for text in axes.texts)
        assert has_line == axes.get_title(loc="left").startswith("Contrasts")


def test_a_pooled_result_is_drawn_with_both_intervals_where_it_is_allowed() -> None:
    """The press number stays visible and stays out of the pooled one."""
    registry = made_up_registry()
    chart = forest_chart(registry, substance="alcohol", endpoint="relapse")
    assert "1 comparison pooled" in chart.title
    assert "press" in chart.cannot
    axes = chart.figure.axes[0]
    assert any(text.get_text().startswith("pooled") for text in axes.texts)
    assert len(axes.patches) == 1
    assert [row[7] for row in chart.table.rows].count("press") == 1


def test_pooled_text_is_on_the_scale_of_the_rows() -> None:
    """A log odds ratio printed as an odds ratio is wrong by a factor of e to the something."""
    registry = made_up_registry()
    rows = outcomes_of(registry, substance="alcohol", endpoint="relapse")
    from remission.evidence.contrasts import Contrast

    contrasts = [Contrast(study=study, outcome=item, comparison="made up") for study, item in rows]
    group: ContrastGroup = pool_group(contrasts, endpoint=find_endpoint("relapse"), source_kinds=FIRST_HAND)
    # The geometric mean of three odds ratios with equal errors.
    assert f"Pooled, 3 contrasts: {(0.5 * 0.8 * 0.4) ** (1 / 3):.3g} (" in pooled_text(group)


def test_a_range_is_not_called_an_interval() -> None:
    """Bounds of visit means are no confidence interval; the word says so."""
    kare = next(study for study in REGISTRY.studies if study.id == "grabski_2022_kare")
    plasma = next(item for item in kare.outcomes if item.statistic == "ng/mL")
    assert value_text(plasma) == "63.4 (range 60.3 to 66.5)"
    yoon = next(study for study in REGISTRY.studies if study.id == "yoon_2019_ntx_ket")
    assert value_text(yoon.outcomes[0]) == "57 to 92 (range)"
    das = next(study for study in REGISTRY.studies if study.id == "das_2019_reconsolidation")
    assert value_text(next(item for item in das.outcomes if item.value is None)) == "\u2013"


def test_figures_are_the_same_bytes_each_time_and_hold_no_address(tmp_path: Path) -> None:
    """A figure that changes without its data cannot be checked; SVG namespaces are the only addresses it may hold."""
    for name in ("a.svg", "b.svg"):
        save_forest(forest_chart(REGISTRY, substance="alcohol", endpoint="relapse"), tmp_path / name)
    first, second = (tmp_path / name for name in ("a.svg", "b.svg"))
    assert first.read_bytes() == second.read_bytes()
    hosts = set(re.findall(r"https?://([^/\"]+)", first.read_text("utf-8")))
    assert hosts <= {"www.w3.org", "purl.org", "creativecommons.org", "matplotlib.org"}
    save_forest(forest_chart(REGISTRY, substance="alcohol", endpoint="relapse"), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_rows_keep_the_kind_of_every_number() -> None:
    """The table is what a screen reader reads: the kind must be in it."""
    rows = forest_rows(REGISTRY, substance="alcohol", endpoint="days-abstinent")
    assert {row[7] for row in rows} == {"abstract or registry", "secondary", "press", "derived"}


def test_a_harm_is_named_in_the_picture_and_its_table() -> None:
    """Days abstinent fell on trazodone: a diamond left of a line says so only to who knows which side is better."""
    chart = forest_chart(REGISTRY, substance="alcohol", endpoint="days-abstinent")
    row = next(row for row in chart.table.rows if row[0] == "friedmann_2008_trazodone")
    assert row[-1] == "harm"
    texts = [text.get_text() for axes in chart.figure.axes for text in axes.texts]
    assert any(text.startswith("-0.12 (-0.15 to -0.09)\nharm") for text in texts)
    # The same words for a favorable number, and for a result in words.
    assert any(text.startswith("10.1 (1.1 to 19)\nfavors treatment") for text in texts)
    assert next(row for row in chart.table.rows if row[0] == "dakwar_2020_aud")[-1] == "favors treatment"
