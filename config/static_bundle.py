"""One stylesheet and one script per page in production: collectstatic inlines what the entry files import."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile, File
from whitenoise.storage import CompressedManifestStaticFilesStorage

STYLESHEET = "css/steward.css"
SCRIPT = "js/steward.js"
CSS_IMPORT = re.compile(r'^@import url\("([^"]+)"\) layer\((\w+)\);$', re.MULTILINE)
JS_IMPORT = re.compile(r'^import "\./([^"]+)";$', re.MULTILINE)


def bundle_stylesheet(text: str, read: Any) -> str:
    """Return the stylesheet with each `@import url("x") layer(y);` replaced by `@layer y { x }`.

    read: file name relative to the entry file -> its text.
    Raises ValueError for an import in any other shape, which would stay a request of its own.
    """
    bundled = CSS_IMPORT.sub(lambda found: f"@layer {found[2]} {{\n{read(found[1])}}}", text)
    if "@import" in bundled:
        raise ValueError(f'{STYLESHEET}: write imports as @import url("name.css") layer(name);')
    return bundled


def bundle_script(text: str, read: Any) -> str:
    """Return the script with each `import "./x.js";` replaced by its text in a block, where its names stay its own.

    Raises ValueError when a file imports or exports something: behaviours talk through events instead.
    """

    def block(found: re.Match[str]) -> str:
        body = read(found[1])
        if re.search(r"^(import|export)\b", body, re.MULTILINE):
            raise ValueError(f"js/{found[1]}: a behaviour imports and exports nothing")
        return f"{{\n{body}}}"

    return JS_IMPORT.sub(block, text)


class _BundledSource:
    """Stands in for the storage a file is collected from, and hands out the bundle in place of the entry file."""

    def __init__(self, storage: Any, path: str, bundle: Any) -> None:
        self._storage, self._path, self._bundle = storage, path, bundle

    def _read(self, path: str) -> str:
        with self._storage.open(path) as source:
            return source.read().decode()

    def open(self, path: str, mode: str = "rb") -> File[bytes]:
        folder = posixpath.dirname(self._path)
        text = self._bundle(self._read(self._path), lambda name: self._read(posixpath.join(folder, name)))
        return ContentFile(text.encode(), name=path)

    def path(self, name: str) -> str:
        return self._storage.path(name)


class BundledStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's hashed and compressed files, with the two entry files bundled first.

    The same sources give the same bytes, so every machine of a release names its files alike.
    """

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        for entry, bundle in ((STYLESHEET, bundle_stylesheet), (SCRIPT, bundle_script)):
            if entry in paths:
                storage, path = paths[entry]
                paths[entry] = (_BundledSource(storage, path, bundle), path)
        yield from super().post_process(paths, dry_run, **options)
