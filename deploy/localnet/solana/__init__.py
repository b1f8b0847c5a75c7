"""The Solana half of the local network: a node over LiteSVM, real programs on it, one pool."""

from deploy.localnet.solana.node import Chain, Server, serve

__all__ = ["Chain", "Server", "serve"]
