"""Route templates found before routing: what SERVER spans and metrics of older FastAPI are named by."""

from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Host, Mount, Route

from mita_otel.libraries.routes import template


async def _endpoint(item: str = "", level: str = "") -> None: ...


async def _bare(scope: Any, receive: Any, send: Any) -> None: ...


def _application() -> FastAPI:
    router = APIRouter(prefix="/v1")
    router.get("/included/{item}")(_endpoint)
    deep, mounted, outer = FastAPI(), FastAPI(), FastAPI()
    deep.get("/leaves/{item}")(_endpoint)
    mounted.get("/things/{item}")(_endpoint)
    mounted.include_router(router)
    mounted.mount("/deep/{level}", deep)
    outer.get("/items/{item}")(_endpoint)
    outer.include_router(router, prefix="/api")
    outer.mount("/mounted", mounted)
    outer.mount("/wrapped", CORSMiddleware(mounted, allow_origins=["*"]))
    outer.mount("/bare", _bare)
    rooted = FastAPI(routes=[Route("/things/{item}", _endpoint)])
    rooted.root_path = "/rooted"  # as older versions take it, without the newest one's warning
    outer.mount("/rooted", rooted)
    outer.router.routes.append(Mount("/listed", routes=[Route("/things/{item}", _endpoint)]))
    outer.router.routes.append(Host("{tenant}.example.com", app=deep))
    return outer


def _asked(path: str, method: str = "GET", host: str = "localhost") -> str | None:
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "",
        "headers": [(b"host", host.encode())],
        "app": _application(),
    }
    return template(scope)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/items/1", "/items/{item}"),
        ("/api/v1/included/1", "/api/v1/included/{item}"),
        ("/mounted/things/1", "/mounted/things/{item}"),
        ("/mounted/v1/included/1", "/mounted/v1/included/{item}"),
        ("/mounted/deep/7/leaves/8", "/mounted/deep/{level}/leaves/{item}"),
        ("/wrapped/things/1", "/wrapped/things/{item}"),
        ("/rooted/things/1", "/rooted/things/{item}"),
        ("/listed/things/1", "/listed/things/{item}"),
    ],
)
def test_the_template_is_whole_through_included_routers_and_mounts(path: str, expected: str) -> None:
    assert _asked(path) == expected


@pytest.mark.parametrize("path", ["/mounted/no/such", "/bare/anything", "/mounted/deep/7/no/such"])
def test_what_a_mount_has_no_route_for_ends_in_a_placeholder(path: str) -> None:
    found = _asked(path)
    assert found is not None
    assert found.endswith("/{path}")
    assert "such" not in found
    assert "anything" not in found
    assert "7" not in found


def test_a_path_without_a_route_has_no_template() -> None:
    assert _asked("/no/such") is None


def test_a_wrong_method_has_the_template_of_the_path() -> None:
    assert _asked("/items/1", "DELETE") == "/items/{item}"


def test_a_host_adds_nothing_to_the_template_and_its_path_is_not_shown() -> None:
    assert _asked("/leaves/8", host="acme.example.com") == "/leaves/{item}"
    assert _asked("/no/such", host="acme.example.com") == "/{path}"
