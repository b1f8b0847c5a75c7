"""The Solana half of the local network and all agents, against real contracts on all four chains."""

import base64
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from solders.compute_budget import set_compute_unit_limit
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from deploy.localnet import Network, rpc
from deploy.localnet.accounts import Role, address
from deploy.localnet.agents.checkpoints import Tree
from deploy.localnet.evm.node import as_bytes32
from deploy.localnet.layout import EVM_CHAINS, SOLANA_HYPERLANE_DOMAIN
from deploy.localnet.levers import EvmLevers
from deploy.localnet.solana import hyperlane

pytestmark = pytest.mark.localnet

PORT_BASE = 18600
USER = address(Role.USER)
UNIT, SOL = 10**6, 10**9
T = TypeVar("T")
WSOL = "So11111111111111111111111111111111111111112"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    network = Network.up(tmp_path_factory.mktemp("solana-network"), PORT_BASE)
    yield network
    network.down()


def eventually(look: Callable[[], T | None], what: str, seconds: float = 30) -> T:
    """The first thing `look` finds. The bound is for a broken network, not a claim about speed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen in {seconds} s")


def http(url: str, body: Any = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


class Solana:
    """The Solana node as these tests use it."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.entry, self.url = entry, entry["rpc"][0]
        self.usdc = Pubkey.from_string(entry["mints"]["USDC"])

    def call(self, method: str, *params: Any) -> Any:
        return rpc.request(self.url, method, *params)

    def account(self, lamports: int = 10 * SOL, usdc: int = 0) -> Keypair:
        key = Keypair()
        self.call("requestAirdrop", str(key.pubkey()), lamports)
        if usdc:
            self.call("localnet_mintTo", str(self.usdc), str(key.pubkey()), usdc)
        return key

    def balance(self, owner: Pubkey) -> int:
        wanted = {"commitment": "processed", "encoding": "jsonParsed"}
        held = self.call("getTokenAccountsByOwner", str(owner), {"mint": str(self.usdc)}, wanted)["value"]
        return sum(int(a["account"]["data"]["parsed"]["info"]["tokenAmount"]["amount"]) for a in held)

    def lamports(self, owner: Pubkey) -> int:
        return int(self.call("getBalance", str(owner), {"commitment": "processed"})["value"])

    def send(self, steps: list[Instruction], signers: list[Keypair]) -> str:
        latest = self.call("getLatestBlockhash", {"commitment": "processed"})["value"]["blockhash"]
        message = MessageV0.try_compile(signers[0].pubkey(), steps, [], Hash.from_string(latest))
        raw = base64.b64encode(bytes(VersionedTransaction(message, signers))).decode()
        sent = self.call("sendTransaction", raw, {"encoding": "base64", "preflightCommitment": "processed"})
        return str(sent)


@pytest.fixture
def solana(network: Network) -> Solana:
    return Solana(next(entry for caip2, entry in network.book["chains"].items() if caip2.startswith("solana:")))


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


# ---- Hyperlane ----


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
    state = http(control)[1]
    assert (state["fail_next"], state["state"]["waiting"]) == (0, 0)


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


# ---- CCTP ----


def burn(here: EvmLevers, there: dict[str, Any], units: int, max_fee: int, finality: int) -> str:
    here.mint_usdc(USER, units)
    messenger = here.contract("CctpTokenMessenger")
    here.contract("USDC").send("approve", messenger.address, units, sender=Role.USER)
    arguments = (units, there["cctp_domain"], as_bytes32(USER), here.book["contracts"]["USDC"], bytes(32), max_fee, finality)
    return str(messenger.send("depositForBurn", *arguments, sender=Role.USER)["transactionHash"].to_0x_hex())


def attestation(network: Network, here: EvmLevers, transaction: str) -> dict[str, Any] | None:
    """Iris's word on the burn once it is complete."""
    domain = here.book["cctp_domain"]
    status, body = http(f"{network.book['services']['iris']}/v2/messages/{domain}?transactionHash={transaction}")
    if status == 404 or body["messages"][0]["status"] != "complete":
        return None
    (entry,) = body["messages"]
    return dict(entry)


def claim(there: EvmLevers, entry: dict[str, Any]) -> int:
    """What the claim brought the user, in base units."""
    before = there.balance("USDC", USER)
    message, signatures = (bytes.fromhex(entry[name][2:]) for name in ("message", "attestation"))
    there.contract("CctpMessageTransmitter").send("receiveMessage", message, signatures, sender=Role.ANYONE)
    return there.balance("USDC", USER) - before


@pytest.mark.parametrize(("finality", "max_fee", "paid"), [(2000, 0, 0), (1000, 500, 100)])
def test_iris__burn__its_attestation_is_accepted_and_stays_the_same(network: Network, finality: int, max_fee: int, paid: int) -> None:
    here, there = network.evm("alpha"), network.evm("gamma")
    transaction = burn(here, there.book, UNIT, max_fee, finality)
    entry = eventually(lambda: attestation(network, here, transaction), "the attestation")
    assert attestation(network, here, transaction) == entry
    decoded = entry["decodedMessage"]
    assert decoded["finalityThresholdExecuted"] == str(finality)
    assert decoded["decodedMessageBody"]["feeExecuted"] == str(paid)
    assert decoded["nonce"] == entry["eventNonce"]
    assert claim(there, entry) == UNIT - paid


def test_iris__fast_burn_with_too_low_a_fee__says_why_and_goes_the_standard_way(network: Network) -> None:
    here, there = network.evm("beta"), network.evm("alpha")
    transaction = burn(here, there.book, UNIT, 99, 1000)  # the fee is 1 bp of a million units: 100
    entry = eventually(lambda: attestation(network, here, transaction), "the attestation")
    assert entry["decodedMessage"]["finalityThresholdExecuted"] == "2000"
    assert claim(there, entry) == UNIT


def test_iris__unfinished_burn__is_pending_until_final(network: Network) -> None:
    here, there = network.evm("gamma"), network.evm("alpha")
    control = network.book["services"]["iris"] + "/control"
    http(control, {"delay_s": 3600})
    transaction = burn(here, there.book, UNIT, 0, 2000)
    url = f"{network.book['services']['iris']}/v2/messages/{here.book['cctp_domain']}?transactionHash="
    status, body = http(url + transaction)
    assert (status, body["messages"][0]["status"]) == (200, "pending_confirmations")
    assert (body["messages"][0]["message"], body["messages"][0]["attestation"]) == ("0x", "PENDING")
    assert http(url + "0x" + "11" * 32)[0] == 404
    http(control, {"delay_s": 0})
    assert claim(there, eventually(lambda: attestation(network, here, transaction), "the attestation")) == UNIT


def test_iris__expired_fast_attestation__reattests_under_the_same_nonce(network: Network) -> None:
    here, there = network.evm("alpha"), network.evm("beta")
    iris = network.book["services"]["iris"]
    http(iris + "/control", {"expiry_blocks": 0})
    transaction = burn(here, there.book, UNIT, 1_000, 1000)
    expired = eventually(lambda: attestation(network, here, transaction), "the attestation")
    message, signatures = (bytes.fromhex(expired[name][2:]) for name in ("message", "attestation"))
    with pytest.raises(Exception, match="expired"):
        there.contract("CctpMessageTransmitter").send("receiveMessage", message, signatures, sender=Role.ANYONE)
    http(iris + "/control", {"expiry_blocks": 10_000})
    eventually(lambda: here.node.web3.eth.get_block("finalized")["number"] > 0 or None, "finality")
    assert http(f"{iris}/v2/reattest/{expired['eventNonce']}", {})[0] == 200
    again = eventually(lambda: attestation(network, here, transaction), "the second attestation")
    assert again["eventNonce"] == expired["eventNonce"]
    assert again["message"] != expired["message"]
    assert claim(there, again) in (UNIT, UNIT - 100)


def test_iris__paused_or_failing__answers_503_and_500_then_recovers(network: Network) -> None:
    iris = network.book["services"]["iris"]
    fees = f"{iris}/v2/burn/USDC/fees/0/6"
    http(iris + "/control", {"paused": True})
    assert http(fees)[0] == 503
    http(iris + "/control", {"paused": False, "fail_next": 1})
    assert http(fees)[0] == 500
    tiers = [{"finalityThreshold": 1000, "minimumFee": 1}, {"finalityThreshold": 2000, "minimumFee": 0}]
    assert http(fees) == (200, tiers)
    assert http(iris + "/control", {"speed": 3})[0] == 400


# ---- Jupiter ----


def read(instruction: dict[str, Any]) -> Instruction:
    metas = [AccountMeta(Pubkey.from_string(a["pubkey"]), a["isSigner"], a["isWritable"]) for a in instruction["accounts"]]
    return Instruction(Pubkey.from_string(instruction["programId"]), base64.b64decode(instruction["data"]), metas)


def quoted(network: Network, given: str, taken: str, amount: int) -> dict[str, Any]:
    query = f"inputMint={given}&outputMint={taken}&amount={amount}&slippageBps=50"
    status, quote = http(f"{network.book['services']['jupiter']}/swap/v1/quote?{query}")
    assert status == 200
    return dict(quote)


def swap_steps(network: Network, user: Pubkey, quote: dict[str, Any]) -> list[Instruction]:
    body = {"userPublicKey": str(user), "quoteResponse": quote, "wrapAndUnwrapSol": True}
    status, parts = http(f"{network.book['services']['jupiter']}/swap/v1/swap-instructions", body)
    assert status == 200
    cleanup = [parts["cleanupInstruction"]] if parts["cleanupInstruction"] else []
    steps = [*parts["computeBudgetInstructions"], *parts["setupInstructions"], parts["swapInstruction"], *cleanup]
    return [read(step) for step in steps]


def test_jupiter__usdc_to_sol_and_back__pays_what_it_quoted(network: Network, solana: Solana) -> None:
    user = solana.account(usdc=3_000 * UNIT)
    quote = quoted(network, str(solana.usdc), WSOL, 3_000 * UNIT)
    before = solana.lamports(user.pubkey())
    solana.send(swap_steps(network, user.pubkey(), quote), [user])
    fee = 5_000
    assert solana.lamports(user.pubkey()) == before + int(quote["outAmount"]) - fee  # unwrapped; the rent came back
    assert int(quote["outAmount"]) // SOL == 19  # 3,000 USDC at 150, less fee and impact
    assert solana.balance(user.pubkey()) == 0

    quote = quoted(network, WSOL, str(solana.usdc), 5 * SOL)
    before = solana.lamports(user.pubkey())
    solana.send(swap_steps(network, user.pubkey(), quote), [user])
    assert solana.balance(user.pubkey()) == int(quote["outAmount"])
    assert solana.lamports(user.pubkey()) == before - 5 * SOL - fee


def test_jupiter__lying_quote__is_refused_by_the_program(network: Network, solana: Solana) -> None:
    control = network.book["services"]["jupiter"] + "/control"
    user = solana.account(usdc=100 * UNIT)
    http(control, {"skew_bps": 200})
    quote = quoted(network, str(solana.usdc), WSOL, 100 * UNIT)
    http(control, {"skew_bps": 0})
    with pytest.raises(rpc.RpcError, match="6001"):
        solana.send(swap_steps(network, user.pubkey(), quote), [user])
    assert solana.balance(user.pubkey()) == 100 * UNIT


def test_jupiter__mint_without_a_pool__answers_no_route(network: Network, solana: Solana) -> None:
    query = f"inputMint={solana.entry['mints']['PYUSD']}&outputMint={WSOL}&amount=1"
    status, body = http(f"{network.book['services']['jupiter']}/swap/v1/quote?{query}")
    assert (status, body["errorCode"]) == (400, "COULD_NOT_FIND_ANY_ROUTE")


# ---- Hermes ----


def test_hermes__known_and_unknown_feeds__answers_like_pyth(network: Network) -> None:
    hermes, feeds = network.book["services"]["hermes"], network.book["pyth_feeds"]
    url = f"{hermes}/v2/updates/price/latest?parsed=true&ids[]="
    http(hermes + "/control", {"prices": {"SOL/USD": "151.25"}})
    status, body = http(url + feeds["SOL/USD"] + "&ids[]=" + feeds["ETH/USD"])
    prices = [(entry["id"], entry["price"]["price"], entry["price"]["expo"]) for entry in body["parsed"]]
    assert status == 200
    assert prices == [(feeds["SOL/USD"][2:], "15125000000", -8), (feeds["ETH/USD"][2:], "300000000000", -8)]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(url + "0x" + "00" * 32, timeout=5)
    assert http(hermes + "/control", {"prices": {"SOL/USD": "free"}})[0] == 400
    http(hermes + "/control", {"prices": {"SOL/USD": "150"}})
