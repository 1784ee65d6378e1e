"""From states to the day: craving, use or no use in episodes, the amount, staying or leaving."""
