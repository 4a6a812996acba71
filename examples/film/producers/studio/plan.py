"""The film's plan in time, and its sound laid along it."""

import numpy as np

from . import synth, voice
from .moving import DISSOLVE, FPS, frames_of

_ENDING = 2.0  # seconds of fade and black after the last segment


def lay_out(narrations: list[dict], texts: list[str], lead_seconds: float) -> dict:
    """The timeline: for each segment its start, length, cues and artefacts.

    Times are in seconds and fall on picture boundaries. Artefacts are named,
    not embedded: a new picture leaves the timeline as it is.
    """
    at, segments = round(lead_seconds * FPS), []
    for i, (narration, text) in enumerate(zip(narrations, texts, strict=True)):
        length = frames_of(narration["duration"])
        segments.append({
            "segment": i,
            "start": round(at / FPS, 6),
            "duration": round(length / FPS, 6),
            "text": text,
            "cues": narration["cues"],
            "clip": f"Artifact:Clip[segment={i}]",
            "picture": f"Artifact:Picture[segment={i}]",
            "narration": f"Artifact:NarrationAudio[segment={i}]",
        })
        at += length
    return {
        "framesPerSecond": FPS,
        "leadSeconds": lead_seconds,
        "dissolveSeconds": DISSOLVE / FPS,
        "duration": round(at / FPS + _ENDING, 6),
        "music": "Artifact:Music",
        "segments": segments,
    }


def film_cues(timeline: dict) -> list[dict]:
    """All cues with their times in the film."""
    return [
        {"start": s["start"] + c["start"], "end": s["start"] + c["end"], "text": c["text"]}
        for s in timeline["segments"] for c in s["cues"]
    ]


def mix_sound(timeline: dict, narrations: list[bytes], music: bytes, out: str):
    """Writes the film's sound, a WAV: voices where the timeline has them."""
    bed, _ = voice.read_wav(music)
    speech = np.zeros(len(bed), np.float32)
    for segment, data in zip(timeline["segments"], narrations, strict=True):
        sound, _ = voice.read_wav(data)
        start = round(segment["start"] * voice.RATE)
        room = len(speech[start : start + len(sound)])
        speech[start : start + room] += sound[:room, 0]
    with open(out, "wb") as file:
        file.write(voice.wav_bytes(synth.mix(speech, bed), synth.RATE))
