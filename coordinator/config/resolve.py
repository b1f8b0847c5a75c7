"""From sections that fit together to the treasury: names become ids, texts become exact numbers, paths become absolute."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from platformdirs import user_state_path
from pydantic import BaseModel

from chains.ids import AccountId, ChainId, TokenId
from chains.keys import KeyReference
from chains.tokens import Token
from coordinator.config.feasible import limits_of, tokens_by_name, units_of
from coordinator.config.model import (
    AssetModel,
    ChainlinkModel,
    LimitsModel,
    ManualModel,
    PlanModel,
    PythModel,
    SourceModel,
    TargetsModel,
    TriggersModel,
)
from coordinator.config.sections import Sections
from coordinator.config.treasury import Envelope, Limits, PlanTerms, SignerPlace, Treasury
from coordinator.config.tree import Node
from coordinator.config.tuning import guarded
from coordinator.prices.base import Chainlink, Manual, Peg, PriceRule, Pyth, Source
from policies.base import Band, Targets, Trigger, UnitBand
from policies.drift import AnyTrigger
from policies.registry import POLICIES, drift_trigger, interval_trigger

if TYPE_CHECKING:
    from policies.tuning import Tuning


def resolve(sections: Sections, file: Path) -> Treasury:
    """The treasury. Only called when `checks` found nothing."""
    targets_model = cast(TargetsModel, sections.targets)
    names = tokens_by_name(sections)
    ids = {name: chain.id for name, chain in sections.chains.items()}
    targets = _targets(sections, targets_model, names)
    tuning = sections.tuning.tuning() if sections.tuning else None
    return Treasury(
        name=sections.name,
        file=file,
        database=_database(sections, file),
        chains={chain.id: chain for chain in sections.chains.values()},
        accounts={ids[name]: AccountId(ids[name], sections.accounts[name].address) for name in ids},
        keys=_keys(sections, ids, file.parent),
        assets={name: _rule(name, model, ids) for name, model in sections.assets.items()},
        tokens={token.id: token for token in names.values()},
        names={token.id: name for name, token in names.items()},
        forms=_forms(sections, names),
        rails=dict(sections.rails),
        targets=targets,
        policy=guarded(POLICIES[sections.policy](targets, tuning), sections.breakers),
        trigger=_trigger(cast(TriggersModel, sections.triggers), tuning),
        limits=_limits(cast(LimitsModel, sections.limits)),
        plan=_terms(cast(PlanModel, sections.plan)),
        config_hash=config_hash(sections.tree),
        signer=_signer(sections, file),
    )


def config_hash(tree: Node) -> str:
    """sha256 (hex) of the content as canonical JSON: sorted keys, without `state`, URLs cut down to scheme and host."""
    content = {name: _canonical(entry.node) for name, entry in tree.entries.items() if name != "state"}
    return sha256(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()).hexdigest()


def _canonical(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: _canonical(entry.node) for key, entry in node.value.items()}
    if isinstance(node.value, list):
        return [_canonical(item) for item in node.value]
    if isinstance(node.value, str) and "://" in node.value:
        parts = urlsplit(node.value)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"  # a provider's access key may be changed without a new plan
    return node.value


def _database(sections: Sections, file: Path) -> Path:
    if sections.state.database is not None:
        return (file.parent / Path(sections.state.database).expanduser()).absolute()
    return user_state_path("coordinator") / sections.name / "journal.sqlite"


def _signer(sections: Sections, file: Path) -> SignerPlace:
    model, folder = sections.signer, file.parent
    beside = _database(sections, file).with_name("signer-policy.json")
    return SignerPlace(
        process=model.kind == "process",
        policy=(folder / Path(model.policy).expanduser()).absolute() if model.policy is not None else beside,
        socket=(folder / Path(model.socket).expanduser()).absolute() if model.socket is not None else None,
        price_tolerance=model.price_tolerance,
        message_fee=model.message_fee,
    )


def _keys(sections: Sections, ids: Mapping[str, ChainId], folder: Path) -> dict[ChainId, KeyReference]:
    found = {ids[name]: sections.accounts[name].key for name in ids}
    return {chain: _absolute(key, folder) for chain, key in found.items() if key is not None}


def _absolute(key: KeyReference, folder: Path) -> KeyReference:
    """Paths of key files are relative to the configuration, not to where the command runs."""
    model = cast(BaseModel, key)
    paths = {name: folder / value.expanduser() for name, value in model if isinstance(value, Path)}
    return cast(KeyReference, model.model_copy(update={name: path.absolute() for name, path in paths.items()}))


def _rule(name: str, model: AssetModel, ids: Mapping[str, ChainId]) -> PriceRule:
    return PriceRule(
        asset=name,
        sources=tuple(_source(source, ids, model.max_age) for source in model.prices),
        need=model.need or len(model.prices),
        combine=model.combine,
        max_age=max([model.max_age, *(getattr(source, "max_age", None) or 0 for source in model.prices)]),
        max_deviation=model.max_deviation,
        peg=Peg(model.peg.value, model.peg.tolerance) if model.peg else None,
    )


def _source(model: SourceModel, ids: Mapping[str, ChainId], max_age: int) -> Source:
    match model:
        case ChainlinkModel():
            return Chainlink(ids[model.chain], model.feed, model.max_age or max_age)
        case PythModel():
            return Pyth(model.url, model.feed, model.max_age or max_age, model.max_conf)
        case ManualModel():
            return Manual(model.value, model.until)


def _forms(sections: Sections, names: Mapping[str, Token]) -> dict[TokenId, str]:
    told = {names[name].id: model.form for name, model in sections.tokens.items() if model.form}
    return {token.id: "native" for token in names.values() if token.id.is_native} | told


def _targets(sections: Sections, model: TargetsModel, names: Mapping[str, Token]) -> Targets:
    """Bands by asset and chain; units by token, where a native coin's gas floor counts as its least."""
    chains = {name: chain.id for name, chain in sections.chains.items()}
    floors = {c.native_token.id: c.gas_floor_amount.units for c in sections.chains.values()}
    tokens = {token: UnitBand(floor, None) for token, floor in floors.items() if floor}
    for _, token, limits in limits_of(model, names):
        floor = units_of(token, limits.floor) if limits.floor is not None else None
        gas = floors.get(token.id) or None
        low = max([edge for edge in (floor, gas) if edge is not None], default=None)
        tokens[token.id] = UnitBand(low, units_of(token, limits.cap) if limits.cap is not None else None)
    return Targets(
        assets={name: Band(band.lowest, band.target, band.highest) for name, band in model.assets.items()},
        chains={chains[name]: Band(band.low, None, band.high) for name, band in model.chains.items()},
        tokens=tokens,
    )


def _trigger(model: TriggersModel, tuning: Tuning | None) -> Trigger:
    triggers: list[Trigger] = []
    if model.drift is not None:
        triggers.append(drift_trigger(model.drift.beyond))
    if model.interval is not None:
        triggers.append(interval_trigger(model.interval))
    if model.cron is not None:
        triggers.append(model.cron.trigger())
    return model.gates.gated(triggers[0] if len(triggers) == 1 else AnyTrigger(tuple(triggers)), tuning)


def _limits(model: LimitsModel) -> Limits:
    return Limits(model.per_leg, model.per_turn, model.per_day, model.cost, model.slippage)


def _terms(model: PlanModel) -> PlanTerms:
    envelope = Envelope(model.envelope.cost, model.envelope.price_move, model.envelope.balance_move)
    return PlanTerms(model.ttl, model.start_within, envelope)
