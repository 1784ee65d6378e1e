"""A pharmacokinetic model as the library states it.

A model is a parameter set with attributes: which species it follows (``s_ket``, ``r_ket`` or racemic ``ket``), where
its plasma was sampled, whether it has metabolites. Typical values and variances are read from it; nothing is typed
here.

The default is a choice with a name of its own, ``pk-2026``: a disposition and links, frozen by the hash of their
numbers. What was compared and why it was taken stands in decision 0019.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from remission.errors import LibraryError, did_you_mean, known_names
from remission.library.loader import (
    list_parameter_sets,
    load_parameter_set,
    parameter_sets_with,
    read_library_toml,
)
from remission.records.analyte import Analyte, SamplingSite
from remission.records.parameter import Grade, Parameter, ParameterSet, columns_of_parameters
from remission.records.result import Result

DEFAULT_PK_MODEL: Final = "pk-2026"
"""Name of the frozen choice that everything uses where no model is named."""

_OMEGA = "omega2_"
LINKS: Final = "sampling-links"
"""The links of every model: vein and effect site."""
_FROZEN = (DEFAULT_PK_MODEL,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PkModel(Result):
    """A linear model with its links to other sampling sites.

    ``parameter_set``: disposition: volumes, clearances, variances. ``links``: effect-site delay and venous link.
    ``choice``: name of the frozen choice it is, or empty. A copy with changed numbers is none.
    """

    parameter_set: ParameterSet
    links: ParameterSet
    choice: str = ""

    def columns(self) -> dict[str, Any]:
        """One row a number."""
        return columns_of_parameters(self.parameter_set, self.links)

    @property
    def id(self) -> str:
        """Name of the disposition in the library."""
        return self.parameter_set.id

    @property
    def name(self) -> str:
        """What a record calls it: the frozen choice, else the disposition."""
        return self.choice or self.id

    @property
    def numbers_sha256(self) -> str:
        """Hash of every number with its unit, of disposition and links; words do not count. 64 hexadecimal digits."""
        lines = [
            f"{found.id}\0{one.id}\0{one.value!r}\0{one.unit}\n"
            for found in (self.parameter_set, self.links)
            for one in sorted(found.parameters, key=lambda one: one.id)
        ]
        return hashlib.sha256("".join(lines).encode("ascii")).hexdigest()

    @property
    def iiv_names(self) -> tuple[str, ...]:
        """Parameters that vary between people, in the order of the columns of ``z_iiv``."""
        return tuple(name.removeprefix(_OMEGA) for name in self.parameter_set.ids if name.startswith(_OMEGA))

    @property
    def n_iiv(self) -> int:
        """Columns of ``z_iiv``: parameters that vary between people."""
        return len(self.iiv_names)

    @property
    def species(self) -> tuple[Analyte, ...]:
        """What is followed on its own: the enantiomers, or the racemate as one."""
        return tuple(Analyte.parse(name) for name in self.parameter_set.attribute("species").split())

    @property
    def analytes(self) -> tuple[Analyte, ...]:
        """What can be asked for."""
        parents = self.species
        if {Analyte.S_KET, Analyte.R_KET} <= set(parents):
            parents = (*parents, Analyte.KET)
        metabolites = self.parameter_set.attribute("metabolites").split()
        return (*parents, *(Analyte.parse(name) for name in metabolites))

    @property
    def plasma_site(self) -> SamplingSite:
        """Where the plasma of the source was sampled."""
        return SamplingSite.parse(self.parameter_set.attribute("sampling_site"))

    @property
    def sites(self) -> tuple[SamplingSite, ...]:
        """Sites that can be asked for.

        The effect site and the vein are fed by arterial plasma, so a model of venous plasma has neither.
        """
        plasma = self.plasma_site
        if self.parameter_set.attribute("structure") != "mammillary":
            return (plasma,)
        if plasma is SamplingSite.ARTERIAL:
            return (plasma, SamplingSite.VENOUS, SamplingSite.EFFECT)
        return (plasma, SamplingSite.EFFECT) if plasma is SamplingSite.UNSTATED else (plasma,)

    def replace_values(self, **values: float) -> "PkModel":
        """A copy with some values changed, of the disposition or of the links.

        Raises LibraryError: no parameter has that name.
        """
        for name in values:
            if name not in self.parameter_set and name not in self.links:
                known = [*self.parameter_set.ids, *self.links.ids]
                raise LibraryError(
                    where=f"model '{self.id}'",
                    got=name,
                    allowed="one of its parameters",
                    remedy=did_you_mean(name, known, otherwise=known_names(known)),
                )
        own = {name: value for name, value in values.items() if name in self.parameter_set}
        linked = {name: value for name, value in values.items() if name in self.links}
        changed = replace(
            self, parameter_set=self.parameter_set.replace_values(**own), links=self.links.replace_values(**linked)
        )
        return changed if changed.numbers_sha256 == self.numbers_sha256 else replace(changed, choice="")


def list_pk_models() -> tuple[str, ...]:
    """Names that :func:`load_pk_model` knows: frozen choices first, then the models of the library.

    Examples
    --------
    >>> list_pk_models()[:3]
    ('pk-2026', 'clements1981', 'domino1984')
    """
    return (*list_library_models(), *_ADDED)


def list_library_models() -> tuple[str, ...]:
    """Names of the models that ship with the program; those of your own (:func:`add_pk_model`) are left out."""
    return (*_FROZEN, *parameter_sets_with("species"))


def is_pk_model(name: str) -> bool:
    """Whether :func:`load_pk_model` knows a name, and not a path; of the library, no other model is read for it."""
    if name in _FROZEN or name in _ADDED:
        return True
    return name in list_parameter_sets() and "species" in load_parameter_set(name).attributes


_ADDED: dict[str, "PkModel"] = {}


_PATHS: dict[str, str] = {}


def add_pk_model(model: PkModel, *, path: str = "") -> str:
    """Make a model known by its id in this process, so that :func:`load_pk_model` finds it; the id is returned.

    A page takes names only and never a path, so a file gets in by the hand that starts the program.

    ``path``: the file it came from, for the command that makes a plan again. Raises LibraryError: the library has a
    model of that id.
    """
    if model.id in list_library_models():
        raise LibraryError(
            where="pharmacokinetic model",
            got=model.id,
            allowed=f"an id that the library does not have: {', '.join(list_pk_models())}",
            remedy="Write another id into the file.",
        )
    _ADDED[model.id] = model
    _PATHS[model.id] = path or model.id
    return model.id


def model_argument(name: str) -> str:
    """What a command line has to say for a model: its name, or the file that an added one came from."""
    return _PATHS.get(name, name)


def load_pk_model(name: str | Path = DEFAULT_PK_MODEL) -> PkModel:
    """The pharmacokinetic model of that name, or of a file.

    Parameters
    ----------
    name
        One of :func:`list_pk_models`: ``pk-2026`` is the frozen default, a disposition of the library with its links.
        Or a path, or a text that ends in ``.toml``: a model of your own (:mod:`remission.pk.own_model`).

    Raises
    ------
    SpecError
        A file cannot be read or is wrong; each fault has its line.
    LibraryError
        No such model (the message names the nearest), or the numbers of a frozen one are not those it was frozen with.

    Examples
    --------
    >>> model = load_pk_model()
    >>> model.name, model.id, model.plasma_site.value, model.n_iiv
    ('pk-2026', 'simons2022', 'arterial', 8)
    """
    if isinstance(name, Path) or name.endswith(".toml"):
        from remission.pk.own_model import read_pk_model

        return read_pk_model(name)
    if name in _FROZEN:
        return _load_frozen(name)
    if name in _ADDED:
        return _ADDED[name]
    known = list_pk_models()
    if name not in known:
        raise LibraryError(
            where="pharmacokinetic model",
            got=name,
            allowed=f"one of {', '.join(known)}",
            remedy=did_you_mean(name, known),
        )
    return PkModel(parameter_set=load_parameter_set(name), links=load_parameter_set(LINKS))


@cache
def _load_frozen(name: str) -> PkModel:
    words = read_library_toml(files("remission.library") / "pharmacology" / f"{name}.toml")
    model = PkModel(
        parameter_set=load_parameter_set(words["disposition"]), links=load_parameter_set(words["links"]), choice=name
    )
    if model.numbers_sha256 != words["numbers_sha256"]:
        raise LibraryError(
            where=f"library/{name}.toml",
            got=f"numbers with sha256 {model.numbers_sha256}",
            allowed=f"the numbers it was frozen with, {words['numbers_sha256']}",
            remedy="A frozen model does not change: put new numbers under a new name.",
        )
    return model


def with_both_forms(model: PkModel) -> PkModel:
    """A model of one species, with S- and R-ketamine under its one law; a model of both is returned as it is.

    No source says that the law holds for the other form: a ratio of clearances of 1 is assumed and graded so.
    """
    if len(model.species) > 1:
        return model
    words = dict(model.parameter_set.attributes)
    caution = "; ".join(filter(None, (words.get("caution", ""), _ONE_LAW)))
    words |= {"species": "s_ket r_ket", "caution": caution}
    ratio = Parameter(
        id="cl_ratio_r_ket", symbol="CL_R/CL_S", value=1.0, unit="1", grade=Grade.ASSUMED, source="remission",
        note="One law for both forms.",
    )  # fmt: skip
    changed = model.parameter_set.replace(attributes=words, parameters=(*model.parameter_set.parameters, ratio))
    return replace(model, parameter_set=changed)


_ONE_LAW = "It follows one form; S- and R-ketamine are both computed under its one law, which is assumed"


def with_slow_norketamine(model: PkModel) -> PkModel:
    """The model with the clearance of norketamine that one data set wants, half of the default; an option, no default.

    It lies 13 standard errors from the source's own estimate; which of the two studies is right is not known, and
    nothing in the chain reads norketamine.

    Raises LibraryError: the model has no norketamine.
    """
    return model.replace_values(nk_cl_l_per_h=load_parameter_set("norketamine-slow").value("nk_cl_l_per_h"))
