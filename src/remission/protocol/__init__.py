"""A trial's protocol: its fields, the checks between its parts, its file, and what it says in words."""

from remission.protocol.file import parse_protocol, read_protocol, write_protocol
from remission.protocol.record import Protocol

__all__ = ["Protocol", "parse_protocol", "read_protocol", "write_protocol"]
