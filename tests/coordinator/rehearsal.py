"""A whole treasury in memory, from its configuration: two simulated chains, a bridge and a pool between them."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from chains.ids import ChainId, TokenId
from chains.simulated import SimulatedNetwork, world_named
from chains.simulated.machine import units_at
from coordinator import planfile
from coordinator.clock import SimulatedClock
from coordinator.commands import applying
from coordinator.commands.session import Session
from coordinator.config.load import load_text
from coordinator.config.treasury import Treasury
from coordinator.exits import Exit
from coordinator.plan import Plan
from coordinator.proposal import propose
from coordinator.show.output import Output
from coordinator.turn import look

ALPHA, BETA = ChainId("eip155", "31337001"), ChainId("eip155", "31337002")
ADDRESS = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
USDC_A, USDC_B, WETH_B = (f"0x{number:040d}" for number in (1, 2, 3))
_WORLDS = count()

TEXT = """
version: 1
name: rehearsal
state: {{database: "{folder}/journal.sqlite3"}}
chains:
  alpha:
    id: eip155:31337001
    kind: simulated
    world: {world}
    native: {{asset: ETH, decimals: 18, slip44: 60}}
    gas_floor: 0.1
    balances: {{"{address}": "1"}}
    tokens: {{"eip155:31337001/erc20:{usdc_a}": {{asset: USDC, decimals: 6, balances: {{"{address}": "9000"}}}}}}
  beta:
    id: eip155:31337002
    kind: simulated
    world: {world}
    native: {{asset: ETH, decimals: 18, slip44: 60}}
    gas_floor: 0.1
    balances: {{"{address}": "1"}}
    tokens: {{"eip155:31337002/erc20:{usdc_b}": {{asset: USDC, decimals: 6, balances: {{"{address}": "1000"}}}}}}
accounts:
  alpha: {{address: "{address}"}}
  beta: {{address: "{address}"}}
assets:
  USDC: {{prices: [{{kind: manual, value: "1", until: "2100-01-01T00:00:00+00:00"}}]}}
  ETH: {{prices: [{{kind: manual, value: "3000", until: "2100-01-01T00:00:00+00:00"}}]}}
tokens:
  alpha.USDC: {{id: "eip155:31337001/erc20:{usdc_a}", asset: USDC, decimals: 6}}
  beta.USDC: {{id: "eip155:31337002/erc20:{usdc_b}", asset: USDC, decimals: 6}}
policy: bands
targets:
  assets: {{USDC: {{target: 62%, band: 5pp}}}}
  chains: {{beta: {{low: 40%}}}}
triggers: {{drift: {{beyond: 1pp}}}}
limits: {{per_leg: $8_000, per_turn: $10_000, per_day: $50_000, cost: $50, slippage: 100bps}}
plan: {{ttl: 15m, envelope: {{cost: $50, price_move: 100bps}}}}
rails:
  simulated-bridge: {{world: {world}, pairs: [[alpha.USDC, beta.USDC]], fee_bps: 5, latency_s: {latency}}}
"""


class Rehearsal:
    """A treasury in a world and time of its own; sleeping takes no time. `latency`: seconds the bridge takes."""

    def __init__(self, folder: Path, *, latency: int = 5) -> None:
        name = f"rehearsal-{next(_WORLDS)}"
        text = TEXT.format(folder=folder, world=name, address=ADDRESS, usdc_a=USDC_A, usdc_b=USDC_B, latency=latency)
        self.treasury: Treasury = load_text(text, folder / "treasury.yaml", {})
        self.clock = SimulatedClock()
        self.world = world_named(name)
        self.world.clock = self.clock
        self.plan_file = folder / "plan.json"

    def session(self) -> Session:
        """A command's surroundings, as a new process would have them."""
        session = Session(self.treasury, Output(as_json=True))
        session.clock = self.clock  # type: ignore[assignment]  # a simulated clock is a clock
        return session

    async def plan(self, *, write: bool = True) -> Plan:
        async with self.session().app() as app:
            plan = (await propose(app, await look(app))).plan
        if write:
            planfile.write(plan, self.plan_file)
        return plan

    async def apply(self, *, resume: bool = False, patience: float | None = None) -> Exit:
        return await applying.apply(self.session(), None if resume else self.plan_file, patience, replans=0)

    @property
    def alpha(self) -> SimulatedNetwork:
        return self.world.networks[ALPHA]

    @property
    def beta(self) -> SimulatedNetwork:
        return self.world.networks[BETA]

    def held(self, chain: ChainId) -> int:
        """USDC of the treasury on a chain as the world itself knows it, base units."""
        self.world.catch_up()
        token = TokenId(chain, "erc20", USDC_A if chain == ALPHA else USDC_B)
        return units_at(self.world.networks[chain].state, "balance", token, ADDRESS)
