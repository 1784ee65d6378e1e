"""What can be given by each route, with what is known about its absorption.

``pharmacology/products.toml`` lists products and why some have no rate; their numbers are parameters of ``routes``.
"""

from functools import cache

from remission.errors import LibraryError, check_known
from remission.library.loader import load_parameter_set
from remission.library.observations import ObservedSeries, list_observed_series, load_observed_series
from remission.records.analyte import Analyte, SamplingSite
from remission.records.base import Record
from remission.records.dose import DrugForm, Route
from remission.records.packaged import packaged_toml
from remission.records.parameter import Parameter


class Product(Record):
    """One product by one route; ``products.toml`` says at its head what the fields mean.

    ``model`` is the kinetic model that holds its absorption, if one does; ``is_preferred`` is taken when a dose names
    no product and its route has several.
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
        return load_parameter_set("routes").get(own) or self._number("f")

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
        found = (self._number(kind) for kind in ("f", "f_s", "f_r", "tmax_h"))
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
        return load_parameter_set("routes").get(f"{kind}.{self.id}")


@cache
def list_products(form: DrugForm | None = None, route: Route | None = None) -> tuple[Product, ...]:
    """All products, or those of a form and by a route, in the order of the file.

    >>> [product.id for product in list_products(route=Route.FILM)]
    ['film-simons2022']
    """
    products = (Product.from_dict(row) for row in packaged_toml("pharmacology", "products.toml")["product"])
    return tuple(one for one in products if form in {None, one.form} and route in {None, one.route})


def load_product(product_id: str) -> Product:
    """The product of that name; a LibraryError that names the nearest where there is none."""
    known = {one.id: one for one in list_products()}
    check_known(product_id, known, where="product", error=LibraryError)
    return known[product_id]
