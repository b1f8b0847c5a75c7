"""Reading a treasury: file and environment in, treasury out, or every error at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from coordinator.config.checks import check
from coordinator.config.environment import overlay
from coordinator.config.errors import ConfigError, ConfigErrors, Findings, Where
from coordinator.config.resolve import resolve
from coordinator.config.secrets import scan, scan_tree
from coordinator.config.sections import read
from coordinator.config.treasury import Treasury
from coordinator.config.tree import MAX_BYTES, parse


def load(path: Path | str, environment: Mapping[str, str] | None = None) -> Treasury:
    """The treasury that the file at `path` and the environment (default: this process's) describe.

    Reads that one file and nothing else: no key, no chain. Raises ConfigErrors with everything that is wrong; when
    something in the file looks like a key, with that alone.
    """
    file = Path(path)
    return load_text(_text(file), file, os.environ if environment is None else environment)


def load_text(text: str, file: Path, environment: Mapping[str, str]) -> Treasury:
    """The same from text; `file` is what errors name and what relative paths start from."""
    findings = Findings()
    scan(text, file, findings)
    findings.raise_if_any()
    tree = parse(text, file)
    scan_tree(tree, findings)
    findings.raise_if_any()
    sections = read(overlay(tree, environment, findings), findings)
    check(sections)
    findings.raise_if_any()
    return resolve(sections, file)


def _text(file: Path) -> str:
    where = Where(str(file), 0, 0)
    try:
        content = file.read_bytes()
    except OSError as problem:
        mend = "name another with --config, or copy deploy/treasury.example.yaml"
        raise ConfigErrors([ConfigError(where, "", f"cannot be read: {problem.strerror}", "", mend)]) from None
    if len(content) > MAX_BYTES:
        raise ConfigErrors([ConfigError(where, "", f"{len(content):,} bytes", f"{MAX_BYTES:,} at most")])
    try:
        return content.decode()
    except UnicodeDecodeError as problem:
        raise ConfigErrors([ConfigError(where, "", f"byte {problem.start} is not UTF-8", "text in UTF-8")]) from None
