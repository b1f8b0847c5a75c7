"""Balances of a treasury's accounts at one finalized Solana slot: one request a node, compared between trust domains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chains.base import Snapshot, Unknown
from chains.ids import AccountId, TokenId
from chains.solana.accounts import Mint, Raw, read_balance, token_account
from chains.solana.looking import FINALIZED, Accounts, Looking
from chains.solana.nodes import heard, reached
from chains.solana.transport import Node

Key = tuple[AccountId, TokenId]
Answers = Sequence[tuple[Node, Accounts]]


async def snapshot(looking: Looking, mints: Mapping[TokenId, Mint | Unknown], accounts: Sequence[AccountId]) -> Snapshot:
    """`mints`: the tokens asked for, with the native coin as a Mint of the System program. Raises a Fault when no node answers."""
    nodes = looking.nodes
    places = {(account, token): _place(account, token, mint) for account in accounts for token, mint in mints.items()}
    addresses = sorted({place for place in places.values() if isinstance(place, str)} or {account.address for account in accounts})
    answers = heard(await looking.accounts(addresses, FINALIZED))
    slot = reached(1, [(node, found.slot) for node, found in answers])
    if len({node.trust_domain for node, _ in answers}) >= nodes.quorum:
        slot = reached(nodes.quorum, [(node, found.slot) for node, found in answers])
    height = await looking.height(slot)
    holdings = {key: place if isinstance(place, Unknown) else _holding(key, place, answers, nodes.quorum) for key, place in places.items()}
    return Snapshot(nodes.chain, height, holdings)


def _place(account: AccountId, token: TokenId, mint: Mint | Unknown) -> str | Unknown:
    if isinstance(mint, Unknown):
        return mint
    return account.address if token.is_native else str(token_account(account.address, token.reference, mint.program))


def _holding(key: Key, place: str, answers: Answers, quorum: int) -> int | Unknown:
    """The balance that `quorum` trust domains give, or Unknown."""
    told: dict[int | Unknown, set[str]] = {}
    for node, accounts in answers:
        told.setdefault(_balance(key, accounts.found[place]), set()).add(node.trust_domain)
    agreed = [balance for balance, domains in told.items() if len(domains) >= quorum]
    if len(agreed) == 1:
        return agreed[0]
    return Unknown(f"{len(answers)} endpoint(s) gave {len(told)} different balance(s), {quorum} trust domain(s) must agree")


def _balance(key: Key, account: Raw | None) -> int | Unknown:
    owner, token = key
    if token.is_native:
        return 0 if account is None else account.lamports
    return read_balance(owner.address, token.reference, account)
