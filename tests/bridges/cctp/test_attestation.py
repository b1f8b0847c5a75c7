"""The judgement of Circle's answers: ours and signed, waiting and why, or not ours and refused."""

from __future__ import annotations

import pytest

from bridges.base import InTransit
from bridges.cctp.attestation import Attestation, judge
from bridges.cctp.iris import Entry
from bridges.cctp.message import Burn, provisional_id

WORDS = [bytes([n]) * 32 for n in range(1, 6)]
OURS = Burn(0, 6, WORDS[0], WORDS[1], WORDS[2], 10**9, WORDS[3], WORDS[4], 180_000, 1000).encode()


@pytest.fixture
def answer(attest, entry):
    """An entry over our message, changed as asked."""

    def made(changes: dict[int, int] | None = None, attestation: str = "0x" + "aa" * 65, **filled: object) -> Entry:
        message = bytearray(attest(OURS, **filled))
        for position, change in (changes or {}).items():
            message[position] ^= change
        return Entry.model_validate(entry(bytes(message), attestation))

    return made


def test_judge__nothing_seen_yet__waits_under_a_provisional_id():
    assert judge([], OURS) == InTransit("source_final", "burned; Circle has not seen the burn yet", provisional_id(OURS))


def test_judge__ours_and_signed__is_the_attestation(answer):
    found = judge([answer(fee=130_000, finality=1000, expires=500)], OURS)
    assert isinstance(found, Attestation)
    assert (found.id, found.filled.fee, found.filled.expires) == ("0x" + "ab" * 32, 130_000, 500)
    assert found.signatures == bytes.fromhex("aa" * 65)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (None, "waiting for the attestation"),
        ("insufficient_fee", "fee we allowed is below"),
        ("amount_above_max", "amount is above"),
        ("insufficient_allowance_available", "allowance is used up"),
        ("something_new", "something_new"),
    ],
)
def test_judge__pending__says_why_it_waits(reason, words):
    entry = Entry.model_validate({"status": "pending_confirmations", "message": "0x", "attestation": "PENDING", "delayReason": reason})
    found = judge([entry], OURS)
    assert isinstance(found, InTransit)
    assert found.state == "attesting"
    assert words in found.detail
    assert "pending_confirmations" in found.detail


@pytest.mark.parametrize(
    ("position", "name"),
    [
        (8, "target domain"),
        (100, "recipient"),
        (130, "destination caller"),
        (160, "burn token"),
        (200, "mint recipient"),
        (247, "amount"),
        (311, "max fee"),
    ],
)
def test_judge__tampered_message__is_refused_by_name(answer, position, name):
    found = judge([answer({position: 1})], OURS)
    assert isinstance(found, InTransit)
    assert "ATTENTION" in found.detail
    assert name in found.detail


def test_judge__fee_above_what_we_signed__is_refused(answer):
    found = judge([answer(fee=180_001)], OURS)
    assert isinstance(found, InTransit)
    assert "above the 180000 we signed" in found.detail


def test_judge__no_nonce__is_refused(answer):
    found = judge([answer(nonce=bytes(32))], OURS)
    assert isinstance(found, InTransit)
    assert "no nonce" in found.detail


@pytest.mark.parametrize(("attestation", "words"), [("PENDING", "not hex"), ("0x", "no signatures"), ("0xzz", "not hex")])
def test_judge__complete_without_signatures__is_refused(answer, attestation, words):
    found = judge([answer(attestation=attestation)], OURS)
    assert isinstance(found, InTransit)
    assert words in found.detail


def test_judge__ours_among_others__is_found(answer):
    found = judge([answer({247: 1}), answer()], OURS)
    assert isinstance(found, Attestation)


def test_judge__others_complete_and_one_pending__waits(answer):
    pending = Entry.model_validate({"status": "pending_confirmations"})
    found = judge([answer({247: 1}), pending], OURS)
    assert isinstance(found, InTransit)
    assert "ATTENTION" not in found.detail
