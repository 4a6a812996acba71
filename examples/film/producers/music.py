"""music: a quiet piece exactly as long as the film."""

from kinora import Producer
from studio import synth, voice

producer = Producer("music", version="1", description="Composes ambient music.", concurrency=1)


@producer.job
def music(job):
    seconds = job.json("timeline")["duration"]
    job.progress(0.1, f"composing {seconds:.1f} s")
    job.write("Music", voice.wav_bytes(synth.compose(seconds, job.settings.get("seed", "")), synth.RATE))


if __name__ == "__main__":
    producer.serve()
