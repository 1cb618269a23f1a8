"""A TRON node for tests and development, held against the recorded answers of a real one."""
