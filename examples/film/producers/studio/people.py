"""Silhouettes: people of 1851, gulls, and a whale's tail."""

from .canvas import Stencil, bezier


def person(s: Stencil, x: float, feet: float, height: float, kind: str,
           flip: bool = False, stride: float = 0.0, lean: float = 0.0):
    """One standing or walking person; `kind` names hat and dress.

    `flip` draws the reflection that wet ground would show.
    """
    up = 1.0 if flip else -1.0

    def at(px, py):
        return (x + (px + lean * py) * height, feet + up * py * height)

    if kind == "bonnet":
        s.polygon([at(-0.19, 0), at(0.19, 0), *[at(*p) for p in bezier((0.19, 0), (0.10, 0.30), (0.06, 0.60), steps=8)],
                   *[at(*p) for p in bezier((-0.06, 0.60), (-0.10, 0.30), (-0.19, 0), steps=8)]])
        s.polygon([at(-0.11, 0.52), at(0.11, 0.52), at(0.085, 0.80), at(-0.085, 0.80)])
    else:
        step = 0.032 + stride
        for side in (-1, 1):
            s.polygon([at(side * -0.01, 0.45), at(side * 0.075, 0.45), at(side * (step + 0.026), 0), at(side * (step - 0.026), 0)])
            s.polygon([at(side * (step - 0.026), 0.0), at(side * (step + 0.05), 0.0), at(side * (step + 0.02), 0.028)])
        right = (bezier((0.115, 0.235), (0.085, 0.42), (0.082, 0.585), steps=8)
                 + bezier((0.082, 0.585), (0.105, 0.72), (0.10, 0.795), steps=6)
                 + bezier((0.10, 0.795), (0.085, 0.838), (0.035, 0.85), steps=6))
        s.polygon([at(*p) for p in right] + [at(-px, py) for px, py in reversed(right)])
        for side in (-1, 1):
            arm = (bezier((0.085, 0.825), (0.145, 0.78), (0.138, 0.60), steps=8)
                   + bezier((0.138, 0.60), (0.150, 0.47), (0.125, 0.415), steps=6)
                   + [(0.095, 0.43), (0.088, 0.60), (0.07, 0.74)])
            s.polygon([at(side * px, py) for px, py in arm])
    s.polygon([at(-0.032, 0.82), at(0.032, 0.82), at(0.03, 0.88), at(-0.03, 0.88)])
    cx, cy = at(0, 0.912)
    s.ellipse(cx, cy, 0.050 * height, 0.062 * height)
    if kind == "tophat":
        s.polygon([at(-0.088, 0.935), at(0.088, 0.935), at(0.085, 0.952), at(-0.085, 0.952)])
        s.polygon([at(-0.052, 0.94), at(0.052, 0.94), at(0.058, 1.055), at(-0.058, 1.055)])
    elif kind == "bowler":
        s.polygon([at(-0.085, 0.935), at(0.085, 0.935), at(0.07, 0.95), at(-0.07, 0.95)])
        hx, hy = at(0, 0.95)
        s.ellipse(hx, hy, 0.054 * height, 0.048 * height)
    elif kind == "cap":
        hx, hy = at(0.005, 0.945)
        s.ellipse(hx, hy, 0.06 * height, 0.028 * height)
    elif kind == "bonnet":
        hx, hy = at(-0.01, 0.925)
        s.ellipse(hx, hy, 0.068 * height, 0.068 * height)
    elif kind == "umbrella":
        s.line([at(0.10, 0.60), at(0.06, 1.16)], height * 0.012)
        dome = [at(*p) for p in bezier((-0.27, 1.02), (-0.18, 1.27), (0.30, 1.27), (0.39, 1.02), steps=20)]
        rim = [at(0.39 - 0.66 * i / 24, 1.02 + (0.022 if i % 6 not in (0,) else 0.0)) for i in range(25)]
        s.polygon(dome + rim)


def crowd(s: Stencil, rng, x0: float, x1: float, feet: float, height: float, count: int):
    """People at the rail, most of them still, each a little different."""
    kinds = ("tophat", "bowler", "cap", "bonnet", "tophat", "bonnet", "cap")
    for i in range(count):
        x = x0 + (x1 - x0) * (i + 0.5 + 1.3 * (float(rng.random()) - 0.5)) / count
        tall = height * (0.90 + 0.16 * float(rng.random()))
        kind = kinds[int(rng.integers(len(kinds)))]
        person(s, x, feet + 4 * float(rng.random()), tall, kind, lean=0.03 * (float(rng.random()) - 0.5))


def gulls(s: Stencil, rng, x: float, y: float, count: int = 7):
    for _ in range(count):
        gx = x + 240 * (float(rng.random()) - 0.5)
        gy = y + 110 * (float(rng.random()) - 0.5)
        span = 6 + 13 * float(rng.random()) ** 2
        tip = 0.2 + 0.5 * float(rng.random())
        left = bezier((gx - span, gy - span * tip * 0.5), (gx - span * 0.5, gy - span * tip), (gx, gy), steps=8)
        right = bezier((gx, gy), (gx + span * 0.5, gy - span * tip * 1.2), (gx + span, gy - span * 0.2), steps=8)
        s.line(left + right, max(1.0, span * 0.13))


def whale_tail(s: Stencil, x: float, waterline: float, size: float):
    """The flukes of a sounding whale, seen from astern."""

    def at(px, py):
        return (x + px * size, waterline - py * size)

    half = (bezier((0.25, -0.02), (0.12, 0.06), (0.055, 0.20), (0.05, 0.36), steps=16)
            + bezier((0.05, 0.36), (0.10, 0.58), (0.44, 0.69), (0.76, 0.50), steps=24)
            + bezier((0.76, 0.50), (0.70, 0.68), (0.36, 0.80), (0.085, 0.735), steps=24)
            + bezier((0.085, 0.735), (0.035, 0.72), (0.0, 0.655), steps=8))
    other = [(-px, py) for px, py in reversed(half)]
    s.polygon([at(px, py + 0.02 * px) for px, py in half + other])
