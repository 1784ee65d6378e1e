"""The report: true to the result, the same bytes each time, nothing from a network, no number without its kind."""

import base64
import hashlib
import html
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from validation.small_trials import small_protocol

from remission.cli.table import simulated_text
from remission.library.protocols import load_protocol
from remission.numerics.digits import decimals_of, error_digit
from remission.patient.course import STATES
from remission.protocol.record import Protocol
from remission.records.substance import Substance
from remission.report.document import trial_limits
from remission.report.look import LEAST_PX, arm_styles
from remission.report.words import ESTABLISHED, STATE_LABELS, read_as
from remission.report.write import write_report
from remission.trial.result import TrialResult
from remission.trial.simulate import simulate_trial
from remission.trial.summary import summarize_trial

VERSIONS = {"python": "3", "remission": "0"}


def written(result: TrialResult, folder: Path) -> str:
    folder.mkdir()
    write_report(result, folder, command="remission run x", versions=VERSIONS)
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def cocaine() -> TrialResult:
    return simulate_trial(load_protocol("dakwar-2019"), n_replicates=12, seed=4)


@pytest.fixture(scope="module")
def cocaine_page(cocaine: TrialResult, tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(cocaine, tmp_path_factory.mktemp("report") / "run")


def test_the_same_result_gives_the_same_bytes(tmp_path: Path) -> None:
    """A date or a random id in a picture would make every run another run."""
    result = simulate_trial(small_protocol(), n_replicates=3, seed=4)
    hashes = []
    for name in ("one", "other"):
        written(result, tmp_path / name)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        hashes.append([(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files])
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 11


def test_without_figures_the_page_says_so(
    cocaine: TrialResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installation of the core has results and no pictures; a page with a hole would look broken."""
    monkeypatch.setattr("remission.report.write.has_extra", lambda extra: extra != "plots")
    page = written(cocaine, tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["report.html"]
    assert "pip install &#39;remission[plots]&#39;" in page or "pip install 'remission[plots]'" in page
    assert "<figure" not in page


def test_published_numbers_stand_beside_simulated_with_their_kind(cocaine: TrialResult, cocaine_page: str) -> None:
    """Every published number of the summary is on the page, followed by how it was read."""
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", cocaine_page))
    rows = [row for row in summarize_trial(cocaine).rows if row.published is not None]
    assert rows
    for row in rows:
        assert row.published is not None
        value = f"{row.published.value:g} ({row.published.ci_low:g} to {row.published.ci_high:g})"
        assert f"{value} {read_as(row.published.source_kind)}" in text, value


def test_the_page_loads_nothing_and_runs_only_what_its_policy_names(cocaine_page: str) -> None:
    """A report is mailed and opened years later, perhaps without a network, perhaps with patients in the room."""
    policy = html.unescape(re.findall(r'Content-Security-Policy" content="([^"]+)"', cocaine_page)[0])
    assert policy.startswith("default-src 'none'")
    assert "'unsafe-inline'" not in policy.partition("script-src")[2]
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", cocaine_page, re.DOTALL)
    sums = [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for _, text in scripts]
    assert policy.partition("script-src ")[2] == " ".join(sums)
    assert {given for given, _ in scripts} == {""}, "a script with an address, or of another kind"
    assert not re.search(r"fetch\(|XMLHttpRequest|https?:|import\s", "".join(text for _, text in scripts))
    addresses = re.findall(r'(?:src|href)="([^"]+)"', cocaine_page) + re.findall(r"url\(([^)]+)\)", cocaine_page)
    assert all(address.startswith(("#", "data:")) for address in addresses)


def test_figures_are_drawn_for_two_widths_with_letters_that_can_be_read(cocaine_page: str) -> None:
    """A report is opened on a telephone too: eleven pixels in a page and on a phone, or the frame scrolls."""
    panels = re.findall(r'<div class="panel".*?<figcaption>', cocaine_page, re.DOTALL)
    assert len(panels) >= 4
    assert sum("chart-narrow" in panel for panel in panels) >= len(panels) - 1, "only the circuits stay wide"
    for svg in re.findall(r"<svg [^>]*width=.*?</svg>", "".join(panels), re.DOTALL):
        own = float(re.findall(r'\bwidth="([\d.]+)"', svg)[0])
        view = float(re.findall(r'viewBox="0 [\d.]+ ([\d.]+)', svg)[0])
        for frame in (288.0, 736.0, 1040.0):
            sizes = [float(one) * max(own, frame) / view for one in re.findall(r'font-size="([\d.]+)', svg)]
            assert min(sizes) >= LEAST_PX - 0.05


def test_limits_safety_and_established_treatments_are_on_the_page(cocaine_page: str) -> None:
    """The sentences that must stand wherever a result is shown."""
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", cocaine_page)).replace("&#39;", "'")
    for sentence in (*trial_limits(), ESTABLISHED["cocaine"]):
        assert sentence in text
    for word in (
        "can kill",
        "naloxone",
        "not medical advice",
        "contingency management",
        "10.1176/appi.ajp.2019.18101123",
    ):
        assert word in text


def test_sources_are_identifiers_not_addresses_of_copies(cocaine_page: str) -> None:
    """Citations shown to people are DOI, PMID or registry number."""
    text = re.sub(r'xmlns(:\w+)?="[^"]+"', "", cocaine_page)
    assert not re.search(r"https?://", text)


def test_every_substance_has_its_established_treatments() -> None:
    """Whatever substance is simulated, its treatments stand beside it."""
    assert set(ESTABLISHED) == {substance.value for substance in Substance}


def test_every_state_has_a_name() -> None:
    """A state without a label would be drawn with a bare letter."""
    assert set(STATE_LABELS) == set(STATES)


def test_arms_have_the_colors_of_their_meaning() -> None:
    """Ketamine with therapy, ketamine, therapy, neither: indigo, blue, teal, grey, in every figure."""
    kinds = [style.kind for style in arm_styles(load_protocol("kare"))]
    assert kinds == [0, 1, 2, 3]
    assert [style.kind for style in arm_styles(load_protocol("cold-turkey-opioid"))] == [3]
    assert len({style.color for style in arm_styles(many_arms())}) == 12


def many_arms() -> Protocol:
    base = small_protocol()
    arms = [base.arms[0].replace(id=f"arm-{n}", label=f"Arm {n}", factors={"drug": f"k{n}"}) for n in range(12)]
    return base.replace(arms=tuple(arms), analyses=(), randomization={"block_size": 12})


def contrast(one: str, other: str) -> float:
    """WCAG contrast ratio."""

    def luminance(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255.0 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_text_in_arm_colors_can_be_read() -> None:
    """Direct labels are text: 4.5 to 1 against the paper."""
    for style in arm_styles(load_protocol("kare")):
        assert contrast(style.color, "#fdfcf9") >= 4.5, style.color


@pytest.mark.parametrize("name", ["cold-turkey-alcohol", "many"])
def test_trials_of_other_shapes_have_a_report(name: str, tmp_path: Path) -> None:
    """One arm without drug, and twelve arms: no empty chart, no crash."""
    protocol = many_arms() if name == "many" else load_protocol(name)
    if name != "many":
        protocol = protocol.replace(population=protocol.population.replace(n_subjects=20))
    page = written(simulate_trial(protocol, n_replicates=3, seed=4), tmp_path / "run")
    charts = re.findall(r'<figure id="chart-(\w+)"', page)
    assert ("session" in charts) == (name == "many")
    for chart in charts:
        pixels = np.asarray(Image.open(tmp_path / "run" / "figures" / f"{chart}.png").convert("L"))
        assert pixels.std() > 5.0, f"{chart} looks empty"


@pytest.mark.parametrize(
    ("error", "digits"), [(0.2, 1), (0.04, 2), (0.0004, 3), (3.0, 0), (12.0, 0), (0.0, 1), (float("nan"), 1)]
)
def test_digits_follow_the_error(error: float, digits: int) -> None:
    """A simulated number with more digits than its error supports claims what nobody knows."""
    assert decimals_of(error) == digits


def test_an_error_is_a_plain_number() -> None:
    """Nobody reads 2e+01 as 20, and minus nothing is no number."""
    said = {0.044: "0.04", 0.95: "0.9", 1.0: "1", 4e-18: "0", 17.3: "20", 96.0: "100", 12_345.0: "10,000"}
    assert {error: error_digit(error) for error in said} == said
    assert simulated_text({"simulated": {"mean": -0.2, "low": -14.0, "high": 9.0, "mcse": 11.0}}) == (
        "0 (-14 to 9) \u00b1 10"
    )
