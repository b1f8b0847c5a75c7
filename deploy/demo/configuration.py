"""The demo's `treasury.yaml`: what the owner of the demo treasury wants, over the addresses of the local network."""

from __future__ import annotations

from typing import Any

from deploy.demo.scenario import Accounts
from deploy.localnet import Network

TARGETS = """\
policy: bands
targets:
  assets:
    USDC: {target: 52%, band: 4pp}
    ETH: {target: 26%, band: 3pp}
    BTC: {target: 13%, band: 2pp}
    SOL: {target: 4.5%, band: 1pp}
  chains:
    alpha: {high: 50%}
    beta: {low: 15%, high: 45%}
    gamma: {low: 9%}
    solana: {low: 12%, high: 30%}
triggers:
  drift: {beyond: 0.25pp}
  interval: 7d
limits:
  per_leg: $400_000
  per_turn: $900_000
  per_day: $2_000_000
  cost: $2_500
  slippage: 100bps
plan:
  ttl: 15m
  start_within: 1h
  envelope: {cost: $2_500, price_move: 100bps, balance_move: 10bps}
"""


def treasury_yaml(network: Network, accounts: Accounts) -> str:
    """The whole file as text. Keys and journal lie beside it."""
    book = network.book
    evm = {id_: chain for id_, chain in book["chains"].items() if id_.startswith("eip155:")}
    solana_id, solana = next((id_, chain) for id_, chain in book["chains"].items() if id_.startswith("solana:"))
    parts = [
        "# The demo treasury on the local network: public chains are not touched, the money is play money.",
        "version: 1\nname: demo\nstate: {database: ./journal.sqlite3}",
        "chains:",
        *(_evm_chain(id_, chain) for id_, chain in evm.items()),
        _solana_chain(solana_id, solana),
        "accounts:",
        *(_account(chain["name"], accounts.evm, "{keystore: keys/evm.json, password_file: keys/evm.password}") for chain in evm.values()),
        _account("solana", accounts.solana, "{keypair: keys/solana.json}"),
        _assets(evm, book),
        _tokens(evm, solana_id, solana),
        TARGETS.rstrip(),
        _rails(evm, solana, book["services"]),
    ]
    return "\n".join(parts) + "\n"


def _evm_chain(id_: str, chain: dict[str, Any]) -> str:
    return f"""\
  {chain["name"]}:
    id: {id_}
    kind: evm
    endpoints: [{{url: "{chain["rpc"][0]}", trust_domain: localnet}}]
    quorum: 1      # one node a chain on the local network; a real treasury wants two operators
    native: {{asset: ETH, decimals: 18, slip44: 60}}
    gas_floor: 0.5
    wrapped_native: "{chain["contracts"]["WETH"]}\""""


def _solana_chain(id_: str, chain: dict[str, Any]) -> str:
    return f"""\
  solana:
    id: {id_}
    kind: solana
    endpoints: [{{url: "{chain["rpc"][0]}", trust_domain: localnet}}]
    quorum: 1
    native: {{asset: SOL, decimals: 9, slip44: 501}}
    gas_floor: 1"""


def _account(chain: str, address: str, key: str) -> str:
    return f'  {chain}: {{address: "{address}", key: {key}}}'


def _assets(evm: dict[str, dict[str, Any]], book: dict[str, Any]) -> str:
    chain = next(iter(evm.values()))
    rows = ["assets:"]
    for asset, pair in (("USDC", "USDC/USD"), ("ETH", "ETH/USD"), ("BTC", "BTC/USD"), ("SOL", "SOL/USD")):
        feed = chain["contracts"]["Chainlink" + pair.replace("/", "")]
        pyth = book["pyth_feeds"][pair].removeprefix("0x")
        rows += [
            f"  {asset}:",
            "    prices:",
            f'      - {{kind: chainlink, chain: {chain["name"]}, feed: "{feed}", max_age: 1h}}',
            f'      - {{kind: pyth, url: "{book["services"]["hermes"]}", feed: "{pyth}", max_age: 2m}}',
            *(["    peg: {value: 1, tolerance: 1%}"] if asset == "USDC" else []),
        ]
    # PYUSD is held, not targeted: a Token-2022 token that must stay in the books.
    rows += ["  PYUSD:", "    prices:", f'      - {{kind: manual, value: "1", until: "{_FAR}"}}']
    return "\n".join(rows)


_FAR = "2100-01-01T00:00:00+00:00"


def _tokens(evm: dict[str, dict[str, Any]], solana_id: str, solana: dict[str, Any]) -> str:
    rows = ["tokens:"]
    for id_, chain in evm.items():
        name, contracts = chain["name"], chain["contracts"]
        rows += [
            f'  {name}.USDC: {{id: "{id_}/erc20:{contracts["USDC"]}", asset: USDC, decimals: 6}}',
            f'  {name}.WETH: {{id: "{id_}/erc20:{contracts["WETH"]}", asset: ETH, decimals: 18, form: wrapped}}',
            f'  {name}.WBTC: {{id: "{id_}/erc20:{contracts["WBTC"]}", asset: BTC, decimals: 8}}',
        ]
    for asset in ("USDC", "PYUSD"):
        rows.append(f'  solana.{asset}: {{id: "{solana_id}/token:{solana["mints"][asset]}", asset: {asset}, decimals: 6}}')
    return "\n".join(rows)


def _rails(evm: dict[str, dict[str, Any]], solana: dict[str, Any], services: dict[str, str]) -> str:
    cctp, warp, swaps = [], [], []
    for chain in evm.values():
        name, at = chain["name"], chain["contracts"]
        cctp.append(
            f'      {name}: {{domain: {chain["cctp_domain"]}, token_messenger: "{at["CctpTokenMessenger"]}", '
            f'message_transmitter: "{at["CctpMessageTransmitter"]}", usdc: {name}.USDC, standard_seconds: 5, fast_seconds: 3}}'
        )
        warp.append(_warp(name, chain["hyperlane_domain"], at["HyperlaneMailbox"], at["HyperlaneWarpUSDC"]))
        swaps.append(
            f'      {name}: {{router: "{at["SwapRouter02"]}", quoter: "{at["QuoterV2"]}", factory: "{at["UniswapV3Factory"]}", '
            f"pairs: [[{name}.USDC, {name}.WETH], [{name}.USDC, {name}.WBTC]]}}"
        )
    programs = solana["programs"]
    warp.append(_warp("solana", solana["hyperlane_domain"], programs["mailbox"], programs["warp_usdc"]))
    gate = next(iter(evm.values()))["name"]  # as with most warp routes, one EVM chain is the door to Solana
    return "\n".join(
        [
            "rails:",
            f"  cctp:\n    iris: {services['iris']}\n    lanes: [standard, fast]\n    chains:",
            *cctp,
            f"  hyperlane:\n    pairs: [[{gate}, solana]]\n    seconds: 10\n    chains:",
            *warp,
            "  uniswap:\n    swap_seconds: 3\n    chains:",
            *swaps,
            f"  solana-amm:\n    api: {services['jupiter']}\n    chain: solana\n    pairs: [[solana.SOL, solana.USDC]]",
            f"    programs: {{{programs['amm']}: pool}}\n    swap_seconds: 5",
        ]
    )


def _warp(name: str, domain: int, mailbox: str, warp: str) -> str:
    return f'      {name}: {{domain: {domain}, mailbox: "{mailbox}", warp: "{warp}", token: {name}.USDC}}'
