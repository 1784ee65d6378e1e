"""The bench of blinding held to worked numbers, public data and published effects; writes the page of its validation.

Usage: ``python -m validation.blinding_bench`` (``make blinding``); about a minute on one core. Tables of
``../shared/data/blinding`` are read where they are; none of them is copied.
"""

import gzip
import json
import time
from collections.abc import Iterator, Sequence
from math import exp, isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from remission.blinding.bench import BenchResult, run_bench
from remission.blinding.finished import GuessesResult, analyze_finished
from remission.blinding.indices import bang_index, james_index
from remission.blinding.table import trial_of_groups
from remission.exchange.guesses import read_guesses
from remission.library.blinding import load_blinding_trial
from remission.records.blinding import BlindingTrial
from remission.records.guesses import GuessFile
from remission.report.blinding_words import bench_rows, bench_sentences, doubt_rows
from validation.one_world import IDS, published, table

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "validation" / "blinding-bench.md"
SHARED = ROOT.parent / "shared" / "data" / "blinding"
LOWER = {"STAIT", "QIDS"}
SIDES = {"MD": "drug", "PL": "control"}


def rows_of(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """A table in Markdown."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(str(cell) for cell in row)} |"


def indices() -> Iterator[str]:
    """Six worked tables."""
    yield from ("## Indices equal to worked numbers", "")
    if not SHARED.is_dir():
        yield "The worked tables were not at hand when this page was written."
        return
    rows = []
    for case in json.loads((SHARED / "blinding_index.json").read_text("utf-8"))["cases"]:
        counts = np.array(case["x"], dtype=float)
        found = [james_index(counts), bang_index(counts, 0), bang_index(counts, 1)]
        told = [case[name] for name in ("james", "bang_treatment", "bang_placebo")]
        gap = max(
            abs(a - b)
            for one, other in zip(found, told, strict=True)
            for a, b in zip((one.value, one.se, one.low, one.high), other, strict=True)
        )
        rows.append((case["id"].split(" (", maxsplit=1)[0], *(f"{one.value:.6f}" for one in found), f"{gap:.1e}"))
    yield "Estimate, standard error and interval of James and of both of Bang, against the printed six digits."
    yield ""
    yield from rows_of(("table", "James", "Bang, drug", "Bang, control", "largest difference"), rows)


def toy_of(effect: float, report: float, better: float) -> BlindingTrial:
    """The made-up people of the toy results; guesses follow what is felt, and improvement where ``better`` is 1."""
    chance = [1.0 / (1.0 + exp(1.0)), 1.0 / (1.0 + exp(-1.0))]
    return BlindingTrial.from_dict({
        "id": "toy", "people": 20_000, "trials": 100, "asked": [1], "worlds": ["works-felt"],
        "effect": {"law": "difference", "difference": effect, "sd": 1, "better": "higher"},
        "drug": {"mean": 1, "sd": 0.7}, "controls": [{"id": "control", "experience": {"sd": 0.4}}],
        "guess": {"unfelt": chance[0], "felt": chance[1], "better": better}, "belief": {"report": report},
    })  # fmt: skip


TOYS = (
    ("effect .50, guesses follow what is felt", "within .50", (0.5, 0.0, 0.0)),
    ("effect .50, guesses follow improvement too", "within .20", (0.5, 0.0, 1.0)),
    ("inert, expectancy .5", "naive .20, within .00", (0.0, 0.5, 0.0)),
    ("inert, expectancy .5, guesses follow improvement too", "within -.24", (0.0, 0.5, 1.0)),
)


def toys() -> Iterator[str]:
    """Two million made-up people a row."""
    yield from ("## The toy results", "")
    rows = []
    for words, told, numbers in TOYS:
        found = run_bench(toy_of(*numbers), with_frontier=False).cells[0].estimators
        shown = [f"{found[name].estimate.value:.3f}" for name in ("naive", "within-guess")]
        rows.append((words, told, *shown, f"{found['correct-guess-rate-observed'].estimate.value:.3f}"))
    yield from rows_of(("people", "handed down", "naive", "within guess", "half of the guesses right"), rows)
    yield ""
    yield "The same numbers by quadrature, without any draw, and how far 400,000 drawn people lie from them by chance:"
    yield ""
    yield from rows_of(("people", "naive", "chance", "within guess", "chance"), [
        (words, *(f"{value:.4f}" for value in exact_toy(*numbers))) for words, _, numbers in TOYS
    ])  # fmt: skip
    yield ""
    yield "What was handed down as .20 and -.24 came from draws of 400,000 people: it lies from the exact numbers by"
    yield "what a rounded draw may."


def exact_toy(effect: float, report: float, better: float) -> tuple[float, float, float, float]:
    """The toy by Gauss-Hermite quadrature over what is felt and the outcome: naive and within guess, each with the
    standard error of 400,000 drawn people.
    """
    place, weight = np.polynomial.hermite_e.hermegauss(120)
    weight = weight / weight.sum()
    groups = []
    for mean, sd, shift in ((1.0, 0.7, effect), (0.0, 0.4, 0.0)):
        outcome = place[None, :] + shift
        chance = 1.0 / (1.0 + np.exp(1.0 - 2.0 * (mean + sd * place[:, None]) - better * outcome))
        for answer, share in ((1.0, chance), (0.0, 1.0 - chance)):
            each = weight[:, None] * weight * share
            n, value = each.sum(), outcome + report * answer
            middle = float((each * value).sum() / n)
            groups.append((float(n), middle, float((each * (value - middle) ** 2).sum() / n)))
    (p1, a1, v1), (q1, b1, w1), (p0, a0, v0), (q0, b0, w0) = groups
    naive, within = p1 * a1 + q1 * b1 - p0 * a0 - q0 * b0, 0.5 * (a1 - a0 + b1 - b0)
    arms = [p * v + q * w + p * q * (a - b) ** 2 for p, v, q, w, a, b in
            ((p1, v1, q1, w1, a1, b1), (p0, v0, q0, w0, a0, b0))]  # fmt: skip
    parts = v1 / p1 + w1 / q1 + v0 / p0 + w0 / q0
    return naive, float(np.sqrt(sum(arms) / 200_000.0)), within, float(np.sqrt(0.25 * parts / 200_000.0))


def public() -> Iterator[str]:
    """Fifteen public tables of guesses and outcomes."""
    yield from ("## A public trial reproduced", "")
    tables, people = SHARED / "microdose_tables.json", SHARED / "microdose_pacutes.csv.gz"
    if not (tables.is_file() and people.is_file()):
        yield "The public tables were not at hand when this page was written."
        return
    rows, names, unlike = [], json.loads(tables.read_text("utf-8"))["strata"], []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "guesses.csv"
        path.write_bytes(gzip.decompress(people.read_bytes()))
        for name in names:
            found = public_one(path, *name.split("/"))
            persons = found.trial.last.persons
            sessions = int(found.trial.last.counts.sum())
            fitting = [one.fitted for one in found.worlds if one.fitted.fits]
            best = max(fitting, key=lambda one: one.inside)
            naive, _, observed, equal = found.estimates[:4]
            truths = [one.truth for one in fitting]
            rows.append((
                name, f"{sessions} of {persons.n if persons else sessions}", f"{naive.value:.2f}",
                f"{observed.value:.2f} / {equal.value:.2f}", f"{best.name}, {best.inside} of {best.told}",
                ", ".join(one.name for one in fitting),
                " to ".join(f"{round(one, 2) + 0.0:.2f}" for one in (min(truths), max(truths))),
            ))  # fmt: skip
            if not any(one.is_near for one in fitting):
                unlike.append(f"{name} ({min(one.chi_squared for one in fitting):.1f} on {best.freedom})")
    whole = sum(row[4].split(", ")[1].split(" of ")[0] == row[4].split(" of ")[1] for row in rows)
    yield "Self-blinding trial of microdoses (doi:10.7554/eLife.62878, MIT licence), week 1 session 1 and all sessions,"
    yield "from its people: several sessions of one person hang together, and intervals count people."
    yield "Inside: shares of guesses and means of groups whose 95% interval holds the fitted world's number."
    yield ""
    yield from rows_of(("table", "sessions of people", "naive", "half right (observed / even)", "nearest world",
                        "worlds that fit", "drug by itself"), rows)  # fmt: skip
    yield ""
    yield f"In {whole} of {len(rows)} tables a world by name lies within every interval."
    if unlike:
        yield "All numbers together speak against every world by name, at 5% (distance on degrees of freedom), in"
        yield f"{', '.join(unlike)}. The verdict of the command says so."
    yield ""
    yield from felt_intensity(names["all/intensity"]["strata"])


def public_one(path: Path, tp: str, test: str) -> GuessesResult:
    """One outcome of the public trial, of one session or of all."""
    return analyze_finished(read_guesses(path, {
        "columns": {"arm": "condition", "outcome": "value", "person": "trial_id", "session": "tp"},
        "words": {"drug": ["MD"], "control": ["PL"]}, "better": "lower" if test in LOWER else "higher",
        "where": {"test_name": test} | ({} if tp == "all" else {"tp": tp}),
    }))  # fmt: skip


def felt_intensity(strata: dict[str, list[float]]) -> Iterator[str]:
    """Why felt intensity is the hardest table, from its published groups."""
    groups = [
        {"arm": SIDES[key[:2]], "guess": SIDES[key[-2:]], "n": n, "mean": mean, "sd": sd}
        for key, (n, mean, sd) in strata.items()
    ]
    found = analyze_finished(trial_of_groups(GuessFile.from_dict({"groups": groups})))
    fitted = max((one.fitted for one in found.worlds if one.fitted.fits), key=lambda one: one.inside)
    believed, doubted = (strata[f"MD|guess {one}"][1] - strata[f"PL|guess {one}"][1] for one in ("MD", "PL"))
    yield "Felt intensity over all sessions is the hardest. From its published groups alone, which take each session as"
    yield f"another person's, the nearest world ({fitted.name}) holds {fitted.inside} of {fitted.told}."
    yield f"Among those who guess the drug the drug adds {believed:.1f}, among the others {doubted:.1f}: whoever feels"
    yield "nothing guesses the control. A world in which all numbers together fit would have a drug that some people"
    yield "feel and others do not, and guesses that follow from that feeling; every world by name adds the same to"
    yield "everybody, with one spread. The correction of this outcome to about nothing removes an effect that is there."


def estimators() -> Iterator[str]:
    """Each estimator in a world it assumes and in one where it fails."""
    yield from ("## Each estimator where it is right and where it is wrong", "")
    base: dict[str, Any] = {
        "id": "estimators", "people": 200, "trials": 2000, "drug": {"mean": 1.0, "sd": 0.7}, "asked": [0, 42],
        "outcome_day": 42, "controls": [{"id": "control", "experience": {"sd": 0.4}}], "worlds": ["works-felt"],
        "effect": {"law": "difference", "difference": 0.5, "sd": 1, "better": "higher"},
    }  # fmt: skip
    guess = {"unfelt": 0.27, "felt": 0.73}
    cases = (
        ("guesses from what is felt, belief does nothing", {"guess": guess}),
        ("guesses from what is felt, belief moves reports by .5", {"guess": guess, "belief": {"report": 0.5}}),
        ("guesses follow improvement, belief does nothing", {"guess": guess | {"better": 1.0}}),
        ("both", {"guess": guess | {"better": 1.0}, "belief": {"report": 0.5}}),
        ("expectation before moves everybody's outcome by .5", {"guess": guess, "belief": {"expectation": 0.5}}),
    )
    names = ("naive", "within-guess", "within-early-guess", "correct-guess-rate-observed", "expectation-adjusted")
    rows = []
    for words, change in cases:
        tried = run_bench(BlindingTrial.from_dict(base | change), with_frontier=False).cells[0].estimators
        rows.append((words, *(
            f"{tried[name].bias.value:+.2f}, {tried[name].coverage.value:.2f}, {tried[name].rejects.value:.2f}"
            for name in names
        )))  # fmt: skip
    yield "Bias, coverage and power for a true effect of .50, 200 people, guesses asked on day 0 and on day 42."
    yield ""
    yield from rows_of(("world", *names), rows)


def controls() -> Iterator[str]:
    """Ketamine against midazolam and against saline."""
    yield from ("## Ketamine against midazolam and against saline: one world?", "")
    told = published()
    yield from rows_of(("published", "value", "interval", "record"), [
        (name, f"{told[name][0]:g}", f"{told[name][1]:g} to {told[name][2]:g}", f"`{IDS[name]}`") for name in IDS
    ])  # fmt: skip
    yield ""
    yield "Who believes to have had the control does worse by some standard deviations; the drug's arm is the same"
    yield "beside both controls. Worlds of a grid in which all six numbers lie in their intervals:"
    yield ""
    rows = []
    for one in table():
        is_any = isfinite(one.least_worth)
        rows.append((f"{100.0 * one.midazolam:.0f}%", f"{100.0 * one.saline:.0f}%",
                     f"{one.least_worth:.1f}" if is_any else "none", f"{one.low:.2f} to {one.high:.2f}" if is_any
                     else "impossible"))  # fmt: skip
    yield from rows_of(("believe control, midazolam", "believe control, saline", "least disappointment (SD)",
                        "drug by itself (SD)"), rows)  # fmt: skip
    yield ""
    yield "Both results come from one world where midazolam is believed in by many and saline by nobody, and from none"
    yield "where both controls are believed alike. With the guesses that one trial had under midazolam (89.3% right,"
    yield "`shiroma_guess_m`, read second-hand) only a drug that harms by itself would do: belief in the control"
    yield "alone is then no explanation, or those guesses are not those of the nine trials. What the drug does"
    yield "by itself follows from how many believed, which was not published."


def study(name: str) -> Iterator[str]:
    """A trial of the library on the bench."""
    found: BenchResult = run_bench(load_blinding_trial(name))
    yield from (f"## {found.trial.title}", "", f"`remission blinding bench {name}`", "")
    yield from rows_of(*bench_rows(found))
    if found.doubts:
        yield ""
        yield "No belief is stated. If believing were worth something in reports, an inert drug would be found in"
        yield ""
        yield from rows_of(*doubt_rows(found))
    yield ""
    yield from (f"- {line.strip()}" for line in bench_sentences(found))


def speed() -> Iterator[str]:
    """Ten controls in five worlds, 2,000 trials each."""
    yield from ("## Speed", "")
    names = ["inactive", "saline", "midazolam", "diphenhydramine", "delayed", "enriched", "matched", "anesthesia",
             {"id": "a-third", "matches": 0.33}, {"id": "half", "matches": 0.5}]  # fmt: skip
    trial = load_blinding_trial("psilocybin").replace(controls=names, trials=2000)
    begin = time.process_time()
    found = run_bench(trial, with_frontier=False)
    spent = time.process_time() - begin
    yield f"{len(found.cells)} cells (ten controls, five worlds) of 2,000 trials of {trial.people} people took"
    yield f"{spent:.0f} seconds of one core; 180 on two were asked."


def main() -> None:
    """Write the page."""
    parts = [indices(), toys(), public(), estimators(), controls(), study("kare"), study("dakwar-2019"), speed()]
    text = ["# The bench of blinding", "", "This page is written by `make blinding`.", ""]
    for part in parts:
        text += [*part, ""]
    PAGE.write_text("\n".join(text).rstrip() + "\n", "utf-8")


if __name__ == "__main__":
    main()
