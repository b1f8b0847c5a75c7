"""A bare JSON-RPC and control client for loopback: what the supervisor needs before (and without) loading web3."""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

REQUEST_SECONDS = 5
POLL_SECONDS = 0.05


class RpcError(Exception):
    """No usable answer from a local node."""


def local_url(port: int, scheme: str = "http") -> str:
    """The loopback URL of a port."""
    return f"{scheme}://127.0.0.1:{port}"


def request(url: str, method: str, *params: Any) -> Any:
    """One JSON-RPC request; its result. RpcError when the node is away or answers with an error."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).encode()
    message = urllib.request.Request(url, body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(message, timeout=REQUEST_SECONDS) as response:
            answer: Mapping[str, Any] = json.load(response)
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as failure:
        raise RpcError(f"{url}: {method}: {failure}") from failure
    if "error" in answer:
        raise RpcError(f"{url}: {method}: {answer['error']}")
    return answer.get("result")


def set_controls(service: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change a network process's controls (`{"paused": true}`, `{"fail_next": 1}`, …); its new state."""
    message = urllib.request.Request(f"{service}/control", json.dumps(changes).encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(message, timeout=REQUEST_SECONDS) as response:
            state: dict[str, Any] = json.load(response)
    except urllib.error.HTTPError as refusal:
        raise RpcError(f"{service}: refused {dict(changes)}: {refusal.read().decode()}") from refusal
    except (http.client.HTTPException, OSError, ValueError) as failure:
        raise RpcError(f"{service}: {failure}") from failure
    return state


def wait_for(url: str, seconds: float, method: str = "eth_chainId") -> None:
    """Wait until the node at `url` answers; RpcError when it has not within `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            request(url, method)
        except RpcError:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)
        else:
            return
