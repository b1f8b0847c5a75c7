"""CCTP v2 as the signer reads it: a burn to our own account, and the claim of a burn of ours.

Source: developers.circle.com/cctp, TokenMessengerV2 and the message format (v2). Integers in a message are big-endian.
"""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.signer.evm import abi
from coordinator.signer.evm.transaction import Transaction
from coordinator.signer.floor import percent
from coordinator.signer.policy import Cctp, EvmRules
from coordinator.signer.verdict import Effect, Refused, need

BURN = "depositForBurn(uint256,uint32,bytes32,address,bytes32,uint256,uint32)"
CLAIM = "receiveMessage(bytes,bytes)"
_BURN_TYPES = ("uint256", "uint32", "bytes32", "address", "bytes32", "uint256", "uint32")
_FINALITY = (1000, 2000)  # Fast, Standard
_LENGTH = 148 + 228  # header and burn message, without hook data
_SIGNATURE = 65
_MOST_SIGNATURES = 16


@dataclass(frozen=True, slots=True)
class _Message:
    """The fields of a burn message that decide where value goes."""

    versions: tuple[int, int]
    source: int
    target: int
    sender: bytes
    recipient: bytes
    caller: bytes
    token: bytes
    mint_recipient: bytes
    burner: bytes
    amount: int
    fee: int


def burn(rules: EvmRules, cctp: Cctp, transaction: Transaction) -> tuple[Effect, ...]:
    """`depositForBurn`: our USDC, to a known domain, for our own account there, without hook or privileged caller."""
    amount, domain, recipient, token, caller, max_fee, finality = abi.static(transaction.data[4:], _BURN_TYPES)
    need(transaction.value == 0, "value", f"{transaction.value} wei sent along", 0)
    end = cctp.ends.get(domain)
    if end is None:
        raise Refused("domain", f"CCTP domain {domain}", ", ".join(map(str, cctp.ends)))
    _same(recipient, end.recipient, "recipient")
    _same(token, cctp.usdc, "token")
    _same(caller, bytes(32), "destination-caller")
    need(finality in _FINALITY, "finality", finality, _FINALITY)
    need(max_fee <= amount * cctp.max_fee, "bridge-fee", f"{max_fee} of {amount} base units", percent(cctp.max_fee))
    return (Effect("burn", rules.tokens[cctp.usdc], amount),)


def claim(rules: EvmRules, cctp: Cctp, transaction: Transaction) -> tuple[Effect, ...]:
    """`receiveMessage`: a message that we burned for at a known end, and that mints to our own account here."""
    raw, attestation = abi.two_bytes(transaction.data[4:])
    need(transaction.value == 0, "value", f"{transaction.value} wei sent along", 0)
    need(len(raw) == _LENGTH, "message", f"a message of {len(raw)} bytes", f"{_LENGTH}: a burn message without hook")
    count, rest = divmod(len(attestation), _SIGNATURE)
    need(not rest and 1 <= count <= _MOST_SIGNATURES, "attestation", f"{len(attestation)} bytes", f"signatures of {_SIGNATURE} bytes")
    message = _read(raw)
    need(message.versions == (1, 1), "message", f"versions {message.versions}", (1, 1))
    need(message.target == cctp.domain, "domain", f"a message to CCTP domain {message.target}", cctp.domain)
    end = cctp.ends.get(message.source)
    if end is None:
        raise Refused("domain", f"a message from CCTP domain {message.source}", ", ".join(map(str, cctp.ends)))
    _same(message.mint_recipient, _word(rules.account), "recipient")
    _same(message.burner, end.recipient, "sender")
    _same(message.sender, end.messenger, "messenger")
    _same(message.recipient, _word(cctp.messenger), "messenger")
    _same(message.token, end.usdc, "token")
    _same(message.caller, bytes(32), "destination-caller")
    need(message.fee <= message.amount * cctp.max_fee, "bridge-fee", f"{message.fee} of {message.amount}", percent(cctp.max_fee))
    return (Effect("claim", rules.tokens[cctp.usdc], message.amount, spends=False),)


def _read(raw: bytes) -> _Message:
    def number(at: int, size: int) -> int:
        return int.from_bytes(raw[at : at + size], "big")

    def word(at: int) -> bytes:
        return raw[at : at + 32]

    return _Message(
        versions=(number(0, 4), number(148, 4)),
        source=number(4, 4),
        target=number(8, 4),
        sender=word(44),
        recipient=word(76),
        caller=word(108),
        token=word(152),
        mint_recipient=word(184),
        amount=number(216, 32),
        burner=word(248),
        fee=number(312, 32),
    )


def _word(address: bytes) -> bytes:
    return bytes(12) + address


def _same(found: bytes, wanted: bytes, rule: str) -> None:
    need(found == wanted, rule, f"0x{found.hex()}", f"0x{wanted.hex()}")
