"""Templates and static files, loaded once: a page names its static files by content, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from coordinator.web.words import FILTERS

HERE = Path(__file__).parent
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Static:
    body: bytes
    kind: str


class Rendering:
    """`statics`: by file name; nothing else is served from disk."""

    def __init__(self) -> None:
        self.statics: Mapping[str, Static] = {
            path.name: Static(path.read_bytes(), KINDS[path.suffix]) for path in sorted((HERE / "static").iterdir()) if path.suffix in KINDS
        }
        self._environment = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._environment.filters.update(FILTERS)
        self._environment.globals["static"] = self.address

    def address(self, name: str) -> str:
        return f"/static/{name}?v={hashlib.sha256(self.statics[name].body).hexdigest()[:12]}"

    def page(self, template: str, values: Mapping[str, Any]) -> str:
        return self._environment.get_template(template).render(values)
