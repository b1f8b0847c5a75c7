"""EVM networks."""
