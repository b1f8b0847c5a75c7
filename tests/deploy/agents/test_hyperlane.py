"""The relayer's loop over simulated ends: it delivers once, retries for ever, and no message stops another."""

from collections.abc import Sequence

from deploy.localnet.agents.checkpoints import Checkpoint, Message
from deploy.localnet.agents.hyperlane import Hyperlane
from deploy.localnet.agents.jsonrpc import RpcFault


def checkpoint(nonce: int, target: int = 2) -> Checkpoint:
    raw = bytes([3]) + nonce.to_bytes(4, "big") + (1).to_bytes(4, "big") + bytes(32) + target.to_bytes(4, "big")
    return Checkpoint(Message(raw + bytes(32) + b"x"), bytes(32), bytes(32), nonce)


class SimulatedOrigin:
    """Hands out what lies ready; fails first when told to."""

    domain = 1

    def __init__(self, *ready: Checkpoint) -> None:
        self.ready = list(ready)
        self.faults = 0

    async def new(self) -> list[Checkpoint]:
        if self.faults:
            self.faults -= 1
            raise RpcFault("the origin is away")
        found, self.ready = self.ready, []
        return found


class SimulatedTarget:
    """Takes messages; `refuses` never get in, `loses` get in while the answer is lost."""

    def __init__(self, domain: int = 2) -> None:
        self.domain = domain
        self.taken: list[int] = []
        self.unfinal: set[int] = set()
        self.refuses: set[int] = set()
        self.loses: set[int] = set()

    async def delivered(self, message: Message, *, final: bool) -> bool:
        return message.nonce in self.taken and not (final and message.nonce in self.unfinal)

    async def deliver(self, message: Message, metadata: bytes) -> str:
        if message.nonce in self.refuses:
            raise ValueError("a message nobody can deliver")
        self.taken.append(message.nonce)
        if message.nonce in self.loses:
            raise RpcFault("the answer is lost")
        return "0xtransaction"


def relayer(origins: Sequence[SimulatedOrigin], target: SimulatedTarget) -> Hyperlane:
    """One that tries again at once."""
    return Hyperlane(origins, [target], first_retry_s=0)


async def test_turn__new_messages__are_delivered_once() -> None:
    target = SimulatedTarget()
    agent = relayer([SimulatedOrigin(checkpoint(0), checkpoint(1))], target)
    for _ in range(3):
        await agent.turn()
    assert target.taken == [0, 1]
    assert agent.state() == {"waiting": 0, "sent": 0, "delivered": 2}


async def test_turn__one_message_is_refused_for_ever__the_others_go_through() -> None:
    target = SimulatedTarget()
    target.refuses = {0}
    agent = relayer([SimulatedOrigin(checkpoint(0), checkpoint(1))], target)
    for _ in range(5):
        await agent.turn()
    assert target.taken == [1]
    target.refuses = set()
    await agent.turn()
    assert target.taken == [1, 0]


async def test_turn__answer_lost_after_delivery__is_not_sent_again() -> None:
    target = SimulatedTarget()
    target.loses = {0}
    agent = relayer([SimulatedOrigin(checkpoint(0))], target)
    for _ in range(3):
        await agent.turn()
    assert target.taken == [0]
    assert agent.state()["delivered"] == 1


async def test_turn__delivered_by_somebody_else__nothing_is_sent() -> None:
    target = SimulatedTarget()
    target.taken = [0]
    agent = relayer([SimulatedOrigin(checkpoint(0))], target)
    await agent.turn()
    assert target.taken == [0]
    assert agent.state()["delivered"] == 1


async def test_turn__origin_away__the_other_origin_is_served_and_it_recovers() -> None:
    away, there, target = SimulatedOrigin(checkpoint(0)), SimulatedOrigin(checkpoint(1)), SimulatedTarget()
    away.faults = 2
    agent = relayer([away, there], target)
    await agent.turn()
    assert target.taken == [1]
    await agent.turn()
    await agent.turn()
    assert target.taken == [1, 0]


async def test_turn__asked_to_fail_or_short_of_validators__tries_again() -> None:
    target = SimulatedTarget()
    agent = relayer([SimulatedOrigin(checkpoint(0))], target)
    agent.controls.change({"fail_next": 1, "validators_live": 1})
    for _ in range(3):
        await agent.turn()
    assert target.taken == []
    agent.controls.change({"validators_live": 2})
    await agent.turn()
    assert target.taken == [0]


async def test_turn__domain_without_a_target__waits_and_harms_nobody() -> None:
    target = SimulatedTarget()
    agent = relayer([SimulatedOrigin(checkpoint(0, target=99), checkpoint(1))], target)
    await agent.turn()
    await agent.turn()
    assert target.taken == [1]
    assert agent.state() == {"waiting": 1, "sent": 0, "delivered": 1}


async def test_turn__target_forks_the_delivery_away__it_is_delivered_again() -> None:
    target = SimulatedTarget()
    target.unfinal = {0}
    agent = relayer([SimulatedOrigin(checkpoint(0))], target)
    await agent.turn()
    await agent.turn()
    assert agent.state()["sent"] == 1
    target.taken.clear()
    await agent.turn()
    assert target.taken == [0]
    target.unfinal.clear()
    await agent.turn()
    assert agent.state()["delivered"] == 1
