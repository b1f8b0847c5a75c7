"""The Solana half of the local network: a node over LiteSVM, real programs on it, one pool."""
