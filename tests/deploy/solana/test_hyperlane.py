"""Hyperlane's real Solana programs in process: what they deliver, and what they refuse."""

import pytest
import spl.token.instructions as spl
from eth_account.messages import encode_defunct
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from deploy.localnet.accounts import HYPERLANE_VALIDATORS, Role, account
from deploy.localnet.agents.checkpoints import Checkpoint, Message, metadata
from deploy.localnet.fetch import fetch
from deploy.localnet.layout import EVM_CHAINS
from deploy.localnet.solana import hyperlane
from deploy.localnet.solana.node import Chain
from deploy.localnet.solana.node.tokens import token_account
from deploy.localnet.solana.programs import HYPERLANE_PACKAGE, WARP_USDC, hyperlane_programs
from deploy.localnet.solana.setup import RELAYER, USDC, enroll_router, mint_to, set_up

pytestmark = pytest.mark.localnet

ROUTER = bytes(12) + bytes([0x11] * 20)
EVM = EVM_CHAINS[0].chain_id
UNIT = 10**6


@pytest.fixture(scope="module")
def chain() -> Chain:
    chain = Chain()
    set_up(chain, hyperlane_programs(fetch(HYPERLANE_PACKAGE)), {EVM: "0x" + ROUTER[12:].hex()})
    return chain


def held(chain: Chain, owner: Pubkey) -> int:
    found = token_account(chain.account(spl.get_associated_token_address(owner, USDC.pubkey())))
    return found.amount if found else 0


def checkpoint(nonce: int, to: Pubkey, units: int, sender: bytes = ROUTER) -> Checkpoint:
    head = bytes([3]) + nonce.to_bytes(4, "big") + EVM.to_bytes(4, "big") + sender
    raw = head + hyperlane.DOMAIN.to_bytes(4, "big") + bytes(WARP_USDC) + bytes(to) + units.to_bytes(32, "big")
    return Checkpoint(Message(raw), bytes(32), bytes([nonce] * 32), nonce)


def delivery(point: Checkpoint, signatures: bytes) -> list[Instruction]:
    message = point.message
    to = Pubkey.from_bytes(message.body[:32])
    inbound = hyperlane.Inbound(message.raw, message.id, signatures, message.origin, to, USDC.pubkey())
    return [set_compute_unit_limit(600_000), hyperlane.process(RELAYER.pubkey(), inbound)]


def signed_by(point: Checkpoint, *roles: int) -> bytes:
    head = point.hook + point.root + point.index.to_bytes(4, "big")
    signed = encode_defunct(point.digest())
    return head + b"".join(bytes(account(role, EVM).sign_message(signed).signature) for role in roles)


def test_process__two_of_three_signatures__pays_once_and_a_replay_is_refused(chain: Chain) -> None:
    to = Keypair().pubkey()
    point = checkpoint(0, to, 99 * UNIT)
    signatures = metadata(point, live=2)
    assert signatures == signed_by(point, *HYPERLANE_VALIDATORS[:2])
    assert signatures is not None
    chain.execute(delivery(point, signatures), [RELAYER])
    assert held(chain, to) == 99 * UNIT
    assert chain.account(hyperlane.processed_account(point.message.id)) is not None
    chain.tick()
    with pytest.raises(RuntimeError, match="'Custom': 5"):
        chain.execute(delivery(point, signatures), [RELAYER])
    assert held(chain, to) == 99 * UNIT


@pytest.mark.parametrize(
    "roles",
    [(Role.HYPERLANE_VALIDATOR_1,), (Role.USER, Role.BOT), (Role.HYPERLANE_VALIDATOR_1, Role.HYPERLANE_VALIDATOR_1)],
    ids=["one of three", "strangers", "one twice"],
)
def test_process__bad_signatures__are_refused(chain: Chain, roles: tuple[int, ...]) -> None:
    to = Keypair().pubkey()
    point = checkpoint(50 + len(roles), to, UNIT)
    with pytest.raises(RuntimeError, match="failed"):
        chain.execute(delivery(point, signed_by(point, *roles)), [RELAYER])
    assert held(chain, to) == 0


def test_process__sender_that_is_not_the_enrolled_router__is_refused(chain: Chain) -> None:
    to = Keypair().pubkey()
    point = checkpoint(60, to, UNIT, sender=bytes(12) + bytes([0x22] * 20))
    with pytest.raises(RuntimeError, match="failed"):
        chain.execute(delivery(point, signed_by(point, *HYPERLANE_VALIDATORS[:2])), [RELAYER])
    assert held(chain, to) == 0


def test_metadata__too_few_validators__is_none() -> None:
    assert metadata(checkpoint(1, Keypair().pubkey(), 1), live=1) is None


def test_transfer_remote__same_unique_message_key__dispatches_once(chain: Chain) -> None:
    sender, unique = Keypair(), Keypair()
    chain.airdrop(sender.pubkey(), 10**10)
    mint_to(chain, USDC.pubkey(), sender.pubkey(), 10 * UNIT)
    wanted = hyperlane.RemoteTransfer(sender.pubkey(), unique.pubkey(), USDC.pubkey(), EVM, bytes(32), 4 * UNIT)
    steps = [set_compute_unit_limit(300_000), hyperlane.transfer_remote(wanted)]
    chain.execute(steps, [sender, unique])
    found = chain.account(hyperlane.dispatched_account(unique.pubkey()))
    assert found is not None
    message = Message(hyperlane.dispatched_message(bytes(found.data)))
    assert (message.origin, message.target, message.recipient) == (hyperlane.DOMAIN, EVM, ROUTER)
    assert int.from_bytes(message.body[32:64], "big") == 4 * UNIT
    chain.tick()
    with pytest.raises(RuntimeError, match="AccountAlreadyInitialized"):
        chain.execute(steps, [sender, unique])
    assert held(chain, sender.pubkey()) == 6 * UNIT


def test_transfer_remote__domain_without_a_router__is_refused_until_enrolled(chain: Chain) -> None:
    sender, other = Keypair(), EVM_CHAINS[1].chain_id
    chain.airdrop(sender.pubkey(), 10**10)
    mint_to(chain, USDC.pubkey(), sender.pubkey(), UNIT)
    unique = Keypair()
    wanted = hyperlane.RemoteTransfer(sender.pubkey(), unique.pubkey(), USDC.pubkey(), other, bytes(32), UNIT)
    steps = [set_compute_unit_limit(300_000), hyperlane.transfer_remote(wanted)]
    with pytest.raises(RuntimeError, match="failed"):
        chain.execute(steps, [sender, unique])
    enroll_router(chain, other, "0x" + "33" * 20)
    chain.tick()
    chain.execute(steps, [sender, unique])
    assert held(chain, sender.pubkey()) == 0
    with pytest.raises(ValueError, match="20 bytes"):
        enroll_router(chain, other, "0x33")
