"""Looking writes nothing, and what a plan keeps says what it was made from."""

import hashlib
import json

from test_incremental import create


def files(directory):
    """Every file below a directory, with its bytes."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


# F: S1-24, S1-32 Not one byte of the movie changes, whatever is asked of it.
def test_what_ifs_and_questions_write_nothing(tmp_path, kinora, film):
    create(kinora, film("{cost: 0.25}"))
    kinora.run("film")
    kinora.ok("input", "set", "film", 'Prompt[segment=1]="at night"')
    kinora.run("film")
    given = tmp_path / "story.txt"
    given.write_text("Call me Ishmael. " * 1000)
    movie = tmp_path / "data/builds/film"
    before = files(movie)
    image = "Image[segment=1]"
    for words in (
        ("plan", "film", "--dry-run"),
        ("plan", "film", "--dry-run", "--regenerate", "Film", "--with-lineage"),
        ("plan", "film", "--set", 'Prompt[segment=0]="dawn"'),
        ("plan", "film", "--set", f"Story=file:{given}"),
        ("plan", "film", "--set", "SegmentCount=5", "--estimate"),
        ("plan", "film", "--set", "Take_Picture[segment=1]=3", "--only", image),
        ("run", "film", "--dry-run", "--set", f"Story=file:{given}"),
        ("explain", "film", "Film", "--revision", "rev-0002", "--against", "rev-0001"),
        ("diff", "film", "rev-0001", "rev-0002"),
        ("graph", "film", "--format", "svg"),
        ("take", "list", "film", image),
        ("input", "list", "film"),
        ("input", "history", "film"),
        ("artefact", "history", "film", image),
    ):
        kinora.ok(*words)
        assert files(movie) == before, words
    # What is refused does not, either.
    for words in (
        ("plan", "film", "--set", 'Stroy="x"'),
        ("plan", "film", "--only", "Imag"),
        ("run", "film", "--pin", "Image", "--regenerate", "Image"),
        ("input", "set", "film", 'Prompt[segment=0]="fog"', "SegmentCount=0"),
        ("input", "set", "film", 'Prompt[segment=1]="x"', "--expect", "rev-0001"),
        ("input", "undo", "film", "SegmentCount"),
        ("take", "choose", "film", image, "7"),
        ("artefact", "set", "film", 'Film="text"'),
        ("artefact", "restore", "film", image, "--to", "999"),
        ("revert", "film", "rev-0009"),
    ):
        kinora.fails(*words)
        assert files(movie) == before, words


# F: S1-30 Nor does a plan that cannot be made whole: there is none of a part.
def test_a_plan_that_cannot_be_whole_is_none(tmp_path, kinora, film):
    kinora.ok("movie", "create", "film", "--blueprint", film())
    movie = tmp_path / "data/builds/film"
    before = files(movie)
    for verb in ("plan", "run"):
        assert "INPUT_MISSING" in kinora.fails(verb, "film")
        assert files(movie) == before
    # A movie cannot come to have a blueprint with a cycle.
    path = tmp_path / "film.yaml"
    path.write_text(path.read_text().replace("Input:Story", "Film", 1))
    said = kinora.fails("movie", "blueprint", "film", str(path))
    assert "cycle: " in said and "BLUEPRINT_INVALID" in said
    assert files(movie) == before


# F: S1-27, S1-28
def test_a_runs_plan_names_the_manifest_that_it_was_made_from(tmp_path, kinora, film):
    create(kinora, film())
    kinora.run("film")
    kinora.ok("input", "set", "film", 'Prompt[segment=1]="at night"')
    header = kinora.json("plan", "film")
    kinora.run("film")
    movie = tmp_path / "data/builds/film"
    base = hashlib.sha256((movie / "manifests/rev-0001.json").read_bytes()).hexdigest()
    assert header["manifestBaseHash"] == base
    kept = (movie / "runs/rev-0002-plan.json").read_bytes()
    plan = json.loads(kept)
    assert plan["manifestBaseHash"] == base
    assert plan["baseRevision"] == "rev-0001"
    assert hashlib.sha256(kept).hexdigest() == header["planHash"]
    assert "manifestBaseHash" not in json.loads(
        (movie / "runs/rev-0001-plan.json").read_bytes()
    )
