"""Chains: the world as it is. Ids, tokens, snapshots and transactions of EVM networks and Solana."""
