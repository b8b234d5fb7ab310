"""Talking to compose, with a stand-in for the client."""

from pathlib import Path

import pytest

from mita_otel.stack import ComposeStack, StackError, engine_answers
from mita_otel.stack.compose import parse_states

_DOCKER = """#!/bin/sh
echo "$@" >> "$0.journal"
echo "$MITA_ALERT_RECEIVERS" > "$0.receivers"
[ "$1" = info ] && exit 0
[ -e "$0.fails" ] && { echo no >&2; exit 1; }
exit 0
"""


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    program = tmp_path / "docker"
    program.write_text(_DOCKER)
    program.chmod(0o755)
    return program


def test_an_engine_that_is_not_installed_does_not_answer() -> None:
    assert not engine_answers("/nonexistent/docker")


def test_an_engine_with_compose_answers(docker: Path) -> None:
    assert engine_answers(str(docker))


def test_an_engine_without_compose_does_not(docker: Path) -> None:
    docker.with_name("docker.fails").touch()
    assert not engine_answers(str(docker))


def test_down_keeps_the_volumes_and_clean_removes_them(docker: Path) -> None:
    stack = ComposeStack(str(docker))
    stack.down()
    stack.clean()
    down, clean = docker.with_name("docker.journal").read_text().splitlines()
    assert down.endswith("docker-compose.yaml down")
    assert "--volumes" in clean


def test_a_failure_of_compose_is_told_in_its_own_words(docker: Path) -> None:
    docker.with_name("docker.fails").touch()
    with pytest.raises(StackError, match=r"(?s)^`docker compose down` failed:\nno$"):
        ComposeStack(str(docker)).down()


def test_containers_get_the_folder_whose_receivers_are_switched_on(docker: Path, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "slack_url").write_text("https://hooks.example/T0")
    docker.with_name("docker.fails").touch()
    with pytest.raises(StackError, match=r"^`docker compose up .* failed"):
        ComposeStack(str(docker), receivers=tmp_path).up()
    assert docker.with_name("docker.receivers").read_text() == f"{tmp_path}\n"
    assert "api_url_file: /etc/alertmanager/secrets/slack_url" in (tmp_path / "alertmanager.yml").read_text()


def test_containers_are_not_started_with_receivers_that_cannot_be_used(docker: Path, tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"receivers of alerts cannot be used: .*: there is no such folder"):
        ComposeStack(str(docker), receivers=tmp_path / "nowhere").up()
    assert not docker.with_name("docker.journal").exists()


@pytest.mark.parametrize(
    "text",
    [
        '[{"Service": "loki", "State": "running"}, {"Service": "jaeger", "State": "exited"}]',
        '{"Service": "loki", "State": "running"}\n{"Service": "jaeger", "State": "exited"}\n',
    ],
)
def test_both_forms_of_composes_answer_are_understood(text: str) -> None:
    assert parse_states(text) == {"loki": "running", "jaeger": "exited"}


def test_no_containers_are_no_states() -> None:
    assert parse_states("") == {}
