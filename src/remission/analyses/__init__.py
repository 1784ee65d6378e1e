"""Analyses of endpoints: arrays in; estimate, interval, p value and status out. No word of protocols."""
