"""The files for operators name only what exists: figures, commands, settings."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from config.metrics import QUERIES
from config.operations.jobs import JOBS
from tests.databases import ROOT
from workflows.engine.states import ErrorClass

DEPLOY = ROOT / "docs" / "deploy"
FIGURE = re.compile(r"\bsteward_[a-z0-9_]+")


def test_every_alert_is_about_a_figure_that_is_served_and_says_what_to_do() -> None:
    rules = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"][0]["rules"]
    assert len(rules) >= 8
    for rule in rules:
        assert set(FIGURE.findall(rule["expr"])) <= QUERIES.keys(), rule["alert"]
        assert rule["annotations"]["action"]
    text = str(rules)
    assert f'class="{ErrorClass.PLATFORM}"' in text
    assert set(re.findall(r'job="([^"]+)"', text)) <= {job.name for job in JOBS}


def test_the_dashboard_shows_every_figure_that_is_served_but_the_jobs_own() -> None:
    panels = json.loads((DEPLOY / "grafana.json").read_text())["panels"]
    shown = {
        name for panel in panels for target in panel["targets"] for name in FIGURE.findall(target["expr"])
    }
    assert shown == QUERIES.keys() - {"steward_job_last_success_timestamp"}
    for panel in panels:
        for target in panel["targets"]:
            labels = re.findall(r"{{(\w+)}}", target["legendFormat"])
            name = FIGURE.findall(target["expr"])[0]
            assert set(labels) <= set(QUERIES[name][1]), target["legendFormat"]


@pytest.mark.parametrize("path", sorted(DEPLOY.glob("*.service")), ids=lambda path: path.name)
def test_systemd_takes_the_units(path: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine")
    name = path.name.replace("@", "@1")
    # The programs of an installed Steward are not here: everything but their existence is checked.
    (tmp_path / name).write_text(
        re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", path.read_text(), flags=re.MULTILINE)
    )
    found = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / name)], capture_output=True, text=True, check=False
    )
    assert name not in found.stderr, found.stderr


def test_compose_starts_what_the_readme_names_and_asks_for_every_secret() -> None:
    text = (ROOT / "compose.yaml").read_text()
    services = yaml.safe_load(text)["services"]
    assert services.keys() == {"database", "release", "web", "worker"}
    assert "manage.py worker" in " ".join(services["worker"]["command"])
    for secret in ("POSTGRES_PASSWORD", "APP_PASSWORD", "OWNER_PASSWORD"):
        assert f"${{{secret}:?}}" in text
