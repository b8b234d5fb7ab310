"""A newcomer's first minute: the demonstration, and a look at everything that it shows."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Looker
from tests.browser.reference import SERVICE
from tests.fixtures.polling import eventually
from tests.fixtures.service import ServiceProcess


@pytest.mark.timeout(150)
def test_everything_of_the_demonstration_can_be_walked_through(
    browser: Browser, start_service: Callable[..., ServiceProcess], demo_folder: Path
) -> None:
    demo = start_service(["mita-otel", "demo", "--folder", str(demo_folder)], {})
    eventually(lambda: re.search(r"metric +curl '", demo.stdout), timeout=90)
    url = re.search(r"console +(http://127\.0\.0\.1:\d+)", demo.stdout)
    trace = re.search(r"/traces/([0-9a-f]{32})", demo.stdout)
    assert url, demo.stdout
    assert trace, demo.stdout

    looker = Looker(browser, url[1])
    page = looker(f"#/traces/{trace[1]}")
    expect(page.locator(".line").first).to_be_visible()
    expect(page.locator(".line.log").first).to_be_visible()
    page.locator(".line").first.click()
    expect(page.get_by_role("complementary")).to_contain_text("http.route")
    # Which requests are exemplars, the next collection decides.
    page.goto(f"{url[1]}/#/metrics/http.server.request.duration")
    expect(page.locator(".exemplar-mark").first).to_be_visible()
    page.keyboard.press("4")
    expect(page.locator(".map .node", has_text=SERVICE)).to_be_visible()
    expect(page.locator(".map .node.database").first).to_be_visible()
    page.get_by_role("table", name="Services").get_by_role("link", name=SERVICE).click()
    expect(page.get_by_role("table", name="Routes")).to_contain_text("POST /api/auth/register")
    page.keyboard.press("7")
    expect(page.get_by_role("table", name="Objectives")).to_contain_text("The service: availability")
    page.keyboard.press("2")
    expect(page.locator(".logs .row").first).to_be_visible()
    looker.close()
    assert looker.complaints == []
