"""The node's JSON-RPC errors, with the codes and shapes of a real node."""

from __future__ import annotations

from typing import Any

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL = -32603
PREFLIGHT_FAILED = -32002
SIGNATURE_INVALID = -32003
BLOCK_NOT_AVAILABLE = -32004
VERSION_NOT_SUPPORTED = -32015
MIN_CONTEXT_SLOT = -32016


class RpcError(Exception):
    """What a client sees as {"error": {code, message, data}}."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        return body if self.data is None else body | {"data": self.data}


class LostResponse(Exception):
    """A fault asked for: the request took effect and the connection is cut before the answer."""


def simulation(err: Any, logs: tuple[str, ...] = (), units: int = 0) -> dict[str, Any]:
    """The result of a simulation; also the `data` of a preflight error. `err` is a TransactionError or None."""
    return {
        "accounts": None,
        "err": err,
        "fee": None,
        "innerInstructions": None,
        "loadedAccountsDataSize": None,
        "logs": list(logs),
        "replacementBlockhash": None,
        "returnData": None,
        "unitsConsumed": units,
    }


def preflight(err: Any, message: str, logs: tuple[str, ...] = (), units: int = 0) -> RpcError:
    return RpcError(PREFLIGHT_FAILED, f"Transaction simulation failed: {message}", simulation(err, logs, units))
