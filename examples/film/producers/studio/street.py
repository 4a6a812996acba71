"""A wet street of 1851 by lamplight."""

import numpy as np

from .canvas import HEIGHT, WIDTH, Stencil, blur, colour, mix, sample, texture
from .light import Light
from .people import person

_VX, _VY = WIDTH * 0.53, HEIGHT * 0.505  # the vanishing point
_EYE = 150.0  # height of the eye over the ground, at distance 1


def _place(side, width, height, z):
    return (_VX + side * width / z, _VY + (_EYE - height) / z)


def paint_street(sky: np.ndarray, light: Light, rng) -> np.ndarray:
    image = sky.copy()
    lamps = np.zeros(image.shape[:2], np.float32)
    edges = [6.5, 5.0, 3.9, 3.05, 2.4, 1.85, 1.4, 1.02, 0.72, 0.46]
    for far, near in zip(edges, edges[1:]):
        for side in (-1, 1):
            image, lit = _house(image, light, rng, side, far, near)
            lamps += lit
    glow = lamps * 0.9 + 1.5 * blur(lamps, 7) + 0.9 * blur(lamps, 30)
    image = image + glow[..., None] * colour("#ffb765")
    image = _lamp_posts(image, light)
    image = _ground(image, light, rng)
    return _walkers(image, light, rng)


def _house(image, light, rng, side, far, near):
    wall, lit = Stencil(), Stencil()
    tall = 560 + 330 * float(rng.random())
    span = 430.0
    corners = [_place(side, span, 0, far), _place(side, span, tall, far), _place(side, span, tall, near), _place(side, span, 0, near)]
    wall.polygon(corners)
    gable = _place(side, span, tall + 90, (far + near) / 2)
    if float(rng.random()) < 0.55:
        wall.polygon([corners[1], gable, corners[2]])
    stack = far + (near - far) * 0.75
    wall.polygon([_place(side, span, tall - 5, stack), _place(side, span, tall + 120, stack),
                  _place(side, span, tall + 120, stack - 0.05 * stack), _place(side, span, tall - 5, stack - 0.05 * stack)])
    columns, rows = 4, int(tall // 150)
    for c in range(columns):
        for r in range(rows):
            if float(rng.random()) > (0.22 if r else 0.5):
                continue
            za = 1 / (1 / far + (1 / near - 1 / far) * (c + 0.36) / columns)
            zb = 1 / (1 / far + (1 / near - 1 / far) * (c + 0.64) / columns)
            y0, y1 = 60 + r * 145, 60 + r * 145 + 82
            strength = 0.18 + 0.6 * float(rng.random()) ** 2
            lit.polygon([_place(side, span, y0, za), _place(side, span, y1, za), _place(side, span, y1, zb), _place(side, span, y0, zb)], strength)
            bar = max(0.7, 3.2 / zb)
            yc = (y0 + y1) / 2
            zc = 1 / ((1 / za + 1 / zb) / 2)
            lit.line([_place(side, span, y0, zc), _place(side, span, y1, zc)], bar, 0)
            lit.line([_place(side, span, yc, za), _place(side, span, yc, zb)], bar, 0)
    mist = 1.0 - np.exp(-((far + near) / 2) / 4.2)
    tone = mix(colour(light.ink) * (0.8 if side < 0 else 1.15), colour(light.haze), mist)
    image = mix(image, np.ones_like(image) * tone, wall.mask())
    return image, lit.mask() * light.lamp * (0.55 * (1 - mist) + 0.20)


def _lamp_posts(image, light):
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    for z in (4.6, 3.1, 2.05, 1.3, 0.82):
        for side in (-1, 1):
            if side > 0 and z < 1.0:
                continue
            foot, head = _place(side, 300, 0, z), _place(side, 300, 330, z)
            post, glass = Stencil(), Stencil()
            thick = max(1.0, 7 / z)
            post.line([foot, head], thick)
            post.polygon([(foot[0] - thick, foot[1]), (foot[0] + thick, foot[1]), (foot[0] + thick / 2, foot[1] - 26 / z), (foot[0] - thick / 2, foot[1] - 26 / z)])
            w, h = 13 / z, 34 / z
            glass.polygon([(head[0] - w * 0.6, head[1]), (head[0] + w * 0.6, head[1]), (head[0] + w, head[1] - h), (head[0] - w, head[1] - h)])
            post.polygon([(head[0] - w * 1.2, head[1] - h), (head[0], head[1] - h * 1.5), (head[0] + w * 1.2, head[1] - h)])
            mist = 1.0 - np.exp(-z / 4.2)
            image = mix(image, np.ones_like(image) * mix(colour(light.ink) * 0.8, colour(light.haze), mist), post.mask())
            away = np.hypot(x - head[0], y - (head[1] - h / 2))
            halo = 0.85 * np.exp(-away / (26 / z**0.7)) + 0.20 * np.exp(-away / (120 / z**0.5))
            shine = (halo + 1.6 * glass.mask()) * light.lamp * (1 - 0.45 * mist)
            image = image + shine[..., None] * colour("#ffc271")
    return image


def _ground(image, light, rng):
    """Wet cobbles: the lamps above, smeared down and broken by the stones."""
    top = int(_VY) + 1
    y, x = np.mgrid[top:HEIGHT, 0:WIDTH].astype(np.float32)
    depth = (y - _VY) / (HEIGHT - _VY)
    z = 1.0 / np.maximum(depth, 0.004)
    stones, patches = texture(rng, 0.9), texture(rng, 1.9)
    bump = sample(stones, (x - _VX) / WIDTH * z * 0.55, z * 0.38) * (0.25 + 0.75 * depth)
    rows = ((z * 9.0) % 1.0)
    pool = np.clip(0.55 + 0.35 * sample(patches, (x - _VX) / WIDTH * z * 0.16, z * 0.10), 0.12, 1.0)
    src_y = np.clip(_VY - (y - _VY) * 0.98 + bump * 14 * depth, 0, _VY - 1).astype(np.int32)
    src_x = np.clip(x + bump * 5, 0, WIDTH - 1).astype(np.int32)
    smear = image[:top].copy()
    for shift in (9, 19, 41):
        smear = np.maximum(smear * 0.96, np.roll(smear, shift, axis=0) * 0.86)
    mirror = smear[np.minimum(src_y, top - 1), src_x]
    stone = mix(colour(light.ink) * 1.1, colour(light.haze) * 0.35, 0.25) * (0.9 + 0.25 * bump + 0.06 * rows)[..., None]
    road = stone + mirror * (pool * (0.50 + 0.22 * np.clip(bump, -1, 1)))[..., None]
    walk = np.abs(x - _VX) * z > WIDTH * 0.30 * 2.3
    road = np.where(walk[..., None], road * 0.72, road)
    out = image.copy()
    # Walls and lamp posts reach below the vanishing line; the road lies between.
    inside = np.clip((430.0 * 1.0 - np.abs(x - _VX) * _EYE / np.maximum(y - _VY, 1)) / 14.0, 0, 1)
    base = mix(image[top:], road, inside)
    far = np.exp(-depth * 16.0) * 0.7
    out[top:] = mix(base, colour(light.haze) * 0.8, far * inside)
    return out


def _walkers(image, light, rng):
    """A funeral going away from us, and one man who has not joined it yet."""
    cast = [(-0.10, 2.6, "umbrella"), (0.07, 2.5, "tophat"), (0.24, 2.3, "umbrella"), (-0.26, 2.0, "tophat"),
            (0.02, 1.75, "bowler"), (0.33, 1.6, "umbrella"), (-0.52, 1.30, "bonnet"), (0.56, 1.12, "umbrella")]
    hero = (-0.20, 0.62, "tophat")
    for px, z, kind in cast + [hero]:
        feet_x, feet_y = _place(1, px * 330, 0, z)
        tall = 172 / z
        body, shadow = Stencil(), Stencil()
        stride = 0.02 + 0.03 * float(rng.random())
        person(body, feet_x, feet_y, tall, kind, stride=stride)
        person(shadow, feet_x, feet_y, tall * 0.9, kind, flip=True, stride=stride)
        mist = 1.0 - np.exp(-z / 4.0)
        tone = mix(colour(light.ink) * 0.6, colour(light.haze), mist)
        image = mix(image, np.ones_like(image) * tone * 0.9, blur(shadow.mask(), 2.5) * 0.55)
        mask = body.mask()
        rim = np.clip(mask - np.roll(mask, (2, 2), axis=(0, 1)), 0, 1) * light.lamp
        image = mix(image, np.ones_like(image) * tone, mask)
        image = image + (0.16 * rim / max(1.0, z))[..., None] * colour("#ffb765")
    return image
