"""Circle's attestation service: the v2 API and the shapes of its answers.

Source: developers.circle.com, API reference of CCTP: get-messages-v2, get-burn-usdc-fees,
get-fast-burn-usdc-allowance, reattest-message. Answers are advice: whatever they say about a transfer is
checked against what we signed before it is used.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from bridges.http import Http
from chains.errors import OutsideTerms, Unknowable

_NonNegative = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
_T = TypeVar("_T")


class FeeTier(BaseModel):
    """What a finality threshold costs on one route. `minimum_fee`: basis points of the amount, possibly with decimals."""

    finality: int = Field(alias="finalityThreshold")
    minimum_fee: _NonNegative = Field(alias="minimumFee")


class Allowance(BaseModel):
    """How much Fast burning Circle still backs right now, over all its customers, whole USDC."""

    allowance: _NonNegative


class Entry(BaseModel):
    """One message of a transaction. While pending, `message` is "0x" and `attestation` is "PENDING" or null."""

    status: str
    message: str | None = None
    attestation: str | None = None
    delay_reason: str | None = Field(None, alias="delayReason")

    @property
    def complete(self) -> bool:
        return self.status == "complete"


class Messages(BaseModel):
    messages: list[Entry]


_TIERS = TypeAdapter(list[FeeTier])
_ALLOWANCE = TypeAdapter(Allowance)
_MESSAGES = TypeAdapter(Messages)


class Iris:
    """The API at one URL. Methods raise what `Http` raises: Unreachable, RateLimited, Unknowable."""

    def __init__(self, http: Http, url: str) -> None:
        self._http = http
        self._url = url

    async def fee(self, source: int, target: int, finality: int) -> Fraction:
        """Share of the amount that Circle keeps on this route at this finality. Raises OutsideTerms when it is not offered."""
        url = f"{self._url}/v2/burn/USDC/fees/{source}/{target}"
        tiers = _shaped(url, _TIERS, await self._http.get(url) or [])
        for tier in tiers:
            if tier.finality == finality:
                return Fraction(tier.minimum_fee) / 10_000
        raise OutsideTerms(f"Circle offers no transfer at finality {finality} from domain {source} to {target}")

    async def fast_allowance(self) -> Fraction | None:
        """Whole USDC that Fast can still take, over all customers; None when the service does not say."""
        url = f"{self._url}/v2/fastBurn/USDC/allowance"
        answer = await self._http.get(url)
        return None if answer is None else Fraction(_shaped(url, _ALLOWANCE, answer).allowance)

    async def messages(self, source: int, transaction: str) -> list[Entry]:
        """The messages of a burn transaction by log index; empty while Circle has not seen it (404)."""
        url = f"{self._url}/v2/messages/{source}"
        answer = await self._http.get(url, {"transactionHash": transaction})
        return [] if answer is None else _shaped(url, _MESSAGES, answer).messages

    async def reattest(self, nonce: bytes) -> None:
        """Asks for a fresh attestation of an expired Fast message. Asking twice does no harm."""
        await self._http.post(f"{self._url}/v2/reattest/0x{nonce.hex()}", {})


def _shaped(url: str, shape: TypeAdapter[_T], answer: Any) -> _T:
    try:
        return shape.validate_python(answer)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Unknowable(f"{url} answers in another shape than documented: {where or 'answer'}: {first['msg']}") from None
