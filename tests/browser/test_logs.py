"""Log lines."""

import re
import time

from opentelemetry._logs import SeverityNumber
from playwright.sync_api import expect

from tests.browser.conftest import Looker
from tests.browser.telemetry import Sender, Trace


def test_the_live_tail_shows_new_lines_and_waits_while_somebody_reads(look: Looker, sender: Sender) -> None:
    for number in range(60):
        sender.log("talker", f"line {number}")
    page = look("#/logs?service=talker")
    expect(page.locator(".logs .row")).to_have_count(60)
    sender.log("talker", "a new line")
    expect(page.locator(".logs .row").first).to_contain_text("a new line")

    scroll = page.get_by_role("group", name="Log lines")
    scroll.evaluate("list => list.scrollTo(0, 200)")
    sender.log("talker", "while reading")
    news = page.get_by_role("button", name="1 new line")
    expect(news).to_be_visible()
    expect(page.locator(".logs .row").first).to_contain_text("a new line")
    news.click()
    expect(page.locator(".logs .row").first).to_contain_text("while reading")
    assert scroll.evaluate("list => list.scrollTop") == 0

    page.locator(".logs .row").nth(3).hover()
    sender.log("talker", "while pointing")
    expect(news).to_be_visible()
    page.mouse.move(5, 5)
    news.click()
    expect(page.locator(".logs .row").first).to_contain_text("while pointing")


def test_lines_stand_in_the_order_of_their_times(look: Looker, sender: Sender) -> None:
    made = Trace(seconds_ago=30)
    spans = [made.span("ordered", name, begin, begin + 10) for name, begin in (("b", 100), ("c", 900), ("a", 0))]
    for span in spans:
        sender.log("ordered", span.name, span=span)
    page = look("#/logs?service=ordered")
    expect(page.locator(".logs .message")).to_have_text(["c", "b", "a"])
    sender.log("ordered", "between", span=made.span("ordered", "late", 400, 410))
    expect(page.locator(".logs .message")).to_have_text(["c", "between", "b", "a"])


def test_a_paused_tail_stays_as_it_is(look: Looker, sender: Sender) -> None:
    sender.log("paused", "before")
    page = look("#/logs?service=paused")
    expect(page.locator(".logs .row")).to_have_count(1)
    page.keyboard.press("p")
    expect(page).to_have_url(re.compile("live=0"))
    sender.log("paused", "after")
    page.wait_for_timeout(1500)
    expect(page.locator(".logs .row")).to_have_count(1)
    page.keyboard.press("p")
    expect(page.locator(".logs .row")).to_have_count(2)


def test_levels_words_and_attributes_narrow_the_lines(look: Looker, sender: Sender) -> None:
    sender.log("narrow", "all is well")
    sender.log("narrow", "disk nearly full", SeverityNumber.WARN)
    sender.log("narrow", "disk full", SeverityNumber.ERROR)
    page = look("#/logs?service=narrow")
    expect(page.locator(".logs .row")).to_have_count(3)
    page.get_by_label("Level at least").select_option("13")
    expect(page.locator(".logs .row")).to_have_count(2)
    page.keyboard.press("/")
    page.keyboard.type("nearly")
    page.keyboard.press("Enter")
    expect(page.locator(".logs .message")).to_have_text(["disk nearly full"])
    page.get_by_label("Attributes").fill("code.function.name=other")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No log lines")).to_be_visible()


def test_a_record_leads_to_its_span(look: Looker, sender: Sender) -> None:
    made = Trace()
    root = made.span("linked", "root", 0, 10)
    span = made.span("linked", "inner", 2, 8, root)
    sender.send(made.spans)
    sender.log("linked", "from inside", span=span)
    page = look("#/logs?service=linked")
    page.locator(".logs .row").click()
    panel = page.get_by_role("complementary")
    expect(panel).to_contain_text("code.function.name")
    panel.get_by_role("link", name=f"{span.context.span_id:016x}").click()
    expect(page.locator(".line[aria-selected=true]")).to_contain_text("inner")


def test_the_lines_of_a_trace_can_be_asked_for(look: Looker, sender: Sender) -> None:
    made = Trace()
    span = made.span("traced", "only", 0, 10)
    sender.send(made.spans)
    sender.log("traced", "in the trace", span=span)
    sender.log("traced", "outside")
    page = look(f"#/logs?trace_id={made.id}")
    expect(page.locator(".logs .message")).to_have_text(["in the trace"])


def test_times_are_the_viewers_and_utc_on_hover(look: Looker, sender: Sender) -> None:
    sender.log("clock", "tick")
    page = look("#/logs?service=clock")
    shown = page.locator(".logs time")
    utc = shown.get_attribute("title")
    assert utc
    assert utc.endswith(" UTC")
    hour = (int(utc[11:13]) * 60 + int(utc[14:16]) + 330) // 60 % 24  # Asia/Kolkata is 5:30 h ahead
    expect(shown).to_have_text(re.compile(rf"(^|\s){hour:02}:"))
    assert abs(int(utc[11:13]) - time.gmtime().tm_hour) in {0, 1, 23}
