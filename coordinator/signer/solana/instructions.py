"""Every Solana instruction that may be signed, and nothing else: what it does, and how it may use which account.

Sources: compute budget, system, SPL Token and associated token programs (solana-program-library); Hyperlane's token program
(hyperlane-monorepo, rust/sealevel): eight 0x01 bytes, then the instruction's number; swaps in their own file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from coordinator.signer.policy import Policy, Route, SolanaRules
from coordinator.signer.solana import addresses
from coordinator.signer.solana.message import Instruction, Message
from coordinator.signer.verdict import Effect, Refused, need

LIMIT, PRICE = 2, 3  # compute budget
_TRANSFER, _ADVANCE_NONCE, _WITHDRAW_NONCE = 2, 4, 5  # system
_SYNC_NATIVE, _CLOSE = b"\x11", b"\x09"  # SPL Token
_CREATE_IDEMPOTENT = b"\x01"  # associated token program
_TRANSFER_REMOTE = bytes([1] * 8) + b"\x01"
_REMOTE = struct.Struct("<9sI32s32s")


@dataclass(frozen=True, slots=True)
class Use:
    """How an instruction uses the account at `place`. `writable`: None where the program may take it either way."""

    place: int
    signer: bool = False
    writable: bool | None = False


@dataclass(frozen=True, slots=True)
class Part:
    """What one instruction does. `budget`: (LIMIT or PRICE, value). `wraps`: lamports put into our own wrapped account."""

    effects: tuple[Effect, ...] = ()
    uses: tuple[Use, ...] = ()
    budget: tuple[int, int] | None = None
    wraps: int = 0
    cosigner: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """An instruction within its message, under the rules of its chain."""

    rules: SolanaRules
    policy: Policy
    message: Message
    instruction: Instruction
    keys: tuple[bytes, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", tuple(self.message.keys[place] for place in self.instruction.accounts))

    @property
    def data(self) -> bytes:
        return self.instruction.data

    def uses(self, pattern: str) -> tuple[Use, ...]:
        """One letter an account: `s` signer, `w` writable, `S` both, `-` neither, `?` writable or not."""
        kinds = {"s": (True, False), "w": (False, True), "S": (True, True), "-": (False, False), "?": (False, None)}
        need(len(pattern) == len(self.keys), "accounts", f"{len(self.keys)} accounts", len(pattern))
        return tuple(Use(place, *kinds[letter]) for place, letter in zip(self.instruction.accounts, pattern, strict=True))

    def wants(self, at: int, wanted: bytes, what: str) -> None:
        need(self.keys[at] == wanted, "accounts", f"{addresses.text(self.keys[at])} as {what}", addresses.text(wanted))


Decoder = Callable[[Step], Part]


def budget(step: Step) -> Part:
    """A limit of units or a price for each."""
    kind, size = step.data[:1], {LIMIT: 5, PRICE: 9}.get(step.data[0] if step.data else -1)
    need(
        size == len(step.data) and not step.keys, "instruction", f"compute budget 0x{step.data[:8].hex()}", "a unit limit and a unit price"
    )
    return Part(budget=(kind[0], int.from_bytes(step.data[1:], "little")))


def system(step: Step) -> Part:
    """A transfer of our own lamports into our own wrapped account; nothing that makes a signature live longer."""
    number = int.from_bytes(step.data[:4], "little")
    need(number not in {_ADVANCE_NONCE, _WITHDRAW_NONCE}, "durable-nonce", f"system instruction {number}", "signatures that expire")
    need(number == _TRANSFER and len(step.data) == 12, "instruction", f"system instruction 0x{step.data[:16].hex()}", "a transfer")
    uses = step.uses("Sw")
    step.wants(0, step.rules.account, "sender")
    wrapped = addresses.token_account(step.rules.account, addresses.WRAPPED_SOL)
    need(step.keys[1] == wrapped, "recipient", addresses.text(step.keys[1]), f"our own wrapped account {addresses.text(wrapped)}")
    return Part(uses=uses, wraps=int.from_bytes(step.data[4:], "little"))


def token(step: Step) -> Part:
    """Count what lies in our wrapped account, or close it to ourselves."""
    own, wrapped = step.rules.account, addresses.token_account(step.rules.account, addresses.WRAPPED_SOL)
    if step.data == _SYNC_NATIVE:
        uses = step.uses("w")
        step.wants(0, wrapped, "the account to count")
        return Part(uses=uses)
    need(step.data == _CLOSE, "instruction", f"token instruction 0x{step.data[:16].hex()}", "sync native, close account")
    uses = step.uses("wws")
    step.wants(0, wrapped, "the account to close")
    need(step.keys[1] == own, "recipient", addresses.text(step.keys[1]), addresses.text(own))
    step.wants(2, own, "owner")
    return Part(uses=uses)


def associated(step: Step) -> Part:
    """Open our own token account of a known mint, where there is none."""
    need(step.data == _CREATE_IDEMPOTENT, "instruction", f"associated token instruction 0x{step.data[:16].hex()}", "create idempotent")
    uses = step.uses("Sw----")
    payer, _, owner, mint, system_program, program = step.keys
    need(payer == owner == step.rules.account, "recipient", f"an account of {addresses.text(owner)}", addresses.text(step.rules.account))
    need(mint in step.rules.tokens, "token", addresses.text(mint), "the mints of the policy")
    need(program in {addresses.TOKEN, addresses.TOKEN_2022}, "program", addresses.text(program), "SPL Token or Token-2022")
    need(system_program == addresses.SYSTEM, "accounts", addresses.text(system_program), "the system program")
    step.wants(1, addresses.token_account(owner, mint, program), "our token account")
    return Part(uses=uses)


def transfer_remote(route: Route) -> Decoder:
    """A Hyperlane transfer to our own account at a known end, signed by a one-time key beside ours."""

    def decode(step: Step) -> Part:
        need(len(step.data) == _REMOTE.size, "instruction", f"{len(step.data)} bytes for the warp route", _REMOTE.size)
        head, domain, recipient, amount = _REMOTE.unpack(step.data)
        need(head == _TRANSFER_REMOTE, "instruction", f"0x{head.hex()} for the warp route", "TransferRemote")
        pinned = route.recipients.get(domain)
        if pinned is None:
            raise Refused("domain", f"Hyperlane domain {domain}", ", ".join(map(str, route.recipients)))
        need(recipient == pinned, "recipient", f"0x{recipient.hex()}", f"0x{pinned.hex()}")
        uses = step.uses("----w-Ssw-www")
        _check_remote_accounts(step, route)
        units = int.from_bytes(amount, "little")
        return Part((Effect("transfer", step.rules.tokens[route.token], units),), uses, cosigner=step.instruction.accounts[7])

    return decode


def _check_remote_accounts(step: Step, route: Route) -> None:
    own, once, program = step.rules.account, step.keys[7], step.keys[9]
    need(program in {addresses.TOKEN, addresses.TOKEN_2022}, "program", addresses.text(program), "SPL Token or Token-2022")
    need(once != own, "accounts", "our own account as the one-time key", "a key of its own")
    wanted: Mapping[int, tuple[bytes, str]] = {
        0: (addresses.SYSTEM, "the system program"),
        1: (addresses.NOOP, "the no-op program"),
        2: (addresses.joined(route.warp, b"hyperlane_message_recipient", b"handle", b"account_metas"), "the route's account"),
        3: (route.mailbox, "the mailbox"),
        4: (addresses.joined(route.mailbox, b"hyperlane", b"outbox"), "the outbox"),
        5: (addresses.joined(route.warp, b"hyperlane_dispatcher", b"dispatch_authority"), "the dispatch authority"),
        6: (own, "sender"),
        8: (addresses.joined(route.mailbox, b"hyperlane", b"dispatched_message", once), "the message's account"),
        10: (route.token, "the mint"),
        11: (addresses.token_account(own, route.token, program), "our token account"),
        12: (addresses.joined(route.warp, b"hyperlane_token", b"escrow"), "the route's escrow"),
    }
    for at, (address, what) in wanted.items():
        step.wants(at, address, what)
