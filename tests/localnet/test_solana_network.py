"""Hyperlane between Solana and the EVM chains: real contracts and programs, relayed by the network's own agent."""

from collections.abc import Iterator
from typing import Any

import pytest
from solders.compute_budget import set_compute_unit_limit
from solders.keypair import Keypair

from deploy.localnet import Network
from deploy.localnet.accounts import Role, address
from deploy.localnet.agents.checkpoints import Tree
from deploy.localnet.evm.node import as_bytes32
from deploy.localnet.layout import EVM_CHAINS, SOLANA_HYPERLANE_DOMAIN
from deploy.localnet.levers import EvmLevers
from deploy.localnet.solana import hyperlane
from tests.localnet.looking import SOL, UNIT, Solana, calm, eventually, http, solana_of

pytestmark = pytest.mark.localnet

USER = address(Role.USER)


@pytest.fixture
def solana(network: Network) -> Iterator[Solana]:
    yield solana_of(network)
    calm(network, "hyperlane", validators_live=3)


def transfer_from_evm(here: EvmLevers, domain: int, recipient: bytes, units: int) -> None:
    here.mint_usdc(USER, units)
    warp = here.contract("HyperlaneWarpUSDC")
    here.contract("USDC").send("approve", warp.address, units, sender=Role.USER)
    fee = warp.call("quoteGasPayment", domain)
    warp.send("transferRemote", domain, recipient, units, sender=Role.USER, value=fee)


def transfer_from_solana(solana: Solana, sender: Keypair, domain: int, units: int) -> None:
    unique = Keypair()
    wanted = hyperlane.RemoteTransfer(sender.pubkey(), unique.pubkey(), solana.usdc, domain, as_bytes32(USER), units)
    solana.send([set_compute_unit_limit(300_000), hyperlane.transfer_remote(wanted)], [sender, unique])


@pytest.mark.parametrize("plan", EVM_CHAINS, ids=lambda plan: plan.name)
def test_hyperlane__round_trip_over_solana__delivers_the_exact_units(network: Network, solana: Solana, plan: Any) -> None:
    here, wallet, units = network.evm(plan.name), Keypair(), 1_234_567_891
    transfer_from_evm(here, SOLANA_HYPERLANE_DOMAIN, bytes(wallet.pubkey()), units)
    eventually(lambda: solana.balance(wallet.pubkey()) or None, "delivery to Solana")
    assert solana.balance(wallet.pubkey()) == units  # a wallet that never existed: the route opened its account

    before = here.balance("USDC", USER)
    solana.call("requestAirdrop", str(wallet.pubkey()), SOL)
    transfer_from_solana(solana, wallet, plan.chain_id, units - 1)
    eventually(lambda: here.balance("USDC", USER) - before or None, f"delivery to {plan.name}")
    assert here.balance("USDC", USER) == before + units - 1
    assert solana.balance(wallet.pubkey()) == 1


def test_hyperlane__agent_paused_then_failing__message_waits_and_arrives_once(network: Network, solana: Solana) -> None:
    control = network.book["services"]["hyperlane"] + "/control"
    alpha, beta = network.evm("alpha"), network.evm("beta")
    sender = solana.account(usdc=50 * UNIT)
    assert http(control, {"paused": True, "fail_next": 2})[0] == 200
    before = beta.balance("USDC", USER)
    transfer_from_solana(solana, sender, beta.node.chain_id, 50 * UNIT)
    eventually(lambda: solana.balance(sender.pubkey()) == 0 or None, "leaving Solana")
    alpha.mine(3)
    assert beta.balance("USDC", USER) == before
    http(control, {"paused": False})
    eventually(lambda: beta.balance("USDC", USER) != before or None, "delivery after the pause")
    assert beta.balance("USDC", USER) == before + 50 * UNIT

    def settled() -> bool | None:
        state = http(control)[1]
        return (state["fail_next"], state["state"]["waiting"], state["state"]["sent"]) == (0, 0, 0) or None

    eventually(settled, "every delivery being final")


def test_hyperlane__too_few_validators__waits_for_a_second_one(network: Network, solana: Solana) -> None:
    control = network.book["services"]["hyperlane"]
    gamma, wallet = network.evm("gamma"), Keypair()
    http(control + "/control", {"validators_live": 1})
    transfer_from_evm(gamma, SOLANA_HYPERLANE_DOMAIN, bytes(wallet.pubkey()), UNIT)

    def waits() -> dict[str, Any] | None:
        messages: list[dict[str, Any]] = http(control + "/messages")[1]
        return next((m for m in messages if "validators" in (m["fault"] or "")), None)

    stuck = eventually(waits, "a message without enough signatures")
    assert (stuck["state"], solana.balance(wallet.pubkey())) == ("waiting", 0)
    http(control + "/control", {"validators_live": 2})
    eventually(lambda: solana.balance(wallet.pubkey()) == UNIT or None, "delivery with two validators")


def test_hyperlane__evm_to_evm__is_delivered_under_the_tree_hooks_own_root(network: Network) -> None:
    alpha, beta = network.evm("alpha"), network.evm("beta")
    for here, there in ((alpha, beta), (beta, alpha)):
        here.enrol_router(there.node.chain_id, as_bytes32(there.contract("HyperlaneWarpUSDC").address))
    before = beta.balance("USDC", USER)
    transfer_from_evm(alpha, beta.node.chain_id, as_bytes32(USER), UNIT)
    eventually(lambda: beta.balance("USDC", USER) - before or None, "delivery to beta")
    assert beta.balance("USDC", USER) == before + UNIT
    hook, tree = alpha.contract("HyperlaneMerkleTreeHook"), Tree()
    for log in hook.inner.events.InsertedIntoTree().get_logs(from_block=0):
        assert tree.insert(bytes(log["args"]["messageId"])) == log["args"]["index"]
    assert hook.call("latestCheckpoint") == [tree.roots[-1], len(tree.roots) - 1]


def test_hyperlane__solana_forks_the_delivery_away__it_arrives_again_and_once(network: Network, solana: Solana) -> None:
    wallet = Keypair()
    transfer_from_evm(network.evm("beta"), SOLANA_HYPERLANE_DOMAIN, bytes(wallet.pubkey()), UNIT)
    eventually(lambda: solana.balance(wallet.pubkey()) or None, "the first delivery")
    assert len(solana.call("localnet_reorg", 20)) >= 1
    eventually(lambda: http(network.book["services"]["hyperlane"] + "/control")[1]["state"]["sent"] == 0 or None, "finality")
    eventually(lambda: solana.balance(wallet.pubkey()) or None, "the second delivery")
    assert solana.balance(wallet.pubkey()) == UNIT
