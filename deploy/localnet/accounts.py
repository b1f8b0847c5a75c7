"""PUBLIC DEVELOPMENT KEYS of the local network, by role. Everyone in the world knows them: never send value to them.

They derive from the well-known mnemonic "test test … junk" that anvil and every other development node use. Whoever
pays one of these addresses on a public chain loses the money within seconds, and a transaction signed with one of
them for a public chain id can be replayed there; so no key is handed out for a chain id that is not private.
"""

from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

PUBLIC_DEV_MNEMONIC = "test test test test test test test test test test test junk"
ACCOUNT_COUNT = 20
PRIVATE_CHAIN_IDS = range(31337000, 31338000)


class Role(IntEnum):
    """Who an account plays; the value is its index on the path m/44'/60'/0'/0/index."""

    DEPLOYER = 0
    ANYONE = 4
    USER = 5
    HYPERLANE_VALIDATOR_1 = 7
    HYPERLANE_VALIDATOR_2 = 8
    HYPERLANE_RELAYER = 9
    CCTP_ATTESTER_1 = 10
    CCTP_ATTESTER_2 = 11
    BOT = 13
    HYPERLANE_VALIDATOR_3 = 14
    CCTP_FEES = 17
    USDC_LOST_AND_FOUND = 18
    PROXY_ADMIN = 19


CCTP_ATTESTERS = (Role.CCTP_ATTESTER_1, Role.CCTP_ATTESTER_2)
CCTP_THRESHOLD = 2
HYPERLANE_VALIDATORS = (Role.HYPERLANE_VALIDATOR_1, Role.HYPERLANE_VALIDATOR_2, Role.HYPERLANE_VALIDATOR_3)
HYPERLANE_THRESHOLD = 2


class PublicChainError(Exception):
    """A public development key was asked for on a chain that is not private."""


def require_private(chain_id: int) -> None:
    """Refuse any chain id outside the private range the local network uses."""
    if chain_id not in PRIVATE_CHAIN_IDS:
        raise PublicChainError(
            f"chain id {chain_id} is not one of the local network's: its development keys are public, so they work only "
            f"for chain ids {PRIVATE_CHAIN_IDS.start} to {PRIVATE_CHAIN_IDS.stop - 1}; use a key of your own there"
        )


def address(role: int) -> str:
    """The checksummed address of a role, or of the development account with that index."""
    return _account(role).address


def account(role: int, chain_id: int) -> "LocalAccount":
    """The signing account of a role, for use on a private chain only.

    Raises PublicChainError for any other chain id.
    """
    require_private(chain_id)
    return _account(role)


@cache
def _account(index: int) -> "LocalAccount":
    # Loaded on first use: the command line's `status` and `down` need no keys.
    from eth_account import Account
    from eth_account.hdaccount import key_from_seed

    if not 0 <= index < ACCOUNT_COUNT:
        raise ValueError(f"development account {index} does not exist; there are {ACCOUNT_COUNT}, from 0")
    account: LocalAccount = Account.from_key(key_from_seed(_seed(), f"m/44'/60'/0'/0/{index}"))
    return account


@cache
def _seed() -> bytes:
    from eth_account.hdaccount import seed_from_mnemonic

    return seed_from_mnemonic(PUBLIC_DEV_MNEMONIC, "")
