"""The route graph of a plan: chains on a circle, bridge hops as arrows, swaps as loops beside their chain."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from coordinator.web.drawing.svg import element

WIDTH, HEIGHT, RADIUS, NODE = 760, 380, 120, 30
CENTRE = (WIDTH / 2, HEIGHT / 2)
Point = tuple[float, float]


def routes(chains: Sequence[str], legs: Sequence[Mapping[str, Any]]) -> Markup:
    """`legs`: rows of a plan view."""
    places = {chain: _place(number, len(chains)) for number, chain in enumerate(chains)}
    hops = [leg for leg in legs if leg["source_chain"] != leg["target_chain"]]
    arrows, used = [], dict[frozenset[str], int]()
    for leg in hops:
        pair = frozenset((leg["source_chain"], leg["target_chain"]))
        used[pair] = used.get(pair, 0) + 1
        arrows.append(_arrow(places[leg["source_chain"]], places[leg["target_chain"]], 26.0 * used[pair], leg))
    nodes = [_node(chain, places[chain], [leg for leg in legs if leg not in hops and leg["source_chain"] == chain]) for chain in chains]
    tip = element("path", d="M0 0 L10 5 L0 10 Z", class_="tip")
    marker = element(
        "marker", tip, id="tip", viewBox="0 0 10 10", refX="9", refY="5", markerWidth="7", markerHeight="7", orient="auto-start-reverse"
    )
    title = element("title", "Which way value moves")
    box = f"0 0 {WIDTH} {HEIGHT}"
    return element("svg", title, element("defs", marker), *arrows, *nodes, class_="routes", viewBox=box, role="img")


def _place(number: int, count: int) -> Point:
    angle = 2 * math.pi * number / max(1, count) - math.pi / 2 - math.pi / max(2, count)
    return CENTRE[0] + RADIUS * 1.9 * math.cos(angle), CENTRE[1] + RADIUS * math.sin(angle)


def _arrow(source: Point, target: Point, bend: float, leg: Mapping[str, Any]) -> Markup:
    dx, dy = target[0] - source[0], target[1] - source[1]
    length = math.hypot(dx, dy) or 1.0
    ux, uy = dx / length, dy / length
    start = (source[0] + ux * (NODE + 4), source[1] + uy * (NODE + 4))
    end = (target[0] - ux * (NODE + 6), target[1] - uy * (NODE + 6))
    middle = ((start[0] + end[0]) / 2 - uy * bend, (start[1] + end[1]) / 2 + ux * bend)
    label = ((start[0] + end[0]) / 2 - uy * (bend / 2 + 12), (start[1] + end[1]) / 2 + ux * (bend / 2 + 12))
    path = f"M{start[0]:.1f} {start[1]:.1f} Q{middle[0]:.1f} {middle[1]:.1f} {end[0]:.1f} {end[1]:.1f}"
    told = f"{leg['number']}  {leg['rail']}"
    return element(
        "g",
        element("title", f"leg {leg['number']}: {leg['gives']} by {leg['rail']}"),
        element("path", d=path, class_="hop", fill="none", marker_end="url(#tip)"),
        element("text", told, class_="label", x=label[0], y=label[1], text_anchor="middle"),
    )


def _node(chain: str, place: Point, swaps: Sequence[Mapping[str, Any]]) -> Markup:
    x, y = place
    texts = [element("text", chain, class_="name", x=x, y=y + 4, text_anchor="middle")]
    away = 1 if y >= CENTRE[1] else -1
    for number, leg in enumerate(swaps):
        told = f"{leg['number']}  swap {leg['gives'].rpartition(' ')[2]} to {leg['takes'].rpartition(' ')[2]}"
        texts.append(element("text", told, class_="swap", x=x, y=y + away * (NODE + 16 + 16 * number) + 4, text_anchor="middle"))
    return element("g", element("circle", class_="chain", cx=x, cy=y, r=NODE), *texts)
