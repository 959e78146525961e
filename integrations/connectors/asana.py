"""Asana: tasks, comments, sections and projects; start on new, finished and changed tasks."""

from collections.abc import Mapping
from typing import Any

from integrations.framework import (
    Action,
    BearerToken,
    Connector,
    ConnectorError,
    CursorPages,
    Field,
    FollowUp,
    Hmac,
    Inbound,
    OAuth2,
    Offers,
    Output,
    PermanentError,
    Poll,
    RateLimit,
    Request,
    Response,
    Subscription,
    Test,
    Trigger,
    Webhooks,
    dig,
    echo_header,
    given,
)

PAGES = CursorPages(items="data", into="offset", cursor="next_page.offset")
PAGE_SIZE = 100
# Without this list Asana leaves most of a task out.
TASK_FIELDS = (
    "name,permalink_url,completed,assignee.name,due_on,notes,memberships.project.name,"
    "memberships.section.name,custom_fields.name,custom_fields.display_value,created_at,modified_at"
)


def refine(response: Response) -> ConnectorError | None:
    if response.status == 402:
        return PermanentError("Asana offers this only in a paid plan.", status=402)
    if response.status == 412 and dig(response.json, "sync"):
        return PermanentError(
            "Asana starts a new list of changes.", status=412, code=str(dig(response.json, "sync"))
        )
    return None


def text_of(name: str, label: str, **options: Any) -> Field:
    """Return a field that goes into the `data` Asana wraps every body in."""
    return Field(name, label=label, **{"send": f"data.{name}", **options})


WORKSPACE = Field(
    "workspace",
    label="Workspace",
    options="list_workspaces",
    place="none",
    example="12345",
    help="Helps to choose what follows.",
)
TASK = Field(
    "task",
    label="Task",
    required=True,
    send="task_gid",
    example="67890",
    help="Its number: the last one in the task's address.",
)
PROJECT = Field(
    "project",
    label="Project",
    required=True,
    options="list_projects",
    depends_on=("workspace",),
    example="24680",
)
TASK_VALUES = (
    text_of("notes", "Description", kind="long_text", example="Two chairs"),
    text_of(
        "html_notes",
        "Formatted description",
        kind="long_text",
        example="<body>Two <strong>chairs</strong></body>",
        advanced=True,
        help="In place of the description: HTML within <body>.",
    ),
    text_of(
        "assignee",
        "Assigned to",
        options="list_users",
        depends_on=("workspace",),
        example="13579",
        help="A person, an e-mail, or me.",
    ),
    text_of("due_on", "Due on", kind="date", example="2026-11-30"),
    text_of(
        "due_at",
        "Due at",
        kind="datetime",
        example="2026-11-30T12:00:00+00:00",
        help="A day with a time, in place of “Due on”.",
        advanced=True,
    ),
    text_of("completed", "Done", kind="boolean", example=False),
    text_of(
        "custom_fields",
        "Custom fields",
        kind="json",
        example={"4578152156": "On hold"},
        advanced=True,
        help="The number of each field with its value.",
    ),
)
TITLE = text_of("name", "Title", required=True, example="Order 1042")
TASK_MEMBERS = {
    "gid": "gid",
    "name": "name",
    "permalink_url": "permalink_url",
    "completed": Output("completed", kind="boolean"),
    "assignee": "assignee.gid",
    "assignee_name": "assignee.name",
    "due_on": Output("due_on", kind="date"),
    "notes": "notes",
    "memberships": Output("memberships", kind="list"),
    "custom_fields": Output("custom_fields", kind="list"),
    "created_at": Output("created_at", kind="datetime"),
    "modified_at": Output("modified_at", kind="datetime"),
}
TASK_OUTPUT = {
    name: Output(f"data.{value.path}", kind=value.kind)
    if isinstance(value, Output)
    else Output(f"data.{value}")
    for name, value in TASK_MEMBERS.items()
}
NEW_TASK = (
    WORKSPACE,
    TITLE,
    *TASK_VALUES,
    text_of(
        "projects",
        "Projects",
        kind="multi_select",
        options="list_projects",
        depends_on=("workspace",),
        example=["24680"],
        help="Without a project the task goes to the workspace, or below the parent task.",
    ),
    text_of("parent", "Parent task", example="67891", advanced=True),
    text_of("tags", "Tags", kind="multi_select", example=["59746"], advanced=True, help="Their numbers."),
    text_of(
        "followers",
        "Followers",
        kind="multi_select",
        options="list_users",
        depends_on=("workspace",),
        example=["13579"],
        advanced=True,
    ),
    text_of("assignee_section", "Section of My tasks", example="11223", advanced=True),
)
SUBTASK = (TASK, WORKSPACE, TITLE, *TASK_VALUES)
CHANGE = (TASK, WORKSPACE, text_of("name", "Title", example="Order 1042"), *TASK_VALUES)


def task_request(method: str, path: str, *fields: Field):
    """Return a builder for a task: its values under `data`, and the fields we want to see again."""

    def build(inputs: Mapping[str, Any]) -> Request:
        data = {
            field.key: inputs[field.key]
            for field in fields
            if field.key in inputs and field.wire_name.startswith("data.")
        }
        if path == "/tasks" and not ({"projects", "parent"} & set(data)) and "workspace" in inputs:
            data["workspace"] = inputs["workspace"]
        at = {"task_gid": inputs["task"]} if "{task_gid}" in path else {}
        return Request(method, path, at=at, query={"opt_fields": TASK_FIELDS}, json={"data": data})

    return build


def search(inputs: Mapping[str, Any]) -> Request:
    return Request(
        "GET",
        "/workspaces/{workspace_gid}/tasks/search",
        at={"workspace_gid": inputs["workspace"]},
        query={
            "text": inputs.get("text"),
            "assignee.any": ",".join(inputs["assignees"]) if inputs.get("assignees") else None,
            "projects.any": ",".join(inputs["projects"]) if inputs.get("projects") else None,
            "completed": inputs.get("completed"),
            "modified_at.after": inputs.get("modified_after"),
            "due_on.before": inputs.get("due_before"),
            "sort_by": inputs.get("sort_by"),
            "sort_ascending": inputs.get("sort_ascending"),
            "opt_fields": TASK_FIELDS,
        },
    )


ACTIONS = (
    Action(
        "create_task",
        "Create a task",
        description="Choose projects, a parent task or at least the workspace.",
        fields=NEW_TASK,
        request=task_request("POST", "/tasks", *NEW_TASK),
        returns=TASK_OUTPUT,
    ),
    Action(
        "update_task",
        "Change or finish a task",
        fields=CHANGE,
        request=task_request("PUT", "/tasks/{task_gid}", *CHANGE),
        returns=TASK_OUTPUT,
        effect="key_safe",  # the same values set twice are the same task
    ),
    Action(
        "get_task",
        "Read a task",
        fields=(TASK,),
        request=lambda inputs: Request(
            "GET", "/tasks/{task_gid}", at={"task_gid": inputs["task"]}, query={"opt_fields": TASK_FIELDS}
        ),
        returns=TASK_OUTPUT,
        effect="read",
    ),
    Action(
        "search_tasks",
        "Find tasks",
        description="At most 100, and only in paid plans of Asana.",
        fields=(
            Field("workspace", label="Workspace", required=True, options="list_workspaces", example="12345"),
            Field("text", label="Words", example="order"),
            Field(
                "assignees",
                label="Assigned to",
                kind="multi_select",
                options="list_users",
                depends_on=("workspace",),
                example=["13579"],
            ),
            Field(
                "projects",
                label="In these projects",
                kind="multi_select",
                options="list_projects",
                depends_on=("workspace",),
                example=["24680"],
            ),
            Field("completed", label="Done", kind="boolean", example=False),
            Field(
                "modified_after", label="Changed after", kind="datetime", example="2026-11-22T00:00:00+00:00"
            ),
            Field("due_before", label="Due before", kind="date", example="2026-11-30"),
            Field(
                "sort_by",
                label="Order by",
                kind="select",
                choices=("modified_at", "created_at", "due_date", "completed_at", "likes"),
                example="modified_at",
                advanced=True,
            ),
            Field("sort_ascending", label="Oldest first", kind="boolean", example=True, advanced=True),
        ),
        request=search,
        returns={"tasks": Output("data", kind="list", of=TASK_MEMBERS)},
        effect="read",
    ),
    Action(
        "add_comment",
        "Comment on a task",
        description="Give a text, or a formatted one.",
        fields=(
            TASK,
            text_of("text", "Comment", kind="long_text", example="Paid today"),
            text_of(
                "html_text",
                "Formatted comment",
                kind="long_text",
                example="<body>Paid <strong>today</strong></body>",
                advanced=True,
                help="In place of the comment: HTML within <body>.",
            ),
            text_of("is_pinned", "Pin to the top", kind="boolean", example=False, advanced=True),
        ),
        call="POST /tasks/{task_gid}/stories",
        returns={
            "gid": "data.gid",
            "text": "data.text",
            "created_at": Output("data.created_at", kind="datetime"),
        },
    ),
    Action(
        "create_subtask",
        "Create a subtask",
        fields=SUBTASK,
        request=task_request("POST", "/tasks/{task_gid}/subtasks", *SUBTASK),
        returns=TASK_OUTPUT,
    ),
    Action(
        "add_to_project",
        "Add a task to a project",
        fields=(
            TASK,
            WORKSPACE,
            Field(
                "project",
                label="Project",
                required=True,
                options="list_projects",
                depends_on=("workspace",),
                send="data.project",
                example="24680",
            ),
            text_of("section", "Section", options="list_sections", depends_on=("project",), example="11223"),
            text_of("insert_after", "After this task", example="67891", advanced=True),
            text_of(
                "insert_before",
                "Before this task",
                advanced=True,
                help="One of section, after and before.",
            ),
        ),
        call="POST /tasks/{task_gid}/addProject",
    ),
    Action(
        "move_to_section",
        "Move a task to a section",
        fields=(
            WORKSPACE,
            Field(
                "project",
                label="Project",
                options="list_projects",
                depends_on=("workspace",),
                place="none",
                example="24680",
                help="Helps to choose the section.",
            ),
            Field(
                "section",
                label="Section",
                required=True,
                options="list_sections",
                depends_on=("project",),
                send="section_gid",
                example="11223",
            ),
            text_of("task", "Task", required=True, example="67890", help="Its number."),
            text_of("insert_before", "Before this task", advanced=True, example="67891"),
            text_of("insert_after", "After this task", advanced=True),
        ),
        call="POST /sections/{section_gid}/addTask",
    ),
    Action(
        "add_tag",
        "Put a tag on a task",
        fields=(
            TASK,
            text_of(
                "tag", "Tag", required=True, example="59746", help="Its number: the last one in its address."
            ),
        ),
        call="POST /tasks/{task_gid}/addTag",
    ),
    Action(
        "create_project",
        "Create a project",
        fields=(
            text_of("name", "Name", required=True, example="Orders"),
            text_of("workspace", "Workspace", required=True, options="list_workspaces", example="12345"),
            text_of(
                "team",
                "Team",
                example="14916",
                help="The team's number. Needed where the workspace is an organization.",
            ),
            text_of("notes", "Description", kind="long_text", example="All open orders"),
            text_of("due_on", "Due on", kind="date", example="2026-12-31"),
            text_of(
                "default_view",
                "View",
                kind="select",
                choices=("list", "board", "calendar", "timeline"),
                example="board",
            ),
            text_of(
                "privacy_setting",
                "Who sees it",
                kind="select",
                choices=(
                    ("public_to_workspace", "Everyone in the workspace"),
                    ("private_to_team", "The team"),
                    ("private", "Members"),
                ),
                example="private",
                advanced=True,
            ),
        ),
        call="POST /projects",
        returns={"gid": "data.gid", "name": "data.name", "permalink_url": "data.permalink_url"},
    ),
)


def listing(key: str, label: str, path: str, field: Field | None = None, **query: Any) -> Action:
    """Return an action that only feeds choices. field: whose value the list belongs to."""

    def build(inputs: Mapping[str, Any]) -> Request:
        owner = inputs[field.key] if field else None
        in_path = field is not None and f"{{{field.wire_name}}}" in path
        asked = {**query, "limit": PAGE_SIZE}
        if field and not in_path:
            asked[field.wire_name] = owner
        return Request("GET", path, at={field.wire_name: owner} if field and in_path else {}, query=asked)

    return Action(
        key,
        label,
        fields=(field,) if field else (),
        request=build,
        pagination=PAGES,
        offers=Offers(items="items", value="gid"),
        returns={"items": Output("data", kind="list", of={"gid": "gid", "name": "name"})},
        effect="read",
        hidden=True,
    )


OF_WORKSPACE = Field("workspace", label="Workspace", required=True, example="12345")
LISTINGS = (
    listing("list_workspaces", "List workspaces", "/workspaces"),
    listing("list_projects", "List projects", "/projects", OF_WORKSPACE, archived=False),
    listing(
        "list_sections",
        "List the sections of a project",
        "/projects/{project_gid}/sections",
        Field("project", label="Project", required=True, send="project_gid", example="24680"),
    ),
    listing("list_users", "List people", "/users", OF_WORKSPACE),
)

FILTERS = {
    "task.added": {"resource_type": "task", "action": "added"},
    "task.changed": {"resource_type": "task", "action": "changed", "fields": ["completed"]},
    "story.added": {
        "resource_type": "story",
        "resource_subtype": "comment_added",
        "action": "added",
    },
}


def event_name(inbound: Inbound, event: Any) -> str:
    return f"{dig(event, 'resource.resource_type')}.{dig(event, 'action')}"


IDENTITY = ("created_at", "action", "resource.gid", "parent.gid", "change.field", "user.gid")


def delivery_id(inbound: Inbound, event: Any) -> str:
    # Events have no number of their own, and Asana may send one again.
    return "|".join(str(dig(event, path) or "") for path in IDENTITY)


def subscribe(subscription: Subscription) -> Request:
    return Request(
        "POST",
        "/webhooks",
        json={
            "data": {
                "resource": subscription.config["project"],
                "target": subscription.address,
                "filters": [FILTERS[name] for name in subscription.events],
            }
        },
    )


def fetch_task(event: Any, account: Mapping[str, Any]) -> Request | None:
    if dig(event, "resource.resource_type") != "task" or dig(event, "action") == "deleted":
        return None
    return Request(
        "GET",
        "/tasks/{task_gid}",
        at={"task_gid": dig(event, "resource.gid")},
        query={"opt_fields": TASK_FIELDS},
    )


def fetch_story(event: Any, account: Mapping[str, Any]) -> Request:
    return Request(
        "GET",
        "/stories/{story_gid}",
        at={"story_gid": dig(event, "resource.gid")},
        query={"opt_fields": "text,created_at,created_by.name,target.name,target.permalink_url"},
    )


def sample(type_: str, action: str, **more: Any) -> dict[str, Any]:
    return {
        "user": {"gid": "13579", "resource_type": "user"},
        "created_at": "2026-11-22T10:35:05.000Z",
        "action": action,
        "resource": {"gid": "67890", "resource_type": type_},
        "parent": {"gid": "24680", "resource_type": "project"},
        **more,
    }


SAMPLE_TASK = {
    "gid": "67890",
    "name": "Order 1042",
    "permalink_url": "https://app.asana.com/0/24680/67890",
    "completed": True,
    "assignee": {"gid": "13579", "name": "Ada Lovelace"},
    "due_on": "2026-11-30",
    "notes": "Two chairs",
    "memberships": [],
    "custom_fields": [],
    "created_at": "2026-11-20T09:00:00.000Z",
    "modified_at": "2026-11-22T10:35:05.000Z",
}
OF_TASK = {
    name: Output(f"task.{value.path}", kind=value.kind)
    if isinstance(value, Output)
    else Output(f"task.{value}")
    for name, value in TASK_MEMBERS.items()
}
HAPPENED = {"gid": "resource.gid", "at": Output("created_at", kind="datetime"), "by": "user.gid"}
WITH_TASK = FollowUp(fetch_task, into="task", read=lambda response: dig(response.json, "data"))

TRIGGERS = (
    Trigger(
        key="task_added",
        label="New task in a project",
        description="Also when a task from elsewhere is added to the project.",
        event="task.added",
        fields=(WORKSPACE, PROJECT),
        follow_up=WITH_TASK,
        # The section of a project also counts as a parent: without this a task would arrive twice.
        accepts=lambda event, config, account: dig(event, "parent.resource_type") in (None, "project"),
        sample=sample("task", "added", task={**SAMPLE_TASK, "completed": False}),
        returns={**OF_TASK, **HAPPENED},
    ),
    Trigger(
        key="task_completed",
        label="A task is finished",
        event="task.changed",
        fields=(WORKSPACE, PROJECT),
        follow_up=WITH_TASK,
        # The event only says that the tick changed: it may also have been taken away.
        accepts=lambda event, config, account: dig(event, "task.completed") is True,
        sample=sample(
            "task",
            "changed",
            parent=None,
            change={"field": "completed", "action": "changed"},
            task=SAMPLE_TASK,
        ),
        returns={**OF_TASK, **HAPPENED},
    ),
    Trigger(
        key="comment_added",
        label="New comment",
        event="story.added",
        fields=(WORKSPACE, PROJECT),
        follow_up=FollowUp(fetch_story, into="story", read=lambda response: dig(response.json, "data")),
        sample=sample(
            "story",
            "added",
            resource={"gid": "97531", "resource_type": "story", "resource_subtype": "comment_added"},
            parent={"gid": "67890", "resource_type": "task"},
            story={
                "gid": "97531",
                "text": "Paid today",
                "created_by": {"gid": "13579", "name": "Ada Lovelace"},
                "target": {"gid": "67890", "name": "Order 1042"},
            },
        ),
        returns={
            **HAPPENED,
            "text": "story.text",
            "author": "story.created_by.name",
            "task": "parent.gid",
            "task_name": "story.target.name",
        },
    ),
    Trigger(
        key="events_poll",
        label="Something changed in a project (checked every few minutes)",
        kind="polling",
        fields=(WORKSPACE, PROJECT),
        poll=Poll(
            request=lambda config, since: Request(
                "GET", "/events", query={"resource": config["project"], "sync": since}
            ),
            items="data",
            id=IDENTITY,
            order="oldest_first",
            position="sync",
            stale=(412,),
            begin=lambda error: error.code or None if error.status == 412 else None,
            pagination=CursorPages(items="data", into="sync", cursor="sync", more="has_more"),
            follow_up=WITH_TASK,
        ),
        sample={**sample("task", "changed", change={"field": "due_on"}), "type": "task", "task": SAMPLE_TASK},
        returns={
            **HAPPENED,
            "type": "resource.resource_type",
            "action": "action",
            "field": "change.field",
            "task": Output("task", kind="object", of=TASK_MEMBERS),
        },
    ),
    Trigger(
        key="tasks_modified_poll",
        label="New or changed task (checked every few minutes)",
        kind="polling",
        fields=(WORKSPACE, PROJECT),
        poll=Poll(
            request=lambda config, since: Request(
                "GET",
                "/tasks",
                query={
                    "project": config["project"],
                    "modified_since": since,
                    "opt_fields": TASK_FIELDS,
                    "limit": PAGE_SIZE,
                },
            ),
            items="data",
            id=("gid", "modified_at"),
            stamp="modified_at",
            order="by_project",
            pagination=PAGES,
        ),
        sample=SAMPLE_TASK,
        returns=TASK_MEMBERS,
    ),
)

connector = Connector(
    slug="asana",
    name="Asana",
    category="Productivity",
    summary="Create, change and comment tasks, and react to new and finished ones.",
    docs_url="https://developers.asana.com/reference/rest-api-reference",
    base_url="https://app.asana.com/api/1.0",
    auth=(
        OAuth2(
            authorize_url="https://app.asana.com/-/oauth_authorize",
            token_url="https://app.asana.com/-/oauth_token",
            revoke_url="https://app.asana.com/-/oauth_revoke",
            scopes=("default",),  # sections and changes have no narrower scope
            account_from_token={"user_gid": "data.gid"},
        ),
        BearerToken(
            secret_label="Personal access token",
            label="Personal access token",
            help="In Asana: My settings, Apps, Manage developer apps.",
        ),
    ),
    test=Test(
        Request("GET", "/users/me", query={"opt_fields": "name,email"}),
        account={"user_gid": "data.gid"},
        label="data.name",
    ),
    on_error=refine,
    rate_limit=RateLimit(calls=150, seconds=60),  # the free plan's; paid ones have ten times as much
    webhooks=Webhooks(
        address="trigger",
        signature=Hmac("X-Hook-Signature"),
        handshake=echo_header("X-Hook-Secret", keep_as="secret"),
        events="events",
        event=event_name,
        delivery_id=delivery_id,
        subscribe=subscribe,
        read=lambda response, subscription: given(
            id=dig(response.json, "data.gid"), secret=dig(response.json, "X-Hook-Secret")
        ),
        unsubscribe=lambda subscription: Request(
            "DELETE", "/webhooks/{webhook_gid}", at={"webhook_gid": subscription.state["id"]}
        ),
    ),
    actions=(*ACTIONS, *LISTINGS),
    triggers=TRIGGERS,
)
