"""Hands and eyes of the tests that use the network from outside: HTTP, the Solana node, waiting for something."""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from deploy.localnet import Network, rpc

UNIT, SOL = 10**6, 10**9
T = TypeVar("T")


def eventually(look: Callable[[], T | None], what: str, seconds: float = 30) -> T:
    """The first thing `look` finds. The bound is for a broken network, not a claim about speed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen in {seconds} s")


def http(url: str, body: Any = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


class Solana:
    """The Solana node as these tests use it."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.entry, self.url = entry, entry["rpc"][0]
        self.usdc = Pubkey.from_string(entry["mints"]["USDC"])

    def call(self, method: str, *params: Any) -> Any:
        return rpc.request(self.url, method, *params)

    def account(self, lamports: int = 10 * SOL, usdc: int = 0) -> Keypair:
        key = Keypair()
        self.call("requestAirdrop", str(key.pubkey()), lamports)
        if usdc:
            self.call("localnet_mintTo", str(self.usdc), str(key.pubkey()), usdc)
        return key

    def balance(self, owner: Pubkey) -> int:
        wanted = {"commitment": "processed", "encoding": "jsonParsed"}
        held = self.call("getTokenAccountsByOwner", str(owner), {"mint": str(self.usdc)}, wanted)["value"]
        return sum(int(a["account"]["data"]["parsed"]["info"]["tokenAmount"]["amount"]) for a in held)

    def lamports(self, owner: Pubkey) -> int:
        return int(self.call("getBalance", str(owner), {"commitment": "processed"})["value"])

    def send(self, steps: list[Instruction], signers: list[Keypair]) -> str:
        latest = self.call("getLatestBlockhash", {"commitment": "processed"})["value"]["blockhash"]
        message = MessageV0.try_compile(signers[0].pubkey(), steps, [], Hash.from_string(latest))
        raw = base64.b64encode(bytes(VersionedTransaction(message, signers))).decode()
        sent = self.call("sendTransaction", raw, {"encoding": "base64", "preflightCommitment": "processed"})
        return str(sent)


def solana_of(network: Network) -> Solana:
    return Solana(next(entry for caip2, entry in network.book["chains"].items() if caip2.startswith("solana:")))


def calm(network: Network, service: str, **own: Any) -> None:
    """Set an agent's controls back."""
    http(network.book["services"][service] + "/control", {"paused": False, "delay_s": 0, "fail_next": 0} | own)
