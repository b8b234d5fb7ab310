"""The documentation, opened from the disk by a real browser: it is found and read without a network."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fixtures.service import ROOT
from tests.fixtures.site import build_site

ALIKE = {path for path in (ROOT / "docs" / "runbooks").glob("*.md") if path.stem not in {"index", "high-error-rate"}}
"""Pages of one form, of which one stands for all: each costs the browser a third of a second."""
PAGES = sorted(
    str(path.relative_to(ROOT / "docs").with_suffix(".html")) for path in {*(ROOT / "docs").rglob("*.md")} - ALIKE
)

Read = Callable[[str], Page]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def read(browser: Browser, site: Path) -> Iterator[Read]:
    """Open pages; no script may fail in them, and nothing may be asked of any server."""
    complaints: list[str] = []
    asked: list[str] = []
    context = browser.new_context()

    def open_page(name: str) -> Page:
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"file://{site}/{name}")
        return page

    yield open_page
    context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_its_title_and_its_pictures(read: Read, name: str) -> None:
    page = read(name)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    pictures = page.locator("article img").all()
    assert all(picture.evaluate("image => image.complete && image.naturalWidth > 0") for picture in pictures)


def test_the_search_works_without_a_server(read: Read) -> None:
    page = read("index.html")
    page.keyboard.press("/")
    page.keyboard.type("outbox")
    expect(page.get_by_text("What a receiver can do").first).to_be_visible()
