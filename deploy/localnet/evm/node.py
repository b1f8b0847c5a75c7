"""One anvil node as the deployment and the levers use it: JSON-RPC, deployments, calls and transactions.

Transactions are sent from anvil's unlocked development accounts, so nothing here signs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3
from web3.contract.contract import Contract as Web3Contract
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint, TxParams, TxReceipt, Wei

from deploy.localnet.accounts import Role, address, require_private
from deploy.localnet.artifacts import Artifact
from deploy.localnet.rpc import RpcError

POLL_SECONDS = 0.02
WAIT_SECONDS = 30


class NodeError(RpcError):
    """The node refused a request or a transaction failed; the text names the method and the reason."""


class EvmNode:
    """A running anvil at `url`, known to be on private chain `chain_id`."""

    def __init__(self, url: str, chain_id: int) -> None:
        require_private(chain_id)
        self.url = url
        self.chain_id = chain_id
        self.web3 = Web3(HTTPProvider(url, request_kwargs={"timeout": WAIT_SECONDS}))
        if (found := self.web3.eth.chain_id) != chain_id:
            raise NodeError(f"{url} serves chain id {found}, wanted {chain_id}; another program holds that port")

    def rpc(self, method: str, *params: Any) -> Any:
        """One JSON-RPC request; its result."""
        answer = self.web3.provider.make_request(RPCEndpoint(method), list(params))
        if "error" in answer:
            raise NodeError(f"{self.url}: {method}: {answer['error']}")
        return answer.get("result")

    def at(self, abi: Sequence[Mapping[str, Any]], place: str) -> "Contract":
        """The contract at an address, seen through an ABI."""
        return Contract(self, self.web3.eth.contract(address=to_checksum_address(place), abi=abi))

    def deploy(self, artifact: Artifact, *arguments: Any, sender: int = Role.DEPLOYER) -> "Contract":
        """Deploy an artifact with constructor arguments."""
        factory = self.web3.eth.contract(abi=artifact.abi, bytecode=artifact.code)
        receipt = self.transact({"data": factory.constructor(*arguments).data_in_transaction}, sender, artifact.name)
        return self.at(artifact.abi, receipt["contractAddress"] or "")

    def transact(self, fields: TxParams, sender: int, what: str) -> TxReceipt:
        """Send one transaction and wait for its receipt; NodeError when it reverted."""
        return self.wait(self.post(fields, sender), what)

    def post(self, fields: TxParams, sender: int) -> HexBytes:
        """Send one transaction without waiting for it; its hash. NodeError when the node foresees its failure."""
        caller: ChecksumAddress = to_checksum_address(address(sender))
        try:
            return self.web3.eth.send_transaction({"from": caller, **fields})
        except Web3Exception as failure:
            raise NodeError(f"{self.url}: refused a transaction from {caller}: {failure}") from failure

    def wait(self, reference: HexBytes, what: str) -> TxReceipt:
        """The receipt of a sent transaction; NodeError when it reverted."""
        receipt = self.web3.eth.wait_for_transaction_receipt(reference, WAIT_SECONDS, POLL_SECONDS)
        if receipt["status"] != 1:
            raise NodeError(f"{self.url}: {what} reverted in {reference.to_0x_hex()}")
        return receipt


@dataclass(frozen=True, slots=True)
class Contract:
    """A deployed contract."""

    node: EvmNode
    inner: Web3Contract

    @property
    def address(self) -> str:
        """Its checksummed address."""
        return str(self.inner.address)

    def call(self, function: str, *arguments: Any) -> Any:
        """Read: the function's decoded result on the latest block."""
        return self.inner.functions[function](*arguments).call()

    def send(self, function: str, *arguments: Any, sender: int = Role.DEPLOYER, value: int = 0) -> TxReceipt:
        """Write: send the call from a development account, wait, and return the receipt."""
        return self.node.wait(self.post(function, *arguments, sender=sender, value=value), function)

    def post(self, function: str, *arguments: Any, sender: int = Role.DEPLOYER, value: int = 0) -> HexBytes:
        """Send the call without waiting for it; the transaction's hash (see EvmNode.wait)."""
        data = self.inner.encode_abi(function, list(arguments))
        return self.node.post({"to": self.inner.address, "data": data, "value": Wei(value)}, sender)


def as_bytes32(place: str) -> bytes:
    """An EVM address left-padded to 32 bytes, as bridges write it."""
    return bytes(12) + bytes.fromhex(place.removeprefix("0x"))
