"""The page on pharmacology row by row: every model beside every published concentration it can predict."""
