"""The search for a plan: strict goals one after the other, each proven on a relaxation, then settled in exact integers.

Least violation, fewest hops at that violation, least cost at those hops. A minimum over the relaxation is a bound for every
integer plan. What the relaxation leaves out is added when a plan shows that it matters: segments filled out of order
(`strict`), and legs that wait for each other in a circle (`circles`). Legs that together deliver too late are `barred`: that
restricts plans, never bounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

from coordinator.planner.circles import find_circles
from coordinator.planner.instance import Instance
from coordinator.planner.model import FlowModel
from coordinator.planner.network import SCALE, Arc, draw_network
from coordinator.planner.order import Listing, put_in_order
from coordinator.planner.program import Clock, Vector
from coordinator.planner.replay import Reached, replay
from coordinator.planner.settle import settle

SLACK = SCALE * 1e-9
GAP = 2e-5
ROUNDS = 8
RETRIES = 12
ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan that can be carried out: amounts, order and what it reaches."""

    reached: Reached
    listing: Listing

    @property
    def rank(self) -> tuple[Fraction, int, Fraction, int, int]:
        """Order of preference: violation, hops, cost, makespan, legs."""
        return (self.reached.violation, self.reached.hops, self.reached.cost, self.listing.makespan, len(self.listing.legs))


@dataclass
class Bounds:
    """What is proven so far: the least violation, the fewest hops at it, the least cost with at most `cost_hops` hops."""

    violation: Fraction = ZERO
    hops: int = 0
    cost: Fraction | None = None
    cost_hops: int = 0


@dataclass
class Search:
    """One solve in progress: the best plan so far, what is proven, and what was learnt about the relaxation."""

    instance: Instance
    clock: Clock
    best: Plan
    bounds: Bounds = field(default_factory=Bounds)
    strict: frozenset[str] = frozenset()
    burnt: frozenset[str] = frozenset()
    circles: list[tuple[str, ...]] = field(default_factory=list)
    barred: list[tuple[str, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.network = draw_network(self.instance)

    def run(self) -> None:
        """Work through the goals; stops early, with what it has, when the clock runs out."""
        if self._nothing_to_do():
            return
        held = 0.0
        for number in range(ROUNDS):
            held = self._round()
            if not self.burnt or self._tight(held) or self.clock.over:
                break
            last = number >= ROUNDS - 2
            self.strict |= {arc.lane.id for arc in self.network.arcs if len(arc.widths) > 1} if last else self.burnt
        if self.best.reached.violation > 0 and held <= 0.0:
            self._with_room()
        self._confirm_hops(held)

    def _tight(self, held: float) -> bool:
        """Whether the best plan reaches what the relaxation promised."""
        reached, bounds = self.best.reached, self.bounds
        if self.network.scaled(reached.violation) > held + SLACK or reached.hops > bounds.hops:
            return False
        return bounds.cost is not None and reached.cost - bounds.cost <= abs(reached.cost) / 10_000

    def _nothing_to_do(self) -> bool:
        """No plan can beat doing nothing when all bands are met and no lane pays."""
        idle = self.best.reached.violation == 0
        pays = any(arc.rates[0] > 1.0 for arc in self.network.arcs)
        if (idle and not pays) or not self.network.arcs:
            self.bounds = Bounds(self.best.reached.violation, 0, ZERO)
            return True
        return False

    def _round(self) -> float:
        """All goals once, with what is known so far; returns the violation (scaled) that plans were held to."""
        self.burnt = frozenset()
        held = self._least_violation()
        found = self._fewest_hops(held)
        if found is None and held <= 0.0 and not self.clock.over:
            held = self._prove_violation() or SLACK
            found = self._fewest_hops(held)
        if found is not None:
            self._cheapest(held, *found)
        return held

    def _least_violation(self) -> float:
        """Violation (scaled) that later stages may not exceed; sets the bound."""
        model = self._model()
        relaxed = model.program.minimise(model.violation(), self.clock, relaxed=True)
        if relaxed.kind == "optimal" and relaxed.objective <= SLACK / 100:
            return 0.0
        return self._prove_violation()

    def _prove_violation(self) -> float:
        for _ in range(RETRIES):
            known = len(self.circles)
            held = self._prove_violation_once()
            if known == len(self.circles):
                break
        return held

    def _prove_violation_once(self) -> float:
        model = self._model()
        outcome = model.program.minimise(model.violation(), self.clock, gap=1e-9)
        floor = Fraction(max(outcome.bound - SLACK, 0.0)) if outcome.bound < 1e300 else ZERO
        self.bounds.violation = floor / self.network.factor
        if outcome.values is None:
            return self.network.scaled(self.best.reached.violation)
        self._try(model, outcome.values)
        return max(outcome.objective, 0.0) + SLACK if outcome.objective > SLACK else 0.0

    def _fewest_hops(self, held: float) -> tuple[int, Vector] | None:
        for _ in range(RETRIES):
            known = len(self.circles)
            found = self._fewest_hops_once(held)
            if known == len(self.circles):
                return found
        return found

    def _fewest_hops_once(self, held: float) -> tuple[int, Vector] | None:
        model = self._model()
        model.hold_violation(held)
        outcome = model.program.minimise(model.hops(), self.clock, unit_objective=True)
        if outcome.kind != "infeasible" and outcome.bound > 0:
            self.bounds.hops = ceil(outcome.bound - 1e-6)
        if outcome.values is None:
            return None
        self._try(model, outcome.values)
        return round(outcome.objective), outcome.values

    def _cheapest(self, held: float, hops: int, start: Vector) -> None:
        """Least cost with at most `hops` hops; more only when no plan with so few can be carried out."""
        cap, start_points = hops, [start]
        for _ in range(RETRIES):
            model = self._model(self.barred)
            model.hold_violation(held)
            model.hold(model.hop_row, float(cap))
            factor = _cost_factor(model)
            cost = {column: entry * factor for column, entry in model.cost().items()}
            outcome = model.program.minimise(cost, self.clock, gap=GAP, start=[] if self.barred or self.circles else start_points)
            if outcome.kind != "infeasible" and cap == hops and not self.barred and outcome.bound > -1e300:
                proven = outcome.bound / factor
                self.bounds.cost = Fraction(proven - abs(proven) * 1e-7) / self.network.factor
                self.bounds.cost_hops = hops
            known = (len(self.barred), len(self.circles))
            if outcome.values is None:
                cap += 1
            elif self._try(model, outcome.values) or known == (len(self.barred), len(self.circles)):
                return
            if self.clock.over:
                return

    def _with_room(self) -> None:
        """Dust is left at a band's edge: look for a plan that lands clearly inside, with more hops if it must."""
        model = self._model(self.barred, inset=True)
        model.hold_violation(0.0)
        outcome = model.program.minimise(model.hops(), self.clock, unit_objective=True)
        if outcome.values is None:
            return
        self._try(model, outcome.values)
        model.hold(model.hop_row, round(outcome.objective) + 0.0)
        outcome = model.program.minimise(model.cost(), self.clock, gap=GAP)
        if outcome.values is not None:
            self._try(model, outcome.values)

    def _confirm_hops(self, held: float) -> None:
        """The hop bound must hold for any plan with the violation reached, also when that lies above the stage's."""
        reached = self.network.scaled(self.best.reached.violation)
        if reached <= held or self.bounds.hops == 0:
            return
        model = self._model()
        model.hold_violation(reached * (1 + 1e-6) + 1e-9)
        outcome = model.program.minimise(model.hops(), self.clock, unit_objective=True)
        proven = ceil(outcome.bound - 1e-6) if 0 < outcome.bound < 1e300 else 0
        self.bounds.hops = min(self.bounds.hops, proven)
        self.bounds.cost = None

    def _model(self, barred: Sequence[tuple[str, ...]] = (), *, inset: bool = False) -> FlowModel:
        model = FlowModel(self.network, self.network.arcs, inset=inset, strict=self.strict)
        for lanes in self.circles:
            model.turn(lanes)
        for lanes in barred:
            model.bar(lanes)
        return model

    def _try(self, model: FlowModel, values: Vector) -> bool:
        """Settle the lanes of a solver's point. False if no such plan can be carried out."""
        return self.attempt([model.arcs[index] for index in model.used(values)])

    def attempt(self, arcs: Sequence[Arc]) -> bool:
        """Settle these lanes into a plan; keep it if it ranks first. False when no such plan can be carried out."""
        settled = settle(self.network, arcs, self.circles)
        if settled is None:
            return False
        self.burnt |= settled.strict - self.strict
        reached = replay(self.instance, settled.moves)
        if not reached.sound:
            return False
        moves = {name: (gives, reached.takes[name]) for name, gives in settled.moves.items()}
        listing = put_in_order(self.instance, moves)
        late = self.instance.limits.deadline_s
        if listing is None:
            new = [lanes for lanes in find_circles(self.instance, moves) if lanes not in self.circles]
            self.circles += new
            self.barred += [] if new else [tuple(sorted(moves))]
            return False
        if late is not None and listing.makespan > late:
            self.barred.append(_slowest(listing))
            return False
        plan = Plan(reached, listing)
        if plan.rank < self.best.rank:
            self.best = plan
        return True


def _cost_factor(model: FlowModel) -> float:
    """Brings a typical cost entry near one, so that the solver's tolerances mean little money."""
    entries = sorted(abs(entry) for entry in model.cost().values() if entry != 0.0)
    middle = entries[len(entries) // 2] if entries else 1.0
    return min(max(1.0 / middle, 1.0), 1e6)


def _slowest(listing: Listing) -> tuple[str, ...]:
    """Lanes of the chain of legs that delivers last."""
    index = max(range(len(listing.legs)), key=lambda i: listing.finish[i])
    lanes = [listing.legs[index].lane]
    while listing.legs[index].after:
        index = max(listing.legs[index].after, key=lambda i: listing.finish[i])
        lanes.append(listing.legs[index].lane)
    return tuple(sorted(lanes))
