"""Exclusion looks at the path alone, and at all of it."""

import pytest

from mita_otel.settings import DEFAULT_EXCLUDED_PATHS
from mita_otel.web.paths import LONGEST_REMEMBERED, REMEMBERED, Excluded


@pytest.mark.parametrize("path", ["/health", "/health/live", "/metrics", "/docs", "/openapi.json"])
def test_routes_asked_by_machines_are_excluded_by_default(path: str) -> None:
    assert Excluded(DEFAULT_EXCLUDED_PATHS)(path)


@pytest.mark.parametrize("path", ["/api/health", "/healthy", "/api/docs", "/metricsx", "/", ""])
def test_a_pattern_covers_the_whole_path(path: str) -> None:
    assert not Excluded(DEFAULT_EXCLUDED_PATHS)(path)


def test_only_the_star_is_special() -> None:
    excluded = Excluded(["/a.b/*", "/[x]?/*"])
    assert excluded("/a.b/c")
    assert excluded("/[x]?/c")
    assert not excluded("/axb/c")
    assert not excluded("/xy/c")


def test_no_pattern_excludes_nothing() -> None:
    assert not Excluded([])("/health")


def test_the_answer_stays_the_same_however_many_paths_are_asked_about() -> None:
    excluded = Excluded(["/health/*"])
    paths = [f"/{kind}/{number}" for number in range(REMEMBERED) for kind in ("health", "items")]
    paths += ["/health/" + "x" * LONGEST_REMEMBERED, "/items/" + "x" * LONGEST_REMEMBERED]
    for _ in range(2):
        assert [excluded(path) for path in paths] == [path.startswith("/health/") for path in paths]
