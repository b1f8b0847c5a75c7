"""Pinned downloads: what is refused, what is kept, what is brought in again."""

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.localnet import fetch as fetching
from deploy.localnet.fetch import FetchError, cache_home, fetch, pins

SAID: list[str] = []


def tarball(files: dict[str, str]) -> bytes:
    """An npm tarball: everything under `package/`."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return sink.getvalue()


class Registry:
    """A stand-in for npm on PATH that serves one file, counts its runs, and can be made to fail."""

    def __init__(self, folder: Path) -> None:
        self.served, self.count = folder / "served.tgz", folder / "count"
        npm = folder / "npm"
        npm.write_text(
            "#!/bin/sh\n"
            f'echo run >> "{self.count}"\n'
            f'[ -f "{self.served}" ] || {{ echo "no such package" >&2; exit 1; }}\n'
            'while [ "$1" != "--pack-destination" ]; do shift; done\n'
            f'cp "{self.served}" "$2/thing-1.0.0.tgz" && echo thing-1.0.0.tgz\n'
        )
        npm.chmod(npm.stat().st_mode | stat.S_IXUSR)

    @property
    def runs(self) -> int:
        return len(self.count.read_text().split()) if self.count.exists() else 0


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    content = tarball({"wanted.json": "{}", "bin/tool": "#!/bin/sh", "unwanted.json": "no"})
    table = (
        f'[packages.thing]\nnpm = "thing@1.0.0"\nsha256 = "{hashlib.sha256(content).hexdigest()}"\n'
        f'bytes = {len(content)}\nlicence = "MIT"\nwhy = "test"\nfiles = ["wanted.json", "bin/tool"]\n[artifacts]\n'
    )
    (tmp_path / "pins.toml").write_text(table)
    monkeypatch.setattr(fetching, "PINS", tmp_path / "pins.toml")
    monkeypatch.setenv("COORDINATOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    pins.cache_clear()
    registry = Registry(tmp_path)
    registry.served.write_bytes(content)
    yield registry
    pins.cache_clear()


def kept() -> list[str]:
    """What lies in the cache's packages folder, lock files left out."""
    folder = cache_home() / "packages"
    return [path.name for path in folder.iterdir() if not path.name.endswith(".lock")] if folder.exists() else []


def test_fetch__pinned_package__unpacks_only_the_listed_files(registry: Registry) -> None:
    place = fetch("thing", SAID.append)
    files = sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())
    assert files == [".unpacked.json", "bin/tool", "wanted.json"]
    assert os.access(place / "bin/tool", os.X_OK)
    assert "thing@1.0.0" in SAID[-1]
    assert "MB" in SAID[-1]


def test_fetch__second_time__downloads_nothing(registry: Registry) -> None:
    assert fetch("thing", SAID.append) == fetch("thing", SAID.append)
    assert registry.runs == 1


def test_fetch__other_bytes_than_pinned__is_refused_and_nothing_kept(registry: Registry) -> None:
    good = registry.served.read_bytes()
    registry.served.write_bytes(tarball({"wanted.json": '{"evil": true}', "bin/tool": ""}))
    with pytest.raises(FetchError, match=r"thing@1\.0\.0: refused.*Nothing was kept"):
        fetch("thing", SAID.append)
    assert kept() == []
    registry.served.write_bytes(good)
    assert (fetch("thing", SAID.append) / "wanted.json").read_text() == "{}"


def test_fetch__truncated_download__is_refused_then_works_on_the_next_run(registry: Registry) -> None:
    good = registry.served.read_bytes()
    registry.served.write_bytes(good[: len(good) // 2])
    with pytest.raises(FetchError, match=f"found {len(good) // 2} bytes.*allowed {len(good)} bytes.*run the command"):
        fetch("thing", SAID.append)
    registry.served.write_bytes(good)
    assert fetch("thing", SAID.append).exists()


def test_fetch__registry_fails__says_what_npm_said(registry: Registry) -> None:
    registry.served.unlink()
    with pytest.raises(FetchError, match=r"thing@1\.0\.0: npm could not download it: no such package"):
        fetch("thing", SAID.append)
    assert kept() == []


@pytest.mark.parametrize("damage", ["shorten", "remove", "no manifest"])
def test_fetch__damaged_cache__is_brought_in_again(registry: Registry, damage: str) -> None:
    place = fetch("thing", SAID.append)
    match damage:
        case "shorten":
            (place / "wanted.json").write_text("{")
        case "remove":
            (place / "bin/tool").unlink()
        case _:
            (place / ".unpacked.json").unlink()
    assert (fetch("thing", SAID.append) / "wanted.json").read_text() == "{}"
    assert registry.runs == 2


def test_fetch__no_npm__says_how_to_get_it(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(FetchError, match="npm is not installed: install Node 20"):
        fetch("thing", SAID.append)


def test_fetch__unknown_name__lists_the_known_ones(registry: Registry) -> None:
    with pytest.raises(FetchError, match=r"no package is called 'other' in pins\.toml; known: thing"):
        fetch("other", SAID.append)


def test_pins__of_the_project__are_exact_versions_with_full_hashes() -> None:
    packages, artifacts = pins()
    for package in packages.values():
        name, _, version = package.npm.rpartition("@")
        assert name
        assert version[0].isdigit(), f"{package.npm} does not name one version"
        assert len(bytes.fromhex(package.sha256)) == 32
        assert package.files
    for pin in artifacts.values():
        assert pin.path in packages[pin.package].files
        assert len(bytes.fromhex(pin.sha256)) == 32
    assert sum(package.size for package in packages.values()) < 40_000_000
