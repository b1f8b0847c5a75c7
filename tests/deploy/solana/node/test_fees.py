"""What a transaction pays, for limits and prices set or left out."""

import pytest
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from deploy.localnet.solana.node.fees import Budget, budget, fee

PAYER = Keypair().pubkey()


def message(*steps: Instruction, transfers: int = 1) -> MessageV0:
    pay = transfer(TransferParams(from_pubkey=PAYER, to_pubkey=Pubkey.default(), lamports=1))
    return MessageV0.try_compile(PAYER, [*steps, *[pay] * transfers], [], Hash.default())


@pytest.mark.parametrize(
    ("limit", "price", "expected"),
    [(1_000, 1_000_000, 6_000), (1_000, 1, 5_001), (1_400_000, 3, 5_005), (0, 10**6, 5_000)],
)
def test_fee__limit_and_price__is_rounded_up(limit: int, price: int, expected: int) -> None:
    assert fee(message(set_compute_unit_limit(limit), set_compute_unit_price(price))) == expected


@pytest.mark.parametrize(("transfers", "limit"), [(1, 200_000), (3, 600_000), (9, 1_400_000)])
def test_budget__no_limit_set__is_200_000_an_instruction_up_to_the_most(transfers: int, limit: int) -> None:
    assert budget(message(transfers=transfers)) == Budget(limit, 0)
