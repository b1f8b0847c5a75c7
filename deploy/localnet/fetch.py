"""Pinned downloads: npm packages checked by sha256 and unpacked once into a cache outside git.

`packages.toml` names every package, its tarball's sha256 and the few files taken out of it. A package is
downloaded with the ordinary npm client, refused when its bytes differ from the pin, and put in place by one
rename, so that a cache folder is either complete or absent.
"""

import fcntl
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from platformdirs import user_cache_dir

PINS = Path(__file__).with_name("packages.toml")
MANIFEST = ".unpacked.json"
DOWNLOAD_SECONDS = 600

Say = Callable[[str], None]


class FetchError(Exception):
    """A package could not be brought in as pinned; the text says what to do about it."""


@dataclass(frozen=True, slots=True)
class Package:
    """One pinned npm package: `npm` is `name@version`, `size` the tarball's bytes, `files` what is unpacked."""

    name: str
    npm: str
    sha256: str
    size: int
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pin:
    """One contract artifact: where it lies and the sha256 of its creation bytecode's text as shipped."""

    name: str
    package: str
    path: str
    sha256: str


def say_on_stderr(line: str) -> None:
    """Progress for people; standard output stays free for data."""
    print(line, file=sys.stderr, flush=True)


def cache_home() -> Path:
    """The folder all downloads and derived state live in: $COORDINATOR_CACHE, else the user's cache folder."""
    chosen = os.environ.get("COORDINATOR_CACHE")
    return Path(chosen or user_cache_dir("coordinator")).absolute() / "localnet"


@cache
def pins() -> tuple[dict[str, Package], dict[str, Pin]]:
    """Packages and artifacts of `packages.toml`, by name; an artifact's path is among its package's files."""
    table = tomllib.loads(PINS.read_text("utf-8"))
    artifacts = {name: Pin(name=name, **entry) for name, entry in table["artifacts"].items()}
    packages = {}
    for name, entry in table["packages"].items():
        paths = [pin.path for pin in artifacts.values() if pin.package == name]
        files = tuple(dict.fromkeys([*entry["files"], *paths]))
        packages[name] = Package(name, entry["npm"], entry["sha256"], entry["bytes"], files)
    return packages, artifacts


def fetch(name: str, say: Say = say_on_stderr) -> Path:
    """The folder holding the unpacked files of package `name`, downloading it when the cache lacks it.

    Raises FetchError when the name is unknown, npm fails, or the bytes are not the pinned ones.
    """
    package = pins()[0].get(name)
    if package is None:
        raise FetchError(f"no package is called {name!r} in {PINS.name}; known: {', '.join(sorted(pins()[0]))}")
    place = cache_home() / "packages" / f"{name}-{package.sha256[:12]}"
    with locked(place.parent / f".{name}.lock"):
        if place.exists() and not _is_whole(place, package):
            say(f"{place} is damaged (a file is missing or cut short): bringing it in again")
            shutil.rmtree(place)
        if not place.exists():
            _bring_in(package, place, say)
    return place


def fetch_all(say: Say = say_on_stderr) -> None:
    """Bring in every pinned package (about 34 MB once; nothing when the cache is warm)."""
    for name in pins()[0]:
        fetch(name, say)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive file lock, so that two commands started at once do not do the same work twice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _bring_in(package: Package, place: Path, say: Say) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    say(f"downloading {package.npm} ({package.size / 1e6:.1f} MB)")
    with tempfile.TemporaryDirectory(prefix=".incoming-", dir=place.parent) as scratch:
        tarball = _download(package, Path(scratch))
        _check(package, tarball)
        unpacked = Path(scratch) / "unpacked"
        _unpack(package, tarball, unpacked)
        unpacked.rename(place)


def _download(package: Package, folder: Path) -> Path:
    command = ["npm", "pack", package.npm, "--ignore-scripts", "--silent", "--pack-destination", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, cwd=folder, check=True)
    except FileNotFoundError:
        raise FetchError("npm is not installed: install Node 20 with npm (Debian: `apt install nodejs npm`)") from None
    except subprocess.TimeoutExpired:
        raise FetchError(f"{package.npm}: no complete download in {DOWNLOAD_SECONDS} s; check the network, run again") from None
    except subprocess.CalledProcessError as failure:
        reason = failure.stderr.strip() or f"npm exited with {failure.returncode}"
        raise FetchError(f"{package.npm}: npm could not download it: {reason}; check the network, run again") from None
    return folder / done.stdout.split()[-1]


def _check(package: Package, tarball: Path) -> None:
    """Refuse a tarball that is not the pinned one; the temporary folder it lies in is deleted by the caller."""
    size = tarball.stat().st_size
    found = hashlib.sha256(tarball.read_bytes()).hexdigest()
    if found == package.sha256:
        return
    raise FetchError(
        f"{package.npm}: refused, the download is not the pinned package: found {size} bytes, sha256 {found}; "
        f"allowed {package.size} bytes, sha256 {package.sha256}. Nothing was kept. If it was cut short, run the "
        "command again (`npm cache clean --force` empties npm's own cache first); if it stays different, do not use it."
    )


def _unpack(package: Package, tarball: Path, place: Path) -> None:
    sizes: dict[str, int] = {}
    with tarfile.open(tarball) as archive:
        for member in archive:
            # Every npm tarball has one top folder (usually `package/`), which is not part of the file's name.
            inner = PurePosixPath(*PurePosixPath(member.name).parts[1:]).as_posix()
            source = archive.extractfile(member) if inner in package.files else None
            if source is None:
                continue
            target = place / inner
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
            sizes[inner] = target.stat().st_size
            if inner.startswith("bin/"):
                target.chmod(target.stat().st_mode | stat.S_IXUSR)
    if missing := set(package.files) - set(sizes):
        raise FetchError(f"{package.npm} lacks {', '.join(sorted(missing))}; correct {PINS.name}")
    (place / MANIFEST).write_text(json.dumps(sizes))


def _is_whole(place: Path, package: Package) -> bool:
    """Every wanted file is there with the size it was unpacked with (contents are checked where they are used)."""
    manifest = place / MANIFEST
    if not manifest.exists():
        return False
    sizes: dict[str, int] = json.loads(manifest.read_text())
    present = {path: (place / path) for path in package.files}
    return all(path in sizes and file.exists() and file.stat().st_size == sizes[path] for path, file in present.items())
