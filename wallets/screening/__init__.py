"""Somebody else's word on deposits and withdrawals, and what people decide about withdrawals."""
