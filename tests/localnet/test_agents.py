"""The agents over the real network: attestations that contracts accept, swaps that pay their quote, prices."""

import base64
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from eth_typing import HexStr
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from deploy.localnet import Network, rpc
from deploy.localnet.accounts import Role, address
from deploy.localnet.evm.node import NodeError, as_bytes32
from deploy.localnet.levers import EvmLevers
from tests.localnet.looking import SOL, UNIT, Solana, calm, eventually, http, solana_of

pytestmark = pytest.mark.localnet

USER = address(Role.USER)
WSOL = "So11111111111111111111111111111111111111112"


@pytest.fixture(autouse=True)
def controls_set_back(network: Network) -> Iterator[None]:
    yield
    calm(network, "iris", expiry_blocks=86_400)
    calm(network, "jupiter", skew_bps=0)
    calm(network, "hermes")


@pytest.fixture
def solana(network: Network) -> Solana:
    return solana_of(network)


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
    with pytest.raises(NodeError, match="expired"):
        there.contract("CctpMessageTransmitter").send("receiveMessage", message, signatures, sender=Role.ANYONE)
    http(iris + "/control", {"expiry_blocks": 10_000})
    mined = here.node.web3.eth.get_transaction_receipt(HexStr(transaction))["blockNumber"]
    eventually(lambda: here.node.web3.eth.get_block("finalized")["number"] >= mined or None, "finality of the burn")
    assert http(f"{iris}/v2/reattest/{expired['eventNonce']}", {})[0] == 200
    again = eventually(lambda: attestation(network, here, transaction), "the second attestation")
    assert again["eventNonce"] == expired["eventNonce"]
    assert again["message"] != expired["message"]
    assert again["decodedMessage"]["finalityThresholdExecuted"] == "2000"
    assert claim(there, again) == UNIT


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
