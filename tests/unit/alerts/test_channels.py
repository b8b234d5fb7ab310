"""A folder of secrets says by what people are told; what is wrong with it is said without what is secret."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from mita_otel.alerts.channels import Channels, Email, Options, ReceiversError, read
from mita_otel.alerts.routes import ROUTES, Channel
from mita_otel.cli import app
from mita_otel.generate.alertmanager import configuration, shown_only

KEY = "0123456789abcdef0123456789abcdef"
URL = "https://hooks.example/T0/B0/sEcReT"


def folder(path: Path, options: str = "", **secrets: str) -> Path:
    (path / "secrets").mkdir()
    for name, secret in secrets.items():
        (path / "secrets" / name).write_text(secret)
    if options:
        (path / "receivers.yaml").write_text(options)
    return path


def receivers(text: str) -> dict[str, dict[str, Any]]:
    """Return what each receiver consists of."""
    return {each.pop("name"): each for each in yaml.safe_load(text)["receivers"]}


def test_an_empty_folder_switches_nothing_on(tmp_path: Path) -> None:
    assert read(tmp_path) == Channels()


def test_a_secret_switches_its_channel_on_and_is_not_repeated(tmp_path: Path) -> None:
    channels = read(folder(tmp_path, slack_url=URL + "\n", pagerduty_key=KEY, webhook_url=URL, watchdog_url=URL))
    assert channels.on == {"slack", "pagerduty", "webhook", "watchdog"}
    text = configuration(channels)
    assert URL not in text
    assert KEY not in text
    assert {name: set(made) for name, made in receivers(text).items()} == {
        "watchdog": {"webhook_configs"},
        "page": {"pagerduty_configs", "slack_configs", "webhook_configs"},
        "info": {"slack_configs", "webhook_configs"},
        "ticket": {"slack_configs", "webhook_configs"},
    }
    (slack,) = receivers(text)["page"]["slack_configs"]
    assert slack["api_url_file"] == "/etc/alertmanager/secrets/slack_url"


def test_mail_is_switched_on_by_its_addresses(tmp_path: Path) -> None:
    options = "email: { smarthost: smtp.example:587, from: a@b.example, to: 'c@d.example, e@f.example', username: a }"
    text = configuration(read(folder(tmp_path, options, smtp_password="pass word")), tmp_path)
    (mail,) = receivers(text)["ticket"]["email_configs"]
    assert (mail["to"], mail["smarthost"], mail["require_tls"]) == (
        "c@d.example, e@f.example",
        "smtp.example:587",
        True,
    )
    assert mail["auth_password_file"] == f"{tmp_path}/secrets/smtp_password"
    assert "pass word" not in text


@pytest.mark.parametrize(
    ("options", "secrets", "said"),
    [
        ("", {"slack_url": ""}, "secrets/slack_url is empty: put the secret there, or delete the file"),
        ("", {"slack_url": "hooks.example"}, "secrets/slack_url is not one line with a URL"),
        ("", {"webhook_url": f"{URL}\n{URL}"}, "secrets/webhook_url is not one line with a URL"),
        ("", {"pagerduty_key": "k e y"}, "secrets/pagerduty_key is not one line with the secret and nothing else"),
        ("slack: { channel: '#x' }", {}, "receivers.yaml names slack, but "),
        ("email: { smarthost: 'a:25', from: a@b.c, to: a@b.c, username: u }", {}, "names email.username, but "),
        ("email: { smarthost: a, from: a@b.c, to: a@b.c }", {}, "receivers.yaml: email.smarthost: "),
        ("telegram: {}", {}, "receivers.yaml: telegram: "),
        ("- email", {}, "receivers.yaml: the file: "),
        ("email:\n  to: [", {}, "receivers.yaml:2: "),
    ],
    ids=[
        "empty",
        "no url",
        "two urls",
        "no key",
        "no secret",
        "no password",
        "no port",
        "unknown",
        "a list",
        "no yaml",
    ],
)
def test_what_is_wrong_is_told_by_file_and_what_to_do(
    tmp_path: Path, options: str, secrets: dict[str, str], said: str
) -> None:
    with pytest.raises(ReceiversError) as told:
        read(folder(tmp_path, options, **secrets))
    assert said in str(told.value)
    assert str(tmp_path) in str(told.value)
    assert not [secret for secret in secrets.values() if secret and secret in str(told.value)]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReceiversError, match="there is no such folder"):
        read(tmp_path / "nowhere")


def test_the_committed_configuration_tells_nobody_and_has_the_same_routes() -> None:
    assert list(receivers(shown_only()).values()) == [{}] * len(ROUTES)
    everything: frozenset[Channel] = frozenset({"slack", "pagerduty", "webhook", "watchdog", "email"})
    options = Options(email=Email(smarthost="a:25", sender="a@b.c", to="a@b.c"))
    with_all = yaml.safe_load(configuration(Channels(everything, options)))
    shown = yaml.safe_load(shown_only())
    assert {**with_all, "receivers": None} == {**shown, "receivers": None}


@given(speed=st.floats(min_value=0.01, max_value=1000))
def test_durations_are_what_alertmanager_reads_at_any_speed(speed: float) -> None:
    def durations(route: dict[str, Any]) -> list[str]:
        return [value for key, value in route.items() if key.endswith(("_wait", "_interval"))]

    tree = yaml.safe_load(configuration(Channels(), speed=speed))["route"]
    found = [each for route in (tree, *tree["routes"]) for each in durations(route)]
    assert len(found) == 3 * len(ROUTES)
    assert [each for each in found if not each[:-2].isdigit() and not each[:-1].isdigit()] == []
    assert "0ms" not in found


def test_the_command_writes_what_the_folder_switches_on_and_says_who_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["alerts", "receivers", str(folder(tmp_path, pagerduty_key=KEY))])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "watchdog  nobody: put a secret into secrets/watchdog_url, for example",
        "page      pagerduty",
        "info      nobody: put a secret into secrets/slack_url, for example",
        "ticket    nobody: put a secret into secrets/slack_url, for example",
    ]
    assert set(receivers((tmp_path / "alertmanager.yml").read_text())["page"]) == {"pagerduty_configs"}
    assert (tmp_path / "templates" / "mita.tmpl").is_file()


def test_the_command_says_in_one_line_what_keeps_it(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["alerts", "receivers", str(folder(tmp_path, slack_url="nonsense"))])
    assert result.exit_code == 2
    path = tmp_path / "secrets" / "slack_url"
    assert result.stderr == f"mita-otel alerts receivers: {path} is not one line with a URL\n"
