"""The CCTP v2 message on the wire: what the source chain wrote and what the attestation service fills in.

Header, 148 bytes: version u32 | source u32 | target u32 | nonce 32 | sender 32 | recipient 32 | caller 32 |
least finality u32 | finality executed u32. Burn body, 228 bytes and a hook: version u32 | token 32 | recipient 32 |
amount | sender 32 | fee at most | fee executed | expiration block | hook. Source: developers.circle.com/cctp.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

HEADER, BODY = 148, 228
FAST, STANDARD = 1000, 2000


def _number(raw: bytes, at: int, size: int) -> int:
    return int.from_bytes(raw[at : at + size], "big")


@dataclass(frozen=True, slots=True)
class BurnMessage:
    """A message over its raw bytes; the readers name its parts. Amounts are base units of USDC."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) < HEADER:
            raise ValueError(f"a CCTP v2 message has at least {HEADER} bytes, not {len(self.raw)}")

    @property
    def is_burn(self) -> bool:
        return len(self.raw) >= HEADER + BODY

    @property
    def source(self) -> int:
        return _number(self.raw, 4, 4)

    @property
    def target(self) -> int:
        return _number(self.raw, 8, 4)

    @property
    def nonce(self) -> bytes:
        return self.raw[12:44]

    @property
    def least_finality(self) -> int:
        return _number(self.raw, 140, 4)

    @property
    def amount(self) -> int:
        return _number(self.raw, HEADER + 68, 32)

    @property
    def fee_at_most(self) -> int:
        return _number(self.raw, HEADER + 132, 32)

    @property
    def expiration_block(self) -> int:
        return _number(self.raw, HEADER + 196, 32)

    def filled(self, *, nonce: bytes, finality: int, fee: int = 0, expiration_block: int = 0) -> BurnMessage:
        """The message as it is attested; fee and expiration only fit a burn."""
        raw = bytearray(self.raw)
        raw[12:44] = nonce
        raw[144:148] = finality.to_bytes(4, "big")
        if self.is_burn:
            raw[HEADER + 164 : HEADER + 196] = fee.to_bytes(32, "big")
            raw[HEADER + 196 : HEADER + 228] = expiration_block.to_bytes(32, "big")
        return replace(self, raw=bytes(raw))

    def decoded(self) -> dict[str, object]:
        """`decodedMessage` of the API: numbers as decimal text, addresses and bytes as hex."""
        raw, body = self.raw, self.raw[HEADER:]
        shown: dict[str, object] = {
            "sourceDomain": str(self.source),
            "destinationDomain": str(self.target),
            "nonce": _hex(self.nonce),
            "sender": _address(raw[44:76]),
            "recipient": _address(raw[76:108]),
            "destinationCaller": _address(raw[108:140]),
            "minFinalityThreshold": str(self.least_finality),
            "finalityThresholdExecuted": str(_number(raw, 144, 4)),
            "messageBody": _hex(body),
        }
        if self.is_burn:
            shown["decodedMessageBody"] = {
                "burnToken": _address(body[4:36]),
                "mintRecipient": _address(body[36:68]),
                "amount": str(self.amount),
                "messageSender": _address(body[100:132]),
                "maxFee": str(self.fee_at_most),
                "feeExecuted": str(_number(body, 164, 32)),
                "expirationBlock": str(self.expiration_block),
                "hookData": _hex(body[228:]) if body[228:] else None,
            }
        return shown


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def _address(word: bytes) -> str:
    """An EVM address when the word is one, else all 32 bytes."""
    return _hex(word[12:]) if not any(word[:12]) else _hex(word)
