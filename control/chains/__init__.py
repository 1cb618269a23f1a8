"""WalletChains: their workers, how many, and what is told of them."""
