"""Unary twins of the order session, for simple clients: one command in, its answer out."""
