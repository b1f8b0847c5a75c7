"""What can go wrong on a simulated chain, as data that a test or a seeded simulation sets."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from chains.errors import RateLimited, Unreachable, WrongNetwork
from chains.ids import AccountId, ChainId, TokenId


@dataclass(frozen=True, slots=True)
class SendFault:
    """What happens to one submission: whether the caller gets an answer, whether the network keeps it, how many blocks it waits."""

    answered: bool = True
    kept: bool = True
    delay: int = 0


LOST_REPLY = SendFault(answered=False)  # it is in the mempool, the caller cannot know
LOST_REQUEST = SendFault(answered=False, kept=False)  # it never came through, the caller cannot know
DROPPED = SendFault(kept=False)  # answered "accepted", then forgotten


@dataclass(slots=True)
class Faults:
    """The faults of one network, each in force until it is unset or used up.

    `sends`: one entry for each of the next submissions. `unreachable`: nothing answers. `failing`: so many of the
    next requests do not answer. `limited`: so many of the next requests are answered "too many requests".
    `speaks_for`: the endpoint is of another chain. `unread`: balances that cannot be read (None: of any account).
    `reverts`: reasons with which the next executed transactions fail although their simulation passed.
    """

    sends: deque[SendFault] = field(default_factory=deque)
    unreachable: bool = False
    failing: int = 0
    limited: int = 0
    speaks_for: ChainId | None = None
    unread: set[tuple[AccountId | None, TokenId]] = field(default_factory=set)
    reverts: deque[str] = field(default_factory=deque)

    def send(self) -> SendFault:
        """The fate of the submission at hand, used up."""
        return self.sends.popleft() if self.sends else SendFault()

    def check(self, chain: ChainId) -> None:
        """Raises what a request to the network meets now."""
        if self.speaks_for is not None:
            raise WrongNetwork(f"the endpoint of {chain} speaks for {self.speaks_for}; point it at {chain}")
        if self.failing > 0:
            self.failing -= 1
            raise Unreachable(f"{chain} did not answer this request")
        if self.unreachable:
            raise Unreachable(f"{chain} does not answer")
        if self.limited > 0:
            self.limited -= 1
            raise RateLimited(f"{chain} answers: too many requests", after=1.0)
