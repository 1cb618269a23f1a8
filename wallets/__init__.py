"""Custody: deposits and withdrawals on Bitcoin, Ethereum and TRON behind one contract.

`wallets.contract` says what a chain's adapter must do, `wallets.core` does what all chains share,
one folder per chain is its adapter. Private keys are in `wallets.signer` and nowhere else.
"""
