"""The catalogue of named endpoints: published definitions with their sources and grades."""

from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import StringConstraints, model_validator

from remission.errors import LibraryError, SpecError, check_known
from remission.records.base import Record
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import KINDS, EndpointKind, KindFacts
from remission.records.named_endpoints import CATALOGUE_ONLY, named_endpoint_tables
from remission.records.parameter import Grade, SourceKey
from remission.records.population import DayRange
from remission.records.text import Note, Sentence, Slug


class NamedEndpoint(Record):
    """A definition with where it comes from.

    variable
        What is measured, in words.
    group
        What it is computed from: diary, test, weekly words, visits, dosing sessions, mood, craving, alcohol.
    citation, grade, source_note
        The source, how far it was read, and where the definition leaves it.
    ctnote
        The same number in the R package CTNote, where it has one.
    fields
        The fields of an endpoint that it fixes.
    """

    id: Slug
    label: Sentence
    variable: Sentence
    group: Annotated[str, StringConstraints(pattern="^(diary|test|weekly|visits|sessions|mood|craving|alcohol)$")]
    citation: SourceKey
    grade: Grade
    source_note: Note = ""
    ctnote: Note = ""
    fields: dict[str, Any]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.fields.get("kind") not in KINDS:
            raise SpecError(where="kind", got=self.fields.get("kind"), allowed="a kind of endpoint")
        return self

    @property
    def kind(self) -> EndpointKind:
        """What is computed."""
        kind: EndpointKind = self.fields["kind"]
        return kind

    @property
    def facts(self) -> KindFacts:
        """What is true of its kind."""
        return KINDS[self.kind]

    @property
    def needs_baseline(self) -> bool:
        """Whether a use of it must name the days that are compared with."""
        return "baseline" in self.facts.required

    def endpoint(self, window: DayRange, *, baseline: DayRange | None = None) -> Endpoint:
        """The definition over a window, as an endpoint of the same id.

        Raises
        ------
        SpecError
            The window is too short for the definition, or a baseline is needed.
        """
        return Endpoint.create(id=self.id, definition=self.id, window=window, baseline=baseline)


def list_endpoints() -> tuple[NamedEndpoint, ...]:
    """All named endpoints, in the order of the catalogue."""
    return tuple(_catalogue().values())


def load_endpoint(name: str) -> NamedEndpoint:
    """The named endpoint of that id.

    Raises
    ------
    LibraryError
        There is none; the message names the nearest.
    """
    known = _catalogue()
    check_known(
        name,
        known,
        where="endpoint",
        names="endpoints of the catalogue",
        more="See remission endpoints list.",
        error=LibraryError,
    )
    return known[name]


@cache
def _catalogue() -> MappingProxyType[str, NamedEndpoint]:
    return MappingProxyType({name: _parse(entry) for name, entry in named_endpoint_tables().items()})


def _parse(entry: dict[str, Any]) -> NamedEndpoint:
    about = {key: entry[key] for key in CATALOGUE_ONLY if key in entry}
    fields = {key: value for key, value in entry.items() if key not in {*CATALOGUE_ONLY, "label"}}
    return NamedEndpoint.from_dict({**about, "label": entry["label"], "fields": fields})
