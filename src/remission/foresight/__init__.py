"""What is expected of a trial that has no result yet, what carries that expectation, and what would tell more."""
