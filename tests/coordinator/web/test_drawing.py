"""Charts: what is drawn is what is so."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from coordinator.web.drawing.bands import bullet, gauge, line
from coordinator.web.drawing.flows import Flow, sankey
from coordinator.web.drawing.routes import routes
from coordinator.web.drawing.svg import element
from coordinator.web.drawing.timeline import axis, lane, retries, spans
from coordinator.web.pages.transfers import percentile


def tree(drawn: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(str(drawn))


def row(**changes: object) -> dict:
    return {"name": "USDC", "weight": "55.00", "low": "40.00", "ideal": "50.00", "high": "60.00", "out": False, **changes}


def test_element__text_with_markup__escaped():
    assert element("text", '<b>&"', class_="a b", x=1.0) == '<text class="a b" x="1">&lt;b&gt;&amp;&#34;</text>'


def test_element__name_not_drawn_here__refused():
    with pytest.raises(ValueError, match="script"):
        element("script")


def test_bullet__weight_in_its_band__widths_are_the_shares():
    found = {one.get("class"): one for one in tree(bullet(row())).iter("rect")}
    assert found["bar"].get("width") == "55%"
    assert (found["band"].get("x"), found["band"].get("width")) == ("40%", "20%")


def test_bullet__unknown_weight__no_bar_and_it_says_unknown():
    drawn = tree(bullet(row(weight=None, out=None)))
    assert all("bar" not in (one.get("class") or "") for one in drawn.iter("rect"))
    assert "unknown" in (drawn.findtext("title") or "")


def test_bullet__no_band__none_drawn():
    drawn = tree(bullet(row(low=None, high=None, ideal=None)))
    assert [one.get("class") for one in drawn.iter("rect")] == ["track", "bar"]


@pytest.mark.parametrize(("used", "width", "kind"), [(0.25, "25%", "bar"), (1.0, "100%", "bar out"), (7.0, "100%", "bar out")])
def test_gauge__use_of_a_limit__never_wider_than_the_whole(used: float, width: str, kind: str):
    bar = list(tree(gauge(used, "told")).iter("rect"))[-1]
    assert (bar.get("width"), bar.get("class")) == (width, kind)


def test_line__too_few_moments__nothing():
    assert line([(1, 5.0)], "") is None
    assert line([(1, 5.0), (1, 6.0)], "") is None


def test_line__values__lowest_at_the_bottom():
    drawn = line([(0, 10.0), (10, 20.0)], "nav")
    assert drawn is not None
    assert 'points="0.0,110.0 1000.0,10.0"' in drawn


def test_sankey__value_that_stays_and_moves__heights_add_up_on_both_sides():
    flows = [Flow("a", "a", 60.0, ""), Flow("a", "b", 30.0, ""), Flow("b", "b", 10.0, "")]
    nodes = list(tree(sankey(["a", "b"], flows, {})).iter("rect"))
    heights = [float(node.get("height") or 0) for node in nodes]
    assert heights[0] == pytest.approx(9 * heights[1])
    assert heights[2] == pytest.approx(1.5 * heights[3])
    assert heights[0] + heights[1] == pytest.approx(heights[2] + heights[3])


def test_sankey__chain_without_value__still_named():
    drawn = sankey(["a", "empty"], [Flow("a", "a", 1.0, "")], {})
    assert drawn.count("empty") == 2


def test_sankey__small_chains_beside_each_other__their_names_do_not_overlap():
    chains = ["big", "x", "y", "z"]
    drawn = tree(sankey(chains, [Flow("big", "big", 1000.0, ""), *(Flow(c, c, 0.1, "") for c in "xyz")], {}))
    lines = sorted(float(one.get("y") or 0) for one in drawn.iter("text") if one.get("text-anchor") == "end" and one.get("class") == "name")
    assert min(b - a for a, b in pairwise(lines)) >= 18


def test_routes__two_hops_between_the_same_chains__two_arrows():
    legs = [
        {"number": n, "source_chain": "a", "target_chain": "b", "rail": "hop", "gives": "1 USDC", "takes": "1 USDC", "kind": "bridge"}
        for n in (1, 2)
    ]
    paths = re.findall(r'<path d="([^"]+)" class="hop"', routes(["a", "b"], legs))
    assert len(set(paths)) == 2


def facts(*told: tuple[str, str, int]) -> list[dict]:
    return [{"event": event, "state": state, "time": time, "what": event, "says": ""} for event, state, time in told]


LEG = facts(("Opened", "departing", 10), ("Signed", "departing", 11), ("Departed", "in transit", 20), ("Arrived", "delivered", 50))


def test_spans__ended_leg__one_for_each_state_and_none_for_its_end():
    assert spans(LEG, 99) == [("departing", 10, 20), ("in transit", 20, 50)]


def test_spans__open_leg__the_last_one_lasts_until_now():
    assert spans(LEG[:3], 99) == [("departing", 10, 20), ("in transit", 20, 99)]


def test_spans__no_facts__none():
    assert spans([], 99) == []


def test_lane__leg__every_fact_is_marked_inside_the_drawing():
    drawn = tree(lane(LEG, 10, 50))
    places = [float((one.get("cx") or "").rstrip("%")) for one in drawn.iter("circle")]
    assert len(places) == 4
    assert all(0 < place < 100 for place in places)


def test_lane__taken_back__drawn_below():
    undone = facts(("Opened", "departing", 0), ("Failed", "undoing", 5), ("Abandoned", "abandoned", 9))
    assert {one.get("y") for one in tree(lane(undone, 0, 9)).iter("rect")} == {"4", "16"}


def test_axis__span__its_quarters():
    assert [one.text for one in tree(axis(100, 110)).iter("text")] == ["0 s", "2.5 s", "5 s", "7.5 s", "10 s"]


def test_retries__transactions_that_could_never_land__counted():
    assert retries(facts(("Signed", "departing", 1), ("Voided", "departing", 2), ("Signed", "departing", 3))) == 1


@pytest.mark.parametrize(("rank", "found"), [(50, 5), (95, 10), (100, 10), (1, 1)])
def test_percentile__ten_values__the_smallest_that_is_enough(rank: int, found: int):
    assert percentile(list(range(1, 11)), rank) == found


def test_percentile__nothing__none():
    assert percentile([], 50) is None
