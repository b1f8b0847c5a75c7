"""The RPC methods about the node, its time and its blocks."""

from __future__ import annotations

import hashlib
from typing import Any

from solders.hash import Hash

from deploy.localnet.solana.node import encode
from deploy.localnet.solana.node.chain import FAUCET, GENESIS, Chain
from deploy.localnet.solana.node.errors import BLOCK_NOT_AVAILABLE, INVALID_PARAMS, RpcError
from deploy.localnet.solana.node.fees import budget, fee
from deploy.localnet.solana.node.methods import Method, context, message_from
from deploy.localnet.solana.node.params import Params
from deploy.localnet.solana.node.slots import MAX_AGE, SLOTS_PER_EPOCH

VERSION = {"solana-core": "3.0.14", "feature-set": 3_604_001_754}


def get_epoch_info(chain: Chain, params: Params) -> Any:
    slot = chain.slots.at(params.commitment)
    return {
        "absoluteSlot": slot,
        "blockHeight": chain.slots.height(slot),
        "epoch": slot // SLOTS_PER_EPOCH,
        "slotIndex": slot % SLOTS_PER_EPOCH,
        "slotsInEpoch": SLOTS_PER_EPOCH,
        "transactionCount": len(chain.history),
    }


def get_epoch_schedule(_chain: Chain, _params: Params) -> Any:
    schedule = {"slotsPerEpoch": SLOTS_PER_EPOCH, "leaderScheduleSlotOffset": SLOTS_PER_EPOCH}
    return schedule | {"warmup": False, "firstNormalEpoch": 0, "firstNormalSlot": 0}


def _block_slot(chain: Chain, slot: int) -> int:
    if not chain.slots.first <= slot <= chain.slots.now:
        raise RpcError(BLOCK_NOT_AVAILABLE, f"Block not available for slot {slot}")
    return slot


def get_block_time(chain: Chain, params: Params) -> Any:
    return chain.slots.time_of(_block_slot(chain, params.number(0)))


def _hash_text(chain: Chain, slot: int) -> str:
    known = chain.slots.hash_of(slot)
    return str(known or Hash(hashlib.sha256(b"%d" % slot).digest()))


def get_block(chain: Chain, params: Params) -> Any:
    slot = _block_slot(chain, params.number(0))
    if slot > chain.slots.at(params.kept_commitment):
        raise RpcError(BLOCK_NOT_AVAILABLE, f"Block not available for slot {slot}")
    body: dict[str, Any] = {
        "blockhash": _hash_text(chain, slot),
        "previousBlockhash": _hash_text(chain, slot - 1),
        "parentSlot": slot - 1,
        "blockTime": chain.slots.time_of(slot),
        "blockHeight": chain.slots.height(slot),
        "rewards": [],
    }
    detail, encoding = params.config.get("transactionDetails", "full"), params.config.get("encoding", "json")
    records = chain.history.in_slot(slot)
    if detail == "full":
        body["transactions"] = [encode.transaction(record, encoding) for record in records]
    elif detail == "signatures":
        body["signatures"] = [str(record.signature) for record in records]
    return body


def get_blocks(chain: Chain, params: Params) -> Any:
    last = chain.slots.at(params.kept_commitment)
    end = min(params.number(1), last) if params.has(1, int) else last
    return list(range(max(params.number(0), chain.slots.first), end + 1))


def get_latest_blockhash(chain: Chain, params: Params) -> Any:
    blockhash, last_height = chain.slots.latest(params.commitment)
    return context(chain, params, {"blockhash": str(blockhash), "lastValidBlockHeight": last_height})


def is_blockhash_valid(chain: Chain, params: Params) -> Any:
    try:
        blockhash = Hash.from_string(params.text(0))
    except ValueError as error:
        raise RpcError(INVALID_PARAMS, f"Invalid param: {error}") from error
    return context(chain, params, chain.slots.is_recent(blockhash, params.commitment))


def get_fee_for_message(chain: Chain, params: Params) -> Any:
    message = message_from(params.text(0))
    known = chain.age_error(message, params.commitment) is None
    return context(chain, params, fee(message) if known else None)


def get_recent_prioritization_fees(chain: Chain, params: Params) -> Any:
    keys = set(params.value(0)) if params.has(0, list) else set()
    oldest = chain.slots.now - MAX_AGE + 1
    paid: dict[int, list[int]] = {slot: [] for slot in range(oldest, chain.slots.now + 1)}
    for record in chain.history.after(oldest - 1):
        if not keys or keys & {str(key) for key in record.keys.all()}:
            paid[record.slot].append(budget(record.transaction.message).price)
    return [{"slot": slot, "prioritizationFee": min(prices, default=0)} for slot, prices in paid.items()]


METHODS: dict[str, Method] = {
    "getHealth": lambda chain, params: "ok",
    "getVersion": lambda chain, params: VERSION,
    "getGenesisHash": lambda chain, params: str(GENESIS),
    "getIdentity": lambda chain, params: {"identity": str(FAUCET.pubkey())},
    "getSlot": lambda chain, params: chain.slots.at(params.commitment),
    "getBlockHeight": lambda chain, params: chain.slots.height(chain.slots.at(params.commitment)),
    "getBlock": get_block,
    "getBlocks": get_blocks,
    "getBlockTime": get_block_time,
    "getEpochInfo": get_epoch_info,
    "getEpochSchedule": get_epoch_schedule,
    "getSlotLeader": lambda chain, params: str(FAUCET.pubkey()),
    "getTransactionCount": lambda chain, params: len(chain.history),
    "getFirstAvailableBlock": lambda chain, params: chain.slots.first,
    "minimumLedgerSlot": lambda chain, params: chain.slots.first,
    "getLatestBlockhash": get_latest_blockhash,
    "isBlockhashValid": is_blockhash_valid,
    "getFeeForMessage": get_fee_for_message,
    "getRecentPrioritizationFees": get_recent_prioritization_fees,
}
