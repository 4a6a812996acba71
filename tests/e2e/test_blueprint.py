"""The blueprint language: its published schema says what the planner says, and
what the language promises holds in a run."""

import json
import re

import jsonschema
import pytest
import yaml

from cluster import ROOT, Kinora, up

SCHEMA = json.loads((ROOT / "docs/blueprint.schema.json").read_text())


class PlainLoader(yaml.SafeLoader):
    """Reads YAML as the planner does: a plain scalar is a number, a boolean or
    null only if JSON spells it so."""


PlainLoader.yaml_implicit_resolvers = {}
for word, tag, first in (
    (r"true|false", "bool", "tf"),
    (r"null|~|", "null", ["n", "~", ""]),
    (r"-?(0|[1-9][0-9]*)", "int", "-0123456789"),
    (r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", "float", "-0123456789"),
):
    PlainLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{tag}", re.compile(f"^({word})$"), first
    )


def schema_error(text: str) -> str:
    """What the schema has against a blueprint; empty for nothing."""
    validator = jsonschema.Draft202012Validator(SCHEMA)
    documents = [d for d in yaml.load_all(text, PlainLoader) if d is not None]
    errors = (e for d in documents for e in validator.iter_errors(d))
    error = next(errors, None)
    return "" if error is None else f"{list(error.path)}: {error.message}"


def files() -> dict[str, str]:
    """Every blueprint of the examples, the documents and the tests."""
    found = {}
    for path in sorted(ROOT.glob("examples/*/*.yaml")):
        found[str(path.relative_to(ROOT))] = path.read_text()
    for path in sorted(ROOT.glob("clients/cpp/import/testdata/**/*.yaml")):
        found[str(path.relative_to(ROOT))] = path.read_text()
    for path in sorted(ROOT.glob("services/planner/**/testdata/*.yaml")):
        found[str(path.relative_to(ROOT))] = path.read_text()
    for path in sorted([*ROOT.glob("docs/*.md"), ROOT / "README.md"]):
        blocks = re.findall(r"^```yaml\n(.*?)^```$", path.read_text(), re.S | re.M)
        for number, block in enumerate(blocks):
            found[f"{path.name} {number}"] = block
    for path in sorted(ROOT.glob("services/planner/**/*_test.cc")):
        texts = re.findall(r'R"\((.*?)\)"', path.read_text(), re.S)
        for number, text in enumerate(texts):
            found[f"{path.name} {number}"] = text
    return {
        name: text
        for name, text in found.items()
        if re.search(r"^blueprint: ", text, re.M)
    }


BLUEPRINTS = files()


@pytest.fixture(scope="module")
def planner(tmp_path_factory):
    """`kinora up`; a function that returns what it has against a blueprint."""
    tmp = tmp_path_factory.mktemp("planner")
    process = up(tmp)
    kinora = Kinora(process.address)

    def refusal(text: str) -> str:
        path = tmp / "blueprint.yaml"
        path.write_text(text)
        movie = f"m{refusal.count}"
        refusal.count += 1
        done = kinora.call("movie", "create", movie, "--blueprint", str(path))
        return done.stderr if done.returncode else ""

    refusal.count = 0
    yield refusal
    assert process.stop() == 0


# F: B-2 What is documented or shown anywhere is right.
@pytest.mark.parametrize("name", BLUEPRINTS)
def test_every_blueprint_fits_the_schema(planner, name):
    assert schema_error(BLUEPRINTS[name]) == ""
    assert planner(BLUEPRINTS[name]) == ""


GOOD = """
blueprint: film
inputs:
  Story: {type: text, default: ""}
  Count: {type: integer, default: 2, minimum: 1}
  Images: {type: integer, over: [segment], default: 2}
  Music: {type: boolean, default: true}
dimensions:
  segment: {size: Input:Count}
  image: {within: segment, size: "Input:Images[segment]"}
nodes:
  Picture:
    producer: {name: picture, version: ">=1"}
    settings: {style: dark}
    limits: {max_attempts: 5, job_timeout_seconds: 60}
    price: {min: 0, max: 1, currency: USD}
    over: [segment, image]
    outputs: {Image: image/png}
  Film:
    producer: film
    when: {value: Input:Count, at_least: 1}
    inputs:
      images: {all: "Image[segment][image]", group: segment, order: [segment]}
      first: {from: "Image[0][0]", else: Input:Story}
    outputs:
      Film: {type: text/plain, readable: film.txt}
      Cast: {type: application/json, leaves: {Hero: /hero, Title: {at: /title}}}
outputs: [Film]
"""

# Each makes the one above structurally wrong.
BAD = [
    ("blueprint: film", "blueprin: film"),
    ("blueprint: film", "blueprint: [film]"),
    ("blueprint: film", "blueprint: a b"),
    ("type: text,", "typ: text,"),
    ("type: text,", "type: txt,"),
    ("type: text,", ""),
    ("type: text,", "type: file,"),
    ("type: text,", "type: text, minimum: 1,"),
    ("minimum: 1", "minimum: one"),
    ("default: 2, min", "default: two, min"),
    ("over: [segment], default", "over: segment, default"),
    ("size: Input:Count", "size: 0"),
    ("size: Input:Count", "size: 1000001"),
    ("size: Input:Count", "size: 2x"),
    ("size: Input:Count", "sizes: 2"),
    ("within: segment", "within: [segment]"),
    ("{name: picture, version", "{nam: picture, version"),
    ("producer: film", "producer: [film]"),
    ("    producer: film\n", ""),
    ("settings: {style: dark}", "settings: dark"),
    ("max_attempts: 5", "max_attempts: 0"),
    ("max_attempts: 5", "attempts: 5"),
    ("job_timeout_seconds: 60", "job_timeout_seconds: 86401"),
    ("currency: USD", "currency: dollars"),
    ("max: 1, ", ""),
    ("min: 0", "min: -1"),
    ("over: [segment, image]", "over: [segment, segment]"),
    ("outputs: {Image: image/png}", "outputs: {}"),
    ("image/png", "png"),
    ("at_least: 1", "at_lest: 1"),
    ("at_least: 1", "at_least: 1, at_most: 2"),
    ("value: Input:Count, ", ""),
    ("at_least: 1", "at_least: many"),
    ("group: segment", "group: [segment]"),
    ("order: [segment]", "order: segment"),
    ("all: \"Image", "any: \"Image"),
    ("[0][0]", "[0"),
    ("[0][0]", "[00][0]"),
    ("else: Input", "els: Input"),
    ("readable: film.txt", "readable: /film.txt"),
    ("/title", "title"),
    ("/title", "/ti~tle"),
    ("{at: /title}", "{type: text/plain}"),
    ("{at: /title}", "{at: /title, type: image/png}"),
    ("outputs: [Film]", "outputs: Film"),
    ("outputs: [Film]", "outputs: [Film, Film]"),
    ("  Film:\n", "  Fi-lm:\n"),
    ("producer: film", "use: film"),
    ("nodes:", "inputs2: {}\nnodes:"),
]


# F: S1-30
@pytest.mark.parametrize("before,after", BAD)
def test_schema_and_planner_refuse_the_same(planner, before, after):
    assert before in GOOD
    text = GOOD.replace(before, after, 1)
    assert schema_error(text) != ""
    assert re.search(r"blueprint.yaml:\d+: ", planner(text))
