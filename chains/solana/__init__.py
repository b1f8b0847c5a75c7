"""SolanaChain: a Solana cluster behind the chain protocols."""
