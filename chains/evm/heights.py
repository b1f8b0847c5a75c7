"""Heights on which the quorum agrees: the newest block all deciding domains have, and the newest finalized one.

Providers stand at different heights, so the agreed height is the highest that `quorum` trust domains have reached;
its hash must then be the same for all of them. The finalized height never goes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chains.base import Height
from chains.errors import Fault, Unknowable, WrongNetwork
from chains.evm import normal
from chains.rpc import Answer, EndpointPool
from chains.together import Together


class FinalityBroken(Fault):
    """A block the chain had called final was replaced. Nothing may be decided on this chain until a person looks (HALT)."""


class Heights:
    """`finality`: the tag `finalized`, or a depth below the newest block."""

    def __init__(self, pool: EndpointPool, name: str, finality: str | int) -> None:
        self._pool = pool
        self._name = name
        self._finality = finality
        self._newest = Together(self._find_newest)
        self._finalized = Together(self._advance)  # one at a time, else a slow answer would look like finality going back
        self._last: Height | None = None  # the newest finalized height ever seen

    async def newest(self) -> int:
        """The highest block number that the quorum has."""
        return await self._newest.answer()

    async def _find_newest(self) -> int:
        return self.reached(await self._pool.poll("eth_blockNumber", [], lambda value: int(value, 16)))

    async def at(self, number: int) -> Height:
        """The canonical block of that number, by quorum. Raises Unknowable when it is not there."""
        block = await self._pool.decide("eth_getBlockByNumber", [hex(number), False], _height)
        if block is None:
            raise Unknowable(f"{self._name}: no endpoint has block {number}")
        return Height(*block)

    async def finalized(self) -> Height:
        """Raises Unknowable while it cannot be told, FinalityBroken when a final block was replaced."""
        return await self._finalized.answer()

    async def _advance(self) -> Height:
        height = await self._find_finalized()
        if self._last is not None:
            await self._check_progress(self._last, height)
        self._last = height
        return height

    async def _find_finalized(self) -> Height:
        if isinstance(self._finality, int):
            return await self.at(max(0, await self.newest() - self._finality))
        answers = await self._pool.poll("eth_getBlockByNumber", [self._finality, False], _height)
        number = self.reached([_number_only(answer) for answer in answers])
        return self._agreed(number, answers) or await self.at(number)

    def _agreed(self, number: int, answers: Sequence[Answer]) -> Height | None:
        """The block of that number when the quorum has told it already and nobody tells another."""
        told = [answer for answer in answers if answer.fault is None and answer.value is not None and answer.value[0] == number]
        same = {tuple(answer.value) for answer in told}
        enough = len({answer.trust_domain for answer in told}) >= self._pool.quorum
        return Height(*same.pop()) if enough and len(same) == 1 else None

    async def _check_progress(self, last: Height, now: Height) -> None:
        if now.number < last.number:
            raise Unknowable(
                f"{self._name}: the finalized height went back from {last.number} to {now.number}; waiting for the endpoints to catch up"
            )
        same = now if now.number == last.number else await self.at(last.number)
        if same.hash != last.hash:
            raise FinalityBroken(
                f"{self._name}: finalized block {last.number} was {last.hash} and is now {same.hash}. "
                "Nothing is decided on this chain until a person has looked at it"
            )

    def reached(self, answers: Sequence[Answer]) -> int:
        """The highest number that at least `quorum` trust domains have reached."""
        best: dict[str, int] = {}
        for answer in answers:
            if isinstance(answer.fault, WrongNetwork):
                raise answer.fault
            if answer.fault is None and answer.value is not None:
                best[answer.trust_domain] = max(answer.value, best.get(answer.trust_domain, 0))
        if len(best) < self._pool.quorum:
            said = "; ".join(str(answer) for answer in answers)
            raise Unknowable(f"{self._name}: the height needs {self._pool.quorum} trust domain(s), {len(best)} answered: {said}")
        return sorted(best.values(), reverse=True)[self._pool.quorum - 1]


def _height(value: Any) -> Any:
    block = normal.block(value)
    return [int(block["number"], 16), block["hash"], int(block["timestamp"], 16)]


def _number_only(answer: Answer) -> Answer:
    value = None if answer.value is None else answer.value[0]
    return Answer(answer.endpoint, answer.trust_domain, value, answer.fault)
