"""A look: balances into the books, every gap named, value under way neither lost from sight nor adjusted."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from chains.errors import Unknowable
from chains.ids import AccountId, TokenId
from chains.simulated import transfer
from coordinator.app import App
from coordinator.saga.machine import State
from coordinator.turn import look, open_sagas
from tests.coordinator.rehearsal import ADDRESS, ALPHA, BETA, USDC_A, Rehearsal

OWNER = AccountId(ALPHA, ADDRESS)
USDC = TokenId(ALPHA, "erc20", USDC_A)


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path)


def kinds(app: App) -> list[str]:
    return [entry.kind for entry in app.journal.entries()]


async def test_look__first_sight__opens_the_books_and_asks_the_policy(rehearsal: Rehearsal):
    async with rehearsal.session().app() as app:
        seen = await look(app)
        assert kinds(app) == ["opening"] * 4
        assert [line.gap for line in seen.lines] == [0] * 4
        assert seen.portfolio.nav == 16_000
        assert seen.portfolio.chain_weights()[BETA] == Fraction(1, 4)
        assert set(seen.heights) == {ALPHA, BETA}
        assert seen.decision.act
        assert seen.open_sagas == ()


async def test_look__nothing_new__writes_nothing(rehearsal: Rehearsal):
    async with rehearsal.session().app() as app:
        first = await look(app)
        assert (await look(app)).lines == first.lines
        assert len(kinds(app)) == 4


async def test_look__a_stranger_pays_in__is_a_deposit_with_its_transaction(rehearsal: Rehearsal):
    async with rehearsal.session().app() as app:
        await look(app)
        reference = await paid_in(rehearsal, 25_000_000)
        seen = await look(app)
        assert kinds(app) == ["opening"] * 4 + ["deposit"]
        assert reference in app.journal.entries()[-1].memo
        assert {line.gap for line in seen.lines} == {0}


async def paid_in(rehearsal: Rehearsal, units: int) -> str:
    stranger = rehearsal.alpha.account("stranger")
    rehearsal.alpha.fund(stranger, rehearsal.alpha.native.id, 10**18)
    rehearsal.alpha.fund(stranger, USDC, units)
    theirs = rehearsal.world.chain(ALPHA, [stranger])
    sent = await theirs.prepare(stranger, [transfer(USDC, ADDRESS, units)], None)
    await theirs.submit(sent)
    await rehearsal.clock.sleep(10)
    return sent.reference


async def test_look__a_balance_that_no_transaction_explains__is_named_so(rehearsal: Rehearsal):
    async with rehearsal.session().app() as app:
        await look(app)
        rehearsal.alpha.fund(OWNER, USDC, 7)
        await rehearsal.clock.sleep(10)
        await look(app)
        assert kinds(app)[-1] == "unexplained"


async def test_look__a_balance_that_cannot_be_read__is_no_portfolio_and_books_nothing_for_it(rehearsal: Rehearsal):
    async with rehearsal.session().app() as app:
        app.chains  # noqa: B018 - builds the networks
        rehearsal.alpha.faults.unread.add((None, USDC))
        with pytest.raises(Unknowable, match="could not be read"):
            await look(app)
        assert len(app.journal.entries()) == 3


async def test_look__while_a_leg_is_under_way__value_stays_in_sight_and_nothing_is_adjusted(rehearsal: Rehearsal):
    await rehearsal.plan()
    async with rehearsal.session().app(keys=True) as app:
        plan = await rehearsal.plan()
        state = app.journal.begin(plan)
        for _ in range(40):
            state = await app.executor.advance(state)
            if next(iter(state.legs.values())).state is State.IN_TRANSIT:
                break
            await rehearsal.clock.sleep(1)
        await paid_in(rehearsal, 25_000_000)
        before = len(app.journal.entries())
        seen = await look(app)
        assert open_sagas(app) == seen.open_sagas != ()
        assert len(app.journal.entries()) == before
        assert [line.gap for line in seen.lines if line.token == USDC] == [25_000_000]
        assert all(line.under_way for line in seen.lines)
        gas = Fraction(1, 1000)  # far more than any fee here
        assert 16_025 - seen.portfolio.nav - plan.cost.bridge < gas
        await app.executor.run(state.id)
        seen = await look(app)
        assert {line.gap for line in seen.lines} == {0}
        assert kinds(app).count("deposit") == 1
        assert "unexplained" not in kinds(app)
