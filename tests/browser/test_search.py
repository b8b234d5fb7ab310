"""The search for traces."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Looker
from tests.browser.telemetry import Sender, Trace


def test_attributes_with_spaces_are_found_as_they_were_typed(look: Looker, sender: Sender) -> None:
    made = Trace()
    made.span("searched", "wanted", 0, 3, attributes={"note": 'two "words"', "size": 7})
    made.span("searched", "unwanted", 0, 3, attributes={"note": "two"})
    sender.send(made.spans)
    page = look("#/traces?service=searched")
    expect(page.locator(".traces .row")).to_have_count(2)
    page.keyboard.press("/")
    page.keyboard.type(r'note="two \"words\"" size=7')
    page.keyboard.press("Enter")
    expect(page.locator(".traces .row")).to_have_count(1)
    expect(page.locator(".traces .row")).to_contain_text("wanted")


def test_durations_bound_the_search_from_both_sides(look: Looker, sender: Sender) -> None:
    for milliseconds in (10, 100, 1000):
        made = Trace()
        made.span("bounded", f"takes {milliseconds}", 0, milliseconds)
        sender.send(made.spans)
    page = look("#/traces?service=bounded&min=50ms&max=0.5s")
    expect(page.locator(".traces .row")).to_have_count(1)
    expect(page.locator(".traces .row")).to_contain_text("takes 100")


@pytest.mark.parametrize(
    ("query", "told"), [("min=soon", re.compile("soon")), ("tags=no+pairs", re.compile("key=value.*no pairs"))]
)
def test_what_cannot_be_searched_for_is_told_in_place(look: Looker, query: str, told: re.Pattern[str]) -> None:
    page = look(f"#/traces?{query}")
    expect(page.get_by_role("alert")).to_contain_text(told)
    expect(page.get_by_role("alert").get_by_role("button", name="Try again")).to_be_visible()
    page.get_by_label("Min").fill("")
    page.get_by_label("Attributes").fill("")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    look.complaints.clear()  # a browser notes every answer that is no success


def test_new_traces_show_up_by_themselves_unless_paused(look: Looker, sender: Sender) -> None:
    page = look("#/traces?service=lively&lookback=300")
    expect(page.get_by_text("No trace matches")).to_be_visible()
    made = Trace()
    made.span("lively", "first", 0, 1)
    sender.send(made.spans)
    expect(page.locator(".traces .row")).to_have_count(1)
    page.get_by_role("button", name="Live").click()
    made = Trace()
    made.span("lively", "second", 0, 1)
    sender.send(made.spans)
    page.wait_for_timeout(2500)
    expect(page.locator(".traces .row")).to_have_count(1)
    page.keyboard.press("r")
    expect(page.locator(".traces .row")).to_have_count(2)


def test_new_traces_wait_while_the_pointer_rests_on_the_list(look: Looker, sender: Sender) -> None:
    for name in ("first", "second"):
        made = Trace()
        made.span("pointed", name, 0, 1)
        sender.send(made.spans)
        if name == "first":
            page = look("#/traces?service=pointed")
            page.locator(".traces .row").hover()
    expect(page.get_by_role("button", name="1 new trace")).to_be_visible()
    expect(page.locator(".traces .row")).to_have_count(1)
    page.get_by_role("button", name="1 new trace").click()
    expect(page.locator(".traces .row")).to_have_count(2)


def test_the_search_goes_on_by_itself_and_on_demand(look: Looker, sender: Sender) -> None:
    made = Trace(seconds_ago=50)
    for number in range(450):
        made.span("crowded", f"call {number}", number * 100, number * 100 + 5)
    sender.send(made.spans)
    page = look("#/traces?service=crowded")
    expect(page.locator(".traces .row")).to_have_count(200)
    page.get_by_role("button", name=re.compile("^Go on before")).click()
    expect(page.locator(".traces .row")).to_have_count(400)
    page.get_by_label("sort by").select_option("longest")
    expect(page).to_have_url(re.compile("sort=longest"))


def test_sorting_puts_the_longest_first(look: Looker, sender: Sender) -> None:
    for milliseconds in (30, 10, 20):
        made = Trace()
        made.span("sorted", f"takes {milliseconds}", 0, milliseconds)
        sender.send(made.spans)
    page = look("#/traces?service=sorted&sort=longest")
    expect(page.locator(".traces .operation")).to_have_text(["takes 30", "takes 20", "takes 10"])
