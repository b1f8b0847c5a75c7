"""Bad input in `treasury.yaml`: all of it is told at once, at its line, before anything is opened or contacted."""

from __future__ import annotations

import pytest

from tests.localnet.bad_input.bench import Case, Treasury, edit, refused

pytestmark = pytest.mark.localnet

WRONG = 2  # exit: command line, configuration or plan file is wrong
SECRET = "0x" + "ab" * 32
PAIR = ", ".join(map(str, range(64)))
ADDRESS = r'(alpha: \{address: ")0x\w+'
TWIN = (
    '\\1, form: native}\n  alpha.USDC2: {id: "eip155:31337001/erc20:0x00000000000000000000000000000000000000AA", asset: USDC, decimals: 6}'
)
CHAINS_20 = "  chains:\n" + "".join(f"    {name}: {{high: 20%}}\n" for name in ("alpha", "beta", "gamma", "solana")) + "triggers"


def wrong_checksum(treasury: Treasury) -> None:
    """The same address with every letter's case turned around."""
    treasury.edit(treasury.accounts.evm, "0x" + treasury.accounts.evm[2:].swapcase())


CASES = (
    # addresses and ids
    Case("address with a wrong checksum", wrong_checksum, WRONG, ("accounts.alpha.address", "EIP-55 checksum", "then write 0x")),
    Case("address of the wrong length", edit(ADDRESS, r"\g<1>0x1234"), WRONG, ("accounts.alpha.address: '0x1234'", "40 hex digits")),
    Case("zero address", edit(ADDRESS, r"\g<1>0x" + "0" * 40), WRONG, ("accounts.alpha.address", "nobody's account")),
    Case("no Solana address", edit(r'(solana: \{address: ")\w+', r"\g<1>0OIl"), WRONG, ("accounts.solana.address", "base58")),
    Case("account missing", edit(r"  solana: \{address.*\n", ""), WRONG, ("accounts: no account on solana", "add solana:")),
    # tokens
    Case(
        "look-alike token",
        edit(r"(alpha.USDC: .*?)\}", TWIN),
        WRONG,
        ("tokens.alpha.USDC2: USDC is listed twice on eip155:31337001", "add form:"),
    ),
    Case("token of no chain", edit(r"solana:\w+(/token:\w+\", asset: PYUSD)", r"eip155:1\1"), WRONG, ("tokens.solana.PYUSD.id",)),
    Case("ether with 6 decimals", edit("ETH, decimals: 18", "ETH, decimals: 6"), WRONG, ("chains.alpha.native", "allowed: 18", "wei")),
    Case("SOL with 18 decimals", edit("SOL, decimals: 9", "SOL, decimals: 18"), WRONG, ("chains.solana.native", "allowed: 9", "lamports")),
    # secrets and the environment
    Case("private key in the file", edit("keys/evm.json", SECRET), WRONG, ("looks like a private key", "move the funds"), unsaid=SECRET),
    Case("keypair in the file", edit("keys/solana.json", f"[{PAIR}]"), WRONG, ("looks like a secret key",), unsaid=PAIR),
    Case("variable not set", edit(r"http://127.0.0.1:\d+", "${NO_SUCH_RPC}"), WRONG, ("${NO_SUCH_RPC} is not set", "export NO_SUCH_RPC")),
    Case(
        "endpoint that is no address", edit(r"http://127.0.0.1:\d+", "ftp://key@a"), WRONG, ("endpoints.0.url", "https://"), unsaid="key@"
    ),
    Case(
        "quorum above trust domains", edit("quorum: 1", "quorum: 2"), WRONG, ("chains.alpha.quorum", "1 trust domain(s)", "add an endpoint")
    ),
    # targets
    Case("lows above 100 %", edit("target: 52%", "target: 80%"), WRONG, ("targets.assets: the low edges", "113.5%", "100% or less")),
    Case("highs below 100 %", edit(r"(?s)  chains:\n    alpha: .*?triggers", CHAINS_20), WRONG, ("targets.chains: the highs", "80%")),
    Case("target outside its band", edit("52%, band: 4pp", "52%, low: 55%, high: 60%"), WRONG, ("targets.assets.USDC", "outside its band")),
    Case("low above high", edit("low: 15%, high: 45%", "low: 50%, high: 45%"), WRONG, ("targets.chains.beta: low 50% is above high 45%",)),
    Case("unknown asset", edit("    ETH: {target", "    ETC: {target"), WRONG, ("targets.assets.ETC", "allowed: USDC, ETH", '"ETH"?')),
    Case("unknown chain", edit("    alpha: {high", "    alhpa: {high"), WRONG, ("targets.chains.alhpa", 'did you mean "alpha"?')),
    # limits and numbers
    Case("per leg above per turn", edit(r"per_leg: \S+", "per_leg: $950_000"), WRONG, ("limits", "per_leg", "per_turn")),
    Case("money without its sign", edit(r"  cost: \S+", "  cost: 100"), WRONG, ('limits.cost: found "100"', "write $100")),
    Case("money as a float", edit(r"  cost: \S+", "  cost: 1e3"), WRONG, ('limits.cost: found "1e3"', "as in $25_000")),
    Case("rate without a unit", edit("slippage: 100bps", "slippage: 0.01"), WRONG, ("limits.slippage", "50bps or 0.5%")),
    Case("bad duration", edit("ttl: 6h", "ttl: 15 minutes"), WRONG, ('plan.ttl: found "15 minutes"', "as in 90s, 15m")),
    # names and shape
    Case("unknown rail", edit("  hyperlane:", "  hyperlan:"), WRONG, ("rails.hyperlan", 'did you mean "hyperlane"?')),
    Case("unknown kind of chain", edit("kind: evm", "kind: emv"), WRONG, ('chains.alpha.kind: "emv"', 'did you mean "evm"?')),
    Case("rail of an unknown token", edit("usdc: alpha.USDC", "usdc: alpha.USDD"), WRONG, ("rails.cctp", 'did you mean "alpha.USDC"?')),
    Case("unknown key", edit("  slippage:", "  slip: 1\n  slippage:"), WRONG, ("limits.slip: unknown key", 'did you mean "slippage"?')),
    Case("duplicate key", edit("policy: bands", "policy: bands\npolicy: bands"), WRONG, ("policy", "given twice", "remove one")),
    Case("section missing", edit(r"(?s)limits:.*?plan:", "plan:"), WRONG, ("limits: missing", "add limits:")),
    Case("version of the future", edit("version: 1", "version: 2"), WRONG, ('version: found "2"', "allowed: 1")),
    Case("YAML that does not parse", edit("targets:\n", "targets: [\n"), WRONG, ("not YAML",)),
    Case("tab in YAML", edit("  assets:\n", "\tassets:\n"), WRONG, ("not YAML", "'\\t'")),
    Case("empty file", lambda treasury: treasury.file.write_text(""), WRONG, ("treasury.yaml:1:1", "no mapping")),
    Case("no text", lambda treasury: treasury.file.write_bytes(b"name: \xff"), WRONG, ("byte 6 is not UTF-8",)),
    Case("no such file", lambda treasury: treasury.file.unlink(), WRONG, ("treasury.yaml: cannot be read", "--config")),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_configuration__broken__is_refused_with_one_error_at_its_line(case: Case, treasury: Treasury) -> None:
    outcome = refused(case, treasury)

    assert outcome.err.startswith(str(treasury.file))
    assert outcome.err.endswith("\n1 error. Nothing was started.\n")
    assert outcome.out == ""
