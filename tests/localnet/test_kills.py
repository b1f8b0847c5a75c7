"""kill -9 of `coordinator apply` at twenty moments: the same end as without, and no effect twice, counted on the chains."""

from __future__ import annotations

import pytest

from deploy.localnet import Network
from tests.soak.kills import Outcome, Summary, campaign

pytestmark = pytest.mark.localnet

KILLS = 20
EACH = 10  # of one treasury's run: several deaths hit one plan


@pytest.fixture(scope="module")
def summary(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Summary:
    network.reset()
    outcomes: list[Outcome] = list(campaign(network, tmp_path_factory.mktemp("kills"), kills=KILLS, each=EACH, seed="ci"))
    return Summary(outcomes)


def test_apply__killed_at_twenty_moments__every_effect_of_every_plan_is_on_the_chains_once(summary: Summary):
    assert summary.kills >= KILLS
    assert [effect for outcome in summary.outcomes for effect in outcome.double + outcome.lost] == []


def test_apply__killed_at_twenty_moments__balances_and_books_end_as_if_nothing_had_happened(summary: Summary):
    """Every balance of every token on every chain is the opening one plus exactly what the plan says, native coin less exactly
    the fees of our transactions: what an undisturbed run ends with (test_demo). The books agree, and nothing is left open."""
    assert summary.problems == []


def test_apply__killed_at_twenty_moments__moments_lie_before_the_plan_begins_and_all_over_its_run(summary: Summary):
    counts = [moment.events for outcome in summary.outcomes for moment in outcome.kills]
    assert min(counts) == 0
    assert max(counts) > 25
    assert len(set(counts)) > KILLS // 2
