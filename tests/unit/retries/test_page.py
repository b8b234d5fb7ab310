"""The page's tables say what the code does."""

import re
from collections.abc import Collection

import pytest

from mita_otel.retries import BudgetTerms, Reason
from mita_otel.retries.deadline import RESERVE
from mita_otel.retries.headers import NAMES
from mita_otel.retries.sqlalchemy import WITHIN
from mita_otel.retries.transient import IDEMPOTENT, TRANSIENT_SQLSTATES, TRANSIENT_STATUSES
from mita_otel.settings import RetrySettings
from tests.fixtures.service import ROOT

PAGE = (ROOT / "docs" / "retries-and-deadlines.md").read_text()


def rows(table: str) -> list[tuple[str, ...]]:
    found = re.search(rf"<!-- {re.escape(table)} -->\n(.*?)<!-- end -->", PAGE, re.DOTALL)
    assert found, table
    lines = [line for line in found[1].splitlines() if line.startswith("|")][2:]
    return [tuple(cell.strip().strip("`") for cell in line.strip("|").split("|")) for line in lines]


def test_statuses() -> None:
    assert rows("statuses") == [(str(status), why) for status, why in TRANSIENT_STATUSES.items()]


def test_sqlstates() -> None:
    expected = [(code if len(code) == 5 else f"{code}...", why) for code, why in TRANSIENT_SQLSTATES.items()]
    assert rows("sqlstates") == expected


def test_reasons() -> None:
    assert [row[0] for row in rows("reasons")] == [reason.value for reason in Reason]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([f"`{name}`" for name in NAMES], id="headers"),
        pytest.param(sorted(IDEMPOTENT), id="methods"),
        pytest.param(
            [
                f"({RetrySettings().request_timeout:g} s)",
                f"({RetrySettings().request_timeout_maximum:g} s)",
                f"{RESERVE * 1000:g} ms",
                f"{WITHIN:g} s away",
                f"Up to {BudgetTerms().most:g} (`most`)",
            ],
            id="numbers",
        ),
    ],
)
def test_what_is_named(words: Collection[str]) -> None:
    assert [word for word in words if word not in PAGE] == []
