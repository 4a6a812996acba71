"""Every configuration in deploy/ starts the server it is for."""

import pytest

from cluster import BIN, ROOT, Process


@pytest.mark.parametrize("name", ["store", "planner", "runner"])
def test_configuration_starts_its_server(name, tmp_path):
    producers = tmp_path / "producers.yaml"
    producers.write_text("producers: {}\n")
    argv = [
        BIN / f"kinora-{name}",
        "--config", ROOT / f"deploy/config/{name}.yaml",
        "--listen", "127.0.0.1:0",
    ]
    argv += {"store": ["--data", tmp_path / "data"],
             "runner": ["--producers", producers]}.get(name, [])
    process = Process([str(word) for word in argv], tmp_path / "log")
    assert process.stop() == 0


def test_unknown_field_names_its_line(tmp_path):
    config = tmp_path / "store.yaml"
    config.write_text("drain_seconds: 1\nlisden: x\n")
    with pytest.raises(AssertionError, match=r"store.yaml:2.*lisden"):
        Process([str(BIN / "kinora-store"), "--config", str(config)], tmp_path / "log")
