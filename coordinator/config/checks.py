"""What only the whole configuration shows: names that lead nowhere, sums that cannot be met, tokens that look alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from fractions import Fraction

from pydantic import BaseModel

from chains.ids import EVM, SOLANA, AccountId, ChainId, InvalidId, TokenId, check_address
from chains.tokens import Amount, Token
from coordinator.config.errors import listed
from coordinator.config.model import AccountModel, ChainlinkModel, TargetsModel, UnitsModel
from coordinator.config.quantities import Refused, decimal, show_share, show_usd
from coordinator.config.sections import Sections
from policies.registry import POLICIES

_ONE = Fraction(1)


def check(sections: Sections) -> None:
    """Add a finding for everything that does not fit together. Entries that could not be read count as present, by name."""
    _chains(sections)
    _accounts(sections)
    _assets(sections)
    _tokens(sections)
    _look_alikes(sections)
    if sections.policy not in POLICIES:
        sections.refuse_name(("policy",), "policy", sections.policy, list(POLICIES))
    _target_names(sections)
    if sections.targets is not None:
        _sums(sections, sections.targets)
        _units(sections, sections.targets)
    _rails(sections)
    _envelope(sections)


def tokens_by_name(sections: Sections) -> dict[str, Token]:
    """Every token under the name people call it: those of the file, then the native coin of every chain that the file does not list."""
    found = {name: Token(model.id, model.asset, model.decimals) for name, model in sections.tokens.items()}
    ids = {token.id for token in found.values()}
    for name, chain in sections.chains.items():
        coin = chain.native_token
        if coin.id not in ids:
            found.setdefault(f"{name}.{coin.asset}", coin)
    return found


def _chains(sections: Sections) -> None:
    first: dict[ChainId, str] = {}
    for name, chain in sections.chains.items():
        if chain.id in first:
            sections.refuse(("chains", name, "id"), f"{chain.id} is also the id of {first[chain.id]}", "one entry a chain")
        first.setdefault(chain.id, name)
        if chain.native.asset not in sections.names("assets"):
            sections.refuse_name(("chains", name, "native", "asset"), "asset", chain.native.asset, sections.names("assets"))


def _accounts(sections: Sections) -> None:
    chains = sections.names("chains")
    accounts = sections.tree.get("accounts")
    if accounts is None or not isinstance(accounts.value, dict):
        return  # a finding already
    for name in sections.names("accounts"):
        if name not in chains:
            sections.refuse_name(("accounts", name), "chain", name, chains)
    for name in chains:
        if name not in sections.names("accounts"):
            sections.refuse(("accounts",), f"no account on {name}", "one account for every chain", f"add {name}: {{address: …, key: …}}")
    for name, model in sections.accounts.items():
        chain = sections.chains.get(name)
        if chain is not None:
            try:
                AccountId(chain.id, model.address)
            except InvalidId as problem:
                sections.refuse(("accounts", name, "address"), str(problem))
            _key_kind(sections, name, chain.id, model)


def _key_kind(sections: Sections, name: str, chain: ChainId, model: AccountModel) -> None:
    wanted = {EVM: "keystore", SOLANA: "keypair"}.get(chain.namespace)
    if model.key is not None and wanted is not None and getattr(model.key, wanted) is None:
        allowed = "keystore and password_file" if wanted == "keystore" else "keypair"
        sections.refuse(("accounts", name, "key"), f"the wrong kind of key for {chain}", allowed)


def _assets(sections: Sections) -> None:
    for name, asset in sections.assets.items():
        for index, source in enumerate(asset.prices):
            if isinstance(source, ChainlinkModel):
                _feed(sections, ("assets", name, "prices", str(index)), source)


def _feed(sections: Sections, path: tuple[str, ...], source: ChainlinkModel) -> None:
    if source.chain not in sections.names("chains"):
        sections.refuse_name((*path, "chain"), "chain", source.chain, sections.names("chains"))
        return
    chain = sections.chains.get(source.chain)
    if chain is None:
        return
    if chain.id.namespace != EVM:
        sections.refuse((*path, "chain"), f"{source.chain} is no EVM chain", "a chain with Chainlink aggregators")
        return
    try:
        check_address(chain.id, source.feed)
    except InvalidId as problem:
        sections.refuse((*path, "feed"), str(problem))


def _tokens(sections: Sections) -> None:
    natives = {chain.native_token.id: chain.native_token for chain in sections.chains.values()}
    names = {f"{name}.{chain.native.asset}": chain.native_token.id for name, chain in sections.chains.items()}
    chains = {chain.id for chain in sections.chains.values()}
    first: dict[TokenId, str] = {}
    for name, token in sections.tokens.items():
        path = ("tokens", name)
        if token.asset not in sections.names("assets"):
            sections.refuse_name((*path, "asset"), "asset", token.asset, sections.names("assets"))
        if token.id.chain not in chains and len(sections.chains) == len(sections.names("chains")):
            known = ", ".join(f"{chain.id} ({name})" for name, chain in sections.chains.items())
            sections.refuse((*path, "id"), f"{token.id.chain} is no configured chain", known)
        if token.id in first:
            sections.refuse((*path, "id"), f"the same token as {first[token.id]}", "one entry a token", "remove one")
        first.setdefault(token.id, name)
        coin = natives.get(token.id)
        if coin is not None and (coin.asset, coin.decimals) != (token.asset, token.decimals):
            allowed = f"{coin.asset} with {coin.decimals} decimals, as the chain's native says"
            sections.refuse(path, f"found {token.asset} with {token.decimals} decimals", allowed)
        elif coin is None and token.id.is_native and token.id.chain in chains:
            sections.refuse((*path, "id"), f"{token.id} is not the chain's native coin", "the slip44 number of the chain's native")
        if names.get(name, token.id) != token.id:
            sections.refuse(path, f"{name} is how the chain's native coin is called", "another name", f"rename it, as in {name}-wrapped")


def _look_alikes(sections: Sections) -> None:
    """Two tokens of one asset on one chain (native and bridged USDC, ETH and WETH) must say which is which."""
    groups: dict[tuple[ChainId, str], dict[str, str | None]] = defaultdict(dict)
    unique = {token.id: (name, token) for name, token in tokens_by_name(sections).items()}
    for name, token in unique.values():
        model = sections.tokens.get(name)
        form = model.form if model else None
        groups[token.chain, token.asset][name] = form or ("native" if token.id.is_native else None)
    for (chain, asset), forms in groups.items():
        for name, form in forms.items():
            others = [other for other in forms if other != name]
            if form is None and others:
                found = f"{asset} is listed twice on {chain} ({', '.join(sorted(forms))}) and this one has no form"
                sections.refuse(("tokens", name), found, "a form that tells them apart", "add form: native, wrapped or bridged")
            elif form in [forms[other] for other in others] and name in sections.tokens:
                sections.refuse(("tokens", name), f'form "{form}" of {asset} is listed twice on {chain}', "a different form each")


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
        edges: dict[str, int] = {}
        for edge, text in (("floor", limits.floor), ("cap", limits.cap)):
            try:
                if text is not None:
                    edges[edge] = units_of(token, text)
            except Refused as problem:
                sections.refuse((*path, edge), problem.found, problem.allowed, problem.mend)
        if limits.floor is None and limits.cap is None:
            sections.refuse(path, "says nothing", "floor, cap or both")
        if "cap" in edges and edges.get("floor", 0) > edges["cap"]:
            sections.refuse(path, f"floor {limits.floor} is above cap {limits.cap}", "floor <= cap")
        chain = next((chain for chain in sections.chains.values() if chain.native_token.id == token.id), None)
        if chain is not None and edges.get("cap", chain.gas_floor_amount.units) < chain.gas_floor_amount.units:
            sections.refuse((*path, "cap"), f"cap {limits.cap} is below the chain's gas_floor {chain.gas_floor}", "gas_floor <= cap")


def _rails(sections: Sections) -> None:
    if len(sections.tokens) < len(sections.names("tokens")) or len(sections.chains) < len(sections.names("chains")):
        return  # what they name may be among the entries that could not be read
    names = tokens_by_name(sections)
    tokens = {token.id for token in names.values()}
    chains = {chain.id: name for name, chain in sections.chains.items()}
    for name, settings in sections.rails.items():
        for path, found in _ids_in(settings, ("rails", name)):
            if isinstance(found, TokenId) and found not in tokens:
                sections.refuse(path, f"{found} is no token of this treasury", listed(names), "add it to tokens")
            elif isinstance(found, ChainId) and found not in chains:
                sections.refuse(path, f"{found} is no chain of this treasury", listed(chains.values()), "add it to chains")


def _ids_in(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every chain and token id in a settings object, with where it stands."""
    if isinstance(value, ChainId | TokenId):
        yield path, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _ids_in(getattr(value, name), (*path, name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _ids_in(key, (*path, str(key)))
            yield from _ids_in(inner, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _ids_in(inner, (*path, str(index)))


def _envelope(sections: Sections) -> None:
    if sections.plan and sections.limits and sections.plan.envelope.cost > sections.limits.cost:
        found = f"{show_usd(sections.plan.envelope.cost)} is above limits.cost {show_usd(sections.limits.cost)}"
        sections.refuse(("plan", "envelope", "cost"), found, "at most limits.cost")
