"""The JSON shapes of accounts and transactions, as a real node prints them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.message import Message, MessageV0, MessageV1
from solders.pubkey import Pubkey

from deploy.localnet.solana.node import base58
from deploy.localnet.solana.node.record import Landed
from deploy.localnet.solana.node.tokens import PROGRAM_NAMES, Mint, TokenAccount, mint, token_account, ui_amount

NEVER_RENT = 18_446_744_073_709_551_615
Decimals = Callable[[Pubkey], int]
"""The decimals of a mint (an account's bytes do not hold them)."""


def base64_pair(raw: bytes) -> list[str]:
    return [base64.b64encode(raw).decode(), "base64"]


def _token_json(held: TokenAccount, decimals: int) -> dict[str, Any]:
    body: dict[str, Any] = {
        "mint": str(held.mint),
        "owner": str(held.owner),
        "state": held.state,
        "isNative": held.is_native,
        "tokenAmount": ui_amount(held.amount, decimals),
    }
    if held.delegate is not None:
        body |= {"delegate": str(held.delegate), "delegatedAmount": ui_amount(held.delegated, decimals)}
    return body


def _mint_json(minted: Mint) -> dict[str, Any]:
    return {
        "decimals": minted.decimals,
        "supply": str(minted.supply),
        "isInitialized": True,
        "mintAuthority": None if minted.mint_authority is None else str(minted.mint_authority),
        "freezeAuthority": None if minted.freeze_authority is None else str(minted.freeze_authority),
    }


def _parsed(account: Account, decimals: Decimals) -> dict[str, Any] | None:
    if account.owner not in PROGRAM_NAMES:
        return None
    shape = {"program": PROGRAM_NAMES[account.owner], "space": len(account.data)}
    if held := token_account(account):
        return shape | {"parsed": {"info": _token_json(held, decimals(held.mint)), "type": "account"}}
    if minted := mint(account):
        return shape | {"parsed": {"info": _mint_json(minted), "type": "mint"}}
    return None


def account(image: Account | None, config: dict[str, Any], decimals: Decimals) -> dict[str, Any] | None:
    """`config` may hold `encoding` (base58, base64, jsonParsed) and `dataSlice` {offset, length}."""
    if image is None:
        return None
    raw, encoding = bytes(image.data), config.get("encoding", "base64")
    if cut := config.get("dataSlice"):
        raw = raw[cut["offset"] : cut["offset"] + cut["length"]]
    data: Any = base64_pair(raw)
    if encoding == "base58":
        data = [base58.encode(raw), "base58"]
    elif encoding == "binary":
        data = base58.encode(raw)
    elif encoding == "jsonParsed":
        data = _parsed(image, decimals) or data
    return {
        "lamports": image.lamports,
        "data": data,
        "owner": str(image.owner),
        "executable": image.executable,
        "rentEpoch": NEVER_RENT,
        "space": len(image.data),
    }


def return_data(meta: dict[str, Any]) -> dict[str, Any] | None:
    returned = meta["return_data"]
    if not returned["data"]:
        return None
    return {"programId": base58.encode(bytes(returned["program_id"])), "data": base64_pair(bytes(returned["data"]))}


def _plain(short_vector: list[Any]) -> list[Any]:
    """Serde prints a short vector with its length, as a list, in front."""
    return short_vector[1:] if short_vector and isinstance(short_vector[0], list) else short_vector


def _inner(instruction: dict[str, Any]) -> dict[str, Any]:
    body = instruction["instruction"]
    return {
        "programIdIndex": body.get("programIdIndex", body.get("program_id_index")),
        "accounts": _plain(body["accounts"]),
        "data": base58.encode(bytes(_plain(body["data"]))),
        "stackHeight": instruction.get("stack_height", instruction.get("stackHeight")),
    }


def transaction_meta(record: Landed) -> dict[str, Any]:
    meta = record.meta
    groups = enumerate(meta["inner_instructions"])
    inner = [{"index": i, "instructions": [_inner(x) for x in group]} for i, group in groups if group]
    body = {
        "err": record.err,
        "status": {"Ok": None} if record.err is None else {"Err": record.err},
        "fee": meta["fee"],
        "preBalances": list(record.before.lamports),
        "postBalances": list(record.after.lamports),
        "innerInstructions": inner,
        "logMessages": meta["logs"],
        "preTokenBalances": list(record.before.tokens),
        "postTokenBalances": list(record.after.tokens),
        "rewards": [],
        "loadedAddresses": {
            "writable": [str(key) for key in record.keys.loaded_writable],
            "readonly": [str(key) for key in record.keys.loaded_readonly],
        },
        "computeUnitsConsumed": meta["compute_units_consumed"],
    }
    returned = return_data(meta)
    return body if returned is None else body | {"returnData": returned}


def message(shown: Message | MessageV0 | MessageV1) -> dict[str, Any]:
    header = shown.header
    body: dict[str, Any] = {
        "header": {
            "numRequiredSignatures": header.num_required_signatures,
            "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
        },
        "accountKeys": [str(key) for key in shown.account_keys],
        "recentBlockhash": str(shown.recent_blockhash),
        "instructions": [
            {
                "programIdIndex": instruction.program_id_index,
                "accounts": list(instruction.accounts),
                "data": base58.encode(bytes(instruction.data)),
                "stackHeight": 1,
            }
            for instruction in shown.instructions
        ],
    }
    if isinstance(shown, MessageV0):
        body["addressTableLookups"] = [
            {
                "accountKey": str(lookup.account_key),
                "writableIndexes": list(lookup.writable_indexes),
                "readonlyIndexes": list(lookup.readonly_indexes),
            }
            for lookup in shown.address_table_lookups
        ]
    return body


def transaction(record: Landed, encoding: str) -> dict[str, Any]:
    """{transaction, meta, version}; `encoding` is json (also for jsonParsed), base64 or base58."""
    shown, raw = record.transaction.message, bytes(record.transaction)
    body: Any = {"signatures": [str(s) for s in record.transaction.signatures], "message": message(shown)}
    if encoding == "base64":
        body = base64_pair(raw)
    elif encoding == "base58":
        body = [base58.encode(raw), "base58"]
    version = 0 if isinstance(shown, MessageV0) else "legacy"
    return {"transaction": body, "meta": transaction_meta(record), "version": version}
