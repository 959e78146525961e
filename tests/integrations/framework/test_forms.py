"""Form bodies: nesting by brackets, lists, files, and what is no form at all."""

import base64

from integrations.framework import Inbound
from integrations.framework.forms import nested, read_form

MULTIPART = (
    b'--xYz\r\nContent-Disposition: form-data; name="subject"\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n'
    b'--xYz\r\nContent-Disposition: form-data; name="attachment1"; filename="a.csv"\r\n'
    b"Content-Type: text/csv\r\n\r\na,b\r\n--xYz--\r\n"
)
MULTIPART_TYPE = 'multipart/form-data; boundary="xYz"'


def test_brackets_become_nesting():
    body = b"type=subscribe&data%5Bid%5D=8a25ff1d98&data[merges][FNAME]=Ada+L&data[empty]="
    assert read_form(body, "application/x-www-form-urlencoded") == {
        "type": "subscribe",
        "data": {"id": "8a25ff1d98", "merges": {"FNAME": "Ada L"}, "empty": ""},
    }


def test_empty_brackets_become_a_list():
    assert nested([("tags[]", "a"), ("tags[]", "b"), ("x[y][]", "c")]) == {
        "tags": ["a", "b"],
        "x": {"y": ["c"]},
    }


def test_contradicting_and_odd_names_stay_as_written():
    assert nested([("a", "1"), ("a[b]", "2")]) == {"a": "1", "a[b]": "2"}
    assert nested([("[x]", "1"), ("a[", "2"), ("a[][b]", "3")]) == {"[x]": "1", "a[": "2", "a[][b]": "3"}


def test_a_multipart_form_gives_its_texts_and_files():
    form = read_form(MULTIPART, MULTIPART_TYPE)
    assert form["subject"] == "Grüße"
    assert form["attachment1"] == {
        "name": "a.csv",
        "content": base64.b64encode(b"a,b").decode(),
        "content_type": "text/csv",
    }


def test_what_is_no_form_gives_nothing():
    assert read_form(b"\xff\xfe", "application/x-www-form-urlencoded") == {}
    assert read_form(b"nothing", "multipart/form-data") == {}
    assert read_form(b"&".join([b"a=1"] * 5_001), "") == {}


def test_a_delivery_reads_its_form_by_its_type():
    inbound = Inbound("POST", "https://steward.example/", {"Content-Type": MULTIPART_TYPE}, MULTIPART, 0)
    assert inbound.payload["subject"] == "Grüße"
    inbound = Inbound("POST", "https://steward.example/", {}, b"data[id]=1", 0)
    assert inbound.payload == {"data": {"id": "1"}}
    assert inbound.form == {"data[id]": "1"}
