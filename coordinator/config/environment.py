"""What the environment adds to a configuration: `${NAME}` inside values, and overrides by path.

`${NAME}` stands for a variable in any value (an RPC URL with its key, most often). A variable
`COORDINATOR__LIMITS__PER_DAY=$5k` replaces or adds `limits.per_day`; segments are matched without regard to case, with
`_` for `-` and `.`, and lists are indexed from 0. Overrides are texts, as in the file. Errors name the variable, never its value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace

from coordinator.config.errors import Findings, Where
from coordinator.config.tree import Node, put

PREFIX = "COORDINATOR__"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAME_LIMIT = 12  # segments of an override


def overlay(root: Node, environment: Mapping[str, str], findings: Findings) -> Node:
    """The tree with overrides applied and `${NAME}` filled in."""
    for name in sorted(environment):
        if name.startswith(PREFIX):
            segments = name.removeprefix(PREFIX).split("__")[:_NAME_LIMIT]
            value = Node(Where(f"${name}", 0, 0), environment[name], origin=name)
            root = _override(root, segments, value, findings)
    return _fill(root, (), environment, findings)


def _override(node: Node, segments: list[str], value: Node, findings: Findings) -> Node:
    if not segments:
        return value
    head, rest = segments[0], segments[1:]
    if isinstance(node.value, list):
        if not head.isdecimal() or int(head) >= len(node.value):
            findings.add(value.where, (), f'"{head}" is no place in the list', f"0 to {len(node.value) - 1}")
            return node
        items = list(node.value)
        items[int(head)] = _override(items[int(head)], rest, value, findings)
        return replace(node, value=items)
    if isinstance(node.value, str):
        findings.add(value.where, (), f'"{head}" lies below a plain value', "the path of a setting", f"drop __{'__'.join(segments)}")
        return node
    key = next((known for known in node.entries if _folded(known) == _folded(head)), head.lower())
    child = node.get(key) or Node(value.where, {} if rest else None)
    return put(node, key, _override(child, rest, value, findings))


def _folded(key: str) -> str:
    return re.sub(r"[-.]", "_", key).lower()


def _fill(node: Node, path: tuple[str, ...], environment: Mapping[str, str], findings: Findings) -> Node:
    if isinstance(node.value, list):
        return replace(node, value=[_fill(item, (*path, str(index)), environment, findings) for index, item in enumerate(node.value)])
    if isinstance(node.value, dict):
        entries = {key: replace(e, node=_fill(e.node, (*path, key), environment, findings)) for key, e in node.value.items()}
        return replace(node, value=entries)
    if node.value is None or node.origin:
        return node
    names = _VARIABLE.findall(node.value)
    for name in names:
        if not environment.get(name):
            findings.add(node.where, path, f"${{{name}}} is not set", "a variable that is set", f"export {name}=…, or write the value here")
    text = _VARIABLE.sub(lambda match: environment.get(match[1], ""), node.value)
    return replace(node, value=text, origin=names[0]) if names else node


def supervisor(environment: Mapping[str, str] | None = None) -> tuple[str | None, float | None]:
    """Where systemd listens for the word of its service, and the seconds of silence after which it restarts it; None without systemd."""
    found = os.environ if environment is None else environment
    patience = found.get("WATCHDOG_USEC", "")
    return found.get("NOTIFY_SOCKET") or None, int(patience) / 1_000_000 if patience.isdecimal() and int(patience) else None
