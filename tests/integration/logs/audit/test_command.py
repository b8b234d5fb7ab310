"""`mita-otel audit` names what was done to a log, and says in one line what keeps it from telling."""

import json
import logging
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext
from sqlalchemy import create_engine, text

from mita_otel.logs import audit
from mita_otel.logs.audit.journal import Journal, encode
from tests.fixtures.polling import find_free_port
from tests.fixtures.service import ROOT, clean_environment
from tests.integration.logs.audit.conftest import KEY, Run, Stored
from tests.unit.logs.audit.chains import chain

TRACE = "0af7651916cd43dd8448eb211c80319c"
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
async def url(tmp_path: Path, run: Run, caplog: pytest.LogCaptureFixture) -> str:
    """A log of twelve records on SQLite, whose triggers an attacker has dropped."""
    stored = Stored(f"sqlite:///{tmp_path / 'audit.db'}")
    await stored.migrate()
    with caplog.at_level(logging.INFO, "mita_otel.audit"):
        async with run(stored.url):
            for number in range(9):
                change(number)
            with trace.use_span(NonRecordingSpan(SpanContext(int(TRACE, 16), 1, is_remote=False))):
                change(9)
    triggers = [row[0] for row in await stored.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
    await stored.execute(*(f"DROP TRIGGER {trigger}" for trigger in triggers))
    await stored.close()
    kept = [
        json.dumps({name: value for name, value in vars(record).items() if name.startswith("audit.")})
        for record in caplog.records
    ]
    (tmp_path / "loki.jsonl").write_text("\n".join(kept))
    return stored.url


def change(number: int) -> None:
    audit.modification(
        "budget.changed", before={"limit": number}, after={"limit": 7.5}, resource=("budget", number), user="u1"
    )


@pytest.fixture
def command(tmp_path: Path) -> Command:
    def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        given = {"MITA_AUDIT_SIGNING_KEY": KEY, "MITA_AUDIT_FOLDER": str(tmp_path / "journals"), **variables}
        environment = clean_environment({name: value for name, value in given.items() if value})
        return subprocess.run(
            ["mita-otel", "audit", *arguments], env=environment, cwd=ROOT,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return call


def tamper(url: str, *statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_an_untouched_log_is_sound(command: Command, url: str) -> None:
    ended = command("verify", "--database", url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "12 records in 1 chains: nothing was tampered with\n"


@pytest.mark.parametrize(
    ("statements", "line"),
    [
        (["UPDATE audit_logs SET body = replace(body, '7.5', '8.5') WHERE seq = 4"], "EDITED 4"),
        (["UPDATE audit_logs SET user_id = 'mallory' WHERE seq = 4"], "EDITED 4"),
        (["DELETE FROM audit_logs WHERE seq IN (4, 5)"], "DELETED 4-5"),
        (
            [
                "UPDATE audit_logs SET seq = 99 WHERE seq = 4", "UPDATE audit_logs SET seq = 4 WHERE seq = 5",
                "UPDATE audit_logs SET seq = 5 WHERE seq = 99",
            ],
            "REORDERED 4",
        ),
        (["DELETE FROM audit_logs WHERE seq > 8"], "TRUNCATED 9-12"),
        (["DELETE FROM audit_logs"], "TRUNCATED 1-12"),
        (
            [
                "CREATE TABLE copy AS SELECT * FROM audit_logs WHERE seq = 5",
                "UPDATE copy SET created_at = '2020-01-01 00:00:00', body = replace(body, '7.5', '8.5')",
                "INSERT INTO audit_logs SELECT * FROM copy",
            ],
            "INSERTED 5",
        ),
        (["UPDATE audit_checkpoints SET seq = 11"], "FORGED CHECKPOINT 11"),
    ],
    ids=["body", "column", "deleted", "reordered", "truncated", "emptied", "inserted", "checkpoint"],
)  # fmt: skip
def test_what_was_done_is_named(command: Command, url: str, statements: list[str], line: str) -> None:
    tamper(url, *statements)
    ended = command("verify", "--database", url)
    assert ended.returncode == 1
    kind, _, places = line.rpartition(" ")
    named = [row.split("\t") for row in ended.stdout.splitlines() if "\t" in row]
    assert (kind, places) in [(row[0], row[1].rpartition(" ")[2]) for row in named]
    assert {row[0] for row in named} == {kind}


def test_a_log_that_is_gone_with_its_checkpoints_is_known_from_another_store(
    command: Command, url: str, tmp_path: Path
) -> None:
    tamper(url, "DELETE FROM audit_logs", "DELETE FROM audit_checkpoints")
    assert command("verify", "--database", url).returncode == 0
    ended = command("verify", "--database", url, "--checkpoints", str(tmp_path / "loki.jsonl"))
    assert ended.returncode == 1
    assert "TRUNCATED" in ended.stdout


def test_programs_read_json(command: Command, url: str) -> None:
    tamper(url, "DELETE FROM audit_logs WHERE seq = 4")
    found = json.loads(command("verify", "--database", url, "--json").stdout)
    assert found["sound"] is False
    (finding,) = found["chains"][0]["findings"]
    assert (finding["kind"], finding["seq"], finding["until"]) == ("deleted", 4, 4)


def test_a_trace_shows_what_was_done_in_it(command: Command, url: str) -> None:
    ended = command("verify", "--database", url, "--trace", TRACE.upper())
    shown, verdict = ended.stdout.splitlines()
    assert shown.split("\t")[1:6] == ["data_modification", "budget.changed", "success", "u1", "budget 9"]
    assert verdict == "12 records in 1 chains: nothing was tampered with"
    other = command("verify", "--database", url, "--trace", "1" * 32)
    assert other.stdout == "0 records in 0 chains: nothing was tampered with\n"


def test_only_what_is_asked_for_is_looked_at(command: Command, url: str) -> None:
    tamper(url, "DELETE FROM audit_logs WHERE seq = 4")
    assert command("verify", "--database", url, "--since", "1h").returncode == 1
    assert command("verify", "--database", url, "--since", "2099-01-01").returncode == 0


def test_an_export_holds_all_that_is_needed_to_verify_elsewhere(command: Command, url: str) -> None:
    lines = [json.loads(line) for line in command("export", "--database", url).stdout.splitlines()]
    records = [line for line in lines if "record" in line]
    assert [record["record"]["seq"] for record in records] == list(range(1, 13))
    assert records[1]["previous"] == records[0]["hash"]
    assert [line["checkpoint"]["seq"] for line in lines if "checkpoint" in line][-1] == 12


def test_an_export_is_a_store_of_checkpoints(command: Command, url: str, tmp_path: Path) -> None:
    (tmp_path / "export.jsonl").write_text(command("export", "--database", url).stdout)
    tamper(url, "DELETE FROM audit_logs", "DELETE FROM audit_checkpoints")
    ended = command("verify", "--database", url, "--checkpoints", str(tmp_path / "export.jsonl"))
    assert ended.returncode == 1


def test_the_spool_shows_what_waits_and_whose_it_is(command: Command, tmp_path: Path) -> None:
    assert command("spool").stdout == "no journals: every event is in its database\n"
    records, _ = chain(3)
    used, left = (Journal(tmp_path / "journals" / "shop-0123456789ab" / name, 2**20) for name in ("used", "left"))
    for record in records:
        left.append(encode(record))
    left.close()
    rows = json.loads(command("spool", "--json").stdout)
    assert [(row["service"], row["chain"], row["state"], row["events"]) for row in rows] == [
        ("shop", "left", "left behind", 3), ("shop", "used", "in use", 0),
    ]  # fmt: skip
    used.close()
    assert command("spool").stdout.startswith("shop\tleft\tleft behind\t3 events\t")


def test_tables_are_made_without_alembic(command: Command, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    assert command("migrate", "--database", url).stdout == "the audit log's tables are there\n"
    assert command("verify", "--database", url).returncode == 0
    ended = command("migrate", "--database", url, "--grant-to", "writer")
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "sqlite has no roles" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "sentence"),
    [
        ([], {}, "no database is named: give --database, or set MITA_AUDIT_DATABASE_URL"),
        (["--database", "mysql://host/x"], {}, "it takes postgresql:// or sqlite:///"),
        (["--database", "sqlite:///{folder}/empty.db"], {}, "no such table"),
        (["--database", "postgresql://127.0.0.1:{port}/x"], {}, "cannot be reached"),
        (["--database", "sqlite:///{folder}/x.db", "--since", "soon"], {}, "--since 'soon' is no time"),
        (["--database", "sqlite:///{folder}/x.db", "--trace", "xyz"], {}, "32 hexadecimal digits"),
        (["--database", "sqlite:///{folder}/x.db"], {"MITA_AUDIT_SIGNING_KEY": "hunter2"}, "it takes id:secret"),
        (["--database", "sqlite:///{folder}/x.db", "--checkpoints", "/nowhere"], {}, "cannot be read"),
    ],
    ids=["no database", "another database", "no tables", "no server", "since", "trace", "key", "checkpoints"],
)
def test_an_error_is_one_line_that_says_what_to_do(
    command: Command, tmp_path: Path, arguments: list[str], variables: dict[str, str], sentence: str
) -> None:
    values: dict[str, Any] = {"folder": tmp_path, "port": find_free_port()}
    ended = command("verify", *(argument.format(**values) for argument in arguments), **variables)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert sentence in ended.stderr
    assert "hunter2" not in ended.stderr
