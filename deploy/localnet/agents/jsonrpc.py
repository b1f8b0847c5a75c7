"""A bare JSON-RPC client: one exception for everything that can go wrong with a node."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import ClientError, ClientSession


class RpcFault(Exception):
    """The node could not be reached, or it answered with an error (`code` and `data` are then its own)."""

    def __init__(self, message: str, code: int | None = None, data: Any = None) -> None:
        super().__init__(message)
        self.code, self.data = code, data


class JsonRpc:
    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def call(self, method: str, *params: Any) -> Any:
        """The `result`. Raises `RpcFault`."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        try:
            async with self._session.post(self.url, json=request) as response:
                answer = json.loads(await response.text())
        except (ClientError, TimeoutError, ValueError) as error:
            raise RpcFault(f"{self.url}: {method}: {type(error).__name__}: {error}") from error
        if "error" in answer:
            refused = answer["error"]
            raise RpcFault(f"{method}: {refused.get('message')}", refused.get("code"), refused.get("data"))
        return answer.get("result")
