"""From a tree to typed sections: every entry is read on its own, so that one mistake hides no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, get_args, get_origin

from bridges.registry import RAILS
from bridges.settings import RailSettings
from chains.registry import CHAINS
from chains.settings import ChainSettings
from coordinator.config.errors import Findings, did_you_mean, listed
from coordinator.config.explain import Reading, validate
from coordinator.config.model import (
    AccountModel,
    AssetModel,
    Document,
    LimitsModel,
    PlanModel,
    SignerModel,
    StateModel,
    TargetsModel,
    TokenModel,
    TriggersModel,
)
from coordinator.config.tree import Entry, Node
from coordinator.config.tuning import BreakerSection, TuningSection


@dataclass(slots=True)
class Sections:
    """What could be read. An entry that could not is absent here, but its name is still in `tree`."""

    tree: Node
    findings: Findings
    name: str = ""
    policy: str = "bands"
    tuning: TuningSection | None = None
    breakers: dict[str, BreakerSection] = field(default_factory=dict)
    state: StateModel = field(default_factory=StateModel)
    signer: SignerModel = field(default_factory=SignerModel)
    chains: dict[str, ChainSettings] = field(default_factory=dict)
    accounts: dict[str, AccountModel] = field(default_factory=dict)
    assets: dict[str, AssetModel] = field(default_factory=dict)
    tokens: dict[str, TokenModel] = field(default_factory=dict)
    rails: dict[str, RailSettings] = field(default_factory=dict)
    targets: TargetsModel | None = None
    triggers: TriggersModel | None = None
    limits: LimitsModel | None = None
    plan: PlanModel | None = None

    def names(self, section: str) -> list[str]:
        """The names a section gives, whether or not their entries could be read."""
        node = self.tree.get(section)
        return list(node.entries) if node else []

    def refuse(self, path: tuple[str, ...], found: str, allowed: str = "", mend: str = "") -> None:
        """Add a finding at the value under `path`, or at its nearest parent that is in the file."""
        here, where, written = self.tree, self.tree.where, []
        for key in path:
            entry = here.entries.get(key)
            child = entry.node if entry else _item(here, key)
            written.append(entry.written if entry else key)
            if child is not None:
                here = child
                where = child.where if isinstance(child.value, str) or entry is None else entry.where
        if here.origin:
            if any(known.where == where for known in self.findings.errors):
                return  # the variable is not set: said already
            found, mend = "the value from the environment is not valid", ""
        self.findings.add(where, written, found, allowed, mend)

    def refuse_name(self, path: tuple[str, ...], what: str, name: str, known: list[str]) -> None:
        """Add the finding that `name` is no known chain, asset, token … with the nearest that is."""
        self.refuse(path, f'"{name}" is no {what}', listed(known), did_you_mean(name, known))


def _item(node: Node, key: str) -> Node | None:
    return node.value[int(key)] if isinstance(node.value, list) and key.isdecimal() and int(key) < len(node.value) else None


def read(tree: Node, findings: Findings) -> Sections:
    """Every section, entry by entry. Refusals go to `findings`."""
    sections = Sections(tree, findings)
    known = list(Document.model_fields)
    for name, entry in tree.entries.items():
        if name not in known:
            findings.add(entry.where, (name,), "unknown key", listed(known), did_you_mean(name, known))
    for name, shape in Document.model_fields.items():
        node = tree.get(name)
        if node is None:
            if shape.is_required():
                findings.add(tree.where, (name,), "missing", "", f"add {name}: …")
        elif name in {"chains", "rails"}:
            _read_kinds(name, node, sections)
        elif get_origin(shape.annotation) is dict:
            _read_entries(name, node, get_args(shape.annotation)[1], sections)
        else:
            value = validate(Reading(_annotated(shape)), node, (name,), findings)
            if value is not None and name != "version":
                setattr(sections, name, value)
    return sections


def _annotated(shape: Any) -> Any:
    return Annotated[(shape.annotation, *shape.metadata)] if shape.metadata else shape.annotation


def _is_mapping(name: str, node: Node, findings: Findings) -> bool:
    if node.entries:
        return True
    if not isinstance(node.value, dict):
        findings.add(node.where, (name,), "found no mapping", "a mapping (name: …)")
    elif name != "rails":
        findings.add(node.where, (name,), "empty", "at least one entry")
    return False


def _read_entries(section: str, node: Node, shape: Any, sections: Sections) -> None:
    if not _is_mapping(section, node, sections.findings):
        return
    target: dict[str, Any] = getattr(sections, section)
    for name, entry in node.entries.items():
        if not name or any(letter.isspace() or letter in "/:$" for letter in name):
            sections.findings.add(entry.where, (section, name), "not a usable name", "letters, digits, . - and _")
        value = validate(Reading(shape), entry.node, (section, name), sections.findings)
        if value is not None:
            target[name] = value


def _read_kinds(section: str, node: Node, sections: Sections) -> None:
    if not _is_mapping(section, node, sections.findings):
        return
    for name, entry in node.entries.items():
        if section == "chains":
            _read_chain(name, entry, sections)
        else:
            _read_rail(name, entry, sections)


def _read_chain(name: str, entry: Entry, sections: Sections) -> None:
    path = ("chains", name)
    kind_node = entry.node.get("kind")
    kind = str(kind_node.value) if kind_node else ""
    if kind not in CHAINS:
        if kind_node is None:
            sections.refuse((*path, "kind"), "missing", listed(CHAINS), "add kind: …")
        else:
            sections.refuse_name((*path, "kind"), "kind of chain", kind, list(CHAINS))
        return
    if "name" in entry.node.entries:
        sections.refuse((*path, "name"), "unknown key", "", f'the name is the key above it: "{name}"')
    value = validate(Reading(CHAINS[kind].settings, given={"name": name}), entry.node, path, sections.findings)
    if value is not None:
        sections.chains[name] = value


def _read_rail(name: str, entry: Entry, sections: Sections) -> None:
    if name not in RAILS:
        sections.refuse_name(("rails", name), "rail", name, list(RAILS))
        return
    ids = _ids(sections.tree)
    reading = Reading(RAILS[name].settings, called=ids)
    value = validate(reading, _with_ids(entry.node, ids), ("rails", name), sections.findings)
    if value is not None:
        sections.rails[name] = value


def _ids(tree: Node) -> dict[str, str]:
    """CAIP ids by the names of chains, native coins and tokens, so that rails may be configured with either."""
    found: dict[str, str] = {}
    chains = tree.get("chains")
    for name in chains.entries if chains else ():
        id_, asset, coin = (_text_at(tree, "chains", name, *path) for path in (("id",), ("native", "asset"), ("native", "slip44")))
        found[name] = id_
        if asset:
            found[f"{name}.{asset}"] = f"{id_}/slip44:{coin}"
    tokens = tree.get("tokens")
    found.update({name: _text_at(tree, "tokens", name, "id") for name in (tokens.entries if tokens else ())})
    return {name: id_ for name, id_ in found.items() if id_}


def _text_at(tree: Node, *path: str) -> str:
    node = tree.get(*path)
    return node.value if node is not None and isinstance(node.value, str) else ""


def _with_ids(node: Node, ids: Mapping[str, str]) -> Node:
    if isinstance(node.value, dict):
        entries: dict[str, Entry] = {}
        for key, entry in node.value.items():
            id_ = ids.get(key, key)
            free = id_ not in node.value  # both spellings of one chain: leave the name as it is, so that it is refused
            entries[id_ if free else key] = replace(entry, node=_with_ids(entry.node, ids))
        return replace(node, value=entries)
    if isinstance(node.value, list):
        return replace(node, value=[_with_ids(item, ids) for item in node.value])
    return replace(node, value=ids.get(node.value, node.value)) if isinstance(node.value, str) else node
