"""From states to the day: craving, use or no use in one of three regimes, the amount, staying or leaving."""
