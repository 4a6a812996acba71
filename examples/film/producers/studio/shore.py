"""What stands on land: the old city and its wharves, a pier, a lighthouse."""

import numpy as np

from .canvas import HEIGHT, WIDTH, Stencil, blur, colour, mix
from .light import Light


def paint_city(image, light: Light, rng, horizon: int):
    """A low town of brick and steeples along the water, wharves before it."""
    for layer, haze in ((0, 0.72), (1, 0.42), (2, 0.12)):
        walls, windows = Stencil(), Stencil()
        _houses(walls, windows, rng, horizon, layer)
        tone = mix(colour(light.ink), colour(light.haze), haze)
        image = mix(image, np.ones_like(image) * tone, walls.mask())
        if layer and light.lamp:
            lit = windows.mask()
            warm = colour("#ffc069") * light.lamp
            image = image + (lit * 0.9 + 0.8 * blur(lit, 5))[..., None] * warm * (0.5 + 0.4 * layer)
    masts = Stencil()
    _masts(masts, rng, horizon)
    tone = mix(colour(light.ink), colour(light.haze), 0.05)
    return mix(image, np.ones_like(image) * tone, masts.mask() * 0.92)


def _houses(walls, windows, rng, horizon, layer):
    x, base = -20.0, horizon + 2
    scale = (0.75, 1.0, 0.9)[layer]
    while x < WIDTH + 20:
        # The town rises towards the middle, where its spires are.
        rise = np.exp(-(((x - WIDTH * 0.40) / (WIDTH * (0.34 - 0.05 * layer))) ** 2))
        width = (16 + 30 * float(rng.random())) * scale
        tall = (10 + (78 - 20 * layer) * rise * (0.45 + 0.75 * float(rng.random()))) * scale
        if layer == 2 and rise < 0.25:
            tall *= 0.6
        top = base - tall
        walls.rectangle(x, top, x + width, base)
        roof = float(rng.random())
        if roof < 0.5:
            walls.polygon([(x - 1, top), (x + width / 2, top - width * 0.33), (x + width + 1, top)])
        if roof > 0.35:
            walls.rectangle(x + width * 0.7, top - 9 * scale, x + width * 0.7 + 4, top)
        if rise > 0.45 and float(rng.random()) < 0.13:
            _steeple(walls, x + width / 2, top, (70 + 55 * float(rng.random())) * scale * rise)
        for wy in np.arange(top + 6, base - 5, 9):
            for wx in np.arange(x + 4, x + width - 4, 8):
                if float(rng.random()) < 0.30:
                    windows.rectangle(wx, wy, wx + 2.6, wy + 4)
        x += width * (0.82 + 0.3 * float(rng.random()))


def _steeple(walls, x, base, tall):
    walls.rectangle(x - 7, base - tall * 0.38, x + 7, base)
    walls.rectangle(x - 5, base - tall * 0.50, x + 5, base)
    walls.polygon([(x - 6, base - tall * 0.48), (x, base - tall), (x + 6, base - tall * 0.48)])
    walls.line([(x, base - tall), (x, base - tall - 7)], 0.8)


def _masts(stencil, rng, horizon):
    """A forest of bare masts along the quays."""
    stencil.rectangle(0, horizon - 1, WIDTH, horizon + 5)
    for _ in range(34):
        x = WIDTH * (0.04 + 0.86 * float(rng.random()))
        tall = 50 + 75 * float(rng.random())
        top = horizon + 3 - tall
        stencil.line([(x, horizon + 3), (x, top)], 1.3)
        for share in (0.42, 0.62, 0.80):
            reach = tall * 0.17 * (1.15 - share)
            y = horizon + 3 - tall * share
            stencil.line([(x - reach, y + 1.2), (x + reach, y - 1.2)], 0.9)
        stencil.line([(x, top + 4), (x + tall * 0.26, horizon)], 0.45, 0.6)
        stencil.line([(x, top + 4), (x - tall * 0.26, horizon)], 0.45, 0.6)
    for _ in range(10):
        x = WIDTH * (0.03 + 0.9 * float(rng.random()))
        reach = 30 + 26 * float(rng.random())
        stencil.polygon([(x - reach, horizon - 7), (x + reach, horizon - 9), (x + reach * 0.86, horizon + 5), (x - reach * 0.9, horizon + 5)])


def paint_pier(image, light: Light, rng, top: int):
    """A wharf across the foreground: planks, a rail of spiles, wet light."""
    deck = Stencil()
    deck.polygon([(0, top + 16), (WIDTH, top), (WIDTH, HEIGHT), (0, HEIGHT)])
    mask = deck.mask()
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    depth = np.maximum(y - top + 60, 1.0)
    plank = ((x - WIDTH * 0.62) / depth * 3.2) % 1.0
    seam = np.clip(1 - np.abs(plank - 0.5) * 2 * 12 + 10.6, 0, 1)
    seam = 1.0 - np.clip((np.abs(plank - 0.5) - 0.46) * 40, 0, 1) * 0.55
    which = np.floor((x - WIDTH * 0.62) / depth * 3.2)
    tone = 0.75 + 0.35 * np.abs(np.sin(which * 12.9898))
    sheen = np.exp(-np.maximum(y - top, 0) / 60.0) * 0.28
    wood = colour(light.ink) * 1.25
    surface = (wood * (tone * seam)[..., None]) + (sheen * seam * tone)[..., None] * colour(light.haze) * 0.6
    image = mix(image, surface, mask)
    posts = Stencil()
    for i in range(9):
        px = (i + 0.25 + 0.3 * float(rng.random())) * WIDTH / 8.6
        tall = 34 + 26 * float(rng.random())
        edge = top + 16 * (1 - px / WIDTH)
        posts.rectangle(px - 9, edge - tall, px + 9, edge + 34)
        posts.ellipse(px, edge - tall, 9, 3.4)
        if i:
            posts.line([(px - WIDTH / 8.6, edge - 22), (px - WIDTH / 17, edge - 8), (px, edge - 22)], 2.2)
    return mix(image, np.ones_like(image) * colour(light.ink), posts.mask())


def paint_lighthouse(image, light: Light, x: float, horizon: int):
    """A tower on its rock, with the beam when it is dark enough to see it."""
    tower, glass, beam = Stencil(), Stencil(), Stencil()
    tower.polygon([(x - 120, horizon + 5), (x - 84, horizon - 12), (x - 40, horizon - 24), (x + 6, horizon - 30),
                   (x + 46, horizon - 20), (x + 96, horizon - 9), (x + 140, horizon + 5)])
    base, top = horizon - 24, horizon - 190
    tower.polygon([(x - 17, base), (x + 17, base), (x + 10, top), (x - 10, top)])
    tower.rectangle(x - 15, top - 4, x + 15, top)
    tower.rectangle(x - 8, top - 24, x + 8, top - 3)
    tower.polygon([(x - 11, top - 23), (x, top - 38), (x + 11, top - 23)])
    glass.rectangle(x - 6, top - 21, x + 6, top - 7)
    tone = mix(colour(light.ink), colour(light.haze), 0.10)
    image = mix(image, np.ones_like(image) * tone, tower.mask())
    eye = top - 14
    lamp = 0.35 + 0.65 * light.lamp
    beam.polygon([(x, eye), (x - 900, eye - 190), (x - 900, eye - 60)], 0.5)
    beam.polygon([(x, eye), (x + 900, eye + 36), (x + 900, eye - 70)], 0.38)
    yy, xx = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    fade = np.exp(-np.hypot(xx - x, yy - eye) / 330.0)
    rays = blur(beam.mask(), 7) * fade * lamp
    glow = np.exp(-np.hypot(xx - x, yy - eye) / 16.0) * 1.6 * lamp
    return image + (rays * 0.75 + glow + glass.mask() * 2.0)[..., None] * colour("#ffe2a6")
