"""Our compiled programs are the ones their source makes, and the linker refuses what it cannot place."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from solders.keypair import Keypair

from deploy.localnet.solana import programs
from deploy.localnet.solana.programs import build as building
from deploy.localnet.solana.programs.sbf_linker import LinkError, link

needs_clang = pytest.mark.skipif(building.compiler() is None, reason="clang-19 is not installed")


@pytest.mark.parametrize("program", programs.OWN_PROGRAMS, ids=lambda p: p.source)
def test_committed_program__its_bytes__have_the_pinned_sha256(program: programs.Program) -> None:
    found = (Path(programs.__file__).parent / program.source).read_bytes()
    assert hashlib.sha256(found).hexdigest() == program.sha256
    assert programs.own_programs()[program.key] == found


@needs_clang
@pytest.mark.parametrize("name", building.PROGRAMS)
def test_build__same_source_and_compiler__gives_the_committed_bytes(name: str) -> None:
    assert building.build(name) == (Path(programs.__file__).parent / f"{name}.so").read_bytes()


def compiled(folder: Path, source: str) -> bytes:
    (folder / "program.c").write_text(source)
    command = [building.COMPILER, *building.FLAGS, "-c", "program.c", "-o", "program.o"]
    subprocess.run(command, check=True, cwd=folder)
    return (folder / "program.o").read_bytes()


@needs_clang
def test_link__writable_data__is_refused(tmp_path: Path) -> None:
    source = "unsigned long count = 1; unsigned long entrypoint(void *in) { return count++; }"
    with pytest.raises(LinkError, match="writable data"):
        link(compiled(tmp_path, source))


@needs_clang
def test_link__no_entry_point__is_refused(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="entrypoint"):
        link(compiled(tmp_path, "unsigned long start(void *in) { return 0; }"))


def test_link__another_kind_of_file__is_refused() -> None:
    with pytest.raises(LinkError, match="machine 247"):
        link(b"\x7fELF" + bytes(60))


def test_hyperlane_programs__other_bytes_than_pinned__are_refused(tmp_path: Path) -> None:
    script = tmp_path / programs.HYPERLANE_FILE
    script.parent.mkdir(parents=True)
    script.write_text("export const x = {\n mailbox: new Uint8Array([1, 2, 3]),\n}")
    with pytest.raises(programs.ProgramError, match="mailbox: found sha256"):
        programs.hyperlane_programs(tmp_path)
    script.write_text("export const x = {}")
    with pytest.raises(programs.ProgramError, match="mailbox is not in"):
        programs.hyperlane_programs(tmp_path)


def test_dev_key__same_name__is_the_same_key_for_everybody() -> None:
    assert programs.dev_key("deployer") == programs.dev_key("deployer") != programs.dev_key("relayer")
    assert str(programs.AMM) == "9c3TpwNcd9dKcwnRUCxC2qjue6daQMMbZDizJsCHuuwA"
    assert str(programs.WARP_USDC) == "2x86zgVSS9BgKhXWDZ7o3fxKfuQK6VwUCd2UzDZ9EQjD"
    assert isinstance(programs.dev_key("deployer"), Keypair)
