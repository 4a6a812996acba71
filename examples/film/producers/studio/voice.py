"""Narration: espeak-ng reads a text phrase by phrase, with rests between."""

import io
import os
import subprocess
import tempfile
import wave

import numpy as np

from .words import phrases

RATE = 22050  # samples a second, as espeak-ng speaks
_LEAD, _TAIL = 0.75, 0.25  # seconds before and after; clips dissolve meanwhile
_RESTS = {".": 0.52, "!": 0.52, "?": 0.52, ";": 0.36, ":": 0.36, "—": 0.30, ",": 0.20}


def speak(phrase: str, speed: int, pitch: int, voice: str) -> np.ndarray:
    """One phrase as float samples without the silence around it."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "speech.wav")
        command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "-w", path, "--", phrase]
        subprocess.run(command, check=True, capture_output=True, text=True)
        with wave.open(path, "rb") as file:
            raw = file.readframes(file.getnframes())
    sound = np.frombuffer(raw, np.int16).astype(np.float32) / 32768.0
    loud = np.nonzero(np.abs(sound) > 0.004)[0]
    return sound[loud[0] : loud[-1] + 1] if len(loud) else sound[:0]


def narrate(text: str, speed: int = 160, pitch: int = 34, voice: str = "en-gb-x-rp", progress=None):
    """Returns the narration (float samples) and its cues.

    A cue is {"start", "end", "text"}, in seconds from the narration's start.
    """
    pieces, cues, at = [np.zeros(int(_LEAD * RATE), np.float32)], [], int(_LEAD * RATE)
    lines = phrases(text)
    for i, line in enumerate(lines):
        sound = speak(line, speed, pitch, voice)
        rest = np.zeros(int(_RESTS.get(line.rstrip("”\"’")[-1:], 0.2) * RATE), np.float32)
        cues.append({"start": round(at / RATE, 3), "end": round((at + len(sound)) / RATE, 3), "text": line})
        pieces += [sound, rest]
        at += len(sound) + len(rest)
        if progress:
            progress((i + 1) / len(lines), f"phrase {i + 1} of {len(lines)}")
    pieces.append(np.zeros(int(_TAIL * RATE), np.float32))
    return _room(np.concatenate(pieces)), cues


def _room(dry: np.ndarray) -> np.ndarray:
    """A little warmth and a small room, so that the voice stands somewhere."""
    rng = np.random.Generator(np.random.PCG64(1851))
    length = int(0.55 * RATE)
    echo = rng.standard_normal(length) * np.exp(-np.arange(length) / (0.11 * RATE))
    echo /= np.sqrt((echo**2).sum())
    size = 1 << (len(dry) + length).bit_length()
    spectrum = np.fft.rfft(dry, size)
    hertz = np.fft.rfftfreq(size, 1 / RATE)
    warm = (hertz**2 / (hertz**2 + 70.0**2)) * (1 + 0.35 * np.exp(-(((hertz - 190) / 130) ** 2)))
    warm = warm / np.sqrt(1 + (hertz / 6200.0) ** 4)
    wet = np.fft.irfft(spectrum * warm * (1 + 0.16 * np.fft.rfft(echo, size)), size)[: len(dry)]
    voiced = wet[np.abs(wet) > 0.01]
    level = np.sqrt((voiced**2).mean()) if len(voiced) else 1.0
    return np.tanh(wet * (0.17 / level)).astype(np.float32)


def wav_bytes(sound: np.ndarray, rate: int = RATE) -> bytes:
    """16-bit WAV; `sound` is (samples,) or (samples, channels)."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1 if sound.ndim == 1 else sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def read_wav(data: bytes) -> tuple[np.ndarray, int]:
    """The float samples of a 16-bit WAV, (samples, channels), and its rate."""
    with wave.open(io.BytesIO(data), "rb") as file:
        raw = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return raw.reshape(-1, file.getnchannels()).astype(np.float32) / 32768.0, file.getframerate()


def wav_seconds(data: bytes) -> float:
    with wave.open(io.BytesIO(data), "rb") as file:
        return file.getnframes() / file.getframerate()
