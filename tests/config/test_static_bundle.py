"""collectstatic: one stylesheet, one script, small on the wire."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

from config.static_bundle import bundle_script, bundle_stylesheet

BUNDLED = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static_bundle.BundledStaticFilesStorage"},
}
WIRE_BYTES = 60_000  # leaves 40 kB of the 100 kB of a page for its HTML


def collect(folder: Path) -> dict[str, str]:
    with override_settings(STORAGES=BUNDLED, STATIC_ROOT=folder):
        call_command("collectstatic", interactive=False, verbosity=0)
    return json.loads((folder / "staticfiles.json").read_text())["paths"]


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("static")
    return folder, collect(folder)


def test_the_stylesheet_asks_for_no_other_file(collected: tuple[Path, dict[str, str]]) -> None:
    folder, names = collected
    text = (folder / names["css/steward.css"]).read_text()
    assert "@import" not in text
    assert "@layer components {" in text
    assert text.index("@layer reset, base, components") < text.index("--canvas:")


def test_the_script_holds_every_behaviour(collected: tuple[Path, dict[str, str]]) -> None:
    folder, names = collected
    text = (folder / names["js/steward.js"]).read_text()
    assert 'import "' not in text
    pages = "".join(page.read_text() for page in (settings.BASE_DIR / "templates").rglob("*.html"))
    for module in (settings.BASE_DIR / "static" / "js").glob("*.js"):
        # What one page alone needs is loaded by that page.
        if module.name != "steward.js" and f"js/{module.name}" not in pages:
            assert module.read_text() in text, module.name


def test_collecting_twice_gives_the_same_names(
    collected: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    assert collect(tmp_path) == collected[1]


def test_styles_scripts_and_htmx_leave_room_for_the_page(collected: tuple[Path, dict[str, str]]) -> None:
    folder, names = collected
    files = ["css/steward.css", "js/steward.js", "django_htmx/htmx-2.min.js", "img/icon.svg"]
    assert sum(len(gzip.compress((folder / names[name]).read_bytes())) for name in files) < WIRE_BYTES


def test_every_component_stylesheet_is_in_the_bundle() -> None:
    css = settings.BASE_DIR / "static" / "css"
    entry = (css / "steward.css").read_text()
    for sheet in (css / "components").glob("*.css"):
        assert f'"components/{sheet.name}"' in entry


def test_an_import_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="write imports as"):
        bundle_stylesheet('@import "tokens.css";', lambda name: "")


def test_a_behaviour_that_exports_is_refused() -> None:
    with pytest.raises(ValueError, match="exports nothing"):
        bundle_script('import "./copy.js";', lambda name: "export const copy = 1;\n")
