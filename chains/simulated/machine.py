"""The execution of a simulated chain: flat state, contracts as plain objects, and the frame in which one call runs.

State is one flat mapping, so that a revert, a reorganisation and a look at an older height are copies of a
dict and nothing else. Contracts keep everything they know in it and nothing in themselves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from chains.base import Call, Log, Movement
from chains.errors import Reverted
from chains.ids import EVM, SOLANA, AccountId, ChainId, TokenId

Key = tuple[object, ...]
State = dict[Key, int | str]
Arguments = Mapping[str, int | str]


def digest(*parts: object) -> str:
    """64 hex digits that depend on the parts and nothing else: every hash of a simulated chain."""
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()


ERC20_TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""keccak256("Transfer(address,address,uint256)"), the event of EIP-20."""


def topic(text: str) -> str:
    """A log topic (0x and 64 hex digits) that stands for a text: `Transfer` and addresses as real EVM tokens log them, else a hash."""
    if text == "Transfer":
        return ERC20_TRANSFER
    if len(text) == 42 and text.startswith("0x"):
        return "0x" + text[2:].lower().rjust(64, "0")
    return "0x" + digest("topic", text)


@lru_cache(maxsize=16_384)
def address_of(chain: ChainId, label: str) -> str:
    """A well-formed address of the chain's family that depends on the chain and the label only."""
    seed = hashlib.sha256(f"{chain}|{label}".encode()).digest()
    if chain.namespace == EVM:
        from eth_utils.address import to_checksum_address  # late: a Solana-only world does not need it

        return to_checksum_address(seed[:20])
    if chain.namespace == SOLANA:
        from solders.pubkey import Pubkey  # late, as above

        return str(Pubkey(seed))
    return seed[:20].hex()


def encode(method: str, **arguments: int | str) -> bytes:
    """The data of a simulated call."""
    return json.dumps({"method": method, **arguments}, sort_keys=True).encode()


def decode(data: bytes) -> tuple[str, dict[str, int | str]]:
    """Method and arguments of a simulated call. Raises Reverted when it is not one."""
    try:
        arguments = json.loads(data)
        return arguments.pop("method"), arguments
    except (ValueError, KeyError, AttributeError):
        raise Reverted(f"not the data of a simulated call: {data[:80]!r}") from None


class Contract(Protocol):
    """Code at one address of one chain. Refuses by raising Reverted with a reason."""

    @property
    def address(self) -> str: ...

    def call(self, frame: Frame, method: str, arguments: Arguments) -> None:
        """Run one call; all effects go through the frame."""

    def view(self, frame: Frame, method: str, arguments: Arguments) -> object:
        """The JSON value that a read answers."""


@dataclass(slots=True)
class Frame:
    """What one call may see and do. `signers`: the sender and the cosigners' public names. `value`: native units sent along."""

    chain: ChainId
    native: TokenId
    state: State
    contract: str
    sender: str
    reference: str
    height: int
    time: int
    value: int = 0
    signers: tuple[str, ...] = ()
    movements: list[Movement] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)

    @property
    def approves(self) -> bool:
        """True where spending another's tokens needs an allowance; False where the owner's signature on the transaction suffices."""
        return self.chain.namespace != SOLANA

    def get(self, *key: object) -> int | str | None:
        """What the contract keeps under `key`."""
        return self.state.get((self.contract, *key))

    def put(self, value: int | str, *key: object) -> None:
        self.state[(self.contract, *key)] = value

    def balance(self, token: TokenId, owner: str) -> int:
        return units_at(self.state, "balance", token, owner)

    def change(self, token: TokenId, owner: str, units: int) -> None:
        """Add `units` (signed) to a balance: a mint or a burn. Reverts below zero, on a paused token or a blocked account."""
        if units_at(self.state, "paused", token):
            raise Reverted(f"{token} is paused")
        if units_at(self.state, "blocked", token, owner):
            raise Reverted(f"{owner} is blocked by {token}")
        after = self.balance(token, owner) + units
        if after < 0:
            raise Reverted(f"transfer amount exceeds balance: {owner} has {after - units}, needs {-units} of {token}")
        self.state[("balance", token, owner)] = after
        self.movements.append(Movement(AccountId(self.chain, owner), token, units))

    def move(self, token: TokenId, source: str, target: str, units: int) -> None:
        if units < 0:
            raise Reverted(f"negative amount {units}")
        self.change(token, source, -units)
        self.change(token, target, units)
        self.emit("Transfer", source, target, address=token.reference, units=units)

    def take(self, token: TokenId, units: int) -> None:
        """Move `units` from the sender to the contract: native coin must have come along, tokens need an allowance where there are any."""
        if token == self.native:
            if self.value < units:
                raise Reverted(f"needs {units} of the native coin, got {self.value}")
            return
        if self.approves:
            key = ("allowance", token, self.sender, self.contract)
            allowed = units_at(self.state, *key)
            if allowed < units:
                raise Reverted(f"insufficient allowance: {allowed} allowed, {units} needed of {token}")
            self.state[key] = allowed - units
        self.move(token, self.sender, self.contract, units)

    def emit(self, event: str, *indexed: str, address: str = "", **content: int | str) -> None:
        """Write a log; nothing on a Solana-like chain, whose receipts carry none."""
        if self.approves:
            topics = (topic(event), *(topic(text) for text in indexed))
            self.logs.append(Log(address or self.contract, topics, json.dumps(content, sort_keys=True).encode()))


def units_at(state: State, *key: object) -> int:
    found = state.get(key, 0)
    if not isinstance(found, int):
        raise TypeError(f"{key} holds text")
    return found


def number(arguments: Arguments, name: str) -> int:
    found = arguments.get(name)
    if not isinstance(found, int):
        raise Reverted(f"argument {name!r} must be a whole number, not {found!r}")
    return found


def text(arguments: Arguments, name: str) -> str:
    found = arguments.get(name)
    if not isinstance(found, str):
        raise Reverted(f"argument {name!r} must be text, not {found!r}")
    return found


@dataclass(frozen=True, slots=True)
class TokenContract:
    """The contract of a simulated token: transfer, approve; balance_of, allowance."""

    token: TokenId

    @property
    def address(self) -> str:
        return self.token.reference

    def call(self, frame: Frame, method: str, arguments: Arguments) -> None:
        if method == "transfer":
            frame.move(self.token, frame.sender, text(arguments, "to"), number(arguments, "units"))
        elif method == "approve" and frame.approves:
            frame.state[("allowance", self.token, frame.sender, text(arguments, "spender"))] = number(arguments, "units")
        else:
            raise Reverted(f"{self.token} has no method {method!r}; it has transfer and, on EVM-like chains, approve")

    def view(self, frame: Frame, method: str, arguments: Arguments) -> object:
        if method == "balance_of":
            return frame.balance(self.token, text(arguments, "owner"))
        if method == "allowance":
            return units_at(frame.state, "allowance", self.token, text(arguments, "owner"), text(arguments, "spender"))
        raise Reverted(f"{self.token} has no view {method!r}; it has balance_of and allowance")


def run(frame: Frame, call: Call, contracts: Mapping[str, Contract]) -> None:
    """Execute one call in its frame. Raises Reverted; the caller throws the state away then."""
    if call.value:
        frame.move(frame.native, frame.sender, call.target, call.value)
    contract = contracts.get(call.target)
    if contract is None:
        if call.data or not call.value:
            raise Reverted(f"no contract at {call.target}")
        return
    unsigned = [meta.address for meta in call.accounts if meta.signer and meta.address not in frame.signers]
    if unsigned:
        raise Reverted(f"missing required signature of {', '.join(unsigned)}")
    method, arguments = decode(call.data)
    contract.call(frame, method, arguments)


def transfer(token: TokenId, target: str, units: int, purpose: str = "transfer") -> Call:
    """The call that moves `units` of a token (or of the native coin) from the sender to `target`."""
    if token.is_native:
        return Call(token.chain, target, b"", purpose, value=units)
    return Call(token.chain, token.reference, encode("transfer", to=target, units=units), purpose)


def approve(token: TokenId, spender: str, units: int, purpose: str = "approve") -> Call:
    """The call that sets the sender's allowance for `spender` to exactly `units`."""
    return Call(token.chain, token.reference, encode("approve", spender=spender, units=units), purpose)


def net(movements: Sequence[Movement]) -> tuple[Movement, ...]:
    """One movement an account and token, in order of first appearance, nothing for those that cancel out."""
    sums: dict[tuple[AccountId, TokenId], int] = {}
    for m in movements:
        sums[m.account, m.token] = sums.get((m.account, m.token), 0) + m.units
    return tuple(Movement(account, token, units) for (account, token), units in sums.items() if units)
