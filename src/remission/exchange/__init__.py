"""Files of other systems: timeline follow-back diaries in and out."""
