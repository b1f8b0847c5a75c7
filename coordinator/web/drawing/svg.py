"""SVG elements as escaped text."""

from __future__ import annotations

from markupsafe import Markup, escape

Value = str | int | float
CASED = frozenset({"viewBox", "preserveAspectRatio", "refX", "refY", "markerWidth", "markerHeight"})
NAMES = frozenset({"circle", "defs", "g", "line", "marker", "path", "polyline", "rect", "svg", "text", "title", "tspan"})


def element(name: str, *children: str | Markup, **attributes: Value) -> Markup:
    """`element("rect", x=1, stroke_width=2, class_="bar")`: children and values are escaped, `_` in names becomes `-`."""
    written = Markup("").join(Markup(' {}="{}"').format(_name(key), _value(value)) for key, value in attributes.items())
    inside = Markup("").join(escape(child) for child in children)
    if name not in NAMES:
        raise ValueError(f"{name} is not an element that is drawn here")
    return Markup("<{0}{1}>{2}</{0}>").format(name, written, inside)


def _name(key: str) -> str:
    return key if key in CASED else key.rstrip("_").replace("_", "-")


def _value(value: Value) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def percent(share: float) -> str:
    """A place on an axis as SVG writes it: `12.5%`."""
    return f"{_value(share * 100)}%"
