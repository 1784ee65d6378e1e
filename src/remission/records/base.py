"""The frozen record every specification is made of.

A record is a value: keyword-only, validated as a whole when made, never changed afterwards.
A wrong input gives one :class:`~remission.errors.SpecError` that lists every fault, each with its field path.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator, model_validator

from remission.errors import SpecError
from remission.records.faults import faults_of, refuse_booleans
from remission.records.result import few_lines

_MOST_SIGNS = 160


class Record(BaseModel):
    """Base of the frozen records.

    Notes
    -----
    Make one with :meth:`create` (from Python) or :meth:`from_dict` (from plain data); both raise
    :class:`~remission.errors.SpecError`. ``==`` compares by content.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        allow_inf_nan=False,
        validate_by_name=True,
        defer_build=True,
    )

    def _faults(self) -> Iterable[SpecError]:
        """What contradicts itself between the fields; all of it is raised as one error."""
        return ()

    @model_validator(mode="after")
    def _without_faults(self) -> Self:
        SpecError.check(self._faults())
        return self

    @field_validator("*", mode="before")
    @classmethod
    def _no_boolean_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, bool | list | tuple | dict):
            field = cls.model_fields[str(info.field_name)]
            refuse_booleans(Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation, value)
        return value

    @classmethod
    def create(cls, **fields: Any) -> Self:
        """A validated record from keyword fields.

        Raises SpecError: one or more fields are wrong; all faults are listed.
        """
        return cls.from_dict(fields)

    @classmethod
    def from_dict(cls, data: dict[str, Any], *, is_stored: bool = False) -> Self:
        """A validated record from plain data, as ``to_dict`` returns it.

        ``is_stored``: whether the program itself stored it, perhaps before something in it was refused.
        Raises SpecError: one or more fields are wrong; all faults are listed.
        """
        try:
            return cls.model_validate(data, context={"stored": is_stored})
        except ValidationError as error:
            raise SpecError.from_faults(faults_of(error, cls, root=cls.__name__.lower())) from None

    def __repr__(self) -> str:
        """One line for a small record; one line a field for a large one."""
        whole = super().__repr__()
        if len(whole) <= _MOST_SIGNS and "\n" not in whole:
            return whole
        return few_lines(type(self).__name__, [(name, getattr(self, name)) for name in type(self).model_fields])

    def __str__(self) -> str:
        """As :meth:`__repr__` for a large record."""
        whole = repr(self)
        return whole if "\n" in whole else super().__str__()

    def to_dict(self) -> dict[str, Any]:
        """Plain data (text, numbers, lists, dictionaries) with the Python field names; ``from_dict`` reads it back."""
        return self.model_dump(mode="json")

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated again.

        Raises SpecError: the changed record would be wrong.
        """
        return type(self).from_dict({**{name: getattr(self, name) for name in type(self).model_fields}, **changes})
