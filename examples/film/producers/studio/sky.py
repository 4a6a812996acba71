"""Skies: gradient, sun or moon, stars and lit clouds."""

import numpy as np

from .canvas import HEIGHT, WIDTH, blur, colour, mix, sample, smooth, texture
from .light import Light


def gradient(light: Light, elevation: np.ndarray) -> np.ndarray:
    """Sky colour by elevation, 0 at the horizon and 1 at the top."""
    at = [stop for stop, _ in light.stops]
    colours = np.array([colour(code) for _, code in light.stops])
    bands = [np.interp(elevation, at, colours[:, c]) for c in range(3)]
    return np.stack(bands, axis=-1).astype(np.float32)


def paint_sky(light: Light, rng, horizon: int, sun_x: float) -> np.ndarray:
    """A whole sky down to the row `horizon`; below it the horizon's colour."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    elevation = np.clip((horizon - y) / horizon, 0.0, 1.0)
    sun_y = horizon * (1.0 - light.altitude)
    image = gradient(light, elevation[:, 0])[:, None, :] * np.ones((1, WIDTH, 1), np.float32)
    away = np.hypot(x - sun_x, (y - sun_y) * 1.25) / WIDTH
    disc = colour(light.disc)
    if light.stars:
        image += _stars(light, rng, elevation, away)
    warm = mix(disc, gradient(light, np.array(0.03)), 0.35)
    image += light.glow * (0.55 * np.exp(-away * 9.0))[..., None] * warm * 0.55
    image += light.glow * (0.9 * np.exp(-away * 26.0))[..., None] * disc * 0.6
    band = np.exp(-elevation * 9.0) * np.exp(-np.abs(x - sun_x) / WIDTH * 3.0)
    image += 0.22 * light.glow * band[..., None] * warm
    if light.glow > 0.3:
        image = _disc(image, light, rng, x, y, sun_x, sun_y, disc)
    return _clouds(image, light, rng, x, y, elevation, sun_x, sun_y, horizon)


def _disc(image, light, rng, x, y, sun_x, sun_y, disc):
    radius = 40.0 if light.moon else 27.0
    edge = np.hypot(x - sun_x, y - sun_y)
    face = 1.0 - smooth(radius - 1.2, radius + 1.2, edge)
    if light.moon:
        seas = sample(texture(rng, 1.9), x / 210, y / 210)
        shade = 0.92 - 0.20 * smooth(0.0, 1.3, seas)
        shade *= 1.0 - 0.25 * smooth(0.5, 1.0, edge / radius)
        return mix(image, disc * shade[..., None], face)
    return mix(image, disc * np.float32(2.2), face)


def _stars(light, rng, elevation, away):
    count = 1100
    field = np.zeros(elevation.shape, np.float32)
    xs = rng.integers(1, WIDTH - 1, count)
    ys = rng.integers(0, HEIGHT, count)
    size = rng.random(count).astype(np.float32) ** 7
    field[ys, xs] = 0.14 + 1.4 * size
    large = np.zeros_like(field)
    large[ys, xs] = np.where(size > 0.45, size, 0)
    field = field + 12.0 * blur(large, 1.1)
    river = texture(rng, 1.5)
    y, x = np.mgrid[0 : elevation.shape[0], 0 : elevation.shape[1]].astype(np.float32)
    lane = np.exp(-(((x * 0.55 - y * 1.0 - 60) / 150.0) ** 2))
    dust = 0.055 * lane * np.clip(0.7 + 0.5 * sample(river, x / 700, y / 700), 0, 2)
    seen = smooth(0.06, 0.5, elevation) * smooth(0.03, 0.25, away) * light.stars
    return ((field + dust) * seen)[..., None] * colour("#dfe8ff")


def _clouds(image, light, rng, x, y, elevation, sun_x, sun_y, horizon):
    """Clouds on a plane overhead, lit from where the sun stands."""
    rough, fine = texture(rng, 1.75), texture(rng, 1.25)
    reach = 1.0 / (elevation + 0.13)
    u = (x - WIDTH / 2) / WIDTH * reach * 0.34 + float(rng.random())
    v = reach * 0.22 + float(rng.random())
    base = sample(rough, u, v) + 0.34 * sample(fine, u * 3.1, v * 3.1)
    step_u, step_v = (sun_x - x) / WIDTH * 0.05, (sun_y - y) / HEIGHT * -0.03
    toward = sample(rough, u + step_u, v + step_v)
    cut = 1.35 - 2.7 * light.cover
    amount = smooth(cut, cut + 1.5, base)
    thick = smooth(cut + 0.3, cut + 2.4, base)
    lit = np.clip(0.72 - 0.45 * (toward - base * 0.55) - 0.55 * thick, 0.0, 1.0)
    away = np.hypot(x - sun_x, (y - sun_y) * 1.4) / WIDTH
    lit = np.clip(lit + 0.5 * np.exp(-away * 5.0) * (1 - thick), 0, 1)
    body = mix(colour(light.cloud_dark), colour(light.cloud_light), lit)
    lining = np.exp(-away * 7.5) * amount * (1 - amount) * 4.0 * light.glow
    body = body + lining[..., None] * colour(light.disc) * 0.55
    far = colour(light.haze) * 0.9 + image * 0.1
    body = mix(body, far, np.exp(-elevation * 10.0) * 0.75)
    return mix(image, body, amount * smooth(0.0, 0.05, elevation) * 0.94)
