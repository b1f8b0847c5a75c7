"""The swap API of the local network, in the shapes of Jupiter's Swap API v1, over our constant-product pool.

`GET /swap/v1/quote` and `POST /swap/v1/swap-instructions`. The least amount out is enforced by the program itself
(Custom(6001)), so a quote that was too good makes a transaction that fails, not one that loses.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import spl.token.instructions as spl
from aiohttp import ClientSession, web
from aiohttp.typedefs import Handler
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from spl.token.constants import WRAPPED_SOL_MINT
from spl.token.models import CloseAccountParams, SyncNativeParams

from deploy.localnet.agents.evm import solana_entry
from deploy.localnet.agents.jsonrpc import JsonRpc, RpcFault
from deploy.localnet.agents.process import Controls, for_ever, json_error, run
from deploy.localnet.solana import amm
from deploy.localnet.solana.amm import BPS, Pool, Trade, amount_out

SWAP_UNITS = 120_000  # opening two token accounts and a swap
DEFAULT_SLIPPAGE_BPS = 50
LABEL = "Local constant-product pool"
OWN_CONTROLS: dict[str, Any] = {"skew_bps": 0}
"""`skew_bps`: how much more than the truth a quote promises, to see what a caller does with a lying quote."""


class Refusal(Exception):
    """A request the API answers with an error of its own: `code` is Jupiter's errorCode."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Reserves:
    """A pool's vaults as seen at one slot; `reserve_in` is the side of the mint that is given."""

    pool: Pool
    reserve_in: int
    reserve_out: int
    slot: int


@dataclass(frozen=True, slots=True)
class Want:
    """What to build instructions for, read from a swap-instructions request."""

    user: Pubkey
    mint_in: Pubkey
    mint_out: Pubkey
    amount_in: int
    least_out: int
    wrap: bool
    target: Pubkey | None

    @classmethod
    def read(cls, body: dict[str, Any]) -> Want:
        quote, target = body["quoteResponse"], body.get("destinationTokenAccount")
        return cls(
            user=Pubkey.from_string(body["userPublicKey"]),
            mint_in=Pubkey.from_string(quote["inputMint"]),
            mint_out=Pubkey.from_string(quote["outputMint"]),
            amount_in=int(quote["inAmount"]),
            least_out=int(quote["otherAmountThreshold"]),
            wrap=bool(body.get("wrapAndUnwrapSol", True)),
            target=Pubkey.from_string(target) if target else None,
        )


class Jupiter:
    delays_answers = True

    def __init__(self, book: dict[str, Any], session: ClientSession) -> None:
        self.controls = Controls(OWN_CONTROLS)
        entry = solana_entry(book)
        self._rpc = JsonRpc(session, entry["rpc"][0])
        self._pools: list[str] = [pool["address"] for pool in entry["pools"]]

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/swap/v1/quote", self._guarded(self.quote)),
            web.post("/swap/v1/swap-instructions", self._guarded(self.swap_instructions)),
        ]

    def state(self) -> dict[str, Any]:
        return {"pools": self._pools}

    async def work(self) -> None:
        await for_ever()

    def _guarded(self, answer: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await answer(request)
            except Refusal as refusal:
                return json_error(400, error=str(refusal), errorCode=refusal.code)
            except (KeyError, ValueError, TypeError) as error:
                return json_error(400, error=f"Invalid request: {error}", errorCode="INVALID_REQUEST")
            except RpcFault as fault:
                return json_error(503, error=f"Solana is unavailable: {fault}", errorCode="UNAVAILABLE")

        return handle

    # -- the API -------------------------------------------------------------------------------------------------

    async def quote(self, request: web.Request) -> web.Response:
        wanted = request.query
        if wanted.get("swapMode", "ExactIn") != "ExactIn":
            raise Refusal("Only swapMode ExactIn is supported", "NOT_SUPPORTED")
        mint_in, mint_out = Pubkey.from_string(wanted["inputMint"]), Pubkey.from_string(wanted["outputMint"])
        amount, slippage = int(wanted["amount"]), int(wanted.get("slippageBps", DEFAULT_SLIPPAGE_BPS))
        if amount <= 0 or not 0 <= slippage <= BPS:
            raise ValueError("amount must be positive and slippageBps between 0 and 10000")
        at = await self._reserves(mint_in, mint_out)
        out = amount_out(amount, at.reserve_in, at.reserve_out, at.pool.fee_bps)
        out = out * (BPS + int(self.controls.own["skew_bps"])) // BPS
        return web.json_response(_quote_json(at, (mint_in, mint_out), (amount, out), slippage))

    async def swap_instructions(self, request: web.Request) -> web.Response:
        want = Want.read(await request.json())
        at = await self._reserves(want.mint_in, want.mint_out)
        return web.json_response(_instructions_json(at.pool, want))

    # -- the pools -----------------------------------------------------------------------------------------------

    async def _reserves(self, mint_in: Pubkey, mint_out: Pubkey) -> Reserves:
        found = await self._accounts(self._pools)
        for address, account in zip(self._pools, found["value"], strict=True):
            if account is None:
                continue
            pool = Pool.decode(Pubkey.from_string(address), base64.b64decode(account["data"][0]))
            if mint_in == mint_out or {mint_in, mint_out} != {pool.mint_a, pool.mint_b}:
                continue
            vaults = await self._accounts([str(vault) for vault in pool.vaults(mint_in)])
            datas = [base64.b64decode(vault["data"][0]) for vault in vaults["value"]]
            reserve_in, reserve_out = (int.from_bytes(data[64:72], "little") for data in datas)
            return Reserves(pool, reserve_in, reserve_out, vaults["context"]["slot"])
        raise Refusal("Could not find any route", "COULD_NOT_FIND_ANY_ROUTE")

    async def _accounts(self, keys: list[str]) -> Any:
        return await self._rpc.call("getMultipleAccounts", keys, {"encoding": "base64", "commitment": "processed"})


def _quote_json(at: Reserves, mints: tuple[Pubkey, Pubkey], amounts: tuple[int, int], slippage: int) -> dict[str, Any]:
    given, out = amounts
    fee = given - given * (BPS - at.pool.fee_bps) // BPS
    at_spot = Decimal(given) * at.reserve_out / at.reserve_in
    impact = max(Decimal(0), 1 - Decimal(out) / at_spot) if at_spot else Decimal(0)
    swap = {
        "ammKey": str(at.pool.address),
        "label": LABEL,
        "inputMint": str(mints[0]),
        "outputMint": str(mints[1]),
        "inAmount": str(given),
        "outAmount": str(out),
        "feeAmount": str(fee),
        "feeMint": str(mints[0]),
    }
    return {
        "inputMint": str(mints[0]),
        "inAmount": str(given),
        "outputMint": str(mints[1]),
        "outAmount": str(out),
        "otherAmountThreshold": str(out * (BPS - slippage) // BPS),
        "swapMode": "ExactIn",
        "slippageBps": slippage,
        "platformFee": None,
        "priceImpactPct": f"{impact:.12f}",
        "routePlan": [{"swapInfo": swap, "percent": 100, "bps": BPS}],
        "contextSlot": at.slot,
        "timeTaken": 0,
    }


def _instructions_json(pool: Pool, want: Want) -> dict[str, Any]:
    program = pool.token_program
    source = spl.get_associated_token_address(want.user, want.mint_in, program)
    own_target = spl.get_associated_token_address(want.user, want.mint_out, program)
    wraps = want.wrap and WRAPPED_SOL_MINT in (want.mint_in, want.mint_out)
    setup: list[Instruction] = []
    if want.wrap and want.mint_in == WRAPPED_SOL_MINT:
        lamports = TransferParams(from_pubkey=want.user, to_pubkey=source, lamports=want.amount_in)
        setup.append(spl.create_idempotent_associated_token_account(want.user, want.user, want.mint_in, program))
        setup += [transfer(lamports), spl.sync_native(SyncNativeParams(program_id=program, account=source))]
    if want.target is None:
        setup.append(spl.create_idempotent_associated_token_account(want.user, want.user, want.mint_out, program))
    target = want.target or own_target
    trade = Trade(want.user, source, target, want.mint_in, want.amount_in, want.least_out)
    wrapped = source if want.mint_in == WRAPPED_SOL_MINT else own_target
    unwrap = CloseAccountParams(program_id=program, account=wrapped, dest=want.user, owner=want.user)
    unwraps = wraps and not (want.mint_out == WRAPPED_SOL_MINT and want.target is not None)
    return {
        "tokenLedgerInstruction": None,
        "computeBudgetInstructions": [_json(set_compute_unit_limit(SWAP_UNITS))],
        "setupInstructions": [_json(step) for step in setup],
        "swapInstruction": _json(amm.swap(pool, trade)),
        "cleanupInstruction": _json(spl.close_account(unwrap)) if unwraps else None,
        "otherInstructions": [],
        "addressLookupTableAddresses": [],
        "prioritizationFeeLamports": 0,
        "computeUnitLimit": SWAP_UNITS,
        "simulationError": None,
    }


def _json(instruction: Instruction) -> dict[str, Any]:
    accounts = [{"pubkey": str(meta.pubkey), "isSigner": meta.is_signer, "isWritable": meta.is_writable} for meta in instruction.accounts]
    data = base64.b64encode(bytes(instruction.data)).decode()
    return {"programId": str(instruction.program_id), "accounts": accounts, "data": data}


if __name__ == "__main__":
    run("jupiter", Jupiter)
