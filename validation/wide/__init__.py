"""The wide fit: made and judged, what it says of values and facts, whether it is better, its page."""
