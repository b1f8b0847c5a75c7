"""The block clock ticks the chains whose switch is on."""

import asyncio

from aiohttp import ClientSession, web

from deploy.localnet.clock import Clock


class Chain:
    """A node that counts the blocks it is asked to mine."""

    def __init__(self) -> None:
        self.blocks = 0

    async def mine(self, request: web.Request) -> web.Response:
        assert (await request.json())["method"] == "evm_mine"
        self.blocks += 1
        return web.json_response({"result": "0x0"})


async def run_clock(changes: dict[str, bool], *, until: int) -> dict[str, int]:
    """Blocks mined on two live chains beside one that does not answer, until `one` has some or its time is over."""
    chains = {"one": Chain(), "two": Chain()}
    runners, book = [], {"solana:x": {"name": "solana", "rpc": ["http://127.0.0.1:1"]}}
    for name, chain in chains.items():
        app = web.Application()
        app.add_routes([web.post("/", chain.mine)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        runners.append(runner)
        book[f"eip155:{name}"] = {"name": name, "rpc": [f"http://127.0.0.1:{port}"]}
    book["eip155:away"] = {"name": "away", "rpc": ["http://127.0.0.1:1"]}
    async with ClientSession() as session:
        clock = Clock({"chains": book}, session)
        clock.controls.change(changes)
        work = asyncio.create_task(clock.work())
        for _ in range(200 if until else 10):
            await asyncio.sleep(0.05)
            if until and chains["one"].blocks >= until:
                break
        assert not work.done(), "a chain that is away must not end the clock"
        work.cancel()
    for runner in runners:
        await runner.cleanup()
    return {name: chain.blocks for name, chain in chains.items()}


async def test_work__all_on__every_live_chain_mines_alike() -> None:
    blocks = await run_clock({}, until=3)
    assert blocks["one"] >= 3
    assert abs(blocks["one"] - blocks["two"]) <= 1


async def test_work__one_switched_off__only_the_other_mines() -> None:
    blocks = await run_clock({"two": False}, until=2)
    assert blocks["one"] >= 2
    assert blocks["two"] == 0


async def test_work__paused__nothing_mines() -> None:
    assert await run_clock({"paused": True}, until=0) == {"one": 0, "two": 0}
