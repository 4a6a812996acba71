"""script: cuts a story at sentence ends into segments of similar length."""

from kinora import Producer, Rejected
from studio import words

producer = Producer("script", version="1", description="Cuts a story into segments.")


@producer.job
def script(job):
    try:
        parts = words.segments(job.text("story"), job.json("count"))
    except ValueError as error:
        raise Rejected(str(error)) from error
    for i, part in enumerate(parts):
        job.write("SegmentText", part, at=i)


if __name__ == "__main__":
    producer.serve()
