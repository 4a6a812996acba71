"""A movie made of an older revision folder."""

import json
import pathlib
import shutil

FOLDER = pathlib.Path(__file__).parents[2] / "clients/cpp/import/testdata/film"


# F: S1-20, S3-22
def test_every_old_revision_becomes_one_of_the_movie(tmp_path, kinora):
    told = kinora.json("movie", "import", "old", str(FOLDER), "--dry-run")
    assert "MOVIE_NOT_FOUND" in kinora.fails("movie", "show", "old")
    made = kinora.json("movie", "import", "old", str(FOLDER))
    assert [(r["folderRevision"], r["revision"]) for r in made["revisions"]] == [
        ("rev-0001", "rev-0001"),
        ("rev-0002", "rev-0002"),
        ("rev-0004", "rev-0003"),
    ]
    assert [r["artefacts"] for r in told["revisions"]] == [
        r["artefacts"] for r in made["revisions"]
    ]
    assert made["unusedFiles"] == ["revisions/rev-0002/images/sketch.png"]

    manifest = json.loads(
        kinora.ok("manifest", "show", "old", "--revision", "rev-0001", "--json")
    )
    timeline = manifest["artefacts"]["Artifact:Timeline"]["content"]["inline"]["json"]
    image = timeline["clips"][0]["url"]
    digest = manifest["artefacts"][image]["content"]["blob"]["hash"]
    blob = tmp_path / "data/builds/old/blobs" / digest[:2] / digest
    assert blob.read_bytes() == (
        FOLDER / "revisions/rev-0001/images/0.png"
    ).read_bytes()
    assert kinora.json("verify", "old")["movies"][0]["problems"] == []

    again = kinora.json("movie", "import", "old", str(FOLDER))
    assert all(r["wasThere"] for r in again["revisions"])
    assert kinora.json("verify", "old")["movies"][0]["problems"] == []


# F: S1-20
def test_what_was_imported_is_not_made_again(kinora):
    made = kinora.json("movie", "import", "old", str(FOLDER))
    assert made["keptRevision"] == "rev-0004"
    assert made["keptArtefacts"] == ["Artifact:Image[segment=0]"]
    # The last revision of the folder has no timeline.
    plan = kinora.json("plan", "old", "--dry-run")
    assert [job["jobId"] for layer in plan["layers"] for job in layer["jobs"]] == ["Cut"]
    assert plan["summary"]["cleanJobs"] == 1
    again = kinora.json("movie", "import", "old", str(FOLDER))
    assert again["keptArtefacts"] == []
    said = kinora.fails("manifest", "show", "old", "--revision", "rev-0005")
    assert "REVISION_NOT_FOUND" in said


# F: S1-20
def test_folder_with_a_flaw_is_refused_whole(tmp_path, kinora):
    folder = tmp_path / "old"
    shutil.copytree(FOLDER, folder)
    (folder / ".DS_Store").write_text("x")
    (folder / "revisions/rev-0004/artefacts.json").write_text('{"Image": "images/9.png"}')
    said = kinora.fails("movie", "import", "old", str(folder))
    assert "rev-0004/artefacts.json" in said
    assert "images/9.png" in said
    (folder / "revisions/rev-0004/artefacts.json").write_text("{}")
    (folder / "revisions/rev-0002/inputs.json").write_text('{"Topik": "x"}')
    said = kinora.fails("movie", "import", "old", str(folder))
    assert "rev-0002/inputs.json" in said
    assert 'did you mean "Topic"' in said
    assert "MOVIE_NOT_FOUND" in kinora.fails("movie", "show", "old")
    (folder / "revisions/rev-0002/inputs.json").unlink()
    made = kinora.json("movie", "import", "old", str(folder))
    assert made["strayFiles"] == [".DS_Store"]
