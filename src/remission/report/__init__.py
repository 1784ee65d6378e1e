"""Figures, tables and the report of a trial; the only place that draws."""
