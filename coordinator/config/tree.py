"""A YAML file as a tree of texts that know their line and column.

Every scalar stays the text that was written: `0x00`, `1e3`, `0.10` and `012` mean what they look like, and no
number is ever a float. Duplicate keys, tags, merge keys and documents that unfold without end are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from coordinator.config.errors import ConfigError, ConfigErrors, Findings, Where

MAX_BYTES = 1_000_000
MAX_NODES = 50_000
MAX_DEPTH = 32
_STANDARD = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping: where the key stands, how it was written, and its value."""

    where: Where
    written: str
    node: Node


@dataclass(frozen=True, slots=True)
class Node:
    """A text, nothing (None), a mapping or a list, and where it begins. `origin`: the environment variable its text came from."""

    where: Where
    value: str | dict[str, Entry] | list[Node] | None
    origin: str = ""

    @property
    def entries(self) -> dict[str, Entry]:
        """The keys of a mapping; none for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    def get(self, *keys: str) -> Node | None:
        """The node under a path of keys, or None."""
        node: Node | None = self
        for key in keys:
            entry = node.entries.get(key) if node else None
            node = entry.node if entry else None
        return node

    def plain(self) -> object:
        """The same as dicts, lists, texts and None."""
        if isinstance(self.value, dict):
            return {key: entry.node.plain() for key, entry in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value

    def scalars(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
        """Every leaf, with its path."""
        if isinstance(self.value, dict):
            for entry in self.value.values():
                yield from entry.node.scalars((*path, entry.written))
        elif isinstance(self.value, list):
            for index, item in enumerate(self.value):
                yield from item.scalars((*path, str(index)))
        else:
            yield path, self


def parse(text: str, file: Path) -> Node:
    """The tree of one YAML document. Raises ConfigErrors: a syntax error alone, other refusals all at once."""
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = Where(str(file), mark.line + 1, mark.column + 1) if mark else Where(str(file), 1, 1)
        raise ConfigErrors([ConfigError(where, "", f"not YAML: {problem.problem or problem.context}")]) from None
    except YAMLError as problem:
        raise ConfigErrors([ConfigError(Where(str(file), 1, 1), "", f"not YAML: {type(problem).__name__}")]) from None
    builder = _Builder(file)
    if not isinstance(root, MappingNode):
        raise ConfigErrors([ConfigError(Where(str(file), 1, 1), "", "the file holds no mapping", "sections such as version, name, chains")])
    tree = builder.build(root, ())
    builder.findings.raise_if_any()
    return tree


class _Builder:
    """Turns ruamel's nodes into ours, within bounds."""

    def __init__(self, file: Path) -> None:
        self.findings = Findings()
        self._file = str(file)
        self._count = 0

    def build(self, node: object, path: tuple[str, ...]) -> Node:
        where = self._where(node)
        self._count += 1
        if len(path) > MAX_DEPTH or self._count > MAX_NODES:
            bounds = f"{MAX_DEPTH} levels, {MAX_NODES} nodes"
            raise ConfigErrors([ConfigError(where, ".".join(path[:4]), "the file unfolds without end", bounds)])
        tag = str(getattr(node, "tag", "") or "")
        if not tag.startswith(_STANDARD):
            self.findings.add(where, path, f"found the tag {tag}", "plain YAML", "remove the tag")
        if isinstance(node, ScalarNode):
            return Node(where, None if tag == f"{_STANDARD}null" else str(node.value))
        if isinstance(node, SequenceNode):
            return Node(where, [self.build(item, (*path, str(index))) for index, item in enumerate(node.value)])
        return Node(where, self._mapping(node, path))

    def _mapping(self, node: object, path: tuple[str, ...]) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for key, value in getattr(node, "value", ()):
            where = self._where(key)
            if not isinstance(key, ScalarNode):
                self.findings.add(where, path, "found a list or mapping as a key", "text")
                continue
            name = str(key.value)
            if name == "<<":
                self.findings.add(where, path, "found a merge key (<<)", "every key written out")
            elif name in entries:
                first = entries[name].where.line
                self.findings.add(where, (*path, name), f'"{name}" is given twice, first in line {first}', "", "remove one")
            else:
                entries[name] = Entry(where, name, self.build(value, (*path, name)))
        return entries

    def _where(self, node: object) -> Where:
        mark = getattr(node, "start_mark", None)
        return Where(self._file, mark.line + 1, mark.column + 1) if mark else Where(self._file, 1, 1)


def put(node: Node, key: str, value: Node) -> Node:
    """The same mapping with one value replaced or added."""
    entries = dict(node.entries)
    old = entries.get(key)
    entries[key] = replace(old, node=value) if old else Entry(value.where, key, value)
    return replace(node, value=entries)
