"""The gate: unsigned bytes in, what they would do out, or a refusal. Pure, and the same for every asker.

The order is fixed: decode; encode again and compare; chain, gas and signers; contract and selector, program and instruction; who
receives; amounts against the caps of one transaction; floors at own prices. The sliding windows follow in `journal`, then the key.
"""

from __future__ import annotations

from coordinator.signer.evm import transaction as evm
from coordinator.signer.evm.calls import Calls
from coordinator.signer.policy import EvmRules, Policy, SolanaRules
from coordinator.signer.solana import message as solana
from coordinator.signer.solana.calls import Programs
from coordinator.signer.verdict import Refused, Verdict, need


class Gate:
    """Judges for every account of a policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._evm = {a: (rules, Calls(rules, policy)) for a, rules in policy.accounts.items() if isinstance(rules, EvmRules)}
        self._solana = {a: (rules, Programs(rules, policy)) for a, rules in policy.accounts.items() if isinstance(rules, SolanaRules)}

    def judge(self, account: str, unsigned: bytes, now: int) -> Verdict:
        """What may be signed for `account` (CAIP-10). `now`: unix seconds. Raises Refused."""
        if account in self._evm:
            verdict = self._judge_evm(account, unsigned, now)
        elif account in self._solana:
            verdict = self._judge_solana(account, unsigned)
        else:
            raise Refused("account", repr(account[:100]), ", ".join(self._policy.accounts))
        self._check_caps(verdict)
        return verdict

    def _judge_evm(self, account: str, unsigned: bytes, now: int) -> Verdict:
        rules, calls = self._evm[account]
        transaction = evm.parse(unsigned)
        evm.check_frame(transaction, rules)
        return Verdict(calls.effects(transaction, now), rules.native, transaction.gas * transaction.max_fee)

    def _judge_solana(self, account: str, unsigned: bytes) -> Verdict:
        rules, programs = self._solana[account]
        effects, fee = programs.effects(solana.parse(unsigned))
        return Verdict(effects, rules.native, fee)

    def _check_caps(self, verdict: Verdict) -> None:
        for effect in verdict.effects:
            cap = self._policy.caps.get(effect.token)
            if cap is None:
                raise Refused("cap", f"{effect.kind} of {effect.token}, which has no cap", "tokens with a cap in the policy")
            need(effect.units <= cap.per_transaction, "cap", f"{effect.kind} of {effect.units} {effect.token}", cap.per_transaction)
            need(effect.units > 0 or effect.kind in {"approve", "claim"}, "amount", f"{effect.kind} of 0", "more than 0")
