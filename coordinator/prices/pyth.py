"""Pyth feeds over a Hermes API: one request for all feeds of one address, refused unless young and certain.

`GET /v2/updates/price/latest?ids[]=…&parsed=true`, https://hermes.pyth.network/docs: integers as text, `expo` for the point.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridges.http import Http
from chains.errors import Fault
from coordinator.config.quantities import show_rate
from coordinator.prices.age import too_old
from coordinator.prices.base import Answers, Pyth, Said, Silent

_Digits = Annotated[str, Field(pattern=r"^-?\d{1,40}$")]


class _Price(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)

    price: _Digits
    conf: _Digits
    expo: int = Field(ge=-36, le=36)
    publish_time: int = Field(ge=0)


class _Feed(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)

    id: Annotated[str, Field(pattern=re.compile(r"^(0x)?[0-9a-fA-F]{64}$"))]
    price: _Price


class _Answer(BaseModel):
    """What is used of Hermes' answer; it holds more, which is not an error."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)

    parsed: tuple[_Feed, ...]


async def ask(url: str, sources: Sequence[Pyth], http: Http, now: int) -> Answers:
    """What each feed at `url` says, USD per whole unit. A fault of the network silences all of them."""
    feeds = sorted({source.feed for source in sources})
    query = urlencode([*(("ids[]", feed) for feed in feeds), ("parsed", "true"), ("encoding", "hex")])
    try:
        answer = await http.get(f"{url}/v2/updates/price/latest?{query}")
    except Fault as fault:
        told = f"{urlsplit(url).hostname} gives no price ({type(fault).__name__})"  # the fault names the whole URL, which may hold a key
        return {source: Silent(str(source), told) for source in sources}
    return judge(sources, answer, now)


def judge(sources: Sequence[Pyth], answer: Any, now: int) -> Answers:
    """Hermes' answer as prices. Pure. A feed that is not in the answer is silent.

    Hermes answers 404 (here None) to all when it does not know one: a wrong id silences its whole address, which is on the safe side.
    """
    if answer is None:
        return {source: Silent(str(source), "one of the feeds asked for is not known there") for source in sources}
    try:
        parsed = _Answer.model_validate(answer).parsed
    except ValidationError:
        return {source: Silent(str(source), "the answer is not Hermes' (parsed prices are missing)") for source in sources}
    by_id = {feed.id.removeprefix("0x").lower(): feed.price for feed in parsed}
    return {source: _judge(source, by_id.get(source.feed), now) for source in sources}


def _judge(source: Pyth, said: _Price | None, now: int) -> Said | Silent:
    if said is None:
        return Silent(str(source), "is not in the answer")
    price, confidence = int(said.price), int(said.conf)
    if price <= 0 or confidence < 0:
        return Silent(str(source), f"answers {price} give or take {confidence}, which is no price")
    if Fraction(confidence, price) > source.max_conf:
        found = show_rate(Fraction(confidence, price))
        return Silent(str(source), f"is uncertain by {found}, allowed are {show_rate(source.max_conf)}")
    refusal = too_old(said.publish_time, now, source.max_age)
    if refusal:
        return Silent(str(source), refusal)
    return Said(str(source), price * Fraction(10) ** said.expo, said.publish_time)
