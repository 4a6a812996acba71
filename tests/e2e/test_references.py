"""Large inputs that a producer reads from the store's files."""

import json

from cluster import Separate, metrics_address, sim, write_producers
from conftest import FILM_PRODUCERS
from test_incremental import create
from test_metrics import LISTEN, get, samples

PICTURES = 3
PICTURE_BYTES = 2 << 20


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


# The simulated producer compares all bytes with their digest, however they come.
def test_references_spare_the_store_and_change_nothing_else(tmp_path, film):
    blueprint = film(f"{{bytes: {PICTURE_BYTES}}}")
    streamed, read = made_and_read(tmp_path / "streamed", blueprint, False)
    assert read >= PICTURES * PICTURE_BYTES
    referred, read = made_and_read(tmp_path / "50% of #1?", blueprint, True)
    assert read < PICTURE_BYTES
    assert "Artifact:Clip[segment=2]" in streamed
    assert referred == streamed
