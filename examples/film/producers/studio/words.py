"""Prose: segments of a story, and lines short enough to be read on screen."""

import re


def sentences(story: str) -> list[str]:
    """The story's sentences, without line breaks, in order."""
    flat = re.sub(r"\s+", " ", story.strip())
    return [s.strip() for s in re.split(r"(?<=[.!?])(?=\s+[“\"‘']?[A-Z])", flat) if s.strip()]


def segments(story: str, count: int) -> list[str]:
    """Cuts a story at sentence ends into `count` parts of similar length.

    Chooses the cuts whose lengths have the smallest sum of squares. Raises
    ValueError when there are fewer sentences than parts.
    """
    parts = sentences(story)
    if count < 1 or len(parts) < count:
        raise ValueError(f"cannot cut {len(parts)} sentences into {count} segments")
    ends = [0]
    for part in parts:
        ends.append(ends[-1] + len(part))
    best = [[float("inf")] * (len(parts) + 1) for _ in range(count + 1)]
    came = [[0] * (len(parts) + 1) for _ in range(count + 1)]
    best[0][0] = 0.0
    for k in range(1, count + 1):
        for j in range(k, len(parts) + 1):
            for i in range(k - 1, j):
                cost = best[k - 1][i] + (ends[j] - ends[i]) ** 2
                if cost < best[k][j]:
                    best[k][j], came[k][j] = cost, i
    cuts, j = [], len(parts)
    for k in range(count, 0, -1):
        cuts.append((came[k][j], j))
        j = came[k][j]
    return [" ".join(parts[i:j]) for i, j in reversed(cuts)]


def phrases(text: str, most: int = 84) -> list[str]:
    """Cuts a text into lines for the screen, at punctuation where it can."""
    pieces = [p for p in re.split(r"(?<=[.!?;:,—])\s*", re.sub(r"\s+", " ", text.strip())) if p]
    lines: list[str] = []
    for piece in pieces:
        glue = "" if lines and lines[-1].endswith("—") else " "
        ended = not lines or re.search(r"[.!?;:]$", lines[-1])
        if not ended and len(lines[-1]) + len(glue) + len(piece) <= most:
            lines[-1] += glue + piece
        else:
            lines.append(piece)
    return lines


def two_lines(line: str, most: int = 46) -> str:
    """Breaks a long line for the screen near its middle."""
    if len(line) <= most:
        return line
    gaps = [m.start() for m in re.finditer(" ", line)]
    if not gaps:
        return line
    middle = min(gaps, key=lambda g: abs(g - len(line) / 2))
    return line[:middle] + "\n" + line[middle + 1 :]
