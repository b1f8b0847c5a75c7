"""The mixed-integer program of a planning problem: lossy flow with fixed charges, bands with slack, and cut-sets.

Columns: a use binary and one flow per schedule segment for each arc, a shortfall and an excess for each band. Every row is
valid for every integer plan (floors and segment order are relaxed), so a minimum here is a lower bound there.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from coordinator.planner.instance import Band
from coordinator.planner.network import Arc, Network
from coordinator.planner.program import INFINITY, Program, Vector

Terms = dict[int, float]
DUST = 1e-8
COARSE = 1e-3
EDGE = 1e-7
VAST = 1e7


@dataclass(frozen=True, slots=True)
class Columns:
    """Where an arc's variables stand: its use binary, its flow segments, and what flooring may lose (or None)."""

    use: int
    flows: tuple[int, ...]
    lost: int | None


class FlowModel:
    """The program over a set of arcs. `forced` makes every arc used (to settle amounts once the lanes are chosen)."""

    def __init__(
        self,
        network: Network,
        arcs: Sequence[Arc],
        *,
        forced: bool = False,
        margins: Sequence[float] = (),
        inset: bool = False,
        strict: Collection[str] = (),
        loose_swaps: bool = False,
        spare: float = 0.0,
    ) -> None:
        self.network = network
        self.arcs = tuple(arcs)
        self.program = Program()
        self.strict = strict
        self.loose_swaps = loose_swaps
        self.columns = [self._arc_columns(arc, forced) for arc in self.arcs]
        self.local_rows = list(range(len(self.program.row_lower)))
        self.out_of: dict[int, list[int]] = {}
        self.into: dict[int, list[int]] = {}
        for index, arc in enumerate(self.arcs):
            self.out_of.setdefault(arc.source, []).append(index)
            self.into.setdefault(arc.target, []).append(index)
        self._balance_rows()
        self._purse_rows()
        self._opposite_rows()
        self.misses: list[int] = []
        self.margins: list[int] = []
        for number, band in enumerate(network.instance.bands):
            self._band_rows(band, margins[number] if margins else 0.0, _inset(network, band) if inset else 0.0)
        self.violation_row = self.program.row(-INFINITY, INFINITY, [(column, 1.0) for column in self.misses])
        self.margin_row = self.program.row(-INFINITY, INFINITY, [(column, 1.0) for column in self.margins])
        self.hop_row = self.program.row(-INFINITY, INFINITY, self.hops().items())
        self.cost_row = self.program.row(-INFINITY, INFINITY, self.cost().items())
        self._limit_rows(spare)

    # objectives

    def violation(self) -> Terms:
        """Value outside the bands."""
        return dict.fromkeys(self.misses, 1.0)

    def margin(self) -> Terms:
        """How far the flows stay from the wished distance to the band edges."""
        return dict.fromkeys(self.margins, 1.0)

    def hops(self) -> Terms:
        """Number of bridge legs."""
        return {columns.use: 1.0 for arc, columns in zip(self.arcs, self.columns) if arc.bridge}

    def cost(self) -> Terms:
        """Fixed charges plus value lost."""
        terms: Terms = {}
        for arc, columns in zip(self.arcs, self.columns):
            terms[columns.use] = arc.fixed
            for flow, rate in zip(columns.flows, arc.rates):
                terms[flow] = 1.0 - rate
            if columns.lost is not None:
                terms[columns.lost] = 1.0
        return terms

    # restrictions put on between stages

    def hold_violation(self, most: float) -> None:
        """Only plans with at most this violation from here on. Zero removes the slack columns themselves."""
        if most > 0.0:
            self.program.row_upper[self.violation_row] = most
            return
        for column in self.misses:
            self.program.upper[column] = 0.0

    def hold(self, row: int, most: float) -> None:
        """Cap one of the objective rows."""
        self.program.row_upper[row] = most

    def bar(self, lanes: Collection[str]) -> None:
        """Plans may not use all of these lanes together."""
        uses = [columns.use for arc, columns in zip(self.arcs, self.columns) if arc.lane.id in lanes]
        self.program.row(-INFINITY, len(uses) - 1.0, [(use, 1.0) for use in uses])

    def turn(self, lanes: Collection[str]) -> None:
        """If all of these lanes are used, one departs first: paid from holdings and deliveries of lanes outside the set."""
        ring = [index for index, arc in enumerate(self.arcs) if arc.lane.id in lanes]
        if len(ring) < len(lanes) or any(self.arcs[index].stands_for > 1 for index in ring):
            return  # a merged arc may stand for a lane outside the set: the cut would not be valid
        first = {index: self.program.column(0.0, 1.0, integer=True) for index in ring}
        terms = {self.columns[index].use: 1.0 for index in ring}
        self.program.row(-INFINITY, len(ring) - 1.0, {**terms, **dict.fromkeys(first.values(), -1.0)}.items())
        for index in ring:
            arc = self.arcs[index]
            paid: Terms = dict.fromkeys(self.columns[index].flows, 1.0)
            for other in self.into.get(arc.source, ()):
                if other not in first:
                    _add(paid, self._taken(self.arcs[other], self.columns[other], -1.0))
            paid[first[index]] = arc.most
            self.program.row(-INFINITY, self.network.held[arc.source] + arc.most, paid.items())

    def given(self, values: Vector, index: int) -> float:
        """Scaled value an arc gives at a point."""
        return float(sum(values[flow] for flow in self.columns[index].flows))

    def used(self, values: Vector) -> list[int]:
        """Arcs used at a point: by their binary, or by their flow where the binary is loose."""
        flowing = set(self.flowing(values)) if self.loose_swaps else set()
        return [
            index
            for index, (arc, columns) in enumerate(zip(self.arcs, self.columns))
            if (index in flowing if self.loose_swaps and not arc.bridge else values[columns.use] > 0.5)
        ]

    def flowing(self, values: Vector) -> list[int]:
        """Arcs that carry something at a point."""
        return [index for index in range(len(self.arcs)) if self.given(values, index) > 10 * DUST]

    # building

    def _arc_columns(self, arc: Arc, forced: bool) -> Columns:
        program = self.program
        whole = not forced and (arc.bridge or not self.loose_swaps)
        use = program.column(1.0 if forced else 0.0, float(arc.times), integer=whole)
        flows = tuple(program.column(0.0, width * arc.times) for width in arc.widths)
        give: Terms = dict.fromkeys(flows, 1.0)
        for flow, width in zip(flows, arc.widths):
            program.row(-INFINITY, 0.0, [(flow, 1.0), (use, -width)])
        if len(flows) > 1:
            average = arc.delivers / arc.most
            program.row(0.0, INFINITY, [(flow, rate - average) for flow, rate in zip(flows, arc.rates)])
        if arc.lane.id in self.strict:
            self._fill_in_order(arc, flows)
        if arc.least > DUST:
            program.row(0.0, INFINITY, {**give, use: -arc.least}.items())
        lost = None
        if arc.target_unit > DUST or arc.spread > 0.0:
            lost = program.column(0.0, INFINITY)
            program.row(-INFINITY, 0.0, {**dict.fromkeys(flows, -arc.spread), lost: 1.0, use: -arc.target_unit}.items())
        columns = Columns(use, flows, lost)
        self._whole_units(arc, columns)
        return columns

    def _fill_in_order(self, arc: Arc, flows: Sequence[int]) -> None:
        """A segment may only be entered when the one before is full: else the program could burn value in the worse ones."""
        for (flow, width), (later, room) in pairwise(zip(flows, arc.widths)):
            full = self.program.column(0.0, 1.0, integer=True)
            self.program.row(0.0, INFINITY, [(flow, 1.0), (full, -width)])
            self.program.row(-INFINITY, 0.0, [(later, 1.0), (full, -room)])

    def disordered(self, values: Vector) -> set[str]:
        """Lanes whose later segments carry value although an earlier one is not full."""
        found: set[str] = set()
        for arc, columns in zip(self.arcs, self.columns):
            for (flow, width), (later, _) in pairwise(zip(columns.flows, arc.widths)):
                if values[flow] < width * (1 - 1e-7) - DUST and values[later] > DUST + 1e-7 * width:
                    found.add(arc.lane.id)
        return found

    def _whole_units(self, arc: Arc, columns: Columns) -> None:
        """Coarse tokens (a base unit is a visible part of the treasury) move in whole units inside the program too."""
        if arc.source_unit > COARSE:
            whole = self.program.column(0.0, round(arc.most / arc.source_unit + 0.5), integer=True)
            self.program.row(0.0, 0.0, {**dict.fromkeys(columns.flows, 1.0), whole: -arc.source_unit}.items())
        if arc.target_unit > COARSE:
            whole = self.program.column(0.0, round(arc.delivers / arc.target_unit + 0.5), integer=True)
            self.program.row(0.0, 0.0, {**self._taken(arc, columns), whole: -arc.target_unit}.items())

    def _taken(self, arc: Arc, columns: Columns, sign: float = 1.0) -> Terms:
        terms = {flow: sign * rate for flow, rate in zip(columns.flows, arc.rates)}
        if columns.lost is not None:
            terms[columns.lost] = -sign
        return terms

    def _balance_rows(self) -> None:
        for token, leaving in sorted(self.out_of.items()):
            terms: Terms = {}
            for index in leaving:
                terms.update(dict.fromkeys(self.columns[index].flows, 1.0))
            for index in self.into.get(token, ()):
                _add(terms, self._taken(self.arcs[index], self.columns[index], -1.0))
            self.program.row(-INFINITY, self.network.held[token], terms.items())

    def _purse_rows(self) -> None:
        """A leg gives at most what its whole chain held plus what came in over bridges: swaps cannot circulate more."""
        chains = [token.chain for token in self.network.instance.tokens]
        purse: dict[str, float] = {}
        for chain, held in zip(chains, self.network.held):
            purse[chain] = purse.get(chain, 0.0) + held
        coming: dict[str, Terms] = {chain: {} for chain in purse}
        for arc, columns in zip(self.arcs, self.columns):
            here = chains[arc.target]
            if chains[arc.source] != here:
                _add(coming[here], self._taken(arc, columns, -1.0))
            elif arc.rates[0] > 1.0:
                gains = {flow: 1.0 - rate for flow, rate in zip(columns.flows, arc.rates) if rate > 1.0}
                _add(coming[here], gains)
        total = {chain: self.program.column(0.0, VAST) for chain in purse}
        for chain, column in total.items():
            self.program.row(0.0, 0.0, {**coming[chain], column: 1.0}.items())
        for arc, columns in zip(self.arcs, self.columns):
            held = purse[chains[arc.source]]
            if not arc.bridge and arc.most > held * (1 + 1e-9):
                terms = {**dict.fromkeys(columns.flows, 1.0), columns.use: -held, total[chains[arc.source]]: -1.0}
                self.program.row(-INFINITY, 0.0, terms.items())

    def _opposite_rows(self) -> None:
        swaps: dict[tuple[str, int, int], list[int]] = {}
        for index, arc in enumerate(self.arcs):
            if not arc.bridge:
                swaps.setdefault((arc.lane.rail, arc.source, arc.target), []).append(index)
        for (rail, source, target), ones in swaps.items():
            for one in ones:
                for other in swaps.get((rail, target, source), ()) if source < target else ():
                    pair = [(self.columns[one].use, 1.0), (self.columns[other].use, 1.0)]
                    self.program.row(-INFINITY, 1.0, pair)

    def _band_rows(self, band: Band, margin: float, inset: float) -> None:
        network, program = self.network, self.program
        members = {network.position[token] for token in band.tokens}
        now = sum(network.start[token] for token in members)
        change, inner = self._change(members)
        if band.low is not None:
            low = network.scaled(band.low) + inset
            under = program.column(0.0, INFINITY)
            self.misses.append(under)
            program.row(low - now, INFINITY, {**change, under: 1.0}.items())
            self._inbound_cut(low - now, members, inner, under)
            self._margin_row(change, under, margin, low - now)
        if band.high is not None:
            high = network.scaled(band.high) - inset
            over = program.column(0.0, INFINITY)
            self.misses.append(over)
            program.row(-INFINITY, high - now + EDGE, {**change, over: -1.0}.items())
            self._outbound_cut(now - high, members, inner, over)
            self._margin_row({column: -entry for column, entry in change.items()}, over, margin, now - high)

    def _margin_row(self, change: Terms, miss: int, margin: float, edge: float) -> None:
        if margin > 0.0:
            near = self.program.column(0.0, margin)
            self.margins.append(near)
            self.program.row(edge + margin, INFINITY, {**change, miss: 1.0, near: 1.0}.items())

    def _change(self, members: set[int]) -> tuple[Terms, list[int]]:
        """How the flows change the value held in a set of tokens, and the arcs that stay inside it."""
        terms: Terms = {}
        inner: list[int] = []
        for token in sorted(members):
            for index in self.into.get(token, ()):
                _add(terms, self._taken(self.arcs[index], self.columns[index]))
                if self.arcs[index].source in members:
                    inner.append(index)
            for index in self.out_of.get(token, ()):
                _add(terms, dict.fromkeys(self.columns[index].flows, -1.0))
        return terms, inner

    def _inbound_cut(self, need: float, members: set[int], inner: Iterable[int], under: int) -> None:
        """What is below its floor needs an inbound leg: deliveries count for at most the need."""
        if need <= DUST:
            return
        terms: Terms = {under: 1.0 / need}
        for token in sorted(members):
            for index in self.into.get(token, ()):
                arc = self.arcs[index]
                if arc.source not in members:
                    terms[self.columns[index].use] = min(1.0, arc.delivers / need)
        for index in inner:
            for flow, rate in zip(self.columns[index].flows, self.arcs[index].rates):
                if rate > 1.0:
                    terms[flow] = (rate - 1.0) / need
        self.program.row(1.0 - 1e-7, INFINITY, terms.items())

    def _outbound_cut(self, spare: float, members: set[int], inner: Iterable[int], over: int) -> None:
        """What is above its cap needs an outbound leg, or burns value inside."""
        if spare <= 10 * EDGE:
            return
        terms: Terms = {over: 1.0 / spare}
        for token in sorted(members):
            for index in self.out_of.get(token, ()):
                arc = self.arcs[index]
                if arc.target not in members:
                    terms[self.columns[index].use] = min(1.0, arc.most / spare)
        for index in inner:
            arc, columns = self.arcs[index], self.columns[index]
            for flow, rate in zip(columns.flows, arc.rates):
                terms[flow] = max(1.0 - rate, 0.0) / spare
            if columns.lost is not None:
                terms[columns.lost] = 1.0 / spare
        self.program.row(1.0 - 2 * EDGE / spare, INFINITY, terms.items())

    def _limit_rows(self, spare: float) -> None:
        limits, program = self.network.instance.limits, self.program
        if limits.turnover is not None:
            terms: Terms = {}
            for columns in self.columns:
                terms.update(dict.fromkeys(columns.flows, 1.0))
            program.row(-INFINITY, self.network.scaled(limits.turnover) - spare, terms.items())
        if limits.cost is not None:
            program.row(-INFINITY, self.network.scaled(limits.cost) - spare, self.cost().items())
        if limits.legs is not None:
            program.row(-INFINITY, float(limits.legs), [(columns.use, 1.0) for columns in self.columns])


def _inset(network: Network, band: Band) -> float:
    """How far inside its band a plan should land to survive rounding: never more than a quarter of the band."""
    units = max((network.instance.unit[token] for token in band.tokens), default=Fraction(0))
    wish = max(8.0 * network.scaled(units), 20.0 * EDGE)
    if band.low is not None and band.high is not None:
        wish = min(wish, max(network.scaled(band.high - band.low), 0.0) / 4)
    return wish


def _add(terms: Terms, more: Terms) -> None:
    for column, entry in more.items():
        terms[column] = terms.get(column, 0.0) + entry
