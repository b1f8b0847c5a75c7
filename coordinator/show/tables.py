"""Tables for people: status, plan, transfers, ledger."""

from __future__ import annotations

import re
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

BAR = 18


def table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    made = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold", vertical="top")
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


def bar(weight: str | None, low: str | None, high: str | None) -> Text:
    """The weight as a bar on 0..100 %, the band marked with |."""
    filled = round(float(weight or 0) / 100 * BAR)
    cells = ["█" if i < filled else "·" for i in range(BAR)]
    for edge in (low, high):
        if edge is not None:
            cells[min(BAR - 1, int(float(edge) / 100 * BAR))] = "|"
    return Text("".join(cells), no_wrap=True)


_LONG = re.compile(r"(\d,\d{3}\.\d\d|(?<![\d,])\d{1,3}\.\d{6})\d+")


def short(amount: str) -> str:
    """An amount with at most six decimals, from a thousand on two; `…` says that there are more (all of them are in --json)."""
    return _LONG.sub(r"\1…", amount)


def grouped(whole: str) -> str:
    """Whole tokens as views write them, with separators, shortened: `1234567.5` is `1,234,567.5`."""
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    integer, point, rest = digits.partition(".")
    return short(f"{sign}{int(integer):,}{point}{rest}")


def account(name: str) -> str:
    """A ledger account, its long ids cut in the middle (whole in --json); the token beside it says on which chain it is."""
    kind, _, rest = name.partition(":")
    id_ = rest.rpartition(":")[2]
    return f"{kind} {id_[:6]}…{id_[-4:]}" if kind in {"wallet", "transit"} else name


def limits(row: dict[str, Any]) -> str:
    low, high = row["low"], row["high"]
    return "-" if low is None and high is None else f"{low or '0'} – {high or '100'} %"


def drift(row: dict[str, Any]) -> Text:
    if row["out"] is None:
        return Text("unknown", style="yellow")
    return Text(f"{float(row['drift']):+.2f} pp  OUT", style="bold red") if row["out"] else Text("in", style="green")


def percent(weight: str | None) -> str:
    return "?" if weight is None else f"{weight} %"


def status(view: dict[str, Any], console: Console) -> None:
    known = {True: Text("InSync", style="bold green"), False: Text("OutOfSync", style="bold red")}
    sync = known.get(view["in_sync"], Text("Unknown", style="bold yellow"))
    oldest = max((row["age_s"] for row in view["prices"]), default=None)
    console.print(Text.assemble((view["treasury"], "bold"), "  ", sync, f"  NAV {money(view['nav'])}  prices {age(oldest)} old"))
    weights = table("ASSET", "NOW", "", "BAND", "DRIFT", right=("NOW",))
    for row in view["assets"]:
        weights.add_row(row["name"], percent(row["weight"]), bar(row["weight"], row["low"], row["high"]), limits(row), drift(row))
    console.print(weights)
    chains = table("CHAIN", "NOW", "", "RULE", "DRIFT", "AGE", right=("NOW", "AGE"))
    for row in view["chains"]:
        seen = age(row["age_s"])
        chains.add_row(row["name"], percent(row["weight"]), bar(row["weight"], row["low"], row["high"]), limits(row), drift(row), seen)
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
        moving = "".join(f"  {sign}{grouped(row[key])}" for key, sign in (("leaving", "-"), ("arriving", "+")) if row[key] != "0")
        rows.add_row(row["name"], row["chain"], f"{grouped(row['amount'])}{moving}", money(row["usd"]))
    console.print(rows)


def _in_flight(legs: list[dict[str, Any]], console: Console) -> None:
    if not legs:
        console.print("in flight: nothing")
        return
    rows = table("IN FLIGHT", "LEG", "STATE", "WAITS FOR")
    for leg in legs:
        state = Text(leg["state"] + ("\nNEEDS YOU" if leg["needs_you"] else ""), style="bold red" if leg["needs_you"] else "")
        route = dict.fromkeys((leg["source_chain"], leg["target_chain"]))
        rows.add_row(short(leg["gives"]), f"{leg['rail']}\n{' -> '.join(route)}", state, leg["detail"])
    console.print(rows)


def plan(view: dict[str, Any], console: Console) -> None:
    console.print(Text.assemble(("Plan ", "bold"), view["id"][:12], f"  {view['treasury']}  NAV {money(view['nav'])}  {view['status']}"))
    if view["continues"]:
        console.print(f"takes up from {view['continues']}, some of whose legs did not happen (coordinator transfers)")
    idle = "no legs: nothing can be done" if view["unmet"] else "no legs: nothing to do"
    console.print(_legs(view["legs"]) if view["legs"] else idle)
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


def _legs(legs: list[dict[str, Any]]) -> Table:
    """Two lines a leg, so that whole amounts fit into 80 columns."""
    rows = table("#", "LEG", "GIVES", "TAKES\nAT LEAST", "COST", "ETA", right=("COST", "ETA"))
    for row in legs:
        after = f"after {', '.join(map(str, row['after']))}" if row["after"] else ""
        gives, takes = f"{short(row['gives'])}\n{after}", f"{short(row['takes'])}\n{short(row['least'])}"
        rows.add_row(str(row["number"]), _title(row), gives, takes, money(row["cost"]), age(row["eta_s"]))
    return rows


def _title(row: dict[str, Any]) -> str:
    """What moves value, and under it from where to where."""
    source, target = row["source_chain"], row["target_chain"]
    return f"{row['kind']} {row['rail']}\n{source if source == target else f'{source} -> {target}'}"


def transfers(view: dict[str, Any], console: Console) -> None:
    """Two lines a leg; what a leg says about itself stands under the table, because it can be long."""
    rows = table("SAGA", "LEG", "GAVE\nTOOK", "STATE", "TIME", right=("TIME",))
    said, newest = [], ""
    for row in view["transfers"]:
        state = Text(row["state"] + ("\nNEEDS YOU" if row["needs_you"] else ""), style="bold red" if row["needs_you"] else "")
        moved = f"{short(row['gives'])}\n{short(row['takes'] or '-')}"
        rows.add_row("" if row["saga"] == newest else row["saga"], _title(row), moved, state, age(row["seconds"]))
        newest = row["saga"]
        said += [f"{row['saga']} {_title(row).replace(chr(10), ' ')}: {row['detail']}"] if row["detail"] else []
    console.print(rows if view["transfers"] else "no transfers yet")
    for line in said:
        console.print(Text(line))


def ledger(view: dict[str, Any], console: Console) -> None:
    rows = table("ACCOUNT", "TOKEN", "BALANCE", right=("BALANCE",))
    for row in view["balances"]:
        rows.add_row(account(row["account"]), row["token"], _booked(row))
    console.print(rows)
    entries = table("ENTRY", "WHAT", "MOVES")
    for entry in view["entries"]:
        moves = "\n".join(f"{_booked(p)} {p['token']}  {account(p['account'])}" for p in entry["postings"])
        entries.add_row(entry["kind"], entry["memo"], moves)
    console.print(entries)


def _booked(row: dict[str, Any]) -> str:
    """A ledger amount; base units where the configuration no longer knows the token."""
    return f"{row['units']} base units" if row["amount"] is None else grouped(row["amount"])
