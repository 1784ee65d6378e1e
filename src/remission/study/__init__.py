"""Trials of somebody else: people of a file, what happened to them, and the analyses that a plan states."""
