"""Small definitions for tests: one of every step and trigger, and a strategy that draws whole definitions."""

from hypothesis import strategies as st

CONDITION = {
    "all": [{"value": "{{ trigger.body.n }}", "is": "gt", "to": 3}, {"not": {"value": "x", "is": "empty"}}]
}


def a_step(step_id="keep", **more):
    return {"id": step_id, "type": "set", "values": {}, **more}


def a_definition(*steps, **more):
    return {"version": 1, "steps": list(steps), **more}


EVERY_STEP = [
    {
        "id": "s",
        "type": "action",
        "provider": "slack",
        "operation": "post_message",
        "integration": "main",
        "with": {"channel": "#a", "text": "Hi {{ trigger.body.name }}"},
    },
    {
        "id": "s",
        "type": "http",
        "method": "POST",
        "url": "https://api.example/x",
        "headers": {"a": "b"},
        "query": {"q": 1},
        "json": {"a": [1]},
        "allow_errors": True,
        "pagination": {"mode": "cursor", "cursor": "next", "parameter": "after"},
    },
    {
        "id": "s",
        "type": "ai",
        "operation": "extract",
        "prompt": "{{ trigger.body }}",
        "max_tokens": 100,
        "schema": {"type": "object", "properties": {"points": {"type": "integer"}}},
        "budget": {"cost_cents": 5},
    },
    {
        "id": "s",
        "type": "set",
        "values": {"a": 1},
        "if": CONDITION,
        "retry": {"attempts": 2, "backoff": "1s"},
        "on_error": "continue",
        "timeout": "5m",
        "note": "n",
        "name": "Name",
        "disabled": True,
    },
    {
        "id": "s",
        "type": "transform",
        "operation": "filter",
        "items": "{{ trigger.body.items }}",
        "where": CONDITION,
    },
    {"id": "s", "type": "code", "language": "python", "source": "x + 1", "inputs": {"x": 1}},
    {
        "id": "s",
        "type": "branch",
        "otherwise": [],
        "branches": [{"name": "a", "title": "A", "when": CONDITION, "steps": [a_step("t")]}],
    },
    {
        "id": "s",
        "type": "parallel",
        "branches": [{"name": "a", "steps": [a_step("t")]}, {"name": "b", "steps": []}],
    },
    {"id": "s", "type": "loop", "items": [1, 2], "as": "row", "concurrency": 5, "steps": [a_step("t")]},
    {"id": "s", "type": "repeat", "steps": [a_step("t")], "until": CONDITION, "max_times": 3, "delay": "10s"},
    {"id": "s", "type": "delay", "for": "3d", "business_hours": True},
    {
        "id": "s",
        "type": "approval",
        "title": "OK?",
        "assignees": [{"role": "ADMIN"}, {"user": "a@b.example"}],
        "form": {"type": "object"},
        "required": 2,
        "deadline": "2d",
        "on_deadline": "reject",
        "remind": "1d",
    },
    {"id": "s", "type": "wait", "timeout": "7d", "on_timeout": "continue"},
    {"id": "s", "type": "workflow", "workflow": "child", "input": {"a": 1}, "wait": False},
    {"id": "s", "type": "respond", "status": 201, "headers": {"x": "y"}, "body": {"ok": True}},
    {
        "id": "s",
        "type": "stop",
        "outcome": "failure",
        "message": "No {{ trigger.body.n }}",
        "on_error": [a_step("t")],
    },
]

EVERY_TRIGGER = [
    {"type": "manual", "id": "by_hand", "name": "By hand"},
    {"type": "api", "disabled": True},
    {
        "type": "webhook",
        "token": "t" * 24,
        "auth": {"method": "hmac", "header": "X-Signature", "prefix": "sha256="},
        "dedupe_key": "{{ trigger.headers.x }}",
        "respond": "by_step",
        "respond_timeout": "10s",
        "filter": CONDITION,
    },
    {
        "type": "schedule",
        "cron": "0 9 * * 1-5",
        "timezone": "Europe/Paris",
        "missed": "run_all",
        "overlap": "skip",
        "pause": [{"start": "2026-12-24", "end": "2026-12-31"}],
    },
    {
        "type": "provider",
        "provider": "stripe",
        "event": "invoice_paid",
        "integration": "main",
        "with": {"a": 1},
        "filter": CONDITION,
    },
    {
        "type": "form",
        "title": "Contact",
        "schema": {"type": "object", "properties": {}},
        "thanks": "Thank you",
    },
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text("ab{}%| .", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def definitions(draw, ids="abcdefghij"):
    """Draw the data of a definition whose step ids are unique, taken from a small set so that versions share steps."""
    free = draw(st.permutations(list(ids)))

    def steps(depth):
        made = []
        for _each in range(draw(st.integers(0, 3))):
            if not free:
                break
            step = {"id": free.pop()}
            kind = draw(
                st.sampled_from(
                    ["set", "set", "stop", "loop", "branch", "parallel"] if depth < 3 else ["set"]
                )
            )
            step["type"] = kind
            if draw(st.booleans()):
                step["name"] = draw(st.sampled_from(["One", "Two"]))
            if kind == "set":
                step["values"] = draw(st.dictionaries(st.sampled_from("xyz"), json_values, max_size=2))
            elif kind == "loop":
                step |= {"items": draw(json_values), "steps": steps(depth + 1)}
            elif kind in {"branch", "parallel"}:
                names = draw(
                    st.lists(st.sampled_from(["left", "right", "mid"]), min_size=1, max_size=3, unique=True)
                )
                when = {"when": {"value": draw(json_values), "is": "true"}} if kind == "branch" else {}
                step["branches"] = [{"name": name, **when, "steps": steps(depth + 1)} for name in names]
                if kind == "branch" and draw(st.booleans()):
                    step["otherwise"] = steps(depth + 1)
            if draw(st.integers(0, 4)) == 0:
                step["on_error"] = steps(depth + 1)
            made.append(step)
        return made

    data = {"version": 1, "steps": steps(1)}
    if draw(st.booleans()):
        data["output"] = draw(json_values)
    if draw(st.booleans()):
        data["settings"] = {"timeout": draw(st.sampled_from(["5m", "1h"]))}
    return data
