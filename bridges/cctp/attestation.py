"""The judgement of what Circle answers about a burn: is it ours, is it signed, and what is it waiting for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridges.base import InTransit
from bridges.cctp.iris import Entry
from bridges.cctp.message import Attested, differences, max_fee, provisional_id

# Circle's own words for a Fast transfer that became a Standard one, and what they mean for us.
_DELAYS = {
    "insufficient_fee": "the fee we allowed is below the live one, so Circle waits for finality",
    "amount_above_max": "the amount is above what Fast takes, so Circle waits for finality",
    "insufficient_allowance_available": "Circle's Fast allowance is used up, so it waits for finality",
}


@dataclass(frozen=True, slots=True)
class Attestation:
    """A message that is ours, with Circle's signatures over it."""

    message: bytes
    signatures: bytes
    filled: Attested

    @property
    def id(self) -> str:
        return f"0x{self.filled.nonce.hex()}"


def judge(entries: Sequence[Entry], ours: bytes) -> Attestation | InTransit:
    """What the answer is worth for the burn whose source message is `ours`. A message that is not ours is never claimed."""
    known_as = provisional_id(ours)
    if not entries:
        return InTransit("source_final", "burned; Circle has not seen the burn yet", known_as)
    wrong: list[str] = []
    for entry in entries:
        if not entry.complete:
            continue
        found = _signed(entry, ours)
        if isinstance(found, Attestation):
            return found
        wrong.append(found)
    pending = [entry for entry in entries if not entry.complete]
    if pending:
        return InTransit("attesting", _waiting(pending[0]), known_as)
    return InTransit("attesting", f"ATTENTION: Circle's answer is not about our burn, so nothing is claimed: {'; '.join(wrong)}", known_as)


def _signed(entry: Entry, ours: bytes) -> Attestation | str:
    try:
        message, signatures = _bytes(entry.message), _bytes(entry.attestation)
    except ValueError:
        return "message or attestation is not hex"
    wrong = differences(ours, message)
    if wrong:
        return ", ".join(wrong)
    filled = Attested.read(message)
    if not any(filled.nonce):
        return "it has no nonce"
    if filled.fee > max_fee(ours):
        return f"its fee of {filled.fee} units is above the {max_fee(ours)} we signed"
    return Attestation(message, signatures, filled) if signatures else "it has no signatures"


def _waiting(entry: Entry) -> str:
    said = f"Circle says {entry.status}"
    if entry.delay_reason is None:
        return f"burned; waiting for the attestation ({said})"
    meaning = _DELAYS.get(entry.delay_reason, "Circle names no more than that")
    return f"burned; the attestation is delayed: {meaning} ({said}, {entry.delay_reason})"


def _bytes(text: str | None) -> bytes:
    return bytes.fromhex((text or "").removeprefix("0x"))
