"""One file that holds everything: the database, the keys that open its credentials, and the proof that it is whole.

A backup is an uncompressed zip archive (pg_dump compresses by itself), so that ordinary tools open it:

    database.dump   pg_dump in its custom format, as one snapshot of the database
    keys.json       SECRET_KEY and ENCRYPTION_KEY, encrypted with a passphrase (scrypt, AES-256-GCM)
    manifest.json   release, migrations, server version, rows of each table in that snapshot, SHA-256 of the parts

Its comment ends with the SHA-256 of every byte before, so one changed byte anywhere is found.
"""
