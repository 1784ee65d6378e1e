"""A record whose later fields stay out of its plain data while they hold their defaults.

A protocol is named by the hash of its content, and stored runs carry that hash. A field added later must not change
the hash of a protocol that does not use it.
"""

from typing import Any, ClassVar

from pydantic import SerializationInfo, SerializerFunctionWrapHandler, model_serializer

from remission.records.base import Record


class GrownRecord(Record):
    """A record with fields that were added after it was first published, named in ``added_fields``."""

    added_fields: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _without_unused(
        self,
        handler: SerializerFunctionWrapHandler,
        info: SerializationInfo,  # noqa: ARG002 - a subclass reads it
    ) -> dict[str, Any]:
        return self.without_unused(handler(self))

    def without_unused(self, data: dict[str, Any]) -> dict[str, Any]:
        """Plain data of it without the later fields that hold their defaults."""
        for name in self.added_fields:
            field = type(self).model_fields[name]
            if getattr(self, name) == field.get_default(call_default_factory=True):
                data.pop(name, None)
                data.pop(field.alias or name, None)
        return data
