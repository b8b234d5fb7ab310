"""The supervision of native processes, with stand-ins for the backends."""

import ast
import http.client
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from mita_otel.stack import NAMES, NativeStack, StackError
from mita_otel.stack import state as states
from mita_otel.stack.native import native_stack

Poll = Callable[[Callable[[], bool]], None]


def state_of(stack: NativeStack) -> dict[str, str]:
    return {status.name: status.state for status in stack.status()}


def pids(stack: NativeStack) -> dict[str, int | None]:
    return {status.name: status.pid for status in stack.status()}


def environment_of(port: int) -> dict[str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/")
    found: dict[str, str] = ast.literal_eval(connection.getresponse().read().decode())
    connection.close()
    return found


def test_every_component_is_ready_after_the_start(stack: NativeStack) -> None:
    assert state_of(stack) == dict.fromkeys(NAMES, "ready")


def test_a_second_up_starts_nothing_that_runs(stack: NativeStack) -> None:
    before = pids(stack)
    stack.up()
    assert pids(stack) == before


def test_another_command_sees_the_same_stack(stack: NativeStack, binaries: dict[str, Path]) -> None:
    other = NativeStack(stack.folder, binaries)
    assert other.endpoints == stack.endpoints
    assert pids(other) == pids(stack)


def test_everything_is_stopped_and_data_and_ports_stay(stack: NativeStack) -> None:
    ports = stack.ports
    stack.down()
    assert state_of(stack) == dict.fromkeys(NAMES, "stopped")
    stack.up(standard=False)
    assert stack.ports == ports


def test_clean_leaves_nothing(stack: NativeStack) -> None:
    stack.clean()
    assert not stack.folder.exists()


def test_a_killed_component_comes_back_on_its_ports(stack: NativeStack) -> None:
    before = pids(stack)
    stack.kill("otelcol")
    assert state_of(stack) == {**dict.fromkeys(NAMES, "ready"), "otelcol": "stopped"}
    stack.start("otelcol")
    assert state_of(stack) == dict.fromkeys(NAMES, "ready")
    assert pids(stack) == {**before, "otelcol": pids(stack)["otelcol"]}


def test_a_component_that_died_by_itself_is_seen_and_started_again(stack: NativeStack, poll: Poll) -> None:
    pid = pids(stack)["loki"]
    assert pid
    os.kill(pid, 9)
    poll(lambda: state_of(stack)["loki"] == "crashed")
    stack.up()
    assert state_of(stack) == dict.fromkeys(NAMES, "ready")


def test_a_paused_component_goes_on_when_resumed(stack: NativeStack, poll: Poll) -> None:
    stack.pause("jaeger")
    poll(lambda: state_of(stack)["jaeger"] == "paused")
    stack.resume("jaeger")
    poll(lambda: state_of(stack)["jaeger"] == "ready")


def test_a_state_file_of_an_earlier_boot_harms_nobody(
    tmp_path: Path, binaries: dict[str, Path], stack: NativeStack
) -> None:
    folder = tmp_path / "stale"
    remembered = states.load(stack.folder)
    assert remembered
    strangers = {name: type(found)(found.pid, found.began - 1) for name, found in remembered.processes.items()}
    states.save(folder, states.Remembered(remembered.ports, (), strangers))
    NativeStack(folder, binaries).down()
    assert state_of(stack) == dict.fromkeys(NAMES, "ready")


def test_a_component_that_cannot_start_is_explained_by_its_log_and_leaves_nothing_running(
    tmp_path: Path, binaries: dict[str, Path]
) -> None:
    (binaries["loki"].parent / "loki.dies").touch()
    stack = NativeStack(tmp_path / "stack", binaries)
    with pytest.raises(StackError, match=r"(?s)^loki ended while starting.*loki starts.*cannot open the store$"):
        stack.up(standard=False)
    assert state_of(stack) == dict.fromkeys(NAMES, "stopped")


def test_a_running_stack_does_not_move_to_other_ports(stack: NativeStack) -> None:
    with pytest.raises(StackError, match="running on other ports: run `mita-otel stack down` first"):
        stack.up({"loki": 1024})


def test_the_collector_gets_our_variables_and_none_of_the_applications(
    stack: NativeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mita_otel.stack.native.process_environment", lambda: {"OTEL_SERVICE_NAME": "app", "TZ": "UTC"})
    stack.restart("otelcol")
    seen = environment_of(stack.ports.otlp_http)
    assert seen["TZ"] == "UTC"
    assert seen["STACK_OTLP_HTTP_PORT"] == str(stack.ports.otlp_http)
    assert "OTEL_SERVICE_NAME" not in seen


def test_all_listeners_have_ports_of_their_own(stack: NativeStack) -> None:
    ports = asdict(stack.ports).values()
    assert len(set(ports)) == len(ports)


def test_a_stack_goes_down_with_the_process_that_brought_it_up(
    tmp_path: Path, binaries: dict[str, Path], poll: Poll
) -> None:
    code = (
        "import sys, ast; from pathlib import Path; from mita_otel.stack import native_stack\n"
        "binaries = {name: Path(path) for name, path in ast.literal_eval(sys.argv[2]).items()}\n"
        "with native_stack(Path(sys.argv[1]), binaries): print('up', flush=True); sys.stdin.read()\n"
    )
    names = {name: str(path) for name, path in binaries.items()}
    command = [sys.executable, "-c", code, str(tmp_path / "stack"), repr(names)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "up\n"
        stack = NativeStack(tmp_path / "stack", binaries)
        assert state_of(stack) == dict.fromkeys(NAMES, "ready")
        parent.kill()
    poll(lambda: set(state_of(NativeStack(tmp_path / "stack", binaries)).values()) == {"stopped"})


def test_receivers_are_switched_on_and_remembered(tmp_path: Path, binaries: dict[str, Path]) -> None:
    (tmp_path / "receivers" / "secrets").mkdir(parents=True)
    secret = tmp_path / "receivers" / "secrets" / "pagerduty_key"
    secret.write_text("0123456789abcdef0123456789abcdef")
    with native_stack(tmp_path / "stack", binaries, receivers=tmp_path / "receivers") as stack:
        written = stack.folder / "config" / "alertmanager" / "alertmanager.yml"
        assert f"routing_key_file: {secret}" in written.read_text()
        assert (written.parent / "templates" / "mita.tmpl").is_file()
        stack.down()
        written.unlink()
        NativeStack(stack.folder, binaries).up(standard=False)
        assert f"routing_key_file: {secret}" in written.read_text()


def test_receivers_that_cannot_be_used_are_told_and_nothing_is_started(
    tmp_path: Path, binaries: dict[str, Path]
) -> None:
    (tmp_path / "receivers.yaml").write_text("email: {}")
    stack = NativeStack(tmp_path / "stack", binaries, receivers=tmp_path)
    with pytest.raises(StackError, match=r"receivers of alerts cannot be used: .*receivers\.yaml: email\.smarthost"):
        stack.up(standard=False)
    assert state_of(stack) == dict.fromkeys(NAMES, "stopped")
