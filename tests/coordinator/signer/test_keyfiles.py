"""Key files of the signer: the same keys as the project's own reader opens, and the same files refused."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account import Account
from eth_keys.datatypes import PrivateKey

from chains.keys import create_keypair, create_keystore, create_password
from coordinator.signer.evm.keccak import keccak_256
from coordinator.signer.keyfiles import Sealed, Unusable, open_key
from coordinator.signer.policy import EvmRules, Key, SolanaRules
from coordinator.signer.solana import addresses
from tests.coordinator.signer.world import PAIR, SECRET, World

ADDRESS = PrivateKey(SECRET).public_key.to_checksum_address()


@pytest.fixture
def evm(made: World) -> EvmRules:
    rules = next(one for one in made.policy.accounts.values() if isinstance(one, EvmRules))
    return replace(rules, account=bytes.fromhex(ADDRESS[2:]))


@pytest.fixture
def solana(made: World) -> SolanaRules:
    rules = next(one for one in made.policy.accounts.values() if isinstance(one, SolanaRules))
    return replace(rules, account=bytes(PAIR.pubkey()))


@pytest.fixture
def key(tmp_path: Path) -> Key:
    create_password(tmp_path / "password")
    create_keystore(tmp_path / "evm.json", tmp_path / "password", SECRET, light=True)
    return Key(tmp_path / "evm.json", tmp_path / "password")


@pytest.fixture
def pair(tmp_path: Path) -> Key:
    create_keypair(tmp_path / "solana.json", bytes(PAIR)[:32])
    return Key(keypair=tmp_path / "solana.json")


def test_open__keystore_of_eth_account__signs_as_eth_keys_does(key: Key, evm: EvmRules) -> None:
    signature = PrivateKey(SECRET).sign_msg_hash(keccak_256(b"bytes"))
    assert open_key("account", evm, key).sign(b"bytes") == signature.to_bytes()


def test_open__pbkdf2_keystore__too(tmp_path: Path, evm: EvmRules) -> None:
    store = Account.encrypt(SECRET, "word", kdf="pbkdf2", iterations=10)
    for name, text in (("k", json.dumps(store)), ("p", "word\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    assert open_key("account", evm, Key(tmp_path / "k", tmp_path / "p")).sign(b"x")


def test_open__keypair__signs_as_solders_does(pair: Key, solana: SolanaRules) -> None:
    assert open_key("account", solana, pair).sign(b"bytes") == bytes(PAIR.sign_message(b"bytes"))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda key: key.password_file.write_text("wrong"), "can't be opened"),
        (lambda key: key.keystore.write_text("{}"), "can't be opened"),
        (lambda key: key.keystore.write_text("[]"), "can't be opened"),
        (lambda key: key.keystore.chmod(0o640), r"open to others \(mode 0640\); mend it with: chmod 600"),
        (lambda key: key.password_file.chmod(0o604), r"open to others \(mode 0604\)"),
        (lambda key: key.keystore.unlink(), "No such file"),
        (lambda key: (key.keystore.unlink(), key.keystore.mkdir()), "not a regular file"),
    ],
)
def test_open__spoilt_keystore__is_refused_without_telling_it(spoil, says: str, key: Key, evm: EvmRules) -> None:
    spoil(key)
    with pytest.raises(Unusable, match=says) as refusal:
        open_key("account", evm, key)
    assert SECRET.hex() not in str(refusal.value)
    assert refusal.value.__context__ is None or SECRET.hex() not in str(refusal.value.__context__)


def test_open__another_accounts_key__is_refused_by_both_names(key: Key, pair: Key, made: World) -> None:
    rules = {type(one): (name, one) for name, one in made.policy.accounts.items()}
    with pytest.raises(Unusable, match="holds the key of 0x" + ADDRESS[2:].lower()):
        open_key(*rules[EvmRules], key)
    name, solana = rules[SolanaRules]
    with pytest.raises(Unusable, match=f"holds the key of {PAIR.pubkey()}"):
        open_key(name, replace(solana, account=addresses.SYSTEM), pair)


def test_open__keypair_that_is_none__is_refused(pair: Key, solana: SolanaRules) -> None:
    assert pair.keypair is not None
    for content in ("[1, 2]", "{}", "x", json.dumps([0] * 64), json.dumps([300] * 64)):
        pair.keypair.write_text(content)
        with pytest.raises(Unusable, match="solana-keygen"):
            open_key("account", solana, pair)


def test_sealed__printed_copied_or_pickled__gives_nothing_away(key: Key, evm: EvmRules) -> None:
    sealed = open_key("account", evm, key)
    assert repr(sealed) == str(sealed) == "Sealed(account)"
    for way in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="can't be copied or pickled"):
            way(sealed)
    assert not hasattr(sealed, "__dict__")
    assert isinstance(sealed, Sealed)
