"""`doctor`: everything a plan will need, looked at one by one; each finding carries its remedy."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rich.console import Console
from rich.text import Text

from chains.base import Unknown
from chains.errors import Fault
from chains.ids import ChainId
from chains.tokens import Amount
from coordinator.app import App
from coordinator.commands.session import Session
from coordinator.exits import Exit
from coordinator.journal.store import verify
from coordinator.prices import observe
from coordinator.turn import open_sagas, tokens_on

STALE_HEAD = 3600  # seconds; slower finality than this stops any chain that is configured today
LOW_DISK = 200 * 2**20


@dataclass(frozen=True, slots=True)
class Finding:
    """`level`: ok, warn (works, but look) or fail (a plan would be refused)."""

    level: Literal["ok", "warn", "fail"]
    subject: str
    found: str
    fix: str = ""


async def doctor(session: Session) -> Exit:
    async with session.app() as app:
        chains = await asyncio.gather(*(_chain(app, chain) for chain in app.chains))
        findings = [*(f for found in chains for f in found), *_rails(app), *_keys(app), *await _prices(app), *_journal(app)]
    view = {"schema": "coordinator/doctor@1", "findings": [asdict(finding) for finding in findings]}
    session.out.data(view, _draw)
    return Exit.ERROR if any(finding.level == "fail" for finding in findings) else Exit.OK


async def _chain(app: App, chain: ChainId) -> list[Finding]:
    name = app.treasury.chains[chain].name
    try:
        head = await app.chains[chain].head()
    except Fault as fault:
        return [Finding("fail", name, str(fault), f"check chains.{name}.endpoints, or ask the operator of the endpoint")]
    behind = app.clock.now() - head.time
    age = Finding("ok", name, f"{chain}, finalized {head.number}, {behind} s old")
    if behind > STALE_HEAD:
        age = Finding(
            "fail", name, f"finalized {head.number} is {behind} s old", "the chain or the endpoint stands still: wait, or add an endpoint"
        )
    if behind < -30:
        age = Finding(
            "warn", name, f"its clock is {-behind} s ahead of this machine's", "set this machine's clock (timedatectl set-ntp true)"
        )
    return [age, *await _tokens(app, chain), *await _gas(app, chain)]


async def _tokens(app: App, chain: ChainId) -> list[Finding]:
    found = []
    for token in tokens_on(app, chain):
        name = app.treasury.names[token.id]
        if token.id.is_native:
            continue
        try:
            decimals = await app.chains[chain].decimals(token.id)
        except Fault as fault:
            found.append(Finding("fail", name, str(fault), f"check tokens.{name}.id"))
            continue
        if decimals != token.decimals:
            fix = f"check that the id is the token you mean, then write decimals: {decimals}"
            found.append(Finding("fail", name, f"{token.decimals} decimals configured, the chain says {decimals}", fix))
    return found or [Finding("ok", app.treasury.chains[chain].name, "every token exists with the configured decimals")]


async def _gas(app: App, chain: ChainId) -> list[Finding]:
    name, native = app.treasury.chains[chain].name, app.treasury.native(chain)
    account = app.treasury.accounts[chain]
    try:
        held = (await app.chains[chain].snapshot([account], [native])).holdings[(account, native.id)]
    except Fault as fault:
        held = Unknown(str(fault))
    floor = Amount(native, app.treasury.gas_floor(chain))
    if isinstance(held, Unknown):
        return [Finding("fail", name, f"gas balance unknown: {held.reason}", f"check chains.{name}.endpoints")]
    if held < floor.units:
        return [
            Finding("fail", name, f"{Amount(native, held)} for fees, the floor is {floor}", f"send {native.asset} to {account.address}")
        ]
    return [Finding("ok", name, f"{Amount(native, held)} for fees, the floor is {floor}")]


def _rails(app: App) -> Iterable[Finding]:
    """Built here for the first time: raises Misconfigured as a plan would."""
    for name, rail in app.rails.items():
        yield Finding("ok", name, f"{len(rail.lanes())} lanes")


def _keys(app: App) -> Iterable[Finding]:
    from chains.keys import load_signer

    if app.treasury.signer.process:  # keys are not for this process: the one that holds them is asked
        yield _signer(app)
        return
    for chain, account in app.treasury.accounts.items():
        name = app.treasury.chains[chain].name
        key = app.treasury.keys.get(chain)
        if key is None:
            yield Finding(
                "warn", name, "its account is watched: no key is configured", f"add accounts.{name}.key to apply plans that send from it"
            )
            continue
        try:
            load_signer(account, key)
        except Fault as fault:
            yield Finding("fail", name, str(fault), f"mend the file, or accounts.{name}")
        else:
            yield Finding("ok", name, f"the key of {account.address} opens")


def _signer(app: App) -> Finding:
    from coordinator.signer.child import attach

    try:
        attached = attach(app.treasury)
    except Fault as fault:
        return Finding("fail", "signer", str(fault), "mend what is said; the policy is written with: coordinator signer policy")
    attached.close()
    return Finding("ok", "signer", f"holds the keys of {len(attached.signers)} account(s), under {app.treasury.signer.policy}")


async def _prices(app: App) -> list[Finding]:
    prices = await observe(app.treasury.assets, app.chains, app.http, app.clock.now())
    good = [Finding("ok", asset, f"price from {', '.join(price.sources)}") for asset, price in prices.by_asset.items()]
    return good + [Finding("fail", asset, f"no price: {why}", f"check assets.{asset}.prices") for asset, why in prices.refused.items()]


def _journal(app: App) -> Iterable[Finding]:
    database = app.treasury.database
    problem = verify(app.journal)
    yield (
        Finding("fail", "journal", problem, f"stop; restore {database} from a backup and reconcile")
        if problem
        else Finding("ok", "journal", f"{database}: the chain of hashes holds")
    )
    free = shutil.disk_usage(database.parent).free
    if free < LOW_DISK:
        yield Finding("fail", "disk", f"{free // 2**20} MiB free at {database.parent}", "free some space: a full disk stops every plan")
    for saga in open_sagas(app):
        needs = [leg for leg in saga.legs.values() if leg.parked]
        if not needs:
            yield Finding("warn", saga.id, "is under way", "coordinator apply --resume")
        for leg in needs:
            name = leg.leg.id[:8]
            fix = f"look and mend, then: coordinator unpark {name} --reason …, and: coordinator apply --resume"
            yield Finding("fail", saga.id, f"leg {name} needs you: {leg.parked}", fix)


def _draw(view: dict[str, Any], console: Console) -> None:
    styles = {"ok": "green", "warn": "yellow", "fail": "bold red"}
    for row in view["findings"]:
        console.print(Text.assemble((f"{row['level']:5}", styles[row["level"]]), f"{row['subject']:12} {row['found']}"), soft_wrap=True)
        if row["fix"] and row["level"] != "ok":
            console.print(Text(f"      fix: {row['fix']}", style="bold"), soft_wrap=True)
    fails = sum(row["level"] == "fail" for row in view["findings"])
    warns = sum(row["level"] == "warn" for row in view["findings"])
    console.print(f"{fails} to mend, {warns} to look at" if fails or warns else "all is well")
