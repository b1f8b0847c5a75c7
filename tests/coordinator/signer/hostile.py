"""A coordinator that asks the signer for anything: genuine transactions, mutants, a clock that jumps. `make attack-coordinator`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections import Counter, deque
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

from solders.message import from_bytes_versioned

from chains.evm.transactions import Unsigned
from coordinator.signer.journal import Journal
from coordinator.signer.keyfiles import Sealed
from coordinator.signer.policy import Policy
from coordinator.signer.serving import Desk
from coordinator.signer.spending import MICRO
from coordinator.signer.verdict import Refused
from tests.coordinator.signer import evm_mutants, solana_mutants
from tests.coordinator.signer.flow import harm
from tests.coordinator.signer.genuine import Genuine, genuine
from tests.coordinator.signer.world import NOW, World, world

WINDOW = 600
WINDOW_USD = Fraction(1_000_000 * MICRO)
SIGNATURE = b"signature"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return float(self.now)


@dataclass
class Siege:
    """`foreign`: signatures that would move value elsewhere, with why; `entries`: what the signer's journal says it signed."""

    requests: int
    signed: int
    foreign: list[str]
    entries: list[dict[str, Any]]


def small_window(policy: Policy) -> Policy:
    return replace(policy, window=WINDOW, window_usd=WINDOW_USD)


def desk_of(policy: Policy, path: Path, clock: Clock) -> Desk:
    keys = {account: Sealed(account, lambda _: SIGNATURE) for account in policy.accounts}
    return Desk(policy, keys, Journal(path), clock)


def besiege(made: World, known: list[Genuine], requests: int, seed: int, path: Path) -> Siege:
    """Learns: what was signed once is asked for again, and again at the edge of the window."""
    rng, clock, signed, foreign, liked = Random(seed), Clock(), 0, [], deque(known, 50)
    latest, desk = NOW, desk_of(small_window(made.policy), path, clock)
    for _ in range(requests):
        clock.now += rng.choice([0] * 20 + [1, 30, -50, -WINDOW, WINDOW - 1, WINDOW])
        one = rng.choice(known) if rng.random() < 0.7 else rng.choice(liked)
        unsigned = asked(rng, made, one)
        try:
            assert desk.sign(one.account, unsigned, "mine") == SIGNATURE
        except Refused:
            continue
        signed += 1
        liked.append(one)
        latest = max(latest, clock.now)
        if unsigned != one.unsigned and (problem := harm(made.policy, one, unsigned, latest)):
            foreign.append(f"{problem}: {unsigned.hex()}")
    return Siege(requests, signed, foreign, [json.loads(line) for line in path.read_text().splitlines()])


def asked(rng: Random, made: World, one: Genuine) -> bytes:
    if rng.random() < 0.4:
        return one.unsigned
    evm = one.account.startswith("eip155:")
    mutate = rng.choice(list((evm_mutants if evm else solana_mutants).CLASSES.values()))
    seen = Unsigned.decode(one.unsigned) if evm else from_bytes_versioned(one.unsigned)
    return mutate((evm_mutants if evm else solana_mutants).Case(rng, one, seen, made)) or one.unsigned


def excesses(entries: list[dict[str, Any]], policy: Policy) -> list[str]:
    """Every cap that some window holds more than; a window may begin at any entry, which is where sums are largest."""
    inside: deque[dict[str, Any]] = deque()
    units: Counter[str] = Counter()
    usd, found = Fraction(0), []
    for entry in entries:
        inside.append(entry)
        usd += Fraction(entry["usd"])
        units.update({token: int(count) for token, count in entry["units"].items()})
        while inside[0]["at"] <= entry["at"] - WINDOW:
            old = inside.popleft()
            usd -= Fraction(old["usd"])
            units.subtract({token: int(count) for token, count in old["units"].items()})
        found += [f"{token} in line {entry['n']}" for token, count in units.items() if count > policy.caps[token].per_window]
        found += [f"USD in line {entry['n']}"] if usd > WINDOW_USD else []
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed-base", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = world(folder)
        siege = besiege(made, asyncio.run(genuine(made.treasury)), options.requests, options.seed_base, folder / "j")
    over = excesses(siege.entries, made.policy)
    for line in (*siege.foreign[:10], *over[:10]):
        sys.stdout.write(f"BROKEN {line}\n")
    counts = f"{siege.requests} requests, {siege.signed} signed, {len(siege.foreign)} elsewhere, {len(over)} above a cap in any window"
    sys.stdout.write(f"attack-coordinator: {counts}\n")
    sys.exit(bool(siege.foreign or over))


if __name__ == "__main__":
    main()
