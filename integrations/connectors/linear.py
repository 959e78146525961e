"""Linear: issues, comments, links and projects; start on new and changed issues, comments and projects."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from integrations.framework import (
    Action,
    ApiKey,
    Connector,
    ConnectorError,
    CursorPages,
    Field,
    Hmac,
    Inbound,
    OAuth2,
    Offers,
    Output,
    PermanentError,
    Poll,
    RateLimit,
    ReconnectError,
    Request,
    Response,
    TemporaryError,
    Test,
    Trigger,
    Webhooks,
    dig,
    given,
)

ISSUE_SELECTION = (
    "{ id identifier title description url priority dueDate createdAt updatedAt completedAt "
    "state { id name type } team { id key name } assignee { id name email } project { id name } "
    "labels(first: 20) { nodes { id name } } }"
)
PAGE_SIZE = 50
WAIT_SECONDS = 60


def graphql(document: str, **variables: Any) -> Request:
    """Return the request of one document; variables that are None are left out."""
    return Request("POST", "/graphql", json={"query": document, "variables": given(variables)})


def failure(response: Response) -> ConnectorError | None:
    """Return the error in an answer's `errors`, whatever its status; None when there is none."""
    code = dig(response.json, "errors.0.extensions.code") or ""
    said = (
        dig(response.json, "errors.0.extensions.userPresentableMessage")
        or dig(response.json, "errors.0.message")
        or ""
    )
    if not (code or said):
        return None
    if code == "RATELIMITED":
        return TemporaryError(
            "Linear asked us to slow down. We will try again.",
            retry_after=WAIT_SECONDS,
            status=response.status,
            code=code,
        )
    if code == "AUTHENTICATION_ERROR":
        return ReconnectError("Linear no longer accepts this connection. Reconnect it.", code=code)
    if response.status >= 500 or code in ("INTERNAL_SERVER_ERROR", "LOCK_TIMEOUT"):
        return TemporaryError(
            "Linear has a problem of its own right now. We will try again.", code=code, may_have_happened=True
        )
    if code == "FORBIDDEN":
        return PermanentError(f'Linear refused: this connection may not do that: "{said}"', code=code)
    return PermanentError(f'Linear did not accept the request: "{said}"', code=code)


def check(response: Response) -> None:
    error = failure(response)
    if error is not None:
        raise error
    for answer in (dig(response.json, "data") or {}).values():
        if isinstance(answer, dict) and answer.get("success") is False:
            raise PermanentError("Linear did not carry out the change. Check the values of the step.")


def pages(name: str) -> CursorPages:
    path = f"data.{name}"
    return CursorPages(
        items=f"{path}.nodes",
        into="variables.after",
        cursor=f"{path}.pageInfo.endCursor",
        more=f"{path}.pageInfo.hasNextPage",
        place="json",
    )


ISSUE = Field(
    "issue", label="Issue", required=True, example="ENG-12", help="Its number, such as ENG-12, or its id."
)
TEAM_ID = "9cfb482a-81e3-4154-b5b9-2c805e70a02d"
TEAM = Field("team", label="Team", required=True, options="list_teams", example=TEAM_ID, send="teamId")
ONE_TEAM = Field("team", label="Only in this team", options="list_teams", example=TEAM_ID)
ISSUE_VALUES = (
    Field(
        "description",
        label="Description",
        kind="long_text",
        example="Two chairs are **late**.",
        help="Markdown is shown formatted.",
    ),
    Field("assignee", label="Assigned to", options="list_users", send="assigneeId", example="u-1"),
    Field("state", label="State", options="list_states", depends_on=("team",), send="stateId", example="s-1"),
    Field(
        "priority",
        label="Priority",
        kind="select",
        choices=(("0", "None"), ("1", "Urgent"), ("2", "High"), ("3", "Medium"), ("4", "Low")),
        example="2",
    ),
    Field(
        "labels", label="Labels", kind="multi_select", options="list_labels", send="labelIds", example=["l-1"]
    ),
    Field("project", label="Project", options="list_projects", send="projectId", example="p-1"),
    Field("due_date", label="Due on", kind="date", send="dueDate", example="2026-11-30"),
    Field("estimate", label="Points", kind="integer", minimum=0, example=3, advanced=True),
    Field("parent", label="Parent issue", send="parentId", example="i-1", advanced=True, help="Its id."),
    Field("cycle", label="Cycle", send="cycleId", example="c-1", advanced=True, help="Its id."),
)
NEW_ISSUE = (TEAM, Field("title", label="Title", required=True, example="Order is late"), *ISSUE_VALUES)
CHANGED_ISSUE = (
    ISSUE,
    Field("title", label="Title", example="Order is late"),
    Field(
        "team",
        label="Team",
        options="list_teams",
        send="teamId",
        example=TEAM_ID,
        help="Helps to choose a state, and moves the issue when it is another team's.",
    ),
    *ISSUE_VALUES,
    Field(
        "add_labels",
        label="Labels to add",
        kind="multi_select",
        options="list_labels",
        send="addedLabelIds",
        example=["l-2"],
        help="“Labels” replaces all of them instead.",
    ),
    Field(
        "remove_labels",
        label="Labels to remove",
        kind="multi_select",
        options="list_labels",
        send="removedLabelIds",
        example=["l-3"],
    ),
)
NEW_PROJECT = (
    Field("name", label="Name", required=True, example="Spring catalogue"),
    Field(
        "teams",
        label="Teams",
        kind="multi_select",
        required=True,
        options="list_teams",
        send="teamIds",
        example=[TEAM_ID],
    ),
    Field("description", label="Short description", example="All new chairs"),
    Field("content", label="Text", kind="long_text", example="# Plan", help="Markdown."),
    Field("lead", label="Lead", options="list_users", send="leadId", example="u-1"),
    Field("target_date", label="Target", kind="date", send="targetDate", example="2027-03-01"),
    Field("status", label="Status", send="statusId", example="ps-1", advanced=True, help="Its id."),
)


def taken(inputs: Mapping[str, Any], fields: tuple[Field, ...]) -> dict[str, Any]:
    """Return Linear's `input` object: each given field under its wire name."""
    values = {
        field.wire_name: inputs[field.key] for field in fields if field.key in inputs and field.key != "issue"
    }
    if "priority" in values:
        values["priority"] = int(values["priority"])
    return values


def issue_output(path: str) -> dict[str, Output]:
    return {
        "id": Output(f"{path}id"),
        "identifier": Output(f"{path}identifier"),
        "title": Output(f"{path}title"),
        "description": Output(f"{path}description"),
        "url": Output(f"{path}url"),
        "priority": Output(f"{path}priority", kind="integer"),
        "due_date": Output(f"{path}dueDate", kind="date"),
        "state": Output(f"{path}state.name"),
        "state_type": Output(f"{path}state.type"),
        "team": Output(f"{path}team.key"),
        "assignee": Output(f"{path}assignee.name"),
        "project": Output(f"{path}project.name"),
        "labels": Output(f"{path}labels.nodes[].name", kind="list"),
        "created_at": Output(f"{path}createdAt", kind="datetime"),
        "updated_at": Output(f"{path}updatedAt", kind="datetime"),
    }


CREATE = (
    f"mutation IssueCreate($input: IssueCreateInput!) {{ issueCreate(input: $input) {{ success "
    f"issue {ISSUE_SELECTION} }} }}"
)
UPDATE = (
    f"mutation IssueUpdate($id: String!, $input: IssueUpdateInput!) {{ issueUpdate(id: $id, input: "
    f"$input) {{ success issue {ISSUE_SELECTION} }} }}"
)
GET = f"query Issue($id: String!) {{ issue(id: $id) {ISSUE_SELECTION} }}"
SEARCH = (
    "query SearchIssues($term: String!, $first: Int, $after: String, $teamId: String) { searchIssues(term: $term, "
    "first: $first, after: $after, teamId: $teamId) { totalCount nodes { id identifier title url state { name } "
    "assignee { name } updatedAt } pageInfo { hasNextPage endCursor } } }"
)
LIST = (
    "query Issues($filter: IssueFilter, $first: Int, $after: String) { issues(filter: $filter, first: $first, "
    f"after: $after, orderBy: updatedAt) {{ nodes {ISSUE_SELECTION} pageInfo {{ hasNextPage endCursor }} }} }}"
)
COMMENT = (
    "mutation CommentCreate($input: CommentCreateInput!) { commentCreate(input: $input) { success "
    "comment { id body url createdAt } } }"
)
LINK = (
    "mutation AttachmentLinkURL($issueId: String!, $url: String!, $title: String) { "
    "attachmentLinkURL(issueId: $issueId, url: $url, title: $title) { success attachment { id url "
    "title } } }"
)
LABEL = (
    "mutation IssueAddLabel($id: String!, $labelId: String!) { issueAddLabel(id: $id, labelId: "
    "$labelId) { success issue { id identifier labels(first: 20) { nodes { id name } } } } }"
)
PROJECT = (
    "mutation ProjectCreate($input: ProjectCreateInput!) { projectCreate(input: $input) { success "
    "project { id name url slugId createdAt } } }"
)
ARCHIVE = "mutation IssueArchive($id: String!) { issueArchive(id: $id) { success } }"

ACTIONS = (
    Action(
        "create_issue",
        "Create an issue",
        fields=NEW_ISSUE,
        request=lambda inputs: graphql(CREATE, input=taken(inputs, NEW_ISSUE)),
        returns=issue_output("data.issueCreate.issue."),
    ),
    Action(
        "update_issue",
        "Change an issue",
        fields=CHANGED_ISSUE,
        request=lambda inputs: graphql(UPDATE, id=inputs["issue"], input=taken(inputs, CHANGED_ISSUE)),
        returns=issue_output("data.issueUpdate.issue."),
        effect="key_safe",  # the same values set twice are the same issue
    ),
    Action(
        "get_issue",
        "Read an issue",
        fields=(ISSUE,),
        request=lambda inputs: graphql(GET, id=inputs["issue"]),
        returns=issue_output("data.issue."),
        effect="read",
    ),
    Action(
        "search_issues",
        "Find issues by words",
        fields=(
            Field("term", label="Words", required=True, example="late order"),
            Field("team", label="This team's first", options="list_teams", example=TEAM_ID),
        ),
        request=lambda inputs: graphql(
            SEARCH, term=inputs["term"], first=PAGE_SIZE, teamId=inputs.get("team")
        ),
        pagination=pages("searchIssues"),
        returns={
            "total": Output("data.searchIssues.totalCount", kind="number"),
            "issues": Output(
                "data.searchIssues.nodes",
                kind="list",
                of={
                    "id": "id",
                    "identifier": "identifier",
                    "title": "title",
                    "url": "url",
                    "state": "state.name",
                    "assignee": "assignee.name",
                },
            ),
        },
        effect="read",
    ),
    Action(
        "list_issues",
        "List issues",
        fields=(
            ONE_TEAM,
            Field(
                "filter",
                label="Filter",
                kind="json",
                example={"state": {"type": {"eq": "started"}}},
                help="As Linear describes it. Empty lists all.",
                advanced=True,
            ),
        ),
        request=lambda inputs: graphql(LIST, filter=issue_filter(inputs), first=PAGE_SIZE),
        pagination=pages("issues"),
        returns={"issues": Output("data.issues.nodes", kind="list", of=issue_output(""))},
        effect="read",
    ),
    Action(
        "create_comment",
        "Comment on an issue",
        fields=(
            Field("issue", label="Issue", required=True, send="issueId", example="i-1", help="Its id."),
            Field("body", label="Comment", kind="long_text", required=True, example="Paid today"),
            Field(
                "parent",
                label="Answer to comment",
                send="parentId",
                example="co-1",
                advanced=True,
                help="Its id.",
            ),
        ),
        request=lambda inputs: graphql(
            COMMENT,
            input=given(issueId=inputs["issue"], body=inputs["body"], parentId=inputs.get("parent")),
        ),
        returns={
            "id": "data.commentCreate.comment.id",
            "url": "data.commentCreate.comment.url",
            "body": "data.commentCreate.comment.body",
        },
    ),
    Action(
        "link_url",
        "Attach a link to an issue",
        fields=(
            ISSUE,
            Field("url", label="Link", kind="url", required=True, example="https://example.com/orders/1042"),
            Field("title", label="Title", example="Order 1042"),
        ),
        request=lambda inputs: graphql(
            LINK, issueId=inputs["issue"], url=inputs["url"], title=inputs.get("title")
        ),
        returns={"id": "data.attachmentLinkURL.attachment.id"},
        effect="key_safe",  # an issue holds each address once
    ),
    Action(
        "add_label",
        "Put a label on an issue",
        fields=(ISSUE, Field("label", label="Label", required=True, options="list_labels", example="l-1")),
        request=lambda inputs: graphql(LABEL, id=inputs["issue"], labelId=inputs["label"]),
        returns={"labels": Output("data.issueAddLabel.issue.labels.nodes[].name", kind="list")},
    ),
    Action(
        "create_project",
        "Create a project",
        fields=NEW_PROJECT,
        request=lambda inputs: graphql(PROJECT, input=taken(inputs, NEW_PROJECT)),
        returns={"id": "data.projectCreate.project.id", "url": "data.projectCreate.project.url"},
    ),
    Action(
        "archive_issue",
        "Archive an issue",
        fields=(ISSUE,),
        request=lambda inputs: graphql(ARCHIVE, id=inputs["issue"]),
        returns={"success": Output("data.issueArchive.success", kind="boolean")},
    ),
)


def issue_filter(inputs: Mapping[str, Any], since: Any = None) -> dict[str, Any] | None:
    return {
        **(inputs.get("filter") or {}),
        **({"team": {"id": {"eq": inputs["team"]}}} if inputs.get("team") else {}),
        **({"updatedAt": {"gte": since}} if since else {}),
    } or None


def listing(key: str, label: str, name: str, document: str, fields: tuple[Field, ...] = ()) -> Action:
    """Return an action that only feeds choices."""
    return Action(
        key,
        label,
        fields=fields,
        request=lambda inputs: graphql(
            document, filter=issue_filter({"team": inputs["team"]}) if fields else None
        ),
        pagination=pages(name),
        offers=Offers(items="items"),
        returns={"items": Output(f"data.{name}.nodes", kind="list", of={"id": "id", "name": "name"})},
        effect="read",
        hidden=True,
    )


def all_of(name: str) -> str:
    return (
        f"query ($after: String) {{ {name}(first: 100, after: $after) {{ nodes {{ id name }} pageInfo "
        f"{{ hasNextPage endCursor }} }} }}"
    )


STATES = (
    "query ($filter: WorkflowStateFilter, $after: String) { workflowStates(first: 100, filter: $filter, after: $after) "
    "{ nodes { id name } pageInfo { hasNextPage endCursor } } }"
)
LISTINGS = (
    listing("list_teams", "List teams", "teams", all_of("teams")),
    listing(
        "list_states",
        "List a team's states",
        "workflowStates",
        STATES,
        (Field("team", label="Team", required=True, example=TEAM_ID),),
    ),
    listing("list_users", "List people", "users", all_of("users")),
    listing("list_labels", "List labels", "issueLabels", all_of("issueLabels")),
    listing("list_projects", "List projects", "projects", all_of("projects")),
)


def event_name(inbound: Inbound, event: Any) -> str:
    return f"{dig(event, 'type')}.{dig(event, 'action')}"


def in_team(event: Any, config: Mapping[str, Any], account: Mapping[str, Any]) -> bool:
    return config.get("team") in (None, "", dig(event, "data.teamId"), dig(event, "data.team.id"))


def is_wanted_change(event: Any, config: Mapping[str, Any], account: Mapping[str, Any]) -> bool:
    return in_team(event, config, account) and (
        not config.get("only_state") or "stateId" in (dig(event, "updatedFrom") or {})
    )


SAMPLE_ISSUE = {
    "id": "a1b2c3d4-0000-4000-8000-000000000001",
    "identifier": "ENG-12",
    "title": "Order is late",
    "url": "https://linear.app/example/issue/ENG-12",
    "priority": 2,
    "teamId": TEAM_ID,
    "state": {"id": "s-1", "name": "In Progress", "type": "started"},
    "team": {"id": TEAM_ID, "key": "ENG", "name": "Engineering"},
    "createdAt": "2026-11-22T10:30:00.000Z",
    "updatedAt": "2026-11-22T10:35:05.000Z",
}


def sample(type_: str, action: str, data: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return a sample delivery in Linear's shape."""
    return {
        "action": action,
        "type": type_,
        "actor": {"id": "u-1", "name": "Ada Lovelace", "type": "user"},
        "createdAt": "2026-11-22T10:35:05.000Z",
        "data": data,
        "url": "https://linear.app/example/issue/ENG-12",
        "organizationId": "o-1",
        "webhookTimestamp": 1_700_000_000_000,
        "webhookId": "w-1",
        **more,
    }


OF_ISSUE = {
    "id": "data.id",
    "identifier": "data.identifier",
    "title": "data.title",
    "url": "url",
    "state": "data.state.name",
    "team": "data.team.key",
    "by": "actor.name",
}
SIGN_IN = "Needs a connection made by signing in to Linear, not one made with an API key."
TRIGGERS = (
    Trigger(
        key="issue_created",
        label="New issue",
        description=SIGN_IN,
        event="Issue.create",
        fields=(ONE_TEAM,),
        accepts=in_team,
        sample=sample("Issue", "create", SAMPLE_ISSUE),
        returns=OF_ISSUE,
    ),
    Trigger(
        key="issue_updated",
        label="Issue changed",
        description=SIGN_IN,
        event="Issue.update",
        fields=(
            ONE_TEAM,
            Field("only_state", label="Only when its state changed", kind="boolean", example=True),
        ),
        accepts=is_wanted_change,
        sample=sample("Issue", "update", SAMPLE_ISSUE, updatedFrom={"stateId": "s-0"}),
        returns={**OF_ISSUE, "updated_from": Output("updatedFrom", kind="object")},
    ),
    Trigger(
        key="comment_created",
        label="New comment",
        description=SIGN_IN,
        event="Comment.create",
        sample=sample(
            "Comment",
            "create",
            {
                "id": "co-1",
                "body": "Paid today",
                "issueId": SAMPLE_ISSUE["id"],
                "issue": {"id": SAMPLE_ISSUE["id"], "title": "Order is late"},
            },
        ),
        returns={
            "id": "data.id",
            "body": "data.body",
            "issue": "data.issueId",
            "issue_title": "data.issue.title",
            "url": "url",
            "by": "actor.name",
        },
    ),
    Trigger(
        key="project_updated",
        label="Project made or changed",
        description=SIGN_IN,
        event=("Project.create", "Project.update"),
        sample=sample(
            "Project", "update", {"id": "p-1", "name": "Spring catalogue"}, updatedFrom={"name": "Spring"}
        ),
        returns={
            "id": "data.id",
            "name": "data.name",
            "action": "action",
            "updated_from": Output("updatedFrom", kind="object"),
        },
    ),
    Trigger(
        key="issues_updated_poll",
        label="New or changed issue (checked every few minutes)",
        kind="polling",
        fields=(ONE_TEAM,),
        poll=Poll(
            request=lambda config, since: graphql(LIST, filter=issue_filter(config, since), first=PAGE_SIZE),
            items="data.issues.nodes",
            id=("id", "updatedAt"),
            stamp="updatedAt",
            pagination=pages("issues"),
        ),
        sample=SAMPLE_ISSUE,
        returns=issue_output(""),
    ),
)


def pause(response: Response) -> float | None:
    """Return the seconds until requests are allowed again, when the answer says that none are left."""
    if response.headers.get("x-ratelimit-requests-remaining") != "0":
        return None
    reset = response.headers.get("x-ratelimit-requests-reset", "")
    if not reset.isdecimal():
        return WAIT_SECONDS
    return max(0.0, min(int(reset) / 1000 - datetime.now(UTC).timestamp(), 3600.0))


connector = Connector(
    slug="linear",
    name="Linear",
    category="Productivity",
    summary="Create, change and find issues, and react to what happens to them.",
    docs_url="https://linear.app/developers/graphql",
    base_url="https://api.linear.app",
    auth=(
        OAuth2(
            authorize_url="https://linear.app/oauth/authorize",
            token_url="https://api.linear.app/oauth/token",
            revoke_url="https://api.linear.app/oauth/revoke",
            scopes=("read", "write"),
            scope_separator=",",
            rotates_refresh_token=True,
        ),
        ApiKey(help="In Linear: Settings, Security and access, Personal API keys."),
    ),
    test=Test(
        graphql("query { viewer { id name email organization { id name urlKey } } }"),
        account={"user_id": "data.viewer.id", "organization_id": "data.viewer.organization.id"},
        label="data.viewer.organization.name",
    ),
    check=check,
    on_error=failure,
    rate_limit=RateLimit(calls=2500, seconds=3600),
    wait=pause,
    webhooks=Webhooks(
        address="app",  # set once in our app at Linear: every workspace that signs in sends there
        signature=Hmac(
            "Linear-Signature",
            timestamp_in_body=lambda body: dig(body, "webhookTimestamp"),
            timestamp_unit=1000,
            tolerance_seconds=60,
        ),
        secret="app",
        event=event_name,
        delivery_id="header:Linear-Delivery",
        account="organizationId",
        account_key="organization_id",
        setup="Events arrive by themselves once the workspace is connected by signing in.",
    ),
    actions=(*ACTIONS, *LISTINGS),
    triggers=TRIGGERS,
)
