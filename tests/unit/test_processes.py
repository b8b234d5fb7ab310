"""Which processes get telemetry."""

import pytest

from mita_otel.processes import is_helper


@pytest.mark.parametrize(
    "arguments",
    [
        ["python", "-c", "from multiprocessing.resource_tracker import main;main(5)"],
        ["python", "-s", "-E", "-c", "from multiprocessing.forkserver import main; main(1, 2)"],
        ["python", "-X", "dev", "-m", "pip", "install", "x"],
        ["python", "-m", "ensurepip"],
        ["python", "/usr/bin/pip", "install", "x"],
    ],
)
def test_trackers_fork_servers_and_installers_are_helpers(arguments: list[str]) -> None:
    assert is_helper(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["python", "-c", "from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=5)"],
        ["python", "-c", "pass"],
        ["python", "-m", "uvicorn", "app.main:app"],
        ["python", "/usr/bin/uvicorn", "app.main:app", "--workers", "2"],
        ["python", "pipeline.py"],
        ["python"],
        [],
    ],
)
def test_applications_and_spawned_workers_are_not(arguments: list[str]) -> None:
    assert not is_helper(arguments)
