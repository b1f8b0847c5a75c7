"""Tables for people: status, plan, transfers, ledger."""

from __future__ import annotations

import re
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

BAR = 24


def table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def age(seconds: int | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} m" if seconds < 7200 else f"{seconds // 3600} h"


def money(text: str | None) -> str:
    if text is None:
        return "unknown"
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, cents = digits.partition(".")
    return f"{sign}${int(whole):,}.{cents or '00'}"


def bar(weight: str, low: str | None, high: str | None) -> Text:
    """The weight as a bar on 0..100 %, the band marked with |."""
    filled = round(float(weight) / 100 * BAR)
    cells = ["█" if i < filled else "·" for i in range(BAR)]
    for edge in (low, high):
        if edge is not None:
            cells[min(BAR - 1, int(float(edge) / 100 * BAR))] = "|"
    return Text("".join(cells))


_LONG = re.compile(r"(\d\.\d{6})\d+")


def short(amount: str) -> str:
    """An amount with at most six decimals; `…` says that there are more (all of them are in --json)."""
    return _LONG.sub(r"\1…", amount)


def limits(row: dict[str, Any]) -> str:
    low, high = row["low"], row["high"]
    return "-" if low is None and high is None else f"{low or '0'} – {high or '100'} %"


def drift(row: dict[str, Any]) -> Text:
    return Text(f"{float(row['drift']):+.2f} pp  OUT", style="bold red") if row["out"] else Text("in", style="green")


def status(view: dict[str, Any], console: Console) -> None:
    sync = Text("InSync", style="bold green") if view["in_sync"] else Text("OutOfSync", style="bold red")
    oldest = max((row["age_s"] for row in view["prices"]), default=None)
    console.print(Text.assemble((view["treasury"], "bold"), "  ", sync, f"  NAV {money(view['nav'])}  prices {age(oldest)} old"))
    weights = table("ASSET", "NOW", "", "BAND", "DRIFT", right=("NOW",))
    for row in view["assets"]:
        weights.add_row(row["name"], f"{row['weight']} %", bar(row["weight"], row["low"], row["high"]), limits(row), drift(row))
    console.print(weights)
    chains = table("CHAIN", "NOW", "", "RULE", "DRIFT", "SEEN", right=("NOW", "SEEN"))
    for row in view["chains"]:
        seen = f"{age(row['age_s'])} ago"
        chains.add_row(row["name"], f"{row['weight']} %", bar(row["weight"], row["low"], row["high"]), limits(row), drift(row), seen)
    console.print(chains)
    _holdings(view, console)
    _in_flight(view["in_flight"], console)
    for asset, why in view["prices_refused"].items():
        console.print(Text(f"no price for {asset}: {why}", style="bold red"))
    for gap in view["ledger"]:
        console.print(Text(f"ledger gap {gap['token']}: {gap['gap_units'] or 'unknown'} base units ({gap['why']})", style="yellow"))
    console.print(Text(f"triggers: {view['decision']['reason']}"))


def _holdings(view: dict[str, Any], console: Console) -> None:
    rows = table("HOLDING", "CHAIN", "AMOUNT", "VALUE", right=("AMOUNT", "VALUE"))
    for row in view["holdings"]:
        moving = "".join(f"  {sign}{row[key]}" for key, sign in (("leaving", "-"), ("arriving", "+")) if row[key] != "0")
        rows.add_row(row["name"], row["chain"], f"{short(row['amount'])}{moving}", money(row["usd"]))
    console.print(rows)


def _in_flight(legs: list[dict[str, Any]], console: Console) -> None:
    if not legs:
        console.print("in flight: nothing")
        return
    rows = table("IN FLIGHT", "FROM", "TO", "BY", "STATE", "WAITS FOR")
    for leg in legs:
        state = Text(leg["state"] + ("  NEEDS YOU" if leg["needs_you"] else ""), style="bold red" if leg["needs_you"] else "")
        rows.add_row(short(leg["gives"]), leg["source_chain"], leg["target_chain"], leg["rail"], state, leg["detail"])
    console.print(rows)


def plan(view: dict[str, Any], console: Console) -> None:
    console.print(Text.assemble(("Plan ", "bold"), view["id"][:12], f"  {view['treasury']}  NAV {money(view['nav'])}  {view['status']}"))
    if view["continues"]:
        console.print(f"takes up from {view['continues']}, some of whose legs did not happen (coordinator transfers)")
    legs = table("#", "LEG", "FROM", "TO", "GIVES", "TAKES", "AT LEAST", "COST", "ETA", "AFTER", right=("COST", "ETA"))
    for row in view["legs"]:
        after = ", ".join(map(str, row["after"])) or "-"
        name = f"{row['kind']} {row['rail']}"
        ends = (row["source_chain"], row["target_chain"], short(row["gives"]), short(row["takes"]), short(row["least"]))
        legs.add_row(str(row["number"]), name, *ends, money(row["cost"]), age(row["eta_s"]), after)
    console.print(legs if view["legs"] else "no legs: nothing to do")
    shifts = table("", "BEFORE", "AFTER", "BAND", "", right=("BEFORE", "AFTER"))
    for row in [*view["assets"], *view["chains"]]:
        verdict = Text("OUT", style="bold red") if row["out_after"] else Text("ok", style="green")
        shifts.add_row(row["name"], f"{row['before']} %", f"{row['after']} %", limits(row), verdict)
    console.print(shifts)
    proof = "proven: no plan has fewer" if view["hops"] == view["hops_bound"] else f"proven lower bound {view['hops_bound']}"
    cost = view["cost"]
    parts = f"network {money(cost['network'])}, bridges {money(cost['bridge'])}, slippage {money(cost['slippage'])}"
    console.print(f"hops   {view['hops']} ({proof})")
    console.print(f"cost   {money(cost['total'])} expected: {parts}")
    for row in view["legs"]:
        console.print(Text(f"if leg {row['number']} stops: {short(row['if_it_stops'])}", style="dim"))
    for row in view["unmet"]:
        console.print(Text(f"not met: {row['target']} stays {money(row['short'])} short: {row['why']}", style="bold yellow"))


def transfers(view: dict[str, Any], console: Console) -> None:
    rows = table("SAGA", "LEG", "FROM", "TO", "GAVE", "TOOK", "STATE", "TIME", "DETAIL", right=("TIME",))
    for row in view["transfers"]:
        name = f"{row['kind']} {row['rail']}"
        state = Text(row["state"] + ("  NEEDS YOU" if row["needs_you"] else ""), style="bold red" if row["needs_you"] else "")
        route = (row["source_chain"], row["target_chain"], short(row["gives"]), short(row["takes"] or "-"))
        rows.add_row(row["saga"], name, *route, state, age(row["seconds"]), row["detail"])
    console.print(rows if view["transfers"] else "no transfers yet")


def ledger(view: dict[str, Any], console: Console) -> None:
    rows = table("ACCOUNT", "TOKEN", "BALANCE", right=("BALANCE",))
    for row in view["balances"]:
        rows.add_row(row["account"], row["token"], short(row["amount"] or f"{row['units']} base units"))
    console.print(rows)
    entries = table("ENTRY", "WHAT", "MOVES")
    for entry in view["entries"]:
        moves = "\n".join(f"{short(p['amount'] or p['units'])} {p['token']}  {p['account']}" for p in entry["postings"])
        entries.add_row(entry["kind"], entry["memo"], moves)
    console.print(entries)
