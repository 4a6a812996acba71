"""The server is killed (SIGKILL) in the middle of what a person does to keep a
store: at any of the changes that this makes to the disk. After a start nothing
is lost and nothing damaged, and the command, given again, ends as it should.

KINORA_MAINTENANCE_KILLS kills (2) of each command fall on changes chosen by
KINORA_DAMAGE_SEED; `make kill-all` has one fall on each.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import random
import shutil
import subprocess
import tarfile

import pytest
from cluster import BIN, Kinora, sim, write_producers
from store_damage import SEED
from store_reading import Part, Store, read_movie
from store_story import PRODUCERS, tell
from test_import import FOLDER
from volume import Volume, make_library

KILLS = os.environ.get("KINORA_MAINTENANCE_KILLS", "2")

FAR = 10**9


@dataclasses.dataclass(frozen=True)
class Site:
    """A store at rest, a copy of its movie, and what is read of it."""

    tmp: pathlib.Path
    library: pathlib.Path
    producers: pathlib.Path
    manifest: bytes  # of film
    other: dict[str, Part]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    tmp = tmp_path_factory.mktemp("site")
    library = make_library(tmp)
    with sim(tmp) as producer:
        producers = write_producers(tmp, producer.address, *PRODUCERS)
        volume = Volume(tmp, library, producers)
        kinora = volume.start()
        try:
            tell(volume.server.address, tmp)
            kinora.ok("backup", "film", str(tmp / "film.tar"))
            manifest = kinora.manifest_bytes("film")
            store = Store(volume.server.address)
            other = read_movie(store, "other")
            store.close()
        finally:
            volume.end()
        (tmp / "data").rename(tmp / "rest")
        yield Site(tmp, library, producers, manifest, other)


def files_below(directory: pathlib.Path) -> list[pathlib.Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


class Command:
    """One that is cut short; the movie `film` stays as it is."""

    again = ""  # how it may be refused when it is given again

    def words(self, site: Site, tmp: pathlib.Path) -> list[str]:
        raise NotImplementedError

    def prepare(self, kinora: Kinora) -> None:
        """What comes before, in a server that lives on."""

    def check_start(self, kinora: Kinora, site: Site, tmp: pathlib.Path) -> None:
        """What is there when the server has started again."""
        assert kinora.manifest_bytes("film") == site.manifest

    def check_end(self, kinora: Kinora, site: Site, tmp: pathlib.Path) -> None:
        """What is there when the command has ended."""
        self.check_start(kinora, site, tmp)


class Prune(Command):
    WORDS = "prune film --keep-revisions 1 --keep-runs 2 --keep-takes 1".split()

    def words(self, site, tmp):
        return self.WORDS

    def check_end(self, kinora, site, tmp):
        super().check_end(kinora, site, tmp)
        assert len(kinora.json("runs", "list", "--movie", "film")["runs"]) == 2
        said = kinora.fails("manifest", "show", "film", "--revision", "rev-0004")
        assert "pruned" in said


class Gc(Command):
    def words(self, site, tmp):
        return ["gc", "film", "--grace", "0s"]

    def prepare(self, kinora):
        kinora.ok(*Prune.WORDS)

    def check_end(self, kinora, site, tmp):
        super().check_end(kinora, site, tmp)
        assert kinora.json("gc", "film", "--grace", "0s", "--dry-run")["removed"] == []


class Checkpoint(Command):
    def words(self, site, tmp):
        return ["checkpoint", "film", "--remove-covered-logs"]

    def check_end(self, kinora, site, tmp):
        super().check_end(kinora, site, tmp)
        verified = kinora.json("verify", "film")["movies"][0]
        assert verified["oldestRebuildableRevision"] == "rev-0005"


class Delete(Command):
    again = "MOVIE_NOT_FOUND"

    def words(self, site, tmp):
        return ["movie", "delete", "film", "--yes"]

    def check_start(self, kinora, site, tmp):
        shown = kinora.call("movie", "show", "film")
        if shown.returncode == 0:
            super().check_start(kinora, site, tmp)
        else:
            self.check_end(kinora, site, tmp)

    def check_end(self, kinora, site, tmp):
        assert "MOVIE_NOT_FOUND" in kinora.fails("movie", "show", "film")
        assert files_below(tmp / "data/builds/film") == []
        runs = kinora.json("runs", "list")["runs"]
        assert {run["movieId"] for run in runs} == {"other"}


class Restore(Command):
    again = "MOVIE_EXISTS"

    def words(self, site, tmp):
        return ["restore", str(site.tmp / "film.tar"), "copy"]

    def check_start(self, kinora, site, tmp):
        super().check_start(kinora, site, tmp)
        if kinora.call("movie", "show", "copy").returncode == 0:
            self.check_end(kinora, site, tmp)
        else:
            assert files_below(tmp / "data/builds/copy") == []

    def check_end(self, kinora, site, tmp):
        for movie in ("film", "copy"):
            assert kinora.manifest_bytes(movie) == site.manifest


class Import(Command):
    def words(self, site, tmp):
        return ["movie", "import", "old", str(FOLDER)]

    def check_end(self, kinora, site, tmp):
        super().check_end(kinora, site, tmp)
        again = kinora.json("movie", "import", "old", str(FOLDER))
        assert [r["revision"] for r in again["revisions"]] == ["rev-0001", "rev-0002", "rev-0003"]
        assert all(r["wasThere"] for r in again["revisions"])


class Create(Command):
    again = "MOVIE_EXISTS"

    def words(self, site, tmp):
        return ["movie", "create", "new", "--blueprint", str(site.tmp / "film.yaml")]

    def check_end(self, kinora, site, tmp):
        super().check_end(kinora, site, tmp)
        assert kinora.json("movie", "show", "new")["movieId"] == "new"


class Revert(Command):
    def words(self, site, tmp):
        return ["revert", "film", "rev-0003"]

    def check_start(self, kinora, site, tmp):
        if kinora.json("movie", "show", "film")["currentRevision"] == "rev-0005":
            super().check_start(kinora, site, tmp)
        else:
            self.check_end(kinora, site, tmp)

    def check_end(self, kinora, site, tmp):
        assert "Film" not in kinora.ok("diff", "film", "rev-0003")
        assert kinora.json("movie", "show", "film")["currentRevision"] != "rev-0005"


COMMANDS = [Gc(), Prune(), Checkpoint(), Delete(), Restore(), Import(), Create(), Revert()]


def begin(site: Site, tmp: pathlib.Path) -> tuple[Volume, Kinora]:
    shutil.rmtree(tmp / "data", ignore_errors=True)
    shutil.copytree(site.tmp / "rest", tmp / "data")
    volume = Volume(tmp, site.library, site.producers)
    return volume, volume.start()


def check_sound(volume: Volume, kinora: Kinora, site: Site) -> None:
    said = kinora.call("verify")
    assert said.returncode == 0, said.stdout
    store = Store(volume.server.address)
    assert read_movie(store, "other") == site.other
    store.close()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: type(c).__name__.lower())
def test_command_that_is_cut_short_is_given_again(tmp_path, site, command):
    words = command.words(site, tmp_path)
    volume, kinora = begin(site, tmp_path)
    command.prepare(kinora)
    volume.kill_in(FAR)
    try:
        kinora.ok(*words)
        changes = FAR - volume.spare()
        assert changes > 0
        command.check_end(kinora, site, tmp_path)
        check_sound(volume, kinora, site)
    finally:
        volume.end()
    points = list(range(1, changes + 1))
    if KILLS != "all":
        points = random.Random(f"{SEED} {words[0]}").sample(points, min(int(KILLS), changes))
    for point in points:
        try:
            cut_short(command, point, site, tmp_path)
        except Exception as error:
            error.add_note(f"killed before change {point} of {changes}")
            raise


def cut_short(command: Command, point: int, site: Site, tmp: pathlib.Path) -> None:
    words = command.words(site, tmp)
    volume, kinora = begin(site, tmp)
    try:
        command.prepare(kinora)
        volume.kill_in(point)
        done = kinora.call(*words)
        # Some come after the answer, or are fewer than they were.
        if done.returncode:
            assert volume.server.wait() == -9, done.stderr
        volume.spare()
        if volume.server.exit_code is None:
            volume.server.kill()
        kinora = volume.start()
        command.check_start(kinora, site, tmp)
        check_sound(volume, kinora, site)
        again = kinora.call(*words)
        if again.returncode:
            assert command.again and command.again in again.stderr, again.stderr
        command.check_end(kinora, site, tmp)
        check_sound(volume, kinora, site)
    finally:
        volume.end()


# Copying changes nothing, so the server is killed when some of it has come.
def test_copy_that_is_cut_short_is_none(tmp_path, site):
    volume, kinora = begin(site, tmp_path)
    try:
        environment = {**os.environ, "KINORA_ADDR": volume.server.address}
        with subprocess.Popen(
            [BIN / "kinora", "backup", "film", "-"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        ) as copying:
            part = copying.stdout.read(1000)
            volume.server.kill()
            part += copying.stdout.read()
            assert copying.wait() in (0, 1)  # all but its status may have been under way
        kinora = volume.start()
        check_sound(volume, kinora, site)
        whole = (site.tmp / "film.tar").stat().st_size
        if len(part) < whole:
            assert copying.returncode == 1
            (tmp_path / "part.tar").write_bytes(part)
            kinora.fails("restore", str(tmp_path / "part.tar"), "copy")
        kinora.ok("backup", "film", str(tmp_path / "film.tar"))
        with tarfile.open(tmp_path / "film.tar") as copy:
            assert "SHA256SUMS" in copy.getnames()
        kinora.ok("restore", str(tmp_path / "film.tar"), "copy")
        assert kinora.manifest_bytes("copy") == site.manifest
        check_sound(volume, kinora, site)
    finally:
        volume.end()
