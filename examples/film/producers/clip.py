"""clip: moves slowly over a picture for as long as its narration lasts."""

from kinora import Producer
from studio import moving

producer = Producer("clip", version="1", description="Makes a moving clip from a picture.", concurrency=2)


@producer.job
def clip(job):
    out = job.temporary("clip.mp4")
    number = job.point["segment"] + 1
    moving.make_clip(job.path("picture"), job.json("cues"), number, out, progress=job.progress)
    job.write_file("Clip", out)


if __name__ == "__main__":
    producer.serve()
