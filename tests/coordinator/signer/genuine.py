"""Genuine transactions: what the project's own rails make for every lane, as the bytes that a signer gets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from eth_utils.crypto import keccak
from solders.hash import Hash
from solders.message import to_bytes_versioned

from bridges.base import Lane, Leg, Rail, Surroundings
from bridges.cctp.evm import EvmEnd
from bridges.cctp.message import FAST, STANDARD, Burn
from bridges.erc20 import approve
from bridges.registry import RAILS
from chains.base import Call
from chains.evm.transactions import Unsigned
from chains.ids import ChainId
from chains.solana.transaction import Budget, compile_message
from chains.tokens import Amount, Token
from coordinator.config.treasury import Treasury
from tests.coordinator.signer.world import NOW, USD, Api, Still

SIZES = (Fraction(50), Fraction(10_000), Fraction(390_000))  # USD
BLOCKHASH = str(Hash(bytes(range(32))))


@dataclass(frozen=True)
class Genuine:
    """`kind`: rail and call, as in `cctp depositForBurn`. `calls`: from which `unsigned` was made."""

    kind: str
    account: str
    unsigned: bytes
    calls: tuple[Call, ...]


async def genuine(treasury: Treasury) -> list[Genuine]:
    """Every lane of every rail at every size, claims, and allowances taken back."""
    found: list[Genuine] = []
    for opened, layout in ((True, "pool"), (False, "pool"), (True, "jupiter"), (False, "jupiter")):
        readers = {chain: Still(treasury, chain, opened) for chain in treasury.chains}
        around = Surroundings(readers, treasury.tokens, treasury.accounts, Api(layout))
        for name, settings in treasury.rails.items():
            if (name == "solana-amm") or (opened and layout == "pool"):
                found += [one async for one in _departures(treasury, RAILS[name].build(settings, around))]
    return [*found, *_claims(treasury), *_revokes(treasury)]


async def _departures(treasury: Treasury, rail: Rail):
    for lane in rail.lanes():
        for size in SIZES:
            leg = leg_of(treasury, lane, size)
            calls = tuple(await rail.depart(leg))
            for one in transactions(treasury, rail.name, calls):
                yield one


def leg_of(treasury: Treasury, lane: Lane, usd: Fraction) -> Leg:
    gives = units(lane.source, usd)
    least = units(lane.target, usd * Fraction(99, 100))
    if lane.rail == "wrapped-native":
        least = gives
    name = keccak(text=f"{lane.id}{usd}").hex()[:32]
    sender, recipient = treasury.accounts[lane.source.chain], treasury.accounts[lane.target.chain]
    terms = {"max_fee": str(gives // 500), "since": "1", "fee_tier": "500", "fee_ceiling": str(10**16)}
    return Leg(name, lane, Amount(lane.source, gives), Amount(lane.target, least), sender, recipient, NOW + 3600, terms)


def units(token: Token, usd: Fraction) -> int:
    return int(usd * 10**token.decimals / USD[token.asset])


def transactions(treasury: Treasury, rail: str, calls: Sequence[Call]) -> Iterator[Genuine]:
    chain = calls[0].chain
    account = treasury.accounts[chain]
    if chain.namespace == "solana":
        message = compile_message(account.address, calls, Budget(200_000 + len(calls), 10_000), BLOCKHASH)
        yield Genuine(f"{rail} on Solana", str(account), to_bytes_versioned(message), tuple(calls))
        return
    for number, call in enumerate(calls):
        yield Genuine(f"{rail} {call.purpose.split()[0]}", str(account), evm_bytes(call, number), (call,))


def evm_bytes(call: Call, nonce: int) -> bytes:
    return Unsigned(
        chain_id=int(call.chain.reference),
        nonce=nonce,
        priority_fee=10**9,
        max_fee=3 * 10**9,
        gas=180_000 + nonce,
        to=call.target,
        value=call.value,
        data=call.data,
    ).encode()


def ends(treasury: Treasury) -> dict[ChainId, EvmEnd]:
    settings = treasury.rails["cctp"].chains
    return {chain: EvmEnd(here, Still(treasury, chain), treasury.tokens[here.usdc]) for chain, here in settings.items()}


def _claims(treasury: Treasury) -> Iterator[Genuine]:
    known = ends(treasury)
    for source in known:
        for target in known:
            for finality in (FAST, STANDARD):
                if source != target:
                    yield claim(treasury, source, target, finality)


def claim(treasury: Treasury, source: ChainId, target: ChainId, finality: int) -> Genuine:
    """A claim of 10,000 USDC, attested with two signatures."""
    here, there = ends(treasury)[source], ends(treasury)[target]
    burn = Burn(
        here.settings.domain,
        there.settings.domain,
        here.messenger,
        there.messenger,
        here.token,
        10**10,
        here.account(treasury.accounts[source]),
        there.account(treasury.accounts[target]),
        10**6,
        finality,
    )
    message = bytearray(burn.encode())
    message[12:44], message[144:148], message[312:344] = keccak(message), finality.to_bytes(4, "big"), (10**6).to_bytes(32, "big")
    call = there.claim(bytes(message), bytes(range(65)) * 2)
    return next(transactions(treasury, "cctp", [replace(call, purpose=f"claim {call.purpose}")]))


def _revokes(treasury: Treasury) -> Iterator[Genuine]:
    for chain, here in treasury.rails["cctp"].chains.items():
        uniswap = treasury.rails["uniswap"].chains[chain]
        warp = treasury.rails["hyperlane"].chains[chain]
        usdc = treasury.tokens[here.usdc]
        for rail, spender in (("cctp", here.token_messenger), ("uniswap", uniswap.router), ("hyperlane", warp.warp)):
            yield from transactions(treasury, rail, [approve(Amount(usdc, 0), spender)])
