"""What a person's age and history say about pressure, as flags: sources give odds and no size of a rise."""

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.records.infusions import EvidenceFlag
from remission.records.parameter import ParameterSet

__all__ = ["pressure_flags"]


def pressure_flags(
    *, age_y: float | None = None, has_hypertension: bool = False, response: ParameterSet | None = None
) -> tuple[EvidenceFlag, ...]:
    """Marks on a simulated rise of pressure that the person's age or history call for.

    Parameters
    ----------
    age_y
        Age, or None where it is not known. [year]
    has_hypertension
        Whether the person has a history of hypertension.
    response
        The library's ``acute-response`` by default.

    Raises
    ------
    SpecError
        The age is not that of a living adult.

    Examples
    --------
    >>> [flag.where for flag in pressure_flags(age_y=55.0, has_hypertension=True)]
    ['hypertension', 'age_y']
    """
    if age_y is not None and not 18.0 <= age_y <= 120.0:
        raise SpecError(where="age_y", got=age_y, allowed="the age of an adult, 18 to 120 years")
    values = response or load_parameter_set("acute-response")
    flags = []
    if has_hypertension:
        flags.append(
            EvidenceFlag(
                where="hypertension",
                got="a history of hypertension",
                evidence=(
                    f"a series in which {100.0 * values.value('surge_share_of_patients'):g}% of patients had severe "
                    "hypertension in a session, every patient with such a history among them"
                ),
                consequence="The simulated rise is that of all patients and is too low for this person.",
            )
        )
    if age_y is not None:
        flags.append(
            EvidenceFlag(
                where="age_y",
                got=f"{age_y:g} years",
                evidence=(
                    "odds of severe hypertension that multiply by "
                    f"{values.value('surge_odds_ratio_per_y'):g} with each year of age"
                ),
                consequence="The simulated rise is the same at every age.",
            )
        )
    return tuple(flags)
