"""narration: reads a segment aloud and notes when each phrase is heard."""

from kinora import Producer
from studio import voice

producer = Producer("narration", version="1", description="Speaks a text with espeak-ng.")


@producer.job
def narration(job):
    sound, cues = voice.narrate(job.text("text"), progress=job.progress, **job.settings)
    job.log(f"{len(cues)} phrases in {len(sound) / voice.RATE:.1f} s")
    job.write("NarrationAudio", voice.wav_bytes(sound))
    job.write_json("NarrationCues", {"duration": round(len(sound) / voice.RATE, 3), "cues": cues})


if __name__ == "__main__":
    producer.serve()
