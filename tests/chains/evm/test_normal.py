"""Normal forms: what nodes may differ in is gone, what is malformed is refused."""

from __future__ import annotations

from typing import Any

import pytest

from chains.evm.normal import block, logs, receipt, transfers

A, B, C = "0xAA", "0xbb", "0xCC"


def call(value: int, source: str = A, target: str = B, kind: str = "CALL", **more: Any) -> dict[str, Any]:
    return {"type": kind, "from": source, "to": target, "value": hex(value), **more}


def test_transfers__nested_calls__all_that_really_moved_in_order() -> None:
    inner = call(2, B, C, calls=[call(3, C, A)])
    trace = call(1, calls=[inner, call(4, B, A)])
    assert transfers(trace) == [["0xaa", "0xbb", "0x1"], ["0xbb", "0xcc", "0x2"], ["0xcc", "0xaa", "0x3"], ["0xbb", "0xaa", "0x4"]]


def test_transfers__reverted_frame__it_and_everything_below_moved_nothing() -> None:
    trace = call(1, calls=[call(2, B, C, error="execution reverted", calls=[call(3, C, A)])])
    assert transfers(trace) == [["0xaa", "0xbb", "0x1"]]


def test_transfers__delegatecall_repeats_its_callers_value__is_not_counted_again() -> None:
    trace = call(5, calls=[call(5, kind="DELEGATECALL", calls=[call(5, B, C)]), {"type": "STATICCALL", "from": B, "to": C}])
    assert transfers(trace) == [["0xaa", "0xbb", "0x5"], ["0xbb", "0xcc", "0x5"]]


def test_transfers__creation_and_selfdestruct__count() -> None:
    trace = call(0, calls=[call(1, kind="CREATE2"), call(2, kind="SELFDESTRUCT"), call(3, kind="create")])
    assert [moved[2] for moved in transfers(trace)] == ["0x1", "0x2", "0x3"]


def test_block__extra_fields_and_letter_case__dropped() -> None:
    raw = {"number": "0x1", "hash": "0xAB", "parentHash": "0xCD", "timestamp": "0x2", "extraData": "0x99", "transactions": ["0xEF"]}
    assert block(raw) == {"number": "0x1", "hash": "0xab", "parentHash": "0xcd", "timestamp": "0x2", "transactions": ["0xef"]}


def test_logs__any_order__sorted_and_removed_ones_dropped() -> None:
    one = {"address": A, "data": "0x", "blockHash": "0x1", "blockNumber": "0xa", "transactionHash": "0x1", "logIndex": "0xb", "topics": [A]}
    two = {**one, "logIndex": "0x2"}
    found = logs([one, two, {**one, "removed": True}])
    assert [log["logIndex"] for log in found] == ["0x2", "0xb"]


@pytest.mark.parametrize("missing", ["status", "blockHash", "effectiveGasPrice", "logs"])
def test_receipt__field_missing__refused(missing: str) -> None:
    fields = ("transactionHash", "blockHash", "blockNumber", "from", "status", "gasUsed", "effectiveGasPrice")
    raw: dict[str, Any] = {**dict.fromkeys(fields, "0x1"), "logs": []}
    assert receipt(raw)["to"] is None
    del raw[missing]
    with pytest.raises(KeyError):
        receipt(raw)


@pytest.mark.parametrize("bad", [1, None, "12", "0xzz", ["0x1"]])
def test_block__not_hex__refused(bad: object) -> None:
    with pytest.raises(ValueError, match=r"hex|invalid literal"):
        block({"number": bad, "hash": "0x", "parentHash": "0x", "timestamp": "0x1"})
