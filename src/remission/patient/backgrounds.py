"""Parameters of a trial's people: those of their substance, and of the opioid agonist that they all take."""

from dataclasses import fields

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.patient.parameters import DEFAULT_PARAMETER_SET, CourseParameters, load_course_parameters
from remission.protocol.fields import ProtocolFields
from remission.records.parameter import Parameter, ParameterSet

__all__ = ["course_parameters_of", "values_of_people"]


def course_parameters_of(
    protocol: ProtocolFields, *, parameter_set: str | ParameterSet = DEFAULT_PARAMETER_SET
) -> CourseParameters:
    """The course parameters of a protocol's people.

    A value of people on an agonist has the id ``name.opioid-agonist``, or ``name.opioid-methadone`` where it is known
    for that agonist alone, and wins over that of the substance.

    Raises
    ------
    SpecError
        The people take an agonist, and the set has no value of people on one: they would be simulated as people
        without it.
    LibraryError
        The set does not exist or lacks a parameter.
    """
    found = load_parameter_set(parameter_set) if isinstance(parameter_set, str) else parameter_set
    usual = load_course_parameters(protocol.substance, parameter_set=found)
    agonist = protocol.population.agonist
    if agonist is None:
        return usual
    substance, ids = protocol.substance.value, set(found.ids)
    own = {}
    for one in fields(CourseParameters):
        known = [f"{one.name}.{substance}-{background}" for background in (agonist, "agonist")]
        special = next((name for name in known if name in ids), None)
        if special is not None:
            own[one.name] = found[special].value
    if not own:
        raise SpecError(
            where="population.agonist",
            got=agonist,
            allowed=f"nothing: {found.id} has no value of people on an agonist, and without it is not the same people",
            remedy="Remove it to simulate people without an agonist, and say so among the assumptions.",
        )
    return usual.replace(**own)


def values_of_people(protocol: ProtocolFields, behavior: ParameterSet) -> tuple[Parameter, ...]:
    """The values of ``behavior`` that a protocol's people can have: none of another substance or background."""
    substance, agonist = protocol.substance.value, protocol.population.agonist
    own = {"", substance} | ({f"{substance}-{agonist}", f"{substance}-agonist"} if agonist is not None else set())
    return tuple(one for one in behavior.parameters if one.id.partition(".")[2] in own)
