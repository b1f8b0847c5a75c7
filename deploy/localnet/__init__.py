"""The local test network: three EVM chains and Solana with real protocol contracts and their off-chain agents."""

from deploy.localnet.network import Network, NetworkError

__all__ = ["Network", "NetworkError"]
