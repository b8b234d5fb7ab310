"""`mita-otel dashboards`."""

import json
from pathlib import Path

from typer.testing import CliRunner

from mita_otel.cli import app
from mita_otel.dashboards import UIDS


def test_every_dashboard_is_listed_with_its_panels() -> None:
    lines = CliRunner().invoke(app, ["dashboards", "list"]).stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(UIDS)
    assert all(int(line.split()[1]) >= 15 for line in lines)


def test_every_dashboard_is_written_into_a_folder_that_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "grafana" / "mita"
    for _ in range(2):
        assert CliRunner().invoke(app, ["dashboards", "export", str(folder)]).exit_code == 0
    assert {file.stem: json.loads(file.read_text())["uid"] for file in folder.iterdir()} == {uid: uid for uid in UIDS}
