"""A producer that several servers serve: each has its share of the work, and the
others have that of one which is gone."""

import contextlib
import pathlib

from cluster import Kinora, sim, up
from conftest import FILM_PRODUCERS

SEGMENTS = 6
JOBS = 1 + 2 * SEGMENTS + 1


@contextlib.contextmanager
def target(folder: pathlib.Path):
    """A simulated provider that keeps a record in the folder."""
    folder.mkdir()
    with sim(folder, "--record", str(folder / "record")) as process:
        yield process


def finished(folder: pathlib.Path) -> int:
    """How many jobs the provider has done."""
    lines = (folder / "record").read_text().splitlines()
    return sum(line.startswith("finished ") for line in lines)


def test_targets_share_the_work_and_one_that_is_gone_is_done_without(tmp_path, film):
    one, two = tmp_path / "one", tmp_path / "two"
    with target(one) as first, target(two) as second:
        table = tmp_path / "producers.yaml"
        targets = [f"dns:///{process.address}" for process in (first, second)]
        table.write_text(
            "producers:\n"
            + "".join(f"  {name}: {{targets: {targets}}}\n" for name in FILM_PRODUCERS)
        )
        server = up(tmp_path, table)
        kinora = Kinora(server.address)
        blueprint = film("{delay_ms: 100}")
        kinora.ok("movie", "create", "film", "--blueprint", blueprint)
        kinora.ok("input", "set", "film", f"SegmentCount={SEGMENTS}")
        kinora.ok("input", "set", "film", 'Story="Call me Ishmael."')
        assert kinora.run("film").end == "run.completed"
        shares = finished(one), finished(two)
        assert min(shares) > 0 and sum(shares) == JOBS, shares

        second.kill()
        kinora.ok("input", "set", "film", 'Story="Some years ago."')
        outcome = kinora.run("film")
        assert outcome.end == "run.completed", outcome.events[-1]
        assert (finished(one) - shares[0], finished(two)) == (JOBS, shares[1])
        assert server.stop() == 0
