"""TRON: transactions, resources and node of the adapter of `wallets.contract`."""
