"""What a transaction pays: 5,000 lamports a signature, plus its compute limit times its price in micro-lamports."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from solders.message import Message, MessageV0, MessageV1
from solders.pubkey import Pubkey

COMPUTE_BUDGET = Pubkey.from_string("ComputeBudget111111111111111111111111111111")
LAMPORTS_PER_SIGNATURE = 5_000
DEFAULT_UNITS, MAX_UNITS = 200_000, 1_400_000
SET_LIMIT, SET_PRICE = 2, 3


@dataclass(frozen=True, slots=True)
class Budget:
    """Compute units asked for, and the price of one in micro-lamports."""

    limit: int
    price: int


def budget(message: Message | MessageV0 | MessageV1) -> Budget:
    limit, price, others = None, 0, 0
    for instruction in message.instructions:
        data = bytes(instruction.data)
        if message.account_keys[instruction.program_id_index] != COMPUTE_BUDGET:
            others += 1
        elif data[:1] == bytes([SET_LIMIT]):
            (limit,) = struct.unpack_from("<I", data, 1)
        elif data[:1] == bytes([SET_PRICE]):
            (price,) = struct.unpack_from("<Q", data, 1)
    return Budget(min(DEFAULT_UNITS * others, MAX_UNITS) if limit is None else limit, price)


def fee(message: Message | MessageV0 | MessageV1) -> int:
    """Lamports, rounded up."""
    asked = budget(message)
    priority = -(-asked.limit * asked.price // 1_000_000)
    return LAMPORTS_PER_SIGNATURE * int(message.header.num_required_signatures) + priority
