"""A small treasury on a simulated world: two EVM-like chains, a bridge, a pool; and the coordinator's parts over it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pytest

from bridges.base import Lane, Leg, Rail
from bridges.simulated import Pool, Relayer, SimulatedBridge, SimulatedVenue, Terms, install_bridge, install_pool
from chains.ids import AccountId, ChainId, TokenId
from chains.simulated import Pace, SimulatedNetwork, SimulatedWorld
from chains.tokens import Amount, Token
from coordinator.clock import SimulatedClock
from coordinator.drafting import plan_id
from coordinator.journal.store import Journal
from coordinator.plan import Cost, Plan, PlannedLeg
from coordinator.saga.executor import Executor
from policies.base import Portfolio, Prices, Targets

ALPHA, BETA = ChainId("eip155", "31337001"), ChainId("eip155", "31337002")
ADDRESS = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
START_USDC = 1_000_000_000


def token(chain: ChainId, asset: str, number: int, decimals: int) -> Token:
    return Token(TokenId(chain, "erc20", f"0x{number:040d}"), asset, decimals)


def native(chain: ChainId) -> Token:
    return Token(TokenId(chain, "slip44", "60"), "ETH", 18)


@dataclass
class Treasury:
    """The world outlives the coordinator: `restart` throws the coordinator's objects away and opens the same journal again."""

    path: Path
    clock: SimulatedClock = field(default_factory=SimulatedClock)
    usdc: dict[ChainId, Token] = field(default_factory=lambda: {c: token(c, "USDC", 1, 6) for c in (ALPHA, BETA)})
    weth: Token = field(default_factory=lambda: token(BETA, "WETH", 2, 18))

    def __post_init__(self) -> None:
        self.world = SimulatedWorld(self.clock)
        self.accounts = {chain: AccountId(chain, ADDRESS) for chain in (ALPHA, BETA)}
        for chain in (ALPHA, BETA):
            network = self.world.add(SimulatedNetwork(native(chain), Pace(block_s=1, finality=2)))
            network.add(self.usdc[chain])
            network.fund(self.accounts[chain], native(chain).id, 10**18)
        self.alpha, self.beta = self.world.networks[ALPHA], self.world.networks[BETA]
        self.beta.add(self.weth)
        self.alpha.fund(self.accounts[ALPHA], self.usdc[ALPHA].id, START_USDC)
        self.relayer: Relayer = install_bridge(self.world, "hop", [(self.usdc[ALPHA], self.usdc[BETA])], Terms(latency_s=5))
        self.pool = Pool("pool", (self.usdc[BETA], self.weth), 30)
        install_pool(self.beta, self.pool, (10**13, 10**22))
        self.restart()

    def restart(self) -> None:
        self.journal = Journal.open(self.path, self.clock)
        self.chains = {chain: self.world.chain(chain, [self.accounts[chain]]) for chain in (ALPHA, BETA)}
        self.rails: dict[str, Rail] = {
            "hop": SimulatedBridge("hop", [(self.usdc[ALPHA], self.usdc[BETA])], self.chains),
            "pool": SimulatedVenue("pool", [self.pool], self.chains),
        }
        self.executor = Executor(self.journal, self.chains, self.rails, self.clock, pause=1)

    def lane(self, rail: str, source: Token) -> Lane:
        return next(lane for lane in self.rails[rail].lanes() if lane.source == source)

    async def plan(self, *wanted: tuple[Lane, int, tuple[int, ...]]) -> Plan:
        legs = []
        for number, (lane, units, after) in enumerate(wanted):
            quote = await self.rails[lane.rail].quote(lane, Amount(lane.source, units))
            leg = Leg(
                id=f"{number + 1:032x}",
                lane=lane,
                gives=quote.gives,
                least=Amount(lane.target, quote.takes.units * 99 // 100),
                sender=self.accounts[lane.source.chain],
                recipient=self.accounts[lane.target.chain],
                deadline=self.clock.now() + 3600,
                terms=quote.terms,
            )
            legs.append(PlannedLeg(leg, quote, after, "test"))
        zero = Fraction(0)
        plan = Plan(
            id="",
            treasury="test",
            config="c",
            created=self.clock.now(),
            expires=self.clock.now() + 3600,
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
        from dataclasses import replace

        return replace(plan, id=plan_id(plan))

    async def residual(self) -> dict[TokenId, int]:
        """Chain minus book for every token, after everything has become final. All zero when nothing was lost."""
        self.world.finalize()
        book, gaps = self.journal.book(), {}
        for chain in self.chains.values():
            tokens = list(chain.network.tokens.values())
            snapshot = await chain.snapshot([self.accounts[chain.id]], tokens)
            for (account, name), units in snapshot.holdings.items():
                gaps[name] = units - book.held(account, name) - self.opening.get(name, 0)  # type: ignore[operator]
        return gaps

    @property
    def opening(self) -> dict[TokenId, int]:
        return {native(ALPHA).id: 10**18, native(BETA).id: 10**18, self.usdc[ALPHA].id: START_USDC}


@pytest.fixture
def treasury(tmp_path: Path) -> Treasury:
    return Treasury(tmp_path / "journal.sqlite3")
