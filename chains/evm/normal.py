"""Normal forms of EVM answers: only what every honest node must agree on, so that answers can be compared.

Nodes rightly differ in extra fields, letter case and order. Each function takes a JSON-RPC result and raises
ValueError, KeyError or TypeError when it is malformed; the pool then counts it as missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Json = Any

_RECEIPT = ("transactionHash", "blockHash", "blockNumber", "from", "status", "gasUsed", "effectiveGasPrice")
_LOG = ("address", "data", "blockHash", "blockNumber", "transactionHash", "logIndex")
_VALUE_CALLS = frozenset({"CALL", "CREATE", "CREATE2", "SELFDESTRUCT"})  # the only ones that move value out of `from`


def block(value: Json) -> Json:
    kept = {key: _hex(value[key]) for key in ("number", "hash", "parentHash", "timestamp")}
    if value.get("baseFeePerGas") is not None:
        kept["baseFeePerGas"] = _hex(value["baseFeePerGas"])
    listed = value.get("transactions", [])
    return {**kept, "transactions": [_hex(one) if isinstance(one, str) else _brief(one) for one in listed]}


def receipt(value: Json) -> Json:
    kept: dict[str, Json] = {key: _hex(value[key]) for key in _RECEIPT}
    kept["to"] = None if value.get("to") is None else _hex(value["to"])
    if value.get("l1Fee") is not None:  # OP stack and Scroll: the part of the fee paid for the data on the parent chain
        kept["l1Fee"] = _hex(value["l1Fee"])
    return {**kept, "logs": [_log(log) for log in value["logs"]]}


def logs(value: Json) -> Json:
    found = [_log(log) for log in value if not log.get("removed")]
    return sorted(found, key=lambda log: (int(log["blockNumber"], 16), int(log["logIndex"], 16)))


def transaction(value: Json) -> Json:
    kept = {key: _hex(value[key]) for key in ("hash", "from", "nonce", "value", "input", "gas")}
    return {**kept, "to": None if value.get("to") is None else _hex(value["to"])}


def transfers(trace: Json) -> Json:
    """callTracer's tree -> [[from, to, value], …] of native coin that really moved, in order; reverted frames move none."""
    moved: list[list[str]] = []
    frames = [trace]
    while frames:
        frame = frames.pop()
        kind = str(frame["type"]).upper()
        if frame.get("error"):
            continue
        amount = int(frame.get("value") or "0x0", 16)
        if kind in _VALUE_CALLS and amount:
            moved.append([_hex(frame["from"]), _hex(frame["to"]), hex(amount)])
        frames.extend(reversed(frame.get("calls") or []))
    return moved


def data(value: Json) -> Json:
    """Whole bytes."""
    text = _hex(value)
    bytes.fromhex(text[2:])
    return text


def rewards(value: Json) -> Json:
    """eth_feeHistory's answer for one percentile -> that reward of each block."""
    return [_hex(block[0]) for block in value["reward"]]


def plain(value: Json) -> Json:
    return _hex(value) if isinstance(value, str) else value


def _brief(listed: Mapping[str, Json]) -> Json:
    return {key: _hex(listed[key]) for key in ("hash", "from", "nonce")}


def _log(log: Mapping[str, Json]) -> Json:
    return {**{key: _hex(log[key]) for key in _LOG}, "topics": [_hex(topic) for topic in log["topics"]]}


def _hex(text: Json) -> str:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError(f"{str(text)[:40]!r} is not 0x-hex")
    int(text[2:] or "0", 16)
    return text.lower()


FORMS: Mapping[str, Callable[[Json], Json]] = {
    "eth_getBlockByNumber": block,
    "eth_getBlockByHash": block,
    "eth_getTransactionReceipt": receipt,
    "eth_getTransactionByHash": transaction,
    "eth_getLogs": logs,
    "debug_traceTransaction": transfers,
}
