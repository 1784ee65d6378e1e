"""What can be given by each route, with what is known about its absorption.

``pharmacology/products.toml`` lists products and why some have no rate; their numbers are parameters of ``routes``.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from remission.errors import LibraryError, check_known
from remission.library.loader import load_parameter_set, read_library_toml
from remission.library.observations import ObservedSeries, list_observed_series, load_observed_series
from remission.records.analyte import Analyte, SamplingSite
from remission.records.dose import DrugForm, Route
from remission.records.parameter import Parameter

__all__ = ["Product", "list_products", "load_product"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product by one route.

    model
        The kinetic model that holds its absorption, if one does.
    is_parenteral
        Nothing of it passes the liver before it reaches blood.
    is_contested
        Sources disagree about it, so it must be chosen by name.
    is_preferred
        Taken when a dose names no product and its route has several.
    why_no_rate
        Why no curve is offered without an assumption; empty where ``model`` has one.
    tmax_site
        The blood in which ``tmax`` was read. No source says it; all drew from a vein in all likelihood.
    """

    id: str
    route: Route
    form: DrugForm
    title: str
    model: str | None = None
    is_parenteral: bool = False
    is_contested: bool = False
    is_preferred: bool = False
    why_no_rate: str = ""
    tmax_site: SamplingSite = SamplingSite.VENOUS

    def bioavailability(self, analyte: Analyte) -> Parameter | None:
        """The sourced share that reaches blood, or none. [dimensionless]"""
        own = {Analyte.S_KET: f"f_s.{self.id}", Analyte.R_KET: f"f_r.{self.id}"}.get(analyte, "")
        numbers = load_parameter_set("routes")
        found = next((name for name in (own, f"f.{self.id}") if name in numbers), None)
        return None if found is None else numbers[found]

    @property
    def tmax(self) -> Parameter | None:
        """The sourced time of the peak, or none. [h]"""
        return self._number("tmax_h")

    @property
    def ka(self) -> Parameter | None:
        """The rate that the library states as a distribution: median, and the ends that hold 90% of people. [1/h]"""
        return self._number("ka_per_h")

    @property
    def spread(self) -> tuple[float, float]:
        """SD between people of the logit of F and of the log of the rate; 0 where nothing is known. [dimensionless]"""
        f, ka = self._number("sd_logit_f"), self._number("sd_log_ka")
        return (0.0 if f is None else f.value, 0.0 if ka is None else ka.value)

    @property
    def studied_dose(self) -> Parameter | None:
        """The doses that were studied, as a range, or none. [mg]"""
        return self._number("dose_mg")

    @property
    def sources(self) -> frozenset[str]:
        """Keys of the references behind its numbers."""
        kinds = ("f", "f_s", "f_r", "tmax_h")
        found = (self._number(kind) for kind in kinds)
        return frozenset(one.source for one in found if one is not None)

    @property
    def measured_peaks(self) -> tuple[ObservedSeries, ...]:
        """Peaks of ketamine that were measured after one dose of it, from the library of observed series."""
        found = (load_observed_series(name) for name in list_observed_series())
        return tuple(
            one
            for one in found
            if one.kind == "cmax" and one.analyte is Analyte.KET and [each.product for each in one.doses] == [self.id]
        )

    def _number(self, kind: str) -> Parameter | None:
        numbers, name = load_parameter_set("routes"), f"{kind}.{self.id}"
        if name not in numbers:
            return None
        return numbers[name]


def list_products() -> tuple[Product, ...]:
    """All products, in the order of the file.

    Examples
    --------
    >>> [one.id for one in list_products() if one.route is Route.FILM]
    ['film-simons2022']
    """
    return _products()


def load_product(product_id: str) -> Product:
    """The product of that name.

    Raises
    ------
    LibraryError
        There is none; the message names the nearest.
    """
    known = {one.id: one for one in _products()}
    check_known(product_id, known, where="product", error=LibraryError)
    return known[product_id]


@cache
def _products() -> tuple[Product, ...]:
    rows = read_library_toml(files("remission.library") / "pharmacology" / "products.toml")["product"]
    return tuple(
        Product(
            id=row["id"],
            route=Route(row["route"]),
            form=DrugForm(row["form"]),
            title=row["title"],
            model=row.get("model"),
            is_parenteral=row.get("parenteral", False),
            is_contested=row.get("contested", False),
            is_preferred=row.get("preferred", False),
            why_no_rate=row.get("why_no_rate", ""),
            tmax_site=SamplingSite(row.get("tmax_site", SamplingSite.VENOUS)),
        )
        for row in rows
    )
