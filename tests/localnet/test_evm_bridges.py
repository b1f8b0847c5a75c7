"""CCTP's stand-in and Hyperlane on the local EVM chains: transfers arrive once, for the right amount, or not at all."""

import time
from collections.abc import Iterator

import pytest
from eth_account.messages import encode_defunct
from eth_utils.crypto import keccak

from deploy.localnet import Network
from deploy.localnet.accounts import CCTP_ATTESTERS, HYPERLANE_VALIDATORS, Role, account, address
from deploy.localnet.evm.node import NodeError, as_bytes32
from deploy.localnet.layout import EVM_CHAINS, SOLANA_HYPERLANE_DOMAIN
from deploy.localnet.levers import EvmLevers

pytestmark = pytest.mark.localnet

PORT_BASE = 18520
USER = address(Role.USER)
NAMES = [plan.name for plan in EVM_CHAINS]
SOLANA_ROUTER = bytes(range(32))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    network = Network.up(tmp_path_factory.mktemp("evm-bridges"), PORT_BASE, evm_only=True)
    yield network
    network.down()


@pytest.fixture
def alpha(network: Network) -> EvmLevers:
    return network.evm("alpha")


@pytest.fixture
def gamma(network: Network) -> EvmLevers:
    return network.evm("gamma")


# ---- CCTP ----


def attested(message: bytes, nonce: int, signers: tuple[int, ...], chain_id: int) -> tuple[bytes, bytes]:
    """What the attestation service answers: nonce and executed finality filled in, signatures by ascending signer."""
    filled = message[:12] + nonce.to_bytes(32, "big") + message[44:144] + (2000).to_bytes(4, "big") + message[148:]
    keys = sorted((account(role, chain_id) for role in signers), key=lambda key: int(key.address, 16))
    return filled, b"".join(bytes(key.unsafe_sign_hash(keccak(filled)).signature) for key in keys)


@pytest.mark.parametrize(("source", "target"), [("alpha", "beta"), ("beta", "gamma"), ("gamma", "alpha")])
def test_cctp__burn_and_claim__moves_the_amount_and_conserves_supply(network: Network, source: str, target: str) -> None:
    here, there = network.evm(source), network.evm(target)
    amount = 250_000_000
    here.mint_usdc(USER, amount)
    supply = [levers.contract("USDC").call("totalSupply") for levers in (here, there)]
    message = burn(here, there, amount)
    filled, signatures = attested(message, int(time.time_ns()), CCTP_ATTESTERS, there.node.chain_id)
    before = there.balance("USDC", USER)
    transmitter = there.contract("CctpMessageTransmitter")
    with pytest.raises(NodeError, match="Invalid attestation length"):
        transmitter.send("receiveMessage", filled, signatures[:65], sender=Role.ANYONE)
    transmitter.send("receiveMessage", filled, signatures, sender=Role.ANYONE)
    assert there.balance("USDC", USER) == before + amount
    assert here.contract("USDC").call("totalSupply") == supply[0] - amount
    assert there.contract("USDC").call("totalSupply") == supply[1] + amount
    with pytest.raises(NodeError, match="Nonce already used"):
        transmitter.send("receiveMessage", filled, signatures, sender=Role.ANYONE)


def burn(here: EvmLevers, there: EvmLevers, amount: int) -> bytes:
    messenger, usdc = here.contract("CctpTokenMessenger"), here.contract("USDC")
    usdc.send("approve", messenger.address, amount, sender=Role.USER)
    target = (there.book["cctp_domain"], as_bytes32(USER), usdc.address, bytes(32), 0, 2000)
    receipt = messenger.send("depositForBurn", amount, *target, sender=Role.USER)
    transmitter = here.contract("CctpMessageTransmitter")
    [log] = [log for log in receipt["logs"] if log["address"] == transmitter.address]
    return bytes(transmitter.inner.events.MessageSent().process_log(log)["args"]["message"])


def test_cctp__stranger_signs__claim_is_refused(network: Network, alpha: EvmLevers, gamma: EvmLevers) -> None:
    alpha.mint_usdc(USER, 5)
    filled, signatures = attested(burn(alpha, gamma, 5), 77, (Role.ANYONE, Role.CCTP_ATTESTER_1), gamma.node.chain_id)
    with pytest.raises(NodeError, match="not attester"):
        gamma.contract("CctpMessageTransmitter").send("receiveMessage", filled, signatures, sender=Role.ANYONE)


@pytest.mark.parametrize("name", NAMES)
def test_cctp__every_contract__says_on_chain_that_it_is_a_stand_in(network: Network, name: str) -> None:
    for contract in ("CctpTokenMessenger", "CctpMessageTransmitter", "CctpTokenMinter"):
        assert network.evm(name).contract(contract).call("STAND_IN_FOR").startswith("Circle CCTP v2 ")


def hyperlane_metadata(levers: EvmLevers, message: bytes, signers: tuple[int, ...]) -> bytes:
    """Multisig metadata for a message from Solana: hook, root, index, then signatures in validator-set order."""
    hook, root, index = bytes(31) + b"\x01", keccak(b"any root"), 0
    domain = keccak(SOLANA_HYPERLANE_DOMAIN.to_bytes(4, "big") + hook + b"HYPERLANE")
    digest = encode_defunct(keccak(domain + root + index.to_bytes(4, "big") + keccak(message)))
    keys = [account(role, levers.node.chain_id) for role in HYPERLANE_VALIDATORS if role in signers]
    return hook + root + index.to_bytes(4, "big") + b"".join(bytes(key.sign_message(digest).signature) for key in keys)


@pytest.mark.parametrize("name", NAMES)
def test_hyperlane__message_from_solana__pays_collateral_once(network: Network, name: str) -> None:
    levers = network.evm(name)
    levers.enrol_router(SOLANA_HYPERLANE_DOMAIN, SOLANA_ROUTER)
    warp, mailbox = levers.contract("HyperlaneWarpUSDC"), levers.contract("HyperlaneMailbox")
    amount, target = 1_234_567, address(Role.BOT)
    header = b"\x03" + (0).to_bytes(4, "big") + SOLANA_HYPERLANE_DOMAIN.to_bytes(4, "big") + SOLANA_ROUTER
    arrival = levers.node.chain_id.to_bytes(4, "big") + as_bytes32(warp.address)
    message = header + arrival + as_bytes32(target) + amount.to_bytes(32, "big")
    before = levers.balance("USDC", target), levers.balance("USDC", warp.address)
    strangers = hyperlane_metadata(levers, message, HYPERLANE_VALIDATORS[:1])
    with pytest.raises(NodeError, match="reverted"):
        mailbox.send("process", strangers, message, sender=Role.ANYONE)
    good = hyperlane_metadata(levers, message, HYPERLANE_VALIDATORS[1:])
    mailbox.send("process", good, message, sender=Role.ANYONE)
    assert levers.balance("USDC", target) == before[0] + amount
    assert levers.balance("USDC", warp.address) == before[1] - amount
    with pytest.raises(NodeError, match="already delivered"):
        mailbox.send("process", good, message, sender=Role.ANYONE)


def test_hyperlane__transfer_to_solana__locks_collateral_and_dispatches(alpha: EvmLevers) -> None:
    alpha.enrol_router(SOLANA_HYPERLANE_DOMAIN, SOLANA_ROUTER)
    warp, mailbox = alpha.contract("HyperlaneWarpUSDC"), alpha.contract("HyperlaneMailbox")
    amount = 5_000_000
    alpha.mint_usdc(USER, amount)
    alpha.contract("USDC").send("approve", warp.address, amount, sender=Role.USER)
    quotes = warp.call("quoteTransferRemote", SOLANA_HYPERLANE_DOMAIN, bytes(32), amount)
    before = alpha.balance("USDC", warp.address)
    receipt = warp.send("transferRemote", SOLANA_HYPERLANE_DOMAIN, b"\x07" * 32, amount, sender=Role.USER, value=quotes[0][1])
    assert alpha.balance("USDC", warp.address) == before + amount
    topic = keccak(text="Dispatch(address,uint32,bytes32,bytes)")
    [log] = [log for log in receipt["logs"] if log["address"] == mailbox.address and log["topics"][0] == topic]
    message = bytes(mailbox.inner.events.Dispatch().process_log(log)["args"]["message"])
    assert message[41:45] == SOLANA_HYPERLANE_DOMAIN.to_bytes(4, "big")
    assert message[45:77] == SOLANA_ROUTER
    assert message[77:] == b"\x07" * 32 + amount.to_bytes(32, "big")


def test_pause_cctp__burn__is_refused_until_it_goes_on(alpha: EvmLevers, gamma: EvmLevers) -> None:
    alpha.mint_usdc(USER, 10)
    alpha.pause_cctp()
    with pytest.raises(NodeError, match="Pausable: paused"):
        burn(alpha, gamma, 5)
    alpha.pause_cctp(on=False)
    assert len(burn(alpha, gamma, 5)) == 376
