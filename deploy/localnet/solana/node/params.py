"""The parameters of one JSON-RPC call: positional values, the last of which may be a configuration object."""

from __future__ import annotations

from typing import Any

from solders.pubkey import Pubkey
from solders.signature import Signature

from deploy.localnet.solana.node.errors import INVALID_PARAMS, RpcError
from deploy.localnet.solana.node.slots import COMMITMENTS


class Params:
    """Every reader raises RpcError -32602 that names what is missing or wrong."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values
        last = values[-1] if values else None
        self.config: dict[str, Any] = {k: v for k, v in last.items() if v is not None} if isinstance(last, dict) else {}

    def value(self, index: int) -> Any:
        if index >= len(self.values):
            raise RpcError(INVALID_PARAMS, f"Invalid params: expected a value at position {index}, got {len(self.values)}")
        return self.values[index]

    def text(self, index: int) -> str:
        value = self.value(index)
        if not isinstance(value, str):
            raise RpcError(INVALID_PARAMS, f"Invalid params: expected a string at position {index}")
        return value

    def number(self, index: int) -> int:
        value = self.value(index)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise RpcError(INVALID_PARAMS, f"Invalid params: expected a whole number at position {index}")
        return value

    def has(self, index: int, kind: type) -> bool:
        return index < len(self.values) and isinstance(self.values[index], kind)

    def pubkey(self, index: int) -> Pubkey:
        return as_pubkey(self.text(index))

    def signature(self, index: int) -> Signature:
        return as_signature(self.text(index))

    @property
    def commitment(self) -> str:
        """Finalized when the caller names none, as on a real node."""
        return as_commitment(self.config.get("commitment", "finalized"))

    @property
    def kept_commitment(self) -> str:
        """For what a node only tells of blocks that will hardly go away."""
        if self.commitment == "processed":
            raise RpcError(INVALID_PARAMS, "Method does not support commitment below `confirmed`")
        return self.commitment


def as_commitment(text: Any) -> str:
    if text not in COMMITMENTS:
        raise RpcError(INVALID_PARAMS, f"Invalid params: unknown commitment {text!r}")
    return str(text)


def as_pubkey(text: Any) -> Pubkey:
    try:
        return Pubkey.from_string(text)
    except (ValueError, TypeError) as error:
        raise RpcError(INVALID_PARAMS, f"Invalid param: {error}") from error


def as_signature(text: Any) -> Signature:
    try:
        return Signature.from_string(text)
    except (ValueError, TypeError) as error:
        raise RpcError(INVALID_PARAMS, f"Invalid param: {error}") from error
