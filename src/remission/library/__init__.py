"""Sourced data: parameter sets, molecules, observed series and references, with their loaders."""

from remission.library.loader import list_parameter_sets, load_parameter_set

__all__ = ["list_parameter_sets", "load_parameter_set"]
