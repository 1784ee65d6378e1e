"""Shipped for users' own tests: schedules, strategies and small protocols with known answers.

Nothing inside the package imports this.
"""
