"""The lanes that can matter, in scaled floats for the solver, with the capacity that can really flow on each.

Values are scaled so that net asset value is SCALE: HiGHS works with absolute tolerances, so its numbers must lie near one.
Everything here is an over-estimate of what an integer plan can do (a relaxation), so that bounds stay proofs.
"""

from dataclasses import dataclass
from fractions import Fraction

from coordinator.planner.instance import Instance, Lane

SCALE = 1000
ROUNDS = 12


@dataclass(frozen=True, slots=True)
class Arc:
    """A usable lane between token positions; `most`/`least` bound what one leg gives, `widths` and `rates` its schedule.

    `there` is all the value that can get to the source. Of a merged arc (see `merge.py`) `spread` is how far its worst rate
    lies below its best, `times` how often it can be used, and
    `stands_for` how many lanes it stands for.
    """

    lane: Lane
    source: int
    target: int
    least: float
    most: float
    widths: tuple[float, ...]
    rates: tuple[float, ...]
    fixed: float
    source_unit: float
    target_unit: float
    there: float
    spread: float = 0.0
    times: int = 1
    stands_for: int = 1

    @property
    def bridge(self) -> bool:
        """Whether a leg here counts as a hop."""
        return self.lane.kind == "bridge"

    @property
    def delivers(self) -> float:
        """The most value that can come out."""
        return sum(width * rate for width, rate in zip(self.widths, self.rates))


@dataclass(frozen=True, slots=True)
class Network:
    """Scaled view of an instance: `held` and `start` by token position, usable arcs, value per scaled unit."""

    instance: Instance
    factor: Fraction
    held: tuple[float, ...]
    start: tuple[float, ...]
    arcs: tuple[Arc, ...]
    position: dict[str, int]

    def scaled(self, value: Fraction) -> float:
        """A numeraire value in solver units."""
        return float(value * self.factor)


def draw_network(instance: Instance) -> Network:
    """Scale an instance and keep the lanes a plan within the limits could use."""
    nav = instance.nav
    factor = Fraction(SCALE) / nav if nav > 0 else Fraction(1)
    position = {token.id: index for index, token in enumerate(instance.tokens)}
    units = [float(token.unit * factor) for token in instance.tokens]
    held = tuple(float(instance.held(t.id) * t.unit * factor) for t in instance.tokens)
    start = tuple(float(instance.start(t.id) * t.unit * factor) for t in instance.tokens)
    lanes = [lane for lane in instance.lanes if _usable(instance, lane)]
    there = _there(instance, lanes, position, units, held)
    arcs: list[Arc] = []
    for lane in lanes:
        source, target = position[lane.source], position[lane.target]
        most = min(float(lane.most) * units[source], there[source])
        least = float(lane.least) * units[source]
        if there[source] <= 0.0 or least > most * (1 + 1e-9):
            continue
        widths, rates = _schedule(lane, units[source], most)
        fixed = float(lane.fixed * factor)
        arcs.append(Arc(lane, source, target, min(least, most), most, widths, rates, fixed, units[source], units[target], there[source]))
    return Network(instance, factor, held, start, tuple(arcs), position)


def _usable(instance: Instance, lane: Lane) -> bool:
    deadline = instance.limits.deadline_s
    return lane.least <= lane.most and (deadline is None or lane.latency_s <= deadline)


def _schedule(lane: Lane, unit: float, most: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    widths: list[float] = []
    rates: list[float] = []
    done = 0.0
    for segment in lane.schedule:
        width = min(float(segment.up_to) * unit, most) - done
        if width <= 0.0:
            break
        done += width
        if rates and rates[-1] == float(segment.rate):
            widths[-1] += width
        else:
            widths.append(width)
            rates.append(float(segment.rate))
    return tuple(widths), tuple(rates)


def _there(instance: Instance, lanes: list[Lane], position: dict[str, int], units: list[float], held: tuple[float, ...]) -> list[float]:
    """An upper bound on the value that can ever be given from each token: zero where none can get to."""
    total = sum(held) + _gains(lanes, position, units)
    total *= 1 + 1e-9
    reached = [value > 0.0 for value in held]
    grown = True
    while grown:
        grown = False
        for lane in lanes:
            if reached[position[lane.source]] and not reached[position[lane.target]]:
                reached[position[lane.target]] = grown = True
    there = [total if here else 0.0 for here in reached]
    caps = [float(lane.most) * units[position[lane.source]] for lane in lanes]
    best = [max(float(lane.schedule[0].rate), 0.0) for lane in lanes]
    for _ in range(ROUNDS):
        coming = list(held)
        for lane, cap, rate in zip(lanes, caps, best):
            coming[position[lane.target]] += min(cap, there[position[lane.source]]) * rate
        smaller = [min(old, new * (1 + 1e-9)) for old, new in zip(there, coming)]
        if smaller == there:
            break
        there = smaller
    return there


def _gains(lanes: list[Lane], position: dict[str, int], units: list[float]) -> float:
    gain = 0.0
    for lane in lanes:
        done = 0
        for segment in lane.schedule:
            width = min(segment.up_to, lane.most) - done
            if segment.rate <= 1 or width <= 0:
                break
            gain += float(width * (segment.rate - 1)) * units[position[lane.source]]
            done += width
    return gain
