"""An executable order for a set of legs: no balance ever goes negative, and independent legs wait for nothing.

`after` of a leg names the deliveries without which its source balance, less everything listed before, would not suffice.
Then any execution that respects `after` keeps every balance non-negative, whatever runs at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import networkx as nx

from coordinator.planner.answer import Leg
from coordinator.planner.instance import Instance, Lane

STATES = 20_000


@dataclass(frozen=True, slots=True)
class Move:
    """A leg without its place in the order."""

    lane: Lane
    gives: int
    takes: int


@dataclass
class Listing:
    """Legs listed so far, with the time each delivers when independent legs run at once."""

    held: dict[str, int]
    legs: list[Leg] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    finish: list[int] = field(default_factory=list)

    def needs(self, move: Move) -> tuple[tuple[int, ...], int] | None:
        """Positions the move must wait for and its earliest departure; None when the balance cannot pay for it."""
        source = move.lane.source
        missing = move.gives - self.held.get(source, 0) + sum(m.gives for m in self.moves if m.lane.source == source)
        if missing <= 0:
            return (), 0
        arrivals = sorted((self.finish[i], i) for i, m in enumerate(self.moves) if m.lane.target == source)
        chosen: list[int] = []
        for _, index in arrivals:
            if missing <= 0:
                break
            chosen.append(index)
            missing -= self.moves[index].takes
        if missing > 0:
            return None
        for index in list(reversed(chosen)):
            if missing + self.moves[index].takes <= 0:
                chosen.remove(index)
                missing += self.moves[index].takes
        return tuple(sorted(chosen)), max(self.finish[index] for index in chosen)

    def add(self, move: Move) -> bool:
        """List the move next; False (and nothing done) when its balance does not suffice."""
        needs = self.needs(move)
        if needs is None:
            return False
        after, departs = needs
        self.legs.append(Leg(move.lane.id, move.gives, move.takes, after))
        self.moves.append(move)
        self.finish.append(departs + move.lane.latency_s)
        return True

    @property
    def makespan(self) -> int:
        """Seconds until the last delivery."""
        return max(self.finish, default=0)


def put_in_order(instance: Instance, moves: Mapping[str, tuple[int, int]]) -> Listing | None:
    """Order legs given as lane id to (gives, takes); None when they wait for each other in a circle."""
    legs = [Move(instance.lane[name], gives, takes) for name, (gives, takes) in sorted(moves.items())]
    listing = _by_time(instance, legs)
    if listing is not None:
        return listing
    sequence = _around_circles(instance, legs)
    if sequence is None:
        return None
    listing = Listing(dict(instance.holdings))
    return listing if all(listing.add(move) for move in sequence) else None


def _by_time(instance: Instance, moves: Sequence[Move]) -> Listing | None:
    """List what can depart earliest first; among those the one with most still to come behind it."""
    listing, waiting = Listing(dict(instance.holdings)), list(moves)
    tail = _tails(moves)
    while waiting:
        ready = [(needs[1], -tail[move.lane.id], move.lane.id, move) for move in waiting if (needs := listing.needs(move))]
        if not ready:
            return None
        move = min(ready, key=lambda item: item[:3])[3]
        listing.add(move)
        waiting.remove(move)
    return listing


def _tails(moves: Sequence[Move]) -> dict[str, int]:
    """Longest latency of a move and what can follow it (rounds are bounded, so circles end)."""
    tail = {move.lane.id: move.lane.latency_s for move in moves}
    for _ in moves:
        after: dict[str, int] = {}
        for move in moves:
            after[move.lane.source] = max(after.get(move.lane.source, 0), tail[move.lane.id])
        longer = {move.lane.id: move.lane.latency_s + after.get(move.lane.target, 0) for move in moves}
        if longer == tail:
            break
        tail = longer
    return tail


def _around_circles(instance: Instance, moves: Sequence[Move]) -> list[Move] | None:
    """Order token by token: what enters a circle of tokens first, then a search inside it, then what leaves it."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_edges_from((move.lane.source, move.lane.target) for move in moves)
    balance = {token.id: instance.held(token.id) for token in instance.tokens}
    parts = nx.condensation(graph)
    sequence: list[Move] = []
    for part in nx.topological_sort(parts):
        members: set[str] = parts.nodes[part]["members"]
        leaving = [move for move in moves if move.lane.source in members]
        inside = [move for move in leaving if move.lane.target in members]
        found = _search(inside, balance)
        if found is None:
            return None
        for move in [*found, *(move for move in leaving if move.lane.target not in members)]:
            balance[move.lane.source] -= move.gives
            balance[move.lane.target] += move.takes
            sequence.append(move)
    return sequence


def _search(inside: Sequence[Move], held: Mapping[str, int]) -> list[Move] | None:
    """Depth-first search over sets already executed (balances depend on the set alone); bounded by STATES."""
    stack: list[tuple[int, ...]] = [()]
    seen: set[frozenset[int]] = set()
    while stack and len(seen) < STATES:
        done = stack.pop()
        if len(done) == len(inside):
            return [inside[index] for index in done]
        if frozenset(done) in seen:
            continue
        seen.add(frozenset(done))
        balance = dict(held)
        for index in done:
            balance[inside[index].lane.source] -= inside[index].gives
            balance[inside[index].lane.target] += inside[index].takes
        open_moves = [i for i in range(len(inside)) if i not in done and balance[inside[i].lane.source] >= inside[i].gives]
        stack.extend((*done, index) for index in reversed(open_moves))
    return None
