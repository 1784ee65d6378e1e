"""One module a page: what it shows, as a record, and the function that makes it."""
