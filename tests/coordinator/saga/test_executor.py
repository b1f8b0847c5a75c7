"""The executor over a simulated world: ordinary days, faults, and death at every moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from chains.simulated import DROPPED, LOST_REPLY, LOST_REQUEST
from coordinator.journal.store import AlreadyApplied, verify
from coordinator.saga.machine import SagaState, State

from .conftest import ALPHA, BETA, START_USDC, Treasury


def states(saga: SagaState) -> list[State]:
    return [leg.state for leg in saga.legs.values()]


async def hop_then_swap(treasury: Treasury) -> SagaState:
    plan = await treasury.plan(
        (treasury.lane("hop", treasury.usdc[ALPHA]), 400_000_000, ()),
        (treasury.lane("pool", treasury.usdc[BETA]), 300_000_000, (0,)),
    )
    return treasury.journal.begin(plan)


async def test_run__hop_then_swap__both_delivered_and_book_equals_chain(treasury: Treasury) -> None:
    saga = await treasury.executor.run((await hop_then_swap(treasury)).id)
    assert states(saga) == [State.DELIVERED, State.DELIVERED]
    assert set((await treasury.residual()).values()) == {0}
    assert treasury.journal.book().in_transit() == {}
    assert treasury.alpha.contracts  # the bridge's contract is on the chain; the next line counts its burns
    assert START_USDC - await held(treasury, ALPHA) == 400_000_000


async def held(treasury: Treasury, chain: object) -> int:
    live = treasury.chains[chain]  # type: ignore[index]
    key = (treasury.accounts[chain], treasury.usdc[chain].id)  # type: ignore[index]
    return (await live.snapshot([key[0]], [treasury.usdc[chain]])).holdings[key]  # type: ignore[index,return-value]


@pytest.mark.parametrize("fault", [LOST_REPLY, LOST_REQUEST, DROPPED], ids=["lost reply", "lost request", "dropped"])
async def test_run__sends_in_doubt__each_effect_once(treasury: Treasury, fault: object) -> None:
    treasury.alpha.faults.sends.extend([fault] * 3)  # type: ignore[list-item]
    treasury.beta.faults.sends.extend([fault] * 3)  # type: ignore[list-item]
    saga = await treasury.executor.run((await hop_then_swap(treasury)).id)
    assert states(saga) == [State.DELIVERED, State.DELIVERED]
    assert set((await treasury.residual()).values()) == {0}
    assert START_USDC - await held(treasury, ALPHA) == 400_000_000


class Killed(BaseException):
    """The process is gone; nothing after this line ran."""


async def test_run__killed_once_at_every_write_and_send__same_end_and_nothing_twice(tmp_path: Path) -> None:
    """Every call of the journal and of a send is a moment to die, before and after it; each moment gets a world of its own."""
    moments = 0
    while await _dies_at(moments, Treasury(tmp_path / f"{moments}.sqlite3")):
        moments += 1
    assert moments > 30


async def _dies_at(moment: int, treasury: Treasury) -> bool:
    """Run, die at the moment, start again and finish; False when the run ended before the moment came."""
    saga = (await hop_then_swap(treasury)).id
    _arm(treasury, [moment])
    died = False
    try:
        end = await treasury.executor.run(saga)
    except Killed:
        died = True
        treasury.restart()
        end = await treasury.executor.run(saga)
    assert states(end) == [State.DELIVERED, State.DELIVERED]
    assert set((await treasury.residual()).values()) == {0}
    assert START_USDC - await held(treasury, ALPHA) == 400_000_000
    assert verify(treasury.journal) is None
    return died


def _arm(treasury: Treasury, countdown: list[int]) -> None:
    def tick() -> None:
        countdown[0] -= 1
        if countdown[0] < 0:
            raise Killed

    record = treasury.journal.record

    def deadly_record(*args: object, **kwargs: object) -> object:
        tick()
        result = record(*args, **kwargs)  # type: ignore[arg-type]
        tick()
        return result

    treasury.journal.record = deadly_record  # type: ignore[method-assign,assignment]
    for chain in treasury.chains.values():
        chain.submit = _deadly(chain.submit, tick)  # type: ignore[method-assign]


def _deadly(send: object, tick: object) -> object:
    async def submit(submission: object) -> None:
        tick()  # type: ignore[operator]
        await send(submission)  # type: ignore[operator]
        tick()  # type: ignore[operator]

    return submit


async def test_run__departure_reverts__abandoned_with_fee_booked_and_dependent_never_starts(treasury: Treasury) -> None:
    saga = await hop_then_swap(treasury)
    treasury.alpha.faults.reverts.extend(["paused"] * 2)
    end = await treasury.executor.run(saga.id)
    assert states(end) == [State.ABANDONED, State.ABANDONED]
    assert set((await treasury.residual()).values()) == {0}
    assert await held(treasury, ALPHA) == START_USDC


async def test_run__relayer_outage__waits_and_finishes_without_a_hand(treasury: Treasury) -> None:
    saga = await hop_then_swap(treasury)
    treasury.relayer.outage = True
    state = treasury.journal.saga(saga.id)
    for _ in range(60):
        state = await treasury.executor.advance(state)
        await treasury.clock.sleep(1)
    assert states(state) == [State.IN_TRANSIT, State.WAITING]
    assert list(treasury.journal.book().in_transit().values()) == [400_000_000]
    treasury.relayer.outage = False
    assert states(await treasury.executor.run(saga.id)) == [State.DELIVERED, State.DELIVERED]
    assert set((await treasury.residual()).values()) == {0}


async def test_begin__same_plan_twice__refused(treasury: Treasury) -> None:
    plan = await treasury.plan((treasury.lane("hop", treasury.usdc[ALPHA]), 1_000_000, ()))
    treasury.journal.begin(plan)
    with pytest.raises(AlreadyApplied, match="was applied before"):
        treasury.journal.begin(plan)


async def test_run__reorg_before_finality__lands_again_once(treasury: Treasury) -> None:
    saga = await hop_then_swap(treasury)
    state = treasury.journal.saga(saga.id)
    reorgs = 0
    for _ in range(12):
        state = await treasury.executor.advance(state)
        if treasury.alpha.number > treasury.alpha.finalized:
            treasury.alpha.reorganise(1)
            reorgs += 1
        await treasury.clock.sleep(1)
    assert reorgs > 3
    end = await treasury.executor.run(saga.id)
    assert states(end) == [State.DELIVERED, State.DELIVERED]
    assert set((await treasury.residual()).values()) == {0}
    assert START_USDC - await held(treasury, ALPHA) == 400_000_000
