"""Large inputs that a producer reads from the store's files."""

import json
import pathlib

import pytest

from cluster import Kinora, Separate, metrics_address, python_producer, sim, up
from cluster import write_producers
from conftest import FILM_PRODUCERS
from test_incremental import create
from test_metrics import LISTEN, get, samples

PICTURES = 3
PICTURE_BYTES = 2 << 20

PRODUCERS = """
import kinora

draw = kinora.Producer("draw", version="1")
look = kinora.Producer("look", version="1", references=True)

@draw.job
def drawn(job):
    job.write("Picture", bytes(2 << 20))

@look.job
def seen(job):
    picture = job.input("picture")
    job.write("Sight", f"{len(picture.bytes())} {picture.path()}")

kinora.serve(draw, look)
"""

SIGHTS = """
blueprint: sights
nodes:
  Draw: {producer: draw, outputs: {Picture: image/png}}
  Look:
    producer: look
    inputs: {picture: Picture}
    outputs: {Sight: text/plain}
outputs: [Sight]
"""


def made_and_read(folder, blueprint: str, references: bool) -> tuple[dict, float]:
    """What a film consists of in the end, and the bytes of blobs that went
    through the store while it was made."""
    folder.mkdir()
    with sim(folder, "--references", "true") as producer:
        table = write_producers(folder, producer.address, *FILM_PRODUCERS)
        if references:
            table.write_text(table.read_text().replace("}", ", references: true}"))
        services = Separate(folder, table, *LISTEN)
        try:
            create(services.kinora, blueprint)
            assert services.kinora.run("film").end == "run.completed"
            manifest = json.loads(services.kinora.manifest_bytes("film"))
            told = samples(get(metrics_address(services.store)))
        finally:
            assert services.stop() == [0, 0, 0]
    made = {name: a["content"] for name, a in manifest["artefacts"].items()}
    return made, told["kinora_store_blob_read_bytes_total"]


# F: S0-17
# The simulated producer compares all bytes with their digest, however they come.
def test_references_spare_the_store_and_change_nothing_else(tmp_path, film):
    blueprint = film(f"{{bytes: {PICTURE_BYTES}}}")
    streamed, read = made_and_read(tmp_path / "streamed", blueprint, False)
    assert read >= PICTURES * PICTURE_BYTES
    referred, read = made_and_read(tmp_path / "50% of #1?", blueprint, True)
    assert read < PICTURE_BYTES
    assert "Artifact:Clip[segment=2]" in streamed
    assert referred == streamed


@pytest.mark.parametrize("references", [True, False])
def test_a_producer_in_python_reads_in_place_where_it_may(tmp_path, references):
    (tmp_path / "sights.yaml").write_text(SIGHTS)
    producer = python_producer(tmp_path / "sights.py", PRODUCERS)
    table = write_producers(tmp_path, producer.address, "draw", "look")
    if references:
        table.write_text(table.read_text().replace("}", ", references: true}"))
    server = up(tmp_path, table)
    try:
        kinora = Kinora(server.address)
        blueprint = str(tmp_path / "sights.yaml")
        kinora.ok("movie", "create", "sights", "--blueprint", blueprint)
        assert kinora.run("sights").end == "run.completed"
        sight = kinora.ok("artefact", "get", "sights", "Sight")
        size, _, path = sight.strip().partition(" ")
        assert int(size) == PICTURE_BYTES
        blobs = (tmp_path / "data/builds/sights/blobs").resolve()
        assert (blobs in pathlib.Path(path).parents) == references
    finally:
        server.stop()
        producer.kill()
