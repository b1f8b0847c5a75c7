"""A whole Solana transaction: which programs, in which shape, with which signers, for which fee."""

from __future__ import annotations

from collections.abc import Sequence

from coordinator.signer.policy import Policy, SolanaRules
from coordinator.signer.solana import addresses, instructions
from coordinator.signer.solana.instructions import Decoder, Part, Step, Use
from coordinator.signer.solana.message import Message
from coordinator.signer.solana.swaps import LAYOUTS
from coordinator.signer.verdict import Effect, Refused, need

_MOST_UNITS = 1_400_000
_SIGNATURE_FEE = 5_000  # lamports
_MICRO = 1_000_000


class Programs:
    """The table of one cluster: program to decoder."""

    def __init__(self, rules: SolanaRules, policy: Policy) -> None:
        self._rules, self._policy = rules, policy
        self._table: dict[bytes, Decoder] = {
            addresses.COMPUTE_BUDGET: instructions.budget,
            addresses.SYSTEM: instructions.system,
            addresses.TOKEN: instructions.token,
            addresses.ASSOCIATED: instructions.associated,
        }
        if rules.route is not None:
            self._table[rules.route.warp] = instructions.transfer_remote(rules.route)
        for program, layout in rules.programs.items():
            self._table[program] = LAYOUTS[layout]

    def effects(self, message: Message) -> tuple[tuple[Effect, ...], int]:
        """What the transaction does, and most lamports that its fee can be. Raises Refused."""
        payer = message.keys[0]
        need(payer == self._rules.account, "payer", addresses.text(payer), addresses.text(self._rules.account))
        parts = [self._part(Step(self._rules, self._policy, message, step)) for step in message.instructions]
        _check_signers(message, parts)
        _check_uses(message, parts)
        fee = self._fee(message, parts)
        moving = [part for part in parts if part.effects]
        need(len(moving) == 1, "shape", f"{len(moving)} swaps or transfers", "exactly one a transaction")
        self._check_wrapping(parts, moving[0])
        return moving[0].effects, fee

    def _part(self, step: Step) -> Part:
        program = step.message.keys[step.instruction.program]
        decoder = self._table.get(program)
        if decoder is None:
            raise Refused("program", addresses.text(program), "the programs of the policy")
        need(not step.message.is_signer(step.instruction.program), "accounts", "a program that signs")
        need(not step.message.is_writable(step.instruction.program), "accounts", "a program that is writable")
        return decoder(step)

    def _fee(self, message: Message, parts: Sequence[Part]) -> int:
        told = [part.budget for part in parts if part.budget is not None]
        need(
            [kind for kind, _ in told] == [instructions.LIMIT, instructions.PRICE], "shape", "its compute budget", "one limit and one price"
        )
        units, price = (value for _, value in told)
        need(0 < units <= _MOST_UNITS, "compute-units", units, _MOST_UNITS)
        need(price <= self._rules.max_price, "priority-fee-cap", f"{price} micro-lamports a unit", self._rules.max_price)
        fee = _SIGNATURE_FEE * message.header[0] - (-units * price // _MICRO)
        need(fee <= self._rules.max_fee, "fee-cap", f"{fee} lamports", self._rules.max_fee)
        return fee

    def _check_wrapping(self, parts: Sequence[Part], moving: Part) -> None:
        """What is wrapped is exactly what is swapped: nothing of it stays behind in another form."""
        wraps = [part.wraps for part in parts if part.wraps]
        given = [effect.units for effect in moving.effects if effect.kind == "swap" and effect.token == self._rules.native]
        need(not wraps or wraps == given, "wrapping", f"{wraps} lamports wrapped", f"{given}: what is swapped")


def _check_signers(message: Message, parts: Sequence[Part]) -> None:
    """Ours alone, and beside it the one-time key of a Hyperlane transfer, which controls nothing."""
    once = {part.cosigner for part in parts if part.cosigner is not None}
    others = set(range(message.header[0])) - {0}
    need(others == once, "signers", f"{len(others)} signers beside ours", f"{len(once)}: the one-time key of a transfer")


def _check_uses(message: Message, parts: Sequence[Part]) -> None:
    """Every account has exactly the rights that the instructions together ask for; the payer signs and is written anyway."""
    asked: dict[int, list[Use]] = {}
    for part in parts:
        for use in part.uses:
            asked.setdefault(use.place, []).append(use)
    for place, uses in asked.items():
        if place == 0:
            continue
        signer = any(use.signer for use in uses)
        need(signer == message.is_signer(place), "signers", f"{addresses.text(message.keys[place])}", "signers as the programs ask")
        writable, free = any(use.writable for use in uses), any(use.writable is None for use in uses)
        fits = message.is_writable(place) == writable or (free and not writable)
        need(fits, "accounts", f"{addresses.text(message.keys[place])} writable or not", "as the programs ask")
