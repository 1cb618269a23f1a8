"""Stand-ins for processes of the venue, for tests of the others."""
