"""Keys by reference: refused when open to others, and seen nowhere (canaries in every text an accident could print)."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from eth_account import Account
from pydantic import ValidationError
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import Message, MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer

from chains.base import Signer
from chains.errors import Misconfigured
from chains.evm.transactions import Unsigned
from chains.ids import AccountId, ChainId
from chains.keys import KeyReference, create_keypair, create_keystore, create_password, load_signer

SECRET = bytes.fromhex("c0ffee" * 10 + "c0ff")
PASSWORD = "canary-password-7731"  # a canary, nothing is locked with it
PAIR = Keypair.from_seed(SECRET)
EVM_ACCOUNT = AccountId(ChainId("eip155", "31337701"), Account.from_key(SECRET).address)
SOLANA_ACCOUNT = AccountId(ChainId("solana", "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"), str(PAIR.pubkey()))
CANARIES = (
    SECRET.hex(),
    SECRET.hex()[:16],
    repr(SECRET)[2:20],
    str(int.from_bytes(SECRET)),
    str(PAIR),
    str(list(SECRET))[1:40],
    PASSWORD,
)


def assert_clean(text: str) -> None:
    for canary in CANARIES:
        assert canary not in text


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.touch(mode=0o600)
    path.write_text(PASSWORD + "\n")
    return path


@pytest.fixture
def evm_reference(tmp_path: Path, password_file: Path) -> KeyReference:
    create_keystore(tmp_path / "key.json", password_file, SECRET, light=True)
    return KeyReference(keystore=tmp_path / "key.json", password_file=password_file)


@pytest.fixture
def solana_reference(tmp_path: Path) -> KeyReference:
    create_keypair(tmp_path / "id.json", SECRET)
    return KeyReference(keypair=tmp_path / "id.json")


@pytest.fixture
def signers(evm_reference: KeyReference, solana_reference: KeyReference) -> list[Signer]:
    return [load_signer(EVM_ACCOUNT, evm_reference), load_signer(SOLANA_ACCOUNT, solana_reference)]


def unsigned(chain_id: int = 31337701) -> Unsigned:
    to = EVM_ACCOUNT.address
    return Unsigned(chain_id=chain_id, nonce=1, priority_fee=2, max_fee=3, gas=21_000, to=to, value=5, data=b"")


async def test_evm_signer__typed_transaction__signature_of_the_account(signers: list[Signer]) -> None:
    made = unsigned()
    signature = await signers[0].sign(made.encode())
    assert len(signature) == 65
    assert Account.recover_transaction(made.signed(signature)) == EVM_ACCOUNT.address


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"\x19\x01" + bytes(64),
        b"\x02",
        b"\x02\xc0",
        b"\x01" + unsigned().encode()[1:],
        unsigned(1).encode(),
        unsigned().encode() + b"\0",
    ],
)
async def test_evm_signer__anything_else__refused(signers: list[Signer], given: bytes) -> None:
    with pytest.raises(Misconfigured):
        await signers[0].sign(given)


async def test_solana_signer__legacy_and_versioned_messages__signed(signers: list[Signer]) -> None:
    pay = transfer(TransferParams(from_pubkey=PAIR.pubkey(), to_pubkey=Pubkey.default(), lamports=1))
    versioned = MessageV0.try_compile(PAIR.pubkey(), [pay], [], Hash.default())
    legacy = Message.new_with_blockhash([pay], PAIR.pubkey(), Hash.default())
    for message in (to_bytes_versioned(versioned), bytes(legacy)):
        assert Signature(await signers[1].sign(message)).verify(PAIR.pubkey(), message)


async def test_solana_signer__no_message_or_not_our_message__refused(signers: list[Signer]) -> None:
    other = Keypair()
    pay = transfer(TransferParams(from_pubkey=other.pubkey(), to_pubkey=PAIR.pubkey(), lamports=1))
    foreign = MessageV0.try_compile(other.pubkey(), [pay], [], Hash.default())
    for given in (b"", b"hello", b"\xff" * 40, to_bytes_versioned(foreign)):
        with pytest.raises(Misconfigured):
            await signers[1].sign(given)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o644, 0o666])
def test_load__file_open_to_others__refused_with_the_line_that_mends_it(
    mode: int, evm_reference: KeyReference, solana_reference: KeyReference
) -> None:
    wanted = [
        (evm_reference.keystore, EVM_ACCOUNT, evm_reference),
        (evm_reference.password_file, EVM_ACCOUNT, evm_reference),
        (solana_reference.keypair, SOLANA_ACCOUNT, solana_reference),
    ]
    for path, account, reference in wanted:
        assert path is not None
        path.chmod(mode)
        with pytest.raises(Misconfigured, match=rf"mode {mode:04o}.*chmod 600 {path}"):
            load_signer(account, reference)
        path.chmod(0o600)


def test_load__missing_or_not_a_file__refused(tmp_path: Path, password_file: Path) -> None:
    with pytest.raises(Misconfigured, match="does not exist"):
        load_signer(SOLANA_ACCOUNT, KeyReference(keypair=tmp_path / "none.json"))
    with pytest.raises(Misconfigured, match="not a regular file"):
        load_signer(EVM_ACCOUNT, KeyReference(keystore=tmp_path, password_file=password_file))


def test_load__key_of_another_account__refused(evm_reference: KeyReference, solana_reference: KeyReference) -> None:
    other = AccountId(EVM_ACCOUNT.chain, "0x000000000000000000000000000000000000dEaD")
    with pytest.raises(Misconfigured, match=f"holds the key of {EVM_ACCOUNT.address}.*{other.address}"):
        load_signer(other, evm_reference)
    with pytest.raises(Misconfigured, match="holds the key of"):
        load_signer(AccountId(SOLANA_ACCOUNT.chain, str(Pubkey.default())), solana_reference)


def test_load__wrong_kind_for_the_chain__says_what_is_needed(evm_reference: KeyReference, solana_reference: KeyReference) -> None:
    with pytest.raises(Misconfigured, match="needs `keypair`"):
        load_signer(SOLANA_ACCOUNT, evm_reference)
    with pytest.raises(Misconfigured, match="needs `keystore` and `password_file`"):
        load_signer(EVM_ACCOUNT, solana_reference)


@pytest.mark.parametrize("fields", [{}, {"keystore": "a"}, {"password_file": "a"}, {"keystore": "a", "password_file": "b", "keypair": "c"}])
def test_reference__half_or_both_kinds__refused(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="name either"):
        KeyReference(**fields)  # type: ignore[arg-type]  # pydantic turns text into paths


def test_create__file_exists__is_not_overwritten(tmp_path: Path, password_file: Path) -> None:
    create_keypair(tmp_path / "id.json")
    before = (tmp_path / "id.json").read_bytes()
    with pytest.raises(Misconfigured, match="not overwritten") as raised:
        create_keypair(tmp_path / "id.json", SECRET)
    assert (tmp_path / "id.json").read_bytes() == before
    assert_clean(str(raised.value))
    create_password(tmp_path / "new")
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("id.json", "new")] == [0o600, 0o600]


def test_create__keystore__opens_with_a_fresh_random_key(tmp_path: Path, password_file: Path) -> None:
    address = create_keystore(tmp_path / "one.json", password_file, light=True)
    assert address != create_keystore(tmp_path / "two.json", password_file, light=True)
    account = AccountId(EVM_ACCOUNT.chain, address)
    assert load_signer(account, KeyReference(keystore=tmp_path / "one.json", password_file=password_file)).account == account
    assert json.loads((tmp_path / "one.json").read_text())["version"] == 3


def test_create__password_file_missing__leaves_no_half_written_key(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        create_keystore(tmp_path / "key.json", tmp_path / "none", light=True)
    assert list(tmp_path.iterdir()) == []


def test_signer__printed_logged_or_walked__shows_the_account_only(signers: list[Signer], caplog: pytest.LogCaptureFixture) -> None:
    for signer in signers:
        logging.getLogger("test").warning("%s %r %s", signer, signer, {"signer": signer})
        walked = " ".join(repr(getattr(signer, name)) for name in dir(signer))
        text = f"{signer} {signer!r} {[signer]} {walked} {getattr(signer, '__dict__', '')}"
        assert signer.account.address in text
        assert_clean(text)
        with pytest.raises(TypeError):
            vars(signer)
    assert_clean(caplog.text)


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_signer__copied_or_pickled__refused(take: object, signers: list[Signer]) -> None:
    for signer in signers:
        with pytest.raises(TypeError, match="holds a key") as raised:
            take(signer)  # type: ignore[operator]  # one of three functions
        assert_clean(str(raised.value))


async def test_signer__sign_raises__traceback_with_all_locals_is_clean(signers: list[Signer]) -> None:
    for signer in signers:
        for given in (b"nonsense", b"", None):
            with pytest.raises((Misconfigured, TypeError)) as raised:
                await signer.sign(given)  # type: ignore[arg-type]  # None on purpose
            assert_clean(_all_of(raised.value))


@pytest.mark.parametrize("content", ["[1, 2]", "{}", '"text"', "not json", "[999]", "[]"])
def test_load__damaged_keypair__traceback_with_all_locals_is_clean(content: str, solana_reference: KeyReference) -> None:
    path = solana_reference.keypair
    assert path is not None
    path.write_text(path.read_text()[:-1] if content == "[]" else content)  # the last case is a real key cut short
    with pytest.raises(Misconfigured, match="64 numbers") as raised:
        load_signer(SOLANA_ACCOUNT, solana_reference)
    assert_clean(_all_of(raised.value))


@pytest.mark.parametrize("damage", ["password", "json", "field", "other"])
def test_load__keystore_does_not_open__traceback_with_all_locals_is_clean(damage: str, evm_reference: KeyReference) -> None:
    path, password_file = evm_reference.keystore, evm_reference.password_file
    assert path is not None
    assert password_file is not None
    if damage == "password":
        password_file.write_text(PASSWORD + "x")
    elif damage == "json":
        path.write_text(path.read_text()[:-5])
    elif damage == "field":
        path.write_text(path.read_text().replace('"kdf"', '"kd"'))
    account = AccountId(EVM_ACCOUNT.chain, "0x000000000000000000000000000000000000dEaD") if damage == "other" else EVM_ACCOUNT
    with pytest.raises(Misconfigured) as raised:
        load_signer(account, evm_reference)
    assert_clean(_all_of(raised.value))


def test_process__loading_keys__no_secret_in_its_arguments_or_environment(
    evm_reference: KeyReference, solana_reference: KeyReference
) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from chains.ids import AccountId; from chains.keys import KeyReference, load_signer\n"
        "load_signer(AccountId.parse(sys.argv[1]), KeyReference.model_validate_json(sys.argv[2]))\n"
        "load_signer(AccountId.parse(sys.argv[3]), KeyReference.model_validate_json(sys.argv[4]))\n"
        "print(*(Path('/proc/self', name).read_bytes() for name in ('cmdline', 'environ')))"
    )
    named = [str(EVM_ACCOUNT), evm_reference.model_dump_json(), str(SOLANA_ACCOUNT), solana_reference.model_dump_json()]
    done = subprocess.run([sys.executable, "-c", script, *named], capture_output=True, text=True, check=True)
    assert "AccountId" in done.stdout
    assert_clean(done.stdout + done.stderr)


def _all_of(problem: BaseException) -> str:
    """Everything a careless logger could print: the whole chain of exceptions, with the locals of every frame of ours."""
    shown = traceback.TracebackException.from_exception(problem, capture_locals=True)
    frames = [frame for frame in shown.stack if "tests" not in frame.filename]  # the test itself knows the canaries
    assert frames
    texts = [str(frame.locals) for frame in frames]
    chained = [problem.__cause__, problem.__context__]
    return " ".join([str(problem), repr(problem.args), *texts, *(_all_of(one) for one in chained if one is not None)])
