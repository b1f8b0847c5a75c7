"""The CCTP v2 stand-in against Circle's documented rules: what each side accepts, and with which words it refuses.

Both domains live on one instantly mining chain: domain 0 burns, domain 6 mints.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import pytest
from eth_utils.crypto import keccak

from deploy.localnet import rpc
from deploy.localnet.accounts import CCTP_ATTESTERS, Role, account, address
from deploy.localnet.evm.anvil import anvil_binary, deploying
from deploy.localnet.evm.cctp import Cctp, deploy_cctp, wire_cctp
from deploy.localnet.evm.node import EvmNode, NodeError, as_bytes32
from deploy.localnet.evm.tokens import UNLIMITED, deploy_usdc
from deploy.localnet.layout import CCTP_BURN_LIMIT
from deploy.localnet.solc import CONTRACTS, compile_contracts

pytestmark = pytest.mark.localnet

PORT, CHAIN_ID = 18530, 31337099
AMOUNT, MAX_FEE = 1_000_000, 400
TAKER = address(Role.USER)
NONCES = count(1)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two wired domains."""

    node: EvmNode
    source: Cctp
    target: Cctp


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    dump = tmp_path_factory.mktemp("cctp") / "state" / "dump.json"
    command = deploying(anvil_binary(), PORT, CHAIN_ID, dump)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as anvil:
        try:
            rpc.wait_for(rpc.local_url(PORT), 20)
            yield deploy_pair()
        finally:
            anvil.kill()


def deploy_pair() -> Pair:
    node, compiled = EvmNode(rpc.local_url(PORT), CHAIN_ID), compile_contracts()
    source, target = (deploy_cctp(node, compiled, domain, deploy_usdc(node)) for domain in (0, 6))
    wire_cctp(source, target)
    wire_cctp(target, source)
    source.usdc.send("mint", TAKER, 10**15)
    source.usdc.send("approve", source.messenger.address, UNLIMITED, sender=Role.USER)
    return Pair(node, source, target)


def burn(pair: Pair, *, hook: bytes | None = None, **changes: object) -> bytes:
    """Burn with these arguments changed; the message emitted."""
    arguments = {
        "amount": AMOUNT,
        "domain": 6,
        "recipient": as_bytes32(TAKER),
        "token": pair.source.usdc.address,
        "caller": bytes(32),
        "max_fee": MAX_FEE,
        "finality": 1000,
    }
    values = [*(arguments | changes).values(), *([] if hook is None else [hook])]
    function = "depositForBurn" if hook is None else "depositForBurnWithHook"
    receipt = pair.source.messenger.send(function, *values, sender=Role.USER)
    transmitter = pair.source.transmitter
    [log] = [log for log in receipt["logs"] if log["address"] == transmitter.address]
    return bytes(transmitter.inner.events.MessageSent().process_log(log)["args"]["message"])


def fill(message: bytes, *, finality: int = 2000, fee: int = 0, expiration: int = 0) -> bytes:
    """What the attestation service does to a message before it signs it."""
    filled = bytearray(message)
    filled[12:44] = next(NONCES).to_bytes(32, "big")
    filled[144:148] = finality.to_bytes(4, "big")
    filled[148 + 164 : 148 + 196] = fee.to_bytes(32, "big")
    filled[148 + 196 : 148 + 228] = expiration.to_bytes(32, "big")
    return bytes(filled)


def sign(message: bytes, roles: tuple[int, ...] = CCTP_ATTESTERS, *, swapped: bool = False) -> bytes:
    keys = sorted((account(role, CHAIN_ID) for role in roles), key=lambda key: int(key.address, 16), reverse=swapped)
    return b"".join(bytes(key.unsafe_sign_hash(keccak(message)).signature) for key in keys)


def receive(pair: Pair, message: bytes, attestation: bytes | None = None, sender: int = Role.ANYONE) -> int:
    """Deliver; what the taker got."""
    before = pair.target.usdc.call("balanceOf", TAKER)
    proof = sign(message) if attestation is None else attestation
    pair.target.transmitter.send("receiveMessage", message, proof, sender=sender)
    return int(pair.target.usdc.call("balanceOf", TAKER)) - int(before)


def test_burn__accepted__emits_the_documented_layout(pair: Pair) -> None:
    message = burn(pair, hook=b"\x01hook")
    version, source, target = (int.from_bytes(message[at : at + 4], "big") for at in (0, 4, 8))
    assert (version, source, target) == (1, 0, 6)
    assert message[12:44] == bytes(32)
    assert message[44:76] == as_bytes32(pair.source.messenger.address)
    assert message[76:108] == as_bytes32(pair.target.messenger.address)
    assert message[140:148] == (1000).to_bytes(4, "big") + bytes(4)
    body = message[148:]
    assert body[:4] == (1).to_bytes(4, "big")
    assert body[4:68] == as_bytes32(pair.source.usdc.address) + as_bytes32(TAKER)
    assert body[68:132] == AMOUNT.to_bytes(32, "big") + as_bytes32(TAKER)
    assert body[132:] == MAX_FEE.to_bytes(32, "big") + bytes(64) + b"\x01hook"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": 0}, "Amount must be nonzero"),
        ({"max_fee": AMOUNT}, "Max fee must be less than amount"),
        ({"domain": 77}, "No TokenMessenger for domain"),
        ({"recipient": bytes(32)}, "Mint recipient must be nonzero"),
        ({"amount": CCTP_BURN_LIMIT + 1}, "Burn amount exceeds per tx limit"),
        ({"hook": b""}, "Hook data is empty"),
    ],
)
def test_burn__against_a_rule__is_refused_in_circles_words(pair: Pair, changes: dict[str, object], words: str) -> None:
    with pytest.raises(NodeError, match=words):
        burn(pair, **changes)  # type: ignore[arg-type]  # `hook` is bytes, the rest are free


@pytest.mark.parametrize(("finality", "fee"), [(2000, 0), (1000, 0), (1000, 300), (2000, MAX_FEE)])
def test_receive__within_the_fee__mints_amount_less_fee(pair: Pair, finality: int, fee: int) -> None:
    fees = address(Role.CCTP_FEES)
    before = pair.target.usdc.call("balanceOf", fees)
    assert receive(pair, fill(burn(pair), finality=finality, fee=fee)) == AMOUNT - fee
    assert pair.target.usdc.call("balanceOf", fees) - before == fee


@pytest.mark.parametrize(
    ("filling", "words"),
    [
        ({"finality": 1000, "fee": MAX_FEE + 1}, "Fee exceeds max fee"),
        ({"finality": 499}, "Unsupported finality threshold"),
        ({"finality": 1000, "expiration": 1}, "Message expired and must be re-signed"),
    ],
)
def test_receive__against_a_rule__is_refused_and_can_be_attested_again(pair: Pair, filling: dict[str, int], words: str) -> None:
    message = burn(pair)
    with pytest.raises(NodeError, match=words):
        receive(pair, fill(message, **filling))
    assert receive(pair, fill(message)) == AMOUNT


@pytest.mark.parametrize(
    ("roles", "swapped", "words"),
    [
        ((Role.CCTP_ATTESTER_1,), False, "Invalid attestation length"),
        (CCTP_ATTESTERS, True, "Invalid signature order or dupe"),
        ((Role.CCTP_ATTESTER_1, Role.CCTP_ATTESTER_1), False, "Invalid signature order or dupe"),
        ((Role.ANYONE, Role.BOT), False, "Invalid signature: not attester"),
    ],
)
def test_receive__wrong_signatures__is_refused(pair: Pair, roles: tuple[int, ...], swapped: bool, words: str) -> None:
    message = fill(burn(pair))
    with pytest.raises(NodeError, match=words):
        receive(pair, message, sign(message, roles, swapped=swapped))


def test_receive__changed_after_signing__is_refused(pair: Pair) -> None:
    message = fill(burn(pair))
    richer = message[:216] + (AMOUNT * 9).to_bytes(32, "big") + message[248:]
    with pytest.raises(NodeError, match="Invalid signature"):
        receive(pair, richer, sign(message))


def test_receive__caller_is_pinned__only_that_caller_delivers(pair: Pair) -> None:
    message = fill(burn(pair, caller=as_bytes32(address(Role.BOT))))
    with pytest.raises(NodeError, match="Invalid caller for message"):
        receive(pair, message)
    assert receive(pair, message, sender=Role.BOT) == AMOUNT


def test_receive__second_time__is_refused(pair: Pair) -> None:
    message = fill(burn(pair))
    assert receive(pair, message) == AMOUNT
    with pytest.raises(NodeError, match="Nonce already used"):
        receive(pair, message)


def test_receive__on_the_wrong_domain__is_refused(pair: Pair) -> None:
    message = fill(burn(pair))
    with pytest.raises(NodeError, match="Invalid destination domain"):
        pair.source.transmitter.send("receiveMessage", message, sign(message))


def test_handle__called_by_a_stranger__is_refused(pair: Pair) -> None:
    body = burn(pair)[148:]
    sender = as_bytes32(pair.source.messenger.address)
    with pytest.raises(NodeError, match="Invalid message transmitter"):
        pair.target.messenger.send("handleReceiveFinalizedMessage", 0, sender, 2000, body)


def test_mint__called_by_a_stranger__is_refused(pair: Pair) -> None:
    token = as_bytes32(pair.source.usdc.address)
    with pytest.raises(NodeError, match="Caller not local TokenMessenger"):
        pair.target.minter.send("mint", 0, token, TAKER, TAKER, 1, 0)


def test_sources__of_all_parts__call_themselves_stand_ins() -> None:
    sources = [path.read_text("utf-8") for path in CONTRACTS.glob("*StandIn.sol")]
    assert len(sources) == 3
    assert all("A STAND-IN for Circle's CCTP v2" in source for source in sources)
