"""The page about the reference service says what is so."""

import re
from pathlib import Path

from app.main import create_app
from app.settings import Settings

PAGE = (Path(__file__).parents[3] / "docs" / "reference-service.md").read_text()


def described() -> set[str]:
    """`GET /path` of every route in the table: methods in one cell share the path of the last one."""
    found: set[str] = set()
    for row in re.findall(r"^\| (`(?:GET|POST|PUT|PATCH|DELETE).*?) \|", PAGE, re.MULTILINE):
        methods: list[str] = []
        for word in re.findall(r"`([^`]+)`", row):
            method, _, path = word.partition(" ")
            methods.append(method)
            if path:
                found |= {f"{each} {path}" for each in methods}
                methods = []
    return found


def test_every_route_is_described_and_every_one_described_is_there() -> None:
    paths = create_app(Settings()).openapi()["paths"]
    assert described() == {f"{method.upper()} {path}" for path, item in paths.items() for method in item}


def test_every_setting_is_described_and_every_one_described_is_read() -> None:
    table = PAGE.partition("| Variable |")[2].partition("\n\n")[0]
    names = set(re.findall(r"`([A-Z][A-Z_]+)`", "\n".join(row.split("|")[1] for row in table.splitlines()[2:])))
    assert names == {name.upper() for name in Settings.model_fields}
