"""The page on redaction says what is true."""

import re
from pathlib import Path

import pytest

from mita_otel.redaction import DEFAULT

_PAGE = (Path(__file__).parents[3] / "docs" / "redaction.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", _PAGE, re.DOTALL))
def test_each_example_runs(block: str) -> None:
    exec(compile(block, "docs/redaction.md", "exec"), {})


def test_the_limits_are_the_policys() -> None:
    for limit in (DEFAULT.text_limit, DEFAULT.url_limit, DEFAULT.statement_limit, DEFAULT.values):
        assert f"{limit:,}" in _PAGE
