"""What a request asks for, read with bounds: a query that makes no sense is refused with what is allowed."""

from __future__ import annotations

import json

from aiohttp import web


def number(request: web.Request, name: str, otherwise: int, most: int) -> int:
    """A whole number of 1 to `most` from the query. Raises HTTPBadRequest."""
    text = request.query.get(name)
    if text is None:
        return otherwise
    if not text.isascii() or not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= most:
        raise web.HTTPBadRequest(
            text=json.dumps({"error": f"{name}: allowed is a whole number of 1 to {most}"}), content_type="application/json"
        )
    return int(text)


def choice(request: web.Request, name: str, allowed: tuple[str, ...]) -> str | None:
    """One of the words allowed, or None when the query has none. Raises HTTPBadRequest."""
    text = request.query.get(name)
    if text is not None and text not in allowed:
        raise web.HTTPBadRequest(text=json.dumps({"error": f"{name}: allowed are {', '.join(allowed)}"}), content_type="application/json")
    return text
