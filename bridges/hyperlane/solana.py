"""One end of a warp route on Solana: program addresses, the transfer instruction, and what accounts prove.

Source: hyperlane-xyz/hyperlane-monorepo, `rust/sealevel` (mailbox, hyperlane-sealevel-token-collateral).
Seeds of program addresses are joined by "-"; the token program takes eight 0x01 bytes before its
instruction number, and amounts as u256 little-endian.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from bridges.base import Leg
from bridges.hyperlane.message import Transfer, is_ours
from bridges.hyperlane.settings import HyperlaneChain
from bridges.hyperlane.solana_accounts import Route, dispatched_message, read_route, token_units
from chains.base import AccountMeta, Call, Reader, Receipt
from chains.errors import Misconfigured, OutsideTerms, Unknowable
from chains.ids import AccountId
from chains.tokens import Amount, Token

SYSTEM = "11111111111111111111111111111111"
NOOP = "noopb9bkMVfRPU8AsbpTUg8AQkHtKwMYZiFUjNRtMmV"  # SPL no-op, to which the mailbox logs
ASSOCIATED_ACCOUNTS = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"
DEPART_UNITS = 130_000  # compute units; TransferRemote measures 89,000 to 97,000
SIGNATURE_FEE = 5_000  # lamports, for the second signature
MESSAGE_RENT = 2_241_120  # lamports for a dispatched message of 194 bytes, kept by the chain: (128 + 194) x 6,960

_TRANSFER_REMOTE = bytes([1] * 8) + b"\x01"
_ONE_TIME = b"coordinator: hyperlane unique message\0"


@dataclass(frozen=True, slots=True)
class SolanaEnd:
    """The route on Solana, to look at and to encode for."""

    settings: HyperlaneChain
    reader: Reader
    token: Token

    @property
    def router(self) -> bytes:
        return bytes(Pubkey.from_string(self.settings.warp))

    def account(self, account: AccountId) -> bytes:
        """The wallet itself: the program opens the wallet's token account on delivery, at the route's expense."""
        return bytes(Pubkey.from_string(account.address))

    # ---- the source side ----

    async def enrolled(self, domain: int) -> bytes:
        return (await self._route()).routers.get(domain, bytes(32))

    async def message_fee(self, domain: int, recipient: bytes, units: int) -> Amount:
        """Rent of the message's account. Raises OutsideTerms when the route wants interchain gas paid, which this rail cannot do yet."""
        if (await self._route()).wants_gas_payment:
            raise OutsideTerms(
                f"the warp route {self.settings.warp} wants interchain gas paid in the transfer; not supported on Solana yet"
            )
        return Amount(self.reader.native, MESSAGE_RENT)

    async def network_fee(self) -> Amount:
        return await self.reader.fee(DEPART_UNITS) + Amount(self.reader.native, SIGNATURE_FEE)

    async def depart(self, leg: Leg, domain: int, recipient: bytes, fee: Amount) -> tuple[Call, ...]:
        """One instruction, co-signed by a key made from the leg's id: the mailbox takes a key only once, so a leg cannot be sent twice."""
        seed = one_time_seed(leg.id)
        once = str(Keypair.from_seed(seed).pubkey())
        units = leg.gives.units.to_bytes(32, "little")
        data = _TRANSFER_REMOTE + domain.to_bytes(4, "little") + recipient + units
        purpose = f"send {leg.gives} to Hyperlane domain {domain}"
        accounts = self._accounts(leg.sender.address, once, await self._route())
        return (Call(self.token.chain, self.settings.warp, data, purpose, accounts=accounts, cosigners=(seed,)),)

    async def dispatched(self, leg: Leg, departure: Receipt, ours: Transfer) -> bytes:
        """Our message out of the account the mailbox made for it; empty when it holds another. Raises Unknowable until it can be read."""
        place = self._dispatched(str(Keypair.from_seed(one_time_seed(leg.id)).pubkey()))
        data = await self._read(place, "read the dispatched message")
        if not data:
            raise Unknowable(f"the message of {departure.reference} cannot be read at {place} yet")
        message = dispatched_message(data)
        return message if is_ours(message, ours) else b""

    async def undo(self, sender: AccountId) -> Sequence[Call]:
        return ()  # one transaction, whole or not at all

    # ---- the target side ----

    async def collateral(self) -> int:
        return token_units(await self._read((await self._route()).escrow, "read the route's collateral"))

    async def is_delivered(self, message: str) -> bool:
        return bool(await self._read(self._processed(message), "ask whether the message was delivered"))

    async def delivery(self, message: str, since: int) -> Receipt | None:
        for receipt in await self.reader.search(self._processed(message), (), since):
            if receipt.succeeded:
                return receipt
        return None

    # ---- addresses ----

    def _accounts(self, sender: str, once: str, route: Route) -> tuple[AccountMeta, ...]:
        """Of TransferRemote on a collateral route without a gas paymaster, in the program's order."""
        return (
            AccountMeta(SYSTEM),
            AccountMeta(NOOP),
            AccountMeta(self._place),
            AccountMeta(self.settings.mailbox),
            AccountMeta(address(self.settings.mailbox, "hyperlane", "outbox"), writable=True),
            AccountMeta(address(self.settings.warp, "hyperlane_dispatcher", "dispatch_authority")),
            AccountMeta(sender, signer=True, writable=True),
            AccountMeta(once, signer=True),
            AccountMeta(self._dispatched(once), writable=True),
            AccountMeta(route.token_program),
            AccountMeta(route.mint, writable=True),
            AccountMeta(token_account(sender, route), writable=True),
            AccountMeta(route.escrow, writable=True),
        )

    @property
    def _place(self) -> str:
        """Where the program keeps the route."""
        return address(self.settings.warp, "hyperlane_message_recipient", "handle", "account_metas")

    def _dispatched(self, once: str) -> str:
        return address(self.settings.mailbox, "hyperlane", "dispatched_message", bytes(Pubkey.from_string(once)))

    def _processed(self, message: str) -> str:
        """This account exists exactly when the message was delivered."""
        return address(self.settings.mailbox, "hyperlane", "processed_message", bytes.fromhex(message[2:]))

    async def _route(self) -> Route:
        """The route as the program keeps it. Raises Misconfigured when it is another one than configured."""
        route = read_route(self.settings.warp, await self._read(self._place, "read the route"))
        if (route.mailbox, route.mint) != (self.settings.mailbox, self.token.id.reference):
            raise Misconfigured(
                f"warp route {self.settings.warp} moves {route.mint} through mailbox {route.mailbox}, configured are "
                f"{self.token.id.reference} and {self.settings.mailbox}; correct rails.hyperlane.chains.{self.token.chain}"
            )
        if route.decimals != route.remote_decimals:
            raise Misconfigured(
                f"warp route {self.settings.warp} rescales {route.decimals} to {route.remote_decimals} decimals; not supported"
            )
        return route

    async def _read(self, place: str, purpose: str) -> bytes:
        return await self.reader.read(Call(self.token.chain, place, b"", purpose))


def one_time_seed(leg: str) -> bytes:
    """Seed of the key that names a leg's message: from the leg's id alone, so that every attempt of the leg uses the same."""
    return hashlib.sha256(_ONE_TIME + leg.encode()).digest()


def address(program: str, *seeds: str | bytes) -> str:
    """A program's derived address, its seeds joined by "-"."""
    joined: list[bytes] = []
    for seed in seeds:
        joined += [b"-"] if joined else []
        joined.append(seed.encode() if isinstance(seed, str) else seed)
    return str(Pubkey.find_program_address(joined, Pubkey.from_string(program))[0])


def token_account(wallet: str, route: Route) -> str:
    """A wallet's associated token account for the route's mint."""
    seeds = [bytes(Pubkey.from_string(key)) for key in (wallet, route.token_program, route.mint)]
    return str(Pubkey.find_program_address(seeds, Pubkey.from_string(ASSOCIATED_ACCOUNTS))[0])
