"""From calls to a signed versioned transaction: compile, bound its compute and its fee, sign, check its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.errors import SignerError
from solders.hash import Hash
from solders.instruction import AccountMeta as SolanaMeta
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from chains.base import AccountMeta, Call, Signer
from chains.errors import Misconfigured, Reverted
from chains.ids import ChainId

MAX_BYTES = 1232  # PACKET_DATA_SIZE: an IPv6 packet's payload
MAX_UNITS = 1_400_000
FEE_PER_SIGNATURE = 5_000  # lamports
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Budget:
    """What a transaction may use: compute units, and micro-lamports for each."""

    units: int
    price: int

    def fee(self, signatures: int) -> int:
        """Lamports: 5,000 a signature, plus units times price rounded up."""
        return FEE_PER_SIGNATURE * signatures + -(-self.units * self.price // _MICRO)


def instruction(call: Call) -> Instruction:
    metas = [SolanaMeta(Pubkey.from_string(meta.address), meta.signer, meta.writable) for meta in call.accounts]
    return Instruction(Pubkey.from_string(call.target), call.data, metas)


def call_of(chain: ChainId, made: Instruction, purpose: str, cosigners: tuple[bytes, ...] = ()) -> Call:
    """An instruction made by a library (SPL builders) as a Call."""
    metas = tuple(AccountMeta(str(meta.pubkey), meta.is_signer, meta.is_writable) for meta in made.accounts)
    return Call(chain, str(made.program_id), bytes(made.data), purpose, accounts=metas, cosigners=cosigners)


def compile_message(payer: str, calls: Sequence[Call], budget: Budget, blockhash: str) -> MessageV0:
    """Raises Reverted when the calls need more accounts than one message can name."""
    instructions = [set_compute_unit_limit(budget.units), set_compute_unit_price(budget.price), *map(instruction, calls)]
    try:
        return MessageV0.try_compile(Pubkey.from_string(payer), instructions, [], Hash.from_string(blockhash))
    except (ValueError, SignerError) as problem:
        raise Reverted(f"these calls do not fit into one transaction: {problem}; split the leg") from None


def unsigned(message: MessageV0) -> VersionedTransaction:
    """The transaction with empty signatures, for simulation. Raises Reverted when it is too big to be sent."""
    transaction = VersionedTransaction.populate(message, [Signature.default()] * message.header.num_required_signatures)
    size = len(bytes(transaction))
    if size > MAX_BYTES:
        raise Reverted(f"the transaction would have {size} bytes, Solana allows {MAX_BYTES}; split the leg or shorten the route")
    return transaction


async def sign(message: MessageV0, signer: Signer, cosigners: Sequence[bytes]) -> VersionedTransaction:
    """Sign with the account's signer and the one-time keys. Raises Misconfigured when a needed key is missing or a signature is wrong."""
    unsigned_bytes = to_bytes_versioned(message)
    once = {str(pair.pubkey()): pair for pair in map(Keypair.from_seed, cosigners)}
    signatures = []
    for key in map(str, message.account_keys[: message.header.num_required_signatures]):
        if key == signer.account.address:
            signatures.append(Signature.from_bytes(await signer.sign(unsigned_bytes)))
        elif key in once:
            signatures.append(once[key].sign_message(unsigned_bytes))
        else:
            raise Misconfigured(f"the transaction needs a signature of {key}, for which there is no key")
    transaction = VersionedTransaction.populate(message, signatures)
    if not all(transaction.verify_with_results()):
        raise Misconfigured(f"the signer of {signer.account} gives signatures that do not verify")
    return transaction
