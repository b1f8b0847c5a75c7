"""The signer's desk against a coordinator that asks for anything: what it signed keeps to every window, and the journal says so."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
from solders.message import from_bytes_versioned

from chains.evm.transactions import Unsigned
from coordinator.signer.journal import Journal
from coordinator.signer.keyfiles import Sealed
from coordinator.signer.serving import Desk
from coordinator.signer.spending import MICRO
from coordinator.signer.verdict import Refused
from tests.coordinator.signer import evm_mutants, solana_mutants
from tests.coordinator.signer.genuine import Genuine
from tests.coordinator.signer.world import NOW, World

REQUESTS = 3_000
WINDOW = 600


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return float(self.now)


def desk_of(made: World, path: Path, clock: Clock) -> Desk:
    policy = replace(made.policy, window=WINDOW, window_usd=Fraction(1_000_000 * MICRO))
    keys = {account: Sealed(account, lambda _: b"signature") for account in policy.accounts}
    return Desk(policy, keys, Journal(path), clock)


def asked(rng: Random, made: World, one: Genuine) -> bytes:
    """A genuine transaction, or a mutant of it: as somebody would ask who may ask for anything."""
    if rng.random() < 0.5:
        return one.unsigned
    evm = one.account.startswith("eip155:")
    mutate = rng.choice(list((evm_mutants if evm else solana_mutants).CLASSES.values()))
    seen = Unsigned.decode(one.unsigned) if evm else from_bytes_versioned(one.unsigned)
    return mutate((evm_mutants if evm else solana_mutants).Case(rng, one, seen, made)) or one.unsigned


def test_sign__hostile_coordinator__no_window_above_its_cap_and_every_signature_in_the_journal(
    made: World, all_genuine: list[Genuine], tmp_path: Path
) -> None:
    rng, clock, signed = Random(28), Clock(), 0
    desk = desk_of(made, tmp_path / "j", clock)
    for _ in range(REQUESTS):
        clock.now += rng.choice([0, 0, 0, 1, 30, -50, WINDOW - 1])
        one = rng.choice(all_genuine)
        try:
            assert desk.sign(one.account, asked(rng, made, one), "mine") == b"signature"
        except Refused:
            continue
        signed += 1
    entries = [json.loads(line) for line in (tmp_path / "j").read_text().splitlines()]
    assert len(entries) == signed > 100
    for first in entries:
        inside = [entry for entry in entries if first["at"] <= entry["at"] < first["at"] + WINDOW]
        assert sum(Fraction(entry["usd"]) for entry in inside) <= 1_000_000 * MICRO
        for token, cap in made.policy.caps.items():
            assert sum(int(entry["units"].get(token, 0)) for entry in inside) <= cap.per_window


def test_sign__journal_that_cannot_be_written__no_signature(made: World, all_genuine: list[Genuine], tmp_path: Path) -> None:
    policy = made.policy
    given = []
    keys = {account: Sealed(account, lambda unsigned: given.append(unsigned) or b"") for account in policy.accounts}
    journal = Journal(tmp_path / "j")
    desk = Desk(policy, keys, journal, Clock())
    journal.close()
    with pytest.raises(OSError, match="descriptor"):
        desk.sign(all_genuine[0].account, all_genuine[0].unsigned, "")
    assert given == []


def test_sign__account_without_key__is_refused(made: World, all_genuine: list[Genuine], tmp_path: Path) -> None:
    desk = Desk(made.policy, {}, Journal(tmp_path / "j"), Clock())
    with pytest.raises(Refused, match="has no key here"):
        desk.sign(all_genuine[0].account, all_genuine[0].unsigned, "")
