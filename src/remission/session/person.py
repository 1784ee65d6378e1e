"""One person and one session: the typical kinetics of somebody of that weight.

Nobody is typical: the same session over simulated people is in :mod:`remission.session.curves`.
"""

from collections.abc import Sequence

import numpy as np

from remission.patient.pharmacology import Pharmacology, load_pharmacology
from remission.pk import Concentrations, simulate_doses
from remission.records.analyte import Analyte, SamplingSite
from remission.records.regimen import Regimen
from remission.records.subject import Subject
from remission.shapes import Float


def simulate_person(
    subject: Subject,
    regimen: Regimen,
    *,
    t_h: Float[np.ndarray, " time"],
    analytes: Sequence[Analyte | str] = ("ket",),
    sites: Sequence[SamplingSite | str] = ("arterial",),
    pharmacology: Pharmacology | None = None,
) -> Concentrations:
    """Concentrations of the typical person of the subject's weight; age and sex change nothing in the default model.

    Parameters
    ----------
    subject, regimen
        Who, and what is given.
    t_h
        Times after the start of the session. [h]
    analytes, sites
        What and where; both labels stand on every series.
    pharmacology
        The library's when left out.

    Raises
    ------
    SpecError
        Infusions overlap, or the model lacks an analyte or a site.

    Examples
    --------
    >>> subject = Subject.create(age="45 years", weight="70 kg", sex="male", substance="alcohol")
    >>> regimen = Regimen.create(doses=[{"dose": "0.5 mg/kg", "duration": "40 min"}])
    >>> found = simulate_person(subject, regimen, t_h=np.array([2 / 3]))
    >>> f"{found.select('ket', site='arterial')[0, 0]:.1f} {found.units}"
    '292.4 ng/mL'
    """
    chosen = pharmacology or load_pharmacology()
    return simulate_doses(
        chosen.pk,
        regimen.doses,
        weight_kg=np.array([subject.weight_kg]),
        z_iiv=np.zeros((1, chosen.n_iiv)),
        t_h=t_h,
        analytes=analytes,
        sites=sites,
    )
