"""Credentials open only with their key, in their row, unchanged; and what Node wrote can be read."""

import base64

import pytest

from integrations.framework.crypto import DecryptionFailed, KeyProblem, KeyRing, row_binding

KEY = bytes(range(32))
RING = KeyRing.from_setting(f"k1:{base64.b64encode(KEY).decode()}")
ROW = row_binding("organization-1", "integration-2")
SECRET = {"accessToken": "xoxb-åccess", "refreshToken": "r-1"}

# Made with Node v20.20.2: createCipheriv("aes-256-gcm", key, iv) over JSON.stringify(SECRET),
# key 000102..1f, iv a0a1a2..af.
NODE_PLAIN = (
    "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf:d5b672139e0742927f540cfe8af645f4:"
    "518142df7ba8be0597f174d48336b7b2fa2a3b1b53f7f4cf9e7719c53b1904f569f79406e6bbebd2856c5e802260c5dd2b18da"
)
# The same with setAAD("organization-1/integration-2").
NODE_BOUND = (
    "k1:a0a1a2a3a4a5a6a7a8a9aaabacadaeaf:cf281b2f495f780f54b9e611c50f790f:"
    "518142df7ba8be0597f174d48336b7b2fa2a3b1b53f7f4cf9e7719c53b1904f569f79406e6bbebd2856c5e802260c5dd2b18da"
)


def test_what_node_encrypted_opens():
    assert RING.decrypt_json(NODE_PLAIN, bound_to=ROW) == SECRET
    assert RING.decrypt_json(NODE_BOUND, bound_to=ROW) == SECRET


def test_we_write_exactly_what_node_writes():
    iv = bytes.fromhex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")
    assert RING.encrypt_json(SECRET, bound_to=ROW) != NODE_BOUND  # the iv is random
    text = '{"accessToken":"xoxb-åccess","refreshToken":"r-1"}'
    assert RING.encrypt(text, bound_to=ROW, random_bytes=lambda size: iv[:size]) == NODE_BOUND


def test_a_value_returns_and_never_looks_the_same_twice():
    first, second = (RING.encrypt_json(SECRET, bound_to=ROW) for _ in range(2))
    assert RING.decrypt_json(first, bound_to=ROW) == SECRET
    assert first != second
    key_id, iv, tag, _ = first.split(":")
    assert (key_id, len(iv), len(tag)) == ("k1", 32, 32)


def test_a_value_copied_to_another_row_does_not_open():
    value = RING.encrypt_json(SECRET, bound_to=ROW)
    with pytest.raises(DecryptionFailed):
        RING.decrypt(value, bound_to=row_binding("organization-9", "integration-2"))


@pytest.mark.parametrize("part", [1, 2, 3])
def test_a_changed_value_does_not_open(part):
    parts = RING.encrypt("secret", bound_to=ROW).split(":")
    parts[part] = ("1" if parts[part][0] == "0" else "0") + parts[part][1:]
    with pytest.raises(DecryptionFailed):
        RING.decrypt(":".join(parts), bound_to=ROW)


@pytest.mark.parametrize("value", ["", "x", "k1:zz:zz:zz", "a:b", "k1:" + "0" * 32 + ":00:00"])
def test_what_is_not_ours_is_refused_clearly(value):
    with pytest.raises(DecryptionFailed):
        RING.decrypt(value, bound_to=ROW)


def test_a_new_key_writes_and_the_old_one_still_reads():
    new = base64.b64encode(bytes(32)).decode()
    both = KeyRing.from_setting(f"k2:{new}, k1:{base64.b64encode(KEY).decode()}")
    old = RING.encrypt("secret", bound_to=ROW)
    assert both.decrypt(old, bound_to=ROW) == "secret"
    assert both.needs_rotation(old)
    assert both.needs_rotation(NODE_PLAIN)
    assert not both.needs_rotation(both.encrypt("secret", bound_to=ROW))
    with pytest.raises(DecryptionFailed, match="k1"):
        KeyRing.from_setting(f"k2:{new}").decrypt(old, bound_to=ROW)


@pytest.mark.parametrize(
    "setting",
    [
        "",
        " , ",
        "no-id",
        ":AAAA",
        "k1:not base64!",
        "k1:QUJD",
        f"k1:{base64.b64encode(KEY).decode()},k1:{base64.b64encode(KEY).decode()}",
    ],
)
def test_a_missing_or_wrong_key_is_a_clear_refusal(setting):
    with pytest.raises(KeyProblem, match="ENCRYPTION_KEY"):
        KeyRing.from_setting(setting)


def test_keys_are_never_shown():
    assert base64.b64encode(KEY).decode() not in repr(RING)
    assert "\\x01" not in repr(RING)
