"""What only the whole configuration shows: names that lead nowhere, sums that cannot be met, tokens that look alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from chains.ids import EVM, SOLANA, AccountId, ChainId, InvalidId, TokenId, check_address
from coordinator.config.errors import listed
from coordinator.config.feasible import check_targets, tokens_by_name
from coordinator.config.model import AccountModel, ChainlinkModel
from coordinator.config.quantities import show_usd
from coordinator.config.sections import Sections
from policies.registry import POLICIES, TUNED

_NOBODY = {"0x" + "0" * 40, "1" * 32}  # the zero address, and Solana's system program (32 zero bytes)


def check(sections: Sections) -> None:
    """Add a finding for everything that does not fit together. Entries that could not be read count as present, by name."""
    _chains(sections)
    _accounts(sections)
    _assets(sections)
    _tokens(sections)
    _look_alikes(sections)
    if sections.policy not in POLICIES:
        sections.refuse_name(("policy",), "policy", sections.policy, list(POLICIES))
    _tuning(sections)
    check_targets(sections)
    _rails(sections)
    _envelope(sections)


def _tuning(sections: Sections) -> None:
    """What a policy or a gate reckons with is there, and names assets that are."""
    tuning, triggers = sections.tuning, sections.triggers
    gate = triggers is not None and (triggers.gates.worth_over or triggers.gates.optimal_over) is not None
    if (sections.policy in TUNED or gate) and sections.tree.get("tuning") is None:
        who = f"policy {sections.policy}" if sections.policy in TUNED else "the gate worth_over or optimal_over"
        sections.refuse(("policy",), f"{who} needs an estimate of risk", "a section tuning", "add tuning: {risk: …, costs: …}")
    known = sections.names("assets")
    for path, names in tuning.assets().items() if tuning else ():
        for name in names:
            if name not in known:
                sections.refuse_name(("tuning", *path), "asset", name, known)
    if tuning is not None and tuning.risk is None and (sections.policy in TUNED or gate):
        sections.refuse(("tuning",), "no risk", "risk: {volatility: {ETH: 80%, …}} or risk: {halflife: 10d}")
    for name, breaker in sections.breakers.items():
        for asset in sorted({*breaker.assets, *breaker.pegs, *breaker.refuges} - set(known)):
            sections.refuse_name(("breakers", name), "asset", asset, known)


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
            if model.address in _NOBODY:
                sections.refuse(("accounts", name, "address"), f"{model.address} is nobody's account", "an address whose key you hold")
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
