"""The results as a Markdown table and as JSON."""

import dataclasses
import json
import statistics

from contest import Bar, Result, Spread

HEADER = (
    "| measured | unit | ours | peer | peer's | ratio "
    "| quartiles | min to max | bar | |\n"
    "|---|---|---:|---|---:|---:|---|---|---|---|"
)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _verdict(bar: Bar | None, value: float) -> tuple[str, str]:
    if bar is None:
        return "", ""
    return str(bar), "met" if bar.met(value) else "**short**"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _ratio_cells(ratio: Spread) -> list[str]:
    return [
        f"**{ratio.median:.2f}**",
        f"{ratio.lower_quartile:.2f}–{ratio.upper_quartile:.2f}",
        f"{ratio.minimum:.2f}–{ratio.maximum:.2f}",
    ]


def rows(result: Result) -> list[str]:
    """One line for each peer, and one for a bar on the figure itself."""
    ours = _figure(result.median)
    lines = [
        _row(
            result.name,
            result.unit,
            ours,
            each.peer,
            _figure(statistics.median(each.samples)),
            *_ratio_cells(each.ratio),
            *_verdict(each.bar, each.ratio.median),
        )
        for each in result.comparisons
    ]
    if result.bar is not None or not lines:
        spread = Spread.of(result.samples)
        lines.append(
            _row(
                result.name,
                result.unit,
                ours,
                "–",
                "",
                "",
                f"{_figure(spread.lower_quartile)}–{_figure(spread.upper_quartile)}",
                f"{_figure(spread.minimum)}–{_figure(spread.maximum)}",
                *_verdict(result.bar, result.median),
            )
        )
    return lines


def markdown(results: list[Result], machine: dict) -> str:
    facts = ", ".join(f"{name}: {value}" for name, value in machine.items())
    lines = [facts, ""]
    for group in dict.fromkeys(result.group for result in results):
        lines += [f"## {group}", "", HEADER]
        for result in results:
            if result.group == group:
                lines += rows(result)
        lines.append("")
    short = [words for result in results for words in result.short]
    lines += [f"- short: {words}" for words in short] or ["All bars are met."]
    return "\n".join(lines) + "\n"


def as_json(results: list[Result], machine: dict) -> str:
    return json.dumps(
        {
            "machine": machine,
            "results": [dataclasses.asdict(result) for result in results],
        },
        indent=1,
    )
