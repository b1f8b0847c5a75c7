"""The policy file: JSON that `coordinator signer policy` writes and a person reads; strict, and refused when others could change it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from coordinator.signer.evm.keccak import keccak_256
from coordinator.signer.policy import Cap, Cctp, CctpEnd, EvmRules, Key, Policy, Route, Router, Rules, SolanaRules
from coordinator.signer.solana import addresses
from coordinator.signer.solana.swaps import LAYOUTS
from coordinator.signer.spending import MICRO

VERSION = 1
T = TypeVar("T")


class BadPolicy(Exception):
    """The file cannot be used; says where, what was found and what is allowed."""


class Fields:
    """One JSON object: every key must be known, every value of its type. `at`: its place, for messages."""

    def __init__(self, value: Any, at: str) -> None:
        if not isinstance(value, dict):
            raise BadPolicy(f"{at}: found {type(value).__name__}, allowed is an object")
        self._left, self._at = dict(value), at

    def take(self, name: str, read: Callable[[Any], T]) -> T:
        if name not in self._left:
            raise BadPolicy(f"{self._at}.{name} is missing; write the file again with: coordinator signer policy")
        value = self._left.pop(name)
        try:
            return read(value)
        except (ValueError, TypeError, KeyError, ZeroDivisionError) as problem:
            raise BadPolicy(f"{self._at}.{name}: {problem}") from None

    def maybe(self, name: str, read: Callable[[Any], T]) -> T | None:
        return self.take(name, read) if self._left.get(name) is not None else self._left.pop(name, None)

    def end(self) -> None:
        if self._left:
            raise BadPolicy(f"{self._at}: unknown {', '.join(self._left)}")


def read(path: Path) -> Policy:
    """Raises BadPolicy: missing, open to others, or not what a policy is."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as problem:
        raise BadPolicy(f"{path} can't be opened: {problem.strerror}; write it with: coordinator signer policy") from None
    with os.fdopen(descriptor, "rb") as opened:
        found = os.fstat(descriptor)
        if found.st_mode & 0o022 or found.st_uid not in {os.geteuid(), 0}:
            raise BadPolicy(f"{path} may be changed by others than the signer's user and root; mend it with: chmod 600 {path}")
        content = opened.read()
    try:
        return parse(json.loads(content))
    except ValueError:
        raise BadPolicy(f"{path} is not JSON") from None
    except BadPolicy as problem:
        raise BadPolicy(f"{path}: {problem}") from None


def parse(content: Any) -> Policy:
    """The policy that a JSON document says. Raises BadPolicy."""
    fields = Fields(content, "policy")
    if fields.take("version", integer) != VERSION:
        raise BadPolicy(f"policy.version is not {VERSION}")
    fields.take("written", str)
    chains = fields.take("chains", mapping)
    ends = {chain: _end(chain, entry) for chain, entry in chains.items()}
    accounts, keys = {}, {}
    for chain, entry in chains.items():
        account, rules, key = _chain(chain, entry, ends)
        accounts[account] = rules
        if key is not None:
            keys[account] = key
    policy = Policy(
        treasury=fields.take("treasury", text),
        config=fields.take("config", text),
        journal=fields.take("journal", absolute),
        clients=frozenset(fields.take("clients", lambda ids: [integer(one) for one in sequence(ids)])),
        accounts=accounts,
        keys=keys,
        caps=fields.take("caps", lambda caps: {token: _cap(token, entry) for token, entry in mapping(caps).items()}),
        prices=fields.take("prices", lambda prices: {token: _price(token, entry) for token, entry in mapping(prices).items()}),
        window=fields.take("window_seconds", integer),
        window_usd=fields.take("window_usd", positive) * MICRO,
        fees_usd=fields.take("fees_usd", positive) * MICRO,
        swap_floor=fields.take("swap_floor", share),
        max_deadline=fields.take("max_deadline_seconds", integer),
    )
    fields.end()
    return policy


def _cap(token: str, entry: Any) -> Cap:
    fields = Fields(entry, f"caps.{token}")
    cap = Cap(fields.take("per_transaction", integer), fields.take("per_window", integer))
    fields.end()
    return cap


def _price(token: str, entry: Any) -> Fraction:
    """Micro-USD of one base unit."""
    fields = Fields(entry, f"prices.{token}")
    usd, decimals = fields.take("usd", positive), fields.take("decimals", integer)
    fields.end()
    return usd * Fraction(MICRO, 10**decimals)


def _end(chain: str, entry: Any) -> Mapping[str, Any]:
    """What other chains need to know of this one: our account, and the rails' ends, as 32-byte words."""
    fields = entry if isinstance(entry, dict) else {}
    family = address if chain.startswith("eip155:") else addresses.key
    try:
        end: dict[str, Any] = {"account": family(fields["account"]).rjust(32, b"\0")}
        if cctp := fields.get("cctp"):
            words = {name: address(cctp[name]).rjust(32, b"\0") for name in ("token_messenger", "usdc")}
            end["cctp"] = (integer(cctp["domain"]), CctpEnd(end["account"], words["token_messenger"], words["usdc"]))
        if route := fields.get("hyperlane"):
            end["hyperlane"] = integer(route["domain"])
    except (ValueError, TypeError, KeyError) as problem:
        raise BadPolicy(f"chains.{chain}: {type(problem).__name__} {problem}") from None
    return end


def _chain(chain: str, entry: Any, ends: Mapping[str, Mapping[str, Any]]) -> tuple[str, Rules, Key | None]:
    fields = Fields(entry, f"chains.{chain}")
    others = [end for other, end in ends.items() if other != chain]
    account = f"{chain}:{fields.take('account', text)}"
    key = fields.maybe("key", lambda value: _key(value, chain))
    rules = _evm(chain, account, fields, others) if chain.startswith("eip155:") else _solana(chain, account, fields, others)
    fields.end()
    return account, rules, key


def _key(value: Any, chain: str) -> Key:
    fields = Fields(value, f"chains.{chain}.key")
    key = Key(*(fields.maybe(name, absolute) for name in ("keystore", "password_file", "keypair")))
    fields.end()
    return key


def _evm(chain: str, account: str, fields: Fields, others: list[Mapping[str, Any]]) -> EvmRules:
    return EvmRules(
        chain=chain,
        chain_id=int(chain.removeprefix("eip155:")),
        account=address(account.rpartition(":")[2]),
        native=fields.take("native", text),
        max_fee=fields.take("max_fee_per_gas", integer),
        max_priority_fee=fields.take("max_priority_fee_per_gas", integer),
        max_gas=fields.take("max_gas", integer),
        tokens=fields.take("tokens", lambda names: {address(name): f"{chain}/erc20:{name}" for name in sequence(names)}),
        cctp=fields.maybe("cctp", lambda value: _cctp(Fields(value, f"chains.{chain}.cctp"), others)),
        route=fields.maybe("hyperlane", lambda value: _route(Fields(value, f"chains.{chain}.hyperlane"), others, address)),
        router=fields.maybe("uniswap", lambda value: _router(Fields(value, f"chains.{chain}.uniswap"))),
        wrapped=fields.maybe("wrapped_native", address),
    )


def _solana(chain: str, account: str, fields: Fields, others: list[Mapping[str, Any]]) -> SolanaRules:
    native = fields.take("native", text)
    mints = fields.take("tokens", lambda names: {addresses.key(name): f"{chain}/token:{name}" for name in sequence(names)})
    swaps = fields.maybe("swaps", lambda value: Fields(value, f"chains.{chain}.swaps"))
    programs: dict[bytes, str] = swaps.take("programs", _programs) if swaps else {}
    pairs = swaps.take("pairs", lambda value: _pairs(value, addresses.key)) if swaps else frozenset()
    if swaps:
        swaps.end()
    return SolanaRules(
        chain=chain,
        account=addresses.key(account.rpartition(":")[2]),
        native=native,
        max_price=fields.take("max_compute_price", integer),
        max_fee=fields.take("max_fee_lamports", integer),
        tokens={**mints, addresses.WRAPPED_SOL: native},
        route=fields.maybe("hyperlane", lambda value: _route(Fields(value, f"chains.{chain}.hyperlane"), others, addresses.key)),
        programs=programs,
        pairs=pairs,
    )


def _cctp(fields: Fields, others: list[Mapping[str, Any]]) -> Cctp:
    found = Cctp(
        domain=fields.take("domain", integer),
        messenger=fields.take("token_messenger", address),
        transmitter=fields.take("message_transmitter", address),
        usdc=fields.take("usdc", address),
        ends=dict(end["cctp"] for end in others if "cctp" in end),
        max_fee=fields.take("max_fee", share),
    )
    fields.end()
    return found


def _route(fields: Fields, others: list[Mapping[str, Any]], read: Callable[[Any], bytes]) -> Route:
    fields.take("domain", integer)
    linked = fields.take("to", lambda domains: {integer(one) for one in sequence(domains)})
    found = Route(
        warp=fields.take("warp", read),
        mailbox=fields.take("mailbox", read),
        token=fields.take("token", read),
        recipients={end["hyperlane"]: end["account"] for end in others if end.get("hyperlane") in linked},
        max_message_fee=fields.take("max_message_fee", integer),
    )
    fields.end()
    return found


def _router(fields: Fields) -> Router:
    pairs = fields.take("pairs", lambda value: _pairs(value, address))
    found = Router(
        fields.take("router", address), pairs, frozenset(fields.take("fee_tiers", lambda tiers: [integer(t) for t in sequence(tiers)]))
    )
    fields.end()
    return found


def _programs(value: Any) -> dict[bytes, str]:
    for layout in mapping(value).values():
        if layout not in LAYOUTS:
            raise ValueError(f"layout {layout!r}; allowed: {', '.join(LAYOUTS)}")
    return {addresses.key(program): layout for program, layout in value.items()}


def _pairs(value: Any, read: Callable[[Any], bytes]) -> frozenset[tuple[bytes, bytes]]:
    pairs = [(read(one), read(other)) for one, other in sequence(value)]
    return frozenset(pairs) | frozenset((other, one) for one, other in pairs)


def address(value: Any) -> bytes:
    """An EVM address with its EIP-55 checksum, as 20 bytes. Raises ValueError."""
    digits = str(value)[2:]
    raw = bytes.fromhex(digits)
    marks = keccak_256(digits.lower().encode()).hex()
    checked = "".join(d.upper() if int(mark, 16) > 7 else d for d, mark in zip(digits.lower(), marks, strict=False))
    if len(raw) != 20 or value != "0x" + checked:
        raise ValueError(f"{value!r} is not an EVM address with its checksum")
    return raw


def integer(value: Any) -> int:
    """A whole number of zero or more, as a number or as decimal text."""
    if isinstance(value, bool) or not str(value).isdecimal():
        raise ValueError(f"{value!r} is not a whole number of zero or more")
    return int(value)


def positive(value: Any) -> Fraction:
    number = Fraction(text(value))
    if number <= 0:
        raise ValueError(f"{value!r} is not above zero")
    return number


def share(value: Any) -> Fraction:
    number = Fraction(text(value))
    if not 0 <= number <= 1:
        raise ValueError(f"{value!r} is not between 0 and 1")
    return number


def mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not an object")
    return value


def sequence(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return value


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def absolute(value: Any) -> Path:
    path = Path(text(value))
    if not path.is_absolute():
        raise ValueError(f"{value!r} is not an absolute path")
    return path
