"""How many wallet workers a chain should have."""
