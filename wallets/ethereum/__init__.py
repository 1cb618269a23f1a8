"""The Ethereum adapter: ether and ERC-20 tokens on any network with EIP-1559."""
