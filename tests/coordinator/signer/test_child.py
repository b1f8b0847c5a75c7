"""The signer as a real process: what it signs, refuses and survives, who may ask it, and that its keys are nowhere else."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account import Account

from chains.errors import Misconfigured, Reaction, Unreachable
from chains.evm.transactions import Unsigned
from chains.ids import AccountId
from chains.keys import load_signer
from coordinator.signer import wire
from coordinator.signer.child import Attached, Child, attach
from coordinator.signer.remote import Declined, RemoteSigner, greet
from coordinator.signer.writing import write
from deploy.demo.scenario import create_keys
from tests.coordinator.signer.genuine import Genuine, genuine
from tests.coordinator.signer.world import World, world

ROOT = Path(__file__).parents[3]
FORBIDDEN = {"web3", "solana", "sqlalchemy", "aiohttp", "pydantic", "bridges", "policies", "chains", "eth_account", "eth_abi", "rlp"}
MOST_PACKAGES = 12


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A treasury whose keys exist, with its policy written where the signer looks for it."""
    folder = tmp_path_factory.mktemp("keyed")
    made = world(folder, create_keys(folder / "keys"))
    write(made.treasury.signer.policy, made.document)
    return made


@pytest.fixture(scope="module")
def asked(keyed: World) -> list[Genuine]:
    return asyncio.run(genuine(keyed.treasury))


@pytest.fixture
def attached(keyed: World, tmp_path: Path) -> Attached:
    """A signer with a journal of its own, so that one test's spends are not another's."""
    write(keyed.treasury.signer.policy, keyed.document | {"journal": str(tmp_path / "journal.jsonl")})
    made = attach(keyed.treasury)
    yield made
    made.close()


def signer_of(attached: Attached, one: Genuine) -> RemoteSigner:
    return attached.signers[AccountId.parse(one.account)]


def secrets_of(keyed: World) -> list[bytes]:
    """The raw keys, and the texts in which they might be written."""
    folder = keyed.treasury.file.parent / "keys"
    password = (folder / "evm.password").read_text().strip()
    evm = bytes(Account.decrypt((folder / "evm.json").read_text(), password))
    solana = bytes(json.loads((folder / "solana.json").read_text()))[:32]
    return [evm, solana, evm.hex().encode(), solana.hex().encode(), str(int.from_bytes(evm, "big")).encode(), password.encode()]


async def test_sign__genuine_transactions__as_the_key_in_process_would(keyed: World, asked: list[Genuine], attached: Attached) -> None:
    keys = {account: load_signer(account, keyed.treasury.keys[account.chain]) for account in attached.signers}
    for one in asked[::20]:
        if "Solana" in one.kind or one.kind.startswith("cctp claim"):
            continue
        assert await signer_of(attached, one).sign(one.unsigned) == await keys[AccountId.parse(one.account)].sign(one.unsigned)
    (solana,) = [one for one in asked if "Solana" in one.kind][:1]
    assert await signer_of(attached, solana).sign(solana.unsigned) == await keys[AccountId.parse(solana.account)].sign(solana.unsigned)


async def test_sign__foreign_recipient__is_declined_and_a_person_is_asked(asked: list[Genuine], attached: Attached) -> None:
    one = next(one for one in asked if one.kind == "cctp burn")
    call = Unsigned.decode(one.unsigned)
    changed = replace(call, data=call.data[:100] + b"\x11" + call.data[101:]).encode()
    with pytest.raises(Declined, match="refuses, rule") as refusal:
        await signer_of(attached, one).sign(changed)
    assert refusal.value.reaction is Reaction.HALT
    assert refusal.value.rule in {"recipient", "call-data"}


async def test_sign__spent_up__is_refused_until_the_window_has_passed_and_a_restart_forgets_nothing(
    keyed: World, asked: list[Genuine], attached: Attached
) -> None:
    """390,000 USDC five times make 1.95 of the 2.2 million a day; the journal carries that over a new start."""
    burns = [one for one in asked if one.kind == "cctp burn"]
    largest = max(burns, key=lambda one: int.from_bytes(Unsigned.decode(one.unsigned).data[4:36], "big"))
    for _ in range(5):
        await signer_of(attached, largest).sign(largest.unsigned)
    attached.close()
    again = attach(keyed.treasury)
    try:
        with pytest.raises(Declined, match="window"):
            await again.signers[AccountId.parse(largest.account)].sign(largest.unsigned)
    finally:
        again.close()


async def test_kill__while_a_question_waits__is_a_retry_and_the_next_question_is_answered(asked: list[Genuine], attached: Attached) -> None:
    one = next(one for one in asked if one.kind == "uniswap swap")
    signer = signer_of(attached, one)
    child = child_of(signer)
    first = await signer.sign(one.unsigned)
    os.kill(child.pid, signal.SIGSTOP)
    waiting = asyncio.create_task(signer.sign(one.unsigned))
    await asyncio.sleep(0.2)
    old = child.pid
    os.kill(old, signal.SIGKILL)
    with pytest.raises(Unreachable, match="nothing was signed or sent") as fault:
        await waiting
    assert fault.value.reaction is Reaction.RETRY
    assert child.pid != old
    assert await signer.sign(one.unsigned) == first


async def test_start__again_and_again__ends_with_a_person(keyed: World, attached: Attached) -> None:
    child = child_of(next(iter(attached.signers.values())))
    for _ in range(19):
        child._stop()
        child.start()
    with pytest.raises(Misconfigured, match="ended 20 times"):
        child.start()


def child_of(signer: RemoteSigner) -> Child:
    child = signer.revive.__self__
    assert isinstance(child, Child)
    return child


def test_attach__policy_of_another_configuration__is_refused(keyed: World) -> None:
    write(keyed.treasury.signer.policy, keyed.document | {"config": "0" * 64})
    with pytest.raises(Misconfigured, match="coordinator signer policy"):
        attach(keyed.treasury)


def test_attach__key_file_open_to_others__is_refused_in_its_own_words(keyed: World, tmp_path: Path) -> None:
    write(keyed.treasury.signer.policy, keyed.document | {"journal": str(tmp_path / "journal.jsonl")})
    file = keyed.treasury.file.parent / "keys" / "solana.json"
    file.chmod(0o644)
    try:
        with pytest.raises(Misconfigured, match=r"open to others \(mode 0644\)"):
            attach(keyed.treasury)
    finally:
        file.chmod(0o600)


def test_socket__of_a_child__is_this_users_alone_and_gone_afterwards(attached: Attached) -> None:
    place = next(iter(attached.signers.values())).place
    assert place.stat().st_mode & 0o777 == 0o600
    assert place.parent.stat().st_mode & 0o777 == 0o700
    attached.close()
    assert not place.parent.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_socket__another_user__gets_no_answer(attached: Attached) -> None:
    place = next(iter(attached.signers.values())).place
    place.parent.chmod(0o755)
    place.chmod(0o666)  # so that the peer's user id alone decides
    ask = (
        "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
        "s.sendall(bytes.fromhex(sys.argv[2])); print(len(s.recv(100)))"
    )
    question = wire.packed({"ask": "hello", "version": 1}).hex()
    done = subprocess.run([sys.executable, "-c", ask, str(place), question], capture_output=True, text=True, check=False)
    assert done.stdout.strip() != "100"
    assert done.stdout.strip() in {"0", ""}
    assert greet(place)["treasury"] == "demo"


NO_QUESTIONS = [
    *(b"", b"\0\0\0\2{}", b"\xff\xff\xff\xff", b"\0\0\0\4null", b"\0\0\0\3abc", b"\0\0\0\2[]", b"\0\0\x20\0" + b"[" * 0x2000),
    wire.packed({"ask": "hello", "version": 9}),
    wire.packed({"ask": "sign", "account": 1, "unsigned": "", "intent": ""}),
    wire.packed({"ask": "sign", "account": "a", "unsigned": "zz", "intent": ""}),
]


@pytest.mark.parametrize("said", NO_QUESTIONS)
def test_socket__what_is_no_question__is_cut_off_and_others_are_answered(said: bytes, attached: Attached) -> None:
    place = next(iter(attached.signers.values())).place
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(10)
        line.connect(str(place))
        line.sendall(said)
        line.shutdown(socket.SHUT_WR)
        assert line.recv(100) == b""
    assert greet(place)["treasury"] == "demo"


def test_child__its_parent_dies__it_ends(keyed: World, tmp_path: Path) -> None:
    write(keyed.treasury.signer.policy, keyed.document | {"journal": str(tmp_path / "journal.jsonl")})
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, str(keyed.treasury.file)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    for _ in range(100):
        if not Path(f"/proc/{child}/cmdline").exists() or not Path(f"/proc/{child}/cmdline").read_bytes():
            return
        asyncio.run(asyncio.sleep(0.1))
    raise AssertionError("the signer outlived the coordinator")


_PARENT = """
import sys, time, pathlib
from coordinator.config.load import load
from coordinator.signer.child import attach
attached = attach(load(pathlib.Path(sys.argv[1])))
print(next(iter(attached.signers.values())).revive.__self__.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("kind", ["process", "in-process"])
def test_memory__of_the_coordinator__holds_no_key(kind: str, keyed: World, tmp_path: Path) -> None:
    """A coordinator that opened its keys and signed; the in-process one shows that the search finds a key that is there."""
    write(keyed.treasury.signer.policy, keyed.document | {"journal": str(tmp_path / "journal.jsonl")})
    one = next(one for one in asyncio.run(genuine(keyed.treasury)) if one.kind == "uniswap swap")
    line = [sys.executable, "-c", _COORDINATOR, str(keyed.treasury.file), one.account, one.unsigned.hex(), kind]
    coordinator = subprocess.Popen(line, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    assert coordinator.stdout is not None
    assert len(bytes.fromhex(coordinator.stdout.readline())) == 65
    memory = memory_of(coordinator.pid)
    seen = [secret for secret in secrets_of(keyed) if secret in memory]
    lines = Path(f"/proc/{coordinator.pid}/cmdline").read_bytes() + Path(f"/proc/{coordinator.pid}/environ").read_bytes()
    assert not any(secret in lines for secret in secrets_of(keyed))
    coordinator.communicate("\n")
    assert bool(seen) == (kind == "in-process")


_COORDINATOR = """
import asyncio, dataclasses, pathlib, sys
from chains.ids import AccountId
from coordinator.app import App
from coordinator.clock import SystemClock
from coordinator.config.load import load
file, account, unsigned, kind = sys.argv[1:]
treasury = load(pathlib.Path(file))
treasury = dataclasses.replace(treasury, signer=dataclasses.replace(treasury.signer, process=kind == "process"))
async def main():
    async with App.open(treasury, SystemClock(), keys=True) as app:
        print((await app._signers[AccountId.parse(account)].sign(bytes.fromhex(unsigned))).hex(), flush=True)
        input()
asyncio.run(main())
"""


def memory_of(process: int) -> bytes:
    """Everything that is mapped readable and writable."""
    found = bytearray()
    with Path(f"/proc/{process}/mem").open("rb") as memory:
        for line in Path(f"/proc/{process}/maps").read_text().splitlines():
            place, rights = line.split()[:2]
            if rights.startswith("rw"):
                start, end = (int(edge, 16) for edge in place.split("-"))
                memory.seek(start)
                found += memory.read(end - start)
    return bytes(found)


def test_files__journal_log_and_policy__hold_no_key(keyed: World, asked: list[Genuine], attached: Attached) -> None:
    signer = signer_of(attached, asked[0])
    asyncio.run(signer.sign(asked[0].unsigned))
    with pytest.raises(Declined) as refusal:
        asyncio.run(signer.sign(b"\x02\xc0"))
    written = [path.read_bytes() for path in signer.place.parent.iterdir() if path.is_file()]
    journal = json.loads(keyed.treasury.signer.policy.read_text())["journal"]
    written += [Path(journal).read_bytes(), keyed.treasury.signer.policy.read_bytes(), repr(signer).encode(), repr(refusal.value).encode()]
    line = Path(f"/proc/{child_of(signer).pid}/cmdline").read_bytes()
    assert not any(secret in text for secret in secrets_of(keyed) for text in [*written, line])


def test_imports__of_the_process__few_packages_and_none_of_the_coordinators() -> None:
    show = "import coordinator.signer.__main__, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = set(subprocess.run([sys.executable, "-P", "-c", show], capture_output=True, text=True, check=True).stdout.split())
    third_party = {name for name in loaded - set(sys.stdlib_module_names) if not name.startswith("_")} - {"coordinator"}
    assert not loaded & FORBIDDEN
    assert third_party == {"Crypto", "solders", "typing_extensions"}  # as README and SECURITY.md say
    assert len(third_party) <= MOST_PACKAGES


@pytest.mark.parametrize("path", sorted((ROOT / "coordinator" / "signer").rglob("*.py")), ids=lambda path: path.stem)
def test_imports__of_every_file__nothing_of_bridges(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    assert not [name for name in names if name.partition(".")[0] == "bridges"]
