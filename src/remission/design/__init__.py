"""Mathematics of trial design: operating characteristics, looks, assurance, and what a course costs."""
