"""Type: chapter numerals, opening words, and the film's title card."""

import re

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from .canvas import HEIGHT, WIDTH

_FONTS = "/usr/share/fonts/truetype/dejavu/"
_LOOSE = {"a", "an", "the", "of", "for", "and", "to", "in", "on", "my", "by", "with", "that"}
_ROMAN = ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


def font(face: str, size: int) -> ImageFont.FreeTypeFont:
    """A DejaVu face by the end of its name, such as `Serif-Italic`."""
    return ImageFont.truetype(f"{_FONTS}DejaVu{face}.ttf", size)


def roman(number: int) -> str:
    out = ""
    for value, letters in _ROMAN:
        while number >= value:
            out, number = out + letters, number - value
    return out


def opening_words(text: str, most: int = 26) -> str:
    """The first few words, as old books name their chapters."""
    words = re.split(r"\s+", re.split(r"(?<=[.!?;:—])", text.strip())[0].strip())
    line = words[0]
    for word in words[1:]:
        if len(line) + 1 + len(word) > most:
            while line.split()[-1].lower() in _LOOSE and " " in line:
                line = line.rsplit(" ", 1)[0]
            return line.rstrip(",;:—") + " …"
        line += " " + word
    return line.rstrip(",;:—")


def spaced(draw, at, text, face, fill, gap: float, centre: bool = False):
    """Letter-spaced text; returns its width."""
    widths = [draw.textlength(c, font=face) + gap for c in text]
    x, y = at
    total = sum(widths) - gap
    x -= total / 2 if centre else 0
    for c, width in zip(text, widths):
        draw.text((x, y), c, font=face, fill=fill)
        x += width
    return total


def title_card(title: str) -> Image.Image:
    """The film's title on a clear ground; the first line is set large."""
    layer = Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    lines = [line.strip() for line in title.strip().split("\n") if line.strip()] or [""]
    ink = (255, 250, 238, 255)
    y = 208
    spaced(draw, (WIDTH / 2, y), lines[0].upper(), font("Serif", 58), ink, 15, centre=True)
    draw.line([(WIDTH / 2 - 46, y + 92), (WIDTH / 2 + 46, y + 92)], fill=(255, 250, 238, 190), width=1)
    for i, line in enumerate(lines[1:]):
        spaced(draw, (WIDTH / 2, y + 112 + 34 * i), line, font("Serif-Italic", 24), ink, 1, centre=True)
    alpha = layer.getchannel("A").filter(ImageFilter.GaussianBlur(11)).point(lambda a: min(210, int(a * 2.2)))
    shadow = Image.new("RGBA", layer.size, (0, 0, 0, 0))
    shadow.putalpha(alpha)
    return Image.alpha_composite(shadow, layer)
