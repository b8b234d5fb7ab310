"""Several processes write the same files through their rotation; disks are full for a while; storms come."""

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

from tests.integration.logs.test_exits import BEGIN, ROOT, numbers, run

WRITERS = 4
LINES = 3_000


def _start(program: str, place: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT), "PLACE": str(place)},
    )


def test_four_processes_write_through_rotation_and_no_line_is_lost_or_torn(tmp_path: Path) -> None:
    program = f"""
import logging, sys
from pathlib import Path
from opentelemetry.sdk.resources import Resource
from mita_otel.logs.rotation import RotatingFile
file = RotatingFile(Path({str(tmp_path)!r}) / "x.log", limit=20_000, backups=1_000)
sys.stdin.readline()
for number in range({LINES}):
    assert file.append([f"{{sys.argv[1]}} {{number}} {{'x' * (number % 90)}}.\\n".encode()]) == 1
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(writer)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            env={"PYTHONPATH": str(ROOT)},
        )
        for writer in range(WRITERS)
    ]
    for process in processes:
        process.communicate(b"go\n", timeout=100) if process is processes[-1] else _go(process)
    assert [process.wait(100) for process in processes] == [0] * WRITERS

    files = sorted(tmp_path.glob("x.log*"), key=lambda path: -int(path.suffix[1:]) if path.suffix != ".log" else 0)
    lines = b"".join(path.read_bytes() for path in files).decode().splitlines()
    assert len(files) > 20
    assert all(re.fullmatch(r"\d \d+ x*\.", line) for line in lines)
    for writer in range(WRITERS):
        mine = [int(line.split()[1]) for line in lines if line.startswith(f"{writer} ")]
        assert mine == list(range(LINES))


def _go(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    process.stdin.close()


def test_workers_of_one_service_share_the_six_files(tmp_path: Path) -> None:
    program = BEGIN + "for number in range(1000): log.warning('%d', number, extra={'worker': os.getpid()})\n"
    processes = [_start(program, tmp_path) for _ in range(WRITERS)]
    for process in processes:
        _, stderr = process.communicate(timeout=60)
        assert (process.returncode, stderr) == (0, b"")

    by_worker: dict[int, list[int]] = {}
    for line in (tmp_path / "mita.json.log").read_text().splitlines():
        entry = json.loads(line)
        by_worker.setdefault(entry["worker"], []).append(int(entry["message"]))
    assert list(by_worker.values()) == [list(range(1000))] * WRITERS
    assert len((tmp_path / "mita.log").read_text().splitlines()) == 1000 * WRITERS


def test_a_full_disk_is_counted_and_told_and_writing_resumes_by_itself(tmp_path: Path) -> None:
    limit = resource.RLIMIT_FSIZE
    program = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit({limit}, (100_000, resource.RLIM_INFINITY))
for number in range(1000): log.info("%d", number)
installed.flush()
counts = installed.losses.counts()
lost = sum(count for loss, count in counts.items() if loss.destination == "mita.json.log")
resource.setrlimit({limit}, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.info("%d", 1000)
installed.flush()
again = sum(count for loss, count in installed.losses.counts().items() if loss.destination == "mita.json.log")
print("lost", lost, again, file=sys.stderr)
"""
    ended = run(program, tmp_path)

    entries = [json.loads(line) for line in (tmp_path / "mita.json.log").read_text().splitlines()]
    written = [int(entry["message"]) for entry in entries if entry["logger"] == "shop"]
    _, before, after = ended.stderr.split()
    assert 0 < len(written) < 1001
    assert int(before) + len(written) >= 1001
    assert written[:-1] == list(range(len(written) - 1))
    assert written[-1] == 1000
    assert before == after
    said = [json.loads(line) for line in ended.stdout.splitlines()]
    [warning] = [line for line in said if line["logger"] == "mita_otel.logs.losses"]
    assert "File too large" in warning["message"]


def test_a_storm_loses_nothing_but_what_is_counted(tmp_path: Path) -> None:
    program = """
threads = [threading.Thread(target=lambda: [log.info("%d", number) for number in range(15_000)]) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
installed.flush(60)
counts = installed.losses.counts().items()
print("lost", sum(count for loss, count in counts if loss.destination == "queue"), file=sys.stderr)
"""
    ended = run(program, tmp_path)

    lost = int(ended.stderr.split()[1])
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert sum(line["logger"] == "shop" for line in lines) == 60_000 - lost
    in_file = [json.loads(line) for line in (tmp_path / "mita.json.log").read_text().splitlines()]
    assert [line["message"] for line in in_file] == [line["message"] for line in lines][-len(in_file) :]


def test_a_reader_that_stops_reading_holds_up_neither_the_program_nor_the_files(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    program = LOG_AND_TIME
    ended = subprocess.run(
        [sys.executable, "-c", BEGIN + program],
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": str(ROOT), "PLACE": str(tmp_path)},
    )
    os.close(writing)
    os.close(reading)

    assert ended.returncode == 0, ended.stderr
    found = numbers(
        "\n".join(line for line in (tmp_path / "mita.json.log").read_text().splitlines() if '"logger":"shop"' in line)
    )
    assert found == list(range(3000))


LOG_AND_TIME = """
began = time.monotonic()
for number in range(3000): log.info("%d", number)
took = time.monotonic() - began
assert installed.flush(30)
assert installed.faults["stdout"] > 1000, installed.faults
assert took < 5, took
"""
