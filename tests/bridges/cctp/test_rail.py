"""The CCTP rail over two chains in memory and an API on loopback: price, encode, and say where value is."""

from __future__ import annotations

import dataclasses

import pytest

from bridges.base import Claimable, Delivered, InTransit, Surroundings
from bridges.cctp.message import LENGTH, provisional_id
from bridges.cctp.rail import build
from chains.errors import Misconfigured, OutsideTerms, Unreachable
from chains.tokens import Amount

NONCE = "0x" + "ab" * 32


# ---- lanes ----


def test_lanes__two_chains__are_both_speeds_both_ways(cctp):
    ids = [lane.id for lane in cctp().rail.lanes()]
    alpha, beta = "eip155:31337001", "eip155:31337002"
    assert ids == [f"cctp.{s}/{x}/{y}" for s in ("standard", "fast") for x, y in ((alpha, beta), (beta, alpha))]


def test_lanes__fast_switched_off__are_standard_only(cctp):
    assert {lane.id.split("/")[0] for lane in cctp(lanes=["standard"]).rail.lanes()} == {"cctp.standard"}


def test_build__chain_outside_the_treasury__is_misconfigured(cctp):
    setting = cctp()
    with pytest.raises(Misconfigured, match="no chain of this treasury"):
        build(setting.settings, dataclasses.replace(setting.surroundings, readers={}))
    with pytest.raises(Misconfigured, match="no token of this treasury"):
        build(setting.settings, dataclasses.replace(setting.surroundings, tokens={}))


def test_build__usdc_with_other_decimals__is_misconfigured(cctp):
    setting = cctp()
    odd = {id: dataclasses.replace(token, decimals=6 + n) for n, (id, token) in enumerate(setting.surroundings.tokens.items())}
    around = Surroundings(setting.surroundings.readers, odd, setting.surroundings.accounts, setting.surroundings.http)
    with pytest.raises(Misconfigured, match="different decimals"):
        build(setting.settings, around)


# ---- quote ----


async def test_quote__fast__takes_the_live_fee_and_allows_a_little_more(cctp):
    setting = cctp()
    lane = setting.lane("fast")
    quote = await setting.rail.quote(lane, Amount(lane.source, 1_000_000_001))
    assert quote.takes == Amount(lane.target, 1_000_000_001 - 130_001)  # 1.3 bps, rounded up
    assert quote.terms == {"max_fee": "180001", "since": "100"}  # 1.3 + 0.5 bps, rounded up
    assert quote.latency_s == 20
    assert [fee.token.id.chain for fee in quote.fees] == [lane.source.chain, lane.target.chain]


async def test_quote__standard_free__signs_for_no_fee(cctp):
    setting = cctp()
    lane = setting.lane("standard")
    quote = await setting.rail.quote(lane, Amount(lane.source, 10**9))
    assert (quote.takes.units, quote.terms["max_fee"], quote.latency_s) == (10**9, "0", 1140)


async def test_quote__burn_limit__comes_from_the_minter_or_else_the_settings(cctp):
    setting = cctp()
    lane = setting.lane("standard")
    setting.source.limit = 5 * 10**6
    assert (await setting.rail.quote(lane, Amount(lane.source, 10**6))).most == 5 * 10**6
    setting.source.limit = None
    assert (await setting.rail.quote(lane, Amount(lane.source, 10**6))).most == 10_000_000 * 10**6


async def test_quote__fast_allowance__limits_fast_only(cctp):
    setting = cctp()
    setting.api.says("GET /v2/fastBurn/USDC/allowance", {"allowance": 12.5, "lastUpdated": ""})
    fast, standard = setting.lane("fast"), setting.lane("standard")
    assert (await setting.rail.quote(fast, Amount(fast.source, 10**6))).most == 12_500_000
    assert (await setting.rail.quote(standard, Amount(standard.source, 10**6))).most == 10_000_000 * 10**6


@pytest.mark.parametrize("units", [0, 9_999, 10_000_000 * 10**6 + 1])
async def test_quote__amount_out_of_range__is_outside_terms(cctp, units):
    setting = cctp()
    lane = setting.lane("standard")
    with pytest.raises(OutsideTerms, match=r"takes 0\.01 USDC to 10,000,000 USDC"):
        await setting.rail.quote(lane, Amount(lane.source, units))


async def test_quote__api_down__is_a_fault_to_retry(cctp):
    setting = cctp()
    setting.api.says("GET /v2/burn/USDC/fees/0/6", {}, status=503)
    lane = setting.lane("fast")
    with pytest.raises(Unreachable):
        await setting.rail.quote(lane, Amount(lane.source, 10**6))


# ---- depart ----


async def test_depart__fast__approves_exactly_and_burns_for_the_recipient(cctp, deposit):
    setting = cctp()
    leg = setting.leg("fast")
    approval, burn = await setting.rail.depart(leg)
    assert (approval.target, approval.data[:4].hex(), int.from_bytes(approval.data[36:68], "big")) == (
        leg.lane.source.id.reference,
        "095ea7b3",
        10**9,
    )
    amount, domain, recipient, token, caller, max_fee, finality = deposit(burn)
    assert (amount, domain, max_fee, finality) == (10**9, 6, 180_000, 1000)
    assert recipient == bytes(12) + bytes.fromhex(leg.recipient.address[2:])
    assert (token, caller) == (leg.lane.source.id.reference, bytes(32))


async def test_depart__standard__asks_for_hard_finality_without_fee(cctp, deposit):
    setting = cctp()
    *_, max_fee, finality = deposit((await setting.rail.depart(setting.leg("standard")))[1])
    assert (max_fee, finality) == (0, 2000)


async def test_depart__least_close_to_the_amount__lowers_the_fee_ceiling(cctp, deposit):
    setting = cctp()
    leg = setting.leg("fast", least=10**9 - 130_000)
    *_, max_fee, _ = deposit((await setting.rail.depart(leg))[1])
    assert max_fee == 130_000


@pytest.mark.parametrize(("least", "terms"), [(10**9 - 129_999, None), (0, {"max_fee": "129999", "since": "0"}), (10**9 + 1, None)])
async def test_depart__fee_above_what_was_agreed__is_outside_terms(cctp, least, terms):
    setting = cctp()
    with pytest.raises(OutsideTerms):
        await setting.rail.depart(setting.leg("fast", least=least, terms=terms))


async def test_depart__burn_limit_fell__is_outside_terms(cctp):
    setting = cctp()
    setting.source.limit = 10**9 - 1
    with pytest.raises(OutsideTerms, match=r"at most 999\.999999 USDC"):
        await setting.rail.depart(setting.leg("standard"))


async def test_depart__leg_without_its_terms__is_misconfigured(cctp):
    setting = cctp()
    with pytest.raises(Misconfigured, match="max_fee"):
        await setting.rail.depart(setting.leg("fast", terms={}))


# ---- undo ----


async def test_undo__allowance_left__is_taken_back(cctp):
    setting = cctp()
    setting.source.allowance = 5
    (call,) = await setting.rail.undo(setting.leg())
    assert call.data[36:68] == bytes(32)
    setting.source.allowance = 0
    assert await setting.rail.undo(setting.leg()) == ()


# ---- arrival: the departure ----


async def test_arrival__burn_of_another_amount__is_misconfigured(cctp, signed_by):
    setting = cctp()
    other = signed_by(setting, setting.leg(units=10**9 - 1))
    with pytest.raises(Misconfigured, match="amount 0x3b9ac9ff instead of 0x3b9aca00"):
        await setting.rail.arrival(setting.leg(), setting.source.burned(other))


async def test_arrival__message_from_a_look_alike_contract__is_misconfigured(cctp, signed_by):
    setting = cctp()
    departure = setting.source.burned(signed_by(setting, setting.leg()), emitter="0x" + "9" * 40)
    with pytest.raises(Misconfigured, match="found: none"):
        await setting.rail.arrival(setting.leg(), departure)


async def test_arrival__departure_not_final__waits(cctp, signed_by):
    setting = cctp()
    departure = setting.source.burned(signed_by(setting, setting.leg()), final=False)
    assert (await setting.rail.arrival(setting.leg(), departure)).state == "source_confirmed"
    assert setting.api.asked == []


# ---- arrival: the attestation ----


@pytest.fixture
def departed(cctp, signed_by):
    """A setting with one fast leg that burned: (setting, leg, source message, departure)."""
    setting = cctp()
    leg = setting.leg("fast")
    message = signed_by(setting, leg)
    assert len(message) == LENGTH
    return setting, leg, message, setting.source.burned(message)


async def test_arrival__not_seen_by_circle__is_source_final(departed):
    setting, leg, message, departure = departed
    found = await setting.rail.arrival(leg, departure)
    assert (found.state, found.message) == ("source_final", provisional_id(message))


@pytest.mark.parametrize(("status", "body"), [(503, {}), (429, {}), (400, {}), (200, b"<html>"), (200, {"messages": [{}]})])
async def test_arrival__api_out_of_order__stays_in_transit_and_says_so(departed, status, body):
    setting, leg, _, departure = departed
    setting.api.says(f"GET /v2/messages/0?transactionHash={departure.reference}", body, status=status)
    found = await setting.rail.arrival(leg, departure)
    assert isinstance(found, InTransit)
    assert "cannot be asked now" in found.detail


async def test_arrival__attested__is_claimable_by_anyone(departed, attest, entry):
    setting, leg, message, departure = departed
    attested = attest(message, fee=130_000, finality=1000, expires=500)
    setting.iris_says(entry(attested))
    found = await setting.rail.arrival(leg, departure)
    assert isinstance(found, Claimable)
    assert found.message == NONCE
    (call,) = found.calls
    assert call.chain == leg.lane.target.chain
    assert attested in call.data


async def test_arrival__tampered_recipient__is_never_claimable(departed, attest, entry):
    setting, leg, message, departure = departed
    tampered = bytearray(attest(message))
    tampered[148 + 36 + 31] ^= 1
    setting.iris_says(entry(bytes(tampered)))
    found = await setting.rail.arrival(leg, departure)
    assert isinstance(found, InTransit)
    assert "mint recipient" in found.detail


async def test_arrival__claim_refused_by_the_target__waits_with_its_reason(departed, attest, entry):
    setting, leg, message, departure = departed
    setting.iris_says(entry(attest(message)))
    setting.target.refusal = "Pausable: paused"
    found = await setting.rail.arrival(leg, departure)
    assert isinstance(found, InTransit)
    assert "Pausable: paused" in found.detail


@pytest.mark.parametrize(("height", "asks"), [(499, False), (500, True)])
async def test_arrival__attestation_expired__is_renewed_once_expiry_is_final(departed, attest, entry, height, asks):
    setting, leg, message, departure = departed
    setting.iris_says(entry(attest(message, expires=500)))
    setting.api.says(f"POST /v2/reattest/{NONCE}", {"message": "ok", "nonce": NONCE})
    setting.target.refusal, setting.target.height = "Message expired and must be re-signed", height
    found = await setting.rail.arrival(leg, departure)
    assert isinstance(found, InTransit)
    assert (f"POST /v2/reattest/{NONCE}" in setting.api.asked) == asks


async def test_arrival__renewal_fails__stays_in_transit(departed, attest, entry):
    setting, leg, message, departure = departed
    setting.iris_says(entry(attest(message, expires=50)))
    setting.api.says(f"POST /v2/reattest/{NONCE}", {}, status=500)
    setting.target.refusal = "Message expired and must be re-signed"
    found = await setting.rail.arrival(leg, departure)
    assert (found.state, found.message) == ("attesting", NONCE)
    assert "cannot be asked for now" in found.detail


# ---- arrival: the mint ----


async def test_arrival__claimed_by_a_stranger__is_delivered_as_it_moved(departed, attest, entry):
    setting, leg, message, departure = departed
    attested = attest(message, fee=130_000, finality=1000)
    setting.iris_says(entry(attested))
    setting.target.claimed(attested, 10**9 - 130_000)
    found = await setting.rail.arrival(leg, departure)
    assert found == Delivered(Amount(leg.lane.target, 10**9 - 130_000), setting.target.receipts[0], NONCE)
    assert setting.target.searched_since == [90]  # from the height at the time of the quote
    assert await setting.rail.arrival(leg, departure) == found


async def test_arrival__minted_but_not_final__waits(departed, attest, entry):
    setting, leg, message, departure = departed
    attested = attest(message)
    setting.iris_says(entry(attested))
    setting.target.claimed(attested, 10**9, final=False)
    found = await setting.rail.arrival(leg, departure)
    assert (found.state, "not final yet" in found.detail) == ("relaying", True)


async def test_arrival__nonce_used_and_mint_not_found__waits(departed, attest, entry):
    setting, leg, message, departure = departed
    setting.iris_says(entry(attest(message)))
    setting.target.used.add(bytes.fromhex(NONCE[2:]))
    assert (await setting.rail.arrival(leg, departure)).state == "relaying"


async def test_arrival__nonce_used_without_money__is_loud_and_never_delivered(departed, attest, entry):
    setting, leg, message, departure = departed
    attested = attest(message)
    setting.iris_says(entry(attested))
    setting.target.claimed(attested, 0)
    found = await setting.rail.arrival(leg, departure)
    assert isinstance(found, InTransit)
    assert "ATTENTION" in found.detail


async def test_arrival__event_says_minted_but_nothing_moved__is_not_delivered(departed, attest, entry):
    setting, leg, message, departure = departed
    attested = attest(message)
    setting.iris_says(entry(attested))
    setting.target.claimed(attested, 10**9, movements=())
    assert isinstance(await setting.rail.arrival(leg, departure), InTransit)


async def test_arrival__nonce_of_another_message_of_ours__is_not_delivered(departed, attest, entry, signed_by):
    """An API that answers with the nonce of another delivery of ours must not have that one counted twice."""
    setting, leg, message, departure = departed
    setting.iris_says(entry(attest(message)))
    setting.target.claimed(attest(signed_by(setting, setting.leg(units=7 * 10**6))), 7 * 10**6)
    found = await setting.rail.arrival(leg, departure)
    assert isinstance(found, InTransit)
    assert "ATTENTION" in found.detail


async def test_arrival__two_of_ours_claimed_in_one_transaction__each_gets_its_own(departed, attest, entry, signed_by):
    setting, leg, message, departure = departed
    other = attest(signed_by(setting, setting.leg(units=7 * 10**6)), nonce=b"\x77" * 32)
    attested = attest(message)
    setting.iris_says(entry(attested))
    chain = setting.target
    chain.used.add(attested[12:44])
    chain.receipts.append(chain.receipt(chain.mint_logs(other, 7 * 10**6) + chain.mint_logs(attested, 10**9), 10**9 + 7 * 10**6))
    found = await setting.rail.arrival(leg, departure)
    assert isinstance(found, Delivered)
    assert found.amount.units == 10**9


async def test_arrival__lane_no_longer_configured__is_misconfigured(cctp, departed):
    _, leg, _, departure = departed
    with pytest.raises(Misconfigured, match="no lane of the configured CCTP"):
        await cctp(lanes=["standard"]).rail.arrival(leg, departure)
