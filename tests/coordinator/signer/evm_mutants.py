"""Mutants of genuine EVM transactions, one class each: every one changes where value goes, or how much of it, or is no honest encoding.

A class answers None where it does not apply. `wild` classes may by chance change nothing that matters: `flow` judges those.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

import rlp
from eth_abi.abi import decode, encode

from chains.evm.transactions import Unsigned
from chains.keccak import checksummed, selector
from tests.coordinator.signer.genuine import Genuine
from tests.coordinator.signer.world import World

APPROVE = selector("approve(address,uint256)")
MULTICALL = selector("multicall(uint256,bytes[])")
SWAP = selector("exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))")
BURN = selector("depositForBurn(uint256,uint32,bytes32,address,bytes32,uint256,uint32)")
CLAIM = selector("receiveMessage(bytes,bytes)")
REMOTE = selector("transferRemote(uint32,bytes32,uint256)")
DEPOSIT, WITHDRAW = selector("deposit()"), selector("withdraw(uint256)")
TYPES = {
    APPROVE: ["address", "uint256"],
    BURN: ["uint256", "uint32", "bytes32", "address", "bytes32", "uint256", "uint32"],
    CLAIM: ["bytes", "bytes"],
    REMOTE: ["uint32", "bytes32", "uint256"],
    MULTICALL: ["uint256", "bytes[]"],
    WITHDRAW: ["uint256"],
    DEPOSIT: [],
}
SWAP_TYPES = ["(address,address,uint24,address,uint256,uint256,uint160)"]
DANGEROUS = [
    selector(name)
    for name in (
        "transfer(address,uint256)",
        "transferFrom(address,address,uint256)",
        "increaseAllowance(address,uint256)",
        "setApprovalForAll(address,bool)",
        "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
        "multicall(bytes[])",
        "multicall(bytes32,bytes[])",
        "exactInput((bytes,address,uint256,uint256))",
        "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint160))",
        "sweepToken(address,uint256,address)",
        "execute(bytes,bytes[],uint256)",
        "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)",
        "depositForBurnWithHook(uint256,uint32,bytes32,address,bytes32,uint256,uint32,bytes)",
        "transferRemote(uint32,bytes32,uint256,bytes,address)",
        "upgradeTo(address)",
        "delegatecall(address,bytes)",
    )
]


@dataclass(frozen=True)
class Case:
    """One genuine transaction to be changed. `seen`: it, decoded once."""

    rng: Random
    genuine: Genuine
    seen: Unsigned
    world: World

    @property
    def name(self) -> bytes:
        return self.seen.data[:4]

    @property
    def own(self) -> bytes:
        return bytes.fromhex(self.genuine.account[-40:])

    def foreign(self) -> bytes:
        """An address of somebody else: random, or one that looks like ours at both ends."""
        middle = self.rng.randbytes(20)
        return self.own[:3] + middle[3:17] + self.own[17:] if self.rng.random() < 0.3 else middle

    def huge(self) -> int:
        """Above every cap."""
        return self.rng.choice([2**256 - 1, 2**255, 2**128, 10**30]) - self.rng.randrange(1000)

    def values(self) -> list:
        return list(decode(TYPES[self.name], self.seen.data[4:]))

    def with_values(self, values: list) -> bytes:
        return replace(self.seen, data=self.name + encode(TYPES[self.name], values)).encode()

    def swap(self) -> list | None:
        """The swap inside a multicall."""
        if self.name != MULTICALL:
            return None
        return list(decode(SWAP_TYPES, self.values()[1][0][4:])[0])

    def with_swap(self, terms: list) -> bytes:
        return self.with_values([self.values()[0], [SWAP + encode(SWAP_TYPES, [tuple(terms)])]])


def recipient(case: Case) -> bytes | None:
    values, stranger = case.values(), case.foreign().rjust(32, b"\0")
    if case.name == BURN:
        return case.with_values([*values[:2], stranger, *values[3:]])
    if case.name == REMOTE:
        return case.with_values([values[0], stranger, values[2]])
    if case.name == CLAIM:
        return case.with_values([values[0][:184] + stranger + values[0][216:], values[1]])
    terms = case.swap()
    return case.with_swap([*terms[:3], checksummed("0x" + stranger[12:].hex()), *terms[4:]]) if terms else None


def amount(case: Case) -> bytes | None:
    values, much = case.values(), case.huge()
    if case.name == BURN:
        return case.with_values([much, *values[1:]])
    if case.name in {REMOTE, APPROVE, WITHDRAW}:
        return case.with_values([*values[:-1], much])
    if case.name == DEPOSIT:
        return replace(case.seen, value=much).encode()
    terms = case.swap()
    return case.with_swap([*terms[:4], much, *terms[5:]]) if terms else None


def nothing(case: Case) -> bytes | None:
    """An amount of 0: the router takes it for all that it holds."""
    terms = case.swap()
    return case.with_swap([*terms[:4], 0, *terms[5:]]) if terms else None


def chosen(case: Case) -> bytes | None:
    new = case.rng.choice([*DANGEROUS, case.rng.randbytes(4), b"", b"\0\0\0\0"])
    return replace(case.seen, data=new + case.seen.data[4:]).encode()


def spender(case: Case) -> bytes | None:
    if case.name != APPROVE:
        return None
    token = bytes.fromhex(case.seen.to[2:])
    rules = case.world.policy.accounts[case.genuine.account]
    fixed = [token, rules.account, rules.cctp.transmitter, rules.wrapped, bytes(20), b"\xff" * 20]
    other = case.rng.choice([*fixed, case.foreign()])
    return case.with_values([checksummed("0x" + other.hex()), case.values()[1]])


def unlimited(case: Case) -> bytes | None:
    return case.with_values([case.values()[0], case.huge()]) if case.name == APPROVE else None


def chain(case: Case) -> bytes | None:
    other = case.rng.choice([0, 1, 10, 8453, 31337, case.seen.chain_id + case.rng.randint(1, 9), case.rng.getrandbits(256)])
    return replace(case.seen, chain_id=other).encode()


def another_account(case: Case) -> bytes | None:
    """The same bytes, but for the account on another chain; handled by the campaign."""
    return case.genuine.unsigned


def appended(case: Case) -> bytes | None:
    more = case.rng.randbytes(case.rng.randint(1, 64))
    return case.rng.choice([case.genuine.unsigned + more, replace(case.seen, data=case.seen.data + more).encode()])


def truncated(case: Case) -> bytes | None:
    return case.genuine.unsigned[: case.rng.randrange(len(case.genuine.unsigned))]


def loose_rlp(case: Case) -> bytes | None:
    """A number with zeros in front, a byte with a prefix, a long length where a short one does."""
    fields = rlp.decode(case.genuine.unsigned[1:])
    at = case.rng.choice([0, 1, 2, 3, 4, 6])
    fields[at] = b"\0" * case.rng.randint(1, 3) + fields[at]
    if case.rng.random() < 0.5:
        return b"\x02" + rlp.encode(fields)
    body = rlp.encode(rlp.decode(case.genuine.unsigned[1:]))
    head = body[0] - 0xF7
    length = int.from_bytes(body[1 : 1 + head], "big") if head > 0 else len(body) - 1
    return b"\x02\xfa" + length.to_bytes(3, "big") + body[1 + max(0, head) :]


def fee(case: Case) -> bytes | None:
    rules = case.world.policy.accounts[case.genuine.account]
    extra = case.rng.randint(1, 10**12)
    return case.rng.choice(
        [
            replace(case.seen, max_fee=rules.max_fee + extra),
            replace(case.seen, priority_fee=rules.max_priority_fee + extra, max_fee=rules.max_fee),
            replace(case.seen, gas=rules.max_gas + extra),
            replace(case.seen, priority_fee=case.seen.max_fee + 1),
        ]
    ).encode()


def value(case: Case) -> bytes | None:
    least = {REMOTE: 10**16 + 1, DEPOSIT: 2 * 10**20}.get(case.name, 1)
    return replace(case.seen, value=least + case.rng.getrandbits(case.rng.randint(1, 90))).encode()


def target(case: Case) -> bytes | None:
    rules = case.world.policy.accounts[case.genuine.account]
    known = [rules.account, rules.cctp.messenger, rules.cctp.transmitter, rules.route.warp, rules.router.router, rules.route.mailbox]
    other = "0x" + case.rng.choice([*known, *rules.tokens, case.foreign()]).hex()
    usable = checksummed(other) != case.seen.to and not (case.name == APPROVE and bytes.fromhex(other[2:]) in rules.tokens)
    usable = usable and not (case.name == DEPOSIT and bytes.fromhex(other[2:]) == rules.wrapped)
    return replace(case.seen, to=checksummed(other)).encode() if usable else None


def domain(case: Case) -> bytes | None:
    values, other = case.values(), case.rng.choice([3, 5, 99, 2**32 - 1, case.rng.getrandbits(32)])
    rules = case.world.policy.accounts[case.genuine.account]
    if case.name == BURN:
        return case.with_values([values[0], case.rng.choice([other, rules.cctp.domain]), *values[2:]])
    if case.name == REMOTE:
        return case.with_values([other, *values[1:]])
    if case.name == CLAIM:
        at = case.rng.choice([4, 8])
        return case.with_values([values[0][:at] + other.to_bytes(4, "big") + values[0][at + 4 :], values[1]])
    return None


def token(case: Case) -> bytes | None:
    other = checksummed("0x" + case.foreign().hex())
    if case.name == BURN:
        values = case.values()
        return case.with_values([*values[:3], other, *values[4:]])
    terms = case.swap()
    if terms is None:
        return None
    at = case.rng.choice([0, 1])
    swapped = [terms[1], terms[0], *terms[2:]]
    return case.with_swap([*terms[:at], other, *terms[at + 1 :]] if case.rng.random() < 0.7 else [terms[0], terms[0], *swapped[2:]])


def floor(case: Case) -> bytes | None:
    terms = case.swap()
    if terms is None:
        return None
    return case.with_swap([*terms[:5], case.rng.choice([0, 1, terms[5] // 2, terms[5] * 89 // 100]), terms[6]])


def deadline(case: Case) -> bytes | None:
    if case.name != MULTICALL:
        return None
    return case.with_values([case.rng.choice([2**256 - 1, 2**64, 1_790_000_000 + 86_400 * case.rng.randint(2, 999)]), case.values()[1]])


def price_limit(case: Case) -> bytes | None:
    terms = case.swap()
    return case.with_swap([*terms[:6], case.rng.getrandbits(159) + 1]) if terms else None


def nested(case: Case) -> bytes | None:
    if case.name != MULTICALL:
        return None
    latest, (step,) = case.values()
    inner = MULTICALL + encode(TYPES[MULTICALL], [latest, [step]])
    sweep = DANGEROUS[9] + encode(["address", "uint256", "address"], ["0x" + case.foreign().hex(), 0, "0x" + case.foreign().hex()])
    return case.with_values([latest, case.rng.choice([[inner], [step, step], [step, sweep], [sweep], [step, inner], [], [b""]])])


def frame(case: Case) -> bytes | None:
    """Another type, an access list, a contract creation, a field more or less."""
    fields = rlp.decode(case.genuine.unsigned[1:])
    kind = case.rng.randrange(6)
    if kind == 0:
        fields[8] = [[case.foreign(), [case.rng.randbytes(32)]]]
    elif kind == 1:
        fields[5] = b""
    elif kind == 2:
        fields.append([[b"\1", case.foreign(), b"", b"", b"\1", b"\1"]])  # an EIP-7702 authorisation
    elif kind == 3:
        fields.pop()
    elif kind == 4:
        fields[5] = fields[5] + b"\0"
    first = b"\x02" if kind < 5 else case.rng.choice([b"", b"\x01", b"\x03", b"\x04", b"\x19\x01", b"\x00"])
    return first + rlp.encode(fields)


def bridge_terms(case: Case) -> bytes | None:
    """A privileged caller, a fee above the cap, a finality that does not exist."""
    if case.name != BURN:
        return None
    values = case.values()
    at, new = case.rng.choice([(4, case.foreign().rjust(32, b"\0")), (5, values[0] // 50), (6, case.rng.choice([0, 1, 500, 2001]))])
    return case.with_values([*values[:at], new, *values[at + 1 :]])


def attested(case: Case) -> bytes | None:
    """A claim of another message than a burn of ours."""
    if case.name != CLAIM:
        return None
    message, signatures = case.values()
    at = case.rng.choice([0, 44 + 20, 76 + 20, 108 + 5, 148, 152 + 20, 184 + 20, 248 + 20, 316])
    changed = bytearray(message)
    changed[at] ^= case.rng.randint(1, 255)
    longer = message + case.rng.randbytes(case.rng.randint(1, 40))
    return case.with_values(
        case.rng.choice([[bytes(changed), signatures], [longer, signatures], [message, signatures[:-1]], [message, b""]])
    )


def dirty(case: Case) -> bytes | None:
    """Bits where an address or a small number has none."""
    at = {APPROVE: 4, BURN: 4 + 96, REMOTE: 4}.get(case.name)
    if at is None:
        return None
    data = bytearray(case.seen.data)
    data[at + case.rng.randrange(12)] ^= case.rng.randint(1, 255)
    return replace(case.seen, data=bytes(data)).encode()


def offsets(case: Case) -> bytes | None:
    """The same arguments, laid out otherwise: an offset that points elsewhere, or padding that is not zero."""
    if case.name not in {CLAIM, MULTICALL}:
        return None
    data = bytearray(case.seen.data)
    at = case.rng.choice([4 + 31, 4 + 63, len(data) - 1] if case.name == CLAIM else [4 + 63, 4 + 127, len(data) - 1])
    data[at] ^= case.rng.choice([1, 32, 64])
    return replace(case.seen, data=bytes(data)).encode()


def wild_flip(case: Case) -> bytes | None:
    data = bytearray(case.genuine.unsigned)
    for _ in range(case.rng.choice([1, 1, 1, 2, 5])):
        data[case.rng.randrange(len(data))] ^= 1 << case.rng.randrange(8)
    return bytes(data)


def wild_word(case: Case) -> bytes | None:
    """A word of the arguments replaced by another of them, or by a random one."""
    data = bytearray(case.seen.data)
    words = len(data) // 32
    if not words:
        return None
    at = 4 + 32 * case.rng.randrange(words)
    other = 4 + 32 * case.rng.randrange(words)
    data[at : at + 32] = case.rng.choice([bytes(data[other : other + 32]), case.rng.randbytes(32), bytes(32)])
    return replace(case.seen, data=bytes(data)).encode()


Mutation = Callable[[Case], bytes | None]
CLASSES: dict[str, Mutation] = {
    f"evm {one.__name__}": one
    for one in (
        *(recipient, amount, nothing, chosen, spender, unlimited, chain, another_account, appended, truncated, loose_rlp, fee, value),
        *(target, domain, token, floor, deadline, price_limit, nested, frame, bridge_terms, attested, dirty, offsets, wild_flip, wild_word),
    )
}
