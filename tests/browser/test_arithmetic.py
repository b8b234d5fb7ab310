"""The page's pure functions, in the browser that runs them."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Looker
from tests.browser.console import Console

NOTHING = "\N{EN DASH}"


@pytest.fixture(scope="module")
def page(browser: Browser, console: Console) -> Iterator[Page]:
    looker = Looker(browser, console.url)
    yield looker("#/services")
    looker.close()


def run(page: Page, module: str, body: str, given: Any = None) -> Any:
    """Return what `body` returns; `m` is the module and `given` what was handed over."""
    return page.evaluate(
        f"async given => {{ const m = await import('/assets/{module}.js'); {body} }}",
        given,
    )


def test_durations_have_three_digits_and_a_fitting_unit(page: Page) -> None:
    given = [0, 7, 999, 1_000, 12_345, 999_500, 1_500_000, 61_000_000, 3_720_000_000, None]
    expected = ["0", "7 µs", "999 µs", "1 ms", "12.3 ms", "1 s", "1.5 s", "1 min 1 s", "1 h 2 min", NOTHING]
    assert run(page, "format", "return given.map(m.duration)", given) == expected


def test_values_carry_their_unit(page: Page) -> None:
    given = [
        (0.0125, "s"),
        (2048, "By"),
        (37.5, "%"),
        (12_000, "{request}"),
        (3, "/s"),
        (1.5, "By/s"),
        (7, "Cel"),
        (None, "s"),
        (1, "constructor"),
    ]
    expected = ["12.5 ms", "2 KiB", "37.5 %", "12k", "3/s", "1.5 B/s", "7 Cel", NOTHING, "1 constructor"]
    assert run(page, "metrics/units", "return given.map(([value, unit]) => m.quantity(value, unit))", given) == expected


@pytest.mark.parametrize(
    "pairs",
    [
        {"http.route": "/api/x", "status": "500"},
        {"note": 'two "words" and a \\'},
        {"empty": ""},
        {"query": "a=b c=d"},
        {"line": "one\ntwo"},
    ],
)
def test_attributes_survive_being_written_and_read(page: Page, pairs: dict[str, str]) -> None:
    assert run(page, "parts/pairs", "return m.readPairs(m.writePairs(given))", pairs) == {"pairs": pairs, "wrong": ""}


@pytest.mark.parametrize(
    ("typed", "pairs", "wrong"),
    [
        ("  a=1   b=2 ", {"a": "1", "b": "2"}, ""),
        ("a=1 nonsense", {"a": "1"}, "nonsense"),
        ('a="open', {}, 'a="open'),
        ("a==1", {"a": "=1"}, ""),
        ("=1", {}, "=1"),
    ],
)
def test_what_is_no_pair_is_told(page: Page, typed: str, pairs: dict[str, str], wrong: str) -> None:
    assert run(page, "parts/pairs", "return m.readPairs(given)", typed) == {"pairs": pairs, "wrong": wrong}


def test_addresses_survive_being_written_and_read(page: Page) -> None:
    route = {"view": "services", "item": "a/b c%?#é", "query": {"q": "x&y=z", "n": "1"}}
    assert run(page, "route", "return m.parse(m.address(given.view, given.item, given.query))", route) == route
    assert run(page, "route", "return m.parse('#/metrics/50%')")["item"] == "50%"


def test_ticks_are_round_and_hold_everything(page: Page) -> None:
    body = "return given.map(values => { const s = m.fromZero(values, [100, 0]); return [s.ticks, s.place(0)]; })"
    assert run(page, "chart/scale", body, [[0.3, 0.9], [0], [70], [-5, 5]]) == [
        [[0, 0.5, 1], 100],
        [[0, 0.5], 100],
        [[0, 20, 40, 60, 80], 100],
        [[-5, 0, 5], 50],
    ]


def test_ticks_of_bytes_are_powers_of_two(page: Page) -> None:
    body = "return m.fromZero([given], [100, 0], { binary: true }).ticks"
    assert run(page, "chart/scale", body, 100 * 2**20) == [number * 32 * 2**20 for number in range(5)]


def test_callees_stand_right_of_their_callers(page: Page) -> None:
    calls = [("a", "b"), ("b", "c"), ("a", "c"), ("c", "a"), ("d", "d")]
    edges = [{"caller": caller, "callee": callee, "calls": 1, "errors": 0} for caller, callee in calls]
    nodes = [{"name": name, "kind": "service", "calls": 1, "errors": 0} for name in "abcd"]
    drawn = run(page, "services/layers", "return m.layOut(given)", {"nodes": nodes, "edges": edges})
    x = {node["name"]: node["x"] for node in drawn["nodes"]}
    assert x["a"] < x["b"] < x["c"]
    assert len({(node["x"], node["y"]) for node in drawn["nodes"]}) == len(nodes)
    long = next(edge for edge in drawn["edges"] if (edge["caller"], edge["callee"]) == ("a", "c"))
    assert len(long["points"]) == 3


def answer(*spans: tuple[str, str | None]) -> dict[str, Any]:
    """Return the console's answer for spans given by id and parent; all begin at 0."""
    return {
        "trace": {
            "traceID": "t",
            "processes": {"p1": {"serviceName": "s"}},
            "spans": [
                {
                    "spanID": id_,
                    "operationName": id_,
                    "startTime": 0,
                    "duration": 10,
                    "processID": "p1",
                    "references": parent and [{"refType": "CHILD_OF", "traceID": "t", "spanID": parent}],
                }
                for id_, parent in spans
            ],
        },
        "critical_path": [],
        "duplicates": 0,
        "missing_parents": [],
        "exemplars": [],
    }


def test_a_chain_of_thousands_needs_no_stack(page: Page) -> None:
    body = """
      const [link] = given.trace.spans;
      const parent = index => [{ refType: "CHILD_OF", traceID: "t", spanID: String(index - 1) }];
      given.trace.spans = Array.from({ length: 20000 }, (_, index) =>
        ({ ...link, spanID: String(index), references: index ? parent(index) : [] }));
      const t = m.readTrace(given);
      return [t.depth, t.roots.length, t.roots[0].below];
    """
    assert run(page, "trace/model", body, answer(("0", None))) == [20_000, 1, 19_999]


def test_spans_that_are_one_anothers_parents_are_all_shown(page: Page) -> None:
    circle = answer(("a", "c"), ("b", "a"), ("c", "b"), ("self", "self"))
    body = "const t = m.readTrace(given); return [t.spans.size, t.roots.length]"
    assert run(page, "trace/model", body, circle) == [4, 2]


def test_a_list_that_lives_for_long_forgets_its_oldest_traces(page: Page) -> None:
    body = """
      const found = m.finding();
      const trace = start => ({ traceID: String(start), start, duration: 1, spans: 1, errors: 0, services: [] });
      const changed = [found.add(Array.from({ length: 600 }, (_, start) => trace(start))), found.add([trace(7)])];
      found.trim(500);
      return { changed, size: found.size, trimmed: found.trimmed, to: found.searchedTo,
               first: found.sorted("newest")[0].start };
    """
    expected = {"changed": [True, False], "size": 500, "trimmed": True, "to": 100, "first": 599}
    assert run(page, "traces/finding", body) == expected


def test_services_beside_each_other_differ_in_colour(page: Page) -> None:
    names = ["mita-finance", "rates-and-insights", "ledger"]
    hues = [
        int(value[len("var(--hue-") : -1])
        for value in run(page, "colours", "return given.map(name => m.colourOf(name))", names)
    ]
    distances = [min((a - b) % 12, (b - a) % 12) for place, a in enumerate(hues) for b in hues[:place]]
    assert min(distances) >= 3
