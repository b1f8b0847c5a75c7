"""The proof of death needs a quorum of nodes that are past the expiry and look after it; liars and laggards give none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from chains.base import Dead, Landed, Pending, Submission
from chains.errors import Fault
from chains.solana.chain import SolanaChain, build
from deploy.localnet.solana.node import serve
from deploy.localnet.solana.node.block_methods import METHODS as BLOCKS
from deploy.localnet.solana.node.transaction_methods import METHODS

from .conftest import KeypairSigner, World, settings


@dataclass
class Second:
    """Another operator's node of the same chain, with answers it is told to give wrongly. `asked`: the methods, in order."""

    lies: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def method(self, name: str, truth: Any) -> Any:
        def answer(chain: Any, params: Any) -> Any:
            self.asked.append(name)
            return self.lies[name](chain, params, truth) if name in self.lies else truth(chain, params)

        return answer


@dataclass
class Pair:
    world: World
    second: Second
    chain: SolanaChain


@pytest.fixture
async def pair(world: World, port: Callable[[], int]) -> AsyncIterator[Pair]:
    second = Second()
    names = {"getSignatureStatuses": METHODS["getSignatureStatuses"], "getEpochInfo": BLOCKS["getEpochInfo"]}
    names["getLatestBlockhash"] = BLOCKS["getLatestBlockhash"]
    more = {name: second.method(name, truth) for name, truth in names.items()}
    async with await serve(world.node, port(), more=more) as server:
        signer = KeypairSigner(world.keypair)
        chain = build(settings(*world.urls, server.url, quorum=2), {signer.account: signer})
        yield Pair(world, second, chain)
        await chain.aclose()


async def _sent(pair: Pair, dropped: bool) -> Submission:
    submission = await pair.chain.prepare(pair.world.account, [pair.world.pay(1_000_000)], None)
    pair.world.node.faults.drop_next = 2 if dropped else 0
    await pair.chain.submit(submission)
    return submission


def _nothing(chain: Any, params: Any, truth: Any) -> Any:
    return {**truth(chain, params), "value": [None]}


async def test_fate__both_operators_agree__landed_or_dead(pair: Pair) -> None:
    landed, dropped = await _sent(pair, dropped=False), await _sent(pair, dropped=True)
    pair.world.node.tick(200)
    assert isinstance(await pair.chain.fate(landed), Landed)
    pair.second.asked.clear()
    assert isinstance(await pair.chain.fate(dropped), Dead)
    assert pair.second.asked == ["getSignatureStatuses", "getEpochInfo", "getSignatureStatuses"]  # the look comes after the height


async def test_fate__one_operator_has_pruned_history__not_landed_yet_and_never_dead(pair: Pair) -> None:
    submission = await _sent(pair, dropped=False)
    pair.world.node.tick(200)
    pair.second.lies["getSignatureStatuses"] = _nothing
    assert isinstance(await pair.chain.fate(submission), Pending)


async def test_fate__one_operator_lags_behind_expiry__pending(pair: Pair) -> None:
    submission = await _sent(pair, dropped=True)
    pair.world.node.tick(200)
    pair.second.lies["getEpochInfo"] = lambda chain, params, truth: {**truth(chain, params), "blockHeight": submission.valid_until}
    assert isinstance(await pair.chain.fate(submission), Pending)


async def test_fate__look_answered_from_before_the_expiry__pending(pair: Pair) -> None:
    submission = await _sent(pair, dropped=True)
    pair.world.node.tick(200)
    stale = pair.world.node.slots.at("finalized") - 1
    pair.second.lies["getSignatureStatuses"] = lambda chain, params, truth: {**truth(chain, params), "context": {"slot": stale}}
    assert isinstance(await pair.chain.fate(submission), Pending)


async def test_fate__one_operator_silent__pending_not_dead(pair: Pair) -> None:
    submission = await _sent(pair, dropped=True)
    pair.world.node.tick(200)

    def broken(chain: Any, params: Any, truth: Any) -> Any:
        return "nonsense"

    pair.second.lies["getSignatureStatuses"] = broken
    assert isinstance(await pair.chain.fate(submission), Pending)


@pytest.mark.parametrize(("told", "counts"), [(-100, 0), (+40, 40), (10**9, 150)])
async def test_prepare__one_node_says_another_expiry__the_later_one_counts_within_reason(pair: Pair, told: int, counts: int) -> None:
    def lie(chain: Any, params: Any, truth: Any) -> Any:
        answer = truth(chain, params)
        return {**answer, "value": {**answer["value"], "lastValidBlockHeight": answer["value"]["lastValidBlockHeight"] + told}}

    pair.second.lies["getLatestBlockhash"] = lie
    submission = await pair.chain.prepare(pair.world.account, [pair.world.pay(1_000_000)], None)
    true = pair.world.node.slots.height(pair.world.node.slots.at("confirmed")) + 150
    assert submission.valid_until == true + counts


async def test_fate__nobody_answers__is_a_fault_and_no_verdict(pair: Pair) -> None:
    submission = await _sent(pair, dropped=True)
    pair.world.node.tick(200)
    pair.world.node.faults.http_status = 503
    with pytest.raises(Fault):
        await pair.chain.fate(submission)
