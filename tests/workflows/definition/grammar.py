"""Draws texts that look like Liquid, sound or broken, for property tests and the fuzz script."""

from hypothesis import strategies as st

from workflows.definition.liquid_environment import ENVIRONMENT, TAGS

SCOPE = {
    "trigger": {
        "body": {
            "name": "ada",
            "list": [1, "2", None, {"a": [True]}],
            "when": "2026-02-30",
            "deep": {"er": {}},
        }
    },
    "steps": {"a": {"output": 3.5}, "b": {"output": [{"x": 1}, {"x": "y"}], "error": {"message": "no"}}},
    "item": "x",
    "loop": {"index": 0, "first": True},
    "now": "2026-11-22T10:00:00Z",
    "vars": {"n": -1, "big": 10**15},
}
_ATOMS = (
    "trigger.body.name",
    "trigger.body.list",
    "trigger.body",
    "steps.a.output",
    "steps.b.output",
    "item",
    "vars.big",
    "now",
    "nowhere",
    "loop",
    "'text'",
    '"a,b"',
    "1",
    "-2.5",
    "0",
    "99999999999999999999",
    "(1..4)",
    "(1..x)",
    "true",
    "nil",
    "empty",
    "blank",
    "trigger['body']",
    "trigger[item]",
    "steps.b.output[0].x",
    "i",
    "'%Y-%m'",
    "'('",
    "'[a-z]+'",
    "'3d'",
    "'EUR'",
)
atoms = st.sampled_from(_ATOMS)
filters = st.builds(
    lambda name, arguments: f"{name}{': ' if arguments else ''}{', '.join(arguments)}",
    st.sampled_from([*sorted(ENVIRONMENT.filters), "nofilter"]),
    st.lists(atoms, max_size=3),
)
expressions = st.builds(lambda left, chain: " | ".join((left, *chain)), atoms, st.lists(filters, max_size=4))
_tags = st.one_of(
    st.builds(lambda e: "{{ " + e + " }}", expressions),
    st.builds(lambda e: "{% assign i = " + e + " %}", expressions),
    st.builds(lambda e: "{% for i in " + e + " %}", atoms),
    st.builds(
        lambda a, o, b: "{% if " + f"{a} {o} {b}" + " %}",
        atoms,
        st.sampled_from(["==", "<", "contains", ""]),
        atoms,
    ),
    st.builds(lambda e: "{% case " + e + " %}{% when 1 %}", atoms),
    st.sampled_from(
        ["{% endfor %}", "{% endif %}", "{% else %}", "{% endcase %}", "{% capture i %}", "{% endcapture %}"]
    ),
    st.builds(lambda name: "{% " + name + " %}", st.sampled_from(TAGS)),
    st.sampled_from(
        ["{{", "}}", "{%", "%}", "{{-", "-}}", "|", "'", '"', "[", "..", "\x00", "\ud800", "é", "{% raw %}"]
    ),
    st.text(max_size=10),
)


def liquid_texts():
    """Return a strategy of texts made of Liquid's parts in any order."""
    return st.lists(_tags, max_size=8).map("".join)
