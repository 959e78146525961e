"""The installer: it follows pip's configuration, and installs only when a lock file changed."""

import json
from pathlib import Path

import pytest

from config import installation


def test_pip_s_indexes_and_links_reach_uv() -> None:
    variables = installation.uv_environment(
        {
            "index-url": "https://packages.example/simple",
            "extra-index-url": "\nfile:///a\nfile:///b",
            "find-links": "/x /y",
        }
    )
    assert variables["UV_DEFAULT_INDEX"] == "https://packages.example/simple"
    assert variables["UV_INDEX"] == "file:///a file:///b"
    assert variables["UV_FIND_LINKS"] == "/x,/y"


def test_the_environment_wins_over_pip_s_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", "/from/the/environment")
    assert installation.pip_configuration()["find-links"] == "/from/the/environment"


def test_the_development_lock_covers_the_other(tmp_path: Path) -> None:
    record = tmp_path / "record"
    record.write_text(json.dumps(installation.checksums(installation.DEVELOPMENT_LOCK)))
    assert installation.is_installed(record, installation.checksums(installation.RUNTIME_LOCK))


@pytest.mark.parametrize("content", ["", "{", "{}"])
def test_a_half_finished_installation_counts_as_none(tmp_path: Path, content: str) -> None:
    record = tmp_path / "record"
    wanted = installation.checksums(installation.RUNTIME_LOCK)
    assert not installation.is_installed(record, wanted)
    record.write_text(content)
    assert not installation.is_installed(record, wanted)


@pytest.mark.parametrize("name", [installation.RUNTIME_LOCK, installation.DEVELOPMENT_LOCK])
def test_a_lock_has_a_hash_for_every_package_and_names_no_registry(name: str) -> None:
    lines = (installation.ROOT / name).read_text().splitlines()
    packages = [line for line in lines if line and line[0] not in " #-"]
    assert packages
    assert all("==" in line and line.endswith("\\") for line in packages)
    assert not any("://" in line or line.startswith("-") for line in lines)
