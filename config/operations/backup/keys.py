"""The installation's keys inside a backup: readable with the passphrase, and with nothing else."""

from __future__ import annotations

import base64
import json
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from config.operations.backup.archive import BackupProblem

NAMES = ("SECRET_KEY", "ENCRYPTION_KEY")
SHORTEST_PASSPHRASE = 12
# 64 MB and about 0.2 s a guess.
COST, BLOCK_SIZE, PARALLEL = 2**16, 8, 1
BOUND_TO = b"steward backup keys"


def wrap(keys: dict[str, str], passphrase: str) -> bytes:
    """Return JSON that holds the keys, encrypted. Raises BackupProblem for a passphrase that is too short."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise BackupProblem(
            f"The passphrase needs at least {SHORTEST_PASSPHRASE} characters: it protects every credential."
        )
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    sealed = AESGCM(_key(passphrase, salt, COST)).encrypt(nonce, json.dumps(keys).encode(), BOUND_TO)
    parts = {"salt": salt, "nonce": nonce, "keys": sealed}
    return json.dumps(
        {"cost": COST} | {name: base64.b64encode(value).decode() for name, value in parts.items()}
    ).encode()


def unwrap(wrapped: bytes, passphrase: str) -> dict[str, str]:
    """Return the keys. Raises BackupProblem when the passphrase is another one."""
    content = json.loads(wrapped)
    salt, nonce, sealed = (base64.b64decode(content[name]) for name in ("salt", "nonce", "keys"))
    try:
        opened = AESGCM(_key(passphrase, salt, min(int(content["cost"]), 2**20))).decrypt(
            nonce, sealed, BOUND_TO
        )
    except InvalidTag:
        raise BackupProblem("The passphrase is not the one that this backup was made with.") from None
    return {name: str(value) for name, value in json.loads(opened).items()}


def _key(passphrase: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=cost, r=BLOCK_SIZE, p=PARALLEL).derive(passphrase.encode())
