"""The kernel against the reference engine: bulk tapes, random small ones, planted bugs."""
