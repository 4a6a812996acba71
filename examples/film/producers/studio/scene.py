"""From words to a picture: reads a text and a prompt, then paints the scene.

The prompt outweighs the text. Words choose the setting (sea, city, pier,
street), the light (dawn, rain, night, ...) and what is in the picture (a ship, a
whale, a lighthouse, gulls, ...); the rest follows from a seed of the words.
"""

import re
from dataclasses import dataclass

import numpy as np
from PIL import Image

from . import people, shore, street, weather
from .canvas import HEIGHT, WIDTH, Stencil, blur, colour, finish, mix, random_of, sample, smooth, texture
from .light import LIGHTS
from .sea import Sea
from .ship import Ship, small_sails
from .sky import paint_sky

# What a word says about a scene. A word may say several things.
_WORDS = {
    "setting": {
        "sea": "sail sea sailing ocean ship ships watery voyage whale boat waves deep island",
        "street": "street coffin funeral hats warehouses alley lamplight lamps cobbles",
        "city": "city wharves manhattoes commerce harbour harbor skyline town port",
        "pier": "crowds crowd gazers battery mole pier quay landsmen sentinels people",
    },
    "light": {
        "dawn": "dawn morning sunrise ishmael hope spleen spring gold golden",
        "day": "noon day blue bright summer sunny clear",
        "sunset": "sunset sword pistol evening red crimson fire burning gazers",
        "dusk": "dusk twilight city manhattoes violet",
        "night": "night moon moonlight midnight stars starry silver dark",
        "rain": "rain drizzly drizzle damp november wet umbrella gray grey",
        "storm": "storm tempest gale thunder lightning wild furious hurricane",
        "fog": "fog mist haze misty foggy pale",
    },
    "thing": {
        "ship": "sail ship ships sailing voyage schooner whaler pequod",
        "whale": "whale whales leviathan moby fluke flukes",
        "lighthouse": "lighthouse beacon",
        "gulls": "gull gulls birds shore surf breezes wharves",
        "boats": "boat boats fishing sails watery",
        "lightning": "lightning thunder",
    },
}
_LIGHT_OF_SETTING = {"sea": ("dawn", "sunset", "day"), "street": ("rain",), "city": ("dusk",), "pier": ("sunset",)}
_PROMPT_WEIGHT = 6


@dataclass(frozen=True)
class Scene:
    """What is to be painted. Equal scenes give equal pictures."""

    setting: str
    light: str
    things: tuple[str, ...]
    seed: str


def read_scene(text: str, prompt: str = "") -> Scene:
    """Decides what to paint from the words of a text and of a prompt."""
    seed = f"{text.strip()}|{prompt.strip()}"

    def score(table: str) -> dict[str, int]:
        points = {}
        for source, weight in ((text, 1), (prompt, _PROMPT_WEIGHT)):
            words = re.findall(r"[a-z]+", source.lower())
            for name, cues in _WORDS[table].items():
                found = sum(words.count(cue) for cue in cues.split())
                if found:
                    points[name] = points.get(name, 0) + found * weight
        return points

    def best(points, default):
        return max(sorted(points), key=lambda name: points[name]) if points else default

    setting = best(score("setting"), "sea")
    choices = _LIGHT_OF_SETTING[setting]
    light = best(score("light"), choices[random_of("light", seed).integers(len(choices))])
    things = set(score("thing"))
    if prompt.strip():
        wanted = {n for n, cues in _WORDS["thing"].items() if set(cues.split()) & set(re.findall(r"[a-z]+", prompt.lower()))}
        things = wanted or things
    return Scene(setting, light, tuple(sorted(things)), seed)


def paint(scene: Scene) -> Image.Image:
    """Paints a scene, 1280 by 720."""
    light, rng = LIGHTS[scene.light], random_of("scene", scene.seed)
    if scene.setting == "street":
        image = paint_sky(light, rng, int(HEIGHT * 0.505), WIDTH * 0.5)
        image = street.paint_street(image, light, rng)
        image = weather.paint_fog(image, light, rng, int(HEIGHT * 0.5), 0.22)
    else:
        image = _paint_water_scene(scene, light, rng)
    if scene.light in ("rain", "storm"):
        image = weather.paint_rain(image, light, rng, 1.0 if scene.light == "rain" else 1.5)
    return finish(image, rng)


def _paint_water_scene(scene: Scene, light, rng) -> Image.Image:
    horizon = {"sea": 428, "city": 440, "pier": 372}[scene.setting]
    left = float(rng.random()) < 0.5
    sun_x = WIDTH * (0.30 if left else 0.70) + 60 * (float(rng.random()) - 0.5)
    image = paint_sky(light, rng, horizon, sun_x)
    if scene.setting == "city":
        image = shore.paint_city(image, light, rng, horizon)
    if "lightning" in scene.things:
        image = weather.paint_lightning(image, rng, horizon)
    if "lighthouse" in scene.things:
        image = shore.paint_lighthouse(image, light, WIDTH * (0.24 if left else 0.78), horizon)
    image = _far_sails(image, scene, light, rng, horizon)
    sea = Sea(light, rng, horizon, calm=1.15 if scene.setting != "sea" else 1.0)
    image = sea.paint(image, sun_x)
    if scene.light == "fog":
        image = weather.paint_fog(image, light, rng, horizon, 0.9)
    if "whale" in scene.things:
        image = _whale(image, scene, light, rng, sea, WIDTH * (0.60 if left else 0.40))
    for ship, waterline, haze in _ships(scene, rng, horizon, sun_x):
        glow = 0.75 if scene.light in ("dawn", "day", "sunset") else 0.55
        body = ship.paint(light, haze, glow)
        image = sea.reflect(image, body, ship.mask, waterline)
        image = mix(image, body, ship.mask)
        image = _wake(image, light, rng, waterline, haze)
    image = _birds(image, scene, light, rng)
    if scene.setting == "pier":
        image = shore.paint_pier(image, light, rng, 598)
        image = _gazers(image, light, rng, sun_x)
    return image


def _ships(scene: Scene, rng, horizon, sun_x):
    """The ships of a scene, far to near: (ship, waterline, haze)."""
    side = -1.0 if sun_x > WIDTH / 2 else 1.0
    if scene.setting == "pier":
        return [(Ship(WIDTH * 0.5 - side * 190, horizon + 22, 215, sails=False, facing=-1), horizon + 22, 0.30),
                (Ship(WIDTH * 0.5 + side * 330, horizon + 34, 300, sails=True, facing=1), horizon + 34, 0.16)]
    if scene.setting == "city":
        return [(Ship(WIDTH * 0.72, horizon + 74, 330, sails=True, facing=-1), horizon + 74, 0.06)]
    if "whale" in scene.things:
        x = WIDTH * (0.20 if side < 0 else 0.80)
        return [(Ship(x, horizon + 14, 150, facing=int(side)), horizon + 14, 0.34)] if "ship" in scene.things else []
    if "ship" not in scene.things:
        return []
    length = 470 + 90 * float(rng.random())
    x = WIDTH * (0.5 + side * 0.12)
    return [(Ship(x, horizon + 82, length, facing=int(-side)), horizon + 82, 0.05)]


def _far_sails(image, scene, light, rng, horizon):
    if scene.setting == "street" or "whale" in scene.things:
        return image
    far = Stencil()
    for _ in range(3 if "boats" in scene.things else 2):
        small_sails(far, WIDTH * (0.06 + 0.88 * float(rng.random())), horizon + 1, 12 + 26 * float(rng.random()))
    tone = mix(colour(light.ink), colour(light.haze), 0.45)
    return mix(image, np.ones_like(image) * tone, far.mask() * 0.9)


def _wake(image, light, rng, waterline, haze):
    """A broken bright line where the hull meets the water."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    line = np.exp(-(((y - waterline) / 2.2) ** 2)) * np.clip(sample(texture(rng, 1.2), x / 260, y / 90), 0, 2)
    return mix(image, colour(light.haze), np.clip(line, 0, 1) * 0.32 * (1 - haze))


def _birds(image, scene, light, rng):
    if "gulls" not in scene.things and not (scene.setting in ("pier",) or scene.light in ("dawn", "day")):
        return image
    flock = Stencil()
    people.gulls(flock, rng, WIDTH * (0.25 + 0.5 * float(rng.random())), 190, 9)
    tone = mix(colour(light.ink), colour(light.haze), 0.25)
    return mix(image, np.ones_like(image) * tone, flock.mask() * 0.85)


def _whale(image, scene, light, rng, sea, x):
    waterline, size = 560, 360
    tail = Stencil()
    people.whale_tail(tail, x, waterline, size)
    mask = tail.mask()
    y, xx = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    white = "white" in scene.seed.lower() or "moby" in scene.seed.lower()
    base = mix(colour(light.ink), colour(light.haze), 0.12)
    skin = colour("#b9c8d2") * (0.10 + 0.30 * light.glow) if white else base
    # Lit from above and behind: the upper edge bright, the stock in shadow.
    inner = blur(mask, 26) * mask
    round_off = np.clip(1.55 - 1.05 * inner, 0.35, 1.5)
    round_off = round_off * np.clip(1.25 - 1.15 * (y - (waterline - size * 0.72)) / size, 0.22, 1.25)
    mottle = 1.0 + 0.16 * sample(texture(rng, 1.4), xx / 260, y / 260)
    body = (skin * (round_off * mottle)[..., None]).astype(np.float32)
    rim = np.clip(mask - np.roll(mask, 3, axis=0), 0, 1)
    body = body + (rim * 0.9)[..., None] * colour(light.disc) * (0.25 + 0.5 * light.glow)
    image = sea.reflect(image, body, mask, waterline, 0.55)
    image = mix(image, body, mask)
    return _spray(image, light, rng, x, waterline, size, y, xx)


def _spray(image, light, rng, x, waterline, size, y, xx):
    """Water falling from the flukes and boiling where they rise."""
    falls = Stencil()
    for _ in range(420):
        side = 1 if float(rng.random()) < 0.5 else -1
        reach = float(rng.random()) ** 0.7
        px = x + side * size * (0.08 + 0.64 * reach)
        top = waterline - size * (0.60 - 0.07 * reach)
        length = size * (0.05 + 0.34 * float(rng.random()) ** 2)
        falls.line([(px, top), (px + 2 * side, top + length)], 0.6, 0.3 + 0.6 * float(rng.random()))
    foam = np.exp(-(((xx - x) / (size * 0.42)) ** 2)) * np.exp(-(((y - waterline - 6) / 15.0) ** 2))
    foam *= np.clip(0.55 + 0.55 * sample(texture(rng, 1.1), xx / 240, y / 100), 0, 1.2)
    rings = np.hypot((xx - x) / size, (y - waterline) / size * 4.2)
    ripple = np.exp(-rings * 1.7) * smooth(0.55, 1.0, np.sin(rings * 26.0)) * (y > waterline - 20)
    water = mix(colour(light.haze), colour(light.disc), 0.45) * (0.35 + 0.5 * light.glow)
    image = mix(image, water, np.clip(blur(falls.mask(), 0.8) * 0.55, 0, 1))
    return mix(image, water, np.clip(foam * 0.85 + ripple * 0.20, 0, 0.9))


def _gazers(image, light, rng, sun_x):
    """The crowd on the wharf, dark against the water and edged with light."""
    for feet, height, count in ((622, 92, 26), (640, 118, 15), (690, 176, 7)):
        row = Stencil()
        people.crowd(row, rng, 20, WIDTH - 20, feet, height, count)
        mask = row.mask()
        shift = 2 if sun_x < WIDTH / 2 else -2
        rim = np.clip(mask - np.roll(mask, (2, shift), axis=(0, 1)), 0, 1)
        tone = colour(light.ink) * 0.85
        image = mix(image, np.ones_like(image) * tone, mask)
        image = image + rim[..., None] * colour(light.disc) * 0.30 * light.glow
    return image
