"""What the gate answers: the effects of a transaction that may be signed, or a refusal that names the rule."""

from __future__ import annotations

from dataclasses import dataclass


class Refused(Exception):
    """Nothing is signed. `rule`: its name, as in the README's table; `found` and `allowed` are for people and hold no secret."""

    def __init__(self, rule: str, found: str, allowed: str = "") -> None:
        super().__init__(f"{rule}: {found}" + (f"; allowed: {allowed}" if allowed else ""))
        self.rule, self.found, self.allowed = rule, found, allowed


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that a signature lets happen. `units`: base units of `token` (CAIP-19).

    `spends`: whether it counts against the sliding windows; a permission or a claim does not, but is held to the cap of one transaction.
    """

    kind: str
    token: str
    units: int
    spends: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be signed. `fee`: most base units of the native coin `native` that the network may take for it."""

    effects: tuple[Effect, ...]
    native: str
    fee: int


def need(holds: bool, rule: str, found: object, allowed: object = "") -> None:
    """Raise Refused unless it holds."""
    if not holds:
        raise Refused(rule, str(found), str(allowed))
