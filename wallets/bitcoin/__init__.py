"""Bitcoin: the adapter of `wallets.contract`, its coins, fees and node.

With `wallets.signer.bitcoin` the only folder that may import bitcoinlib (GPL-3).
"""
