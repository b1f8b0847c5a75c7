"""Keys of the signer: opened from files that nobody else may read, used without being seen.

Formats: keystore v3 (https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage) and solana-keygen's
JSON array of 64 numbers. A key lives in a closure; nothing that prints or copies a `Sealed` reaches it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from Crypto.Cipher import AES
from Crypto.Util import Counter
from solders.keypair import Keypair

from coordinator.signer.evm import secp256k1
from coordinator.signer.evm.keccak import keccak_256
from coordinator.signer.policy import EvmRules, Key, Rules
from coordinator.signer.solana import addresses

_BIGGEST = 64 * 1024  # bytes; no key file is larger
_MOST_MEMORY = 512 * 2**20  # bytes for scrypt; n = 2**18 with r = 8 needs 256 MiB
_BAD = (ValueError, KeyError, TypeError, AttributeError)


class Unusable(Exception):
    """A key file cannot be used; says why and how to mend it, never what is in it."""


class Sealed:
    """One key. `sign` takes the whole unsigned bytes."""

    __slots__ = ("_account", "_sign")

    def __init__(self, account: str, sign: Callable[[bytes], bytes]) -> None:
        self._account, self._sign = account, sign

    def sign(self, unsigned: bytes) -> bytes:
        """EVM: 65 bytes r ‖ s ‖ y_parity; Solana: 64 bytes."""
        return self._sign(unsigned)

    def __repr__(self) -> str:
        return f"Sealed({self._account})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError(f"{self!r} holds a key and can't be copied or pickled")


def open_key(account: str, rules: Rules, key: Key) -> Sealed:
    """Raises Unusable: missing, readable by others, of the wrong kind, wrong password, or another account's."""
    if isinstance(rules, EvmRules) and key.keystore is not None and key.password_file is not None:
        secret = _keystore(key.keystore, key.password_file)
        if secret is None:
            raise Unusable(f"keystore {key.keystore} can't be opened: not a keystore v3 file, or not the password in {key.password_file}")
        _check_owner(account, keccak_256(secp256k1.public_key(secret))[12:], rules.account, key.keystore)
        return Sealed(account, lambda unsigned: secp256k1.sign(secret, keccak_256(unsigned)))
    if not isinstance(rules, EvmRules) and key.keypair is not None:
        pair = _keypair(key.keypair)
        if pair is None:
            raise Unusable(f"keypair file {key.keypair} can't be read: it must be a JSON array of 64 numbers, as solana-keygen writes it")
        _check_owner(account, bytes(pair.pubkey()), rules.account, key.keypair)
        return Sealed(account, lambda message: bytes(pair.sign_message(message)))
    raise Unusable(f"the key of {account} is of the wrong kind")


# The two functions below answer None instead of raising: an exception raised in them would carry, in its traceback's
# frames or its context, the very text that must not be shown.


def _keystore(path: Path, password_file: Path) -> int | None:
    content = _read_private(path, "keystore")
    password = _read_private(password_file, "password file").rstrip(b"\r\n")
    try:
        store = json.loads(content)["crypto"]
        derived = _derived(store["kdf"], store["kdfparams"], password)
        sealed = bytes.fromhex(store["ciphertext"])
        if not hmac.compare_digest(keccak_256(derived[16:32] + sealed), bytes.fromhex(store["mac"])):
            return None
        if store["cipher"] != "aes-128-ctr" or len(sealed) != 32:
            return None
        counter = Counter.new(128, initial_value=int(store["cipherparams"]["iv"], 16))
        secret = int.from_bytes(AES.new(derived[:16], AES.MODE_CTR, counter=counter).decrypt(sealed), "big")
        return secret if 0 < secret < secp256k1.N else None
    except _BAD:
        return None


def _derived(kind: str, terms: dict[str, Any], password: bytes) -> bytes:
    """32 bytes out of the password. Raises ValueError for a kind that the format does not know."""
    salt = bytes.fromhex(terms["salt"])
    if kind == "scrypt":
        return hashlib.scrypt(password, salt=salt, n=terms["n"], r=terms["r"], p=terms["p"], maxmem=_MOST_MEMORY, dklen=32)
    if kind == "pbkdf2" and terms["prf"] == "hmac-sha256":
        return hashlib.pbkdf2_hmac("sha256", password, salt, terms["c"], 32)
    raise ValueError("unknown key derivation")


def _keypair(path: Path) -> Keypair | None:
    content = _read_private(path, "keypair file")
    try:
        return Keypair.from_bytes(bytes(json.loads(content)))
    except _BAD:
        return None


def _check_owner(account: str, found: bytes, wanted: bytes, path: Path) -> None:
    if found != wanted:
        shown = f"0x{found.hex()}" if len(found) == 20 else addresses.text(found)
        raise Unusable(f"{path} holds the key of {shown}, but the policy says {account}; name the right file or account")


def _read_private(path: Path, what: str) -> bytes:
    """The bytes of a regular file of ours that only its owner may touch; checked on the opened file, so it can't be swapped."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as problem:
        raise Unusable(f"{what} {path} can't be opened: {problem.strerror}") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise Unusable(f"{what} {path} is not a regular file")
        if found.st_mode & 0o077:
            raise Unusable(f"{what} {path} is open to others (mode {stat.S_IMODE(found.st_mode):04o}); mend it with: chmod 600 {path}")
        if found.st_uid not in {os.geteuid(), 0}:
            raise Unusable(f"{what} {path} belongs to user {found.st_uid}, not to the one that runs this ({os.geteuid()})")
        return os.read(descriptor, _BIGGEST)
    finally:
        os.close(descriptor)
