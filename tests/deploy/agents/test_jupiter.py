"""The swap API over the real pool program, in one process and on slots moved by hand."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import spl.token.instructions as spl
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from deploy.localnet.agents.jupiter import Jupiter
from deploy.localnet.agents.process import open_agent
from deploy.localnet.solana import Chain, serve
from deploy.localnet.solana.node.tokens import token_account
from deploy.localnet.solana.setup import CHAIN_ID, USDC, describe, mint_to, set_up_market

SOL, UNIT = 10**9, 10**6
WSOL = "So11111111111111111111111111111111111111112"


class Market:
    """A chain with the pool and the API over it."""

    def __init__(self, chain: Chain, agent: Jupiter, session: aiohttp.ClientSession, url: str) -> None:
        self.chain, self.agent, self._session, self._url = chain, agent, session, url

    async def quote(self, **query: str) -> tuple[int, Any]:
        async with self._session.get(self._url + "/swap/v1/quote", params=query) as response:
            return response.status, await response.json()

    async def instructions(self, user: Pubkey, quote: Any, **more: Any) -> Any:
        body = {"userPublicKey": str(user), "quoteResponse": quote} | more
        async with self._session.post(self._url + "/swap/v1/swap-instructions", json=body) as response:
            return await response.json()

    def usdc(self, owner: Pubkey) -> int:
        held = token_account(self.chain.account(spl.get_associated_token_address(owner, USDC.pubkey())))
        return held.amount if held else 0

    def lamports(self, owner: Pubkey) -> int:
        account = self.chain.account(owner)
        return account.lamports if account else 0


@pytest.fixture
async def market() -> AsyncIterator[Market]:
    chain = Chain()
    set_up_market(chain)
    async with await serve(chain) as server, aiohttp.ClientSession() as session:
        agent = Jupiter({"chains": {CHAIN_ID: describe(server.url, server.ws_url)}}, session)
        runner = await open_agent(agent, 0)
        yield Market(chain, agent, session, f"http://127.0.0.1:{runner.addresses[0][1]}")
        await runner.cleanup()


def steps(parts: Any) -> list[Instruction]:
    listed = [*parts["computeBudgetInstructions"], *parts["setupInstructions"], parts["swapInstruction"]]
    listed += [parts["cleanupInstruction"]] if parts["cleanupInstruction"] else []
    return [
        Instruction(
            Pubkey.from_string(step["programId"]),
            base64.b64decode(step["data"]),
            [AccountMeta(Pubkey.from_string(a["pubkey"]), a["isSigner"], a["isWritable"]) for a in step["accounts"]],
        )
        for step in listed
    ]


async def test_swap__sol_to_usdc__native_sol_pays_exactly_what_was_quoted(market: Market) -> None:
    user = Keypair()
    market.chain.airdrop(user.pubkey(), 10 * SOL)
    status, quote = await market.quote(inputMint=WSOL, outputMint=str(USDC.pubkey()), amount=str(3 * SOL))
    assert (status, quote["routePlan"][0]["swapInfo"]["feeAmount"]) == (200, str(3 * SOL * 25 // 10_000))
    assert 0 < float(quote["priceImpactPct"]) < 0.01
    market.chain.execute(steps(await market.instructions(user.pubkey(), quote)), [user])
    assert market.usdc(user.pubkey()) == int(quote["outAmount"]) > 445 * UNIT
    rent = market.chain.bank.rent_exempt(165)  # of the USDC account; the wrapped one was closed again
    assert market.lamports(user.pubkey()) == 7 * SOL - rent - 5_000


async def test_swap__usdc_to_sol__is_unwrapped_and_moved_reserves_fail_the_least_out(market: Market) -> None:
    user, other = Keypair(), Keypair()
    for key in (user, other):
        market.chain.airdrop(key.pubkey(), SOL)
        mint_to(market.chain, USDC.pubkey(), key.pubkey(), 20_000 * UNIT)
    wanted = {"inputMint": str(USDC.pubkey()), "outputMint": WSOL, "amount": str(20_000 * UNIT), "slippageBps": "0"}
    _, quote = await market.quote(**wanted)
    mine, theirs = [steps(await market.instructions(key.pubkey(), quote)) for key in (user, other)]
    before = market.lamports(user.pubkey())
    market.chain.execute(mine, [user])
    assert market.lamports(user.pubkey()) == before + int(quote["outAmount"]) - 5_000
    with pytest.raises(RuntimeError, match="'Custom': 6001"):
        market.chain.execute(theirs, [other])  # the first swap moved the pool
    assert market.usdc(other.pubkey()) == 20_000 * UNIT


async def test_swap__destination_account_given__pays_into_it(market: Market) -> None:
    user, treasury = Keypair(), Keypair().pubkey()
    market.chain.airdrop(user.pubkey(), 10 * SOL)
    mint_to(market.chain, USDC.pubkey(), treasury, 1)
    target = spl.get_associated_token_address(treasury, USDC.pubkey())
    _, quote = await market.quote(inputMint=WSOL, outputMint=str(USDC.pubkey()), amount=str(SOL))
    parts = await market.instructions(user.pubkey(), quote, destinationTokenAccount=str(target))
    market.chain.execute(steps(parts), [user])
    assert market.usdc(treasury) == int(quote["outAmount"]) + 1
    assert market.usdc(user.pubkey()) == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"outputMint": WSOL}, "COULD_NOT_FIND_ANY_ROUTE"),
        ({"outputMint": str(Pubkey.default())}, "COULD_NOT_FIND_ANY_ROUTE"),
        ({"outputMint": "nonsense"}, "INVALID_REQUEST"),
        ({"amount": "0"}, "INVALID_REQUEST"),
        ({"amount": "1.5"}, "INVALID_REQUEST"),
        ({"slippageBps": "10001"}, "INVALID_REQUEST"),
        ({"swapMode": "ExactOut"}, "NOT_SUPPORTED"),
    ],
)
async def test_quote__bad_request__names_its_error(market: Market, change: dict[str, str], code: str) -> None:
    query = {"inputMint": WSOL, "outputMint": str(USDC.pubkey()), "amount": "1000"} | change
    status, body = await market.quote(**query)
    assert (status, body["errorCode"]) == (400, code)


async def test_quote__skewed__promises_more_than_the_pool_pays(market: Market) -> None:
    query = {"inputMint": WSOL, "outputMint": str(USDC.pubkey()), "amount": str(SOL)}
    honest = int((await market.quote(**query))[1]["outAmount"])
    market.agent.controls.change({"skew_bps": 100})
    assert int((await market.quote(**query))[1]["outAmount"]) == honest * 10_100 // 10_000
