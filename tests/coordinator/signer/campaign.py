"""The mutation campaign: mutants of every genuine transaction, in every class, through the gate. `make attack MUTANTS=n SEED_BASE=s`."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from solders.message import from_bytes_versioned

from chains.evm.transactions import Unsigned
from coordinator.signer.gate import Gate
from coordinator.signer.verdict import Refused
from tests.coordinator.signer import evm_mutants, solana_mutants
from tests.coordinator.signer.flow import harm
from tests.coordinator.signer.genuine import Genuine, genuine
from tests.coordinator.signer.world import NOW, World, world


@dataclass
class Tally:
    """`signed`: mutants that change where value goes and were signed, with why; `same`: signed, but value flows as before."""

    mutants: int = 0
    refused: int = 0
    same: int = 0
    signed: list[str] = field(default_factory=list)
    classes: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)


def attack(made: World, all_genuine: list[Genuine], mutants: int, seed: int) -> Tally:
    """`mutants` in all, the classes and the genuine transactions in turn; the same seed gives the same mutants."""
    rng, gate, tally = Random(seed), Gate(made.policy), Tally()
    cases: dict[str, list[evm_mutants.Case | solana_mutants.Case]] = {}
    for one in all_genuine:
        cases.setdefault(one.kind, []).append(_case(rng, one, made))
    kinds = list(cases)
    accounts = list(made.policy.accounts)
    while tally.mutants < mutants:
        case = rng.choice(cases[rng.choice(kinds)])
        classes = evm_mutants.CLASSES if isinstance(case, evm_mutants.Case) else solana_mutants.CLASSES
        name, mutate = rng.choice(list(classes.items()))
        mutant = mutate(case)
        elsewhere = name.endswith("another_account")
        if mutant is None or (mutant == case.genuine.unsigned and not elsewhere):
            continue
        account = rng.choice([one for one in accounts if one != case.genuine.account]) if elsewhere else case.genuine.account
        _judge(gate, made, tally, (name, case.genuine, account, mutant))
    return tally


def _case(rng: Random, one: Genuine, made: World) -> evm_mutants.Case | solana_mutants.Case:
    if one.account.startswith("eip155:"):
        return evm_mutants.Case(rng, one, Unsigned.decode(one.unsigned), made)
    return solana_mutants.Case(rng, one, from_bytes_versioned(one.unsigned), made)


def _judge(gate: Gate, made: World, tally: Tally, question: tuple[str, Genuine, str, bytes]) -> None:
    name, one, account, mutant = question
    tally.mutants += 1
    tally.classes[name] += 1
    try:
        gate.judge(account, mutant, NOW)
    except Refused as refusal:
        tally.refused += 1
        tally.rules[refusal.rule] += 1
        return
    problem = harm(made.policy, one, mutant) if account == one.account else "for another account"
    if problem or ("wild" not in name and not _harmless_by_chance(name)):
        tally.signed.append(f"{name} of {one.kind}: {problem or 'this class must never be signed'}: {mutant.hex()}")
    else:
        tally.same += 1


def _harmless_by_chance(name: str) -> bool:
    """Classes that draw from what is there, and may draw what changes nothing: `flow` says so of each."""
    return name in {"solana header", "solana number", "evm attested"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=100_000)
    parser.add_argument("--seed-base", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = world(Path(folder))
    known = asyncio.run(genuine(made.treasury))
    tally = attack(made, known, options.mutants, options.seed_base)
    for line in tally.signed[:20]:
        sys.stdout.write(f"SIGNED {line}\n")
    counts = (
        f"{tally.mutants} mutants, {len(tally.classes)} classes, {len(tally.signed)} signed, {len(known)} genuine, {tally.refused} refused"
    )
    sys.stdout.write(f"attack: {counts}\n")
    sys.exit(bool(tally.signed))


if __name__ == "__main__":
    main()
