"""Agreed heights over scripted endpoints: lagging, lying and missing ones."""

from __future__ import annotations

from typing import Any

import pytest

from chains.errors import Unknowable
from chains.evm.heights import FinalityBroken, Heights

from .conftest import MakePool, MakeScript


def block(number: int, fork: str = "a") -> dict[str, str]:
    return {"number": hex(number), "hash": f"0x{fork * 2}{number:062x}", "parentHash": "0x00", "timestamp": hex(1000 + number)}


def chain_of(script: Any, finalized: int, newest: int = 100, fork: str = "a") -> None:
    def answer(params: list[object]) -> dict[str, str]:
        wanted = params[0]
        return block(finalized if wanted == "finalized" else int(str(wanted), 16), fork)

    script.results.update({"eth_getBlockByNumber": answer, "eth_blockNumber": hex(newest)})


@pytest.mark.parametrize(("quorum", "expected"), [(1, 9), (2, 7), (3, 5)])
async def test_finalized__endpoints_stand_at_different_heights__highest_that_the_quorum_has(
    quorum: int, expected: int, make_script: MakeScript, make_pool: MakePool
) -> None:
    scripts = [await make_script() for _ in range(3)]
    for script, finalized in zip(scripts, (5, 9, 7), strict=True):
        chain_of(script, finalized)
    heights = Heights(make_pool(*scripts, quorum=quorum), "one", "finalized")
    assert (await heights.finalized()).number == expected
    assert await heights.newest() == 100


async def test_finalized__one_operator_runs_ahead_with_two_endpoints__counts_once(make_script: MakeScript, make_pool: MakePool) -> None:
    scripts = [await make_script() for _ in range(3)]
    for script, finalized in zip(scripts, (9, 9, 5), strict=True):
        chain_of(script, finalized)
    heights = Heights(make_pool(*scripts, quorum=2, domains="aab"), "one", "finalized")
    assert (await heights.finalized()).number == 5


async def test_finalized__a_provider_is_missing__unknowable_rather_than_a_lower_bar(make_script: MakeScript, make_pool: MakePool) -> None:
    up, down = await make_script(), await make_script()
    chain_of(up, 5)
    down.errors["eth_getBlockByNumber"] = {"code": -32000, "message": "unavailable"}
    with pytest.raises(Unknowable, match=r"needs 2 trust domain\(s\), 1 answered"):
        await Heights(make_pool(up, down, quorum=2), "one", "finalized").finalized()


async def test_finalized__goes_back__unknowable_until_it_catches_up(make_script: MakeScript, make_pool: MakePool) -> None:
    script = await make_script()
    heights = Heights(make_pool(script), "one", "finalized")
    chain_of(script, 9)
    await heights.finalized()
    chain_of(script, 8)
    with pytest.raises(Unknowable, match="went back from 9 to 8"):
        await heights.finalized()
    chain_of(script, 10)
    assert (await heights.finalized()).number == 10


@pytest.mark.parametrize("now", [9, 12])
async def test_finalized__a_final_block_was_replaced__halts(now: int, make_script: MakeScript, make_pool: MakePool) -> None:
    script = await make_script()
    heights = Heights(make_pool(script), "one", "finalized")
    chain_of(script, 9)
    await heights.finalized()
    chain_of(script, now, fork="b")
    with pytest.raises(FinalityBroken, match="finalized block 9"):
        await heights.finalized()


async def test_finalized__depth_deeper_than_the_chain__is_the_first_block(make_script: MakeScript, make_pool: MakePool) -> None:
    script = await make_script()
    chain_of(script, 0, newest=3)
    assert (await Heights(make_pool(script), "one", 10).finalized()).number == 0


async def test_finalized__quorum_told_the_same_block__is_not_asked_for_again(make_script: MakeScript, make_pool: MakePool) -> None:
    scripts = [await make_script() for _ in range(2)]
    for script in scripts:
        chain_of(script, 9)
    assert (await Heights(make_pool(*scripts, quorum=2), "one", "finalized").finalized()).number == 9
    assert [script.asked.count("eth_getBlockByNumber") for script in scripts] == [1, 1]


async def test_finalized__two_blocks_of_the_same_number__unknowable_though_one_would_be_enough(
    make_script: MakeScript, make_pool: MakePool
) -> None:
    one, other = await make_script(), await make_script()
    chain_of(one, 9, fork="a")
    chain_of(other, 9, fork="b")
    pool = make_pool(one, other, quorum=1)
    with pytest.raises(Unknowable):
        await Heights(pool, "one", "finalized").finalized()
    assert pool.dispute_count == 1
