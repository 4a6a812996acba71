"""Films to run: blueprints of jobs that a simulated producer carries out."""

from __future__ import annotations

import dataclasses
import json

# Which producers the films below name; one server answers to all.
PRODUCERS = ("script", "stage", "film")


@dataclasses.dataclass(frozen=True)
class Chains:
    """One script, `segments` chains of `stages` jobs, one film of them all."""

    segments: int
    stages: int = 6
    # Of all jobs but the film.
    settings: dict = dataclasses.field(default_factory=dict)
    film_settings: dict = dataclasses.field(default_factory=dict)

    @property
    def jobs(self) -> int:
        return self.segments * self.stages + 2

    @property
    def blueprint(self) -> str:
        settings = json.dumps(self.settings)
        lines = [
            "blueprint: chains",
            "inputs:",
            "  Story: {type: text}",
            f"  Segments: {{type: integer, default: {self.segments}, minimum: 1}}",
            "dimensions:",
            "  segment: {size: Input:Segments}",
            "nodes:",
            "  Script:",
            "    producer: script",
            f"    settings: {settings}",
            '    inputs: {story: "Input:Story"}',
            "    outputs: {Outline: text/plain}",
        ]
        read = "Outline"
        for stage in range(self.stages):
            lines += [
                f"  Stage{stage}:",
                "    producer: stage",
                "    over: [segment]",
                f"    settings: {settings}",
                f'    inputs: {{from: "{read}"}}',
                f"    outputs: {{Made{stage}: text/plain}}",
            ]
            read = f"Made{stage}[segment]"
        lines += [
            "  Film:",
            "    producer: film",
            f"    settings: {json.dumps(self.film_settings)}",
            f'    inputs: {{clips: {{all: "{read}"}}}}',
            "    outputs: {Film: text/plain}",
            "outputs: [Film]",
        ]
        return "\n".join(lines) + "\n"

    def read_by(self, job: str) -> list[str]:
        """The jobs whose outputs a job reads."""
        node, _, place = job.partition("[")
        if node == "Script":
            return []
        if node == "Film":
            return [
                f"Stage{self.stages - 1}[segment={i}]" for i in range(self.segments)
            ]
        stage = int(node.removeprefix("Stage"))
        return [f"Stage{stage - 1}[{place}"] if stage > 0 else ["Script"]


@dataclasses.dataclass(frozen=True)
class Skewed:
    """One chain of slow jobs beside many short ones, all read by one film."""

    links: int
    link_ms: int
    shorts: int
    short_ms: int

    @property
    def jobs(self) -> int:
        return self.links + self.shorts + 1

    @property
    def critical_path_s(self) -> float:
        return self.links * self.link_ms / 1000

    @property
    def blueprint(self) -> str:
        lines = [
            "blueprint: skewed",
            "inputs:",
            "  Story: {type: text}",
            f"  Shorts: {{type: integer, default: {self.shorts}, minimum: 1}}",
            "dimensions:",
            "  short: {size: Input:Shorts}",
            "nodes:",
            "  Short:",
            "    producer: stage",
            "    over: [short]",
            f"    settings: {{delay_ms: {self.short_ms}}}",
            '    inputs: {story: "Input:Story"}',
            "    outputs: {Made: text/plain}",
        ]
        read = "Input:Story"
        for link in range(self.links):
            lines += [
                f"  Link{link}:",
                "    producer: stage",
                f"    settings: {{delay_ms: {self.link_ms}}}",
                f'    inputs: {{from: "{read}"}}',
                f"    outputs: {{Linked{link}: text/plain}}",
            ]
            read = f"Linked{link}"
        lines += [
            "  Film:",
            "    producer: film",
            f'    inputs: {{chain: "{read}", shorts: {{all: "Made[short]"}}}}',
            "    outputs: {Film: text/plain}",
            "outputs: [Film]",
        ]
        return "\n".join(lines) + "\n"
