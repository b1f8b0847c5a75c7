"""Mutants of genuine Solana messages, one class each; a class answers None where it does not apply."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from solders.hash import Hash
from solders.instruction import CompiledInstruction
from solders.message import MessageAddressTableLookup, MessageHeader, MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey

from tests.coordinator.signer.genuine import Genuine
from tests.coordinator.signer.world import SPL, World, solana_key

SYSTEM, BUDGET = Pubkey.default(), Pubkey.from_string("ComputeBudget111111111111111111111111111111")
ATA = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
REMOTE = bytes([1] * 8) + b"\x01"
ROUTE = bytes([229, 23, 203, 151, 122, 227, 173, 42])


@dataclass(frozen=True)
class Case:
    """One genuine message to be changed. `seen`: it, decoded once."""

    rng: Random
    genuine: Genuine
    seen: MessageV0
    world: World

    @property
    def own(self) -> Pubkey:
        return self.seen.account_keys[0]

    def foreign(self) -> Pubkey:
        """Somebody else's key: random, or one that starts and ends like ours."""
        middle, own = self.rng.randbytes(32), bytes(self.own)
        return Pubkey(own[:3] + middle[3:29] + own[29:] if self.rng.random() < 0.3 else middle)

    def program(self, step: CompiledInstruction) -> Pubkey:
        return self.seen.account_keys[step.program_id_index]

    def find(self, *programs: Pubkey) -> int | None:
        return next((at for at, step in enumerate(self.seen.instructions) if self.program(step) in programs), None)

    @property
    def moving(self) -> int:
        """Which instruction is the swap or the transfer."""
        known = (solana_key("amm"), solana_key("warp_usdc"))
        return next(at for at, s in enumerate(self.seen.instructions) if self.program(s) in known or bytes(s.data)[:8] == ROUTE)

    def data(self, at: int) -> bytes:
        return bytes(self.seen.instructions[at].data)

    def with_data(self, at: int, data: bytes) -> bytes:
        step = self.seen.instructions[at]
        steps = list(self.seen.instructions)
        steps[at] = CompiledInstruction(step.program_id_index, data, bytes(step.accounts))
        return self.rebuilt(steps=steps)

    def with_key(self, place: int, key: Pubkey) -> bytes:
        keys = list(self.seen.account_keys)
        keys[place] = key
        return self.rebuilt(keys=keys)

    def place(self, at: int, account: int) -> int:
        return self.seen.instructions[at].accounts[account]

    def rebuilt(
        self,
        steps: Sequence[CompiledInstruction] | None = None,
        keys: Sequence[Pubkey] | None = None,
        header: MessageHeader | None = None,
        lookups: Sequence[MessageAddressTableLookup] = (),
    ) -> bytes:
        seen = self.seen
        made = MessageV0(
            header or seen.header,
            list(keys or seen.account_keys),
            seen.recent_blockhash,
            list(seen.instructions if steps is None else steps),
            list(lookups),
        )
        return to_bytes_versioned(made)

    def with_step(self, program: Pubkey, accounts: Sequence[Pubkey], data: bytes, first: bool = False) -> bytes:
        """One more instruction. Keys that are not there yet come as read-only ones, or as writable ones."""
        keys, header = list(self.seen.account_keys), self.seen.header
        fixed = header.num_readonly_unsigned_accounts
        for key in (*accounts, program):
            if key not in keys:
                keys.append(key)
                fixed += 1
        places = bytes(keys.index(key) for key in accounts)
        step = CompiledInstruction(keys.index(program), data, places)
        steps = [step, *self.seen.instructions] if first else [*self.seen.instructions, step]
        new = MessageHeader(header.num_required_signatures, header.num_readonly_signed_accounts, fixed)
        return self.rebuilt(steps=steps, keys=keys, header=new)


def recipient(case: Case) -> bytes | None:
    data = case.data(case.moving)
    if data[:9] == REMOTE:
        return case.with_data(case.moving, data[:13] + bytes(case.foreign()) + data[45:])
    return case.with_key(case.place(case.moving, 3 if data[:8] == ROUTE else 4), case.foreign())


def source(case: Case) -> bytes | None:
    data = case.data(case.moving)
    return case.with_key(case.place(case.moving, 11 if data[:9] == REMOTE else 2 if data[:8] == ROUTE else 3), case.foreign())


def amount(case: Case) -> bytes | None:
    data, much = case.data(case.moving), case.rng.choice([2**64 - 1, 2**63, 10**18]) - case.rng.randrange(1000)
    if data[:9] == REMOTE:
        return case.with_data(case.moving, data[:45] + case.rng.choice([much, 2**255, much << 64]).to_bytes(32, "little"))
    at = len(data) - 19 if data[:8] == ROUTE else 8
    return case.with_data(case.moving, data[:at] + much.to_bytes(8, "little") + data[at + 8 :])


def floor(case: Case) -> bytes | None:
    data, low = case.data(case.moving), case.rng.choice([0, 1])
    if data[:9] == REMOTE:
        return None
    at = len(data) - 11 if data[:8] == ROUTE else 16
    return case.with_data(case.moving, data[:at] + low.to_bytes(8, "little") + data[at + 8 :])


def slippage(case: Case) -> bytes | None:
    data = case.data(case.moving)
    if data[:8] != ROUTE:
        return None
    bps, fee = case.rng.choice([(10_000, 0), (5_000, 0), (65_535, 0), (10, 1), (10, 255)])
    return case.with_data(case.moving, data[:-3] + struct.pack("<HB", bps, fee))


def program(case: Case) -> bytes | None:
    return case.with_key(case.seen.instructions[case.moving].program_id_index, case.foreign())


def payer(case: Case) -> bytes | None:
    return case.with_key(0, case.foreign())


def domain(case: Case) -> bytes | None:
    data = case.data(case.moving)
    return case.with_data(case.moving, data[:9] + case.rng.randbytes(4) + data[13:]) if data[:9] == REMOTE else None


def number(case: Case) -> bytes | None:
    """Another instruction of the same program."""
    data = case.data(case.moving)
    at = case.rng.randrange(9 if data[:9] == REMOTE else 8)
    return case.with_data(case.moving, data[:at] + bytes([data[at] ^ case.rng.randint(1, 255)]) + data[at + 1 :])


def extra(case: Case) -> bytes | None:
    """One more instruction that gives something away."""
    account = case.seen.account_keys[case.place(case.moving, 3)]
    stranger = case.foreign()
    lamports = struct.pack("<IQ", 2, case.rng.getrandbits(40) + 1)
    choices = [
        (SYSTEM, [case.own, stranger], lamports),
        (SYSTEM, [case.own], struct.pack("<I", 1) + bytes(stranger)),  # assign
        (SYSTEM, [case.own, stranger], struct.pack("<IQQ", 0, 10**9, 0) + bytes(32)),  # create account
        (SPL, [account, stranger, case.own], struct.pack("<BQ", 3, 1)),  # transfer
        (SPL, [account, stranger, case.own], struct.pack("<BQ", 4, 2**64 - 1)),  # approve a delegate
        (SPL, [account, case.own], b"\x06\x02\x01" + bytes(stranger)),  # set authority
        (SPL, [account, stranger, case.own], b"\x09"),  # close to a stranger
        (SPL, [account, account, stranger, case.own], struct.pack("<BQB", 12, 1, 6)),  # transfer checked
        (Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"), [account, stranger, case.own], struct.pack("<BQ", 3, 1)),
        (Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111"), [case.own, stranger], b"\3\0\0\0"),
        (Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"), [], b"hello"),
        (stranger, [case.own], b"\0"),
        (ATA, [case.own, stranger, case.foreign(), SYSTEM, SYSTEM, SPL], b"\1"),
    ]
    return case.with_step(*case.rng.choice(choices), first=case.rng.random() < 0.3)


def twice(case: Case) -> bytes | None:
    return case.rebuilt(steps=[*case.seen.instructions, case.seen.instructions[case.moving]])


def durable_nonce(case: Case) -> bytes | None:
    recents = Pubkey.from_string("SysvarRecentB1ockHashes11111111111111111111")
    return case.with_step(SYSTEM, [case.foreign(), recents, case.own], struct.pack("<I", 4), first=True)


def cosigner(case: Case) -> bytes | None:
    """Somebody else must sign as well."""
    seen, signers = case.seen.header, case.seen.header.num_required_signatures
    keys = list(case.seen.account_keys)
    keys.insert(signers, case.foreign())
    moved = [_shifted(step, signers) for step in case.seen.instructions]
    last = moved[case.moving]
    moved[case.moving] = CompiledInstruction(last.program_id_index, bytes(last.data), bytes([*last.accounts, signers]))
    header = MessageHeader(signers + 1, seen.num_readonly_signed_accounts + 1, seen.num_readonly_unsigned_accounts)
    return case.rebuilt(steps=moved, keys=keys, header=header)


def _shifted(step: CompiledInstruction, place: int) -> CompiledInstruction:
    def moved(at: int) -> int:
        return at + 1 if at >= place else at

    return CompiledInstruction(moved(step.program_id_index), bytes(step.data), bytes(moved(at) for at in bytes(step.accounts)))


def lookup(case: Case) -> bytes | None:
    return case.rebuilt(lookups=[MessageAddressTableLookup(case.foreign(), bytes([0]), b"")])


def legacy(case: Case) -> bytes | None:
    return case.rng.choice([case.genuine.unsigned[1:], b"\x81" + case.genuine.unsigned[1:], b"\xff" + case.genuine.unsigned])


def priority(case: Case) -> bytes | None:
    """A price or a unit limit above its cap, one of them missing or named twice."""
    steps = list(case.seen.instructions)
    limit, price = (at for at, step in enumerate(steps) if case.program(step) == BUDGET)
    choice = case.rng.randrange(5)
    if choice == 0:
        return case.with_data(price, b"\x03" + (10**6 + case.rng.randint(1, 10**9)).to_bytes(8, "little"))
    if choice == 1:
        return case.with_data(limit, b"\x02" + (1_400_001 + case.rng.randrange(10**6)).to_bytes(4, "little"))
    if choice == 2:
        return case.with_data(price, b"\x01" + (2**18).to_bytes(4, "little"))  # a heap frame
    if choice == 3:
        return case.rebuilt(steps=[*steps, steps[price]])
    return case.rebuilt(steps=[step for at, step in enumerate(steps) if at != case.rng.choice([limit, price])])


def wrapping(case: Case) -> bytes | None:
    """More or less is wrapped than swapped, or into somebody else's account."""
    at = case.find(SYSTEM)
    if at is None:
        return None
    if case.rng.random() < 0.5:
        (lamports,) = struct.unpack("<Q", case.data(at)[4:])
        return case.with_data(at, case.data(at)[:4] + (lamports + case.rng.choice([1, -1, 10**9])).to_bytes(8, "little"))
    return case.with_key(case.place(at, 1), case.foreign())


def closing(case: Case) -> bytes | None:
    """The wrapped account is closed to somebody else."""
    at = next((n for n, s in enumerate(case.seen.instructions) if case.program(s) == SPL and bytes(s.data) == b"\x09"), None)
    if at is None:
        return None
    step, steps, keys = case.seen.instructions[at], list(case.seen.instructions), [*case.seen.account_keys, case.foreign()]
    seen = case.seen.header
    header = MessageHeader(seen.num_required_signatures, seen.num_readonly_signed_accounts, seen.num_readonly_unsigned_accounts + 1)
    places = bytes(step.accounts)
    steps[at] = CompiledInstruction(step.program_id_index, b"\x09", bytes([places[0], len(keys) - 1, places[2]]))
    return case.rebuilt(steps=steps, keys=keys, header=header)


def appended(case: Case) -> bytes | None:
    more = case.rng.randbytes(case.rng.randint(1, 40))
    return case.rng.choice([case.genuine.unsigned + more, case.with_data(case.moving, case.data(case.moving) + more)])


def truncated(case: Case) -> bytes | None:
    if case.rng.random() < 0.5:
        return case.genuine.unsigned[: case.rng.randrange(len(case.genuine.unsigned))]
    data = case.data(case.moving)
    return case.with_data(case.moving, data[: case.rng.randrange(len(data))])


def loose_sizes(case: Case) -> bytes | None:
    """The number of keys in two bytes where one does."""
    raw = case.genuine.unsigned
    return raw[:4] + bytes([raw[4] | 0x80, 0]) + raw[5:]


def header(case: Case) -> bytes | None:
    """Other rights for the same accounts."""
    raw = bytearray(case.genuine.unsigned)
    raw[case.rng.choice([1, 2, 3])] = case.rng.choice([0, 1, 2, 3, 255, case.rng.randrange(256)])
    return bytes(raw) if bytes(raw) != case.genuine.unsigned else None


def doubled_key(case: Case) -> bytes | None:
    place = case.rng.randrange(1, len(case.seen.account_keys))
    return case.with_key(place, case.seen.account_keys[case.rng.choice([at for at in range(len(case.seen.account_keys)) if at != place])])


def swapped_ends(case: Case) -> bytes | None:
    """What comes in and what goes out change places, or are one account; for next to nothing, since a swap back may keep its floor."""
    data = case.data(case.moving)
    if data[:9] == REMOTE:
        return None
    one, other = (2, 3) if data[:8] == ROUTE else (3, 4)
    step, steps = case.seen.instructions[case.moving], list(case.seen.instructions)
    places = list(bytes(step.accounts))
    places[one], places[other] = places[other], places[one] if case.rng.random() < 0.5 else places[other]
    at = len(data) - 11 if data[:8] == ROUTE else 16
    poor = data[:at] + (1).to_bytes(8, "little") + data[at + 8 :]
    steps[case.moving] = CompiledInstruction(step.program_id_index, poor, bytes(places))
    return case.rebuilt(steps=steps)


def another_account(case: Case) -> bytes | None:
    return case.genuine.unsigned


def wild_flip(case: Case) -> bytes | None:
    data = bytearray(case.genuine.unsigned)
    for _ in range(case.rng.choice([1, 1, 1, 2, 5])):
        data[case.rng.randrange(len(data))] ^= 1 << case.rng.randrange(8)
    return bytes(data)


def wild_blockhash(case: Case) -> bytes | None:
    made = MessageV0(case.seen.header, case.seen.account_keys, Hash(case.rng.randbytes(32)), case.seen.instructions, [])
    return to_bytes_versioned(made)


Mutation = Callable[[Case], bytes | None]
CLASSES: dict[str, Mutation] = {
    f"solana {one.__name__}": one
    for one in (
        *(
            recipient,
            source,
            amount,
            floor,
            slippage,
            program,
            payer,
            domain,
            number,
            extra,
            twice,
            durable_nonce,
            cosigner,
            lookup,
            legacy,
        ),
        *(priority, wrapping, closing, appended, truncated, loose_sizes, header, doubled_key, swapped_ends, another_account),
        *(wild_flip, wild_blockhash),
    )
}
