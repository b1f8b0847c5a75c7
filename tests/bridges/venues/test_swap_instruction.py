"""What a swap instruction of a stranger may do, and everything it may not."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.venues.jupiter import Instruction, Instructions, Meta
from bridges.venues.settings import JUPITER_V6
from bridges.venues.swap_instruction import ASSOCIATED, SPL, SYSTEM, Wanted, judge
from chains.errors import Fault, Misconfigured, OutsideTerms, Unknowable

POOL_PROGRAM = "pool program"
PROGRAMS = {POOL_PROGRAM: "pool", JUPITER_V6: "jupiter-v6"}
WANTED = Wanted("user", "our source", "our target", "mint out", units=1_000, least=900, private=frozenset({"our savings"}))
POOL_ACCOUNTS = ("pool", "authority", "user", "our source", "our target", "vault in", "vault out", SPL)
ROUTE_ACCOUNTS = (SPL, "user", "our source", "our target", JUPITER_V6, "mint out", JUPITER_V6, "event authority", JUPITER_V6, "vault")


def instruction(program: str, accounts: tuple[str, ...], data: bytes, signers: tuple[str, ...] = ("user",)) -> Instruction:
    metas = tuple(Meta(pubkey=key, isSigner=key in signers, isWritable=False) for key in accounts)
    return Instruction(programId=program, accounts=metas, data=base64.b64encode(data).decode())


def pool_data(units: int = 1_000, least: int = 900, kind: int = 1) -> bytes:
    return struct.pack("<B7xQQ", kind, units, least)


def route_data(
    units: int = 1_000, quoted: int = 1_000, slippage: int = 1_000, fee: int = 0, plan: bytes = b"\x01\0\0\0\x07\x64\0\x01"
) -> bytes:
    return hashlib.sha256(b"global:route").digest()[:8] + plan + struct.pack("<QQHB", units, quoted, slippage, fee)


POOL = instruction(POOL_PROGRAM, POOL_ACCOUNTS, pool_data())
ROUTE = instruction(JUPITER_V6, ROUTE_ACCOUNTS, route_data())


def swapped(accounts: tuple[str, ...], at: int, key: str) -> tuple[str, ...]:
    return (*accounts[:at], key, *accounts[at + 1 :])


@pytest.mark.parametrize("swap", [POOL, ROUTE], ids=["pool", "jupiter"])
def test_judge__as_asked__is_accepted(swap: Instruction) -> None:
    set_up = tuple(instruction(program, (), b"") for program in (SYSTEM, SPL, ASSOCIATED))
    assert judge(Instructions(setupInstructions=set_up, swapInstruction=swap), WANTED, PROGRAMS) == swap


def test_judge__route_names_our_target_as_destination_too__is_accepted() -> None:
    swap = instruction(JUPITER_V6, swapped(ROUTE_ACCOUNTS, 4, "our target"), route_data())
    assert judge(Instructions(swapInstruction=swap), WANTED, PROGRAMS) == swap


@pytest.mark.parametrize(
    ("swap", "fault", "says"),
    [
        (instruction("another program", POOL_ACCOUNTS, pool_data()), Misconfigured, "another program"),
        (instruction(POOL_PROGRAM, POOL_ACCOUNTS, pool_data(), signers=("user", "vault in")), Misconfigured, "vault in"),
        (instruction(POOL_PROGRAM, POOL_ACCOUNTS, pool_data(), signers=()), Misconfigured, "nobody"),
        (instruction(POOL_PROGRAM, swapped(POOL_ACCOUNTS, 4, "their account"), pool_data()), Misconfigured, "their account"),
        (instruction(POOL_PROGRAM, swapped(POOL_ACCOUNTS, 3, "their account"), pool_data()), Misconfigured, "their account"),
        (instruction(POOL_PROGRAM, swapped(POOL_ACCOUNTS, 6, "our savings"), pool_data()), Misconfigured, "our savings"),
        (instruction(POOL_PROGRAM, POOL_ACCOUNTS, pool_data(units=1_001)), Misconfigured, "1001"),
        (instruction(POOL_PROGRAM, POOL_ACCOUNTS, pool_data(units=999)), Misconfigured, "999"),
        (instruction(POOL_PROGRAM, POOL_ACCOUNTS, pool_data(least=899)), OutsideTerms, "899"),
        (instruction(POOL_PROGRAM, POOL_ACCOUNTS, pool_data(kind=0)), Misconfigured, "not the pool's swap"),
        (instruction(POOL_PROGRAM, POOL_ACCOUNTS, pool_data() + b"\0"), Misconfigured, "not the pool's swap"),
        (instruction(POOL_PROGRAM, (*POOL_ACCOUNTS, "more"), pool_data()), Misconfigured, "not the pool's swap"),
        (instruction(JUPITER_V6, swapped(ROUTE_ACCOUNTS, 4, "their account"), route_data()), Misconfigured, "their account"),
        (instruction(JUPITER_V6, swapped(ROUTE_ACCOUNTS, 3, "their account"), route_data()), Misconfigured, "their account"),
        (instruction(JUPITER_V6, swapped(ROUTE_ACCOUNTS, 5, "bad mint"), route_data()), Misconfigured, "bad mint"),
        (instruction(JUPITER_V6, swapped(ROUTE_ACCOUNTS, 0, "bad tokens"), route_data()), Misconfigured, "bad tokens"),
        (instruction(JUPITER_V6, ROUTE_ACCOUNTS, route_data(fee=1)), Misconfigured, "platform fee of 1 bps"),
        (instruction(JUPITER_V6, ROUTE_ACCOUNTS, route_data(slippage=10_001)), Misconfigured, "10001"),
        (instruction(JUPITER_V6, ROUTE_ACCOUNTS, route_data(slippage=1_001)), OutsideTerms, "899"),
        (instruction(JUPITER_V6, ROUTE_ACCOUNTS, route_data(units=2_000)), Misconfigured, "2000"),
        (instruction(JUPITER_V6, ROUTE_ACCOUNTS, b"\0" * 8 + route_data()[8:]), Misconfigured, "not Jupiter's"),
        (instruction(JUPITER_V6, ROUTE_ACCOUNTS[:8], route_data()), Misconfigured, "not Jupiter's"),
        (Instruction(programId=POOL_PROGRAM, accounts=POOL.accounts, data="no base64!"), Unknowable, "not base64"),
    ],
)
def test_judge__anything_else_than_asked__is_refused(swap: Instruction, fault: type[Fault], says: str) -> None:
    with pytest.raises(fault, match=says):
        judge(Instructions(swapInstruction=swap), WANTED, PROGRAMS)


@pytest.mark.parametrize("field", ["setupInstructions", "otherInstructions"])
def test_judge__set_up_by_another_program__is_outside_terms(field: str) -> None:
    answer = Instructions.model_validate({field: (instruction("a vault", (), b""),), "swapInstruction": POOL})
    with pytest.raises(OutsideTerms, match="a vault"):
        judge(answer, WANTED, PROGRAMS)


def test_judge__program_known_but_not_configured__is_refused() -> None:
    with pytest.raises(Misconfigured, match="Nothing was signed"):
        judge(Instructions(swapInstruction=ROUTE), WANTED, {POOL_PROGRAM: "pool"})


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**16 - 1), st.integers(1, 2**64 - 1), st.binary(max_size=60))
def test_judge__any_route__floor_is_never_below_the_leg(quoted: int, slippage: int, least: int, plan: bytes) -> None:
    swap = instruction(JUPITER_V6, ROUTE_ACCOUNTS, route_data(quoted=quoted, slippage=slippage, plan=b"\0" * 4 + plan))
    wanted = replace(WANTED, least=least)
    enough = slippage <= 10_000 and quoted * (10_000 - slippage) // 10_000 >= least
    decide: Callable[[], Instruction] = lambda: judge(Instructions(swapInstruction=swap), wanted, PROGRAMS)  # noqa: E731
    if enough:
        assert decide() == swap
    else:
        with pytest.raises(Fault):
            decide()
