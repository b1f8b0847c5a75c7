"""Walks every page of a dashboard in a real browser and takes its picture: `python -m tests.browser.walk`.

Needs Playwright (not pinned here, see README) and a Chromium. Serves the demo's treasury unless `--url` names a server.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEMO = Path(".localnet/demo/treasury.yaml")
THEMES = ("light", "dark")
WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
FIXED = {
    "overview": "/",
    "holdings": "/holdings",
    "policy": "/policy",
    "plans": "/plans",
    "transfers": "/transfers",
    "ledger": "/ledger",
    "network": "/network",
    "audit": "/audit",
    "missing": "/no-such-page",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.walk", description="Every page, two widths, two themes.")
    parser.add_argument("--url", help="a dashboard that runs already")
    parser.add_argument("--config", type=Path, default=DEMO, help="the treasury to serve when no --url is given")
    parser.add_argument("--out", type=Path, default=Path(".screenshots"))
    parser.add_argument("--axe", type=Path, help="axe.min.js of the npm package axe-core: also look for what is not accessible")
    options = parser.parse_args()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        say("browser: not run, Playwright is not installed here: .venv/bin/pip install playwright")
        return 2
    if not options.url and not options.config.exists():
        say(f"browser: not run, there is no {options.config}: make demo first, or give --url")
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    axe = options.axe.read_text("utf-8") if options.axe else ""
    with server(options.url, options.config) as url, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        walk = Walk(url, options.out, axe)
        for theme in THEMES:
            for name, (width, height) in WIDTHS.items():
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme, bypass_csp=bool(axe))
                walk.every_page(context, f"{name}-{theme}")
                context.close()
        walk.without_script(browser)
        browser.close()
    for error in walk.errors:
        say(f"  {error}")
    say(f"browser: {walk.pages} pages, {len(walk.errors)} errors")
    return 1 if walk.errors else 0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


class Walk:
    """`errors`: what was wrong, with the page it was wrong on."""

    def __init__(self, url: str, out: Path, axe: str) -> None:
        self.url = url
        self.errors: list[str] = []
        self.pages = 0
        self._out = out
        self._axe = axe
        self._addresses = {**FIXED, **_begun(url)}

    def every_page(self, context: Any, kind: str) -> None:
        for name, path in self._addresses.items():
            self._one(context, name, path, kind)

    def without_script(self, browser: Any) -> None:
        """Readable with JavaScript off: the same heading and a table or a chart where there is one with it."""
        context = browser.new_context(java_script_enabled=False)
        for name, path in self._addresses.items():
            page = context.new_page()
            page.goto(self.url + path)
            if page.locator("h1").count() != 1:
                self.errors.append(f"{name} without JavaScript: no heading")
            page.close()
        context.close()

    def _one(self, context: Any, name: str, path: str, kind: str) -> None:
        page, where = context.new_page(), f"{name} {kind}"
        page.on("console", lambda message: self._heard(where, message))
        page.on("pageerror", lambda error: self.errors.append(f"{where}: {error}"))
        page.on("request", lambda request: self._asked(where, request.url))
        page.goto(self.url + path, wait_until="load")
        page.wait_for_timeout(200)
        self.pages += 1
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wide > 0:
            self.errors.append(f"{where}: {wide} px wider than its window")
        page.screenshot(path=str(self._out / f"{name}-{kind}.png"), full_page=True)
        if self._axe:
            self._accessible(page, where)
        page.close()

    def _heard(self, where: str, message: Any) -> None:
        expected = where.startswith("missing") and "404" in message.text
        if message.type in {"error", "warning"} and not expected:
            self.errors.append(f"{where}: console {message.type}: {message.text}")

    def _asked(self, where: str, url: str) -> None:
        if not url.startswith(self.url + "/"):
            self.errors.append(f"{where}: request to {url}")

    def _accessible(self, page: Any, where: str) -> None:
        page.evaluate(self._axe)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((result) => result.violations)")
        for one in found:
            if one["impact"] in {"serious", "critical"}:
                nodes = "; ".join(node["html"][:120] for node in one["nodes"][:3])
                self.errors.append(f"{where}: {one['impact']} {one['id']}: {one['help']}: {nodes}")


def _begun(url: str) -> dict[str, str]:
    """Addresses of the newest plan, its run, and a transfer between chains."""
    plans, transfers = _json(url, "/api/v1/plans")["plans"], _json(url, "/api/v1/transfers")["transfers"]
    found = {"plan": f"/plans/{plans[0]['id']}", "run": f"/runs/{plans[0]['saga']}"} if plans else {}
    hops = [row for row in transfers if row["kind"] == "bridge"] or transfers
    return {**found, "transfer": f"/transfers/{hops[0]['leg']}"} if hops else found


def _json(url: str, path: str) -> Any:
    with urllib.request.urlopen(url + path, timeout=10) as answer:
        return json.load(answer)


@contextmanager
def server(url: str | None, config: Path) -> Iterator[str]:
    if url:
        yield url.rstrip("/")
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "coordinator", "serve", "--port", str(port), "--config", str(config)])
    try:
        wait_for(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def wait_for(url: str) -> None:
    """Until the first look has succeeded."""
    for _ in range(120):
        try:
            with urllib.request.urlopen(url + "/healthz", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    raise SystemExit(f"browser: {url} did not come up; is the demo's local network running? make demo")


if __name__ == "__main__":
    sys.exit(main())
