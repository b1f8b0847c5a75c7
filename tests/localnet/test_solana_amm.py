"""The Solana swap venue against the local pool: prices, accounting to the lamport, and an API that lies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bridges.base import Delivered, Leg
from bridges.registry import RAILS
from bridges.venues.solana_amm import TOKEN_ACCOUNT_RENT
from chains.errors import Misconfigured, OutsideTerms, Reverted
from chains.solana.chain import build
from chains.tokens import Amount
from deploy.localnet import Network
from tests.contract.cases import solana_amm
from tests.contract.cases.solana import fresh_signer, settings_of
from tests.contract.cases.solana_amm import SolanaAmmCase

pytestmark = pytest.mark.localnet

Tamper = Callable[[dict[str, Any]], None]


@pytest.fixture
async def sol(network: Network) -> AsyncIterator[SolanaAmmCase]:
    async with solana_amm.sol_given(network) as case:
        yield case


@pytest.fixture
async def usdc(network: Network) -> AsyncIterator[SolanaAmmCase]:
    async with solana_amm.usdc_given(network) as case:
        yield case


@asynccontextmanager
async def tampered(case: SolanaAmmCase, tamper: Tamper) -> AsyncIterator[None]:
    """The case's rail, behind somebody who changes the API's instructions."""
    api = case.settings.api

    async def pass_on(request: web.Request) -> web.Response:
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method, api + request.path_qs, data=await request.read(), headers={"Content-Type": "application/json"}
            ) as answer,
        ):
            body = await answer.json()
        if request.path.endswith("swap-instructions"):
            tamper(body)
        return web.json_response(body)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", pass_on)
    async with TestServer(app, host="127.0.0.1") as server:
        changed = case.settings.model_copy(update={"api": str(server.make_url("")).rstrip("/")})
        case.rail = RAILS["solana-amm"].build(changed, case.surroundings)
        yield


async def test_quote__limits__agree_with_the_pool_to_a_percent(sol: SolanaAmmCase) -> None:
    small = await sol.rail.quote(sol.lane, Amount(sol.lane.source, 5_000_000_000))
    large = await sol.rail.quote(sol.lane, Amount(sol.lane.source, 50_000_000_000))
    assert abs(small.most - large.most) * 100 <= large.most
    assert abs(large.most - 10_000 * 10**9 // 99) * 20 <= large.most  # 1 % of about 10,000 SOL, which other tests move


async def test_quote__no_token_account_yet__its_rent_is_a_fee(network: Network, sol: SolanaAmmCase) -> None:
    stranger = fresh_signer(sol.lane.source.chain).account
    surroundings = replace(sol.surroundings, accounts={sol.lane.source.chain: stranger})
    rail = RAILS["solana-amm"].build(sol.settings, surroundings)
    here, there = await sol.rail.quote(sol.lane, sol.gives), await rail.quote(sol.lane, sol.gives)
    assert there.fees[0].units - here.fees[0].units == TOKEN_ACCOUNT_RENT


async def test_swap__no_token_account_yet__costs_exactly_what_was_quoted(network: Network, sol: SolanaAmmCase) -> None:
    signer = fresh_signer(sol.lane.source.chain)
    await sol.levers.ask("requestAirdrop", signer.account.address, 10**9)
    await sol.levers.pass_slots(40)
    chain = build(settings_of(str(signer.account.chain), sol.levers.url), {signer.account: signer})
    sol.chains, sol.accounts = {chain.id: chain}, {chain.id: signer.account}
    sol.surroundings = replace(sol.surroundings, accounts=sol.accounts)
    sol.rail = sol.rebuilt()
    leg = await sol.leg()
    departure = await sol.run(await sol.rail.depart(leg))
    assert departure.moved(signer.account, sol.lane.source.id) == -(sol.gives.units + TOKEN_ACCOUNT_RENT)
    assert await sol.held(signer.account, sol.lane.source) == 10**9 - sol.gives.units - TOKEN_ACCOUNT_RENT - departure.fee
    await chain.aclose()


async def test_swap__native_target__brings_the_swap_and_nothing_of_the_rent(usdc: SolanaAmmCase) -> None:
    leg = await usdc.leg()
    departure = await usdc.run(await usdc.rail.depart(leg))
    arrival = await usdc.rail.arrival(leg, departure)
    assert isinstance(arrival, Delivered)
    assert arrival.amount == leg.least  # nobody traded in between, so exactly what was quoted
    assert departure.moved(leg.sender, usdc.lane.source.id) == -leg.gives.units


async def test_swap__native_given_with_a_wrapped_account_open__leaves_it_as_it_was(sol: SolanaAmmCase, usdc: SolanaAmmCase) -> None:
    leg = await sol.leg()
    opening = [call for call in await sol.rail.depart(leg) if "open our SOL account" in call.purpose]
    assert len(opening) == 1
    await sol.run(opening)
    again = await sol.leg()
    calls = await sol.rail.depart(again)
    assert not any("unwrap" in call.purpose for call in calls)
    departure = await sol.run(calls)
    assert departure.moved(leg.sender, sol.lane.source.id) == -leg.gives.units


async def test_swap__native_target_with_a_wrapped_account_open__brings_what_the_wallet_gained(usdc: SolanaAmmCase) -> None:
    calls = await usdc.rail.depart(await usdc.leg())
    await usdc.run([call for call in calls if "open" in call.purpose])
    leg = await usdc.leg()
    before = await usdc.held(leg.recipient, usdc.lane.target)
    departure = await usdc.run(await usdc.rail.depart(leg))
    arrival = await usdc.rail.arrival(leg, departure)
    assert arrival.amount.units == leg.least.units + TOKEN_ACCOUNT_RENT
    assert await usdc.held(leg.recipient, usdc.lane.target) - before == arrival.amount.units - departure.fee


async def test_depart__price_moved_since__is_outside_terms(usdc: SolanaAmmCase) -> None:
    leg = await usdc.leg()
    with pytest.raises(OutsideTerms, match="below the"):
        await usdc.rail.depart(replace(leg, least=leg.least + Amount(leg.least.token, 1)))


async def test_depart__quote_that_promises_too_much__is_refused_by_the_program(network: Network, usdc: SolanaAmmCase) -> None:
    control = network.book["services"]["jupiter"] + "/control"
    async with aiohttp.ClientSession() as session:
        try:
            await (await session.post(control, json={"skew_bps": 100})).json()
            leg = await usdc.leg()
            calls = await usdc.rail.depart(leg)
        finally:
            await (await session.post(control, json={"skew_bps": 0})).json()
    with pytest.raises(Reverted, match="6001"):
        await usdc.run(calls)


def _their_account(body: dict[str, Any]) -> None:
    body["swapInstruction"]["accounts"][4]["pubkey"] = body["swapInstruction"]["accounts"][6]["pubkey"]


def _their_program(body: dict[str, Any]) -> None:
    body["swapInstruction"]["programId"] = "11111111111111111111111111111111"


def _more_signers(body: dict[str, Any]) -> None:
    body["swapInstruction"]["accounts"][1]["isSigner"] = True


@pytest.mark.parametrize("tamper", [_their_account, _their_program, _more_signers])
async def test_depart__api_wants_something_else_signed__is_refused(usdc: SolanaAmmCase, tamper: Tamper) -> None:
    leg = await usdc.leg()
    async with tampered(usdc, tamper):
        with pytest.raises(Misconfigured):
            await usdc.rail.depart(leg)


async def test_depart__api_adds_a_transfer_as_set_up__it_is_not_executed(usdc: SolanaAmmCase) -> None:
    leg = await usdc.leg()
    theft = {"programId": "11111111111111111111111111111111", "accounts": [], "data": ""}
    async with tampered(usdc, lambda body: body["setupInstructions"].append(theft)):
        calls = await usdc.rail.depart(leg)
    assert [call.purpose.split()[0] for call in calls] == ["open", "swap", "unwrap"]


async def test_depart__leg_for_another_account__is_misconfigured(usdc: SolanaAmmCase) -> None:
    leg: Leg = await usdc.leg()
    other = fresh_signer(leg.sender.chain).account
    with pytest.raises(Misconfigured):
        await usdc.rail.depart(replace(leg, recipient=other))
