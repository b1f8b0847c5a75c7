"""The Solana endpoints of one chain asked whole questions, and how many trust domains must agree on the answer.

`chains.rpc` agrees on single requests; a question here may be several requests that must go to one and the
same endpoint in order (a finalized height, then a status looked up after it).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, TypeVar

from chains.errors import Fault, Unknowable, Unreachable, WrongNetwork
from chains.ids import ChainId
from chains.solana.transport import Node

Answer = TypeVar("Answer")
Firm = TypeVar("Firm", bound=Hashable)
Ask = Callable[[Node], Awaitable[Answer]]


class Nodes:
    """All endpoints of one chain. A single one that speaks for another network fails the chain closed.

    `every` gives each endpoint's own answer, `decide` the answer that `quorum` trust domains agree on,
    `observe` the first answer of anyone (for what is only shown, or is checked otherwise).
    """

    def __init__(self, chain: ChainId, nodes: Sequence[Node], quorum: int) -> None:
        self.chain, self.nodes, self.quorum = chain, tuple(nodes), quorum

    async def every(self, ask: Ask[Answer]) -> list[tuple[Node, Answer | Fault]]:
        """Each endpoint's answer, or the fault it met. Raises WrongNetwork; raises the first fault when all failed."""
        answers = await asyncio.gather(*(self._one(node, ask) for node in self.nodes))
        faults = [answer for answer in answers if isinstance(answer, Fault)]
        for fault in faults:
            if isinstance(fault, WrongNetwork):
                raise fault
        if len(faults) == len(answers):
            raise faults[0]
        return list(zip(self.nodes, answers, strict=True))

    async def decide(self, what: str, ask: Ask[Firm]) -> Firm:
        """The answer that `quorum` trust domains gave. Raises Unknowable when there is none."""
        answers = await self.every(ask)
        found: dict[Firm, set[str]] = {}
        for node, answer in answers:
            if not isinstance(answer, Fault):
                found.setdefault(answer, set()).add(node.trust_domain)
        agreed = [answer for answer, domains in found.items() if len(domains) >= self.quorum]
        if len(agreed) == 1:
            return agreed[0]
        raise Unknowable(f"{self.chain}: {what}: {self._dissent(answers, len(found))}")

    async def observe(self, ask: Ask[Answer]) -> Answer:
        """The first answer anyone gives, asked in the configured order. Raises the last fault when there is none."""
        fault: Fault = Unreachable(f"{self.chain} has no endpoint")
        for node in self.nodes:
            answer = await self._one(node, ask)
            if not isinstance(answer, Fault):
                return answer
            if isinstance(answer, WrongNetwork):
                raise answer
            fault = answer
        raise fault

    async def aclose(self) -> None:
        for node in self.nodes:
            await node.aclose()

    async def _one(self, node: Node, ask: Ask[Answer]) -> Answer | Fault:
        try:
            return await ask(node)
        except Fault as fault:
            return fault

    def _dissent(self, answers: Sequence[tuple[Node, object]], different: int) -> str:
        failed = [str(answer) for _, answer in answers if isinstance(answer, Fault)]
        heard = {node.trust_domain for node, answer in answers if not isinstance(answer, Fault)}
        told = f"{len(heard)} trust domain(s) answered with {different} different answer(s), {self.quorum} must agree"
        return "; ".join([told, *failed])


def witnesses(nodes: Sequence[Node]) -> int:
    """How many independent operators these endpoints are."""
    return len({node.trust_domain for node in nodes})


def reached(quorum: int, heights: Sequence[tuple[Node, int]]) -> int:
    """The highest number that `quorum` trust domains have reached. Raises Unknowable when fewer answered."""
    best: dict[str, int] = {}
    for node, height in heights:
        best[node.trust_domain] = max(height, best.get(node.trust_domain, height))
    if len(best) < quorum:
        raise Unknowable(f"{len(best)} trust domain(s) answered, {quorum} must")
    return sorted(best.values(), reverse=True)[quorum - 1]


def heard(answers: Sequence[tuple[Node, Answer | Fault]]) -> list[tuple[Node, Answer]]:
    return [(node, answer) for node, answer in answers if not isinstance(answer, Fault)]


def field(node: Node, answer: Any, *path: str) -> Any:
    """A value inside a JSON answer. Raises Unknowable when the answer is not shaped so."""
    for name in path:
        if not isinstance(answer, dict) or name not in answer:
            raise Unknowable(f"{node.place} answers without {'.'.join(path)}")
        answer = answer[name]
    return answer


def integer(node: Node, answer: Any, *path: str) -> int:
    value = field(node, answer, *path)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unknowable(f"{node.place} answers {'.'.join(path)} that is no whole number")
    return value
