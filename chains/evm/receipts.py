"""From logs, values and traces to what moved: pure functions over normal-form answers.

ERC-20 amounts come from `Transfer` events. A wrapped native coin's `Deposit` and `Withdrawal` count as well, since WETH9
emits no Transfer for them. Native coin comes from the transaction's own value and, where traces are read, from every
call inside it. The network fee is no movement: it is the receipt's own field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chains.base import Log, Movement
from chains.ids import AccountId, ChainId, TokenId
from chains.keccak import checksummed, topic
from chains.tokens import Token

ZERO = "0x" + "0" * 40
TRANSFER = topic("Transfer(address,address,uint256)")
DEPOSIT = topic("Deposit(address,uint256)")
WITHDRAWAL = topic("Withdrawal(address,uint256)")


def log_of(raw: Mapping[str, Any]) -> Log:
    return Log(checksummed(raw["address"]), tuple(raw["topics"]), bytes.fromhex(raw["data"][2:]))


def token_movements(chain: ChainId, logs: Sequence[Log], wrapped_native: str | None) -> list[Movement]:
    """Movements of ERC-20 tokens between accounts. ERC-721 transfers (a fourth topic, no data) are none."""
    moved: list[Movement] = []
    for log in logs:
        if len(log.data) != 32 or not log.topics:
            continue
        units = int.from_bytes(log.data)
        token = TokenId(chain, "erc20", log.address)
        if log.topics[0] == TRANSFER and len(log.topics) == 3:
            moved += _between(chain, token, _address(log.topics[1]), _address(log.topics[2]), units)
        elif log.address == wrapped_native and len(log.topics) == 2 and not _minted_by_transfer(log, logs):
            holder = _address(log.topics[1])
            if log.topics[0] == DEPOSIT:
                moved += _between(chain, token, ZERO, holder, units)
            elif log.topics[0] == WITHDRAWAL:
                moved += _between(chain, token, holder, ZERO, units)
    return moved


def native_movements(native: Token, transfers: Iterable[Sequence[str]]) -> list[Movement]:
    """`transfers`: [from, to, value as 0x-hex] of native coin that really moved."""
    moved: list[Movement] = []
    for source, target, value in transfers:
        moved += _between(native.chain, native.id, source, target, int(value, 16))
    return moved


def fee_of(receipt: Mapping[str, Any]) -> int:
    """Wei paid to the network: gas used at the effective price, and the parent chain's data fee where there is one."""
    return int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16) + int(receipt.get("l1Fee", "0x0"), 16)


def _between(chain: ChainId, token: TokenId, source: str, target: str, units: int) -> list[Movement]:
    """Both sides of one movement; the zero address is no account, it only stands for creation and destruction."""
    sides = [(source, -units), (target, units)]
    return [Movement(AccountId(chain, checksummed(who)), token, change) for who, change in sides if who != ZERO and units]


def _minted_by_transfer(log: Log, logs: Sequence[Log]) -> bool:
    """Some wrapped coins emit Transfer from or to zero next to Deposit or Withdrawal: the Transfer is then what counts."""
    holder = log.topics[1]
    zero = "0x" + "0" * 64
    sides = [zero, holder] if log.topics[0] == DEPOSIT else [holder, zero]
    return any(other.address == log.address and other.data == log.data and list(other.topics) == [TRANSFER, *sides] for other in logs)


def _address(topic: str) -> str:
    return "0x" + topic[-40:]
