"""Bad input from the world: endpoints, tokens, keys, prices, gas and limits that are not as the configuration says or as a plan needs."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chains.keys import create_keypair, create_keystore
from tests.localnet.bad_input.bench import APPLY, PLAN, STATUS, Case, Change, Treasury, edit, refused

pytestmark = pytest.mark.localnet

ERROR, WRONG, BLOCKED = 1, 2, 12
NOBODY = "0x00000000000000000000000000000000000000AA"
NO_MINT = "4wBqpZM9xaSheZzJSMawUKKwhdpChKbZ5eu5ky4Vigw"
DEAD = "http://127.0.0.1:9"  # the discard port: nothing listens there
ALPHA_FEED = r'(USDC:\n    prices:\n      - \{kind: chainlink, chain: alpha, feed: ")0x\w+'
MEND, AGAIN = "Nothing was sent. Mend what is said above", "Nothing was sent. Try again"


def beta_behind_alpha(treasury: Treasury) -> None:
    treasury.edit(treasury.levers("alpha").book["rpc"][0], treasury.levers("beta").book["rpc"][0])


def other_cluster(treasury: Treasury) -> None:
    """The configuration of mainnet over the endpoint of the local cluster."""
    here = next(id_ for id_ in treasury.network.book["chains"] if id_.startswith("solana:"))
    treasury.file.write_text(treasury.file.read_text().replace(here, "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"))


class Garbage(BaseHTTPRequestHandler):
    """Answers everything with a page for people, as a proxy or a parked domain does."""

    def do_POST(self) -> None:
        page = b"<html>Welcome!</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:
        pass


def garbage(treasury: Treasury) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Garbage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    treasury.undo.callback(server.server_close)
    treasury.undo.callback(server.shutdown)
    treasury.edit(treasury.levers("alpha").book["rpc"][0], f"http://127.0.0.1:{server.server_port}")


def another_keystore(treasury: Treasury) -> None:
    (treasury.folder / "keys/evm.json").unlink()
    create_keystore(treasury.folder / "keys/evm.json", treasury.folder / "keys/evm.password", light=True)


def another_keypair(treasury: Treasury) -> None:
    (treasury.folder / "keys/solana.json").unlink()
    create_keypair(treasury.folder / "keys/solana.json")


def depegged(treasury: Treasury) -> None:
    treasury.undo.callback(treasury.network.set_price, "USDC/USD", 1)
    treasury.network.set_price("USDC/USD", "0.95")


def oracle_off(treasury: Treasury) -> None:
    """One oracle says ten percent more than the other."""
    alpha = treasury.levers("alpha")
    price = alpha.price("ETH/USD")
    treasury.undo.callback(alpha.set_price, "ETH/USD", price)
    alpha.set_price("ETH/USD", price * 11 / 10)


def usdc_paused(treasury: Treasury) -> None:
    alpha = treasury.levers("alpha")
    treasury.undo.callback(alpha.pause_usdc, False)
    alpha.pause_usdc()


def gas(wei: int) -> Change:
    """Leave the account so much ether on alpha."""

    def change(treasury: Treasury) -> None:
        alpha, account = treasury.levers("alpha"), treasury.accounts.evm
        treasury.undo.callback(treasury.settle)  # called last: the next case must not see this one's balance
        treasury.undo.callback(alpha.set_native_balance, account, alpha.balance("native", account))
        alpha.set_native_balance(account, wei)
        treasury.settle()

    return change


def spent(treasury: Treasury) -> None:
    """Today's legs gave what the plan gives already, and no more than a little above one plan is allowed a day."""
    treasury.edit(r"per_turn: \S+\n  per_day: \S+", "per_turn: $500_000\n  per_day: $500_000")
    treasury.begin(give_up=True)


def only_swaps(treasury: Treasury) -> None:
    treasury.edit(r"(?s)  cctp:.*?  uniswap:", "  uniswap:")
    treasury.edit("slippage: 100bps", "slippage: 1bps")


def key_file(name: str, mode: int) -> Change:
    return lambda treasury: (treasury.folder / "keys" / name).chmod(mode)


def key_text(name: str, text: str) -> Change:
    return lambda treasury: (treasury.folder / "keys" / name).write_text(text)


def no_key(name: str) -> Change:
    return lambda treasury: (treasury.folder / "keys" / name).unlink()


CASES = (
    # endpoints
    Case("wrong chain behind an endpoint", beta_behind_alpha, WRONG, ("'31337002'", "says '31337001'", "correct its url", MEND), STATUS),
    Case("wrong Solana cluster", other_cluster, WRONG, ("speaks for network", "says '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp'", MEND), STATUS),
    Case(
        "dead endpoint", edit(r"(alpha:\n.*\n.*\n.*url: \")http://[\d.:]+", rf"\g<1>{DEAD}"), ERROR, ("alpha", "127.0.0.1:9", AGAIN), STATUS
    ),
    Case("dead Solana endpoint", edit(r"(solana\n.*url: \")http://[\d.:]+", rf"\g<1>{DEAD}"), ERROR, ("127.0.0.1:9", AGAIN), STATUS),
    Case("endpoint that answers garbage", garbage, ERROR, ("alpha", "without JSON", "Welcome", AGAIN), STATUS),
    # tokens
    Case("wrong decimals", edit("(asset: BTC, decimals: )8", r"\g<1>18"), WRONG, ("tokens.alpha.WBTC", "18 decimals", "decimals: 8", MEND)),
    Case("wrong decimals on Solana", edit("(asset: PYUSD, decimals: )6", r"\g<1>9"), WRONG, ("tokens.solana.PYUSD", "decimals: 6", MEND)),
    Case("no such token", edit(r"(alpha.WBTC: .*erc20:)0x\w+", rf"\g<1>{NOBODY}"), WRONG, ("tokens.alpha.WBTC", "does not exist", MEND)),
    Case("no such mint", edit(r"(solana.PYUSD: .*token:)\w+", rf"\g<1>{NO_MINT}"), WRONG, ("tokens.solana.PYUSD", "does not exist", MEND)),
    # keys
    Case("key file missing", no_key("evm.json"), WRONG, ("keys/evm.json does not exist", MEND), APPLY),
    Case("key file open to others", key_file("evm.json", 0o644), WRONG, ("mode 0644", "chmod 600", MEND), APPLY),
    Case("password file open to others", key_file("evm.password", 0o640), WRONG, ("mode 0640", "chmod 600", MEND), APPLY),
    Case("wrong password", key_text("evm.password", "guess\n"), WRONG, ("evm.json can't be opened", "not the password in"), APPLY, "guess"),
    Case("no keystore", key_text("evm.json", '{"secret": "hidden"}'), WRONG, ("not a keystore v3 file",), APPLY, "hidden"),
    Case("key of another account", another_keystore, WRONG, ("holds the key of", "name the right file or account", MEND), APPLY),
    Case("keypair of another account", another_keypair, WRONG, ("solana.json holds the key of", "name the right file", MEND), APPLY),
    # prices
    Case(
        "feed that is none",
        edit(ALPHA_FEED, rf"\g<1>{NOBODY}"),
        BLOCKED,
        ("no plan: USDC has no price", "does not answer like a price feed"),
    ),
    Case("stale price", edit("max_age: 1h", "max_age: 1s"), BLOCKED, ("no plan: USDC has no price", "old, allowed are 1 s")),
    Case("price service dead", edit(r'(pyth, url: ")[\w:/.]+', rf"\g<1>{DEAD}"), BLOCKED, ("no plan: USDC has no price", "pyth")),
    Case("manual price that ended", edit("2100-01", "2020-01"), BLOCKED, ("no plan: PYUSD has no price", "manual ended")),
    Case("depegged USDC", depegged, BLOCKED, ("no plan: USDC has no price: depegged: $0.95 is 500 bps off", "allowed are 100 bps")),
    Case("sources disagree", oracle_off, BLOCKED, ("no plan: ETH has no price: sources disagree", "that is 10%, allowed are")),
    # issuers, gas and limits
    Case("paused token", usdc_paused, BLOCKED, ("refused by stopped: alpha.USDC: alpha: a transfer: Pausable: paused", "ask the issuer")),
    Case(
        "gas below its floor", gas(10**17), BLOCKED, ("refused by gas_floor: alpha.ETH: falls to 0.09", "0.5 ETH or more; top up alpha.ETH")
    ),
    Case("no gas at all", gas(0), BLOCKED, ("refused by balance: alpha.ETH", "short while the plan runs", "no plan was saved")),
    Case("day's cap reached", spent, BLOCKED, ("refused by per_day: plan: ", " today and ", "allowed: $500,000.00; wait, move less")),
    Case("slippage too tight", only_swaps, BLOCKED, ("every size loses more than the allowed slippage", "no plan: nothing can be done")),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_world__not_as_said_or_needed__is_refused_and_nothing_sent(case: Case, treasury: Treasury) -> None:
    outcome = refused(case, treasury)

    assert outcome.out == "" or case.words == PLAN
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("case", [case for case in CASES if "has no price" in case.said[0]], ids=str)
def test_status__without_a_price__shows_all_but_the_nav(case: Case, treasury: Treasury) -> None:
    with treasury.undo:
        case.change(treasury)
        outcome = treasury.run(*STATUS)

    assert outcome.code == 0
    assert "NAV unknown" in outcome.out
    assert "no price for" in outcome.out
    assert "alpha.WETH" in outcome.out
