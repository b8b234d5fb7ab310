"""The pages say what the code does."""

import re
from pathlib import Path

from mita_otel.cli import Commands
from mita_otel.cli.doctor import run
from mita_otel.doctor.checks import CHECKS
from mita_otel.doctor.model import EXIT_CODES

DOCS = Path(__file__).parents[3] / "docs"
DOCTOR = (DOCS / "doctor.md").read_text()
COMMANDS = (DOCS / "command-line.md").read_text()


def table(text: str, heading: str) -> list[tuple[str, ...]]:
    """The rows of the table whose first column has a heading."""
    _, _, rest = text.partition(f"| {heading} |")
    rows = rest.partition("\n\n")[0].splitlines()[2:]
    return [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows]


def test_the_table_of_checks_is_that_of_the_code() -> None:
    assert table(DOCTOR, "Check") == [(f"`{check.name}`", check.looks_at) for check in CHECKS]


def test_the_exit_codes_are_those_of_the_code() -> None:
    codes = {int(row[0]) for row in table(DOCTOR, "Exit code")}
    assert codes == {*EXIT_CODES.values(), 69, 70}


def test_the_options_are_those_of_the_command() -> None:
    assert run.__kwdefaults__ is not None
    documented = {re.findall(r"--[a-z]+", row[0])[0] for row in table(DOCTOR, "Option")}
    assert documented == {"--json", *(f"--{name}" for name in run.__kwdefaults__ if name != "as_json")}


def test_every_command_has_a_row() -> None:
    documented = {match[1] for row in table(COMMANDS, "Command") if (match := re.match(r"`mita-otel (\w+)", row[0]))}
    assert documented == set(Commands.table)
