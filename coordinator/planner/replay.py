"""What a set of legs reaches, computed exactly: final holdings, violation, cost, hops, and which limits it breaks."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from coordinator.planner.instance import Instance

Moves = Mapping[str, int]
ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Reached:
    """The end of a plan. `sound` means no token ends below zero spendable and no hard limit is broken."""

    takes: dict[str, int]
    final: dict[str, int]
    violation: Fraction
    hops: int
    cost: Fraction
    sound: bool

    @property
    def rank(self) -> tuple[Fraction, int, Fraction, int]:
        """Order of preference: violation, hops, cost, number of legs."""
        return (self.violation, self.hops, self.cost, len(self.takes))


def replay(instance: Instance, moves: Moves) -> Reached:
    """Apply `moves` (lane id to base units given) to an instance, without regard to order."""
    takes: dict[str, int] = {}
    final = {token.id: instance.start(token.id) for token in instance.tokens}
    cost, turnover, hops, sound = ZERO, ZERO, 0, True
    for name, gives in moves.items():
        lane = instance.lane[name]
        takes[name] = instance.takes(lane, gives)
        final[lane.source] -= gives
        final[lane.target] += takes[name]
        cost += instance.cost(lane, gives, takes[name])
        turnover += gives * instance.unit[lane.source]
        hops += lane.kind == "bridge"
        sound = sound and lane.least <= gives <= lane.most
    sound = sound and all(final[token] >= held for token, held in instance.arriving.items())
    sound = sound and all(units >= 0 for units in final.values())
    limits = instance.limits
    sound = sound and (limits.turnover is None or turnover <= limits.turnover)
    sound = sound and (limits.cost is None or cost <= limits.cost)
    sound = sound and (limits.legs is None or len(takes) <= limits.legs)
    violation = sum((band_miss for band_miss in misses(instance, final)), ZERO)
    return Reached(takes, final, violation, hops, cost, sound)


def misses(instance: Instance, final: Mapping[str, int]) -> list[Fraction]:
    """Value outside each band, in the order of the instance's bands."""
    grains, grain = instance.grains, instance.grain
    return [band.miss(Fraction(sum(final[token] * grains[token] for token in band.tokens), grain)) for band in instance.bands]
