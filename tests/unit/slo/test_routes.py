import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.slo.routes import Route, Routes

PATHS = st.sampled_from(["/a", "/a/b", "/a/{id}", "/a/b/c", "/ab", "/c", ""])
PATTERNS = st.builds(
    lambda method, path, below: Route(path, method, below or not path),
    st.sampled_from([None, "GET", "POST"]),
    PATHS,
    st.booleans(),
)
REQUESTS = st.tuples(st.sampled_from(["GET", "POST", "PUT"]), PATHS)


@pytest.mark.parametrize("text", ["*", "/a", "/a/*", "/*", "GET /a", "GET *", "DELETE /a/{id}/*"])
def test_a_pattern_is_read_as_it_is_written(text: str) -> None:
    assert str(Route.read(text)) == ("*" if text == "/*" else text)


@pytest.mark.parametrize("text", ["", "a", "/a*", "/a/*/b", "get /a", "FETCH /a", "GET", "GET  /a", "/a b", "/a/**"])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no route"):
        Route.read(text)


def test_a_pattern_of_all_below_holds_the_template_itself_but_no_longer_word() -> None:
    route = Route.read("/a/*")
    assert [route.matches("GET", path) for path in ("/a", "/a/b", "/ab")] == [True, True, False]


def test_a_request_without_a_route_belongs_to_everything() -> None:
    assert Route.read("*").matches("GET", "")
    assert not Route.read("/a").matches("GET", "")


@given(PATTERNS, PATTERNS, REQUESTS)
def test_what_matches_two_patterns_shows_that_they_overlap(one: Route, other: Route, request: tuple[str, str]) -> None:
    if one.matches(*request) and other.matches(*request):
        assert one.overlaps(other)
        assert other.overlaps(one)


@given(PATTERNS, PATTERNS, REQUESTS)
def test_a_pattern_that_covers_another_matches_all_that_it_does(
    one: Route, other: Route, request: tuple[str, str]
) -> None:
    if one.covers(other) and other.matches(*request):
        assert one.matches(*request)


def test_an_exception_is_left_out() -> None:
    routes = Routes((Route.read("/a/*"),), (Route.read("/a/b"),))
    assert [routes.match("GET", path) for path in ("/a", "/a/b", "/a/c")] == [True, False, True]
