"""Small made-up domain data for the coordinator's tests: one EVM chain pair, Solana, a leg, receipts, a plan of given legs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from bridges.base import Lane, Leg, Quote
from chains.base import Call, Height, Movement, Receipt, Submission
from chains.ids import AccountId, ChainId, TokenId
from chains.tokens import Amount, Token
from coordinator.drafting import plan_id
from coordinator.plan import Cost, Plan, PlannedLeg
from policies.base import Portfolio, Prices, Targets

ALPHA, BETA = ChainId("eip155", "31337001"), ChainId("eip155", "31337002")
SOLANA = ChainId("solana", "SimuLated11111111111111111111111")
ADDRESS = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
A, B = AccountId(ALPHA, ADDRESS), AccountId(BETA, ADDRESS)
S = AccountId(SOLANA, "4Nd1mBQtrMJVYVfKf2PJy9NZUZdTAsp7D4xWLs4gDB4T")
USDC_A = Token(TokenId(ALPHA, "erc20", f"0x{1:040d}"), "USDC", 6)
USDC_B = Token(TokenId(BETA, "erc20", f"0x{1:040d}"), "USDC", 6)
ETH_A = Token(TokenId(ALPHA, "slip44", "60"), "ETH", 18)
ETH_B = Token(TokenId(BETA, "slip44", "60"), "ETH", 18)
SOL = Token(TokenId(SOLANA, "slip44", "501"), "SOL", 9)
NOON = 1_790_000_000


def leg(source: Token = USDC_A, target: Token = USDC_B, units: int = 1_000, *, name: str = "1", rail: str = "hop") -> Leg:
    accounts = {ALPHA: A, BETA: B, SOLANA: S}
    lane = Lane(f"{rail}/{source.id}/{target.id}", rail, source, target)
    ends = accounts[source.chain], accounts[target.chain]
    return Leg(name.rjust(32, "0"), lane, Amount(source, units), Amount(target, units * 99 // 100), *ends, NOON + 3600)


def receipt(
    sender: AccountId,
    moved: Mapping[TokenId, int] | None = None,
    *,
    fee: int = 0,
    succeeded: bool = True,
    at: int = 100,
    reference: str = "",
) -> Receipt:
    """`moved`: signed base units of the sender's account by token."""
    movements = tuple(Movement(sender, token, units) for token, units in (moved or {}).items())
    height = Height(at, f"0x{at:064x}", NOON + at)
    name = f"0x{at:064x}"
    return Receipt(sender.chain, name, sender, height, succeeded, True, fee, movements, reason="" if succeeded else "paused")


def delivered_to(account: AccountId, token: TokenId, units: int, *, at: int = 200) -> Receipt:
    """A stranger's transaction that brought units to an account."""
    stranger = AccountId(account.chain, "0x" + "00" * 19 + "01") if account.chain.namespace == "eip155" else account
    height = Height(at, f"0x{at:064x}", NOON + at)
    return Receipt(account.chain, f"0x{at:064x}", stranger, height, True, True, 7, (Movement(account, token, units),))


def call(chain: ChainId = ALPHA) -> Call:
    return Call(chain, ADDRESS, b"\x01", "test")


def submission(sender: AccountId = A, number: int = 0) -> Submission:
    return Submission(sender.chain, sender, f"0x{number:064x}", number.to_bytes(4), sequence=number, valid_until=None)


def plan(legs: Sequence[Leg], *, created: int = NOON) -> Plan:
    """Quotes of what each leg's units would bring one for one; every leg stands alone."""
    zero = Fraction(0)
    quotes = [Quote(one.lane, one.gives, Amount(one.lane.target, one.gives.units), (), 1, 10**12, 5) for one in legs]
    empty = Plan(
        id="",
        treasury="test",
        config="c",
        created=created,
        expires=created + 900,
        heights={ALPHA: Height(1, "0x01", created)},
        before=Portfolio((), Prices({}), created),
        targets=Targets({}),
        legs=tuple(PlannedLeg(one, quote, (), "test") for one, quote in zip(legs, quotes, strict=True)),
        status="optimal",
        violation=zero,
        hops_bound=len(legs),
        cost=Cost(zero, zero, zero),
        unmet=(),
    )
    return replace(empty, id=plan_id(empty))
