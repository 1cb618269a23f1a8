"""The venue's own transfers between hot and cold places."""
