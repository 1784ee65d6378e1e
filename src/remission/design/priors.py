"""The prior of a protocol's values: a distribution where the library has one, else its range by judgement, evenly."""

from dataclasses import asdict, dataclass

import numpy as np
import scipy

from remission.library.loader import load_parameter_set
from remission.library.priors import load_priors
from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import meaningful_range
from remission.protocol.record import Protocol
from remission.records.parameter import MODEL_FORM, Parameter
from remission.shapes import Float

_SHAPES = {"normal": "norm", "half-normal": "halfnorm", "lognormal": "lognorm", "even": "uniform"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuePrior:
    """The prior of one value; ``even`` begins at ``center`` and is ``scale`` wide."""

    name: str
    distribution: str
    center: float
    scale: float

    def at(self, shares: Float[np.ndarray, " draw"]) -> Float[np.ndarray, " draw"]:
        """Values at these shares of the distribution, cut where the equations have no meaning."""
        is_log = self.distribution == "lognormal"
        shape = getattr(scipy.stats, _SHAPES[self.distribution])
        law = shape(self.scale, scale=self.center) if is_log else shape(self.center, self.scale)
        low, high = law.cdf(meaningful_range(self.name))
        return np.asarray(law.ppf(low + (high - low) * shares), dtype=np.float64)

    @property
    def text(self) -> str:
        """The prior in words."""
        if self.distribution == "even":
            return f"even from {self.center:g} to {self.center + self.scale:g}"
        return f"{self.distribution} ({self.center:g}, {self.scale:g})"


def priors_of(protocol: Protocol) -> tuple[ValuePrior, ...]:
    """Priors of the values that a protocol's substance reads; a value that the substance alone has keeps its own."""
    names = set(asdict(course_parameters_of(protocol)))
    found: dict[str, Parameter] = {}
    for parameter in load_parameter_set(MODEL_FORM).parameters:
        name, _, substance = parameter.id.partition(".")
        is_ours = name in names and substance in {"", protocol.substance.value}
        # A value of the substance replaces the general one, prior and range and all.
        if is_ours and (name not in found or substance):
            found[name] = parameter
    general = {one.name: one for one in load_priors()}
    priors = []
    for name, one in found.items():
        if name in general and one.id == name:
            given = general[name]
            priors.append(
                ValuePrior(name=name, distribution=given.distribution, center=given.center, scale=given.scale)
            )
        elif one.low is not None and one.high is not None and one.low < one.high:
            priors.append(ValuePrior(name=name, distribution="even", center=one.low, scale=one.high - one.low))
    return tuple(priors)


def prior_ranges(protocol: Protocol) -> dict[str, tuple[float, float]]:
    """Where 95% of each prior lies, by the name of the value; of an even one, where all of it lies."""
    ranges = {}
    for prior in priors_of(protocol):
        ends = np.array([0.0, 1.0] if prior.distribution == "even" else [0.025, 0.975])
        low, high = prior.at(ends).tolist()
        ranges[prior.name] = (low, high)
    return ranges


def sample_values(priors: tuple[ValuePrior, ...], n_draws: int, seed: int) -> list[dict[str, float]]:
    """Draws by Latin hypercube: every prior is covered evenly even by a few draws."""
    generator = np.random.default_rng(seed)
    columns = {}
    for prior in priors:
        places = (generator.permutation(n_draws) + generator.random(n_draws)) / n_draws
        columns[prior.name] = prior.at(places)
    return [{name: float(column[draw]) for name, column in columns.items()} for draw in range(n_draws)]
