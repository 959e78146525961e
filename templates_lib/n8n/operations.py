"""Which operations of n8n's service nodes are which of ours: those that public workflows use most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Mapped:
    """One operation. fields: ours -> theirs (several: the first that is there). items: key of a list it gives."""

    provider: str
    operation: str
    fields: dict[str, str | tuple[str, ...]]
    items: str = ""
    fixed: tuple[tuple[str, Any], ...] = ()


SHEET: dict[str, str | tuple[str, ...]] = {
    "spreadsheet": ("documentId", "sheetId"),
    "sheet": ("sheetName", "range"),
}
TABLE: dict[str, str | tuple[str, ...]] = {"base": ("base", "application"), "table": "table"}
MAIL: dict[str, str | tuple[str, ...]] = {
    "to": ("sendTo", "toRecipients", "toList"),
    "subject": "subject",
    "body": ("message", "bodyContent"),
    "cc": "options.ccList",
    "bcc": "options.bccList",
}
# (kind, resource, operation) -> ours; n8n leaves defaults out, so "" stands for them.
OPERATIONS: dict[tuple[str, str, str], Mapped] = {
    ("gmail", "message", "send"): Mapped("gmail", "send_email", MAIL),
    ("gmail", "message", "getAll"): Mapped("gmail", "search_messages", {"query": "filters.q"}, "messages"),
    ("gmail", "message", "get"): Mapped("gmail", "get_message", {"id": "messageId"}),
    ("gmail", "message", "addLabels"): Mapped(
        "gmail", "modify_labels", {"id": "messageId", "add_label_ids": "labelIds"}
    ),
    ("gmail", "message", "removeLabels"): Mapped(
        "gmail", "modify_labels", {"id": "messageId", "remove_label_ids": "labelIds"}
    ),
    ("gmail", "message", "markAsRead"): Mapped(
        "gmail", "modify_labels", {"id": "messageId"}, fixed=(("remove_label_ids", ["UNREAD"]),)
    ),
    ("gmail", "message", "delete"): Mapped("gmail", "trash_message", {"id": "messageId"}),
    ("gmail", "draft", "create"): Mapped("gmail", "create_draft", {**MAIL, "to": "options.sendTo"}),
    ("gmail", "thread", "get"): Mapped("gmail", "get_thread", {"id": "threadId"}),
    ("microsoftOutlook", "message", "send"): Mapped("outlook", "send_mail", MAIL),
    ("microsoftOutlook", "message", "getAll"): Mapped("outlook", "list_messages", {}, "messages"),
    ("microsoftOutlook", "draft", "create"): Mapped("outlook", "create_draft", MAIL),
    ("microsoftOutlook", "message", "reply"): Mapped(
        "outlook", "reply", {"id": "messageId", "comment": "message"}
    ),
    ("slack", "message", "post"): Mapped(
        "slack", "send_message", {"channel": ("channelId", "channel", "user"), "text": "text"}
    ),
    ("slack", "message", "update"): Mapped(
        "slack", "update_message", {"channel": ("channelId", "channel"), "ts": "ts", "text": "text"}
    ),
    ("slack", "channel", "history"): Mapped(
        "slack", "get_channel_history", {"channel": ("channelId", "channel")}, "messages"
    ),
    ("telegram", "message", "sendMessage"): Mapped(
        "telegram", "send_message", {"chat": "chatId", "text": "text"}
    ),
    ("telegram", "message", "sendPhoto"): Mapped(
        "telegram", "send_photo", {"chat": "chatId", "file": "file", "caption": "additionalFields.caption"}
    ),
    ("telegram", "message", "sendDocument"): Mapped(
        "telegram", "send_document", {"chat": "chatId", "file": "file"}
    ),
    ("telegram", "message", "editMessageText"): Mapped(
        "telegram", "edit_message", {"chat": "chatId", "message": "messageId", "text": "text"}
    ),
    ("telegram", "message", "deleteMessage"): Mapped(
        "telegram", "delete_message", {"chat": "chatId", "message": "messageId"}
    ),
    ("discord", "message", "send"): Mapped(
        "discord", "send_message", {"channel": "channelId", "content": ("content", "text")}
    ),
    ("discord", "message", "sendLegacy"): Mapped(
        "discord", "send_webhook_message", {"content": ("content", "text")}
    ),
    ("emailSend", "email", "send"): Mapped(
        "email", "send_email", {"to": "toEmail", "subject": "subject", "text": "text", "html": "html"}
    ),
    ("googleSheets", "sheet", "append"): Mapped(
        "google_sheets", "append_row", {**SHEET, "values": "columns.value"}
    ),
    ("googleSheets", "sheet", "read"): Mapped("google_sheets", "read_range", SHEET, "rows"),
    ("googleSheets", "sheet", "clear"): Mapped("google_sheets", "clear_range", SHEET),
    ("googleSheets", "spreadsheet", "create"): Mapped(
        "google_sheets", "create_spreadsheet", {"title": "title"}
    ),
    ("airtable", "record", "create"): Mapped(
        "airtable", "create_records", {**TABLE, "records": "columns.value"}
    ),
    ("airtable", "record", "search"): Mapped(
        "airtable", "list_records", {**TABLE, "formula": "filterByFormula"}, "records"
    ),
    ("airtable", "record", "get"): Mapped("airtable", "get_record", {**TABLE, "record": "id"}),
    ("airtable", "record", "update"): Mapped(
        "airtable", "update_record", {**TABLE, "record": "columns.value.id", "fields": "columns.value"}
    ),
    ("airtable", "record", "deleteRecord"): Mapped("airtable", "delete_record", {**TABLE, "record": "id"}),
    ("notion", "databasePage", "create"): Mapped(
        "notion", "create_database_item", {"data_source_id": "databaseId", "properties": "propertiesUi"}
    ),
    ("notion", "databasePage", "getAll"): Mapped(
        "notion", "query_data_source", {"data_source_id": "databaseId"}, "items"
    ),
    ("notion", "databasePage", "update"): Mapped(
        "notion", "update_page", {"page_id": "pageId", "properties": "propertiesUi"}
    ),
    ("notion", "page", "create"): Mapped("notion", "create_page", {"page_id": "pageId", "title": "title"}),
    ("notion", "page", "get"): Mapped("notion", "get_page", {"page_id": "pageId"}),
    ("hubspot", "contact", "upsert"): Mapped(
        "hubspot",
        "upsert_contact",
        {
            "email": "email",
            "first_name": "additionalFields.firstName",
            "last_name": "additionalFields.lastName",
        },
    ),
    ("hubspot", "contact", "get"): Mapped("hubspot", "get_contact", {"contact_id": "contactId"}),
    ("hubspot", "deal", "create"): Mapped(
        "hubspot",
        "create_deal",
        {"name": "additionalFields.dealName", "stage": "stage", "amount": "additionalFields.amount"},
    ),
    ("googleDrive", "file", "download"): Mapped("google_drive", "download_file", {"file": "fileId"}),
    ("googleDrive", "file", "upload"): Mapped(
        "google_drive", "upload_file", {"name": "name", "folder": "folderId"}
    ),
    ("googleDrive", "file", "copy"): Mapped("google_drive", "copy_file", {"file": "fileId", "name": "name"}),
    ("googleDrive", "file", "move"): Mapped(
        "google_drive", "move_file", {"file": "fileId", "folder": "folderId"}
    ),
    ("googleDrive", "file", "deleteFile"): Mapped("google_drive", "trash_file", {"file": "fileId"}),
    ("googleDrive", "fileFolder", "search"): Mapped(
        "google_drive", "find_files", {"name": "queryString"}, "files"
    ),
    ("googleDrive", "folder", "create"): Mapped(
        "google_drive", "create_folder", {"name": "name", "folder": "folderId"}
    ),
    ("googleCalendar", "event", "create"): Mapped(
        "google_calendar",
        "create_event",
        {
            "calendar": "calendar",
            "title": "additionalFields.summary",
            "start": "start",
            "end": "end",
            "description": "additionalFields.description",
        },
    ),
    ("googleCalendar", "event", "getAll"): Mapped(
        "google_calendar",
        "list_events",
        {"calendar": "calendar", "after": "timeMin", "before": "timeMax"},
        "events",
    ),
    ("googleCalendar", "event", "get"): Mapped(
        "google_calendar", "get_event", {"calendar": "calendar", "event": "eventId"}
    ),
    ("googleCalendar", "event", "update"): Mapped(
        "google_calendar", "update_event", {"calendar": "calendar", "event": "eventId"}
    ),
    ("googleCalendar", "event", "delete"): Mapped(
        "google_calendar", "delete_event", {"calendar": "calendar", "event": "eventId"}
    ),
    ("postgres", "database", "executeQuery"): Mapped("postgresql", "execute", {"statement": "query"}),
    ("postgres", "database", "insert"): Mapped(
        "postgresql", "insert_row", {"table": "table", "row": "columns.value"}
    ),
    ("postgres", "database", "upsert"): Mapped(
        "postgresql",
        "upsert_row",
        {"table": "table", "row": "columns.value", "key_columns": "columns.matchingColumns"},
    ),
    ("microsoftTeams", "channelMessage", "create"): Mapped(
        "microsoft_teams",
        "send_channel_message",
        {"team": "teamId", "channel": "channelId", "content": "message"},
    ),
    ("trello", "card", "create"): Mapped(
        "trello", "create_card", {"list": "listId", "name": "name", "description": "description"}
    ),
}
DEFAULTS: dict[str, tuple[str, str]] = {
    "gmail": ("message", "send"),
    "slack": ("message", "post"),
    "telegram": ("message", "sendMessage"),
    "discord": ("message", "send"),
    "emailSend": ("email", "send"),
    "googleSheets": ("sheet", "read"),
    "airtable": ("record", "search"),
    "notion": ("page", "create"),
    "hubspot": ("contact", "upsert"),
    "googleDrive": ("file", "upload"),
    "googleCalendar": ("event", "create"),
    "postgres": ("database", "insert"),
    "microsoftOutlook": ("message", "send"),
    "microsoftTeams": ("channelMessage", "create"),
    "trello": ("card", "create"),
}
