"""Rain, fog and lightning, painted over a finished scene."""

import numpy as np

from .canvas import HEIGHT, WIDTH, Stencil, blur, colour, mix, sample, texture
from .light import Light


def paint_rain(image, light: Light, rng, heavy: float = 1.0):
    for count, length, width, strength in ((900, 22, 0.6, 0.22), (340, 46, 0.9, 0.24), (60, 105, 1.5, 0.15)):
        drops = Stencil()
        for _ in range(int(count * heavy)):
            x, y = WIDTH * 1.1 * float(rng.random()), HEIGHT * (1.2 * float(rng.random()) - 0.1)
            long = length * (0.6 + 0.8 * float(rng.random()))
            drops.line([(x, y), (x - long * 0.17, y + long)], width, 0.35 + 0.65 * float(rng.random()))
        here = mix(colour(light.haze) * 1.15, np.float32(1.0), 0.1)
        image = image + (drops.mask() * strength)[..., None] * (0.35 * here + 0.75 * np.sqrt(np.maximum(image, 0)))
    return image


def paint_fog(image, light: Light, rng, horizon: int, amount: float = 0.8):
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    bank = sample(texture(rng, 2.0), x / 1500, y / 420)
    veil = np.exp(-(((y - horizon) / 120.0) ** 2)) * np.clip(0.8 + 0.3 * bank, 0, 1)
    return mix(image, colour(light.haze), veil * amount)


def paint_lightning(image, rng, horizon: int):
    bolt = Stencil()
    x, y = WIDTH * (0.2 + 0.2 * float(rng.random())), 0.0
    trunk = [(x, y)]
    while y < horizon:
        x += 44 * (float(rng.random()) - 0.5)
        y += 10 + 26 * float(rng.random())
        trunk.append((x, min(y, horizon)))
        if float(rng.random()) < 0.22:
            branch, bx, by = [(x, y)], x, y
            lean = 26 if float(rng.random()) < 0.5 else -26
            for _ in range(int(3 + 5 * float(rng.random()))):
                bx, by = bx + lean * float(rng.random()) + 8 * (float(rng.random()) - 0.5), by + 16 * float(rng.random())
                branch.append((bx, min(by, horizon)))
            bolt.line(branch, 0.9, 0.6)
    bolt.line(trunk, 2.0)
    core = bolt.mask()
    light = 1.5 * core + 1.2 * blur(core, 6) + 2.2 * blur(core, 45)
    return image + light[..., None] * colour("#dfe6ff")
