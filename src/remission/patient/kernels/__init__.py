"""Kernels that run the day clock for many people at once. ``reference`` is the specification."""
