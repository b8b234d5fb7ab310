"""The page of a real console, in a real browser, with telemetry that came by OTLP."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.browser.console import Console, console_running
from tests.browser.reference import Story, story_told
from tests.browser.telemetry import Sender

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
DESK = (1280, 800)
PHONE = (390, 844)

# A busy machine takes longer than the five seconds of the default; what is there at once is not waited for.
expect.set_options(timeout=30_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one worker have all of them: they share a console and a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with console_running(tmp_path_factory.mktemp("console")) as running:
        yield running


@pytest.fixture(scope="session")
def story(console: Console, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """What the reference service went through, all of it in the console."""
    return story_told(console, tmp_path_factory.mktemp("story"))


@pytest.fixture(scope="session")
def sender(console: Console) -> Sender:
    """Sends telemetry made for a test by the SDK's exporters."""
    return Sender(console.url)


# For a module and not for the session: while it runs, asyncio takes its thread for one with a running loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("no chromium: scripts/setup as root installs it")
        pytest.skip("no chromium: scripts/setup as root installs it")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield launched
        launched.close()


class Looker:
    """Opens pages and keeps what went wrong in them.

    Attributes:
        complaints: errors of scripts and of the browser, such as violations of the content policy.
        requests: URLs that were asked for.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self.requests: list[str] = []

    def __call__(self, address: str = "", size: tuple[int, int] = DESK, theme: str = "light", scale: float = 1) -> Page:
        """Open the page at an address such as `#/logs`."""
        context = self._browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if theme == "dark" else "light",
            device_scale_factor=scale,
            timezone_id="Asia/Kolkata",
            locale="en-GB",
        )
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        page.on("request", self._note)
        page.goto(f"{self._url}/{address}")
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _note(self, request: Request) -> None:
        self.requests.append(request.url)

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def look(browser: Browser, console: Console) -> Iterator[Looker]:
    """Open pages; no script may fail in them, and no request may leave the console."""
    looker = Looker(browser, console.url)
    yield looker
    looker.close()
    assert looker.complaints == []
    assert [url for url in looker.requests if not url.startswith((f"{console.url}/", "data:"))] == []


@pytest.fixture
def screenshots(tmp_path: Path) -> Callable[[str], Path]:
    """The path of a screenshot by its name: in the folder MITA_SCREENSHOTS, if that is set."""
    folder = Path(os.environ.get("MITA_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return lambda name: folder / f"{name}.png"
