"""Ships: a three-master with or without her sails set, and small craft."""

import numpy as np

from .canvas import Stencil, bezier, colour, mix
from .light import Light

# Mast: place along the hull, height; sails from the deck up as
# (foot, head, foot width, head width), all in hull lengths.
_MASTS = (
    (0.22, 0.66, ((0.27, 0.40, 0.20, 0.17), (0.41, 0.52, 0.16, 0.12), (0.53, 0.61, 0.115, 0.085))),
    (0.49, 0.84, ((0.15, 0.34, 0.285, 0.25), (0.355, 0.54, 0.24, 0.19), (0.555, 0.67, 0.18, 0.135), (0.685, 0.77, 0.125, 0.09))),
    (0.77, 0.75, ((0.16, 0.32, 0.255, 0.225), (0.335, 0.50, 0.215, 0.17), (0.515, 0.61, 0.16, 0.12), (0.625, 0.695, 0.11, 0.08))),
)


class Ship:
    """A ship's shape: where she is solid, where sail, and how sails are lit."""

    def __init__(self, x: float, waterline: float, length: float, sails: bool = True,
                 facing: int = 1, belly: float = 0.045, sun_side: float = 1.0):
        self._at = lambda px, py: (x + facing * (px - 0.5) * length, waterline - py * length)
        self._length, self._facing = length, facing
        self._belly, self._sun_side = belly, sun_side
        self._solid, self._sail, self._shade = Stencil(), Stencil(), Stencil()
        self._rigging = Stencil()
        self._hull()
        for place, height, cloths in _MASTS:
            self._mast(place, height, cloths, sails)
        self._staysails(sails)
        self.solid, self.sail = self._solid.mask(), self._sail.mask()
        self.shade = self._shade.mask()
        self.rigging, self.trim = self._rigging.mask(), self._trim.mask()
        self.mask = np.maximum(np.maximum(self.solid, self.sail), 0.55 * self.rigging)

    def _points(self, points):
        return [self._at(px, py) for px, py in points]

    def _hull(self):
        deck = bezier((0.0, 0.125), (0.2, 0.085), (0.6, 0.075), (0.985, 0.128))
        stem = bezier((0.985, 0.128), (0.955, 0.06), (0.90, -0.01))
        stern = bezier((0.07, -0.01), (0.03, 0.035), (0.0, 0.125))
        self._solid.polygon(self._points(deck + stem + stern))
        self._trim = Stencil()
        band = bezier((0.012, 0.098), (0.2, 0.062), (0.6, 0.052), (0.965, 0.098), steps=40)
        self._trim.line(self._points(band), max(1.0, self._length * 0.012), 0.75)
        for i in range(4, 37, 3):
            px, py = band[i]
            self._trim.polygon(self._points([(px - 0.006, py - 0.006), (px + 0.006, py - 0.006), (px + 0.006, py + 0.006), (px - 0.006, py + 0.006)]), 0)
        width = max(1.0, self._length * 0.008)
        self._solid.line(self._points([(0.95, 0.118), (1.19, 0.205)]), width)
        self._solid.polygon(self._points([(0.0, 0.12), (0.0, 0.15), (0.15, 0.12), (0.15, 0.1)]))

    def _mast(self, place, height, cloths, sails):
        thick = max(1.0, self._length * 0.0072)
        self._solid.line(self._points([(place, 0.08), (place, height * 0.62)]), thick)
        self._solid.line(self._points([(place, height * 0.6), (place, height)]), thick * 0.6)
        for foot in (-0.05, -0.03, 0.03, 0.05):
            self._rigging.line(self._points([(place + foot, 0.095), (place, height * 0.60)]), 0.7)
        self._rigging.line(self._points([(place, height), (place + 0.27 if place < 0.7 else 1.18, 0.30 if place < 0.7 else 0.2)]), 0.6)
        for foot, head, low, high in cloths:
            yard = max(0.8, self._length * 0.0045)
            self._solid.line(self._points([(place - high * 0.53, head), (place + high * 0.53, head)]), yard)
            if sails:
                self._square_sail(place, foot, head, low, high)
            else:
                self._solid.line(self._points([(place - high * 0.47, head - 0.008), (place + high * 0.47, head - 0.008)]), yard * 1.7, 0.9)

    def _square_sail(self, place, foot, head, low, high):
        """Drawn as upright strips, so that light rolls across the cloth."""
        strips = 16
        bulge = self._belly * (0.4 + (head - foot) * 3.2)

        def edge(t):
            top = (place + (t - 0.5) * high, head - 0.004)
            bottom = (place + (t - 0.5) * low, foot + 0.030 * (1 - (2 * t - 1) ** 2))
            middle = ((top[0] + bottom[0]) / 2 + bulge, (top[1] + bottom[1]) / 2)
            return bezier(top, middle, bottom, steps=9)

        whole = edge(0) + edge(1)[::-1]
        self._sail.polygon(self._points(whole))
        for i in range(strips):
            a, b = i / strips, (i + 1) / strips
            lit = 0.48 + 0.50 * np.sin((b - 0.42) * 2.5 * self._sun_side * self._facing)
            seam = 0.95 if i % 4 == 3 else 1.0
            quad = edge(a - 0.01) + edge(b + 0.03)[::-1]
            self._shade.polygon(self._points(quad), max(0.05, min(1.0, lit * seam)))

    def _staysails(self, sails):
        for a, b, c in (((0.80, 0.60), (1.17, 0.205), (0.90, 0.20)), ((0.79, 0.47), (1.06, 0.165), (0.86, 0.155))):
            self._rigging.line(self._points([a, b]), 0.8)
            if sails:
                curve = bezier(a, ((a[0] + b[0]) / 2 - 0.02, (a[1] + b[1]) / 2 - 0.02), b)
                foot = bezier(b, ((b[0] + c[0]) / 2, c[1] + 0.035), c)
                luff = bezier(c, ((a[0] + c[0]) / 2 + 0.035, (a[1] + c[1]) / 2), a)
                self._sail.polygon(self._points(curve + foot + luff))
                self._shade.polygon(self._points(curve + foot + luff), 0.62)
        spanker = [(0.215, 0.16), (0.215, 0.37), (0.03, 0.43), (-0.03, 0.165)]
        self._solid.line(self._points([(0.22, 0.15), (-0.05, 0.155)]), max(1, self._length * 0.005))
        self._solid.line(self._points([(0.22, 0.365), (0.02, 0.435)]), max(1, self._length * 0.004))
        if sails:
            self._sail.polygon(self._points(spanker))
            self._shade.polygon(self._points(spanker), 0.45)

    def paint(self, light: Light, haze: float, glow: float) -> np.ndarray:
        """The ship's own colours over the whole frame; use with `mask`."""
        ink = mix(colour(light.ink), colour(light.haze), haze)
        cloth = mix(colour(light.cloud_light), colour(light.disc), 0.45) * (0.30 + 0.75 * glow)
        cloth = mix(cloth, colour(light.haze), haze * 0.8)
        shadow = mix(colour(light.cloud_dark) * 0.55, colour(light.haze), haze)
        body = np.ones(self.mask.shape + (3,), np.float32) * ink
        lit = mix(shadow, cloth, self.shade[..., None])
        pale = mix(colour("#d8cfc0") * 0.30, colour(light.haze), 0.25 + haze * 0.7)
        body = mix(body, pale, self.trim * 0.55)
        covered = self.sail * (1 - 0.85 * self.solid) * (1 - 0.35 * self.rigging)
        return mix(body, lit, covered)


def small_sails(stencil: Stencil, x: float, y: float, height: float):
    """A fishing boat far out: two triangles and a sliver of hull."""
    stencil.polygon([(x - height * 0.42, y - 1), (x + height * 0.46, y - 1),
                     (x + height * 0.36, y + height * 0.10), (x - height * 0.32, y + height * 0.10)])
    stencil.polygon([(x, y - 2), (x, y - height), (x + height * 0.40, y - height * 0.14)])
    stencil.polygon([(x - 1, y - height * 0.12), (x - 1, y - height * 0.86), (x - height * 0.34, y - height * 0.12)])
