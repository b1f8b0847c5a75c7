"""The RPC methods that send, simulate and look up transactions."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from solders.message import MessageV0, MessageV1
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from deploy.localnet.solana.node import base58, encode
from deploy.localnet.solana.node.chain import Chain
from deploy.localnet.solana.node.errors import (
    INTERNAL,
    INVALID_PARAMS,
    SIGNATURE_INVALID,
    VERSION_NOT_SUPPORTED,
    RpcError,
    preflight,
    simulation,
)
from deploy.localnet.solana.node.methods import Method, context, decimals_of
from deploy.localnet.solana.node.params import Params, as_commitment, as_pubkey, as_signature
from deploy.localnet.solana.node.record import Landed
from deploy.localnet.solana.node.slots import COMMITMENTS, MAX_AGE

MAX_BYTES = 1232
TYPE = "solana_transaction::versioned::VersionedTransaction"
V0_REFUSED = (
    "Transaction version (0) is not supported by the requesting client. Please try the request again with the "
    'following configuration parameter: "maxSupportedTransactionVersion": 0'
)


def _decode(params: Params) -> VersionedTransaction:
    text = params.text(0)
    try:
        raw = base64.b64decode(text) if params.config.get("encoding") == "base64" else base58.decode(text)
    except (ValueError, binascii.Error) as error:
        raise RpcError(INVALID_PARAMS, f"invalid encoding: {error}") from error
    if len(raw) > MAX_BYTES:
        raise RpcError(INVALID_PARAMS, f"decoded {TYPE} too large: {len(raw)} bytes (max: {MAX_BYTES} bytes)")
    try:
        transaction = VersionedTransaction.from_bytes(raw)
    except ValueError as error:
        raise RpcError(INVALID_PARAMS, f"failed to deserialize {TYPE}: {error}") from error
    if isinstance(transaction.message, MessageV1):
        raise RpcError(INVALID_PARAMS, f"failed to deserialize {TYPE}: transactions of version 1 are not enabled")
    return transaction


def _preflight(chain: Chain, transaction: VersionedTransaction, commitment: str) -> None:
    if not all(transaction.verify_with_results()):
        raise RpcError(SIGNATURE_INVALID, "Transaction signature verification failure")
    if error := chain.age_error(transaction.message, commitment):
        raise preflight(error, "Blockhash not found")
    if chain.history.find(transaction.signatures[0]) is not None:
        raise preflight("AlreadyProcessed", "This transaction has already been processed")
    chain.bank.keys(transaction.message)
    err, meta, _ = chain.bank.simulate(transaction)
    if err is not None:
        raise preflight(err, str(err), tuple(meta["logs"]), meta["compute_units_consumed"])


def send_transaction(chain: Chain, params: Params) -> Any:
    """Answers the signature whether or not the transaction can land, as a cluster does."""
    transaction = _decode(params)
    if not params.config.get("skipPreflight"):
        _preflight(chain, transaction, as_commitment(params.config.get("preflightCommitment", "finalized")))
    chain.send(transaction)
    return str(transaction.signatures[0])


def _accounts_after(chain: Chain, asked: dict[str, Any], after: dict[Pubkey, Any]) -> list[Any]:
    keys = [as_pubkey(text) for text in asked["addresses"]]
    shape = {"encoding": asked.get("encoding", "base64")}
    images = (after.get(key) or chain.account(key) for key in keys)
    return [encode.account(image, shape, decimals_of(chain)) for image in images]


def simulate_transaction(chain: Chain, params: Params) -> Any:
    transaction, config = _decode(params), params.config
    replacement = None
    if config.get("replaceRecentBlockhash"):
        blockhash, last_height = chain.slots.latest(params.commitment)
        replacement = {"blockhash": str(blockhash), "lastValidBlockHeight": last_height}
    elif error := chain.age_error(transaction.message, params.commitment):
        return context(chain, params, simulation(error))
    chain.bank.keys(transaction.message)
    err, meta, after = chain.bank.simulate(transaction, verify=bool(config.get("sigVerify")))
    body = simulation(err, tuple(meta["logs"]), meta["compute_units_consumed"])
    body["replacementBlockhash"] = replacement
    if err is None:
        body["returnData"] = encode.return_data(meta)
        if asked := config.get("accounts"):
            body["accounts"] = _accounts_after(chain, asked, after)
    return context(chain, params, body)


def _status(chain: Chain, text: str, search_all: bool) -> dict[str, Any] | None:
    record = chain.history.find(as_signature(text))
    age = chain.slots.now - record.slot if record else 0
    if record is None or (age > MAX_AGE and not search_all):  # the status cache forgets; the history does not
        return None
    commitment = chain.slots.commitment_of(record.slot)
    return {
        "slot": record.slot,
        "confirmations": None if commitment == "finalized" else age,
        "err": record.err,
        "status": {"Ok": None} if record.err is None else {"Err": record.err},
        "confirmationStatus": commitment,
    }


def get_signature_statuses(chain: Chain, params: Params) -> Any:
    search_all = bool(params.config.get("searchTransactionHistory"))
    statuses = [_status(chain, text, search_all) for text in params.value(0)]
    return {"context": {"slot": chain.slots.now}, "value": statuses}


def _has_reached(chain: Chain, record: Landed, commitment: str) -> bool:
    reached = chain.slots.commitment_of(record.slot)
    return COMMITMENTS.index(reached) >= COMMITMENTS.index(commitment)


def get_transaction(chain: Chain, params: Params) -> Any:
    record = chain.history.find(params.signature(0))
    if record is None or not _has_reached(chain, record, params.kept_commitment):
        return None
    versioned = isinstance(record.transaction.message, MessageV0)
    if versioned and params.config.get("maxSupportedTransactionVersion") is None:
        raise RpcError(VERSION_NOT_SUPPORTED, V0_REFUSED)
    encoding = params.text(1) if params.has(1, str) else params.config.get("encoding", "json")
    return {"slot": record.slot, "blockTime": record.time, **encode.transaction(record, encoding)}


def get_signatures_for_address(chain: Chain, params: Params) -> Any:
    """Newest first, between `until` (excluded) and `before` (excluded)."""
    config = params.config
    shown: list[dict[str, Any]] = []
    skipping, commitment = "before" in config, params.kept_commitment
    for record in reversed(chain.history.touching(params.pubkey(0))):
        signature = str(record.signature)
        if signature == config.get("until") or len(shown) == config.get("limit", 1000):
            break
        if not skipping and _has_reached(chain, record, commitment):
            entry = {"signature": signature, "slot": record.slot, "err": record.err, "memo": None}
            status = chain.slots.commitment_of(record.slot)
            shown.append(entry | {"blockTime": record.time, "confirmationStatus": status})
        skipping = skipping and signature != config.get("before")
    return shown


def request_airdrop(chain: Chain, params: Params) -> Any:
    try:
        return str(chain.airdrop(params.pubkey(0), params.number(1)))
    except RuntimeError as error:
        raise RpcError(INTERNAL, f"airdrop failed: {error}") from error


METHODS: dict[str, Method] = {
    "sendTransaction": send_transaction,
    "simulateTransaction": simulate_transaction,
    "getSignatureStatuses": get_signature_statuses,
    "getTransaction": get_transaction,
    "getSignaturesForAddress": get_signatures_for_address,
    "requestAirdrop": request_airdrop,
}
