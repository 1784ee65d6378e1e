"""Protocols and the numbers of the library."""

from remission.door.arguments import opened
from remission.library import loader, protocols
from remission.patient import parameters, pharmacology
from remission.pk import model
from remission.protocol import file

__all__ = [
    "list_parameter_sets", "list_pk_models", "list_protocols", "load_course_parameters", "load_parameter_set",
    "load_pharmacology", "load_pk_model", "load_protocol", "parse_protocol", "read_protocol", "write_protocol",
]  # fmt: skip

list_parameter_sets = opened(loader.list_parameter_sets)
list_pk_models = opened(model.list_pk_models)
list_protocols = opened(protocols.list_protocols)
load_course_parameters = opened(parameters.load_course_parameters)
load_parameter_set = opened(loader.load_parameter_set)
load_pharmacology = opened(pharmacology.load_pharmacology)
load_pk_model = opened(model.load_pk_model)
load_protocol = opened(protocols.load_protocol)
parse_protocol = opened(file.parse_protocol)
read_protocol = opened(file.read_protocol)
write_protocol = opened(file.write_protocol)
