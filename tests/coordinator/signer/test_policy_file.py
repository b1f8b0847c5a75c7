"""The policy file: what `writing` writes, `read` reads; anything else is refused by its place."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from coordinator.signer.policy import EvmRules, SolanaRules
from coordinator.signer.policy_file import BadPolicy, parse, read
from coordinator.signer.writing import write
from tests.coordinator.signer.world import SOLANA, World

ALPHA = "eip155:31337001"


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(document)
    *places, last = path.split("/")
    entry = made
    for place in places:
        entry = entry[place]
    if value is ...:
        del entry[last]
    else:
        entry[last] = value
    return made


def test_read__what_was_written__is_the_policy(made: World, tmp_path: Path) -> None:
    write(tmp_path / "p.json", made.document)
    assert (tmp_path / "p.json").stat().st_mode & 0o777 == 0o600
    assert read(tmp_path / "p.json") == made.policy


def test_parse__recipients__are_our_own_accounts_of_the_other_chains_only(made: World) -> None:
    own = {chain: made.treasury.accounts[id_].address for id_, chain in ((id_, str(id_)) for id_ in made.treasury.accounts)}
    for account, rules in made.policy.accounts.items():
        if isinstance(rules, EvmRules):
            assert rules.cctp is not None
            assert {end.recipient.hex()[24:] for end in rules.cctp.ends.values()} == {own[ALPHA][2:].lower()}
            assert rules.cctp.domain not in rules.cctp.ends
            assert len(rules.cctp.ends) == 2
        assert account.endswith(own[rules.chain])
    solana = next(rules for rules in made.policy.accounts.values() if isinstance(rules, SolanaRules))
    assert solana.route is not None
    assert solana.route.recipients == {31337001: bytes.fromhex(own[ALPHA][2:]).rjust(32, b"\0")}


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("version", 2, "policy.version"),
        ("surprise", 1, "unknown surprise"),
        ("swap_floor", ..., "policy.swap_floor is missing"),
        ("swap_floor", "1.5", "not between 0 and 1"),
        ("swap_floor", 0.9, "not text"),
        ("window_usd", "0", "not above zero"),
        ("window_usd", "1/0", "window_usd"),
        ("window_seconds", -1, "not a whole number"),
        ("window_seconds", True, "not a whole number"),
        ("journal", "here.jsonl", "not an absolute path"),
        (f"chains/{ALPHA}/account", "0x1234", "31337001"),
        (f"chains/{ALPHA}/tokens", ["0x" + "ab" * 20], "checksum"),
        (f"chains/{ALPHA}/uniswap/fee_tiers", "500", "uniswap"),
        (f"chains/{ALPHA}/cctp/domain", "x", "not a whole number"),
        (f"chains/{ALPHA}/cctp/hook", "0x", "unknown hook"),
        (f"chains/{ALPHA}/max_gas", ..., "max_gas is missing"),
        (f"chains/{SOLANA}/swaps/programs", {"9c3TpwNcd9dKcwnRUCxC2qjue6daQMMbZDizJsCHuuwA": "raydium"}, "allowed: pool, jupiter-v6"),
        (f"chains/{SOLANA}/account", "not base58", SOLANA),
        ("chains", [], "chains"),
        ("caps", {"x": {"per_transaction": "1"}}, "per_window is missing"),
    ],
)
def test_parse__anything_else__is_refused_by_its_place(path: str, value: Any, says: str, made: World) -> None:
    with pytest.raises(BadPolicy, match=says):
        parse(changed(made.document, path, value))


def test_read__others_may_change_it__is_refused(made: World, tmp_path: Path) -> None:
    write(tmp_path / "p.json", made.document)
    (tmp_path / "p.json").chmod(0o620)
    with pytest.raises(BadPolicy, match="chmod 600"):
        read(tmp_path / "p.json")


@pytest.mark.parametrize(("content", "says"), [(None, "No such file"), ("{", "not JSON"), ("[]", "allowed is an object")])
def test_read__no_policy__says_what_writes_one(content: str | None, says: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "p.json").write_text(content)
    with pytest.raises(BadPolicy, match=says):
        read(tmp_path / "p.json")


def test_write__numbers__are_exact_text(made: World) -> None:
    assert json.loads(json.dumps(made.document)) == made.document
    assert made.document["window_usd"] == "2200000"
    assert made.document["swap_floor"] == "0.89"
