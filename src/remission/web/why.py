"""Why a trial comes out as it does in the model, as a part of a page."""

from functools import cache, partial

from remission.library.explanations import Explained, Range, load_explanations
from remission.records.base import Record
from remission.web.figure import Figure, FigureTable, figure_of, kept_figure
from remission.web.language import load_text
from remission.web.retold import retold


class Why(Record):
    """The answer in sentences, the picture, what moves the answer, and which study would tell more."""

    says: tuple[str, ...]
    figure: Figure
    movers: FigureTable
    studies: FigureTable
    made: str


@cache
def why(protocol: str, language: str = "en") -> Why | None:
    """What ``make explanations`` found of a trial, in a language; nothing where it has none."""
    found = load_explanations().get(protocol)
    if found is None:
        return None
    words, say = load_text(language, "trial")["why"], partial(retold, language=language)
    return Why(
        says=tuple(say(line) for line in found.says),
        figure=kept_figure(picture_name(protocol, language), of=found) or why_figure(found, language),
        movers=FigureTable(
            columns=tuple(words["mover_columns"]),
            rows=tuple((say(one.name), *(say(_text(end)) for end in (one.low, one.high))) for one in found.movers),
        ),
        studies=FigureTable(columns=tuple(words["study_columns"]), rows=tuple(_studies(found, words["unlimited"]))),
        made=words["made"].format(
            draws=found.n_draws, people=found.n_people, posterior=found.posterior, hash=found.posterior_hash[:10],
            seed=found.seed, day=found.made, r2=found.surrogate_r2,
        ),
    )  # fmt: skip


def why_figure(found: Explained, language: str) -> Figure:
    """The picture, drawn."""
    from remission.report.interval_charts import explain_chart

    return figure_of(explain_chart(found, partial(retold, language=language)))


def picture_name(protocol: str, language: str) -> str:
    """The name of the picture of a trial among those that were drawn before."""
    return f"why-{protocol}-{language}"


def _studies(found: Explained, unlimited: str) -> list[tuple[str, ...]]:
    return [
        (
            unlimited if one.people is None else f"{one.people:,}", str(one.sites), f"{100.0 * one.left:.0f}%",
            f"{100.0 * one.left_next:.0f}%",
        )
        for one in found.studies
    ]  # fmt: skip


def _text(one: Range) -> str:
    return f"{one.mean:.3g} ({one.low:.3g} to {one.high:.3g})"
