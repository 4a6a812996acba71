"""Artefacts that decide how many jobs there are and which are active."""


import pytest

from cluster import Kinora, Separate, sim, up, write_producers

SCENES = """
blueprint: scenes
dimensions:
  segment: {size: Scenes}
  shot: {within: segment, size: "Shots[segment]"}
nodes:
  Script:
    producer: script
    settings: {text: 'TEXT'}
    outputs: {Script: {type: application/json, leaves: {Scenes: /scenes, Song: /song}}}
  Storyboard:
    producer: script
    over: [segment]
    settings: {text: '[1, 2]'}
    inputs: {scenes: Scenes}
    outputs: {Shots: application/json}
  Shot:
    producer: clip
    over: [segment, shot]
    inputs: {shots: "Shots[segment]"}
    outputs: {Clip: video/mp4}
  Music:
    producer: picture
    when: Song
    outputs: {Music: audio/wav}
  Film:
    producer: film
    settings: {delay_ms: DELAY}
    inputs: {clips: {all: "Clip[segment][shot]"}, music: Music}
    outputs: {Film: video/mp4}
"""


def scenes(count: int, song: bool, delay_ms: int = 0) -> str:
    names = ", ".join(f'"scene {n}"' for n in range(count))
    text = f'{{"scenes": [{names}], "song": {"true" if song else "false"}}}'
    return SCENES.replace("TEXT", text).replace("DELAY", str(delay_ms))


def pin(kinora, tmp_path, text):
    path = tmp_path / "scenes.yaml"
    path.write_text(text)
    if kinora.call("movie", "show", "scenes").returncode == 0:
        kinora.ok("movie", "blueprint", "scenes", str(path))
    else:
        kinora.ok("movie", "create", "scenes", "--blueprint", str(path))


def clips(kinora) -> int:
    artefacts = kinora.json("artefact", "list", "scenes")["artefacts"]
    return len([name for name in artefacts if name.startswith("Artifact:Clip[")])


@pytest.fixture
def kinora(tmp_path):
    with sim(tmp_path) as producer:
        table = write_producers(
            tmp_path, producer.address, "script", "picture", "clip", "film"
        )
        process = up(tmp_path, table)
        yield Kinora(process.address)
        assert process.stop() == 0, process.log()


# F: B-2 A dimension sized by a list, one within it, and a condition on a leaf.
def test_lists_and_conditions_decide_during_the_run(kinora, tmp_path):
    pin(kinora, tmp_path, scenes(2, song=True))
    first = kinora.run("scenes")
    assert first.end == "run.completed", first.events[-1]
    assert len(first.called) == 1 + 2 + 4 + 1 + 1
    expanded = [e for e in first.events if e["type"] == "job.expanded"]
    assert len(expanded) >= 2
    assert clips(kinora) == 4
    assert kinora.run("scenes").called == set()

    pin(kinora, tmp_path, scenes(1, song=False))
    shorter = kinora.run("scenes")
    assert shorter.end == "run.completed", shorter.events[-1]
    assert shorter.called == {"Script", "Storyboard[segment=0]", "Film"}
    assert clips(kinora) == 2
    artefacts = kinora.json("artefact", "list", "scenes")["artefacts"]
    assert "Artifact:Music" not in artefacts

    pin(kinora, tmp_path, scenes(2, song=True))
    back = kinora.run("scenes")
    assert back.called == set() and back.end == "run.completed"
    assert clips(kinora) == 4


# F: B-5
def test_scopes_reach_into_what_is_decided_during_the_run(kinora, tmp_path):
    pin(kinora, tmp_path, scenes(2, song=True))
    drawn = kinora.ok("graph", "scenes")
    assert 'label="Storyboard: waits for Scenes"' in drawn
    assert '[style=dotted label="if"]' in drawn
    one = kinora.run("scenes", "--only", "Clip[segment=1][shot=0]")
    assert one.end == "run.completed", one.events[-1]
    assert one.called == {
        "Script",
        "Storyboard[segment=1]",
        "Shot[segment=1][shot=0]",
    }
    assert clips(kinora) == 1

    too_far = kinora.call("run", "scenes", "--only", "Clip[segment=5][shot=0]")
    assert too_far.returncode != 0
    assert "Clip[segment=5][shot=0]" in too_far.stderr

    rest = kinora.run("scenes")
    assert len(rest.called) == 1 + 3 + 1 + 1
    assert clips(kinora) == 4
    # What decides is made anew; the same list decides the same.
    again = kinora.run("scenes", "--regenerate", "Scenes")
    assert again.called == {"Script"}
    assert again.end == "run.completed", again.events[-1]

    pin(kinora, tmp_path, scenes(2, song=False))
    off = kinora.call("run", "scenes", "--only", "Music")
    assert off.returncode != 0
    said = off.stdout + off.stderr
    assert "Artifact:Music" in said and "switches its job off" in said


@pytest.fixture
def separate(tmp_path):
    with sim(tmp_path) as producer:
        table = write_producers(
            tmp_path, producer.address, "script", "picture", "clip", "film"
        )
        servers = Separate(tmp_path, table)
        yield servers
        assert servers.stop() == [0, 0, 0]


# The runner dies between the expansion and the end: the next one goes on with
# the same jobs, and calls for nothing that was made.
def test_a_runner_that_dies_after_an_expansion_is_gone_on_after(separate, tmp_path):
    pin(separate.kinora, tmp_path, scenes(2, song=True, delay_ms=4000))
    watched = separate.kinora.start("run", "scenes", "--json")
    for line in watched.stdout:
        # A clip is there; the film takes its time.
        if '"step.completed"' in line and "Shot[" in line:
            break
    separate.runner.kill()
    watched.wait()
    separate.start_runner()
    [run] = separate.kinora.json("runs", "list")["runs"]
    events = separate.kinora.lines("runs", "watch", run["runId"])
    assert events[-1]["type"] == "run.completed", events[-1]
    types = [event["type"] for event in events]
    adopted = types.index("run.resumed")
    called = {
        e["stepId"] for e in events[adopted:] if e["type"] == "step.started"
    }
    assert "Script" not in called
    assert "Film" in called
    # What had been told of before is not told again.
    expansions = [e["message"] for e in events if e["type"] == "job.expanded"]
    assert len(set(expansions)) == len(expansions), expansions
    assert clips(separate.kinora) == 4
    assert separate.kinora.run("scenes").called == set()
