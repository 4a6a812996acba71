"""film: joins clips, narration, music and subtitles into the finished film."""

from kinora import Producer
from studio import moving, plan

producer = Producer("film", version="1", description="Assembles the film.", concurrency=1)


@producer.job
def film(job):
    timeline, out = job.json("timeline"), job.temporary("film.mp4")
    sound, lead = job.temporary("sound.wav"), timeline["leadSeconds"]
    job.progress(0.0, "mixing the sound")
    plan.mix_sound(timeline, [n.bytes() for n in job.list("narrations")], job.bytes("music"), sound)
    clips = [clip.path() for clip in job.list("clips")]
    moving.make_film(clips, lead, job.text("title"), sound, job.path("subtitles"), out, progress=job.progress)
    job.write_file("Film", out)


if __name__ == "__main__":
    producer.serve()
