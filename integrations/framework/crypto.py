"""Encrypts credentials: AES-256-GCM with named keys, each value bound to the row it belongs to.

Format: `<key id>:<iv hex>:<tag hex>:<ciphertext hex>`, iv 16 bytes. The three-part form `iv:tag:ciphertext` that
Node's crypto module writes, without key id and without bound data, can be read too.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
IV_BYTES = 16
TAG_BYTES = 16
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


class KeyProblem(Exception):
    """The key setting is missing or malformed. Says what to set, never what was set."""


class DecryptionFailed(Exception):
    """The value cannot be read: wrong key, other row, or changed. Says which key id was needed."""


@dataclass(frozen=True)
class KeyRing:
    """Named keys; the first encrypts, all decrypt. keys: key id -> 32 bytes."""

    keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def from_setting(cls, text: str) -> KeyRing:
        """Read "id:base64key,id2:base64key2". Raises KeyProblem when a key is missing or not 32 bytes."""
        keys: dict[str, bytes] = {}
        for number, part in enumerate((part.strip() for part in text.split(",") if part.strip()), start=1):
            key_id, separator, encoded = part.partition(":")
            if not separator or not KEY_ID.fullmatch(key_id):
                raise KeyProblem(
                    f"ENCRYPTION_KEY: entry {number} must look like id:base64key, with an id of letters and digits."
                )
            if key_id in keys:
                raise KeyProblem(f"ENCRYPTION_KEY: the key id {key_id!r} is given twice.")
            try:
                key = base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError):
                raise KeyProblem(f"ENCRYPTION_KEY: the key {key_id!r} is not valid base64.") from None
            if len(key) != KEY_BYTES:
                raise KeyProblem(
                    f"ENCRYPTION_KEY: the key {key_id!r} has {len(key)} bytes, it needs {KEY_BYTES}. "
                    'Make one with: python -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())"'
                )
            keys[key_id] = key
        if not keys:
            raise KeyProblem(
                "ENCRYPTION_KEY is missing. Set it to id:base64key with a key of 32 random bytes."
            )
        return cls(keys)

    @property
    def current(self) -> str:
        """The id of the key that encrypts."""
        return next(iter(self.keys))

    def encrypt(
        self, text: str, *, bound_to: bytes, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> str:
        """Return the encrypted text. bound_to: what row_binding() gave; needed again to decrypt."""
        iv = random_bytes(IV_BYTES)
        sealed = AESGCM(self.keys[self.current]).encrypt(iv, text.encode(), bound_to)
        ciphertext, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
        return f"{self.current}:{iv.hex()}:{tag.hex()}:{ciphertext.hex()}"

    def decrypt(self, value: str, *, bound_to: bytes) -> str:
        """Return the text. Raises DecryptionFailed when the key is unknown, or the value or its row are not the same.

        A value of three parts has no key id and is bound to nothing: every key is tried.
        """
        key_id, iv, tag, ciphertext = _parts(value)
        if key_id is None:
            candidates, data = list(self.keys.values()), None
        elif key_id in self.keys:
            candidates, data = [self.keys[key_id]], bound_to
        else:
            raise DecryptionFailed(
                f"The key {key_id!r} is not in ENCRYPTION_KEY. Add it back to read older values."
            )
        for key in candidates:
            try:
                return AESGCM(key).decrypt(iv, ciphertext + tag, data).decode()
            except InvalidTag:
                continue
        raise DecryptionFailed("The stored value does not fit its key or its row.")

    def encrypt_json(self, value: Any, *, bound_to: bytes) -> str:
        return self.encrypt(json.dumps(value, separators=(",", ":"), ensure_ascii=False), bound_to=bound_to)

    def decrypt_json(self, value: str, *, bound_to: bytes) -> Any:
        return json.loads(self.decrypt(value, bound_to=bound_to))

    def needs_rotation(self, value: str) -> bool:
        """Whether the value was not written with the current key."""
        return _parts(value)[0] != self.current


def row_binding(organization_id: Any, integration_id: Any) -> bytes:
    """Return the data that ties a value to one integration: copied to another row it no longer opens."""
    return f"{organization_id}/{integration_id}".encode()


def _parts(value: str) -> tuple[str | None, bytes, bytes, bytes]:
    pieces = value.split(":")
    key_id = pieces.pop(0) if len(pieces) == 4 else None
    try:
        iv, tag, ciphertext = (bytes.fromhex(piece) for piece in pieces)
    except ValueError:
        raise DecryptionFailed("The stored value is not in a form we know.") from None
    if len(tag) != TAG_BYTES or not 8 <= len(iv) <= 128:  # a shortened tag would be easier to forge
        raise DecryptionFailed("The stored value is not in a form we know.")
    return key_id, iv, tag, ciphertext
