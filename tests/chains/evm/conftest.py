"""Real EVM nodes for the chain tests: anvil processes that mine only when told, the contracts on them, and a lossy proxy."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from eth_abi.abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from chains.base import Call
from chains.evm.chain import EvmChain, build
from chains.ids import AccountId, ChainId, TokenId
from chains.keys import EvmSigner
from chains.rpc import EndpointPool
from chains.settings import EndpointSettings, EvmSettings, NativeSettings
from chains.tokens import Token
from deploy.localnet.artifacts import load
from deploy.localnet.evm.anvil import anvil_binary
from tests.ports import free_port

ID = ChainId("eip155", "31337701")
ETH = Token(TokenId(ID, "slip44", "60"), "ETH", 18)
ETHER = 10**18
# anvil's public development key number 0; it holds nothing on any real chain.
DEV: LocalAccount = Account.from_key("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
SENDER = AccountId(ID, DEV.address)
OTHER = AccountId(ID, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8")  # anvil's number 1: unlocked on the node, not ours


@dataclass
class Node:
    """One anvil: `rpc` asks it as a test, not through the product's code."""

    url: str
    multicall: str = ""
    weth: str = ""

    def rpc(self, method: str, *params: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            said = json.load(answer)
        if "error" in said:
            raise RuntimeError(f"{method}: {said['error']}")
        return said["result"]

    def deploy(self, code: str) -> str:
        """The address of new contract code, mined at once."""
        sent = self.rpc("eth_sendTransaction", {"from": OTHER.address, "data": code, "gas": hex(8_000_000)})
        self.mine()
        return to_checksum_address(self.rpc("eth_getTransactionReceipt", sent)["contractAddress"])

    def mine(self, blocks: int = 1) -> None:
        self.rpc("anvil_mine", hex(blocks))

    def finalize(self) -> None:
        """Mine until what is in a block now is final: anvil with one slot an epoch calls latest - 2 finalized."""
        self.mine(3)

    @property
    def weth_token(self) -> Token:
        return Token(TokenId(ID, "erc20", self.weth), "WETH", 18)

    def weth_call(self, signature: str, *arguments: Any, value: int = 0) -> Call:
        kinds = signature[signature.index("(") + 1 : -1]
        data = function_signature_to_4byte_selector(signature) + encode(kinds.split(",") if kinds else [], arguments)
        return Call(ID, self.weth, data, signature, value=value)


def started(chain_id: int = 31337701) -> tuple[Node, subprocess.Popen[bytes]]:
    port = free_port()
    options = ["--silent", "--no-mining", "--order", "fifo", "--slots-in-an-epoch", "1"]
    command = [str(anvil_binary()), "--host", "127.0.0.1", "--port", str(port), "--chain-id", str(chain_id), *options]
    process = subprocess.Popen(command)
    node = Node(f"http://127.0.0.1:{port}")
    for _ in range(200):
        try:
            node.rpc("eth_chainId")
        except OSError:
            if process.poll() is not None:
                raise RuntimeError(f"anvil ended with {process.returncode} on port {port}") from None
            time.sleep(0.05)
        else:
            return node, process
    process.kill()
    raise RuntimeError(f"anvil does not answer on port {port}")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def anvil() -> Iterator[Node]:
    node, process = started()
    node.multicall = node.deploy(load("Multicall3").code)
    node.weth = node.deploy(load("WETH9").code)
    node.finalize()
    yield node
    stop(process)


@pytest.fixture
def node(anvil: Node) -> Iterator[Node]:
    """The session's anvil, put back afterwards to the state it was found in."""
    anvil.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**9))  # snapshots leave the base fee of the next block as it is
    anvil.finalize()
    before = anvil.rpc("evm_snapshot")
    yield anvil
    anvil.rpc("anvil_dropAllTransactions")
    anvil.rpc("evm_revert", before)


@pytest.fixture
def other_node() -> Iterator[Node]:
    """A second anvil with the same chain id and another history."""
    node, process = started()
    yield node
    stop(process)


def settings(*urls: str, node: Node, **changes: Any) -> EvmSettings:
    """One trust domain a url."""
    endpoints = tuple(EndpointSettings(url=url, trust_domain=f"operator-{place}", per_second=10_000) for place, url in enumerate(urls))
    native = NativeSettings(asset="ETH", decimals=18, slip44=60)
    common: Mapping[str, Any] = {"multicall": node.multicall, "wrapped_native": node.weth, "timeout": 5.0}
    return EvmSettings(**{"id": ID, "name": "alpha", "endpoints": endpoints, "native": native, **common, **changes})


def dev_signer() -> EvmSigner:
    def sign(unsigned: bytes) -> bytes:
        signed = DEV.unsafe_sign_hash(keccak(unsigned))  # type: ignore[arg-type]  # a hash is bytes
        return signed.r.to_bytes(32) + signed.s.to_bytes(32) + bytes([signed.v - 27])

    return EvmSigner(SENDER, sign)


MakeChain = Callable[..., EvmChain]
MakePool = Callable[..., EndpointPool]  # the fixtures of the conftest above
MakeScript = Callable[..., Awaitable[Any]]


@pytest.fixture
async def make_chain(node: Node) -> AsyncIterator[MakeChain]:
    """Chains over given urls (the node's own by default), closed afterwards."""
    made: list[EvmChain] = []

    def make(*urls: str, **changes: Any) -> EvmChain:
        chain = build(settings(*(urls or (node.url,)), node=node, **changes), {SENDER: dev_signer()})
        made.append(chain)
        return chain

    yield make
    for chain in made:
        await chain.aclose()


@pytest.fixture
def chain(make_chain: MakeChain) -> EvmChain:
    return make_chain()


@dataclass
class Proxy:
    """Stands between a chain and its node. `lose`: methods whose answer is dropped after the node acted. `say`: answers made up."""

    url: str
    lose: set[str] = field(default_factory=set)
    say: dict[str, Any] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def count(self, method: str) -> int:
        return self.asked.count(method)


MakeProxy = Callable[[Node], Awaitable[Proxy]]


@pytest.fixture
async def make_proxy() -> AsyncIterator[MakeProxy]:
    runners: list[web.AppRunner] = []
    sessions: list[aiohttp.ClientSession] = []

    async def make(node: Node) -> Proxy:
        port = free_port()
        proxy = Proxy(f"http://127.0.0.1:{port}")
        session = aiohttp.ClientSession()
        sessions.append(session)

        async def pass_on(request: web.Request) -> web.StreamResponse:
            asked = await request.json()
            method = asked["method"]
            proxy.asked.append(method)
            if method in proxy.status:
                return web.Response(status=proxy.status[method], headers={"Retry-After": "7"})
            if method in proxy.say:
                return web.json_response({"jsonrpc": "2.0", "id": asked["id"], **proxy.say[method]})
            async with session.post(node.url, json=asked) as answer:
                body = await answer.read()
            if method in proxy.lose and request.transport is not None:
                request.transport.close()
            return web.Response(body=body, content_type="application/json")

        app = web.Application()
        app.router.add_post("/", pass_on)
        runner = web.AppRunner(app)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return proxy

    yield make
    for session in sessions:
        await session.close()
    for runner in runners:
        await runner.cleanup()
