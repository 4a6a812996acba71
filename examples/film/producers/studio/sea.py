"""Water that mirrors what stands above it."""

import numpy as np

from .canvas import HEIGHT, WIDTH, blur, colour, mix, sample, smooth, texture
from .light import Light


class Sea:
    """One stretch of water from the horizon to the bottom of the picture."""

    def __init__(self, light: Light, rng, horizon: int, calm: float = 1.0):
        self.light, self.horizon = light, horizon
        y, x = np.mgrid[horizon:HEIGHT, 0:WIDTH].astype(np.float32)
        depth = (y - horizon + 0.5) / (HEIGHT - horizon)  # 0 far .. 1 near
        distance = 1.0 / (depth + 0.012)
        across = (x - WIDTH / 2) / WIDTH * distance
        swell, chop = texture(rng, 2.1), texture(rng, 1.35)
        self.depth, self.x, self.y = depth, x, y
        strength = light.swell / calm
        fade = smooth(0.0, 0.35, depth)

        def height(shift):
            z = distance * 1.0 + shift
            return (
                0.9 * sample(swell, across * 0.030 + 0.1, z * 0.085)
                + 0.42 * sample(chop, across * 0.085, z * 0.26 + 0.3) * (0.25 + 0.75 * fade)
                + 0.20 * sample(chop, across * 0.31 + 0.5, z * 0.95) * fade
            )

        self.height = height(0.0)
        self.slope = (height(0.02 + 0.05 / (depth + 0.1) * 0.12) - self.height) * strength
        right = np.roll(self.height, -2, axis=1)
        self.lean = (right - self.height) * strength
        self.strength = strength

    def paint(self, above: np.ndarray, sun_x: float) -> np.ndarray:
        """Returns `above` with the water painted below the horizon."""
        light, depth, horizon = self.light, self.depth, self.horizon
        tilt = np.clip(depth * 0.62 + self.slope * (0.10 + 0.55 * depth), 0.0, 0.97)
        src_y = np.clip(horizon - 1 - tilt * (horizon - 1), 0, horizon - 1)
        src_x = np.clip(self.x + self.lean * (20 + 150 * depth), 0, WIDTH - 1)
        mirror = above[src_y.astype(np.int32), src_x.astype(np.int32)]
        fresnel = np.clip(0.95 - 0.72 * depth**0.55 - 0.50 * self.slope, 0.10, 0.97)
        tint = colour(light.deep)
        body = tint * (0.55 + 0.45 * smooth(-1.0, 2.0, self.height))[..., None]
        body = body + 0.10 * mirror.mean(axis=1, keepdims=True)
        water = mix(body, mirror, fresnel)
        water = water + self._glitter(sun_x)
        if light.swell > 1.6:
            water = self._foam(water)
        far = np.exp(-depth * 26.0) * 0.55
        water = mix(water, colour(light.haze), far)
        image = above.copy()
        image[horizon:] = water
        return image

    def _glitter(self, sun_x):
        """The broken path of light under the sun or moon."""
        light, depth = self.light, self.depth
        width = 26 + 250 * depth ** 1.1
        path = np.exp(-(((self.x - sun_x) / width) ** 2))
        facet = smooth(0.35, 1.25, self.slope * 1.6 + 0.55 * self.lean * 4 + 0.25)
        sparkle = smooth(0.9, 1.8, self.slope * 2.2 + 0.35)
        shine = path * (0.55 * facet + 1.5 * sparkle) * (1.0 - 0.45 * depth)
        low = 1.0 - 0.5 * light.altitude
        return (shine * light.glow * low)[..., None] * colour(light.disc) * 0.8

    def _foam(self, water):
        crest = smooth(0.75, 1.5, self.height + 0.25 * self.slope)
        flecks = crest * smooth(0.2, 0.9, np.roll(self.height, 7, axis=1) * 0.5 + self.slope * 2 + 0.4)
        return mix(water, colour("#cfdcd8") * 0.8, flecks * 0.75 * smooth(0.02, 0.2, self.depth))

    def reflect(self, image, layer, mask, waterline: int, strength: float = 0.62):
        """Mirrors an object that floats at `waterline` into the water."""
        rows = np.arange(self.horizon, HEIGHT)
        offset = (self.y - waterline) * 1.0
        wave = self.slope * (6 + 60 * self.depth) + self.lean * 40
        src_y = np.clip(waterline - offset * 0.9 - np.abs(wave), 0, HEIGHT - 1).astype(np.int32)
        src_x = np.clip(self.x + wave * 1.1, 0, WIDTH - 1).astype(np.int32)
        seen = mask[src_y, src_x] * smooth(0, 3, offset) * strength
        seen = seen * np.exp(-np.maximum(offset, 0) / 330.0)
        dark = layer[src_y, src_x] * 0.75 + colour(self.light.deep) * 0.25
        out = image.copy()
        out[rows[0]:] = mix(image[rows[0]:], dark, blur(seen, 1.0))
        return out
