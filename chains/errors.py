"""What can go wrong at the edge, sorted by what may be done next.

    Fault                      every expected failure; carries a Reaction
    ├── Unreachable    RETRY   the network did not answer; nothing was asked to change
    ├── RateLimited    RETRY   answered "too many requests"
    ├── Unknowable     RETRY   answers are missing, stale or contradict each other; the truth is not known yet
    ├── SendInDoubt    LOOK    a send was tried; it may have happened
    ├── Reverted       REPLAN  the chain refuses these calls (simulation or execution), with its reason
    ├── Unfunded       REPLAN  not enough native coin for the network fee, or not enough of the token given
    ├── OutsideTerms   REPLAN  the price, fee or limit moved past what the leg allows
    ├── WrongNetwork   HALT    the endpoint speaks for another chain than configured
    ├── Foreign        HALT    a transaction we did not make used our account
    └── Misconfigured  HALT    a key, contract or token is not what the configuration says

Planner infeasibility and guard refusals are values, not faults.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar


class Reaction(Enum):
    """What may be done about a fault."""

    RETRY = "retry"  # it did not happen: ask again, after a pause
    LOOK = "look"  # it may have happened: look before anything else
    UNDO = "undo"  # it cannot go forward: take back what is reversible
    REPLAN = "replan"  # it cannot go forward from here: plan again from where value lies
    HALT = "halt"  # only a person can say what is right


class Fault(Exception):
    """An expected failure of the outside world. The message is for the operator and holds no secret."""

    reaction: ClassVar[Reaction] = Reaction.HALT


class Unreachable(Fault):
    reaction = Reaction.RETRY


class RateLimited(Fault):
    """`after`: seconds the other side asked us to wait, if it said so."""

    reaction = Reaction.RETRY

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Unknowable(Fault):
    reaction = Reaction.RETRY


class SendInDoubt(Fault):
    reaction = Reaction.LOOK


class Reverted(Fault):
    reaction = Reaction.REPLAN


class Unfunded(Fault):
    reaction = Reaction.REPLAN


class OutsideTerms(Fault):
    """`most`: base units that would be taken now, where an amount was refused as too large and the limit is known."""

    reaction = Reaction.REPLAN

    def __init__(self, message: str, most: int | None = None) -> None:
        super().__init__(message)
        self.most = most


class WrongNetwork(Fault):
    reaction = Reaction.HALT


class Foreign(Fault):
    reaction = Reaction.HALT


class Misconfigured(Fault):
    reaction = Reaction.HALT
