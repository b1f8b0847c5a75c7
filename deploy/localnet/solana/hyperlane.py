"""The wire format of Hyperlane's Solana programs: addresses, instructions, dispatched messages.

Source: the programs in `@hyperlane-xyz/sealevel-sdk` 34.0.0. Seeds are joined by "-"; the mailbox takes borsh enums,
the token and the ISM take eight 0x01 bytes before theirs. Amounts are u256: little-endian in an instruction,
big-endian in a message body.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from spl.token.constants import ASSOCIATED_TOKEN_PROGRAM_ID, TOKEN_PROGRAM_ID
from spl.token.instructions import get_associated_token_address

from deploy.localnet.solana.programs import ISM, MAILBOX, NOOP, WARP_USDC

DOMAIN = 1_399_811_149
SYSTEM = Pubkey.default()
RENT = Pubkey.from_string("SysvarRent111111111111111111111111111111111")
TAGGED = bytes([1] * 8)
DISPATCH_TAG = b"DISPATCH"
DISPATCH_TAG_AT = 1  # behind the byte that says the account is in use
MESSAGE_AT = DISPATCH_TAG_AT + 8 + 4 + 8 + 32  # tag, nonce u32, slot u64, unique message key
MAX_PROTOCOL_FEE = 10**9
DECIMALS = 6


def _address(program: Pubkey, *seeds: str | bytes) -> Pubkey:
    joined: list[bytes] = []
    for seed in seeds:
        joined += [b"-"] if joined else []
        joined.append(seed.encode() if isinstance(seed, str) else seed)
    return Pubkey.find_program_address(joined, program)[0]


def _u32(value: int) -> bytes:
    return struct.pack("<I", value)


def _read(*keys: Pubkey) -> list[AccountMeta]:
    return [AccountMeta(key, False, False) for key in keys]


def _write(*keys: Pubkey) -> list[AccountMeta]:
    return [AccountMeta(key, False, True) for key in keys]


def _payer(key: Pubkey) -> list[AccountMeta]:
    return [AccountMeta(key, True, True)]


INBOX = _address(MAILBOX, "hyperlane", "inbox")
OUTBOX = _address(MAILBOX, "hyperlane", "outbox")
ISM_OWNER = _address(ISM, "multisig_ism_message_id", "access_control")
WARP_TOKEN = _address(WARP_USDC, "hyperlane_message_recipient", "handle", "account_metas")
WARP_DISPATCHER = _address(WARP_USDC, "hyperlane_dispatcher", "dispatch_authority")
WARP_ESCROW = _address(WARP_USDC, "hyperlane_token", "escrow")
WARP_ATA_PAYER = _address(WARP_USDC, "hyperlane_token", "ata_payer")
WARP_PROCESSOR = _address(MAILBOX, "hyperlane", "process_authority", bytes(WARP_USDC))


def validators_account(origin: int) -> Pubkey:
    """Where the ISM keeps the validators of one origin domain."""
    return _address(ISM, "multisig_ism_message_id", _u32(origin), "domain_data")


def dispatched_account(unique_message: Pubkey) -> Pubkey:
    """Where a message sent under this key lies: the same key cannot dispatch twice."""
    return _address(MAILBOX, "hyperlane", "dispatched_message", bytes(unique_message))


def processed_account(message_id: bytes) -> Pubkey:
    """This account exists exactly when the message was delivered."""
    return _address(MAILBOX, "hyperlane", "processed_message", message_id)


# -- setting up ------------------------------------------------------------------------------------------------------


def init_mailbox(payer: Pubkey) -> Instruction:
    data = b"\0" + _u32(DOMAIN) + bytes(ISM) + struct.pack("<QQ", MAX_PROTOCOL_FEE, 0) + bytes(payer)
    return Instruction(MAILBOX, data, _write(SYSTEM) + _payer(payer) + _write(INBOX, OUTBOX))


def init_ism(payer: Pubkey) -> Instruction:
    return Instruction(ISM, TAGGED + b"\0", _payer(payer) + _write(ISM_OWNER) + _read(SYSTEM))


def set_validators(payer: Pubkey, origin: int, validators: list[bytes], threshold: int) -> Instruction:
    """`validators` are 20-byte EVM addresses; metadata must carry their signatures in this order."""
    data = TAGGED + b"\x01" + _u32(origin) + _u32(len(validators)) + b"".join(validators) + bytes([threshold])
    accounts = _payer(payer) + _read(ISM_OWNER) + _write(validators_account(origin)) + _read(SYSTEM)
    return Instruction(ISM, data, accounts)


def init_warp(payer: Pubkey, mint: Pubkey) -> Instruction:
    """A collateral route for a mint of 6 decimals that is guarded by our ISM and pays no interchain gas."""
    some_ism, no_gas_paymaster = b"\x01" + bytes(ISM), b"\0"
    data = TAGGED + b"\0" + bytes(MAILBOX) + some_ism + no_gas_paymaster + bytes([DECIMALS, DECIMALS])
    accounts = _read(SYSTEM) + _write(WARP_TOKEN, WARP_DISPATCHER) + _payer(payer)
    accounts += _read(TOKEN_PROGRAM_ID) + _write(mint) + _read(RENT) + _write(WARP_ESCROW, WARP_ATA_PAYER)
    return Instruction(WARP_USDC, data, accounts)


def enroll_router(payer: Pubkey, domain: int, router: bytes) -> Instruction:
    """`router` is the 32-byte address of the route's other end on `domain`."""
    data = TAGGED + b"\x03" + _u32(1) + _u32(domain) + b"\x01" + router
    return Instruction(WARP_USDC, data, _read(SYSTEM) + _write(WARP_TOKEN) + _payer(payer))


# -- moving value ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RemoteTransfer:
    """Tokens leaving Solana. `unique_message` must sign too; `recipient` is 32 bytes on the other chain."""

    sender: Pubkey
    unique_message: Pubkey
    mint: Pubkey
    domain: int
    recipient: bytes
    amount: int


def transfer_remote(transfer: RemoteTransfer) -> Instruction:
    data = TAGGED + b"\x01" + _u32(transfer.domain) + transfer.recipient + transfer.amount.to_bytes(32, "little")
    source = get_associated_token_address(transfer.sender, transfer.mint)
    accounts = _read(SYSTEM, NOOP, WARP_TOKEN, MAILBOX) + _write(OUTBOX) + _read(WARP_DISPATCHER)
    accounts += [*_payer(transfer.sender), AccountMeta(transfer.unique_message, True, False)]
    accounts += _write(dispatched_account(transfer.unique_message)) + _read(TOKEN_PROGRAM_ID)
    return Instruction(WARP_USDC, data, accounts + _write(transfer.mint, source, WARP_ESCROW))


@dataclass(frozen=True, slots=True)
class Inbound:
    """A token message to deliver: `message` on the wire, its id, and the validators' metadata."""

    message: bytes
    message_id: bytes
    metadata: bytes
    origin: int
    recipient: Pubkey
    mint: Pubkey


def process(payer: Pubkey, inbound: Inbound) -> Instruction:
    """Deliver a message to the warp route; anybody may. Refused when delivered before (Custom(5))."""
    data = b"\x01" + _u32(len(inbound.metadata)) + inbound.metadata + _u32(len(inbound.message)) + inbound.message
    target = get_associated_token_address(inbound.recipient, inbound.mint)
    accounts = _payer(payer) + _read(SYSTEM) + _write(INBOX) + _read(WARP_PROCESSOR)
    accounts += _write(processed_account(inbound.message_id)) + _read(WARP_TOKEN, NOOP, ISM)
    accounts += _read(validators_account(inbound.origin), WARP_USDC, SYSTEM, WARP_TOKEN)
    accounts += _write(inbound.recipient) + _read(TOKEN_PROGRAM_ID, ASSOCIATED_TOKEN_PROGRAM_ID)
    return Instruction(MAILBOX, data, accounts + _write(inbound.mint, target, WARP_ATA_PAYER, WARP_ESCROW))


def dispatched_message(data: bytes) -> bytes:
    """The message inside a dispatched-message account. Raises `ValueError` for another account."""
    if data[DISPATCH_TAG_AT : DISPATCH_TAG_AT + len(DISPATCH_TAG)] != DISPATCH_TAG:
        raise ValueError("the account holds no dispatched message")
    return data[MESSAGE_AT:]
