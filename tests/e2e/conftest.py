import pytest

from cluster import Kinora, sim, up, write_producers

# One script, N segments of it through two stages, and a fan-in: the shape of
# a film without its cost.
FILM = """
blueprint: film
inputs:
  Story: {type: text}
  SegmentCount: {type: integer, default: 3, minimum: 1, maximum: 20}
  Prompt: {type: text, over: [segment], default: ""}
dimensions:
  segment: {size: Input:SegmentCount}
nodes:
  Script:
    producer: script
    inputs: {story: "Input:Story", count: "Input:SegmentCount"}
    outputs: {SegmentText: {type: text/plain, over: [segment]}}
  Picture:
    producer: picture
    over: [segment]
    settings: SETTINGS
    inputs: {text: "SegmentText[segment]", prompt: "Input:Prompt[segment]"}
    outputs: {Image: image/png}
  Clip:
    producer: clip
    over: [segment]
    inputs: {image: "Image[segment]"}
    outputs: {Clip: video/mp4}
  Film:
    producer: film
    inputs: {clips: {all: "Clip[segment]"}}
    outputs: {Film: video/mp4}
outputs: [Film]
"""

FILM_PRODUCERS = ("script", "picture", "clip", "film")


@pytest.fixture
def film(tmp_path):
    """Writes the film's blueprint, with settings for its pictures."""

    def write(settings: str = "{}"):
        path = tmp_path / "film.yaml"
        path.write_text(FILM.replace("SETTINGS", settings))
        return str(path)

    return write


@pytest.fixture
def producers(tmp_path):
    with sim(tmp_path) as process:
        yield write_producers(tmp_path, process.address, *FILM_PRODUCERS)


@pytest.fixture
def server(tmp_path, producers):
    """`kinora up` over simulated producers."""
    process = up(tmp_path, producers)
    yield process
    assert process.stop() == 0, process.log()


@pytest.fixture
def kinora(server):
    return Kinora(server.address)
