"""A solve in progress: the best plan so far, what is proven, and what was learnt about the relaxation.

What the relaxation leaves out is added when a plan shows that it matters: segments filled out of order (`strict`), and legs
that wait for each other in a circle (`circles`). Legs that together deliver too late are `barred`: that restricts plans,
never bounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from coordinator.planner.circles import find_circles
from coordinator.planner.instance import Instance
from coordinator.planner.model import FlowModel
from coordinator.planner.network import SCALE, Arc, draw_network
from coordinator.planner.order import Listing, put_in_order
from coordinator.planner.program import Clock, Vector
from coordinator.planner.replay import Reached, replay
from coordinator.planner.settle import settle

SLACK = SCALE * 1e-9
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
    """One solve in progress; the stages in `hops.py`, `cheapest.py` and `search.py` work on it."""

    instance: Instance
    clock: Clock
    best: Plan
    bounds: Bounds = field(default_factory=Bounds)
    strict: frozenset[str] = frozenset()
    burnt: frozenset[str] = frozenset()
    circles: list[tuple[str, ...]] = field(default_factory=list)
    barred: list[tuple[str, ...]] = field(default_factory=list)
    held: float = 0.0
    tried: set[tuple[str, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.network = draw_network(self.instance)

    @property
    def violation(self) -> float:
        """Violation of the best plan, scaled."""
        return self.network.scaled(self.best.reached.violation)

    @property
    def learnt(self) -> tuple[int, int]:
        """Grows when an attempt teaches something about the relaxation or bars lanes."""
        return (len(self.circles), len(self.barred))

    def reaches(self, held: float, hops: int) -> bool:
        """Whether the best plan has at most this violation and these hops."""
        reached = self.best.reached.violation == 0 if held <= 0.0 else self.violation <= held + SLACK
        return reached and self.best.reached.hops <= hops

    def tight(self, held: float) -> bool:
        """Whether the best plan reaches what the relaxation promised."""
        reached, bounds = self.best.reached, self.bounds
        if self.violation > held + SLACK or reached.hops > bounds.hops:
            return False
        return bounds.cost is not None and reached.cost - bounds.cost <= abs(reached.cost) / 10_000

    def model(
        self, arcs: Sequence[Arc] | None = None, *, barred: bool = False, inset: bool = False, loose_swaps: bool = False
    ) -> FlowModel:
        """The program over some arcs (all by default), with everything learnt; `barred` also keeps barred lanes apart."""
        arcs = self.network.arcs if arcs is None else arcs
        model = FlowModel(self.network, arcs, inset=inset, strict=self.strict, loose_swaps=loose_swaps)
        for lanes in self.circles:
            model.turn(lanes)
        for lanes in self.barred if barred else ():
            model.bar(lanes)
        return model

    def try_point(self, model: FlowModel, values: Vector) -> bool:
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


def _slowest(listing: Listing) -> tuple[str, ...]:
    """Lanes of the chain of legs that delivers last."""
    index = max(range(len(listing.legs)), key=lambda i: listing.finish[i])
    lanes = [listing.legs[index].lane]
    while listing.legs[index].after:
        index = max(listing.legs[index].after, key=lambda i: listing.finish[i])
        lanes.append(listing.legs[index].lane)
    return tuple(sorted(lanes))
