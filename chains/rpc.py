"""The endpoint pool: many addresses, few witnesses.

Trust domains are counted, not addresses: two endpoints of one operator are one witness. A read that *decides*
(moves a state, posts to the ledger, leads to a signature) needs `quorum` domains to give the same answer; losing
providers never lowers that bar. A read that only *shows* takes any endpoint. A send goes to all, once each.
A contradiction is kept as a Dispute with every answer, for people and metrics.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from chains.endpoint import Endpoint, Identity, Json, Refused
from chains.errors import Fault, RateLimited, Unknowable, Unreachable, WrongNetwork
from chains.settings import ChainSettings

STRAGGLERS = 1.0  # seconds given to the slower endpoints, once the quorum has agreed, to disagree on record
KEPT_DISPUTES = 100

Normal = Callable[[Json], Json]
Enough = Callable[[Sequence["Answer"], int], object]  # true when waiting for more than stragglers can change nothing


@dataclass(frozen=True, slots=True)
class Answer:
    """What one endpoint said: a JSON value, or the fault that stands in its place."""

    endpoint: str
    trust_domain: str
    value: Json = None
    fault: Fault | None = None

    def __str__(self) -> str:
        said = str(self.fault) if self.fault else json.dumps(self.value)
        return f"{self.endpoint}: {said[:200]}"


@dataclass(frozen=True, slots=True)
class Dispute:
    """Trust domains contradicted each other. `settled`: the quorum agreed all the same, against a minority."""

    method: str
    params: str
    answers: tuple[str, ...]
    settled: bool


def as_it_is(value: Json) -> Json:
    return value


class EndpointPool:
    """All endpoints of one chain. `disputes` holds the latest contradictions, `dispute_count` all of them ever seen."""

    def __init__(self, settings: ChainSettings, identity: Identity) -> None:
        self._name = str(settings.id)
        self._quorum = settings.quorum
        self._endpoints = [Endpoint(one, identity, settings.timeout) for one in settings.endpoints]
        self._preferred = 0  # where observing reads start: the endpoint that answered last
        self.disputes: deque[Dispute] = deque(maxlen=KEPT_DISPUTES)
        self.dispute_count = 0

    @property
    def quorum(self) -> int:
        return self._quorum

    async def decide(self, method: str, params: Sequence[Json], normal: Normal = as_it_is) -> Json:
        """The answer on which `quorum` trust domains agree, in its normal form.

        `normal` drops what providers may rightly differ in; it raises ValueError, KeyError or TypeError for a malformed
        answer, which then counts as missing. None ("not known here") contradicts nothing and is the answer only when the
        quorum gives it and nobody knows better. Raises Unknowable when domains contradict each other or too few answer,
        Refused when the quorum gives the same JSON-RPC error, RateLimited or Unreachable when nobody answers, WrongNetwork.
        """
        answers = await self._collect(method, params, normal, _agreed)
        return self._verdict(method, params, answers)

    async def poll(self, method: str, params: Sequence[Json], normal: Normal = as_it_is) -> Sequence[Answer]:
        """Each endpoint's own answer, for questions whose right answers may differ (such as the newest height).

        Once `quorum` domains have answered, the others get a short grace; who stays silent is left out.
        """
        return await self._collect(method, params, normal, _answered)

    async def observe(self, method: str, params: Sequence[Json], normal: Normal = as_it_is) -> Json:
        """Any one endpoint's answer; only to show, to estimate or to simulate. Raises the most telling fault when all fail."""
        faults: list[Fault] = []
        count = len(self._endpoints)
        for offset in range(count):
            place = (self._preferred + offset) % count
            answer = await _ask(self._endpoints[place], method, params, normal)
            if answer.fault is None:
                self._preferred = place
                return answer.value
            faults.append(answer.fault)
            if isinstance(answer.fault, WrongNetwork):
                break
        raise _most_telling(faults)

    async def broadcast(self, method: str, params: Sequence[Json]) -> Sequence[Answer]:
        """Send to every endpoint, exactly once each, and give back what each said.

        No answer proves that nothing was sent, so the caller must treat every outcome but an acceptance as doubt.
        Raises WrongNetwork before anything is sent when one endpoint speaks for another network.
        """
        checks = await asyncio.gather(*(_verified(endpoint) for endpoint in self._endpoints))
        for check in checks:
            if isinstance(check.fault, WrongNetwork):
                raise check.fault
        ready = [endpoint for endpoint, check in zip(self._endpoints, checks, strict=True) if check.fault is None]
        sent = await asyncio.gather(*(_ask(endpoint, method, params, as_it_is) for endpoint in ready))
        return [*sent, *(check for check in checks if check.fault is not None)]

    async def aclose(self) -> None:
        for endpoint in self._endpoints:
            await endpoint.aclose()

    async def _collect(self, method: str, params: Sequence[Json], normal: Normal, enough: Enough) -> list[Answer]:
        tasks = [asyncio.create_task(_ask(endpoint, method, params, normal)) for endpoint in self._endpoints]
        waiting = set(tasks)
        answers: list[Answer] = []
        try:
            while waiting:
                settled = bool(enough(answers, self._quorum))
                done, waiting = await asyncio.wait(waiting, timeout=STRAGGLERS if settled else None, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    break
                answers.extend(task.result() for task in done)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        return [task.result() for task in tasks if not task.cancelled()]  # in the order of the configuration

    def _verdict(self, method: str, params: Sequence[Json], answers: Sequence[Answer]) -> Json:
        for answer in answers:
            if isinstance(answer.fault, WrongNetwork):
                raise answer.fault
        winners = _agreed(answers, self._quorum)
        known = [answer for answer in answers if answer.fault is None and answer.value is not None]
        if len({_key(answer) for answer in known}) > 1:
            self._record(method, params, known, settled=len(winners) == 1)
        if len(winners) == 1:
            return winners[0].value
        absent = _domains(answer for answer in answers if answer.fault is None and answer.value is None)
        if not known and len(absent) >= self._quorum:
            return None
        refusals = [answer for answer in answers if isinstance(answer.fault, Refused)]
        if not known and not absent and (refusal := _same_refusal(refusals, self._quorum)):
            raise refusal
        raise self._shortfall(method, answers)

    def _record(self, method: str, params: Sequence[Json], answers: Sequence[Answer], settled: bool) -> None:
        self.dispute_count += 1
        self.disputes.append(Dispute(method, json.dumps(list(params))[:500], tuple(str(answer) for answer in answers), settled))

    def _shortfall(self, method: str, answers: Sequence[Answer]) -> Fault:
        faults = [answer.fault for answer in answers if answer.fault is not None]
        if len(faults) == len(answers) and not any(isinstance(fault, Refused) for fault in faults):
            return _most_telling(faults)
        said = "; ".join(str(answer) for answer in answers)
        return Unknowable(
            f"{self._name}: {method} needs the same answer from {self._quorum} trust domain(s), which these do not give: {said}"
        )


async def _ask(endpoint: Endpoint, method: str, params: Sequence[Json], normal: Normal) -> Answer:
    try:
        value = await endpoint.ask(method, params)
        shaped = None if value is None else normal(value)
    except Fault as fault:
        return Answer(endpoint.label, endpoint.trust_domain, fault=fault)
    except (ValueError, KeyError, TypeError) as problem:
        malformed = Unknowable(f"{endpoint.label} answers {method} in a wrong shape: {type(problem).__name__} {problem}")
        return Answer(endpoint.label, endpoint.trust_domain, fault=malformed)
    return Answer(endpoint.label, endpoint.trust_domain, value=shaped)


async def _verified(endpoint: Endpoint) -> Answer:
    try:
        await endpoint.verify()
    except Fault as fault:
        return Answer(endpoint.label, endpoint.trust_domain, fault=fault)
    return Answer(endpoint.label, endpoint.trust_domain)


def _key(answer: Answer) -> str:
    return json.dumps(answer.value, sort_keys=True)


def _domains(answers: Iterable[Answer]) -> set[str]:
    return {answer.trust_domain for answer in answers}


def _agreed(answers: Sequence[Answer], quorum: int) -> list[Answer]:
    """One answer for each value (never None) that `quorum` domains give; a domain that contradicts itself has no vote."""
    said: dict[str, set[str]] = {}
    for answer in answers:
        if answer.fault is None and answer.value is not None:
            said.setdefault(answer.trust_domain, set()).add(_key(answer))
    votes = [next(iter(keys)) for keys in said.values() if len(keys) == 1]
    winners = {key for key in votes if votes.count(key) >= quorum}
    firsts = {_key(answer): answer for answer in answers if answer.fault is None and answer.value is not None}
    return [firsts[key] for key in sorted(winners)]


def _answered(answers: Sequence[Answer], quorum: int) -> bool:
    return len(_domains(answer for answer in answers if answer.fault is None and answer.value is not None)) >= quorum


def _same_refusal(answers: Sequence[Answer], quorum: int) -> Refused | None:
    kinds: dict[str, list[Answer]] = {}
    for answer in answers:
        if isinstance(answer.fault, Refused):
            # Clients word the same refusal differently; code and data are what they share.
            kinds.setdefault(json.dumps([answer.fault.code, answer.fault.data]), []).append(answer)
    for same in kinds.values():
        fault = same[0].fault
        if len(_domains(same)) >= quorum and isinstance(fault, Refused):
            return fault
    return None


def _most_telling(faults: Sequence[Fault]) -> Fault:
    for kind in (WrongNetwork, Refused, RateLimited, Unknowable, Unreachable):
        for fault in faults:
            if isinstance(fault, kind):
                return fault
    return Unreachable("no endpoint is configured")
