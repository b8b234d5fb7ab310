"""The site is built without a warning, leads nowhere wrong, and needs nothing from elsewhere."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.fixtures.service import ROOT
from tests.fixtures.site import build_site

pytestmark = pytest.mark.xdist_group("site")

LOADED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}
"""Tags that make a browser fetch something, and the attribute that says what."""


@dataclass
class Html(HTMLParser):
    """What a page loads, links to, and can be linked to."""

    path: Path
    loads: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {value for name, value in given.items() if name in {"id", "name"}}
        loads = LOADED.get(tag)
        if loads in given and given.get("rel") not in {"next", "prev", "canonical"}:
            self.loads.append(given[loads])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Html]:
    return {path: Html(path) for path in site.rglob("*.html")}


def _targets(page: Html, addresses: list[str]) -> Iterator[tuple[str, Path, str]]:
    """Yield what stays in the site: the address, its file, its anchor."""
    for address in addresses:
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        path = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
        yield address, path / "index.html" if path.is_dir() else path, unquote(parts.fragment)


def test_every_page_is_in_the_navigation_and_built(site: Path) -> None:
    docs = ROOT / "docs"
    written = {str(path.relative_to(docs)) for path in docs.rglob("*.md")}
    assert set(re.findall(r'"([^"]+\.md)"', (ROOT / "zensical.toml").read_text())) == written
    assert [name for name in written if not (site / name).with_suffix(".html").exists()] == []


def test_a_page_loads_nothing_from_elsewhere(pages: dict[Path, Html]) -> None:
    outside = {(path.name, load) for path, page in pages.items() for load in page.loads if urlsplit(load).netloc}
    assert outside == set()


def test_a_style_of_ours_loads_nothing_from_elsewhere(site: Path) -> None:
    styles = [path for path in site.rglob("*.css") if "url(http" in path.read_text() or "@import" in path.read_text()]
    assert styles == []


def test_what_makes_the_theme_fetch_a_library_is_not_used(pages: dict[Path, Html]) -> None:
    lazy = re.compile(r'class="(?:[^"]* )?(?:mermaid|glightbox|pyodide)[" ]')
    assert [path.name for path in pages if lazy.search(path.read_text())] == []


def test_links_and_anchors_lead_somewhere(pages: dict[Path, Html]) -> None:
    broken = set()
    for path, page in pages.items():
        if path.name == "404.html":
            continue
        for address, target, anchor in _targets(page, [*page.loads, *page.links]):
            known = pages.get(target)
            if not target.exists() or (anchor and known is not None and anchor not in known.anchors):
                broken.add((path.name, address))
    assert broken == set()
