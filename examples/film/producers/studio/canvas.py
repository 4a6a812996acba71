"""Small tools every painter here shares: colour, noise, and compositing.

Images are float32 arrays of linear light, (height, width, 3); masks are
(height, width). Screen space has its origin at the top left.
"""

import hashlib

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 1280, 720


def seed_of(*parts: str) -> int:
    """A 64-bit seed from any number of strings."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big")


def random_of(*parts: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed_of(*parts)))


def colour(code: str) -> np.ndarray:
    """`#rrggbb` in linear light."""
    srgb = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32)
    return (srgb / 255.0) ** np.float32(2.2)


def smooth(low: float, high: float, value):
    """0 below `low`, 1 above `high`, a soft curve between."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def mix(a, b, amount):
    """Blends two colours or images; `amount` may be a number or a mask."""
    if isinstance(amount, np.ndarray) and amount.ndim == 2:
        amount = amount[..., None]
    return a + (b - a) * amount


def texture(rng: np.random.Generator, roughness: float = 1.7, size: int = 512):
    """Tileable fractal noise, mean 0 and deviation 1."""
    spectrum = np.fft.rfft2(rng.standard_normal((size, size)))
    fy = np.fft.fftfreq(size)[:, None] * size
    fx = np.fft.rfftfreq(size)[None, :] * size
    radius = np.maximum(np.hypot(fx, fy), 1.0)
    noise = np.fft.irfft2(spectrum * radius**-roughness, s=(size, size))
    noise -= noise.mean()
    return (noise / noise.std()).astype(np.float32)


def sample(noise: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Reads a tileable texture at any coordinates (1.0 = one tile)."""
    size = noise.shape[0]
    u = (u % 1.0) * size
    v = (v % 1.0) * size
    x0, y0 = u.astype(np.int32), v.astype(np.int32)
    fx, fy = (u - x0).astype(np.float32), (v - y0).astype(np.float32)
    x0, y0 = x0 % size, y0 % size
    x1, y1 = (x0 + 1) % size, (y0 + 1) % size
    flat = noise.ravel()
    top = flat[y0 * size + x0] * (1 - fx) + flat[y0 * size + x1] * fx
    low = flat[y1 * size + x0] * (1 - fx) + flat[y1 * size + x1] * fx
    return top * (1 - fy) + low * fy


def blur(mask: np.ndarray, radius: float) -> np.ndarray:
    """Gaussian blur of a mask or image with values around 0..1."""
    if mask.ndim == 3:
        return np.dstack([blur(mask[..., c], radius) for c in range(3)])
    top = max(float(mask.max()), 1e-6)
    small = Image.fromarray((mask / top * 255).clip(0, 255).astype(np.uint8))
    shrink = max(1, int(radius // 3))
    size = (max(1, small.width // shrink), max(1, small.height // shrink))
    low = small.resize(size, Image.Resampling.BOX)
    low = low.filter(ImageFilter.GaussianBlur(radius / shrink))
    full = low.resize(small.size, Image.Resampling.BICUBIC)
    return np.asarray(full, np.float32) * (top / 255.0)


class Stencil:
    """Draws smooth-edged shapes: Pillow at three times the size, then shrunk.

    Coordinates are in pixels of the finished picture.
    """

    SCALE = 3

    def __init__(self, width: int = WIDTH, height: int = HEIGHT):
        self._size = (width, height)
        self._image = Image.new("L", (width * self.SCALE, height * self.SCALE))
        self._draw = ImageDraw.Draw(self._image)

    def _scaled(self, points):
        return [(x * self.SCALE, y * self.SCALE) for x, y in points]

    def polygon(self, points, value: float = 1.0):
        self._draw.polygon(self._scaled(points), fill=int(value * 255))

    def line(self, points, width: float = 1.0, value: float = 1.0):
        self._draw.line(self._scaled(points), fill=int(value * 255),
                        width=max(1, round(width * self.SCALE)), joint="curve")

    def ellipse(self, x, y, rx, ry, value: float = 1.0):
        box = self._scaled([(x - rx, y - ry), (x + rx, y + ry)])
        self._draw.ellipse(box, fill=int(value * 255))

    def rectangle(self, x0, y0, x1, y1, value: float = 1.0):
        if x1 > x0 and y1 > y0:
            self._draw.rectangle(self._scaled([(x0, y0), (x1, y1)]),
                                 fill=int(value * 255))

    def mask(self) -> np.ndarray:
        small = self._image.resize(self._size, Image.Resampling.BOX)
        return np.asarray(small, np.float32) / 255.0


def bezier(*points, steps: int = 24):
    """Points along a Bezier curve of any degree."""
    points = np.array(points, np.float64)
    t = np.linspace(0, 1, steps)[:, None]
    layers = [points[i][None, :] * np.ones_like(t) for i in range(len(points))]
    while len(layers) > 1:
        layers = [a * (1 - t) + b * t for a, b in zip(layers, layers[1:])]
    return [tuple(p) for p in layers[0]]


def finish(image: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """Bloom, shoulder, vignette and a grain too fine to see that hides bands."""
    bright = np.maximum(image - 0.62, 0.0)
    image = image + 0.30 * blur(bright, 9) + 0.34 * blur(bright, 42)
    image = np.where(image > 0.7, 0.7 + 0.3 * np.tanh((image - 0.7) / 0.36), image)
    height, width = image.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    edge = np.hypot((x / width - 0.5) * 1.05, (y / height - 0.5) * 0.95)
    image = image * (1.0 - 0.55 * smooth(0.32, 0.78, edge))[..., None]
    srgb = np.maximum(image, 0.0) ** np.float32(1 / 2.2)
    srgb = srgb + 0.055 * (srgb - 0.5) * (1 - np.abs(2 * srgb - 1))
    grain = rng.standard_normal((height, width, 1)).astype(np.float32)
    return Image.fromarray((srgb * 255 + 1.1 * grain).clip(0, 255).astype(np.uint8))
