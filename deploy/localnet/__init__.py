"""The local test network: three EVM chains and Solana with real protocol contracts and their off-chain agents."""
