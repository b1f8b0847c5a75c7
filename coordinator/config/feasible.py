"""Whether the targets can be met: names that lead somewhere, sums that leave room, floors below caps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from chains.tokens import Amount, Token
from coordinator.config.model import TargetsModel, UnitsModel
from coordinator.config.quantities import Refused, decimal, show_share
from coordinator.config.sections import Sections

_ONE = Fraction(1)


def check_targets(sections: Sections) -> None:
    """Add a finding for every target that leads nowhere or cannot be met together with the others."""
    _target_names(sections)
    if sections.targets is not None:
        _sums(sections, sections.targets)
        _units(sections, sections.targets)


def tokens_by_name(sections: Sections) -> dict[str, Token]:
    """Every token under the name people call it: those of the file, then the native coin of every chain that the file does not list."""
    found = {name: Token(model.id, model.asset, model.decimals) for name, model in sections.tokens.items()}
    ids = {token.id for token in found.values()}
    for name, chain in sections.chains.items():
        coin = chain.native_token
        if coin.id not in ids:
            found.setdefault(f"{name}.{coin.asset}", coin)
    return found


def _target_names(sections: Sections) -> None:
    tree = sections.tree.get("targets")
    held = {token.asset for token in tokens_by_name(sections).values()}
    whole = len(sections.tokens) == len(sections.names("tokens")) and len(sections.chains) == len(sections.names("chains"))
    for kind, section in (("asset", "assets"), ("chain", "chains")):
        node = tree.get(section) if tree else None
        for name in node.entries if node else ():
            if name not in sections.names(section):
                sections.refuse_name(("targets", section, name), kind, name, sections.names(section))
            elif kind == "asset" and whole and name not in held:
                mend = f"add it to tokens with asset: {name}"
                sections.refuse(("targets", section, name), f"no token of {name} is configured", "an asset that some chain holds", mend)
    node = tree.get("tokens") if tree else None
    known = sorted({*sections.names("tokens"), *_native_names(sections)})
    ids = {str(token.id) for token in tokens_by_name(sections).values()}
    for name in node.entries if node else ():
        if name not in known and name not in ids:
            sections.refuse_name(("targets", "tokens", name), "token", name, known)


def _native_names(sections: Sections) -> Iterator[str]:
    """As the file says, whether or not the chain could be read."""
    for name in sections.names("chains"):
        asset = sections.tree.get("chains", name, "native", "asset")
        if asset is not None:
            yield f"{name}.{asset.value}"


def _sums(sections: Sections, targets: TargetsModel) -> None:
    path = ("targets", "assets")
    ideal = sum((band.target for band in targets.assets.values()), Fraction(0))
    complete = set(sections.names("assets")) <= set(targets.assets)
    low = sum((band.lowest for band in targets.assets.values()), Fraction(0))
    high = sum((band.highest for band in targets.assets.values()), Fraction(0))
    if low > 1:
        sections.refuse(path, f"the low edges of the bands add up to {show_share(low)}", "100% or less")
    elif complete and high < 1:
        sections.refuse(path, f"the high edges of the bands add up to {show_share(high)}", "100% or more, as every asset has one")
    elif complete and ideal != 1:
        sections.refuse(path, f"the targets add up to {show_share(ideal)}", "100% together")
    elif ideal > 1:
        sections.refuse(path, f"the targets add up to {show_share(ideal)}", "100% or less while some assets have none")
    _chain_sums(sections, targets)


def _chain_sums(sections: Sections, targets: TargetsModel) -> None:
    chains = list(targets.chains.values())
    low = sum((band.low or Fraction(0) for band in chains), Fraction(0))
    high = sum((_ONE if band.high is None else band.high for band in chains), Fraction(0))
    path = ("targets", "chains")
    if low > 1:
        sections.refuse(path, f"the lows add up to {show_share(low)}", "100% or less")
    if chains and set(sections.names("chains")) <= set(targets.chains) and high < 1:
        sections.refuse(path, f"the highs add up to {show_share(high)}", "100% or more, as every chain has one")


def units_of(token: Token, text: str) -> int:
    """Whole tokens as text, with or without the asset behind it ("1_000 USDC"), in base units. Raises Refused."""
    number, _, unit = text.strip().partition(" ")
    if unit and unit.strip() != token.asset:
        raise Refused(f'found "{text}"', f"an amount of {token.asset}", f"write {number} {token.asset}")
    decimal(number)
    try:
        return Amount.parse(token, number).units
    except ValueError as problem:
        raise Refused(str(problem), f"at most {token.decimals} decimals") from None


def limits_of(targets: TargetsModel, names: Mapping[str, Token]) -> Iterator[tuple[str, Token, UnitsModel]]:
    """The unit limits with their tokens, by name or id; unknown names are left out."""
    by_id = {str(token.id): token for token in names.values()}
    for name, limits in targets.tokens.items():
        token = names.get(name) or by_id.get(name)
        if token is not None:
            yield name, token, limits


def _units(sections: Sections, targets: TargetsModel) -> None:
    for name, token, limits in limits_of(targets, tokens_by_name(sections)):
        path = ("targets", "tokens", name)
        if limits.floor is None and limits.cap is None:
            sections.refuse(path, "says nothing", "floor, cap or both")
        floor = _edge(sections, (*path, "floor"), token, limits.floor)
        cap = _edge(sections, (*path, "cap"), token, limits.cap)
        if cap is None:
            continue
        if floor is not None and floor > cap:
            sections.refuse(path, f"floor {limits.floor} is above cap {limits.cap}", "floor <= cap")
        chain = next((chain for chain in sections.chains.values() if chain.native_token.id == token.id), None)
        if chain is not None and cap < chain.gas_floor_amount.units:
            sections.refuse((*path, "cap"), f"cap {limits.cap} is below the chain's gas_floor {chain.gas_floor}", "gas_floor <= cap")


def _edge(sections: Sections, path: tuple[str, ...], token: Token, text: str | None) -> int | None:
    """In base units; None when it is not given or not an amount of the token."""
    if text is None:
        return None
    try:
        return units_of(token, text)
    except Refused as problem:
        sections.refuse(path, problem.found, problem.allowed, problem.mend)
        return None
