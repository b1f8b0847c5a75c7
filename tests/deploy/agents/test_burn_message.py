"""The CCTP v2 message: where each part lies, and that filling changes only what the service may fill."""

import pytest

from deploy.localnet.agents.burn_message import BODY, HEADER, BurnMessage


def burn(hook: bytes = b"") -> BurnMessage:
    header = b"".join(n.to_bytes(4, "big") for n in (1, 0, 6)) + bytes(32) + b"s" * 32 + b"r" * 32 + bytes(32)
    header += (1000).to_bytes(4, "big") + bytes(4)
    body = (1).to_bytes(4, "big") + bytes(12) + b"t" * 20 + bytes(12) + b"m" * 20 + (5_000_000).to_bytes(32, "big")
    body += bytes(12) + b"o" * 20 + (77).to_bytes(32, "big") + bytes(64) + hook
    return BurnMessage(header + body)


def test_burn__its_parts__are_read_from_their_places() -> None:
    message = burn()
    assert len(message.raw) == HEADER + BODY
    assert (message.source, message.target, message.least_finality) == (0, 6, 1000)
    assert (message.amount, message.fee_at_most, message.is_burn) == (5_000_000, 77, True)


def test_filled__nonce_finality_fee_and_expiry__nothing_else_changes() -> None:
    before, after = burn(b"hook"), burn(b"hook").filled(nonce=b"n" * 32, finality=2000, fee=5, expiration_block=9)
    changed = {i for i, (a, b) in enumerate(zip(before.raw, after.raw, strict=True)) if a != b}
    allowed = {*range(12, 44), *range(144, 148), *range(HEADER + 164, HEADER + 228)}
    assert changed <= allowed
    assert (after.nonce, after.expiration_block) == (b"n" * 32, 9)
    shown = after.decoded()
    assert shown["finalityThresholdExecuted"] == "2000"
    body = shown["decodedMessageBody"]
    assert isinstance(body, dict)
    assert (body["feeExecuted"], body["amount"], body["hookData"]) == ("5", "5000000", "0x" + b"hook".hex())
    assert (body["burnToken"], body["mintRecipient"]) == ("0x" + "74" * 20, "0x" + "6d" * 20)


def test_filled__message_that_is_no_burn__keeps_its_body() -> None:
    message = BurnMessage(burn().raw[: HEADER + 10])
    assert message.filled(nonce=bytes(32), finality=2000, fee=5).raw[HEADER:] == message.raw[HEADER:]
    assert "decodedMessageBody" not in message.decoded()


def test_burn_message__shorter_than_its_header__is_refused() -> None:
    with pytest.raises(ValueError, match="at least 148 bytes"):
        BurnMessage(bytes(147))
