"""A Solana node for tests and demos: what a cluster adds around the SVM, over solders' in-process LiteSVM."""

from deploy.localnet.solana.node.chain import Chain
from deploy.localnet.solana.node.server import Server, serve

__all__ = ["Chain", "Server", "serve"]
