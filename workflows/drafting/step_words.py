"""What the fields of the step types are called, with help and examples; plain words for people who never wrote code."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from workflows.drafting.fields import Path

LIST = {"kind": "value", "is_templated": True}
TEXT = {"kind": "text", "is_templated": True}
LONG = {"kind": "long_text", "is_templated": True}
ROWS = {"kind": "rows", "is_templated": True}

# (step type, key) -> what replaces the model's own words.
WORDS: dict[tuple[str, str], dict[str, Any]] = {
    ("action", "integration"): {"label": _("Account"), "kind": "choice"},
    ("http", "method"): {"label": _("Method"), "help": _("GET reads; POST, PUT and PATCH send.")},
    ("http", "url"): {**TEXT, "label": _("Address"), "example": "https://example.com/orders"},
    ("http", "headers"): {**ROWS, "label": _("Headers"), "is_advanced": True},
    ("http", "query"): {**ROWS, "label": _("Query"), "help": _("Added to the address as ?name=value.")},
    ("http", "json"): {
        "kind": "json",
        "is_templated": True,
        "label": _("Data to send (JSON)"),
        "example": '{"name": "{{ trigger.body.name }}"}',
    },
    ("http", "form"): {**ROWS, "label": _("Data to send (form fields)"), "is_advanced": True},
    ("http", "body"): {**LONG, "label": _("Data to send (as it is)"), "is_advanced": True},
    ("http", "integration"): {"label": _("Account that signs the request"), "is_advanced": True},
    ("http", "pagination"): {"label": _("Follow further pages")},
    ("http", "allow_errors"): {
        "label": _("Go on when the answer is an error (status 400 or more)"),
        "is_advanced": True,
    },
    ("ai", "operation"): {"label": _("What should the AI do?"), "is_reshaping": True},
    ("ai", "integration"): {"label": _("AI account"), "help": _("Empty: your organization's default.")},
    ("ai", "model"): {"label": _("Model"), "help": _("Empty: the account's default."), "is_advanced": True},
    ("ai", "system"): {
        **LONG,
        "label": _("Role of the AI"),
        "example": _("You answer customers of a bakery, short and friendly."),
        "is_advanced": True,
    },
    ("ai", "prompt"): {
        **LONG,
        "label": _("Instructions"),
        "help": _("Say what to do, and put in the data it needs."),
        "example": _("Write a reply to {{ trigger.body.message }}"),
        "rows": 6,
    },
    ("ai", "images"): {
        "label": _("Pictures to look at"),
        "help": _("A file of an earlier step, like an attachment, or a list of them."),
        "is_advanced": True,
    },
    ("ai", "file"): {"label": _("Recording"), "help": _("A sound file of an earlier step.")},
    ("ai", "language"): {
        "label": _("Language spoken"),
        "help": _("Two letters, like en. Empty: found out."),
        "is_advanced": True,
    },
    ("ai", "redact"): {
        "label": _("Take e-mail addresses, phone and card numbers out of the question"),
        "is_advanced": True,
    },
    ("ai", "schema"): {
        "kind": "schema",
        "label": _("What the answer holds"),
        "help": _("Later steps can use each of these by name."),
    },
    ("ai", "labels"): {
        "kind": "lines",
        "label": _("Choose one of"),
        "help": _("One a line."),
        "example": _("Order\nComplaint\nQuestion"),
    },
    ("ai", "tools"): {
        "kind": "json",
        "label": _("What the agent may do"),
        "help": _("A list of operations or workflows; “approval” asks a person before each use."),
        "example": '[{"provider": "slack", "operation": "post_message", "approval": true}]',
    },
    ("ai", "temperature"): {
        "label": _("Temperature"),
        "help": _("0 is strict, 1 is inventive."),
        "is_advanced": True,
    },
    ("ai", "max_tokens"): {"label": _("Longest answer, in tokens"), "is_advanced": True},
    ("ai", "budget"): {"label": _("Where it stops, whatever the model wants")},
    ("ai", "tokens"): {"label": _("Tokens at most"), "is_advanced": True},
    ("ai", "cost_cents"): {"label": _("Cost at most, in cents"), "is_advanced": True},
    ("ai", "turns"): {"label": _("Rounds at most"), "is_advanced": True},
    ("set", "values"): {
        **ROWS,
        "label": _("Values to keep"),
        "help": _("Later steps use them as vars.<name>."),
        "extra": {"typed": True},
    },
    ("transform", "operation"): {"label": _("What should happen?"), "is_reshaping": True},
    ("transform", "items"): {
        **LIST,
        "label": _("The list"),
        "example": "{{ steps.find_orders.output.items }}",
    },
    ("transform", "where"): {
        "kind": "condition",
        "label": _("Keep an entry when"),
        "help": _("“item” is the entry, like {{ item.total }}."),
    },
    ("transform", "value"): {**LIST, "label": _("Value"), "example": "{{ item.name }}"},
    ("transform", "by"): {**LIST, "label": _("Compare by"), "example": "{{ item.email }}"},
    ("transform", "order"): {"label": _("Order")},
    ("transform", "count"): {"kind": "integer", "is_templated": True, "label": _("How many")},
    ("transform", "offset"): {
        "kind": "integer",
        "is_templated": True,
        "label": _("Skip first"),
        "default": None,
        "example": "0",
    },
    ("transform", "measures"): {
        "kind": "json",
        "label": _("Figures"),
        "help": _("Each has a name."),
        "example": '{"total": {"function": "sum", "value": "{{ item.price }}"}}',
    },
    ("transform", "separator"): {"label": _("Separator")},
    ("transform", "function"): {"label": _("Change")},
    ("transform", "pattern"): {"label": _("Text or pattern to find")},
    ("transform", "replacement"): {**TEXT, "label": _("Put in its place")},
    ("transform", "columns"): {
        "kind": "lines",
        "label": _("Columns"),
        "help": _("One a line, in their order; empty: all."),
    },
    ("transform", "delimiter"): {"label": _("Character between columns")},
    ("transform", "header"): {"label": _("The first line holds the names of the columns")},
    ("transform", "input_format"): {"label": _("How the date is written"), "help": _("Empty: recognised.")},
    ("transform", "output_format"): {"label": _("How to write it"), "example": "%d.%m.%Y"},
    ("transform", "timezone"): {
        "label": _("Time zone"),
        "help": _("Empty: your organization's."),
        "example": "Europe/Paris",
    },
    ("transform", "add"): {**TEXT, "label": _("Add"), "example": "3d"},
    ("transform", "subtract"): {**TEXT, "label": _("Take away"), "example": "1h"},
    ("transform", "start_of"): {"label": _("Go to the beginning of the")},
    ("code", "language"): {"label": _("Language")},
    ("code", "source"): {
        "kind": "code",
        "label": _("Program"),
        "help": _(
            "It has its inputs and nothing else: no files, no network, no clock. What it returns is the result."
        ),
        "rows": 10,
        "example": "return inputs['a'] + inputs['b']",
    },
    ("code", "inputs"): {
        **ROWS,
        "label": _("Inputs"),
        "help": _("Names the program can read."),
        "extra": {"typed": True},
    },
    ("loop", "items"): {
        **LIST,
        "label": _("For each entry of"),
        "example": "{{ steps.find_orders.output.items }}",
    },
    ("loop", "as"): {
        "label": _("Call the entry"),
        "help": _("Steps inside use it by this name, like {{ item.email }}."),
    },
    ("loop", "concurrency"): {"label": _("Entries at the same time"), "is_advanced": True},
    ("repeat", "until"): {"kind": "condition", "label": _("Repeat until")},
    ("repeat", "max_times"): {"label": _("Rounds at most")},
    ("repeat", "delay"): {
        "kind": "duration",
        "is_templated": True,
        "label": _("Wait between two rounds"),
        "example": _("5 minutes"),
    },
    ("delay", "for"): {
        "kind": "duration",
        "is_templated": True,
        "label": _("Wait for"),
        "example": _("2 hours"),
    },
    ("delay", "until"): {
        **TEXT,
        "label": _("Or wait until"),
        "help": _("A date and time."),
        "example": "2027-03-01T09:00",
    },
    ("delay", "business_hours"): {"label": _("Go on within business hours only")},
    ("approval", "title"): {
        **TEXT,
        "label": _("Question"),
        "example": _("Send this offer to {{ trigger.body.name }}?"),
    },
    ("approval", "message"): {**LONG, "label": _("What they need to know")},
    ("approval", "assignees"): {
        "kind": "people",
        "label": _("Who decides"),
        "help": _("Nobody chosen: owner and administrators."),
    },
    ("approval", "form"): {"kind": "schema", "label": _("What they fill in"), "is_advanced": True},
    ("approval", "required"): {"label": _("How many must agree"), "is_advanced": True},
    ("approval", "deadline"): {"kind": "duration", "label": _("Answer within"), "example": _("2 days")},
    ("approval", "on_deadline"): {"label": _("Without an answer in time")},
    ("approval", "remind"): {
        "kind": "duration",
        "label": _("Remind them after"),
        "example": _("1 day"),
        "is_advanced": True,
    },
    ("approval", "on_reject"): {"label": _("When they say no")},
    ("wait", "on_timeout"): {"label": _("When nothing arrives in time")},
    ("workflow", "workflow"): {"kind": "choice", "label": _("Workflow")},
    ("workflow", "input"): {
        "kind": "json",
        "is_templated": True,
        "label": _("What it gets (JSON)"),
        "example": '{"name": "{{ trigger.body.name }}"}',
    },
    ("workflow", "wait"): {"label": _("Wait until it is done, and use its result")},
    ("respond", "status"): {
        "kind": "integer",
        "is_templated": True,
        "label": _("Status"),
        "help": _("200 says all is well."),
    },
    ("respond", "headers"): {**ROWS, "label": _("Headers"), "is_advanced": True},
    ("respond", "body"): {
        "kind": "value",
        "is_templated": True,
        "label": _("Answer"),
        "example": '{"ok": true}',
    },
    ("stop", "outcome"): {"label": _("The run counts as")},
    ("stop", "message"): {**TEXT, "label": _("Why")},
}
# Which operations of a type a field belongs to; others do not show it.
ONLY_FOR: dict[tuple[str, str], frozenset[str]] = {
    ("ai", "schema"): frozenset({"extract", "generate"}),
    ("ai", "labels"): frozenset({"classify"}),
    ("ai", "file"): frozenset({"transcribe"}),
    ("ai", "language"): frozenset({"transcribe"}),
    ("ai", "images"): frozenset({"generate", "extract", "classify"}),
    ("ai", "prompt"): frozenset({"generate", "extract", "classify", "summarize", "agent"}),
    ("ai", "tools"): frozenset({"agent"}),
    **{
        ("transform", name): frozenset(operations.split())
        for name, operations in {
            "items": "filter map sort limit unique aggregate group flatten merge chunk join to_csv",
            "where": "filter",
            "value": "map text split parse_csv parse_json to_json date",
            "by": "sort unique group",
            "order": "sort",
            "count": "limit chunk",
            "offset": "limit",
            "measures": "aggregate group",
            "separator": "split join",
            "function": "text",
            "pattern": "text",
            "replacement": "text",
            "columns": "to_csv",
            "delimiter": "parse_csv to_csv",
            "header": "parse_csv to_csv",
            "input_format": "date",
            "output_format": "date",
            "timezone": "date",
            "add": "date",
            "subtract": "date",
            "start_of": "date",
        }.items()
    },
}
CHOICE_WORDS: dict[tuple[str, str], dict[Any, Any]] = {
    ("ai", "operation"): {
        "generate": _("Write a text"),
        "extract": _("Find facts in a text"),
        "classify": _("Choose a label"),
        "summarize": _("Summarize"),
        "transcribe": _("Write down what is said"),
        "agent": _("Work on its own with tools"),
    },
    ("transform", "operation"): {
        "filter": _("Keep some entries of a list"),
        "map": _("Make something of each entry"),
        "sort": _("Sort a list"),
        "limit": _("Take the first entries"),
        "unique": _("Remove doubles"),
        "aggregate": _("Count and add up"),
        "group": _("Group entries"),
        "flatten": _("Join lists in a list"),
        "merge": _("Put lists together"),
        "chunk": _("Divide a list into parts"),
        "split": _("Split a text"),
        "join": _("Join a list to a text"),
        "text": _("Change a text"),
        "parse_csv": _("Read a table (CSV)"),
        "to_csv": _("Write a table (CSV)"),
        "parse_json": _("Read JSON"),
        "to_json": _("Write JSON"),
        "date": _("Work out a date"),
    },
    ("transform", "function"): {
        "upper": _("CAPITALS"),
        "lower": _("small letters"),
        "title": _("First Letters Big"),
        "trim": _("Remove spaces around"),
        "replace": _("Replace"),
        "extract": _("Find"),
        "slug": _("Make it an address part"),
        "truncate": _("Shorten"),
        "lines": _("Split into lines"),
    },
    ("approval", "on_deadline"): {
        "approve": _("Count it as a yes"),
        "reject": _("Count it as a no"),
        "fail": _("Fail the run"),
    },
    ("approval", "on_reject"): {
        "continue": _("Go on; later steps can look at the answer"),
        "stop": _("Stop the run"),
        "fail": _("Fail the run"),
    },
    ("wait", "on_timeout"): {"fail": _("Fail the run"), "continue": _("Go on")},
    ("stop", "outcome"): {"success": _("succeeded"), "failure": _("failed"), "cancelled": _("cancelled")},
    ("http", "mode"): {
        "link": _("By the Link header"),
        "cursor": _("By a cursor"),
        "page": _("By page number"),
        "offset": _("By offset"),
    },
    ("code", "language"): {"python": "Python", "javascript": "JavaScript"},
    ("http", "method"): {name: name for name in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")},
}


def words_for(kind: str, path: Path) -> dict[str, Any]:
    """Return what replaces the model's own words for a field."""
    return dict(WORDS.get((kind, path[-1]), {}))
