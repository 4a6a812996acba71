"""How far an attempt came, for the runner and for the next attempt."""

import json

from kinora import Producer, Retryable


# What an attempt leaves is where the next one goes on.
def test_what_an_attempt_leaves_reaches_the_next_one(serve):
    producer = Producer("frames", version="1")

    @producer.job
    def draw(job):
        done = json.loads(job.heartbeat_details)["done"] if job.heartbeat_details else 0
        job.log(f"goes on at {done}")
        while done < 10:
            done += 1
            job.progress(done, f"frame {done}", total=10, details=json.dumps({"done": done}).encode())
            if done == 4 and job.attempt == 1:
                raise Retryable("lost the machine")
        job.write("Out", "film")

    runner = serve(producer)
    left = b""
    for message in runner.start("frames"):
        left = message.progress.heartbeat_details or left
    assert json.loads(left) == {"done": 4}
    again = runner.run("frames", heartbeat_details=left)
    assert again.logs == ["goes on at 4"]
    assert again.progress[0] == (5, "frame 5") and len(again.progress) == 6
