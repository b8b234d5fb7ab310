"""Everything by keyboard."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Looker
from tests.browser.console import Console
from tests.browser.reference import Story
from tests.browser.telemetry import Sender, Trace


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_trace_is_found_read_and_left_without_a_mouse(look: Looker, sender: Sender, console: Console) -> None:
    for number in range(3):
        made = Trace(seconds_ago=9 - number)
        root = made.span("typed", f"call {number}", 0, 20)
        made.span("typed", "child", 1, 9, root)
        sender.send(made.spans)
    page = look("#/traces?service=typed")
    rows = page.locator(".traces .row")
    expect(rows).to_have_count(3)
    press(page, "j", "j", "j", "k")
    expect(rows.nth(1)).to_be_focused()
    press(page, "Enter")
    expect(page.locator("h1")).to_contain_text("call 1")

    press(page, "j", "j")
    expect(page.locator(".line.current")).to_contain_text("child")
    press(page, "Enter")
    panel = page.get_by_role("complementary")
    expect(panel.locator("h2")).to_contain_text("child")
    press(page, "k")
    expect(panel.locator("h2")).to_contain_text("call 1")
    press(page, "ArrowLeft")
    expect(page.locator(".line")).to_have_count(1)
    press(page, "ArrowRight")
    expect(page.locator(".line")).to_have_count(2)
    press(page, "j", "z")
    expect(page).to_have_url(re.compile(r"zoom=1\d\d\d-9\d\d\d|zoom=1000-9000"))
    press(page, "Escape")
    expect(panel).to_be_hidden()
    press(page, "Escape")
    expect(page).not_to_have_url(re.compile("zoom="))
    press(page, "Escape")
    expect(page).to_have_url(re.compile(r"#/traces\?service=typed"))


def test_a_slash_searches_and_escape_leaves_the_field(look: Looker, story: Story) -> None:
    page = look("#/logs")
    expect(page.locator(".logs .row").first).to_be_visible()
    press(page, "/")
    expect(page.get_by_label("Text")).to_be_focused()
    page.keyboard.type("jk?1 tr")  # no keys of the page while typing
    expect(page.get_by_label("Text")).to_have_value("jk?1 tr")
    press(page, "Escape")
    expect(page.get_by_label("Text")).not_to_be_focused()


def test_a_question_mark_shows_the_keys(look: Looker) -> None:
    page = look()
    press(page, "?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    press(page, "2")  # nothing happens behind it
    expect(page).to_have_url(re.compile("#/traces"))
    press(page, "Escape")
    expect(dialog).to_have_count(0)


def test_numbers_choose_a_tab(look: Looker) -> None:
    page = look()
    for number, title in enumerate(("Traces", "Logs", "Metrics", "Services", "Resilience", "Health", "SLO"), 1):
        press(page, str(number))
        expect(page).to_have_url(re.compile(f"#/{title.lower()}$"))
        expect(page.get_by_role("navigation", name="Views").locator("[aria-current=page]")).to_have_text(title)


def test_lines_of_the_log_open_and_close(look: Looker, sender: Sender) -> None:
    sender.log("keyed", "first")
    sender.log("keyed", "second")
    page = look("#/logs?service=keyed")
    expect(page.locator(".logs .row")).to_have_count(2)
    press(page, "j", "j", "Enter")
    panel = page.get_by_role("complementary")
    expect(panel).to_contain_text("first")
    press(page, "Escape")
    expect(panel).to_be_hidden()
    expect(page.locator(".logs .row").nth(1)).to_be_focused()


def test_the_skip_link_leads_to_the_content(look: Looker) -> None:
    page = look("#/services")
    expect(page.locator("h1")).to_be_visible()
    press(page, "Tab", "Enter")
    expect(page.locator("#main")).to_be_focused()
    expect(page).to_have_url(re.compile("#/services$"))
