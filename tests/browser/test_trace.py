"""One trace."""

import re
import time

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.trace import SpanKind
from playwright.sync_api import Page, expect

from tests.browser.conftest import Looker
from tests.browser.console import Console
from tests.browser.telemetry import Sender, Trace, elsewhere, sibling_of


@pytest.fixture
def order(sender: Sender, console: Console) -> Trace:
    """A request that calls two others, one of which fails and logs."""
    made = Trace()
    root = made.span("shop", "POST /orders", 0, 100, attributes={"http.route": "/orders"})
    pay = made.span("shop", "pay", 10, 70, root)
    made.span("bank", "charge", 20, 60, pay, error="card declined", event="refused")
    made.span("shop", "mail", 75, 85, root)
    sender.send(made.spans)
    sender.log("shop", "the bank said no", SeverityNumber.ERROR, pay)
    console.await_spans(made.id, 4)
    return made


def names(page: Page) -> list[str]:
    return page.locator(".line .line-operation, .line .line-message").all_inner_texts()


def test_the_waterfall_tells_the_story_in_order(look: Looker, order: Trace) -> None:
    page = look(f"#/traces/{order.id}")
    expect(page.locator(".line")).to_have_count(5)
    assert names(page) == ["POST /orders", "pay", "charge", "the bank said no", "mail"]
    bars = page.locator(".span-bar").evaluate_all("bars => bars.map(bar => [bar.style.left, bar.style.width])")
    assert [left for left, _ in bars] == ["0%", "10%", "20%", "75%"]
    assert [width for _, width in bars] == ["max(3px, 100%)", "max(3px, 60%)", "max(3px, 40%)", "max(3px, 10%)"]
    expect(page.locator(".line.log .log-anchor")).to_have_attribute("style", re.compile("left: 40%"))
    expect(page.locator(".trace-heading")).to_contain_text("100 ms")
    expect(page.locator(".trace-heading")).to_contain_text("1 error")


def test_the_critical_path_is_marked_and_can_be_hidden(look: Looker, order: Trace) -> None:
    page = look(f"#/traces/{order.id}")
    marked = page.locator(".line", has=page.locator(".critical"))
    expect(marked).to_have_count(4)
    page.get_by_role("button", name="Critical path").click()
    expect(page.locator(".critical")).to_have_count(0)
    expect(page).to_have_url(re.compile("path=0"))
    page.get_by_role("button", name="Logs").click()
    expect(page.locator(".line")).to_have_count(4)


def test_the_details_tell_attributes_events_and_the_status(look: Looker, order: Trace) -> None:
    page = look(f"#/traces/{order.id}")
    page.locator(".line", has_text="charge").click()
    panel = page.get_by_role("complementary")
    expect(panel).to_contain_text("error: card declined")
    expect(panel).to_contain_text("refused +40 ms")
    expect(panel).to_contain_text("of the event")
    panel.get_by_role("button", name="pay").click()
    expect(panel).to_contain_text("60 ms · self 20 ms")
    panel.get_by_role("button", name=re.compile("the bank said no")).click()
    expect(panel.get_by_role("table", name="Attributes of the record")).to_contain_text("code.function.name")


def test_a_call_names_whom_it_calls(look: Looker, sender: Sender, console: Console) -> None:
    made = Trace()
    root = made.span("caller", "GET /", 0, 50)
    calls = {
        "GET": {"url.full": "https://rates.example/v1?base=EUR"},
        "SET": {"db.system.name": "redis"},
        "SELECT sqlite": {"db.system.name": "sqlite"},
    }
    for place, (name, attributes) in enumerate(calls.items()):
        made.span("caller", name, place * 10, place * 10 + 5, root, kind=SpanKind.CLIENT, attributes=attributes)
    sender.send(made.spans)
    console.await_spans(made.id, 4)
    page = look(f"#/traces/{made.id}")
    expect(page.locator(".line-target")).to_have_text(["rates.example/v1", "redis"])


def test_spans_that_are_still_on_their_way_are_shown_when_they_come(look: Looker, sender: Sender) -> None:
    made = Trace(seconds_ago=1)
    root = made.span("slow", "first", 0, 10)
    sender.send(made.spans)
    page = look(f"#/traces/{made.id}")
    expect(page.locator(".line")).to_have_count(1)
    sender.send([made.span("slow", "late", 1, 2, root)])
    expect(page.locator(".line")).to_have_count(2)


def test_missing_parents_duplicates_and_links_are_told(look: Looker, sender: Sender, console: Console) -> None:
    made, other = Trace(), elsewhere()
    root = made.span("lossy", "root", 0, 50)
    made.span("lossy", "orphan", 10, 20, sibling_of(root), links=[other])
    sender.send(made.spans)
    sender.send([root])
    console.await_spans(made.id, 2)
    page = look(f"#/traces/{made.id}")
    expect(page.locator(".note", has_text="1 parent span missing")).to_be_visible()
    expect(page.locator(".note", has_text="1 span came more than once")).to_be_visible()
    orphan = page.locator(".line", has_text="orphan")
    expect(orphan.locator(".hollow")).to_be_visible()
    orphan.click()
    link = page.get_by_role("complementary").get_by_role("link", name=re.compile(f"{other.trace_id:032x}"[:8]))
    expect(link).to_have_attribute("href", f"#/traces/{other.trace_id:032x}?span={other.span_id:016x}")
    link.click()
    expect(page.get_by_role("alert")).to_contain_text("is not here")
    look.complaints.clear()  # a browser notes every answer that is no success


def test_ten_thousand_spans_stay_usable(look: Looker, sender: Sender, console: Console) -> None:
    made = Trace(seconds_ago=60)
    root = made.span("large", "import", 0, 50_000)
    parent = root
    for number in range(9_999):
        span = made.span("large", f"row {number % 50}", number * 4, number * 4 + 3, parent, attributes={"row": number})
        parent = span if number % 500 == 0 else parent
    sender.send(made.spans)
    console.await_spans(made.id, 10_000)
    began = time.monotonic()
    page = look(f"#/traces/{made.id}")
    expect(page.locator(".trace-facts")).to_contain_text("10,000 spans")
    assert time.monotonic() - began < 5
    assert page.locator(".line").count() < 120
    tree = page.get_by_role("treegrid")
    expect(tree).to_have_attribute("aria-rowcount", "10000")
    tree.evaluate("tree => tree.scrollTo(0, tree.scrollHeight)")
    expect(page.locator('.line[aria-rowindex="10000"]')).to_be_visible()
    page.get_by_label("Find in this trace").fill("row=7777")
    page.keyboard.press("Enter")
    expect(page.locator(".line.matched.current", has_text="row 27")).to_be_visible()
    milliseconds = page.evaluate(
        """async () => {
          const tree = document.querySelector(".waterfall-body");
          const began = performance.now();
          for (let frame = 0; frame < 60; frame++) {
            tree.scrollTop = frame * 4000;
            await new Promise(requestAnimationFrame);
          }
          return (performance.now() - began) / 60;
        }"""
    )
    assert milliseconds < 100
    page.get_by_role("button", name="Collapse all").click()
    expect(tree).not_to_have_attribute("aria-rowcount", "10000")


def test_the_address_holds_everything_that_is_shown(look: Looker, order: Trace) -> None:
    page = look(f"#/traces/{order.id}")
    page.locator(".line", has_text="pay").locator(".fold").click()
    page.locator(".line", has_text="mail").click()
    page.get_by_role("button", name="Critical path").click()
    page.get_by_label("Find in this trace").fill("shop")
    expect(page).to_have_url(re.compile("q=shop"))
    copy = look(page.url.partition("/#")[2] and "#" + page.url.partition("#")[2])
    expect(copy.locator(".line")).to_have_count(3)
    assert names(copy) == ["POST /orders", "pay", "mail"]
    expect(copy.get_by_role("complementary")).to_contain_text("mail")
    expect(copy.locator(".critical")).to_have_count(0)
    expect(copy.locator(".line.matched")).to_have_count(3)


def test_dragging_over_the_times_zooms(look: Looker, order: Trace) -> None:
    page = look(f"#/traces/{order.id}")
    expect(page.locator(".line")).to_have_count(5)
    box = page.locator(".ruler-scale").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"], box["y"] + 10, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile("zoom=(49|50)"))
    expect(page.locator(".ruler-tick").last).to_have_text("100 ms")
    page.get_by_role("button", name="Zoom out").click()
    expect(page.locator(".ruler-tick").first).to_have_text("0")
