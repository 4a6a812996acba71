"""timeline: when each segment starts and what is seen and heard in it."""

from kinora import Producer
from studio import moving, plan

producer = Producer("timeline", version="1", description="Lays segments out in time.")


@producer.job
def timeline(job):
    cues = [narration.json() for narration in job.list("cues")]
    texts = [text.text() for text in job.list("texts")]
    layout = plan.lay_out(cues, texts, job.settings.get("leadSeconds", 3.0))
    job.write_json("Timeline", layout)
    job.write("Subtitles", moving.srt(plan.film_cues(layout)))


if __name__ == "__main__":
    producer.serve()
