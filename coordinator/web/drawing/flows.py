"""The Sankey diagram of a plan: how value lies on chains before, what moves where, and how it lies after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from coordinator.web.drawing.svg import element

WIDTH, HEIGHT, TOP, GAP, NODE = 760, 320, 34, 14, 16
LEFT, RIGHT, LINE = 215, 530, 18
COLOURS = 8


@dataclass(frozen=True, slots=True)
class Flow:
    """Value that goes from one chain to another, or stays (source is target). `value` in USD, to draw with; `told` for people."""

    source: str
    target: str
    value: float
    told: str


def sankey(chains: Sequence[str], flows: Sequence[Flow], labels: Mapping[tuple[str, str], str]) -> Markup:
    """`labels`: what stands beside a chain, by ("before" or "after", chain)."""
    flows = [flow for flow in flows if flow.value > 0]
    total = sum(flow.value for flow in flows) or 1.0
    scale = (HEIGHT - GAP * (len(chains) - 1)) / total
    left = _column(chains, {c: sum(f.value for f in flows if f.source == c) for c in chains}, scale)
    right = _column(chains, {c: sum(f.value for f in flows if f.target == c) for c in chains}, scale)
    ribbons = _ribbons(chains, flows, (left, right), scale)
    nodes = [*_nodes(chains, left, "before", labels), *_nodes(chains, right, "after", labels)]
    heads = (
        element("text", "before", class_="head", x=LEFT, y=18, text_anchor="end"),
        element("text", "after", class_="head", x=RIGHT + NODE, y=18),
    )
    size = TOP + HEIGHT + 16
    return element(
        "svg",
        element("title", "Value by chain before and after the plan"),
        *heads,
        *ribbons,
        *nodes,
        class_="sankey",
        viewBox=f"0 0 {WIDTH} {size}",
        role="img",
    )


def _column(chains: Sequence[str], values: Mapping[str, float], scale: float) -> dict[str, tuple[float, float]]:
    """(top, height) by chain."""
    places, top = {}, float(TOP)
    for chain in chains:
        height = values[chain] * scale
        places[chain] = (top, height)
        top += height + GAP
    return places


Column = Mapping[str, tuple[float, float]]


def _ribbons(chains: Sequence[str], flows: Sequence[Flow], columns: tuple[Column, Column], scale: float) -> list[Markup]:
    """Ribbons leave and arrive in the order of the chains, so that they cross as little as they can."""
    order = {chain: number for number, chain in enumerate(chains)}
    starts = _stacked(sorted(flows, key=lambda f: (order[f.source], order[f.target])), columns[0], scale, source=True)
    ends = _stacked(sorted(flows, key=lambda f: (order[f.target], order[f.source])), columns[1], scale, source=False)
    wide_first = sorted(flows, key=lambda f: -f.value)
    return [_ribbon(flow, starts[id(flow)], ends[id(flow)], order[flow.source], flow.value * scale) for flow in wide_first]


def _stacked(flows: Sequence[Flow], column: Column, scale: float, *, source: bool) -> dict[int, float]:
    tops = {chain: top for chain, (top, _) in column.items()}
    placed = {}
    for flow in flows:
        chain = flow.source if source else flow.target
        placed[id(flow)] = tops[chain]
        tops[chain] += flow.value * scale
    return placed


def _ribbon(flow: Flow, start: float, end: float, colour: int, height: float) -> Markup:
    height = max(height, 1.5)
    a, b, middle = LEFT + NODE, RIGHT, (LEFT + NODE + RIGHT) / 2
    path = (
        f"M{a} {start:.1f} C{middle} {start:.1f} {middle} {end:.1f} {b} {end:.1f} "
        f"L{b} {end + height:.1f} C{middle} {end + height:.1f} {middle} {start + height:.1f} {a} {start + height:.1f} Z"
    )
    moves = "stays" if flow.source == flow.target else "moves"
    return element("path", element("title", flow.told), d=path, class_=f"ribbon {moves} c{colour % COLOURS}")


def _nodes(chains: Sequence[str], column: Column, when: str, labels: Mapping[tuple[str, str], str]) -> list[Markup]:
    """One side's chains; the texts of small ones are moved apart, so that each can be read."""
    x = LEFT if when == "before" else RIGHT
    text, anchor = (x - 8, "end") if when == "before" else (x + NODE + 8, "start")
    drawn, free = [], 0.0
    for number, chain in enumerate(chains):
        top, height = column[chain]
        line = max(top + max(height, 2.0) / 2 + 4, free)
        free = line + LINE
        value = element("tspan", f"  {labels.get((when, chain), '')}", class_="value")
        drawn.append(
            element(
                "g",
                element("rect", class_=f"node c{number % COLOURS}", x=x, y=top, width=NODE, height=max(height, 2.0), rx="2"),
                element("text", chain, value, class_="name", x=text, y=line, text_anchor=anchor),
            )
        )
    return drawn
