"""Blinding and belief: what people guess, what guesses do to a trial, and what a finished trial can say of it."""
