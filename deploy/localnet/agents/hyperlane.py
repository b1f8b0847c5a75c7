"""Hyperlane's validators and relayer of the local network: every final message is signed, delivered and paid for.

Nothing is remembered on disk: after a restart the origins are read again from their first block, and each target is
asked what it already has.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, web
from solders.pubkey import Pubkey

from deploy.localnet.agents.checkpoints import Checkpoint, metadata
from deploy.localnet.agents.evm import evm_endpoints, solana_entry
from deploy.localnet.agents.jsonrpc import JsonRpc, RpcFault
from deploy.localnet.agents.origins import EvmOrigin, Origin, SolanaOrigin
from deploy.localnet.agents.process import Controls, run
from deploy.localnet.agents.targets import EvmTarget, SolanaTarget, Target

POLL_S = 0.25
FIRST_RETRY_S, LAST_RETRY_S = 0.5, 8.0
OWN_CONTROLS: dict[str, Any] = {"validators_live": 3}
log = logging.getLogger("agent")


@dataclass(slots=True)
class Job:
    """A message on its way. `due`: when it is looked at next, on the monotonic clock.

    `state`: waiting, sent (there, but a reorg could take it back), delivered (there for good).
    """

    checkpoint: Checkpoint
    due: float
    state: str = "waiting"
    tries: int = 0
    transaction: str | None = None
    fault: str | None = None

    def to_json(self) -> dict[str, Any]:
        message = self.checkpoint.message
        return {
            "id": "0x" + message.id.hex(),
            "origin": message.origin,
            "target": message.target,
            "nonce": message.nonce,
            "state": self.state,
            "tries": self.tries,
            "transaction": self.transaction,
            "fault": self.fault,
        }


class Hyperlane:
    delays_answers = False

    def __init__(self, origins: Sequence[Origin], targets: Sequence[Target], first_retry_s: float = FIRST_RETRY_S) -> None:
        self.controls = Controls(OWN_CONTROLS)
        self._first_retry_s = first_retry_s
        self._origins = origins
        self._targets = {target.domain: target for target in targets}
        self._jobs: dict[bytes, Job] = {}

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/messages", self._show_all), web.get("/messages/{id}", self._show)]

    def state(self) -> dict[str, Any]:
        states = [job.state for job in self._jobs.values()]
        return {name: states.count(name) for name in ("waiting", "sent", "delivered")}

    async def _show_all(self, _request: web.Request) -> web.Response:
        return web.json_response([job.to_json() for job in self._jobs.values()])

    async def _show(self, request: web.Request) -> web.Response:
        for message_id, job in self._jobs.items():
            if request.match_info["id"].removeprefix("0x") == message_id.hex():
                return web.json_response(job.to_json())
        return web.json_response({"error": "no such message seen"}, status=404)

    async def work(self) -> None:
        while True:
            if not self.controls.paused:
                await self.turn()
            await asyncio.sleep(POLL_S)

    async def turn(self) -> None:
        """Look at every origin once and try every message that is due, one after another for each target."""
        await asyncio.gather(*(self._collect(origin) for origin in self._origins))
        open_jobs = [job for job in self._jobs.values() if job.state != "delivered"]
        by_target = [[job for job in open_jobs if job.checkpoint.message.target == domain] for domain in self._targets]
        await asyncio.gather(*(self._deliver_all(jobs) for jobs in by_target if jobs))

    async def _collect(self, origin: Origin) -> None:
        try:
            found = await origin.new()
        except (RpcFault, ValueError) as fault:
            log.warning("origin %d: %s", origin.domain, fault)
            return
        for checkpoint in found:
            due = time.monotonic() + self.controls.delay_s
            self._jobs[checkpoint.message.id] = Job(checkpoint, due)
            log.info("seen 0x%s from %d", checkpoint.message.id.hex(), origin.domain)

    async def _deliver_all(self, jobs: list[Job]) -> None:
        for job in jobs:
            if job.due <= time.monotonic() and not self.controls.paused:
                await self._deliver(job)

    async def _deliver(self, job: Job) -> None:
        """One look and, where the message is not there, one try; whatever goes wrong only moves the next one."""
        message = job.checkpoint.message
        target = self._targets[message.target]
        try:
            if await target.delivered(message, final=True):
                job.state, job.fault = "delivered", None
                log.info("delivered 0x%s to %d: %s", message.id.hex(), target.domain, job.transaction)
                return
            if not await target.delivered(message, final=False):
                job.state = "waiting"
                job.transaction = await self._send(job, target)
                log.info("sent 0x%s to %d: %s", message.id.hex(), target.domain, job.transaction)
            job.state, job.fault, job.due = "sent", None, time.monotonic() + self._first_retry_s
        except (RpcFault, ValueError) as fault:
            job.tries += 1
            job.fault = str(fault)
            job.due = time.monotonic() + min(self._first_retry_s * 2 ** min(job.tries, 10), LAST_RETRY_S)
            log.warning("try %d of 0x%s to %d: %s", job.tries, message.id.hex(), target.domain, fault)

    async def _send(self, job: Job, target: Target) -> str:
        if self.controls.takes_failure():
            raise RpcFault("the delivery was asked to fail")
        signed = metadata(job.checkpoint, self.controls.own["validators_live"])
        if signed is None:
            raise RpcFault(f"waiting for validators: {self.controls.own['validators_live']} live, too few to sign")
        return await target.deliver(job.checkpoint.message, signed)


def make(book: dict[str, Any], session: ClientSession) -> Hyperlane:
    chains = list(evm_endpoints(book, session))
    origins: list[Origin] = [EvmOrigin(chain) for chain in chains]
    targets: list[Target] = [EvmTarget(chain) for chain in chains]
    solana = solana_entry(book)
    rpc = JsonRpc(session, solana["rpc"][0])
    mailbox = Pubkey.from_string(solana["programs"]["mailbox"])
    origins.append(SolanaOrigin(rpc, int(solana["hyperlane_domain"]), mailbox))
    targets.append(SolanaTarget(rpc, solana))
    return Hyperlane(origins, targets)


if __name__ == "__main__":
    run("hyperlane", make)
