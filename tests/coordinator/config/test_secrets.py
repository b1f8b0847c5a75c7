"""Tests of the scan for pasted keys: found wherever they stand, never repeated."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Refusals = Callable[..., list[str]]
HEX = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
SOLANA = "5" * 40 + "3" * 47  # 87 digits of base58, as a 64-byte secret has
PHRASE = "test walk nut penalty hip pave soap entry language right filter choice"
BYTES = ", ".join(str(n % 256) for n in range(64))

PLACES = {
    "value": ("name: acme", "name: {}"),
    "comment": ("version: 1", "version: 1  # {}"),
    "key": ("name: acme", '"{}": acme'),
    "account key": ("key: {{keypair: keys/sol.json}}", "key: {}"),
}
SECRETS = {"hex": HEX, "0x hex": f"0x{HEX}", "0x HEX": f"0x{HEX.upper()}", "base58": SOLANA, "both halves": HEX + HEX}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("secret", SECRETS)
def test_load__pasted_key__refused_alone_and_not_echoed(secret: str, place: str, refusals: Refusals) -> None:
    old, new = (part.format(SECRETS[secret]) for part in PLACES[place])
    told = refusals((old, new), ("quorum: 2", "quorum: two"))
    assert len(told) == 1
    assert "looks like a" in told[0]
    assert SECRETS[secret][4:20] not in told[0]


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (("name: acme", f"name: {PHRASE}"), "a seed phrase"),
        (("name: acme", f"name: [{', '.join(PHRASE.split())}]"), "a seed phrase"),
        (("name: acme", f"name: [{BYTES}]"), "a secret key as a list of bytes"),
        (("name: acme", "name:\n" + "".join(f"  - {n}\n" for n in range(64))), "a secret key as a list of bytes"),
        (("name: acme", "name: xprv" + "9s21ZrQH143K" * 9), "an extended private key"),
        (("name: acme", "name: -----BEGIN EC PRIVATE KEY-----"), "a private key in PEM"),
    ],
)
def test_load__other_secrets__refused(edit: tuple[str, str], what: str, refusals: Refusals) -> None:
    told = refusals(edit)
    assert len(told) == 1
    assert f"looks like {what}" in told[0]
    assert "remove it from the file and its history" in told[0]


def test_scan__price_feed_ids__are_no_keys(refusals: Refusals) -> None:
    assert refusals() == []  # two feeds of 64 hex digits
    assert refusals(("feed: ef0d", 'feed: "0xef0d'), ("280b56d}", '280b56d"}')) == []


def test_scan__feed_key_used_as_disguise__only_the_feed_itself_is_public(refusals: Refusals) -> None:
    told = refusals(("feed: ef0d", f"feed: ab, url2: {HEX}, x: ef0d"))
    assert any("private key" in line for line in told)
