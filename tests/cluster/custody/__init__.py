"""Payments on a cluster. A package, so that its venue is gone before the next tests' is made."""
