"""Numerical building blocks that contain no pharmacology and no psychiatry."""
