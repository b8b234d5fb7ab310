"""Builds, with a stand-in for Go that only writes files."""

import threading
from pathlib import Path

import pytest

from mita_otel.stack import Cache, StackError, build, build_all, golang
from mita_otel.stack.recipes import recipes
from mita_otel.stack.versions import read_versions, root

_GO = """#!/bin/sh
echo "$@" >> {journal}
case "$*" in *{fails}*) echo "go: downloading x"; echo "cannot find module"; exit 1;; esac
while [ $# -gt 0 ]; do
  case "$1" in
    -o) printf '#!/bin/sh\\nmkdir -p build' > "$2"; chmod +x "$2"; shift;;
    *@v*) name=${{1%@*}}; name="$GOBIN/${{name##*/}}"; printf '#!/bin/sh\\nmkdir -p build' > "$name"; chmod +x "$name";;
  esac
  shift
done
"""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def make_go(tmp_path: Path, journal: Path, monkeypatch: pytest.MonkeyPatch) -> "MakeGo":
    return MakeGo(tmp_path, journal, monkeypatch)


class MakeGo:
    """Puts a stand-in in the place of Go; `fails` is what makes it fail when it is in the arguments."""

    def __init__(self, folder: Path, journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._go = folder / "go"
        self._journal = journal
        monkeypatch.setattr(golang, "find", lambda *_: self._go)

    def __call__(self, fails: str = "nothing-at-all") -> None:
        self._go.write_text(_GO.format(journal=self._journal, fails=fails))
        self._go.chmod(0o755)


def test_every_program_is_built_once(make_go: MakeGo, cache: Cache, journal: Path) -> None:
    make_go()
    programs = build_all(cache)
    commands = journal.read_text()
    assert [name for name, path in programs.items() if not path.is_file()] == []
    assert build_all(cache) == programs
    assert journal.read_text() == commands


def test_builds_take_committed_checksums_and_drop_paths_and_symbols(
    make_go: MakeGo, cache: Cache, journal: Path
) -> None:
    make_go()
    build_all(cache)
    builds = [line for line in journal.read_text().splitlines() if line.startswith("build ")]
    assert len(builds) == 3
    assert all("-mod=readonly -trimpath -ldflags=-s -w" in line for line in builds)


def test_a_changed_recipe_is_built_again(make_go: MakeGo, cache: Cache) -> None:
    old, new = (recipes({**read_versions(), "LOKI_VERSION": version})[-1] for version in ("3.7.8", "3.7.9"))
    sources = root() / "collector" / "build"
    assert old.digest(sources) != new.digest(sources)


def test_a_failed_build_says_why_and_keeps_what_was_finished(make_go: MakeGo, cache: Cache, journal: Path) -> None:
    make_go(fails="loki")
    with pytest.raises(StackError, match=r"(?s)^building loki failed; `go build -v \.\.\.` says:.*cannot find module$"):
        build_all(cache)
    make_go()
    journal.write_text("")
    build_all(cache)
    assert "loki" in journal.read_text()
    assert "jaeger" not in journal.read_text()
    assert list(cache.binaries.glob(".building-*")) == []


def test_what_a_killed_build_left_is_deleted_by_the_next(make_go: MakeGo, cache: Cache) -> None:
    make_go()
    (cache.binaries / ".building-x" / "work").mkdir(parents=True)
    build_all(cache)
    assert list(cache.binaries.glob(".building-*")) == []


def test_two_builds_never_run_at_once(make_go: MakeGo, cache: Cache, journal: Path) -> None:
    make_go()
    reports: list[str] = []
    threads = [threading.Thread(target=build_all, args=(cache, reports.append)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len([line for line in reports if line.startswith("building")]) == len(recipes(read_versions()))


def test_a_build_tells_how_far_it_is(make_go: MakeGo, cache: Cache) -> None:
    make_go()
    reports: list[str] = []
    build_all(cache, reports.append)
    assert reports[0].startswith("building otelcol ")
    assert reports[0].endswith(" (1 of 5)")
    assert reports[-1].startswith("built loki in ")


def test_clean_deletes_read_only_folders_too(make_go: MakeGo, cache: Cache) -> None:
    make_go()
    build_all(cache)
    module = cache.folder / "go" / "mod" / "x@v1"
    module.mkdir(parents=True)
    (module / "x.go").touch()
    module.chmod(0o500)
    build.clean(cache)
    assert not cache.binaries.exists()
    assert not (cache.folder / "go").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go version go1.27 linux/arm64", (1, 27)),
        ("1.26.5", (1, 26, 5)),
        ("x", ()),
    ],
)
def test_versions_of_go_are_compared_as_numbers(text: str, expected: tuple[int, ...]) -> None:
    assert golang.parse_version(text) == expected
