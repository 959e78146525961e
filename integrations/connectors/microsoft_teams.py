"""Microsoft Teams: write in channels and chats, make channels, manage members; start on messages and channels."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from integrations.connectors._microsoft import GRAPH, TENANT, notice, notifications, refine, sign_in
from integrations.framework import (
    Action,
    Call,
    Connector,
    Field,
    FollowUp,
    LinkPages,
    Offers,
    Output,
    PermanentError,
    Poll,
    RateLimit,
    Request,
    Response,
    Test,
    Trigger,
    dig,
    given,
)

CHANNEL_PATH = "/teams/{team}/channels/{channel}"
WATCH_MINUTES = 4_310  # Graph allows 4,320 for messages and channels
DAY_SECONDS = 86_400  # Microsoft's terms: without notifications a channel may be looked at about once a day
CARD_TYPE = "application/vnd.microsoft.card.adaptive"
CARD_ID = "card"
MOST_CARD_BYTES = 28_000


def written(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the message resource of the inputs. A card stands where the text names it: here, below the text."""
    content = inputs["content"]
    kind = inputs["content_type"]
    attachments = list(inputs.get("attachments") or ())
    if "card" in inputs:
        # Only HTML can hold the place of a card.
        content = f'{content if kind == "html" else escape(content)}<attachment id="{CARD_ID}"></attachment>'
        kind = "html"
        attachments.append({"id": CARD_ID, "contentType": CARD_TYPE, "content": json.dumps(inputs["card"])})
    return given(
        body={"contentType": kind, "content": content},
        subject=inputs.get("subject"),
        importance=inputs.get("importance"),
        attachments=attachments or None,
        mentions=inputs.get("mentions"),
    )


def member(user: str, roles: list[str]) -> dict[str, Any]:
    """Return a member as Graph takes it. user: id or user principal name, mostly the e-mail."""
    name = user.strip().replace("'", "''")
    return {
        "@odata.type": "#microsoft.graph.aadUserConversationMember",
        "roles": roles,
        "user@odata.bind": f"{GRAPH}/users('{name}')",
    }


def create_chat(call: Call):
    """Begin a chat of the connected person with others; Graph wants everyone named, oneself too."""
    inputs = call.inputs
    me = call.account.get("user_id")
    if not me:
        answer = yield Request("GET", "/me", query={"$select": "id"})
        me = dig(answer.json, "id")
    kind = "oneOnOne" if len(inputs["members"]) == 1 and "topic" not in inputs else "group"
    answer = yield Request(
        "POST",
        "/chats",
        json={
            "chatType": kind,
            "topic": inputs.get("topic"),
            "members": [member(str(user), ["owner"]) for user in (me, *inputs["members"])],
        },
    )
    return {
        "id": dig(answer.json, "id"),
        "chat_type": dig(answer.json, "chatType"),
        "url": dig(answer.json, "webUrl"),
    }


def named_chats(response: Response) -> dict[str, Any]:
    """Return chats by a name a person knows: the topic, or who takes part."""
    chats = []
    for chat in dig(response.json, "value") or ():
        people = ", ".join(name for name in dig(chat, "members[].displayName") or () if name)
        chats.append(
            {
                "id": chat.get("id"),
                "name": chat.get("topic") or people or chat.get("chatType"),
                "chat_type": chat.get("chatType"),
            }
        )
    return {"chats": chats}


def workflow_card(inputs: Mapping[str, Any]) -> Request:
    """Post a card to a Workflows address: the successor of the incoming webhooks that ended in May 2026."""
    card = inputs.get("card") or {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "body": [
            *(
                [
                    {
                        "type": "TextBlock",
                        "text": inputs["title"],
                        "weight": "Bolder",
                        "size": "Medium",
                        "wrap": True,
                    }
                ]
                if "title" in inputs
                else []
            ),
            {"type": "TextBlock", "text": inputs.get("text", ""), "wrap": True},
        ],
    }
    if len(json.dumps(card)) > MOST_CARD_BYTES:
        raise PermanentError("The card is larger than Teams takes (28 KB). Shorten its text.")
    return Request(
        "POST",
        inputs["workflow_url"],
        authenticate=False,
        json={
            "type": "message",
            "attachments": [{"contentType": CARD_TYPE, "contentUrl": None, "content": card}],
        },
    )


TEAM = Field(
    "team",
    label="Team",
    required=True,
    options="list_joined_teams",
    example="fbe2bf47-16c8-47cf-b4a5-4b9b187c508b",
)
CHANNEL = Field(
    "channel",
    label="Channel",
    required=True,
    options="list_channels",
    depends_on=("team",),
    example="19:4a95f7d8db4c4e7fae857bcebe0623e6@thread.tacv2",
)
CHAT = Field(
    "chat",
    label="Chat",
    required=True,
    options="list_chats",
    example="19:2da4c29f6d7041eca70b638b43d45437@thread.v2",
)
MESSAGE_ID = Field(
    "message",
    label="Message",
    required=True,
    example="1616989510408",
    help="The id of the message that began the thread.",
)
CARD = {
    "type": "AdaptiveCard",
    "version": "1.4",
    "body": [{"type": "TextBlock", "text": "Order 1042", "wrap": True}],
}
CONTENT = (
    Field("content", label="Message", kind="long_text", required=True, example="Order 1042 is paid."),
    Field(
        "content_type",
        label="Written as",
        kind="select",
        choices=(("text", "Plain text"), ("html", "HTML")),
        default="text",
        example="text",
    ),
    Field("card", label="Card", kind="json", example=CARD, advanced=True, help="An Adaptive Card as JSON."),
    Field(
        "attachments",
        label="Attachments",
        kind="json",
        advanced=True,
        help='A list in Graph\'s form; the message then names each as <attachment id="..."></attachment>.',
    ),
    Field(
        "mentions",
        label="Mentions",
        kind="json",
        advanced=True,
        help='A list in Graph\'s form; the HTML then holds <at id="0">name</at>.',
    ),
)
SENT = {"id": "id", "url": "webUrl", "created_at": "createdDateTime"}
MESSAGE: dict[str, Output | str] = {
    "id": "id",
    "text": Output("body.content", kind="long_text"),
    "content_type": "body.contentType",
    "subject": "subject",
    "from": Output("from.user.displayName", label="From"),
    "from_id": "from.user.id",
    "created_at": "createdDateTime",
    "url": "webUrl",
    "reply_to": "replyToId",
}

SEND = Action(
    key="send_channel_message",
    label="Post in a channel",
    description="Posts as the person who connected Teams.",
    fields=(
        TEAM,
        CHANNEL,
        *CONTENT,
        Field("subject", label="Title", example="New order", advanced=True),
        Field(
            "importance",
            label="Importance",
            kind="select",
            choices=("normal", "high", "urgent"),
            example="high",
            advanced=True,
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        f"{CHANNEL_PATH}/messages",
        at={"team": inputs["team"], "channel": inputs["channel"]},
        json=written(inputs),
    ),
    returns=SENT,
    effect="unsafe",
)

REPLY = Action(
    key="reply_to_channel_message",
    label="Reply in a channel thread",
    fields=(TEAM, CHANNEL, MESSAGE_ID, *CONTENT),
    request=lambda inputs: Request(
        "POST",
        f"{CHANNEL_PATH}/messages/{{message}}/replies",
        at={"team": inputs["team"], "channel": inputs["channel"], "message": inputs["message"]},
        json=written(inputs),
    ),
    returns={**SENT, "reply_to": "replyToId"},
    effect="unsafe",
)

SEND_CHAT = Action(
    key="send_chat_message",
    label="Send a chat message",
    fields=(CHAT, *CONTENT),
    request=lambda inputs: Request(
        "POST", "/chats/{chat}/messages", at={"chat": inputs["chat"]}, json=written(inputs)
    ),
    returns={"id": "id", "created_at": "createdDateTime", "chat": "chatId"},
    effect="unsafe",
)

CREATE_CHAT = Action(
    key="create_chat",
    label="Create a chat",
    description="With one person and no title it gives the chat you already have.",
    fields=(
        Field(
            "members",
            label="People",
            kind="list",
            required=True,
            example=["ada@example.com"],
            help="E-mails or user ids of the others.",
        ),
        Field("topic", label="Title", example="Order 1042", help="Makes it a group."),
    ),
    run=create_chat,
    returns={"id": "id", "chat_type": "chat_type", "url": "url"},
    effect="unsafe",
)

CREATE_CHANNEL = Action(
    key="create_channel",
    label="Create a channel",
    fields=(
        TEAM,
        Field("name", label="Name", required=True, example="Orders", max_length=50),
        Field("description", label="Description", example="What comes in"),
        Field(
            "membership_type",
            label="For",
            kind="select",
            default="standard",
            example="standard",
            choices=(
                ("standard", "Everyone in the team"),
                ("private", "Chosen members"),
                ("shared", "Other teams too"),
            ),
        ),
        Field(
            "owner",
            label="Owner",
            example="ada@example.com",
            advanced=True,
            help="E-mail or user id; needed for private and shared channels.",
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        "/teams/{team}/channels",
        at={"team": inputs["team"]},
        json={
            "displayName": inputs["name"],
            "description": inputs.get("description"),
            "membershipType": inputs["membership_type"],
            "members": [member(inputs["owner"], ["owner"])]
            if "owner" in inputs and inputs["membership_type"] != "standard"
            else None,
        },
    ),
    returns={"id": "id", "name": "displayName", "url": "webUrl", "membership_type": "membershipType"},
    effect="unsafe",
)

LIST_TEAMS = Action(
    key="list_joined_teams",
    label="List my teams",
    request=lambda inputs: Request("GET", "/me/joinedTeams"),
    pagination=LinkPages(items="value", path="@odata.nextLink"),
    offers=Offers(items="teams"),
    returns={"teams": Output("value", kind="list", of={"id": "id", "name": "displayName"})},
    effect="read",
)

LIST_CHANNELS = Action(
    key="list_channels",
    label="List channels",
    fields=(TEAM,),
    request=lambda inputs: Request("GET", "/teams/{team}/channels", at={"team": inputs["team"]}),
    pagination=LinkPages(items="value", path="@odata.nextLink"),
    offers=Offers(items="channels"),
    returns={
        "channels": Output(
            "value",
            kind="list",
            of={"id": "id", "name": "displayName", "membership_type": "membershipType", "url": "webUrl"},
        )
    },
    effect="read",
)

LIST_CHATS = Action(
    key="list_chats",
    label="List chats",
    request=lambda inputs: Request("GET", "/chats", query={"$expand": "members", "$top": 50}),
    pagination=LinkPages(items="value", path="@odata.nextLink"),
    output=named_chats,
    offers=Offers(items="chats"),
    returns={
        "chats": Output("value", kind="list", of={"id": "id", "name": Output(""), "chat_type": "chatType"})
    },
    effect="read",
)

ADD_MEMBER = Action(
    key="add_team_member",
    label="Add a team member",
    fields=(
        TEAM,
        Field("user", label="Person", required=True, example="ada@example.com", help="E-mail or user id."),
        Field("is_owner", label="As owner", kind="boolean", default=False, example=False),
    ),
    request=lambda inputs: Request(
        "POST",
        "/teams/{team}/members",
        at={"team": inputs["team"]},
        json=member(inputs["user"], ["owner"] if inputs["is_owner"] else []),
    ),
    returns={"id": "id", "name": "displayName", "roles": Output("roles", kind="list")},
    effect="unsafe",
)

FIND_USER = Action(
    key="find_user",
    label="Find a person",
    fields=(
        Field(
            "user",
            label="Person",
            required=True,
            example="ada@example.com",
            help="User id or sign-in name, mostly the e-mail.",
        ),
    ),
    request=lambda inputs: Request(
        "GET",
        "/users/{user}",
        at={"user": inputs["user"]},
        query={"$select": "id,displayName,mail,userPrincipalName,jobTitle"},
    ),
    returns={
        "id": "id",
        "name": "displayName",
        "email": "mail",
        "sign_in_name": "userPrincipalName",
        "job_title": "jobTitle",
    },
    effect="read",
)

LIST_MESSAGES = Action(
    key="list_channel_messages",
    label="Read channel messages",
    fields=(TEAM, CHANNEL),
    request=lambda inputs: channel_messages(inputs),
    pagination=LinkPages(items="value", path="@odata.nextLink"),
    returns={"messages": Output("value", kind="list", of=MESSAGE)},
    effect="read",
)


def channel_messages(inputs: Mapping[str, Any]) -> Request:
    return Request(
        "GET",
        f"{CHANNEL_PATH}/messages",
        at={"team": inputs["team"], "channel": inputs["channel"]},
        query={"$top": 50},
    )


POST_VIA_WORKFLOW = Action(
    key="post_via_workflow",
    label="Post through a Workflows address",
    description="In Teams: the channel's menu, Workflows, “Send webhook alerts to a channel”; copy its address.",
    fields=(
        Field(
            "workflow_url",
            label="Address",
            kind="url",
            required=True,
            example="https://example.environment.api.powerplatform.com/workflows/1/triggers/manual/paths/invoke",
            help="Whoever knows it can post: keep it in a secret.",
        ),
        Field("title", label="Title", example="New order"),
        Field("text", label="Message", kind="long_text", required=True, example="Order 1042 is paid."),
        Field(
            "card",
            label="Card",
            kind="json",
            example=CARD,
            advanced=True,
            help="An Adaptive Card as JSON, in place of title and message.",
        ),
    ),
    request=workflow_card,
    effect="unsafe",
)


def by_others(event: Any, config: Mapping[str, Any], account: Mapping[str, Any]) -> bool:
    """Skip what the connected person wrote, our own posts among it: answering ourselves would never end."""
    author = dig(event, "message.from.user.id") or dig(event, "from.user.id")
    return bool(config.get("own_messages")) or author is None or author != account.get("user_id")


OWN = Field(
    "own_messages",
    label="Messages of the connected person too",
    kind="boolean",
    default=False,
    example=False,
    help="Leave off when the workflow posts here itself.",
)
# The notice names the object by a path of Graph's own.
FETCH = FollowUp(lambda event, account: Request("GET", "/" + event["resource"].lstrip("/")), into="message")
TOLD: dict[str, Output | str] = {
    **{
        name: Output(f"message.{value.path}", kind=value.kind, label=value.label)
        if isinstance(value, Output)
        else f"message.{value}"
        for name, value in MESSAGE.items()
    },
    "id": "resourceData.id",  # known also when the message has gone before we could read it
}
SAMPLE = {
    "id": "1616989510408",
    "createdDateTime": "2026-11-22T09:30:00.408Z",
    "subject": None,
    "replyToId": None,
    "webUrl": "https://teams.microsoft.com/l/message/19%3A4a95/1616989510408",
    "from": {"user": {"id": "8ea0e38b-efb3-4757-924a-5f94061cf8c2", "displayName": "Ada Lovelace"}},
    "body": {"contentType": "text", "content": "Where is order 1042?"},
}
IN_CHANNEL = "teams('fbe2bf47')/channels('19:4a95@thread.tacv2')"
IN_CHAT = "chats('19:2da4@thread.v2')"
KIND = "#Microsoft.Graph.chatMessage"

TRIGGERS = (
    Trigger(
        key="new_channel_message",
        label="New message in a channel",
        event="created",
        accepts=by_others,
        fields=(TEAM, CHANNEL, OWN),
        follow_up=FETCH,
        webhooks=notifications(
            lambda config: f"teams/{config['team']}/channels/{config['channel']}/messages",
            "created",
            minutes=WATCH_MINUTES,
        ),
        sample=notice(
            "created", f"{IN_CHANNEL}/messages('1616989510408')", KIND, "1616989510408", message=SAMPLE
        ),
        returns=TOLD,
    ),
    Trigger(
        key="new_chat_message",
        label="New message in a chat",
        event="created",
        accepts=by_others,
        fields=(CHAT, OWN),
        follow_up=FETCH,
        webhooks=notifications(
            lambda config: f"chats/{config['chat']}/messages", "created", minutes=WATCH_MINUTES
        ),
        sample=notice(
            "created", f"{IN_CHAT}/messages('1616989510408')", KIND, "1616989510408", message=SAMPLE
        ),
        returns=TOLD,
    ),
    Trigger(
        key="new_channel",
        label="New channel",
        event="created",
        fields=(TEAM,),
        follow_up=FollowUp(FETCH.request, into="channel"),
        webhooks=notifications(
            lambda config: f"teams/{config['team']}/channels", "created", minutes=WATCH_MINUTES
        ),
        sample=notice(
            "created",
            IN_CHANNEL,
            "#Microsoft.Graph.channel",
            "19:4a95@thread.tacv2",
            channel={
                "id": "19:4a95@thread.tacv2",
                "displayName": "Orders",
                "webUrl": "https://teams.microsoft.com/l/channel/1",
            },
        ),
        returns={"id": "resourceData.id", "name": "channel.displayName", "url": "channel.webUrl"},
    ),
    Trigger(
        key="channel_message_polling",
        label="New message in a channel (checked once a day)",
        kind="polling",
        description="For directories that allow no notifications.",
        accepts=by_others,
        fields=(TEAM, CHANNEL, OWN),
        poll=Poll(
            request=lambda config, since: channel_messages(config),
            items="value",
            stamp="createdDateTime",
            pagination=LinkPages(items="value", path="@odata.nextLink"),
            interval_seconds=DAY_SECONDS,
        ),
        sample=SAMPLE,
        returns=MESSAGE,
    ),
)

connector = Connector(
    slug="microsoft_teams",
    name="Microsoft Teams",
    category="Communication",
    summary="Write in channels and chats, and react to what people write.",
    docs_url="https://learn.microsoft.com/graph/api/resources/teams-api-overview",
    base_url=GRAPH,
    account=(TENANT,),
    auth=sign_in(
        "Team.ReadBasic.All",
        "Channel.ReadBasic.All",
        "Channel.Create",
        "ChannelMessage.Send",
        "ChannelMessage.Read.All",
        "Chat.ReadWrite",
        "Chat.Create",
        "TeamMember.ReadWrite.All",
        "User.ReadBasic.All",
    ),
    test=Test(
        Request("GET", "/me"),
        account={"user_id": "id", "email": "userPrincipalName"},
        label="userPrincipalName",
    ),
    on_error=refine("Microsoft Teams"),
    rate_limit=RateLimit(calls=4),  # on one team or channel
    actions=(
        SEND,
        REPLY,
        SEND_CHAT,
        CREATE_CHAT,
        CREATE_CHANNEL,
        LIST_TEAMS,
        LIST_CHANNELS,
        LIST_CHATS,
        ADD_MEMBER,
        FIND_USER,
        LIST_MESSAGES,
        POST_VIA_WORKFLOW,
    ),
    triggers=TRIGGERS,
)
