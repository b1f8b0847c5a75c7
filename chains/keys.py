"""Keys by reference: keystore v3 files (EVM) and keypair files (Solana), used without being seen.

A key lives in one private object of its signer and is never part of repr, str, log, traceback or pickle. Files that
others may read are refused. Formats: https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage
and solana-keygen's JSON array of 64 numbers.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import model_validator

from chains.base import Signer
from chains.errors import Misconfigured
from chains.ids import EVM, SOLANA, AccountId
from chains.settings import Strict

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from solders.keypair import Keypair

_OPEN_TO_OTHERS = 0o077
_BIGGEST = 64 * 1024  # bytes; no key file is larger


class KeyReference(Strict):
    """Where a key lies: `keystore` with `password_file` (EVM), or `keypair` (Solana). Paths, never the key itself."""

    keystore: Path | None = None
    password_file: Path | None = None
    keypair: Path | None = None

    @model_validator(mode="after")
    def _is_one_kind(self) -> KeyReference:
        evm = self.keystore is not None and self.password_file is not None
        half = (self.keystore is None) != (self.password_file is None)
        if half or evm == (self.keypair is not None):
            raise ValueError("name either `keystore` and `password_file` (EVM), or `keypair` (Solana)")
        return self


class _Sealed:
    """What a signer is besides its key: nameable, printable, and impossible to copy out."""

    __slots__ = ("_account", "_sign")

    def __init__(self, account: AccountId, sign: Callable[[bytes], bytes]) -> None:
        self._account = account
        self._sign = sign  # a closure over the key: nothing that prints or walks attributes reaches into it

    @property
    def account(self) -> AccountId:
        return self._account

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._account})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError(f"{self!r} holds a key and can't be copied or pickled")


class EvmSigner(_Sealed):
    """Signs typed 0x02 transactions of its own chain, nothing else: no messages, no hashes, no other type."""

    __slots__ = ()

    async def sign(self, unsigned: bytes) -> bytes:
        """65 bytes r ‖ s ‖ y_parity over keccak-256 of the unsigned bytes; deterministic (RFC 6979). Raises Misconfigured."""
        from chains.evm.transactions import Unsigned

        try:
            transaction = Unsigned.decode(unsigned)
        except ValueError as problem:
            raise Misconfigured(f"{self!r} signs only EIP-1559 transactions: {problem}") from None
        if str(transaction.chain_id) != self._account.chain.reference:
            raise Misconfigured(f"{self!r} was asked to sign for chain {transaction.chain_id}")
        return self._sign(unsigned)


class SolanaSigner(_Sealed):
    """Signs transaction messages (Ed25519), as bytes."""

    __slots__ = ()

    async def sign(self, unsigned: bytes) -> bytes:
        """64-byte signature over the message. Raises Misconfigured for bytes that are no message naming this account as signer."""
        from solders.message import Message, from_bytes_versioned

        try:
            # A versioned message has the high bit set in its first byte; `from_bytes_versioned` panics on legacy ones it can't read.
            message = from_bytes_versioned(unsigned) if unsigned[:1] >= b"\x80" else Message.from_bytes(unsigned)
        except ValueError:
            raise Misconfigured(f"{self!r} signs only transaction messages") from None
        signers = message.account_keys[: message.header.num_required_signatures]
        if self._account.address not in {str(key) for key in signers}:
            raise Misconfigured(f"{self!r} is no signer of this message")
        return self._sign(unsigned)


def load_signer(account: AccountId, reference: KeyReference) -> Signer:
    """Open the key of `account`. Raises Misconfigured: missing or readable by others, wrong kind or password, another account's key."""
    family = account.chain.namespace
    if reference.keystore is not None and reference.password_file is not None and family == EVM:
        return _load_keystore(account, reference.keystore, reference.password_file)
    if reference.keypair is not None and family == SOLANA:
        return _load_keypair(account, reference.keypair)
    wanted = "`keystore` and `password_file`" if family == EVM else "`keypair`"
    raise Misconfigured(f"the key of {account} is of the wrong kind; an account of {family} needs {wanted}")


def create_keystore(path: Path, password_file: Path, secret: bytes | None = None, light: bool = False) -> str:
    """Write a new keystore v3 (0600) under the password in `password_file`; the account's address.

    `secret`: 32 bytes, random when None. `light`: a weak, quick key derivation, for tests and local networks only.
    """
    from eth_account import Account

    def make() -> tuple[str, str]:
        key = secret if secret is not None else os.urandom(32)
        password = _line(_read_private(password_file, "password file"))
        kept = Account.encrypt(key, password, kdf="scrypt", iterations=2 if light else 2**18)
        return json.dumps(kept), str(Account.from_key(key).address)

    return _write_private(path, make)


def create_keypair(path: Path, seed: bytes | None = None) -> str:
    """Write a new Solana keypair file (0600); the account's address. `seed`: 32 bytes, random when None."""
    from solders.keypair import Keypair

    def make() -> tuple[str, str]:
        pair = Keypair.from_seed(seed if seed is not None else os.urandom(32))
        return json.dumps(list(bytes(pair))), str(pair.pubkey())

    return _write_private(path, make)


def create_password(path: Path) -> None:
    """Write a random password file (0600)."""
    _write_private(path, lambda: (os.urandom(24).hex() + "\n", ""))


def _load_keystore(account: AccountId, path: Path, password_file: Path) -> Signer:
    from eth_typing import Hash32
    from eth_utils.crypto import keccak

    wallet = _opened_keystore(path, password_file)
    if wallet is None:
        raise Misconfigured(f"keystore {path} can't be opened: not a keystore v3 file, or not the password in {password_file}")
    _check_owner(account, wallet.address, path)

    def sign(unsigned: bytes) -> bytes:
        signed = wallet.unsafe_sign_hash(Hash32(keccak(unsigned)))
        return int(signed.r).to_bytes(32) + int(signed.s).to_bytes(32) + bytes([int(signed.v) - 27])

    return EvmSigner(account, sign)


def _load_keypair(account: AccountId, path: Path) -> Signer:
    pair = _opened_keypair(path)
    if pair is None:
        raise Misconfigured(f"keypair file {path} can't be read: it must be a JSON array of 64 numbers, as solana-keygen writes it")
    _check_owner(account, str(pair.pubkey()), path)
    return SolanaSigner(account, lambda message: bytes(pair.sign_message(message)))


# The two functions below answer None instead of raising: an exception raised in them would carry, in its traceback's
# frames or its context, the very text that must not be shown.


def _opened_keystore(path: Path, password_file: Path) -> LocalAccount | None:
    from eth_account import Account

    content = _read_private(path, "keystore")
    password = _line(_read_private(password_file, "password file"))
    try:
        wallet: LocalAccount = Account.from_key(Account.decrypt(content.decode(), password))
    except (ValueError, KeyError, TypeError, NotImplementedError):  # the last: eth_keyfile's word for a key derivation it does not know
        return None
    return wallet


def _opened_keypair(path: Path) -> Keypair | None:
    from solders.keypair import Keypair

    content = _read_private(path, "keypair file")
    try:
        return Keypair.from_bytes(bytes(json.loads(content)))
    except (ValueError, TypeError):
        return None


def _line(content: bytes) -> str:
    return content.decode(errors="replace").rstrip("\r\n")


def _check_owner(account: AccountId, found: str, path: Path) -> None:
    if found != account.address:
        raise Misconfigured(
            f"{path} holds the key of {found}, but the configuration says {account.address} on {account.chain}; "
            "name the right file or account"
        )


def _read_private(path: Path, what: str) -> bytes:
    """The bytes of a regular file of ours that only its owner may touch; checked on the opened file, so it can't be swapped."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise Misconfigured(f"{what} {path} does not exist") from None
    except OSError as problem:
        raise Misconfigured(f"{what} {path} can't be opened: {problem.strerror}") from None
    try:
        _check_private(os.fstat(descriptor), f"{what} {path}", path)
        return os.read(descriptor, _BIGGEST)
    finally:
        os.close(descriptor)


def _check_private(found: os.stat_result, what: str, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise Misconfigured(f"{what} is not a regular file")
    if found.st_mode & _OPEN_TO_OTHERS:
        raise Misconfigured(
            f"{what} is open to others (mode {stat.S_IMODE(found.st_mode):04o}); allowed is 0600. Mend it with: chmod 600 {path}"
        )
    if found.st_uid not in {os.geteuid(), 0}:
        raise Misconfigured(f"{what} belongs to user {found.st_uid}; it must belong to the user that runs this ({os.geteuid()})")


def _write_private(path: Path, make: Callable[[], tuple[str, str]]) -> str:
    """Write what `make` gives first, answer what it gives second. Refuses to replace a file: an overwritten key is lost."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise Misconfigured(f"{path} exists already and is not overwritten; move it away first") from None
    except OSError as problem:
        raise Misconfigured(f"{path} can't be written: {problem.strerror}") from None
    written = False
    try:
        content, public = make()
        with os.fdopen(descriptor, "w", encoding="utf-8", closefd=False) as opened:
            opened.write(content)
        written = True
    finally:
        os.close(descriptor)
        if not written:
            path.unlink()
    return public
