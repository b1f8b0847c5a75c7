"""Tests of what the environment adds: variables inside values, overrides by path."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from coordinator.config.treasury import Treasury

Load = Callable[..., Treasury]
Refusals = Callable[..., list[str]]


def test_variable__in_an_endpoint__is_filled_in(load_edited: Load) -> None:
    treasury = load_edited(("https://rpc.example/abc", "https://${HOST}/${KEY}"), environment={"HOST": "node.example", "KEY": "k3y"})
    assert next(iter(treasury.chains.values())).endpoints[1].url == "https://node.example/k3y"


def test_override__existing_setting__wins(load_edited: Load) -> None:
    assert load_edited(environment={"COORDINATOR__LIMITS__PER_LEG": "$7"}).limits.per_leg == 7


def test_override__absent_setting__is_added(load_edited: Load) -> None:
    assert load_edited(environment={"COORDINATOR__PLAN__START_WITHIN": "2h"}).plan.start_within == 7200


def test_override__names_with_points_and_lists__are_found(load_edited: Load) -> None:
    treasury = load_edited(
        environment={
            "COORDINATOR__TARGETS__TOKENS__BETA_USDC__CAP": "6_000",
            "COORDINATOR__CHAINS__ALPHA__ENDPOINTS__0__PER_SECOND": "7",
        }
    )
    assert 6_000_000_000 in [band.high for band in treasury.targets.tokens.values()]
    assert next(iter(treasury.chains.values())).endpoints[0].per_second == 7


def test_override__of_a_limit__changes_the_hash(load_edited: Load) -> None:
    assert load_edited(environment={"COORDINATOR__LIMITS__PER_LEG": "$7"}).config_hash != load_edited().config_hash


def test_override__wrong_value__names_the_variable_not_the_value(refusals: Refusals) -> None:
    told = refusals(environment={"COORDINATOR__LIMITS__PER_LEG": "s3cret"})
    assert told == [
        "$COORDINATOR__LIMITS__PER_LEG: limits.per_leg: the value from the environment is not valid; "
        "allowed: an amount in US dollars, as in $25_000"
    ]


def test_override__misspelt_section__told_with_the_nearest(refusals: Refusals) -> None:
    told = refusals(environment={"COORDINATOR__LIMIT__PER_LEG": "$7"})
    assert len(told) == 1
    assert told[0].startswith("$COORDINATOR__LIMIT__PER_LEG: limit: unknown key")
    assert told[0].endswith('did you mean "limits"?')


def test_override__below_a_plain_value__refused(refusals: Refusals) -> None:
    told = refusals(environment={"COORDINATOR__NAME__FIRST": "x"})
    assert told == ['$COORDINATOR__NAME__FIRST: "FIRST" lies below a plain value; allowed: the path of a setting; drop __FIRST']


def test_override__place_outside_a_list__refused(refusals: Refusals) -> None:
    told = refusals(environment={"COORDINATOR__CHAINS__ALPHA__ENDPOINTS__5__URL": "https://x.example"})
    assert told == ['$COORDINATOR__CHAINS__ALPHA__ENDPOINTS__5__URL: "5" is no place in the list; allowed: 0 to 1']


def test_environment__other_variables__change_nothing(load_edited: Load) -> None:
    assert load_edited(environment={"COORDINATOR_CONFIG": "x", "HOME": "/"}).limits.slippage == Fraction(1, 200)


def test_variable__unset_address__told_once(refusals: Refusals) -> None:
    told = refusals(('"0x1111111111111111111111111111111111111111"}', '"${BETA}"}'))
    assert told == [
        "treasury.yaml:26:19: accounts.beta.address: ${BETA} is not set; allowed: a variable that is set; "
        "export BETA=…, or write the value here"
    ]


def test_variable__key_where_an_address_belongs__is_not_told(refusals: Refusals) -> None:
    key = "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
    told = refusals(('"0x1111111111111111111111111111111111111111"}', '"${BETA}"}'), environment={"BETA": key})
    assert told == ["treasury.yaml:26:19: accounts.beta.address: the value from the environment is not valid"]


def test_variable_value__wrong__is_never_told(refusals: Refusals) -> None:
    told = refusals(("https://rpc.example/abc", "${URL}"), environment={"URL": "ftp://user:s3cret@host"})
    assert len(told) == 1
    assert "s3cret" not in told[0]
    assert told[0].startswith("treasury.yaml:10:15: chains.alpha.endpoints.1.url: the value from the environment is not valid")
