"""The page about circuit breakers says what is so."""

import dataclasses
import re
from pathlib import Path

import pytest

from benchmarks.breakers.page import PAGE, write
from mita_otel.breakers import EXTERNAL, GOOGLE_OAUTH, OPENAI, Override, Policy
from mita_otel.breakers import telemetry as told
from mita_otel.breakers.ledger import CAUSES, HISTORY
from mita_otel.web.breakers import WORDS

TEXT = PAGE.read_text()


def test_the_table_of_rules_has_every_field_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `?([\w.]+)`? \| ", TEXT, re.MULTILINE))
    fields = {
        field.name: str(field.default) for field in dataclasses.fields(Policy) if not field.name.startswith("judge_")
    }
    assert rows == fields


def test_numbers_and_words_are_those_of_the_code() -> None:
    failures = [preset.policy.failure_threshold for preset in (OPENAI, GOOGLE_OAUTH, EXTERNAL)]
    assert "`OPENAI` (3\nfailures), `GOOGLE_OAUTH` (5) and `EXTERNAL` (4)" in TEXT
    assert failures == [3, 5, 4]
    assert f"the last\n{HISTORY} changes" in TEXT
    assert (CAUSES, "up to five that were sampled" in TEXT) == (5, True)
    assert [word for word in WORDS if f"`{word}`" not in TEXT] == []
    assert set(WORDS.values()) == {None, *Override}
    assert f"`{told.EVENT}`" in TEXT


@pytest.mark.parametrize("name", ["benchmarks.breakers", "benchmarks.breakers.scenarios"])
def test_the_tables_of_the_benchmarks_have_their_places(name: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(TEXT)
    write(name, "| new |", page)
    assert f"<!-- {name} -->\n\n| new |\n\n<!-- end -->" in page.read_text()
    with pytest.raises(LookupError, match="no <!-- other -->"):
        write("other", "| new |", page)
