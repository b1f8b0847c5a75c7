"""Tests of what a configuration resolves to."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from chains.ids import ChainId, TokenId
from chains.tokens import Token
from coordinator.config.treasury import Envelope, Treasury
from coordinator.prices.base import Chainlink, Manual, Peg, PriceRule, Pyth
from policies.base import Band, UnitBand
from policies.drift import AnyTrigger, BandPolicy, DriftTrigger, IntervalTrigger

Load = Callable[..., Treasury]
ALPHA, BETA = ChainId.parse("eip155:31337001"), ChainId.parse("eip155:31337002")
SOL = ChainId.parse("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp")


@pytest.fixture
def treasury(load_edited: Load) -> Treasury:
    return load_edited()


def test_tokens__of_the_file__joined_by_native_coins(treasury: Treasury) -> None:
    assert sorted(treasury.names.values()) == ["alpha.ETH", "alpha.USDC", "alpha.WETH", "beta.ETH", "beta.USDC", "sol.SOL", "sol.USDC"]
    eth = TokenId.parse("eip155:31337001/slip44:60")
    assert treasury.tokens[eth] == Token(eth, "ETH", 18)
    assert treasury.forms[eth] == "native"
    assert treasury.token_named("alpha.WETH") == treasury.token_named("eip155:31337001/erc20:0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2")
    assert treasury.token_named("gamma.USDC") is None


def test_chains__by_name_or_id__found(treasury: Treasury) -> None:
    assert treasury.chain_named("beta") == BETA
    assert treasury.chain_named("eip155:31337002") == BETA
    assert treasury.chain_named("gamma") is None


def test_accounts__one_a_chain__keys_lie_beside_the_file(treasury: Treasury) -> None:
    assert list(treasury.accounts) == [ALPHA, BETA, SOL]
    assert set(treasury.keys) == {ALPHA, SOL}  # beta is watched only
    assert treasury.keys[SOL].keypair == Path("keys/sol.json").absolute()
    assert treasury.keys[ALPHA].password_file == Path("keys/a.pass").absolute()


def test_assets__price_rules__are_exact(treasury: Treasury) -> None:
    feed = "eaa020c61cc479712813461ce153894a96a6c00b21ed0cfc2798d1f9a9e9c94a"
    assert treasury.assets["USDC"] == PriceRule(
        "USDC",
        (
            Chainlink(ALPHA, "0x8fFfFfd4AfB6115b954Bd326cbe7B4BA576818f6", 90_000),
            Pyth("https://hermes.example", feed, 3600, Fraction(1, 100)),
        ),
        need=2,
        combine="median",
        max_age=90_000,
        max_deviation=Fraction(1, 200),
        peg=Peg(Fraction(1), Fraction(1, 100)),
    )
    assert treasury.assets["ETH"].sources == (Manual(Fraction("3000.50"), 1801353600),)


def test_targets__bands_and_units__are_exact(treasury: Treasury) -> None:
    assert treasury.targets.assets == {
        "USDC": Band(Fraction(45, 100), Fraction(50, 100), Fraction(55, 100)),
        "ETH": Band(Fraction(30, 100), Fraction(35, 100), Fraction(40, 100)),
        "SOL": Band(Fraction(12, 100), Fraction(15, 100), Fraction(18, 100)),
    }
    assert treasury.targets.chains == {ALPHA: Band(Fraction(1, 10), None, Fraction(6, 10))}
    beta_usdc = treasury.token_named("beta.USDC")
    assert beta_usdc is not None
    assert treasury.targets.tokens == {
        treasury.native(ALPHA).id: UnitBand(5 * 10**16, None),  # the gas floor is the higher of the two
        beta_usdc.id: UnitBand(1_000_000_000, 5_000_500_000),
    }


def test_band__wider_than_its_target__ends_at_zero(load_edited: Load) -> None:
    band = load_edited(("target: 15%, band: 3pp", "target: 15%, band: 20pp")).targets.assets["SOL"]
    assert band == Band(Fraction(0), Fraction(15, 100), Fraction(35, 100))


@pytest.mark.parametrize(
    "edits",
    [
        [("band: 5pp", "band: 0pp"), ("low: 30%, high: 40%", "band: 0pp"), ("band: 3pp", "band: 0pp")],
        [("    alpha: {low: 10%, high: 60%}", "    alpha: {low: 60%}\n    beta: {low: 40%}")],
        [("    alpha: {low: 10%, high: 60%}", "    alpha: {high: 40%}\n    beta: {high: 30%}\n    sol: {high: 30%}")],
        [("floor: 1_000 USDC", "floor: 5_000.5 USDC")],
        [("low: 30%, high", "low: 35%, high")],
        [("high: 60%", "high: 10%")],
    ],
    ids=["points", "lows of chains", "highs of chains", "floor and cap", "low and target", "low and high"],
)
def test_targets__sums_and_edges_that_just_fit__load(edits: list[tuple[str, str]], load_edited: Load) -> None:
    assert load_edited(*edits).targets.assets["USDC"].ideal == Fraction(1, 2)


def test_policy__and_triggers__as_configured(treasury: Treasury) -> None:
    assert treasury.policy == BandPolicy(treasury.targets)
    assert treasury.trigger == AnyTrigger((DriftTrigger(Fraction(1, 100)), IntervalTrigger(3600)))


def test_trigger__only_one__stands_alone(load_edited: Load) -> None:
    assert load_edited(("  interval: 1h\n", "")).trigger == DriftTrigger(Fraction(1, 100))
    assert load_edited(("  drift: {beyond: 1pp}\n", "")).trigger == IntervalTrigger(3600)
    assert load_edited(("  drift: {beyond: 1pp}\n  interval: 1h\n", "  drift: {}\n")).trigger == DriftTrigger(Fraction(0))


def test_limits__and_plan__are_exact(treasury: Treasury) -> None:
    limits = treasury.limits
    assert (limits.per_leg, limits.per_turn, limits.per_day, limits.cost, limits.slippage) == (5000, 10_000, 25_000, 20, Fraction(1, 200))
    assert (treasury.plan.ttl, treasury.plan.start_within) == (900, 86400)
    assert treasury.plan.envelope == Envelope(Fraction(20), Fraction(1, 100), Fraction(1, 1000))


def test_rails__names_or_ids__mean_the_same(treasury: Treasury, load_edited: Load) -> None:
    by_id = load_edited(("      alpha: {domain", '      "eip155:31337001": {domain'))
    assert by_id.rails == treasury.rails


def test_database__given_or_not__beside_the_file_or_in_the_state_directory(
    treasury: Treasury, load_edited: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert treasury.database == Path("state/journal.sqlite").absolute()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    default = load_edited(("state: {database: state/journal.sqlite}\n", ""))
    assert default.database == tmp_path / "coordinator" / "acme" / "journal.sqlite"


@pytest.mark.parametrize(
    ("edit", "same"),
    [
        (("name: acme", "name: acme  # a comment"), True),
        (("name: acme", "name:   'acme'"), True),
        (("{database: state/journal.sqlite}", "{database: elsewhere.sqlite}"), True),
        (("https://rpc.example/abc", "https://rpc.example/new-access-key"), True),
        (("https://rpc.example/abc", "https://user:pw@rpc.example/abc"), True),
        (("https://rpc.example/abc", "https://other.example/abc"), False),
        (("trust_domain: other", "trust_domain: another"), False),
        (("per_leg: $5k", "per_leg: $4k"), False),
        (("keys/sol.json", "keys/sol2.json"), False),
        (("decimals: 6}\n  alpha.WETH", "decimals: 7}\n  alpha.WETH"), False),
    ],
)
def test_config_hash__after_an_edit__changes_with_meaning_only(
    edit: tuple[str, str], same: bool, treasury: Treasury, load_edited: Load
) -> None:
    assert (load_edited(edit).config_hash == treasury.config_hash) is same
