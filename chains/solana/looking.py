"""Reading a Solana network: accounts at one slot, blocks, landed transactions; each answer checked and as firm as asked.

Money is read at *finalized*; what only steers (a program's state before a departure) at *confirmed*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solders.account_decoder import UiAccountEncoding
from solders.commitment_config import CommitmentLevel
from solders.pubkey import Pubkey
from solders.rpc.config import RpcAccountInfoConfig, RpcBlockConfig, RpcSignaturesForAddressConfig, RpcTransactionConfig
from solders.rpc.requests import GetAccountInfo, GetBlock, GetMultipleAccounts, GetSignaturesForAddress, GetTransaction
from solders.rpc.responses import (
    GetAccountInfoResp,
    GetBlockResp,
    GetMultipleAccountsResp,
    GetSignaturesForAddressResp,
    GetTransactionResp,
)
from solders.signature import Signature
from solders.transaction_status import TransactionDetails, UiTransactionEncoding

from chains.base import Height, Receipt
from chains.endpoint import Refused
from chains.errors import Fault, Unknowable
from chains.ids import TokenId
from chains.solana.accounts import Raw
from chains.solana.nodes import Nodes, heard, integer, reached, witnesses
from chains.solana.receipts import read_landing, receipt
from chains.solana.transport import Node

CONFIRMED, FINALIZED = CommitmentLevel.Confirmed, CommitmentLevel.Finalized
MOST_ACCOUNTS = 100  # of one getMultipleAccounts; more would not be one slot
PAGE, MOST_PAGES = 1000, 20  # of getSignaturesForAddress
_BLOCK_ABSENT = {-32004, -32007, -32009}  # not available yet, skipped, not in long-term storage
_KNOWN_BLOCKS = 4096


@dataclass(frozen=True, slots=True)
class Accounts:
    """Accounts as one node's bank at `slot` had them; None where there is none."""

    slot: int
    found: Mapping[str, Raw | None]


class Looking:
    """The typed reads of one chain over its nodes."""

    def __init__(self, nodes: Nodes, native: TokenId) -> None:
        self.nodes = nodes
        self._native = native
        self._blocks: dict[int, Height] = {}

    async def accounts(self, addresses: Sequence[str], commitment: CommitmentLevel) -> list[tuple[Node, Accounts | Fault]]:
        """Every node's answer to one getMultipleAccounts."""
        if len(addresses) > MOST_ACCOUNTS:
            raise Unknowable(
                f"{self.nodes.chain}: {len(addresses)} accounts cannot be read at one slot (most {MOST_ACCOUNTS}); ask for fewer"
            )
        keys = [Pubkey.from_string(address) for address in addresses]

        async def ask(node: Node) -> Accounts:
            answer = await node.parsed(GetMultipleAccounts(keys, _as_of(commitment)), GetMultipleAccountsResp)
            if len(answer.value) != len(keys):
                raise Unknowable(f"{node.place} answers {len(answer.value)} accounts for {len(keys)}")
            raws = [None if account is None else Raw(account.lamports, account.owner, bytes(account.data)) for account in answer.value]
            return Accounts(answer.context.slot, dict(zip(addresses, raws, strict=True)))

        return await self.nodes.every(ask)

    async def account(self, address: str, commitment: CommitmentLevel = CONFIRMED) -> Raw | None:
        """One account as the quorum agrees it is."""

        async def ask(node: Node) -> Raw | None:
            found = (await node.parsed(GetAccountInfo(Pubkey.from_string(address), _as_of(commitment)), GetAccountInfoResp)).value
            return None if found is None else Raw(found.lamports, found.owner, bytes(found.data))

        return await self.nodes.decide(f"account {address}", ask)

    async def finalized(self) -> int:
        """The newest slot that the quorum calls finalized."""

        async def ask(node: Node) -> int:
            return integer(node, await node.ask("getEpochInfo", {"commitment": "finalized"}), "absoluteSlot")

        return reached(self.nodes.quorum, heard(await self.nodes.every(ask)))

    async def height(self, slot: int) -> Height:
        """Hash and time of a finalized block. Raises Unknowable when the quorum does not know it."""
        if slot not in self._blocks:
            self._blocks[slot] = await self.nodes.decide(f"block {slot}", lambda node: _block(node, slot, FINALIZED))
            if len(self._blocks) > _KNOWN_BLOCKS:
                self._blocks.pop(next(iter(self._blocks)))
        return self._blocks[slot]

    async def receipt(self, reference: str) -> Receipt | None:
        """The final receipt the quorum agrees on, else what anyone has seen (not final), else None."""
        final = await self.final_receipt(reference)
        if final is not None:
            return final
        for _, seen in heard(await self.nodes.every(lambda node: self._receipt(node, reference, CONFIRMED))):
            if seen is not None:
                return seen
        return None

    async def final_receipt(self, reference: str) -> Receipt | None:
        """None unless enough trust domains give the same finalized transaction with the same effects."""
        answers = heard(await self.nodes.every(lambda node: self._receipt(node, reference, FINALIZED)))
        told: dict[Receipt, set[str]] = {}
        for node, answer in answers:
            if answer is not None:
                told.setdefault(answer, set()).add(node.trust_domain)
        if len(told) > 1:
            raise Unknowable(f"{self.nodes.chain}: endpoints disagree about what transaction {reference} did")
        return next((answer for answer, domains in told.items() if len(domains) >= self.nodes.quorum), None)

    async def search(self, address: str, since: int) -> list[Receipt]:
        """Final receipts of the transactions that touched an account since a slot, oldest first."""
        answers = heard(await self.nodes.every(lambda node: _signatures(node, address, since)))
        if witnesses([node for node, _ in answers]) < self.nodes.quorum:
            raise Unknowable(f"{self.nodes.chain}: too few trust domains say what touched {address}")
        slots = {reference: slot for _, listed in answers for reference, slot in listed}  # one node may leave something out
        found = []
        for reference in sorted(slots, key=slots.__getitem__):
            one = await self.final_receipt(reference)
            if one is None:
                raise Unknowable(f"{self.nodes.chain}: transaction {reference} touched {address}, but its effects cannot be read yet")
            found.append(one)
        return found

    async def _receipt(self, node: Node, reference: str, commitment: CommitmentLevel) -> Receipt | None:
        config = RpcTransactionConfig(encoding=UiTransactionEncoding.Base64, commitment=commitment, max_supported_transaction_version=0)
        answer = await node.parsed(GetTransaction(Signature.from_string(reference), config), GetTransactionResp)
        if answer.value is None:
            return None
        landing = read_landing(node.place, reference, answer.value)
        block = await _block(node, landing.slot, commitment)
        return receipt(self.nodes.chain, self._native, landing, block, final=commitment == FINALIZED)


def _as_of(commitment: CommitmentLevel) -> RpcAccountInfoConfig:
    return RpcAccountInfoConfig(encoding=UiAccountEncoding.Base64, commitment=commitment)


async def _block(node: Node, slot: int, commitment: CommitmentLevel) -> Height:
    config = RpcBlockConfig(
        encoding=UiTransactionEncoding.Base64,
        transaction_details=TransactionDetails.None_,
        rewards=False,
        commitment=commitment,
        max_supported_transaction_version=0,
    )
    try:
        answer = await node.parsed(GetBlock(slot, config), GetBlockResp)
    except Refused as refusal:
        if refusal.code in _BLOCK_ABSENT:
            raise Unknowable(f"{node.place} does not have block {slot}") from refusal
        raise
    block: Any = answer.value
    if block is None:
        raise Unknowable(f"{node.place} does not have block {slot}")
    return Height(slot, str(block.blockhash), block.block_time or 0)


async def _signatures(node: Node, address: str, since: int) -> list[tuple[str, int]]:
    """Signatures and their slots, oldest first. The node answers newest first, in pages."""
    found: list[tuple[str, int]] = []
    before: Signature | None = None
    for _ in range(MOST_PAGES):
        config = RpcSignaturesForAddressConfig(before=before, limit=PAGE, commitment=FINALIZED)
        page = (await node.parsed(GetSignaturesForAddress(Pubkey.from_string(address), config), GetSignaturesForAddressResp)).value
        found += [(str(one.signature), one.slot) for one in page if one.slot >= since]
        if len(page) < PAGE or page[-1].slot < since:
            return found[::-1]
        before = page[-1].signature
    raise Unknowable(
        f"{node.place}: more than {PAGE * MOST_PAGES} transactions touched {address} since slot {since}; ask from a later slot"
    )
