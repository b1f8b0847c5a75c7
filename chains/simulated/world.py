"""A simulated world: several networks, one time, and the off-chain agents that carry messages between them.

Nothing here is random, sleeps or opens a socket: the same steps give the same world. Time comes from an injected
clock and the world catches up with it lazily, whenever somebody looks; so the same world serves a test that
ticks, a seeded simulation, and a running daemon. A world outlives the chains and rails built on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from chains.clock import Clock, StillClock
from chains.errors import Misconfigured
from chains.ids import AccountId, ChainId
from chains.simulated.chain import SimulatedChain
from chains.simulated.network import SimulatedNetwork


class Agent(Protocol):
    """Somebody off the chains: a relayer, an attester, a third party."""

    @property
    def busy(self) -> bool:
        """True while it has something to do; a world without anything to do skips time instead of stepping through it."""

    def step(self, now: int) -> None:
        """Look at the networks and act. Called after every block of any network."""


class SimulatedWorld:
    """Networks and agents under one clock."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or StillClock()
        self.networks: dict[ChainId, SimulatedNetwork] = {}
        self.agents: dict[str, Agent] = {}

    def add(self, network: SimulatedNetwork) -> SimulatedNetwork:
        """A network joins, with its block 0 now. Raises Misconfigured when the chain is there already."""
        if network.id in self.networks:
            raise Misconfigured(f"the simulated world has a network {network.id} already")
        self.catch_up()
        network.begin(self.clock.now())
        self.networks[network.id] = network
        return network

    def chain(self, chain: ChainId, keys: Iterable[AccountId] = ()) -> SimulatedChain:
        """A new client of a network, able to sign for the accounts `keys`."""
        return SimulatedChain(self.networks[chain], self.catch_up, keys)

    def tick(self, seconds: int) -> None:
        """Let time pass. Needs a StillClock."""
        if not isinstance(self.clock, StillClock):
            raise TypeError("this world follows another clock than a StillClock; it moves as that clock does")
        self.clock.advance(seconds)
        self.catch_up()

    def finalize(self) -> None:
        """Let enough time pass for everything that waits now to land and become final on every network."""
        self.tick(max((n.pace.finality + 2) * n.pace.block_s for n in self.networks.values()))

    def catch_up(self) -> None:
        """Step through every block up to the clock's now, in order of time; bounded by the number of blocks that are due."""
        now = self.clock.now()
        while self._stirring:
            due = min(network.next_block for network in self.networks.values())
            if due > now:
                return
            for network in self.networks.values():
                if network.next_block == due:
                    network.mine()
            for agent in self.agents.values():
                agent.step(due)
        for network in self.networks.values():
            network.skip(now)

    @property
    def _stirring(self) -> bool:
        return any(network.mempool for network in self.networks.values()) or any(agent.busy for agent in self.agents.values())
