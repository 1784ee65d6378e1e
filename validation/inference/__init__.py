"""The inference behind the posterior, checked as ``registered.toml`` says: ``make ranks``, ``make inference``."""
