"""The EVM half of the local network: real contracts on three chains behave as the rails and the ledger expect."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from eth_utils.address import to_checksum_address

from deploy.localnet import Network
from deploy.localnet.accounts import Role, address
from deploy.localnet.evm.node import NodeError
from deploy.localnet.keeper import OLD_SECONDS, keep
from deploy.localnet.layout import EVM_CHAINS, WBTC_USDC_FEE, WETH_USDC_FEE
from deploy.localnet.levers import EvmLevers

pytestmark = pytest.mark.localnet

PORT_BASE = 18510
USER = address(Role.USER)
NAMES = [plan.name for plan in EVM_CHAINS]
SOLANA_ROUTER = bytes(range(32))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    network = Network.up(tmp_path_factory.mktemp("evm-network"), PORT_BASE, evm_only=True)
    yield network
    network.down()


@pytest.fixture
def alpha(network: Network) -> EvmLevers:
    return network.evm("alpha")


@pytest.fixture
def gamma(network: Network) -> EvmLevers:
    return network.evm("gamma")


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, and fail when it has not come true in 30 s."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def quote(levers: EvmLevers, gives: str, takes: str, units: int, fee: int) -> int:
    contracts = levers.book["contracts"]
    answer = levers.contract("QuoterV2").call("quoteExactInputSingle", (contracts[gives], contracts[takes], units, fee, 0))
    return int(answer[0])


# ---- blocks ----


@pytest.mark.parametrize("name", NAMES)
def test_finalized__no_transactions__follows_latest_by_two_blocks(network: Network, name: str) -> None:
    node = network.evm(name).node
    first = node.web3.eth.get_block("finalized")["number"]
    wait_until(lambda: node.web3.eth.get_block("finalized")["number"] > first)
    assert node.web3.eth.get_block("latest")["number"] - node.web3.eth.get_block("finalized")["number"] in (2, 3)


@pytest.mark.parametrize("name", NAMES)
def test_loaded_chain__after_up__can_be_read_at_its_finalized_block(network: Network, name: str) -> None:
    levers = network.evm(name)
    pinned = levers.node.web3.eth.get_block("finalized")
    usdc = levers.contract("USDC").inner
    at_block = usdc.functions.totalSupply().call(block_identifier=pinned["number"])
    assert at_block == usdc.functions.totalSupply().call()
    assert abs(pinned["timestamp"] - time.time()) < 600


def test_contracts__on_different_chains__have_different_addresses(network: Network) -> None:
    seen: dict[str, str] = {}
    for chain in network.book["chains"].values():
        for name, place in chain["contracts"].items():
            if name != "Multicall3":
                assert place not in seen, f"{chain['name']}:{name} shares its address with {seen.get(place)}"
                seen[place] = f"{chain['name']}:{name}"
    assert len(seen) >= 60


# ---- tokens ----


@pytest.mark.parametrize(("token", "decimals"), [("USDC", 6), ("WETH", 18), ("WBTC", 8)])
def test_deal__any_token__raises_balance_and_supply_alike(alpha: EvmLevers, token: str, decimals: int) -> None:
    contract = alpha.contract(token)
    assert contract.call("decimals") == decimals
    assert contract.call("symbol") == token
    before = alpha.balance(token, USER), contract.call("totalSupply")
    alpha.deal(token, USER, 12_345)
    assert (alpha.balance(token, USER), contract.call("totalSupply")) == (before[0] + 12_345, before[1] + 12_345)


def test_usdc__blacklisted_sender__transfer_is_refused(alpha: EvmLevers) -> None:
    alpha.mint_usdc(USER, 10)
    alpha.blacklist(USER)
    with pytest.raises(NodeError, match="account is blacklisted"):
        alpha.contract("USDC").send("transfer", address(Role.BOT), 1, sender=Role.USER)
    alpha.blacklist(USER, on=False)
    alpha.contract("USDC").send("transfer", address(Role.BOT), 1, sender=Role.USER)


def test_usdc__paused__transfer_is_refused(alpha: EvmLevers) -> None:
    alpha.mint_usdc(USER, 10)
    alpha.pause_usdc()
    with pytest.raises(NodeError, match="Pausable: paused"):
        alpha.contract("USDC").send("transfer", address(Role.BOT), 1, sender=Role.USER)
    alpha.pause_usdc(on=False)


@pytest.mark.parametrize("name", NAMES)
def test_multicall3__at_its_canonical_address__answers_a_batch(network: Network, name: str) -> None:
    levers = network.evm(name)
    multicall = levers.contract("Multicall3")
    assert multicall.address == "0xcA11bde05977b3631167028862bE2a173976CA11"
    usdc = levers.contract("USDC")
    supply = usdc.inner.encode_abi("totalSupply")
    answers = multicall.call("aggregate3", [(usdc.address, False, supply), (USER, True, supply)])
    assert answers[0][0] is True
    assert int.from_bytes(answers[0][1], "big") == usdc.call("totalSupply")


# ---- swaps ----


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("token", "unit", "fee"), [("WETH", 10**18, WETH_USDC_FEE), ("WBTC", 10**8, WBTC_USDC_FEE)])
def test_swap__exact_input__equals_the_quote(network: Network, name: str, token: str, unit: int, fee: int) -> None:
    levers = network.evm(name)
    expected = quote(levers, token, "USDC", unit, fee)
    assert levers.trade(token, "USDC", unit, fee) == expected
    back = quote(levers, "USDC", token, expected, fee)
    assert levers.trade("USDC", token, expected, fee) == back < unit


def test_pools__same_swap_on_each_chain__cost_more_where_they_are_thinner(network: Network) -> None:
    bid = {name: quote(network.evm(name), "WETH", "USDC", 20 * 10**18, WETH_USDC_FEE) for name in NAMES}
    assert 60_000_000_000 > bid["alpha"] > bid["beta"] > bid["gamma"] > 55_000_000_000


def test_pools__one_thousandth_of_a_token__trade_near_the_oracle_price_everywhere(network: Network) -> None:
    for name in NAMES:
        levers = network.evm(name)
        dollars = levers.price("ETH/USD")
        assert quote(levers, "WETH", "USDC", 10**15, WETH_USDC_FEE) / 10**3 == pytest.approx(float(dollars), rel=0.002)


# ---- oracles ----


def test_set_price__one_feed__moves_chainlink_and_pyth(gamma: EvmLevers, network: Network) -> None:
    gamma.set_price("SOL/USD", "151.25")
    latest = gamma.contract("ChainlinkSOLUSD").call("latestRoundData")
    feed = bytes.fromhex(network.book["pyth_feeds"]["SOL/USD"][2:])
    price = gamma.contract("Pyth").call("getPriceUnsafe", feed)
    assert latest[1] == price[0] == 15_125_000_000
    assert gamma.contract("ChainlinkSOLUSD").call("decimals") == -price[2] == 8
    assert gamma.price("ETH/USD") == 3_000
    gamma.set_price("SOL/USD", 150)


@pytest.mark.parametrize("name", NAMES)
def test_refresh_prices__old_answers__are_published_again_as_they_are(network: Network, name: str) -> None:
    levers = network.evm(name)
    before = levers.contract("ChainlinkBTCUSD").call("latestRoundData")
    levers.refresh_prices()
    after = levers.contract("ChainlinkBTCUSD").call("latestRoundData")
    assert after[0] > before[0]
    assert after[1] == before[1]
    assert levers.node.web3.eth.get_block("latest")["timestamp"] - after[3] < 60


def test_keep__old_answers__are_published_again_once(network: Network, alpha: EvmLevers) -> None:
    network.keep_prices(on=False)
    alpha.set_price("BTC/USD", 61_000)
    assert keep(alpha) == []
    alpha.node.rpc("evm_increaseTime", OLD_SECONDS + 1)
    alpha.mine()
    assert sorted(keep(alpha)) == ["BTC/USD", "ETH/USD", "SOL/USD", "USDC/USD"]
    assert keep(alpha) == []
    assert alpha.price("BTC/USD") == 61_000
    alpha.set_price("BTC/USD", 60_000)
    network.keep_prices(on=True)


# ---- trouble on request ----


def test_reorg__recent_transfer__is_gone_and_blocks_have_other_hashes(gamma: EvmLevers) -> None:
    stranger = to_checksum_address("0x" + "6b" * 20)
    gamma.mint_usdc(stranger, 7)
    tip = gamma.node.web3.eth.get_block("latest")
    gamma.reorg(8)
    assert gamma.balance("USDC", stranger) == 0
    assert gamma.node.web3.eth.get_block(tip["number"])["hash"] != tip["hash"]


def test_stop_mining__sent_transaction__stays_pending_until_mining_starts(gamma: EvmLevers) -> None:
    stranger = to_checksum_address("0x" + "7c" * 20)
    gamma.stop_mining()
    reference = gamma.contract("USDC").post("mint", stranger, 1)
    height = gamma.node.web3.eth.block_number
    time.sleep(0.6)
    assert gamma.node.web3.eth.block_number == height
    assert gamma.balance("USDC", stranger) == 0
    gamma.start_mining()
    gamma.node.wait(reference, "mint")
    assert gamma.balance("USDC", stranger) == 1


def test_set_base_fee__spike__shows_in_the_next_block(gamma: EvmLevers) -> None:
    gamma.stop_mining()
    gamma.set_base_fee(500 * 10**9)
    gamma.mine()
    assert gamma.node.web3.eth.get_block("latest")["baseFeePerGas"] == 500 * 10**9
    gamma.set_base_fee(10**9)
    gamma.start_mining()


# ---- the command's promises ----


def test_up__already_running__starts_nothing_again(network: Network) -> None:
    pids = {path.name: path.read_text() for path in (network.home / "pids").iterdir()}
    Network.up(network.home, PORT_BASE, evm_only=True)
    assert {path.name: path.read_text() for path in (network.home / "pids").iterdir()} == pids


def test_up__other_ports_while_running__is_refused(network: Network) -> None:
    with pytest.raises(Exception, match=f"running on port base {PORT_BASE}"):
        Network.up(network.home, PORT_BASE + 10, evm_only=True)


def test_ports__while_running__listen_on_loopback_only(network: Network) -> None:
    listening = [line.split()[1].split(":") for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    wide = [line.split()[1].split(":") for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]]
    ours = {f"{port:04X}" for port in network.ports.all_evm}
    assert {place for place, port in listening if port in ours} == {"0100007F"}
    assert not [place for place, port in wide if port in ours]


def test_up__a_chain_was_killed__starts_it_again(network: Network) -> None:
    pid = json.loads((network.home / "pids" / "beta.json").read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: [each.name for each in network.status() if not each.ready] == ["beta"])
    Network.up(network.home, PORT_BASE, evm_only=True)
    assert all(standing.ready for standing in network.status())
    assert network.evm("beta").contract("USDC").call("symbol") == "USDC"


def test_reset__after_changes__is_the_freshly_deployed_state(network: Network, alpha: EvmLevers) -> None:
    stranger = to_checksum_address("0x" + "5a" * 20)
    alpha.mint_usdc(stranger, 99)
    network.reset()
    assert all(standing.ready for standing in network.status())
    assert network.evm("alpha").balance("USDC", stranger) == 0


def test_down__running_network__leaves_nothing_running(network: Network) -> None:
    assert sorted(network.down()) == sorted([*NAMES, "clock", "keeper"])
    assert not any(standing.running for standing in network.status())
    assert network.down() == []
