"""Music: a slow, quiet piece for strings, bells and the sea, made of numbers."""

import numpy as np

from .canvas import random_of

RATE = 22050  # as the voice has; the encoder raises both
_BAR = 6.0  # seconds a chord lasts
# D minor, wandering: Dm9, Bb maj7, F add9, C sus2, Gm7, Bb, F, A sus4.
_CHORDS = (
    (38, 45, 53, 57, 64), (34, 46, 53, 57, 62), (41, 48, 55, 57, 65), (36, 48, 55, 62, 64),
    (43, 50, 53, 58, 65), (34, 46, 50, 57, 65), (41, 45, 53, 60, 67), (45, 52, 57, 62, 64),
)
_BELLS = (74, 77, 79, 81, 84, 86, 69, 72)


def _hertz(note: float) -> float:
    return 440.0 * 2 ** ((note - 69) / 12)


def _string(note: int, seconds: float, rng) -> np.ndarray:
    """A bowed note in stereo: detuned partials that swell and fade."""
    count = int(seconds * RATE)
    t = np.arange(count, dtype=np.float32) / RATE
    swell = np.clip(t / 2.4, 0, 1) ** 1.5 * np.clip((seconds - t) / 2.9, 0, 1) ** 1.5
    out = np.zeros((count, 2), np.float32)
    for channel in range(2):
        for detune in (-0.055, 0.05):
            base = _hertz(note + detune + 0.02 * (channel - 0.5))
            phase = float(rng.random()) * 6.283
            drift = 0.6 * np.sin(2 * np.pi * (0.13 + 0.09 * float(rng.random())) * t + phase)
            angle = (2 * np.pi * base * t + drift).astype(np.float32)
            for partial in (1, 2, 3):
                out[:, channel] += np.sin(partial * angle) / partial**2.1
    return out * swell[:, None] * 0.055


def _bell(note: int, strength: float) -> np.ndarray:
    t = np.arange(int(3.6 * RATE), dtype=np.float32) / RATE
    base = _hertz(note)
    tone = sum(a * np.sin(2 * np.pi * base * r * t) * np.exp(-t * d)
               for r, a, d in ((1, 1.0, 1.5), (2.003, 0.32, 2.4), (3.01, 0.12, 3.8), (5.4, 0.03, 7.0)))
    return (tone * np.clip(t / 0.012, 0, 1) * strength).astype(np.float32)


def compose(seconds: float, seed: str = "") -> np.ndarray:
    """A piece of exactly that length as float samples (samples, 2)."""
    rng = random_of("music", seed)
    total = int(seconds * RATE)
    piece = np.zeros((total + int(12 * RATE), 2), np.float32)
    bars = int(np.ceil(seconds / _BAR)) + 1
    strings = {}  # one take of each note is enough
    for bar in range(bars):
        chord = _CHORDS[bar % len(_CHORDS)]
        start = int(max(0.0, bar * _BAR - 1.2) * RATE)
        for note in chord:
            if note not in strings:
                strings[note] = _string(note, _BAR + 3.0, rng)
            sound = strings[note]
            _add(piece, start, sound * (1.25 if note < 48 else 0.9))
        for _ in range(int(rng.integers(1, 4))):
            note = _BELLS[int(rng.integers(len(_BELLS)))]
            place, beat = 0.25 + 0.5 * float(rng.random()), int(rng.integers(0, 12)) * _BAR / 12
            sound = _bell(note, 0.030 + 0.022 * float(rng.random()))
            _add(piece, int((bar * _BAR + beat) * RATE), np.stack([sound * (1 - place), sound * place], axis=1) * 1.6)
    piece = _hall(piece, rng)[:total] + _surf(total, rng)
    t = np.arange(total, dtype=np.float32) / RATE
    piece *= (np.clip(t / 2.5, 0, 1) * np.clip((seconds - t) / 4.0, 0, 1))[:, None]
    return np.tanh(piece * (0.30 / max(float(np.abs(piece).max()), 1e-6)) * 1.6).astype(np.float32)


def _add(piece, start, sound):
    end = min(len(piece), start + len(sound))
    if end > start:
        piece[start:end] += sound[: end - start]


def _hall(dry: np.ndarray, rng) -> np.ndarray:
    length = int(2.8 * RATE)
    size = 1 << (len(dry) + length).bit_length()
    out = np.empty_like(dry)
    for channel in range(2):
        echo = rng.standard_normal(length) * np.exp(-np.arange(length) / (0.62 * RATE))
        echo = np.convolve(echo / np.sqrt((echo**2).sum()), np.ones(9) / 9, "same")
        wet = np.fft.irfft(np.fft.rfft(dry[:, channel], size) * np.fft.rfft(echo, size), size)
        out[:, channel] = dry[:, channel] * 0.75 + 0.75 * wet[: len(dry)]
    return out


def _surf(total: int, rng) -> np.ndarray:
    """Waves on a shore: noise that breathes, a little different left and right."""
    t = np.arange(total, dtype=np.float32) / RATE
    out = np.empty((total, 2), np.float32)
    for channel in range(2):
        size = 1 << total.bit_length()
        spectrum = np.fft.rfft(rng.standard_normal(size))
        hertz = np.maximum(np.fft.rfftfreq(size, 1 / RATE), 1.0)
        noise = np.fft.irfft(spectrum * (hertz / 300) / (1 + (hertz / 300) ** 2) / (1 + (hertz / 2600) ** 2), size)[:total]
        noise /= noise.std()
        breath = 0.5 + 0.5 * np.sin(2 * np.pi * t / 8.7 + 0.5 * channel + 0.7 * np.sin(t / 5.1))
        out[:, channel] = noise * (0.006 + 0.016 * breath**2)
    return out


def mix(narration: np.ndarray, music: np.ndarray) -> np.ndarray:
    """Lays a mono voice (at RATE) over music that steps back when it speaks."""
    total = max(len(narration), len(music))
    voice, bed = np.zeros(total, np.float32), np.zeros((total, 2), np.float32)
    voice[: len(narration)] = narration
    bed[: len(music)] = music
    hop = RATE // 50
    frames = np.abs(np.pad(voice, (0, -total % hop)).reshape(-1, hop)).max(axis=1)
    level, speaking = np.zeros(len(frames), np.float32), (frames > 0.02).astype(np.float32)
    for i in range(1, len(frames)):
        pace = 0.16 if speaking[i] > level[i - 1] else 0.028
        level[i] = level[i - 1] + (speaking[i] - level[i - 1]) * pace
    duck = np.interp(np.arange(total), np.arange(len(level)) * hop, 1.0 - 0.58 * level)
    return np.tanh(voice[:, None] * 0.95 + bed * 0.95 * duck[:, None].astype(np.float32))
