"""The EVM half of the local network: anvil nodes and the real contracts deployed on them."""
