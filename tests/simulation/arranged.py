"""Small fixed scenes, for what is tried exhaustively instead of drawn: a hop, then a swap of what arrived."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from bridges.simulated import Pool, Terms, install_bridge, install_pool
from chains.ids import AccountId, ChainId
from chains.simulated import Pace, SimulatedNetwork, SimulatedWorld, address_of
from chains.tokens import Amount
from coordinator.clock import SimulatedClock
from coordinator.plan import Plan, PlannedLeg
from tests.simulation.database import database
from tests.simulation.schedule import Stage
from tests.simulation.worlds import EVM_CHAINS, RICH, SOLANA_CHAINS, Scene, finished, native_of, planned_leg, token_of

A, B, S = EVM_CHAINS[0], EVM_CHAINS[1], SOLANA_CHAINS[0]


@dataclass(frozen=True)
class Arrangement:
    """From where to where, how the bridge delivers, and what is done to the world before the first life."""

    source: ChainId
    target: ChainId
    claim: bool = False
    prepare: Callable[[Scene], None] = lambda _: None
    finality: int = 2
    pause: float = 3


def blocked(scene: Scene) -> None:
    """The allowance is given, the transfer is refused: what is reversible must be taken back."""
    scene.network(A).block(token_of(A, "USDC").id, scene.accounts[A])


def refused(scene: Scene) -> None:
    scene.bridges["hop0"][1].refuse = True


def strangers(scene: Scene) -> None:
    scene.bridges["hop0"][1].stranger = True


def halted(scene: Scene) -> None:
    scene.bridges["hop0"][1].outage = True


ARRANGEMENTS = {
    "evm to evm, relayed": Arrangement(A, B),
    "evm to evm, claimed": Arrangement(A, B, claim=True),
    "evm to solana, relayed": Arrangement(A, S),
    "evm to solana, claimed": Arrangement(A, S, claim=True),
    "solana to evm, relayed": Arrangement(S, A),
    "solana to evm, claimed": Arrangement(S, A, claim=True),
    "undone": Arrangement(A, B, prepare=blocked),
    "refunded": Arrangement(A, S, prepare=refused),
    "claimed by a stranger": Arrangement(A, B, claim=True, prepare=strangers),
}


def scene_of(chosen: Arrangement) -> Scene:
    clock = SimulatedClock()
    world = SimulatedWorld(clock)
    chains = (chosen.source, chosen.target)
    scene = Scene(world, clock, {chain: AccountId(chain, address_of(chain, "treasury")) for chain in chains}, {})
    for chain in chains:
        network = world.add(SimulatedNetwork(native_of(chain), Pace(block_s=1, finality=chosen.finality)))
        for token, units in ((native_of(chain), RICH), (token_of(chain, "USDC"), 10**10), (token_of(chain, "WETH"), 10**10)):
            if not token.id.is_native:
                network.add(token)
            scene.tokens[token.id], scene.opening[token.id] = token, units
            network.fund(scene.accounts[chain], token.id, units)
    usdc, weth = token_of(chosen.target, "USDC"), token_of(chosen.target, "WETH")
    routes = [(token_of(chosen.source, "USDC"), usdc)]
    scene.terms["hop0"] = Terms(latency_s=2, claim=chosen.claim)
    scene.bridges["hop0"] = (routes, install_bridge(world, "hop0", routes, scene.terms["hop0"]))
    scene.pools.append(Pool("pool", (usdc, weth), 30))
    install_pool(scene.network(chosen.target), scene.pools[0], (10**13, 10**20))
    chosen.prepare(scene)
    return scene


async def plan_of(scene: Scene, chosen: Arrangement) -> Plan:
    rails = scene.rails({chain: scene.world.chain(chain) for chain in scene.accounts})
    hop = next(iter(rails["hop0"].lanes()))
    swap = next(lane for lane in rails["pool"].lanes() if lane.source == hop.target)
    legs: list[PlannedLeg] = []
    for lane, units, after in ((hop, 4_000_000_000, ()), (swap, 3_000_000_000, (0,))):
        quote = await rails[lane.rail].quote(lane, Amount(lane.source, units))
        legs.append(planned_leg(Random(len(legs)), scene, quote, after, len(legs)))
    return finished(scene, legs)


@contextmanager
def staged(scene: Scene, plan: Plan, chosen: Arrangement) -> Iterator[Stage]:
    with database(scene.clock, durable=False) as opened:
        yield Stage(scene, plan, opened, pause=chosen.pause)
