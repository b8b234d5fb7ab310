"""The state file and the lock."""

import multiprocessing
import threading
from pathlib import Path

import pytest

from mita_otel.stack import state
from mita_otel.stack.ports import Ports
from mita_otel.stack.process import Running


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    remembered = state.Remembered(Ports(loki=1), ("fsync",), {"loki": Running(2, 3)})
    state.save(tmp_path / "new", remembered)
    assert state.load(tmp_path / "new") == remembered


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"ports": {}}', '{"ports": {"x": 1}, "processes": 3}'])
def test_a_state_file_that_cannot_be_read_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "state.json").write_text(content)
    assert state.load(tmp_path) is None


def test_who_waits_for_the_lock_is_told_and_gets_it_afterwards(tmp_path: Path) -> None:
    told, order = threading.Event(), []

    def second() -> None:
        with state.exclusive(tmp_path / "lock", waiting=told.set):
            order.append("second")

    thread = threading.Thread(target=second)
    with state.exclusive(tmp_path / "lock"):
        thread.start()
        assert told.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def _hold(path: Path, held: "multiprocessing.synchronize.Event") -> None:
    with state.exclusive(path):
        held.set()
        threading.Event().wait(60)


def test_a_killed_holder_leaves_the_lock_free(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    holder = context.Process(target=_hold, args=(tmp_path / "lock", held))
    holder.start()
    assert held.wait(30)
    holder.kill()
    holder.join(10)
    with state.exclusive(tmp_path / "lock"):
        pass
