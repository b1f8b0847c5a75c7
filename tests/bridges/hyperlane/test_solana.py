"""The transfer instruction of the Solana end, compared with what the local network's own encoder makes."""

from __future__ import annotations

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from bridges.base import Lane, Leg
from bridges.hyperlane.settings import HyperlaneChain
from bridges.hyperlane.solana import SolanaEnd, address, one_time_seed
from chains.base import Call
from chains.ids import AccountId, ChainId, TokenId
from chains.solana.chain import SolanaChain
from chains.solana.nodes import Nodes
from chains.solana.transaction import instruction
from chains.tokens import Amount, Token
from deploy.localnet.solana import hyperlane
from deploy.localnet.solana.programs import MAILBOX, WARP_USDC
from deploy.localnet.solana.setup import USDC

CHAIN, OTHER = ChainId.parse("solana:4LWP7q2eEhk54e4pQ72pnk2dDrTCkjzP"), ChainId.parse("eip155:31337001")
TOKEN = Token(TokenId(CHAIN, "token", str(USDC.pubkey())), "USDC", 6)
FAR = Token(TokenId(OTHER, "erc20", "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"), "USDC", 6)
SENDER = Keypair.from_seed(bytes(range(32))).pubkey()
RECIPIENT = bytes(12) + bytes.fromhex("a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48")


def place(*seeds: str | bytes) -> str:
    return address(str(WARP_USDC), *seeds)


def route_account() -> bytes:
    some = b"\1" + bytes(32)
    keys = [hyperlane.TOKEN_PROGRAM_ID, USDC.pubkey(), hyperlane.WARP_ESCROW]
    head = b"\1\xff" + bytes(MAILBOX) + bytes(32) + b"\xff\6\6" + some + some + b"\0" + bytes(4) + bytes(4)
    return head + b"".join(map(bytes, keys)) + b"\xff\xff"


class OneAccount(SolanaChain):
    """A chain on which only the route's account exists."""

    async def read(self, call: Call) -> bytes:
        return route_account() if call.target == place("hyperlane_message_recipient", "handle", "account_metas") else b""


def end() -> SolanaEnd:
    settings = HyperlaneChain(domain=hyperlane.DOMAIN, mailbox=str(MAILBOX), warp=str(WARP_USDC), token=TOKEN.id)
    return SolanaEnd(settings, OneAccount(Nodes(CHAIN, [], 1), Token(TokenId(CHAIN, "slip44", "501"), "SOL", 9), {}), TOKEN)


def leg(name: str, units: int = 2**40 + 1) -> Leg:
    sender, recipient = AccountId(CHAIN, str(SENDER)), AccountId(OTHER, FAR.id.reference)
    lane = Lane("hyperlane/x/y", "hyperlane", TOKEN, FAR)
    return Leg(name * 32, lane, Amount(TOKEN, units), Amount(FAR, units), sender, recipient, 2**40)


async def test_depart__instruction__is_byte_for_byte_the_other_encoders() -> None:
    (call,) = await end().depart(leg("a"), 31337001, RECIPIENT, Amount(TOKEN, 0))
    once = Keypair.from_seed(call.cosigners[0]).pubkey()
    wanted = hyperlane.transfer_remote(hyperlane.RemoteTransfer(SENDER, once, USDC.pubkey(), 31337001, RECIPIENT, 2**40 + 1))
    assert instruction(call) == wanted


async def test_depart__same_leg_again__same_one_time_key_and_another_leg_another() -> None:
    (one,) = await end().depart(leg("a"), 31337001, RECIPIENT, Amount(TOKEN, 0))
    (again,) = await end().depart(leg("a"), 31337001, RECIPIENT, Amount(TOKEN, 0))
    (other,) = await end().depart(leg("b"), 31337001, RECIPIENT, Amount(TOKEN, 0))
    assert one == again
    assert one.cosigners != other.cosigners
    assert one_time_seed("a" * 32) == one.cosigners[0]


@pytest.mark.parametrize("message", [bytes(32), bytes(range(32))])
def test_address__of_a_processed_message__equals_the_other_encoders(message: bytes) -> None:
    assert address(str(MAILBOX), "hyperlane", "processed_message", message) == str(hyperlane.processed_account(message))


def test_account__recipient__is_the_wallet_itself() -> None:
    assert end().account(AccountId(CHAIN, str(SENDER))) == bytes(Pubkey.from_string(str(SENDER)))
