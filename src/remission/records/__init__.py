"""Frozen, validated records: the specifications of a trial and the shape of its results."""
