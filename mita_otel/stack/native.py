"""The stack as processes of this machine: started, supervised by a state file, stopped."""

import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from mita_otel.alerts.channels import ReceiversError, read
from mita_otel.generate.alertmanager import configuration
from mita_otel.settings import environment as process_environment
from mita_otel.stack import process, state, versions
from mita_otel.stack.components import Component, Layout, components, targets
from mita_otel.stack.model import (
    NAMES,
    Endpoints,
    Name,
    Report,
    StackError,
    State,
    Status,
    silent,
    versions_by_component,
)
from mita_otel.stack.ports import Ports, mark, port_is_free
from mita_otel.stack.readiness import answers, wait_until_ready

START_TIMEOUT: Final = 60.0
"""Seconds for all components to become ready: measured 1.4, and a log of many hours may have to be replayed."""
STOP_GRACE: Final = 10.0
"""Seconds before a component is killed: measured 0.2, and Loki flushes what it holds."""
_TAIL: Final = 15
"""Lines of its log that a component's failure is explained with."""
_INHERITED: Final = ("PATH", "HOME", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables handed on to the backends. No `OTEL_*`: they configure the application, and Go's SDK reads them too."""


class NativeStack:
    """Five processes and the folder in which their data, logs, configuration and state live.

    Args:
        folder: belongs to this stack alone.
        binaries: paths by program name, as `build.build_all` returns them.
        overlays: names of collector overlays to add.
        variables: further `STACK_*` variables for the collector.
        receivers: a folder with secrets of the channels that alerts go to; without one they are only shown.
        collector: the folder of all configuration; the package's by default.
    """

    def __init__(
        self,
        folder: Path,
        binaries: Mapping[str, Path],
        *,
        overlays: tuple[str, ...] = (),
        variables: Mapping[str, str] | None = None,
        receivers: Path | None = None,
        collector: Path | None = None,
    ) -> None:
        self.folder = folder.absolute()
        remembered = state.load(self.folder)
        self._layout = Layout(dict(binaries), collector or versions.root() / "collector", self.folder)
        self._remembered = remembered or state.Remembered(Ports(), overlays)
        self._receivers = str(receivers.absolute()) if receivers else None
        self._overlays = overlays or self._remembered.overlays
        self._variables = dict(variables or {})

    @property
    def ports(self) -> Ports:
        """The ports of the last start, or the standard ones."""
        return self._remembered.ports

    @property
    def endpoints(self) -> Endpoints:
        """Where the stack answers."""
        return self.ports.endpoints()

    def log(self, name: Name) -> Path:
        """Return the file that a component's output is appended to."""
        return self.folder / "logs" / f"{name}.log"

    def up(self, given: Mapping[str, int] | None = None, *, standard: bool = True, report: Report = silent) -> None:
        """Start what does not run, and wait until everything is ready.

        Args:
            given: ports by name that must be these.
            standard: whether the other ports are the standard ones where these are free.
            report: told what happens.

        Raises:
            StackError: a component did not become ready; everything is stopped again.
        """
        with self._alone():
            self._forget_dead()
            if not self._remembered.processes:
                self._choose_ports(given or {}, standard=standard)
            elif any(getattr(self.ports, name) != port for name, port in (given or {}).items()):
                raise StackError("the stack is running on other ports: run `mita-otel stack down` first")
            self._write_configuration()
            started = [name for name in NAMES if name not in self._remembered.processes]
            try:
                for name in started:
                    self._spawn(name)
                self._await(NAMES, report)
            except BaseException:
                self._stop(started)
                raise

    def down(self, report: Report = silent) -> None:
        """Stop everything, the collector first, so that it can still deliver."""
        with self._alone():
            for name in reversed(NAMES):
                if name in self._remembered.processes:
                    report(f"stopping {name}")
                    self._stop([name])

    def start(self, name: Name) -> None:
        """Start one component on its ports and data, and wait until it is ready."""
        with self._alone():
            self._forget_dead()
            if name not in self._remembered.processes:
                self._spawn(name)
            self._await((name,), silent)

    def stop(self, name: Name) -> None:
        """Stop one component in order."""
        with self._alone():
            self._stop([name])

    def kill(self, name: Name) -> None:
        """Kill one component as `kill -9` does."""
        with self._alone():
            running = self._remembered.processes.pop(name, None)
            if running:
                process.kill(running)
            self._save()

    def restart(self, name: Name) -> None:
        """Stop one component in order, and start it again on the same ports and data."""
        self.stop(name)
        self.start(name)

    def pause(self, name: Name) -> None:
        """Freeze one component: its connections stay open, and nothing answers."""
        process.send(self._remembered.processes[name], signal.SIGSTOP)

    def resume(self, name: Name) -> None:
        """Let a frozen component go on."""
        process.send(self._remembered.processes[name], signal.SIGCONT)

    def status(self) -> tuple[Status, ...]:
        """Return how each component is."""
        pinned = versions_by_component(versions.read_versions())
        return tuple(self._status_of(component, pinned[component.name]) for component in self._components().values())

    def clean(self) -> None:
        """Stop everything and delete the folder: data, logs, state."""
        self.down()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _components(self) -> dict[Name, Component]:
        return components(self._layout, self.ports, overlays=self._overlays, environment=self._variables)

    def _status_of(self, component: Component, version: str) -> Status:
        running = self._remembered.processes.get(component.name)
        return Status(
            name=component.name,
            state=_state(running, component.ready_url),
            url=getattr(self.endpoints, "otlp_http" if component.name == "otelcol" else component.name),
            version=version,
            pid=running.pid if running and process.is_alive(running) else None,
            log=str(self.log(component.name)),
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other commands away, and see what they did before."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with state.exclusive(self.folder / "lock"):
            self._remembered = state.load(self.folder) or self._remembered
            yield

    def _save(self) -> None:
        state.save(self.folder, self._remembered)

    def _forget_dead(self) -> None:
        processes = self._remembered.processes
        for name in [name for name, running in processes.items() if not process.is_alive(running)]:
            del processes[name]

    def _choose_ports(self, given: Mapping[str, int], *, standard: bool) -> None:
        # What ran here before is asked for again: clients still know it.
        again = (self.folder / "data").exists() and self.ports
        wanted = again or (Ports() if standard else None)
        self._remembered.ports = Ports.chosen(given, port_is_free, wanted=wanted, mark=mark)
        self._remembered.overlays = self._overlays

    def _write_configuration(self) -> None:
        self._remembered.receivers = self._receivers or self._remembered.receivers
        shutil.copytree(self._layout.collector / "alertmanager", self._layout.alertmanager, dirs_exist_ok=True)
        if self._remembered.receivers is not None:
            self._switch_on(Path(self._remembered.receivers))
        # A file of rules that an earlier version had would tell of everything twice.
        shutil.rmtree(self._layout.prometheus / "rules", ignore_errors=True)
        shutil.copytree(self._layout.collector / "prometheus", self._layout.prometheus, dirs_exist_ok=True)
        for name, text in targets(self.ports).items():
            (self._layout.prometheus / "targets" / name).write_text(text)

    def _switch_on(self, receivers: Path) -> None:
        try:
            made = configuration(read(receivers), receivers)
        except ReceiversError as error:
            raise StackError(f"the receivers of alerts cannot be used: {error}") from error
        (self._layout.alertmanager / "alertmanager.yml").write_text(made)

    def _spawn(self, name: Name) -> None:
        component = self._components()[name]
        inherited = {key: value for key, value in process_environment().items() if key in _INHERITED}
        (self._layout.data / name).mkdir(parents=True, exist_ok=True)
        running = process.spawn(component.command, {**inherited, **component.environment}, self.log(name))
        self._remembered.processes[name] = running
        self._save()

    def _stop(self, names: Sequence[Name]) -> None:
        for name in reversed(names):
            running = self._remembered.processes.pop(name, None)
            if running:
                process.stop(running, STOP_GRACE)
        self._save()

    def _await(self, names: Sequence[Name], report: Report) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        for name in names:
            running = self._remembered.processes[name]
            ready_url = self._components()[name].ready_url
            if not wait_until_ready(ready_url, deadline, lambda running=running: process.is_alive(running)):  # type: ignore[misc]  # mypy cannot infer a lambda with a default
                raise StackError(self._explain(name, running))
            report(f"{name} is ready")

    def _explain(self, name: Name, running: process.Running) -> str:
        what = f"did not answer within {START_TIMEOUT:.0f} s" if process.is_alive(running) else "ended while starting"
        return f"{name} {what}; its log, {self.log(name)}, ends with:\n{_tail(self.log(name), _TAIL)}"


def _state(running: process.Running | None, ready_url: str) -> State:
    if running is None:
        return "stopped"
    if not process.is_alive(running):
        return "crashed"
    if process.is_paused(running):
        return "paused"
    return "ready" if answers(ready_url) else "starting"


def _tail(path: Path, lines: int) -> str:
    try:
        with path.open(errors="replace") as text:
            return "".join(deque(text, maxlen=lines)).rstrip()
    except OSError:
        return "(there is no log)"


@contextmanager
def native_stack(
    folder: Path,
    binaries: Mapping[str, Path],
    *,
    overlays: tuple[str, ...] = (),
    variables: Mapping[str, str] | None = None,
    receivers: Path | None = None,
    collector: Path | None = None,
) -> Iterator[NativeStack]:
    """Run a stack of one's own on free ports, for as long as the block lasts, or this process.

    Args:
        folder: belongs to this stack alone.
        binaries: paths by program name, as `build.build_all` returns them.
        overlays: names of collector overlays to add.
        variables: further `STACK_*` variables for the collector.
        receivers: a folder with secrets of the channels that alerts go to.
        collector: the folder of all configuration; the package's by default.
    """
    stack = NativeStack(
        folder, binaries, overlays=overlays, variables=variables, receivers=receivers, collector=collector
    )
    with _survivor(stack.folder):
        try:
            stack.up(standard=False)
            yield stack
        finally:
            stack.down()


_SURVIVOR: Final = """
import sys
from pathlib import Path
from mita_otel.stack.native import NativeStack
sys.stdin.read()
NativeStack(Path(sys.argv[1]), {}).down()
"""


@contextmanager
def _survivor(folder: Path) -> Iterator[None]:
    """Keep a process that takes the stack down when this one is gone, even by `kill -9`: its end of a pipe closes."""
    command = [sys.executable, "-c", _SURVIVOR, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as survivor:
        try:
            yield
        finally:
            survivor.kill()
