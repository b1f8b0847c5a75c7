"""The client of an API in the shape of Jupiter's Swap API v1: a quote, and the instruction that makes it happen.

Source: https://dev.jup.ag/docs/api/swap-api (GET /swap/v1/quote, POST /swap/v1/swap-instructions). Nothing it answers is
believed here beyond its shape; `bridges.venues.swap_instruction` judges what it wants signed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridges.http import Http
from chains.errors import OutsideTerms, Unknowable

_NO_ROUTE = ("COULD_NOT_FIND_ANY_ROUTE", "NO_ROUTES_FOUND", "TOKEN_NOT_TRADABLE", "ROUTE_PLAN_DOES_NOT_CONSUME_ALL_THE_AMOUNT")
Units = Annotated[int, Field(ge=0, lt=2**64)]
_M = TypeVar("_M", bound=BaseModel)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Quote(_Answer):
    inputMint: str  # noqa: N815 - the API's own names
    outputMint: str  # noqa: N815
    inAmount: Units  # noqa: N815
    outAmount: Units  # noqa: N815
    otherAmountThreshold: Units  # noqa: N815
    swapMode: str  # noqa: N815


class Meta(_Answer):
    pubkey: str
    isSigner: bool  # noqa: N815
    isWritable: bool  # noqa: N815


class Instruction(_Answer):
    """An instruction as the API writes it; `data` is base64."""

    programId: str  # noqa: N815
    accounts: tuple[Meta, ...]
    data: str

    @property
    def bytes(self) -> bytes:
        """Raises Unknowable when the data is not base64."""
        try:
            return base64.b64decode(self.data, validate=True)
        except binascii.Error:
            raise Unknowable(f"the swap API answers instruction data that is not base64: {self.data[:40]!r}") from None


class Instructions(_Answer):
    """What the API wants executed. Set-up and clean-up are looked at only: we write our own."""

    setupInstructions: tuple[Instruction, ...] = ()  # noqa: N815
    swapInstruction: Instruction  # noqa: N815
    otherInstructions: tuple[Instruction, ...] = ()  # noqa: N815


@dataclass(frozen=True, slots=True)
class Ask:
    """A swap of exactly `units` of one mint for as much as can be had of the other. `slippage_bps`: how much less is still fine."""

    mint_in: str
    mint_out: str
    units: int
    slippage_bps: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """What the API promises. `threshold`: the least it would encode. `raw`: the answer, to be handed back as it is."""

    takes: int
    threshold: int
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Jupiter:
    """`api`: the address before /swap/v1. `max_accounts`: of a route."""

    http: Http
    api: str
    max_accounts: int

    async def quote(self, ask: Ask) -> Offer:
        """Raises OutsideTerms when there is no route, Unknowable when the answer is not to what was asked."""
        url = f"{self.api}/swap/v1/quote"
        params = {
            "inputMint": ask.mint_in,
            "outputMint": ask.mint_out,
            "amount": str(ask.units),
            "slippageBps": str(ask.slippage_bps),
            "swapMode": "ExactIn",
            "maxAccounts": str(self.max_accounts),
        }
        try:
            raw = await self.http.get(url, params)
        except Unknowable as problem:
            if any(word in str(problem) for word in _NO_ROUTE):
                raise OutsideTerms(f"no route from {ask.mint_in} to {ask.mint_out} for {ask.units} base units") from problem
            raise
        quote = _parsed(_Quote, url, raw)
        if (quote.inputMint, quote.outputMint, quote.inAmount, quote.swapMode) != (ask.mint_in, ask.mint_out, ask.units, "ExactIn"):
            raise Unknowable(f"{url} answers a quote for another swap: {quote}")
        return Offer(quote.outAmount, quote.otherAmountThreshold, dict(raw or {}))

    async def instructions(self, offer: Offer, user: str) -> Instructions:
        """The instructions of an offer, between the user's own token accounts; the native coin is wrapped and unwrapped by us."""
        url = f"{self.api}/swap/v1/swap-instructions"
        body = {
            "userPublicKey": user,
            "quoteResponse": offer.raw,
            "wrapAndUnwrapSol": False,
            "useSharedAccounts": False,
            "dynamicComputeUnitLimit": False,
        }
        return _parsed(Instructions, url, await self.http.post(url, body))


def _parsed(shape: type[_M], url: str, raw: Any) -> _M:
    try:
        return shape.model_validate(raw)
    except ValidationError as problem:
        first = problem.errors()[0]
        raise Unknowable(f"{url} answers in another shape ({'.'.join(map(str, first['loc']))}: {first['msg']})") from None
