"""The lights a scene can stand in: one palette per hour and weather."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Light:
    """Colours of one hour. Sky stops run from the horizon to the zenith."""

    stops: tuple[tuple[float, str], ...]
    disc: str  # colour of the sun or moon
    glow: float  # strength of the light around it
    altitude: float  # of the sun or moon above the horizon, 0..1
    cloud_light: str
    cloud_dark: str
    cover: float  # 0 clear .. 1 overcast
    deep: str  # colour of the water itself
    haze: str  # what distance fades into
    ink: str  # what stands against the light
    lamp: float = 0.0  # how bright windows and lanterns are
    stars: float = 0.0
    moon: bool = False
    swell: float = 1.0


LIGHTS = {
    "dawn": Light(
        ((0, "#ffdca8"), (0.10, "#fbc79c"), (0.28, "#d7b3b6"), (0.55, "#8ea6c8"), (1, "#48699c")),
        "#fff0cf", 1.0, 0.12, "#ffe3c6", "#8d8ba6", 0.42, "#12384a", "#f0c8a4", "#17222e",
    ),
    "day": Light(
        ((0, "#eef3ea"), (0.12, "#cfe3ea"), (0.4, "#82b6dc"), (1, "#2b69ab")),
        "#fff8e6", 0.75, 0.55, "#ffffff", "#8fa3b8", 0.50, "#0b3f58", "#d5e4e8", "#1b2a36",
    ),
    "sunset": Light(
        ((0, "#ffc260"), (0.07, "#fb9a4a"), (0.20, "#e0644e"), (0.42, "#93456e"), (0.7, "#43376c"), (1, "#1c2450")),
        "#fff0c0", 1.25, 0.075, "#ffab6b", "#4a2f52", 0.46, "#10203a", "#f08a52", "#120d18", 0.35,
    ),
    "dusk": Light(
        ((0, "#f2a46c"), (0.08, "#d0786c"), (0.22, "#7c5580"), (0.45, "#39406f"), (1, "#0b1636")),
        "#ffd9a0", 0.8, 0.02, "#c9808a", "#262a4c", 0.34, "#0a1a30", "#a06a78", "#080c18", 1.0, 0.5,
    ),
    "night": Light(
        ((0, "#3a6184"), (0.10, "#244a70"), (0.30, "#132f56"), (0.6, "#091b3c"), (1, "#040c22")),
        "#f4f3e6", 0.85, 0.52, "#7f9cb8", "#0b1830", 0.28, "#04101e", "#2c4f70", "#03070f", 1.0, 1.0, True,
    ),
    "rain": Light(
        ((0, "#8b9799"), (0.15, "#6d7a80"), (0.45, "#49565f"), (1, "#262f38")),
        "#d6dde0", 0.16, 0.5, "#98a4a8", "#2c353d", 0.95, "#1b2a30", "#7d898c", "#12181d", 0.9, 0, False, 1.3,
    ),
    "storm": Light(
        ((0, "#8fa79c"), (0.08, "#64807e"), (0.25, "#334a50"), (0.6, "#17232a"), (1, "#0a1116")),
        "#dfe9dc", 0.28, 0.10, "#8ba19b", "#10181c", 0.92, "#0a1c20", "#5f7876", "#070c0f", 0.7, 0, False, 2.4,
    ),
    "fog": Light(
        ((0, "#d9d8cf"), (0.3, "#c3c6c4"), (1, "#8d989f")),
        "#fff6e0", 0.55, 0.22, "#e6e4da", "#a3a9ac", 0.6, "#5b6d72", "#d2d2ca", "#3a444a", 0.4,
    ),
}
