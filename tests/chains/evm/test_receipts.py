"""Logs, values and traces into movements."""

from __future__ import annotations

from eth_utils.address import to_checksum_address

from chains.base import Log, Movement
from chains.evm.receipts import DEPOSIT, TRANSFER, WITHDRAWAL, fee_of, native_movements, token_movements
from chains.ids import AccountId, TokenId

from .conftest import ETH, ID, OTHER, SENDER

COIN = to_checksum_address("0x" + "c0" * 20)
WRAPPED = to_checksum_address("0x" + "ee" * 20)
ZERO = "0x" + "0" * 40


def topic(address: str) -> str:
    return "0x" + address[2:].lower().rjust(64, "0")


def log(address: str, *topics: str, units: int = 7) -> Log:
    return Log(address, topics, units.to_bytes(32))


def move(account: AccountId, address: str, units: int) -> Movement:
    return Movement(account, TokenId(ID, "erc20", address), units)


def test_token_movements__transfer__both_sides() -> None:
    found = token_movements(ID, [log(COIN, TRANSFER, topic(SENDER.address), topic(OTHER.address))], WRAPPED)
    assert found == [move(SENDER, COIN, -7), move(OTHER, COIN, 7)]


def test_token_movements__mint_and_burn__one_side_only() -> None:
    logs = [log(COIN, TRANSFER, topic(ZERO), topic(SENDER.address)), log(COIN, TRANSFER, topic(SENDER.address), topic(ZERO), units=3)]
    assert token_movements(ID, logs, WRAPPED) == [move(SENDER, COIN, 7), move(SENDER, COIN, -3)]


def test_token_movements__a_unique_thing_moves_or_a_log_is_odd__no_movement() -> None:
    unique = Log(COIN, (TRANSFER, topic(SENDER.address), topic(OTHER.address), topic(ZERO)), b"")
    odd = [Log(COIN, (), bytes(32)), Log(COIN, (TRANSFER, topic(SENDER.address), topic(OTHER.address)), bytes(31)), log(COIN, TRANSFER)]
    assert token_movements(ID, [unique, *odd], WRAPPED) == []


def test_token_movements__wrapping__counts_only_for_the_configured_contract() -> None:
    logs = [log(WRAPPED, DEPOSIT, topic(SENDER.address)), log(WRAPPED, WITHDRAWAL, topic(SENDER.address), units=2)]
    assert token_movements(ID, logs, WRAPPED) == [move(SENDER, WRAPPED, 7), move(SENDER, WRAPPED, -2)]
    assert token_movements(ID, logs, None) == []
    assert token_movements(ID, [log(COIN, DEPOSIT, topic(SENDER.address))], WRAPPED) == []


def test_token_movements__wrapped_coin_emits_transfer_too__counts_once() -> None:
    deposit = [log(WRAPPED, TRANSFER, topic(ZERO), topic(SENDER.address)), log(WRAPPED, DEPOSIT, topic(SENDER.address))]
    withdrawal = [log(WRAPPED, TRANSFER, topic(SENDER.address), topic(ZERO)), log(WRAPPED, WITHDRAWAL, topic(SENDER.address))]
    assert token_movements(ID, deposit, WRAPPED) == [move(SENDER, WRAPPED, 7)]
    assert token_movements(ID, withdrawal, WRAPPED) == [move(SENDER, WRAPPED, -7)]


def test_native_movements__to_oneself_and_nothing__sum_is_zero() -> None:
    found = native_movements(ETH, [[SENDER.address.lower(), SENDER.address.lower(), "0x5"], [SENDER.address, OTHER.address, "0x0"]])
    assert sum(movement.units for movement in found) == 0
    assert len(found) == 2


def test_fee_of__parent_chain_fee__is_part_of_it() -> None:
    assert fee_of({"gasUsed": "0x5208", "effectiveGasPrice": "0x3"}) == 63_000
    assert fee_of({"gasUsed": "0x5208", "effectiveGasPrice": "0x3", "l1Fee": "0x64"}) == 63_100
