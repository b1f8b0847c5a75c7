"""What the attestation service makes of an event: a nonce that never changes, signatures in the order contracts want."""

from eth_account import Account
from eth_typing import Hash32
from eth_utils.crypto import keccak

from deploy.localnet.accounts import CCTP_ATTESTERS, address
from deploy.localnet.agents.burn_message import BurnMessage
from deploy.localnet.agents.iris import Sent, attest


def sent(domain: int = 0, transaction: str = "0x" + "ab" * 32, log_index: int = 3, block: int = 7) -> Sent:
    return Sent(BurnMessage((1).to_bytes(4, "big") + domain.to_bytes(4, "big") + bytes(140)), transaction, log_index, block)


def test_nonce__same_event_seen_again__is_the_same_and_every_other_event_has_another() -> None:
    assert sent().nonce == sent(block=8).nonce
    others = [sent(domain=6), sent(transaction="0x" + "ac" * 32), sent(log_index=4)]
    assert len({sent().nonce, *(other.nonce for other in others)}) == 4


def test_attest__two_attesters__sign_the_plain_digest_in_ascending_order() -> None:
    joined = attest(b"message")
    assert len(joined) == 130
    digest = Hash32(keccak(b"message"))
    signers = [Account._recover_hash(digest, signature=joined[at : at + 65]) for at in (0, 65)]
    assert signers == sorted((address(role) for role in CCTP_ATTESTERS), key=lambda text: int(text, 16))
