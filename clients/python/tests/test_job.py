"""What a job function can read and write."""

import hashlib
from datetime import datetime, timedelta

import pytest
from conftest import element

from kinora import Producer
from kinora.v1 import producer_pb2, types_pb2


def producer_of(function, **options):
    producer = Producer("p", version="7", **options)
    producer.job(function)
    return producer


def many(name, count):
    """An output with `count` elements over the dimension `segment`."""
    output = producer_pb2.ExpectedOutput(name=name, mime_type="text/plain")
    for i in range(count):
        output.elements.add(artefact_id=f"Artifact:{name}[segment={i}]",
                            index=[types_pb2.DimensionIndex(dimension="segment", index=i)])
    return output


def test_accepted_comes_first_and_result_last(serve):
    outcome = serve(producer_of(lambda job: job.write("Out", job.text("text").upper()))).run(
        "p", inputs={"text": element("call me")})
    assert outcome.messages[0] == "accepted" and outcome.messages[-1] == "result"
    assert outcome.accepted.identity.version == "7"
    assert outcome.result.WhichOneof("outcome") == "succeeded"
    assert outcome.outputs == {"Out": b"CALL ME"} and outcome.complete == {"Out"}
    assert outcome.mime_types == {"Out": "text/plain"}


# F: S0-19
def test_header_reaches_the_job(serve):
    seen = {}

    def look(job):
        seen.update(point=job.point, settings=job.settings, id=job.id, movie=job.movie_id, run=job.run_id,
                    node=job.node, attempt=job.attempt, draw=job.draw, key=job.inputs_hash)
        job.write("Out", "")

    serve(producer_of(look)).run("p", settings={"speed": 3}, draw=2, inputs_hash="a" * 64)
    assert seen == {"point": {"segment": 1}, "settings": {"speed": 3}, "id": "Node[segment=1]", "movie": "film",
                    "run": "run-1", "node": "Node", "attempt": 1, "draw": 2, "key": "a" * 64}


# F: S0-16
def test_job_without_settings_has_empty_ones(serve):
    runner = serve(producer_of(lambda job: job.write("Out", f"{job.settings}")))
    header, chunks = runner.header("p")
    header.settings_json = ""
    answers = runner.stub.Produce(runner.requests(header, chunks), timeout=30)
    assert b"{}" in [a.output_chunk.data for a in answers if a.HasField("output_chunk")]


# F: S0-17
# An input above the spool limit arrives whole and can be read as a file.
def test_large_streamed_input_is_spooled(serve):
    data = bytes(range(256)) * 20000

    def check(job):
        with open(job.path("blob"), "rb") as file:
            same = file.read() == data and job.bytes("blob") == data
        job.write("Out", f"{same} {job.input('blob').size}")

    outcome = serve(producer_of(check)).run("p", inputs={"blob": element(data, streamed=True)})
    assert outcome.outputs["Out"] == b"True 5120000"


# F: S0-13
def test_fan_in_keeps_index_order(serve):
    parts = [element("a", streamed=True), element("b"), element("", streamed=True), element("d")]
    outcome = serve(producer_of(lambda job: job.write("Out", "-".join(i.text() for i in job.list("parts"))))).run(
        "p", inputs={"parts": parts})
    assert outcome.outputs["Out"] == b"a-b--d"


# F: S0-13
# Two artefacts of one kind: neither takes the place of the other.
def test_artefacts_of_one_kind_are_told_apart(serve):
    def look(job):
        job.write("Out", " ".join(f"{name}={job.input(name).source}:{job.text(name)}" for name in ("last", "first")))

    outcome = serve(producer_of(look)).run("p", inputs={
        "first": element("sea", "Artifact:Image[segment=0]"), "last": element("land", "Artifact:Image[segment=1]")})
    assert outcome.outputs["Out"] == b"last=Artifact:Image[segment=1]:land first=Artifact:Image[segment=0]:sea"


# F: B-2
def test_fan_in_comes_in_groups_and_an_absent_input_is_not_there(serve):
    parts = [element("a"), element("b"), element("c")]

    def look(job):
        groups = [[e.text() for e in group] for group in job.groups("clips")]
        job.write("Out", f"{groups} {job.has('before')}")

    outcome = serve(producer_of(look)).run(
        "p", inputs={"clips": parts, "before": None}, groups={"clips": [2, 0, 1]})
    assert outcome.outputs["Out"] == b"[['a', 'b'], [], ['c']] False"

    outcome = serve(producer_of(lambda job: job.text("before"))).run("p", inputs={"before": None})
    assert "absent" in outcome.result.failed.message


def test_each_element_of_an_output_is_written_on_its_own(serve):
    def split(job):
        for i, place in enumerate(job.elements("Part")):
            job.write("Part", f"part {place['segment']}", at=i if i else {"segment": 0})

    outcome = serve(producer_of(split)).run("p", outputs=[many("Part", 3)])
    assert outcome.outputs == {f"Artifact:Part[segment={i}]": f"part {i}".encode() for i in range(3)}


def test_large_output_goes_out_in_chunks(serve):
    def write(job):
        with job.open("Out", "video/mp4") as out:
            for _ in range(40):
                out.write(b"x" * 100_000)

    outcome = serve(producer_of(write)).run("p")
    assert len(outcome.outputs["Out"]) == 4_000_000
    assert outcome.messages.count("output_chunk") > 15
    assert outcome.mime_types["Out"] == "video/mp4"


def test_json_is_written_in_canonical_form(serve):
    outcome = serve(producer_of(lambda job: job.write_json("Out", {"b": 1.0, "a": [0.25, "é", True, None]}))).run("p")
    assert outcome.outputs["Out"].decode() == '{"a":[0.25,"é",true,null],"b":1}'


def test_progress_logs_and_cost_arrive(serve):
    def work(job):
        job.progress(1, "half", total=2)
        job.log("one", "two\nthree")
        job.log("four")
        job.cost(0.25)
        job.cost(0.5)
        job.usage(tokens=3)
        job.write("Out", "")

    outcome = serve(producer_of(work)).run("p")
    assert outcome.progress == [(1.0, "half")]
    assert outcome.logs == ["one", "two", "three", "four"]
    assert outcome.usage.cost.micros == 750_000 and outcome.usage.quantities["tokens"] == 3


def test_question_ends_the_job_until_it_is_answered(serve):
    runner = serve(producer_of(lambda job: job.write("Out", job.ask("q1", "Which?", "choice", ["a", "b"]))))
    asked = runner.run("p")
    assert asked.question.question_id == "q1" and list(asked.question.options) == ["a", "b"]
    assert asked.result.waiting.question_id == "q1"
    answered = runner.run("p", answers=[producer_pb2.Answer(question_id="q1", value_json='"b"')])
    assert answered.outputs["Out"] == b"b"


def test_a_question_says_until_when_of_whom_and_what_about(serve):
    runner = serve(producer_of(lambda job: job.ask(
        "ok", "Publish it?", "confirm", default=False, timeout=timedelta(hours=2), on_deadline="cancel_run",
        assignees=["ann"], escalations=[(["bob", "editors"], timedelta(hours=1)), (["cleo"], None)],
        quorum=2, voters=3, about="a calm sea")))
    question = runner.run("p").question
    assert question.kind == producer_pb2.QUESTION_KIND_CONFIRM and question.default_json == "false"
    assert question.timeout.seconds == 7200 and not question.HasField("deadline")
    assert question.on_deadline == producer_pb2.QUESTION_DEADLINE_ACTION_CANCEL_RUN
    assert list(question.assignees) == ["ann"] and (question.quorum, question.voters) == (2, 3)
    first, last = question.escalations
    assert list(first.assignees) == ["bob", "editors"] and first.timeout.seconds == 3600
    assert list(last.assignees) == ["cleo"] and not last.HasField("timeout")
    assert question.content_hash == hashlib.sha256(b"a calm sea").hexdigest()


# F: S3-7
def test_a_question_may_be_passed_over_and_says_more_of_itself(serve):
    runner = serve(producer_of(lambda job: job.write("Out", str(job.ask(
        "tone", "Which tone?", required=False, metadata={"scene": 3})))))
    question = runner.run("p").question
    assert question.HasField("required") and not question.required
    assert question.metadata_json == '{"scene":3}'
    passed_over = runner.run("p", answers=[producer_pb2.Answer(question_id="tone", value_json="null")])
    assert passed_over.outputs["Out"] == b"None"
    asked = serve(producer_of(lambda job: job.ask("tone", "Which tone?"))).run("p").question
    assert not asked.HasField("required") and asked.metadata_json == ""


def test_an_answer_is_one_about_the_same_content(serve):
    def work(job):
        draft = "calm" if job.ask("ok", "Good?", "confirm", about="calm") else "wild"
        assert draft == "calm" or job.ask("ok", "Good?", "confirm", about="wild")
        job.write("Out", draft)

    def answer(about, value):
        return producer_pb2.Answer(question_id="ok", value_json=value,
                                   content_hash=hashlib.sha256(about.encode()).hexdigest())

    runner = serve(producer_of(work))
    asked = runner.run("p", answers=[answer("calm", "false")])
    assert asked.question.content_hash == hashlib.sha256(b"wild").hexdigest()
    done = runner.run("p", answers=[answer("calm", "false"), answer("wild", "true")])
    assert done.outputs["Out"] == b"wild"
    # One of a runner that does not say what it is about.
    old = runner.run("p", answers=[producer_pb2.Answer(question_id="ok", value_json="true")])
    assert old.outputs["Out"] == b"calm"


@pytest.mark.parametrize("terms, message", [
    ({"kind": "riddle"}, "kind: 'riddle' is none of 'text', 'confirm'"),
    ({"on_deadline": "shout"}, "on_deadline: 'shout' is none of 'default', 'fail_job', 'cancel_run'"),
    ({"deadline": datetime(2030, 1, 1)}, "deadline: a time without a time zone"),
    ({"about": "x", "content_hash": "y"}, "about= or content_hash="),
])
def test_a_question_without_a_form_fails_the_job_and_says_what_it_may_be(serve, terms, message):
    failed = serve(producer_of(lambda job: job.ask("q", "Which?", **terms))).run("p").result.failed
    assert message in failed.message


def test_diagnostics_are_what_the_function_returns(serve):
    def work(job):
        job.write("Out", "")
        return {"words": 12}

    assert serve(producer_of(work)).run("p").result.succeeded.diagnostics_json == '{"words":12}'


@pytest.mark.parametrize("call, message", [
    (lambda job: job.text("none"), "no input 'none'; it has: text"),
    (lambda job: job.write("None", ""), "no output 'None'; it makes: Out"),
    (lambda job: [job.write("Out", ""), job.write("Out", "")], "'Out' is written twice"),
    (lambda job: job.write("Out", "", at=4), "'Out' has no element 4"),
])
def test_wrong_names_fail_the_job_and_say_what_exists(serve, call, message):
    failed = serve(producer_of(call)).run("p", inputs={"text": element("x")}).result.failed
    assert message in failed.message and not failed.retryable
