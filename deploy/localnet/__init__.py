"""The local test network: three EVM chains and Solana with real protocol contracts and their off-chain agents."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deploy.localnet.network import Network, NetworkError

__all__ = ["Network", "NetworkError"]


def __getattr__(name: str) -> Any:
    # Loaded when asked for: each of the network's own processes imports this package, and none needs the network.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from deploy.localnet import network

    return getattr(network, name)
