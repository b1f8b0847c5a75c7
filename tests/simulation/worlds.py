"""A small random treasury world drawn from one seed: chains, assets, bridges, venues, balances, and a plan over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from itertools import permutations
from random import Random

from bridges.base import Lane, Leg, Quote, Rail
from bridges.simulated import Pool, Relayer, SimulatedBridge, SimulatedVenue, Terms, install_bridge, install_pool
from chains.base import Reader
from chains.errors import Fault
from chains.ids import AccountId, ChainId, TokenId
from chains.simulated import Pace, SimulatedNetwork, SimulatedWorld, address_of
from chains.tokens import Amount, Token
from coordinator.clock import SimulatedClock
from coordinator.drafting import plan_id
from coordinator.plan import Cost, Plan, PlannedLeg
from policies.base import Portfolio, Prices, Targets

EVM_CHAINS = tuple(ChainId("eip155", f"3133700{n}") for n in range(1, 5))
SOLANA_CHAINS = tuple(ChainId("solana", f"{n}" * 32) for n in range(1, 4))
ASSETS = {"USDC": (6, 6), "WETH": (18, 8), "WBTC": (8, 8)}  # decimals on EVM-like and Solana-like chains
RICH = 10**21  # native base units that an account starts with
Route = tuple[Token, Token]


@dataclass
class Scene:
    """The world's side of one schedule; it outlives every process. `opening`: what the accounts held before the first block."""

    world: SimulatedWorld
    clock: SimulatedClock
    accounts: dict[ChainId, AccountId]
    tokens: dict[TokenId, Token]
    bridges: dict[str, tuple[list[Route], Relayer]] = field(default_factory=dict)
    terms: dict[str, Terms] = field(default_factory=dict)
    pools: list[Pool] = field(default_factory=list)
    opening: dict[TokenId, int] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)
    """Transactions that others sent in our accounts' names."""

    def rails(self, readers: Mapping[ChainId, Reader]) -> dict[str, Rail]:
        rails: dict[str, Rail] = {name: SimulatedBridge(name, routes, readers) for name, (routes, _) in self.bridges.items()}
        if self.pools:
            rails["pool"] = SimulatedVenue("pool", self.pools, readers, share_bps=3_000)
        return rails

    def tokens_on(self, chain: ChainId) -> list[Token]:
        return [token for name, token in sorted(self.tokens.items()) if name.chain == chain]

    def network(self, chain: ChainId) -> SimulatedNetwork:
        return self.world.networks[chain]


@cache
def token_of(chain: ChainId, asset: str) -> Token:
    evm = chain.namespace == "eip155"
    number = list(ASSETS).index(asset) + 1
    name = TokenId(chain, "erc20", f"0x{number:040d}") if evm else TokenId(chain, "token", address_of(chain, asset))
    return Token(name, asset, ASSETS[asset][0 if evm else 1])


@cache
def native_of(chain: ChainId) -> Token:
    evm = chain.namespace == "eip155"
    return Token(TokenId(chain, "slip44", "60" if evm else "501"), "ETH" if evm else "SOL", 18 if evm else 9)


def draw_scene(rng: Random) -> Scene:
    """2 to 4 chains of both families, 2 or 3 assets, 1 to 3 bridges, pools on most chains."""
    clock = SimulatedClock()
    world = SimulatedWorld(clock)
    count = rng.randint(2, 4)
    solana = rng.choice([0, 1, 1, min(2, count - 1)])
    chains = [*EVM_CHAINS[: count - solana], *SOLANA_CHAINS[:solana]]
    assets = list(ASSETS)[: rng.randint(2, 3)]
    scene = Scene(world, clock, {c: AccountId(c, address_of(c, "treasury")) for c in chains}, {})
    for chain in chains:
        _add_network(rng, scene, chain, assets)
    _add_bridges(rng, scene, chains, assets)
    for chain in chains:
        if len(scene.tokens_on(chain)) > 2 and rng.random() < 0.8:
            _add_pool(scene, chain)
    return scene


def _add_network(rng: Random, scene: Scene, chain: ChainId, assets: Sequence[str]) -> None:
    pace = Pace(block_s=rng.choice([1, 2, 3, 6]), finality=rng.choice([1, 2, 3, 5, 8]), expiry=rng.choice([8, 20, 40]))
    network = scene.world.add(SimulatedNetwork(native_of(chain), pace, price=rng.choice([1, 10, 1000])))
    _give(scene, native_of(chain), RICH)
    for asset in assets:
        token = token_of(chain, asset)
        network.add(token)
        _give(scene, token, rng.randint(1, 5_000) * 10**token.decimals + rng.randrange(10**token.decimals))


def _give(scene: Scene, token: Token, units: int) -> None:
    scene.tokens[token.id] = token
    scene.opening[token.id] = units
    scene.network(token.chain).fund(scene.accounts[token.chain], token.id, units)


def _add_bridges(rng: Random, scene: Scene, chains: Sequence[ChainId], assets: Sequence[str]) -> None:
    for number in range(rng.randint(1, 3)):
        name = f"hop{number}"
        carried = assets if number == 0 else [rng.choice(list(assets))]
        routes = [(token_of(s, asset), token_of(t, asset)) for asset in carried for s, t in permutations(chains, 2)]
        terms = Terms(
            fee_bps=rng.choice([0, 5, 30]),
            message_fee=rng.choice([0, 0, 12_345]),
            latency_s=rng.choice([1, 10, 60]),
            claim=rng.random() < 0.55,
        )
        scene.terms[name] = terms
        scene.bridges[name] = (routes, install_bridge(scene.world, name, routes, terms))


def _add_pool(scene: Scene, chain: ChainId) -> None:
    one, other = (token for token in scene.tokens_on(chain) if token.asset in ("USDC", "WETH"))
    pool = Pool("pool", (one, other), 30)
    reserves = (40_000 * 10**one.decimals, 40_000 * 10**other.decimals)
    install_pool(scene.network(chain), pool, reserves)
    scene.pools.append(pool)


async def draw_plan(rng: Random, scene: Scene, readers: Mapping[ChainId, Reader]) -> Plan:
    """1 to 4 legs; about half spend what an earlier one delivers. Amounts and deadlines are unique, which names a leg on chain."""
    rails = scene.rails(readers)
    free = {name: units for name, units in scene.opening.items() if not name.is_native}
    legs: list[PlannedLeg] = []
    wanted = rng.choice([1, 1, 2, 2, 3, 4])
    for _ in range(wanted * 6):
        planned = await _draw_leg(rng, scene, rails, legs, free)
        if planned is not None:
            legs.append(planned)
        if len(legs) == wanted:
            break
    return finished(scene, legs)


async def _draw_leg(
    rng: Random, scene: Scene, rails: Mapping[str, Rail], legs: list[PlannedLeg], free: dict[TokenId, int]
) -> PlannedLeg | None:
    lanes = [lane for rail in rails.values() for lane in rail.lanes()]
    spent = {i for planned in legs for i in planned.after}
    needs = [i for i in range(len(legs)) if i not in spent]
    if needs and rng.random() < 0.6:
        need = rng.choice(needs)
        lanes = [lane for lane in lanes if lane.source == legs[need].leg.lane.target]
        after, most = (need,), legs[need].quote.takes.units
    else:
        after, most = (), 0
    lane = rng.choice(lanes)
    most = most or free.get(lane.source.id, 0) // 2
    units = most * rng.randint(300, 999) // 1_000 - len(legs)
    if units <= 0:
        return None
    try:
        quote = await rails[lane.rail].quote(lane, Amount(lane.source, units))
    except Fault:
        return None
    if not after:
        free[lane.source.id] -= units
    return planned_leg(rng, scene, quote, after, len(legs))


def planned_leg(rng: Random, scene: Scene, quote: Quote, after: tuple[int, ...], number: int) -> PlannedLeg:
    lane: Lane = quote.lane
    leg = Leg(
        id=f"{rng.getrandbits(96):024x}{number:08x}",
        lane=lane,
        gives=quote.gives,
        least=Amount(lane.target, quote.takes.units * rng.choice([950, 990, 999]) // 1_000),
        sender=scene.accounts[lane.source.chain],
        recipient=scene.accounts[lane.target.chain],
        deadline=scene.clock.now() + rng.choice([600, 7_200, 86_400, 10**8]) + number,
        terms=quote.terms,
    )
    return PlannedLeg(leg, quote, after, "drawn")


def finished(scene: Scene, legs: Sequence[PlannedLeg]) -> Plan:
    zero = Fraction(0)
    now = scene.clock.now()
    plan = Plan(
        id="",
        treasury="simulated",
        config="drawn",
        created=now,
        expires=now + 3_600,
        heights={},
        before=Portfolio((), Prices({}), 0),
        targets=Targets({}),
        legs=tuple(legs),
        status="optimal",
        violation=zero,
        hops_bound=0,
        cost=Cost(zero, zero, zero),
        unmet=(),
    )
    return replace(plan, id=plan_id(plan))
