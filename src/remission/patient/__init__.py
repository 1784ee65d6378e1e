"""One person: who they are, what a session does to them, and their course day by day."""
