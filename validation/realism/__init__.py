"""Simulated diaries beside real ones: statistics, fit, classifier, page."""
