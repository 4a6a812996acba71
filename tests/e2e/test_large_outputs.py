"""An output goes through the runner as it arrives: its size costs no memory.

KINORA_OUTPUT_BYTES (1 GiB) is how large it is.
"""

import os

import pytest

from cluster import Separate

BYTES = int(os.environ.get("KINORA_OUTPUT_BYTES", 1 << 30))
MOST_MIB = 200

BLUEPRINT = f"""
blueprint: large
inputs: {{Story: {{type: text}}}}
nodes:
  Picture:
    producer: picture
    settings: {{bytes: {BYTES}}}
    inputs: {{story: "Input:Story"}}
    outputs: {{Image: image/png}}
outputs: [Image]
"""


@pytest.fixture
def separate(tmp_path, producers):
    servers = Separate(tmp_path, producers)
    yield servers
    servers.stop()


def test_a_large_output_is_never_held_whole(tmp_path, separate):
    kinora = separate.kinora
    path = tmp_path / "large.yaml"
    path.write_text(BLUEPRINT)
    kinora.ok("movie", "create", "m", "--blueprint", str(path))
    kinora.ok("input", "set", "m", 'Story="Call me Ishmael."')
    assert kinora.run("m").end == "run.completed"
    blobs = (tmp_path / "data/builds/m/blobs").rglob("*")
    assert max(blob.stat().st_size for blob in blobs) == BYTES
    assert separate.runner.peak_mib < MOST_MIB
    assert separate.store.peak_mib < MOST_MIB
