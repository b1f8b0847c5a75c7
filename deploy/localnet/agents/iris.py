"""The CCTP v2 attestation service of the local network, in the shapes of Circle's Iris API.

It holds no state that matters: a message is read from the chain when somebody asks, and its nonce is derived from
where it was emitted, so a restart or a reorg of the source changes nothing that was true.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.typedefs import Handler
from eth_typing import Hash32
from eth_utils.crypto import keccak

from deploy.localnet.accounts import CCTP_ATTESTERS, account
from deploy.localnet.agents.burn_message import FAST, STANDARD, BurnMessage
from deploy.localnet.agents.evm import EvmEndpoint, evm_endpoints, one_bytes, topic
from deploy.localnet.agents.jsonrpc import RpcFault
from deploy.localnet.agents.process import Controls, for_ever, json_error, run

MESSAGE_SENT = topic("MessageSent(bytes)")
TRANSMITTER = "CctpMessageTransmitter"
PENDING = "pending_confirmations"
BPS = 10_000
UNITS = 10**6
OWN_CONTROLS: dict[str, Any] = {
    "fast_fee_bps": "1",  # decimal text: Circle's fees have decimals
    "fast_confirmations": 1,  # blocks on top of the burn's before a fast attestation
    "fast_allowance": 10_000_000,  # whole USDC; a larger fast burn takes the standard way
    "expiry_blocks": 86_400,  # of the target chain, from the first fast attestation on
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A MessageSent event: the raw message and where it lies."""

    message: BurnMessage
    transaction: str
    log_index: int
    block: int

    @property
    def nonce(self) -> bytes:
        """Unique for the event and always the same: keccak of domain, transaction hash and log index."""
        place = self.message.source.to_bytes(4, "big") + bytes.fromhex(self.transaction[2:])
        return keccak(place + self.log_index.to_bytes(4, "big"))


def attest(message: bytes) -> bytes:
    """Both attesters' signatures over keccak(message), no prefix, in ascending order of their addresses."""
    signers = sorted((account(role, 31337001) for role in CCTP_ATTESTERS), key=lambda s: int(s.address, 16))
    digest, joined = keccak(message), b""
    for signer in signers:
        signature = signer.unsafe_sign_hash(Hash32(digest))
        joined += signature.r.to_bytes(32, "big") + signature.s.to_bytes(32, "big") + bytes([signature.v])
    return joined


class Iris:
    delays_answers = False

    def __init__(self, book: dict[str, Any], session: ClientSession) -> None:
        self.controls = Controls(OWN_CONTROLS)
        self._chains = {chain.cctp_domain: chain for chain in evm_endpoints(book, session)}
        self._attested: dict[bytes, BurnMessage] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v2/messages/{domain}", self._guarded(self.messages)),
            web.post("/v2/reattest/{nonce}", self._guarded(self.reattest)),
            web.get("/v2/burn/USDC/fees/{source}/{target}", self._guarded(self.fees)),
            web.get("/v2/fastBurn/USDC/allowance", self._guarded(self.allowance)),
        ]

    def state(self) -> dict[str, Any]:
        return {"domains": sorted(self._chains), "attested": len(self._attested)}

    async def work(self) -> None:
        await for_ever()

    def _guarded(self, answer: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            if self.controls.takes_failure():
                return json_error(500, error="Internal server error")
            try:
                return await answer(request)
            except RpcFault as fault:  # a chain is away: so is what the service knows of it
                return json_error(503, error=f"Source chain unavailable: {fault}")
            except (ValueError, ArithmeticError) as error:
                return json_error(400, error=str(error))

        return handle

    # -- the API -------------------------------------------------------------------------------------------------

    async def messages(self, request: web.Request) -> web.Response:
        """By `transactionHash` or `nonce`; 404 until the burn is mined."""
        chain = self._chain(request.match_info["domain"])
        if "transactionHash" in request.query:
            sent = await self._in_transaction(chain, request.query["transactionHash"])
        elif "nonce" in request.query:
            sent = [s for s in await self._all(chain) if s.nonce == _nonce(request.query["nonce"])]
        else:
            return json_error(400, error="Either transactionHash or nonce must be given")
        if not sent:
            return json_error(404, error="Message not found")
        return web.json_response({"messages": [await self._show(chain, each) for each in sent]})

    async def reattest(self, request: web.Request) -> web.Response:
        """A fresh attestation: standard when the burn is final by now, else fast with a new expiration."""
        wanted = _nonce(request.match_info["nonce"])
        for chain in self._chains.values():
            for sent in await self._all(chain):
                if sent.nonce != wanted:
                    continue
                self._attested.pop(wanted, None)
                if await self._is_final(chain, sent):
                    self._attested[wanted] = sent.message.filled(nonce=wanted, finality=STANDARD)
                text = "Re-attestation successfully requested for nonce."
                return web.json_response({"message": text, "nonce": "0x" + wanted.hex()})
        return json_error(404, error="Nonce not found")

    async def fees(self, request: web.Request) -> web.Response:
        for name in ("source", "target"):
            self._chain(request.match_info[name])
        tiers = {FAST: Decimal(self.controls.own["fast_fee_bps"]), STANDARD: Decimal(0)}
        # A JSON number with decimals is Circle's shape; it is text here until the last step.
        shown = ",".join(f'{{"finalityThreshold":{level},"minimumFee":{bps}}}' for level, bps in tiers.items())
        return web.Response(text=f"[{shown}]", content_type="application/json")

    async def allowance(self, _request: web.Request) -> web.Response:
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return web.json_response({"allowance": self.controls.own["fast_allowance"], "lastUpdated": now})

    # -- what is known -------------------------------------------------------------------------------------------

    def _chain(self, domain: str) -> EvmEndpoint:
        chain = self._chains.get(int(domain))
        if chain is None:
            raise ValueError(f"domain {domain} is not supported; supported: {sorted(self._chains)}")
        return chain

    async def _in_transaction(self, chain: EvmEndpoint, transaction: str) -> list[Sent]:
        receipt = await chain.receipt(transaction)
        return [] if receipt is None else self._sent(chain, receipt["logs"])

    async def _all(self, chain: EvmEndpoint) -> list[Sent]:
        last = await chain.block_number()
        return self._sent(chain, await chain.logs([chain.contracts[TRANSMITTER]], [MESSAGE_SENT], 0, last))

    def _sent(self, chain: EvmEndpoint, logs: list[dict[str, Any]]) -> list[Sent]:
        transmitter = chain.contracts[TRANSMITTER].lower()  # v1 emits the same event: only this address counts
        return [
            Sent(
                BurnMessage(one_bytes(log["data"])),
                log["transactionHash"],
                int(log["logIndex"], 16),
                int(log["blockNumber"], 16),
            )
            for log in logs
            if log["address"].lower() == transmitter and log["topics"][0] == MESSAGE_SENT
        ]

    # -- attesting -----------------------------------------------------------------------------------------------

    async def _show(self, chain: EvmEndpoint, sent: Sent) -> dict[str, Any]:
        delay_reason = self._delay_reason(sent.message)
        attested = self._attested.get(sent.nonce) or await self._attest(chain, sent, delay_reason)
        shown = {"eventNonce": "0x" + sent.nonce.hex(), "cctpVersion": 2, "delayReason": delay_reason}
        if attested is None:
            return shown | {"status": PENDING, "message": "0x", "attestation": "PENDING", "decodedMessage": None}
        self._attested[sent.nonce] = attested
        return shown | {
            "status": "complete",
            "message": "0x" + attested.raw.hex(),
            "attestation": "0x" + attest(attested.raw).hex(),
            "decodedMessage": attested.decoded(),
            "delayReason": None,
        }

    async def _attest(self, chain: EvmEndpoint, sent: Sent, delay_reason: str | None) -> BurnMessage | None:
        """The message as attested, or None while the burn is not deep enough or a test delays it."""
        if self.controls.delay_s and time.time() < await chain.block_time(sent.block) + self.controls.delay_s:
            return None
        fast = self._wants_fast(sent.message) and delay_reason is None
        if fast:
            deep = await chain.block_number() >= sent.block + self.controls.own["fast_confirmations"]
        else:
            deep = await self._is_final(chain, sent)
        if not deep:
            return None
        if not fast:
            return sent.message.filled(nonce=sent.nonce, finality=STANDARD)
        target = self._chains.get(sent.message.target)
        expires = await target.block_number() + self.controls.own["expiry_blocks"] if target else 0
        fee = self._fast_fee(sent.message)
        return sent.message.filled(nonce=sent.nonce, finality=FAST, fee=fee, expiration_block=expires)

    def _wants_fast(self, message: BurnMessage) -> bool:
        return message.is_burn and message.least_finality <= FAST

    def _fast_fee(self, message: BurnMessage) -> int:
        """Base units, rounded up."""
        share = message.amount * Decimal(self.controls.own["fast_fee_bps"]) / BPS
        return int(share.to_integral_value(rounding="ROUND_CEILING"))

    def _delay_reason(self, message: BurnMessage) -> str | None:
        """Why a message that asked for the fast way takes the standard one."""
        if not self._wants_fast(message):
            return None
        if message.fee_at_most < self._fast_fee(message):
            return "insufficient_fee"
        if message.amount > self.controls.own["fast_allowance"] * UNITS:
            return "insufficient_allowance_available"
        return None

    async def _is_final(self, chain: EvmEndpoint, sent: Sent) -> bool:
        return await chain.block_number("finalized") >= sent.block


def _nonce(text: str) -> bytes:
    raw = bytes.fromhex(text.removeprefix("0x"))
    if len(raw) != 32:
        raise ValueError(f"a nonce has 32 bytes, {text!r} has {len(raw)}")
    return raw


if __name__ == "__main__":
    run("iris", Iris)
