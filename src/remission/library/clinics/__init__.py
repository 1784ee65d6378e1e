"""Codes, geography and the demonstration set for clinics."""
