"""The simulated chain's own levers: what its contract suite does not ask of every chain."""

from __future__ import annotations

import pytest

from chains.base import Dead, Landed, Pending, Unknown
from chains.errors import Misconfigured, RateLimited, SendInDoubt, Unreachable
from chains.ids import ChainId, TokenId
from chains.settings import SimulatedSettings
from chains.simulated import (
    DROPPED,
    LOST_REPLY,
    LOST_REQUEST,
    Pace,
    SendFault,
    SimulatedChain,
    SimulatedNetwork,
    SimulatedWorld,
    StillClock,
    address_of,
    build,
    transfer,
)
from chains.tokens import Token

EVM_LIKE = ChainId.parse("eip155:31337001")
SOLANA_LIKE = ChainId.parse("solana:SimuLated11111111111111111111111")


class Town:
    """One network with a funded owner, and a friend to pay."""

    def __init__(self, chain: ChainId = EVM_LIKE) -> None:
        self.world = SimulatedWorld()
        self.network = self.world.add(SimulatedNetwork(Token(TokenId(chain, "slip44", "60"), "ETH", 18), Pace(2, 3, 10)))
        kind = "erc20" if chain.namespace == "eip155" else "token"
        self.usdc = Token(TokenId(chain, kind, address_of(chain, "usdc")), "USDC", 6)
        self.network.add(self.usdc)
        self.owner, self.friend = self.network.account("owner"), self.network.account("friend")
        self.network.fund(self.owner, self.network.native.id, 10**18)
        self.network.fund(self.owner, self.usdc.id, 1_000)
        self.chain = self.client()

    def client(self) -> SimulatedChain:
        return self.world.chain(self.network.id, [self.owner])

    async def pay(self, units: int = 100):
        return await self.chain.prepare(self.owner, [transfer(self.usdc.id, self.friend.address, units)], None)

    async def holds(self, account) -> int | Unknown:
        return (await self.chain.snapshot([account], [self.usdc])).holdings[account, self.usdc.id]


@pytest.fixture(params=[EVM_LIKE, SOLANA_LIKE], ids=["evm-like", "solana-like"])
def town(request) -> Town:
    return Town(request.param)


@pytest.mark.parametrize(("fault", "lands"), [(LOST_REPLY, True), (LOST_REQUEST, False)])
async def test_submit__reply_lost__is_in_doubt_and_lands_only_if_kept(town: Town, fault: SendFault, lands: bool) -> None:
    submission = await town.pay()
    town.network.faults.sends.append(fault)
    with pytest.raises(SendInDoubt):
        await town.chain.submit(submission)
    town.world.finalize()
    assert isinstance(await town.chain.fate(submission), Landed if lands else Pending)
    assert await town.holds(town.friend) == (100 if lands else 0)


async def test_submit__dropped_from_the_mempool__lands_when_sent_again(town: Town) -> None:
    submission = await town.pay()
    town.network.faults.sends.append(DROPPED)
    await town.chain.submit(submission)
    town.world.tick(4)
    assert isinstance(await town.chain.fate(submission), Pending)
    await town.chain.submit(submission)
    town.world.finalize()
    assert isinstance(await town.chain.fate(submission), Landed)


async def test_submit__delayed__waits_its_blocks(town: Town) -> None:
    submission = await town.pay()
    town.network.faults.sends.append(SendFault(delay=2))
    await town.chain.submit(submission)
    town.world.tick(4)
    assert isinstance(await town.chain.fate(submission), Pending)
    town.world.tick(2)
    fate = await town.chain.fate(submission)
    assert isinstance(fate, Landed)
    assert fate.receipt.height.number == 3


async def test_reorganise__landed_but_not_final__waits_again_and_lands_once(town: Town) -> None:
    submission = await town.pay()
    await town.chain.submit(submission)
    town.world.tick(2)
    before = (await town.chain.fate(submission)).receipt.height
    town.network.reorganise(1)
    assert isinstance(await town.chain.fate(submission), Pending)
    town.world.finalize()
    after = (await town.chain.fate(submission)).receipt
    assert (after.final, after.height.number > before.number) == (True, True)
    assert await town.holds(town.friend) == 100


async def test_reorganise__forgetful__needs_sending_again(town: Town) -> None:
    submission = await town.pay()
    await town.chain.submit(submission)
    town.world.tick(2)
    old = town.network.height(1)
    town.network.reorganise(1, forget=True)
    assert town.network.height(1).hash != old.hash
    town.world.tick(2)
    assert isinstance(await town.chain.fate(submission), Pending)
    await town.chain.submit(submission)
    town.world.finalize()
    assert isinstance(await town.chain.fate(submission), Landed)


async def test_reorganise__final_blocks__is_refused(town: Town) -> None:
    town.world.tick(20)
    with pytest.raises(ValueError, match="not final"):
        town.network.reorganise(4)


async def test_fate__foreign_transaction_took_the_nonce__is_dead_only_once_final() -> None:
    town = Town()
    submission = await town.pay()
    town.network.faults.sends.append(SendFault(delay=5))
    await town.chain.submit(submission)
    town.network.send_as(town.owner, [transfer(town.usdc.id, town.friend.address, 7)])
    town.world.tick(2)
    assert isinstance(await town.chain.fate(submission), Pending)
    town.world.finalize()
    fate = await town.chain.fate(submission)
    assert isinstance(fate, Dead)
    assert fate.foreign
    assert await town.holds(town.friend) == 7


async def test_fate__expired__is_dead_only_once_final() -> None:
    town = Town(SOLANA_LIKE)
    submission = await town.pay()
    town.world.tick(11 * 2)  # past the last block in which it could land, which is not final yet
    assert isinstance(await town.chain.fate(submission), Pending)
    town.world.tick(3 * 2)
    assert await town.chain.fate(submission) == Dead("expired at block 10; block 11 is final and does not know it")
    with pytest.raises(SendInDoubt):
        await town.chain.submit(submission)
    town.world.finalize()
    assert await town.holds(town.friend) == 0


async def test_execution__token_paused_after_prepare__lands_failed_with_the_fee_paid(town: Town) -> None:
    submission = await town.pay()
    town.network.pause(town.usdc.id)
    await town.chain.submit(submission)
    town.world.finalize()
    receipt = (await town.chain.fate(submission)).receipt
    assert not receipt.succeeded
    assert "paused" in receipt.reason
    assert receipt.movements == ()
    held = await town.chain.snapshot([town.owner], [town.network.native])
    assert held.holdings[town.owner, town.network.native.id] == 10**18 - receipt.fee


async def test_execution__recipient_blocked_after_prepare__lands_failed(town: Town) -> None:
    submission = await town.pay()
    town.network.block(town.usdc.id, town.friend)
    await town.chain.submit(submission)
    town.world.finalize()
    assert "blocked" in (await town.chain.fate(submission)).receipt.reason


async def test_faults__network_silent__raises_what_was_set(town: Town) -> None:
    submission = await town.pay()
    town.network.faults.failing = 1
    town.network.faults.limited = 1
    with pytest.raises(Unreachable):
        await town.chain.head()
    with pytest.raises(RateLimited):
        await town.chain.head()
    town.network.faults.unreachable = True
    with pytest.raises(SendInDoubt):
        await town.chain.submit(submission)


async def test_snapshot__transaction_not_final__still_shows_the_old_balance(town: Town) -> None:
    await town.chain.submit(await town.pay())
    town.world.tick(2)
    assert await town.holds(town.owner) == 1_000
    town.world.finalize()
    assert await town.holds(town.owner) == 900


async def test_world__coordinator_dies__a_new_client_finds_everything(town: Town) -> None:
    submission = await town.pay()
    await town.chain.submit(submission)
    town.chain = town.client()
    town.world.finalize()
    assert isinstance(await town.chain.fate(submission), Landed)


async def test_world__same_steps__same_hashes() -> None:
    async def play() -> tuple[str, str]:
        town = Town()
        submission = await town.pay()
        await town.chain.submit(submission)
        town.world.finalize()
        return submission.reference, (await town.chain.head()).hash

    assert await play() == await play()


async def test_world__clock_moved_from_outside__catches_up_when_looked_at() -> None:
    clock = StillClock()
    world = SimulatedWorld(clock)
    network = world.add(SimulatedNetwork(Token(TokenId(EVM_LIKE, "slip44", "60"), "ETH", 18), Pace(2, 3)))
    clock.advance(2 * 86_400)
    assert (await world.chain(network.id).head()).number == 86_400 - 3


async def test_prepare__no_key__is_misconfigured(town: Town) -> None:
    with pytest.raises(Misconfigured, match="no key"):
        await town.world.chain(town.network.id).prepare(town.owner, [], None)


def _settings(chain: ChainId, world: str) -> SimulatedSettings:
    usdc, owner = address_of(chain, "usdc"), address_of(chain, "owner")
    return SimulatedSettings.model_validate(
        {
            "id": str(chain),
            "name": "alpha",
            "world": world,
            "native": {"asset": "ETH", "decimals": 18, "slip44": 60},
            "balances": {owner: "2"},
            "tokens": {f"{chain}/erc20:{usdc}": {"asset": "USDC", "decimals": 6, "balances": {owner: "12.5"}}},
        }
    )


async def test_build__settings_with_tokens__funds_once_and_joins_the_same_network() -> None:
    settings = _settings(EVM_LIKE, "funds once")
    first, second = build(settings, {}), build(settings, {})
    assert first.network is second.network
    usdc = TokenId.parse(next(iter(settings.tokens)))
    owner = second.network.account("owner")
    assert second.network.state[("balance", usdc, owner.address)] == 12_500_000
    assert await second.decimals(usdc) == 6
