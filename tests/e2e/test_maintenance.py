"""What a person does to keep a store healthy, through the command line."""

import json
import os
import pathlib
import shutil
import subprocess

from cluster import Kinora, up


def make_film(kinora, blueprint, movie="film"):
    kinora.ok("movie", "create", movie, "--blueprint", blueprint)
    kinora.ok("input", "set", movie, 'Story="Call me Ishmael."')
    assert kinora.run(movie).end == "run.completed"
    return kinora.manifest_bytes(movie)


def files_of(directory):
    return [path for path in directory.rglob("*") if path.is_file()]


def test_quota_is_shown_set_and_taken_away(kinora, film):
    kinora.ok("movie", "create", "film", "--blueprint", film())
    none = {"movieId": "film", "maxBlobBytes": 0, "maxRevisions": 0}
    assert kinora.json("movie", "quota", "film") == none
    kinora.ok("movie", "quota", "film", "--max-bytes", "1.5GiB")
    kinora.ok("movie", "quota", "film", "--max-revisions", "20")
    assert kinora.json("movie", "quota", "film") == {
        "movieId": "film",
        "maxBlobBytes": 3 << 29,
        "maxRevisions": 20,
    }
    assert "1.5 GiB" in kinora.ok("movie", "show", "film")
    kinora.ok("movie", "quota", "film", "--max-bytes", "0", "--max-revisions", "0")
    assert kinora.json("movie", "quota", "film") == none
    assert "--max-bytes" in kinora.fails("movie", "quota", "film", "--max-bytes", "x")


def test_deleted_movie_is_gone_and_its_id_starts_clean(tmp_path, kinora, film):
    before = make_film(kinora, film())
    make_film(kinora, film(), "other")
    assert "--yes" in kinora.fails("movie", "delete", "film")
    assert kinora.json("movie", "delete", "film", "--yes") == {
        "movieId": "film",
        "deleted": True,
    }
    assert "MOVIE_NOT_FOUND" in kinora.fails("movie", "delete", "film", "--yes")
    assert "MOVIE_NOT_FOUND" in kinora.fails("run", "film")
    assert [m["movieId"] for m in kinora.json("movie", "list")["movies"]] == ["other"]
    assert files_of(tmp_path / "data" / "builds" / "film") == []
    assert [r["movieId"] for r in kinora.json("runs", "list")["runs"]] == ["other"]
    # The same film again: the same revision, all of it made anew.
    assert make_film(kinora, film()) == before
    assert len(kinora.json("runs", "list", "--movie", "film")["runs"]) == 1


def test_what_links_in_a_movie_lead_to_is_left_alone(tmp_path, kinora, film):
    make_film(kinora, film())
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (elsewhere / "deep" / "precious.txt").write_text("not of the film")
    movie = tmp_path / "data" / "builds" / "film"
    for place in (movie / "notes", movie / "blobs" / "et", movie / "runs" / "mine"):
        place.symlink_to(elsewhere, target_is_directory=True)
    kinora.ok("gc", "film", "--grace", "0")
    kinora.ok("movie", "delete", "film", "--yes")
    assert (elsewhere / "deep" / "precious.txt").read_text() == "not of the film"
    assert files_of(movie) == []


def test_movie_in_use_is_not_deleted(kinora, film):
    kinora.ok("movie", "create", "film", "--blueprint", film("{delay_ms: 3000}"))
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    run_id = kinora.json("run", "film", "--detach")["run"]["runId"]
    said = kinora.fails("movie", "delete", "film", "--yes")
    assert "RUN_ACTIVE" in said
    assert run_id in said
    kinora.ok("runs", "cancel", run_id)
    kinora.call("runs", "watch", run_id)
    kinora.ok("movie", "delete", "film", "--yes")


# F: S1-54
def test_collection_removes_garbage_and_nothing_else(tmp_path, kinora, film):
    before = make_film(kinora, film())
    blobs = tmp_path / "data" / "builds" / "film" / "blobs"
    kept = set(files_of(blobs))
    result = kinora.json("gc", "film", "--grace", "0")
    assert result["removed"] == []
    assert result["scannedBlobs"] == len(kept)
    assert set(files_of(blobs)) == kept
    assert kinora.manifest_bytes("film") == before
    assert kinora.run("film").called == set()

    movie = kinora.json("movie", "show", "film")
    blueprint = movie["blueprint"]["hash"]
    explained = kinora.json("blob", "explain", "film", blueprint)
    assert any("rev-0001" in line for line in explained["reachedBy"])


# F: S1-54
def test_collection_removes_texts_of_segments_that_are_gone(tmp_path, kinora, film):
    path = film()
    blueprint = pathlib.Path(path)
    plain = "{type: text/plain, over: [segment]}"
    copied = '{type: text/plain, over: [segment], readable: "segment-{segment:04}/text.txt"}'
    assert plain in blueprint.read_text()
    blueprint.write_text(blueprint.read_text().replace(plain, copied))
    make_film(kinora, path)
    movie = tmp_path / "data" / "builds" / "film"
    texts = movie / "prompts"
    assert len(files_of(texts)) == 3
    assert kinora.json("gc", "film", "--grace", "0")["removedFiles"] == []

    kinora.ok("input", "set", "film", "SegmentCount=2")
    assert kinora.run("film").end == "run.completed"
    assert "would remove 1 readable file:" in kinora.ok("gc", "film", "--grace", "0", "--dry-run")
    assert len(files_of(texts)) == 3
    [removed] = kinora.json("gc", "film", "--grace", "0")["removedFiles"]
    assert not (movie / removed).exists()
    assert len(files_of(texts)) == 2
    kinora.ok("plan", "film")
    assert len(files_of(texts)) == 2

    kinora.ok("input", "set", "film", "SegmentCount=3")
    assert kinora.run("film").end == "run.completed"
    assert (movie / removed).exists()


def test_backup_comes_back_as_the_same_movie(tmp_path, kinora, film):
    before = make_film(kinora, film())
    copy = str(tmp_path / "film.tar")
    made = kinora.json("backup", "film", copy)
    assert made["bytes"] == os.path.getsize(copy)
    assert "already" in kinora.fails("backup", "film", copy)
    # Any tar unpacks it, and what it holds can be checked without Kinora.
    names = subprocess.check_output(["tar", "tf", copy], text=True).split()
    assert names[:2] == ["backup.json", "movie.json"]
    assert "manifests/rev-0001.json" in names
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    subprocess.check_call(["tar", "xf", copy, "-C", unpacked])
    subprocess.check_call(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=unpacked)
    assert (unpacked / "manifests/rev-0001.json").read_bytes() == before

    assert "MOVIE_EXISTS" in kinora.fails("restore", copy, "film")
    kinora.ok("movie", "delete", "film", "--yes")
    restored = kinora.json("restore", copy, "film")
    assert restored["currentRevision"] == "rev-0001"
    kinora.ok("restore", copy, "beside")
    for movie in ("film", "beside"):
        assert kinora.manifest_bytes(movie) == before
        verified = kinora.json("verify", movie)["movies"][0]
        assert verified.get("problems", []) == []
        assert kinora.run(movie).called == set()
    assert len(kinora.json("runs", "list", "--movie", "film")["runs"]) >= 1


def test_backup_passes_through_a_pipe(kinora, film):
    before = make_film(kinora, film())
    made = kinora.call_bytes("backup", "film", "-")
    assert made.returncode == 0, made.stderr
    assert b"copied film" in made.stderr
    restored = kinora.call_bytes("restore", "-", "beside", given=made.stdout)
    assert restored.returncode == 0, restored.stderr
    assert kinora.manifest_bytes("beside") == before
    # A pipe that broke makes no movie.
    cut = kinora.call_bytes("restore", "-", "again", given=made.stdout[:-2000])
    assert cut.returncode == 1
    assert b"DATA_CORRUPT" in cut.stderr
    movies = kinora.json("movie", "list")["movies"]
    assert [m["movieId"] for m in movies] == ["beside", "film"]
    both = kinora.call_bytes("backup", "film", "-", "--json")
    assert both.returncode == 2
    assert both.stdout == b""
    assert b"--json" in both.stderr


def test_damaged_backup_is_refused_and_leaves_nothing(tmp_path, kinora, film):
    make_film(kinora, film())
    copy = tmp_path / "film.tar"
    kinora.ok("backup", "film", str(copy))
    whole = copy.read_bytes()
    copy.write_bytes(whole[: len(whole) // 2])
    assert "INVALID_ARGUMENT" in kinora.fails("restore", str(copy), "again")
    assert not (tmp_path / "data" / "builds" / "again").exists()
    assert [m["movieId"] for m in kinora.json("movie", "list")["movies"]] == ["film"]


# F: S1-43
def test_checkpoint_takes_the_place_of_covered_logs(tmp_path, kinora, film):
    make_film(kinora, film())
    for story in ("In the beginning.", "It was a dark night."):
        kinora.ok("input", "set", "film", f'Story="{story}"')
        assert kinora.run("film").end == "run.completed"
    kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
    events = tmp_path / "data" / "builds" / "film" / "events"
    manifests = [
        kinora.ok("manifest", "show", "film", "--revision", f"rev-000{n}", "--json") for n in (1, 2, 3)
    ]
    result = kinora.json("checkpoint", "film", "--remove-covered-logs")
    assert result["revision"] == "rev-0003"
    assert "events/rev-0001.artefacts.jsonl" in result["removedLogs"]
    for path in result["removedLogs"]:
        assert not (events.parent / path).exists()
    names = {path.name for path in events.iterdir()}
    assert {
        "inputs.checkpoint.rev-0003.json",
        "artefacts.checkpoint.rev-0003.jsonl",
    } <= names
    checkpoint = json.loads((events / "inputs.checkpoint.rev-0003.json").read_text())
    assert checkpoint["revision"] == "rev-0003"
    for line in (events / "artefacts.checkpoint.rev-0003.jsonl").read_text().splitlines():
        assert json.loads(line)["crc32c"]

    assert manifests == [
        kinora.ok("manifest", "show", "film", "--revision", f"rev-000{n}", "--json") for n in (1, 2, 3)
    ]
    verified = kinora.json("verify", "film")["movies"][0]
    assert verified["problems"] == []
    assert verified["oldestRebuildableRevision"] == "rev-0003"
    # The first story again: all of it was made before.
    outcome = kinora.run("film")
    assert outcome.end == "run.completed"
    assert outcome.called == set()
    assert kinora.run("film").called == set()
    assert kinora.json("gc", "film", "--grace", "0", "--dry-run")["removed"] == []
    assert kinora.json("checkpoint", "film", "--remove-covered-logs")["revision"] == "rev-0004"
    assert kinora.json("verify", "film")["movies"][0]["problems"] == []


def test_movie_of_an_unknown_format_is_refused_and_others_go_on(tmp_path, kinora, film):
    make_film(kinora, film())
    later = tmp_path / "data" / "builds" / "later"
    later.mkdir()
    (later / "movie.json").write_text('{"formatVersion":99,"movieId":"later"}')
    said = kinora.fails("movie", "show", "later")
    assert "FORMAT_UNKNOWN" in said
    assert "builds/later/movie.json" in said
    assert "99" in said
    movies = kinora.json("movie", "list")["movies"]
    assert [m["movieId"] for m in movies] == ["film", "later"]
    assert kinora.run("film").end == "run.completed"


def test_directory_that_lost_its_movie_file_is_reported(tmp_path, kinora, film):
    make_film(kinora, film())
    make_film(kinora, film(), "other")
    builds = tmp_path / "data" / "builds"
    (builds / "leftover" / "blobs").mkdir(parents=True)
    assert kinora.json("verify")["problems"] == []
    kinora.ok("movie", "create", "lost", "--blueprint", film())
    kinora.ok("input", "set", "lost", 'Story="Call me Ishmael."')
    (builds / "lost" / "movie.json").rename(tmp_path / "movie.json")
    (builds / "Strange").mkdir()
    (builds / "Strange" / "file").write_text("what")
    done = kinora.call("verify")
    assert done.returncode == 1
    assert "builds/lost: " in done.stdout
    assert "movie.json" in done.stdout
    assert "builds/Strange: " in done.stdout
    done = kinora.call("verify", "--json")
    paths = [problem["path"] for problem in json.loads(done.stdout)["problems"]]
    assert sorted(paths) == ["builds/Strange", "builds/lost"]
    (tmp_path / "movie.json").rename(builds / "lost" / "movie.json")
    shutil.rmtree(builds / "Strange")
    assert kinora.json("verify")["problems"] == []


def test_every_command_tells_its_flags(kinora):
    for words in (
        ["gc"],
        ["blob", "explain"],
        ["verify"],
        ["checkpoint"],
        ["prune"],
        ["stats"],
        ["backup"],
        ["restore"],
        ["movie", "delete"],
        ["movie", "quota"],
        ["movie", "scan"],
        ["movie", "import"],
        ["server", "info"],
    ):
        assert "usage: kinora " + " ".join(words) in kinora.ok(*words, "--help")


def make_film_of_novels(tmp_path, kinora, path):
    """Its texts are beyond the inline limit; their files, by segment."""
    blueprint = pathlib.Path(path)
    long_text = "Call me Ishmael. " * 300
    blueprint.write_text(
        blueprint.read_text().replace(
            "    producer: script\n",
            f'    producer: script\n    settings: {{text: "{long_text}"}}\n',
        )
    )
    make_film(kinora, path)
    texts = sorted((tmp_path / "data/builds/film/artifacts/text").iterdir())
    assert len(texts) == 3
    return texts


def test_file_that_cannot_be_taken_keeps_no_other_back(tmp_path, kinora, film):
    texts = make_film_of_novels(tmp_path, kinora, film())
    texts[0].write_bytes(b"\xff\xfe")
    texts[1].write_text("Call me Ahab. " * 500)
    skipped = {
        "path": f"artifacts/text/{texts[0].name}",
        "artefactId": "Artifact:SegmentText[segment=0]",
        "reason": "must be UTF-8 text",
    }
    told = "{path} of {artefactId}: {reason}\n".format(**skipped)
    done = kinora.call("movie", "scan", "film", "--json")
    assert done.returncode == 1 and done.stderr == ""
    scanned = json.loads(done.stdout)
    assert scanned["artefactIds"] == ["Artifact:SegmentText[segment=1]"]
    assert scanned["skipped"] == [skipped]
    done = kinora.call("movie", "scan", "film")
    assert done.returncode == 1
    assert done.stdout == f"recorded 0 edits by hand\nskipped 1 file\n  {told}"
    done = kinora.call("plan", "film")
    assert done.returncode == 0 and f"kinora: skipped {told}" in done.stderr
    kinora.ok("backup", "film", str(tmp_path / "film.tar"))


def test_plan_takes_what_was_edited_by_hand(tmp_path, kinora, film):
    texts = make_film_of_novels(tmp_path, kinora, film())
    texts[0].write_text("Call me Ahab. " * 500)
    edited = ["Artifact:SegmentText[segment=0]"]

    def pending():
        return kinora.json("movie", "scan", "film", "--dry-run")["artefactIds"]

    # What writes nothing tells of the edit and leaves it.
    for flags in (["--dry-run"], ["--set", "SegmentCount=2"]):
        done = kinora.call("plan", "film", *flags)
        assert done.returncode == 0, done.stderr
        assert f"does not count the edit by hand of {edited[0]}" in done.stderr
        assert pending() == edited
    done = kinora.call("plan", "film")
    assert done.returncode == 0, done.stderr
    assert f"recorded the edit by hand of {edited[0]}" in done.stderr
    assert pending() == []
    assert "edit by hand" not in kinora.call("plan", "film").stderr


def test_stopped_store_is_only_its_files(tmp_path, producers, film):
    data = tmp_path / "data"
    copy = tmp_path / "copy"

    def started(use):
        process = up(tmp_path, producers)
        try:
            use(Kinora(process.address))
        finally:
            assert process.stop() == 0, process.log()
        assert list((data / "journal").glob("*.wal")) == []

    def edit(kinora, *stories):
        for story in stories:
            kinora.ok("input", "set", "film", f'Story="{story}"')

    started(lambda kinora: (make_film(kinora, film()), edit(kinora, "one", "two")))
    shutil.copytree(data / "builds/film", copy)
    started(lambda kinora: (kinora.run("film"), edit(kinora, "three", "four")))
    shutil.rmtree(data / "builds/film")
    shutil.copytree(copy, data / "builds/film")

    def check(kinora):
        verified = kinora.json("verify", "film")
        assert verified["movies"][0]["problems"] == []
        assert "two" in kinora.ok("input", "list", "film")
        assert kinora.run("film").end == "run.completed"

    started(check)


def test_server_says_that_it_takes_writes(kinora):
    info = kinora.json("server", "info")
    assert info["storageDriver"] == "local"
    assert info["apiVersions"] == ["v1"]
    assert "readOnlyReason" not in info
    text = kinora.ok("server", "info")
    assert info["version"] in text and "takes writes\n" in text


def test_damage_in_one_log_quarantines_the_movie(tmp_path, film, producers):
    process = up(tmp_path, producers)
    try:
        for movie in ("film", "second", "other"):
            make_film(Kinora(process.address), film(), movie)
    finally:
        assert process.stop() == 0, process.log()
    damaged = {"film": "rev-0001.inputs.jsonl", "second": "rev-0001.artefacts.jsonl"}
    for movie, name in damaged.items():
        archive = tmp_path / "data/builds" / movie / "events" / name
        changed = bytearray(archive.read_bytes())
        changed[len(changed) // 2] ^= 1
        archive.write_bytes(changed)
    process = up(tmp_path, producers)
    try:
        kinora = Kinora(process.address)
        for movie, name in damaged.items():
            assert kinora.call("verify", movie).returncode == 1
            error = kinora.fails("input", "set", movie, 'Story="Call me Ahab."')
            # To check the value the planner reads inputs, and finds the damage.
            reason = "DATA_CORRUPT" if movie == "film" else "MOVIE_QUARANTINED"
            assert reason in error and name in error
            error = kinora.fails("checkpoint", movie)
            assert "MOVIE_QUARANTINED" in error and name in error
        kinora.ok("manifest", "show", "film")
        kinora.ok("input", "set", "other", 'Story="Call me Ahab."')
        kinora.ok("movie", "delete", "film", "--yes")
    finally:
        process.stop()
