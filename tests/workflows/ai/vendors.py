"""A server that answers in the shapes of OpenAI, Anthropic, Gemini and Cohere, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-alder-0123456789"


@dataclass(slots=True)
class Reply:
    """One answer. body: sent as it is; else `text` in the vendor's shape. finish: stop, length or refused."""

    text: str = "Fine."
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    finish: str = "stop"
    tokens: tuple[int, int] = (10, 2)
    tool: dict[str, Any] | None = None  # the arguments of the one tool that was offered


class Vendors:
    """Answers with `replies` in turn; the last one again and again."""

    def __init__(self) -> None:
        self.replies: list[Reply] = [Reply()]
        self.asked: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        self.before: Callable[[], None] = lambda: None
        vendors = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                body = json.loads(content) if content[:1] == b"{" else {}
                with vendors.lock:
                    vendors.asked.append({"path": self.path, "body": body, "headers": dict(self.headers)})
                    reply = vendors.replies.pop(0) if len(vendors.replies) > 1 else vendors.replies[0]
                vendors.before()
                answer = reply.body if reply.body is not None else shaped(self.path, body, reply)
                if body.get("stream") and reply.body is None:
                    self.send(reply, openai_events(body, reply), "text/event-stream")
                else:
                    text = answer if isinstance(answer, str) else json.dumps(answer)
                    self.send(reply, text.encode(), "application/json")

            def send(self, reply: Reply, content: bytes, kind: str) -> None:
                self.send_response(reply.status)
                headers = {"Content-Type": kind, "Content-Length": str(len(content)), **reply.headers}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def shaped(path: str, body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    """Return an answer in the shape of the vendor whose path was called."""
    into, out = reply.tokens
    if path.endswith("/chat/completions"):
        refused = reply.finish == "refused"
        message = {
            "role": "assistant",
            "content": None if refused else reply.text,
            "refusal": reply.text if refused else None,
            "annotations": [],
        }
        return {
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1790000000, "model": body["model"],
            "choices": [{
                "index": 0, "message": message, "logprobs": None,
                "finish_reason": {"refused": "content_filter"}.get(reply.finish, reply.finish),
            }],
            "usage": {"prompt_tokens": into, "completion_tokens": out, "total_tokens": into + out},
        }  # fmt: skip
    if path.endswith("/messages"):
        content: list[dict[str, Any]] = [{"type": "text", "text": reply.text, "citations": None}]
        if reply.tool is not None:
            content = [
                {"type": "tool_use", "id": "toolu_1", "name": body["tools"][0]["name"], "input": reply.tool}
            ]
        reasons = {"stop": "end_turn", "length": "max_tokens", "refused": "refusal"}
        return {
            "id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": content,
            "stop_reason": "tool_use" if reply.tool is not None else reasons[reply.finish], "stop_sequence": None,
            "usage": {
                "input_tokens": into, "output_tokens": out, "cache_creation": None, "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0, "server_tool_use": None, "service_tier": "standard",
            },
        }  # fmt: skip
    if ":generateContent" in path:
        reasons = {"stop": "STOP", "length": "MAX_TOKENS", "refused": "SAFETY"}
        return {
            "candidates": [{
                "content": {"role": "model", "parts": [{"text": reply.text}]},
                "finishReason": reasons[reply.finish], "index": 0,
            }],
            "usageMetadata": {
                "promptTokenCount": into, "candidatesTokenCount": out, "totalTokenCount": into + out,
            },
            "modelVersion": "gemini-2.5-flash", "responseId": "r1",
        }  # fmt: skip
    reasons = {"stop": "COMPLETE", "length": "MAX_TOKENS", "refused": "ERROR"}
    message = {"role": "assistant", "content": [{"type": "text", "text": reply.text}]}
    if reply.tool is not None:
        function = {"name": body["tools"][0]["function"]["name"], "arguments": json.dumps(reply.tool)}
        message = {
            "role": "assistant",
            "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
        }
    return {
        "id": "c1", "message": message,
        "finish_reason": "TOOL_CALL" if reply.tool is not None else reasons[reply.finish],
        "usage": {
            "billed_units": {"input_tokens": into, "output_tokens": out},
            "tokens": {"input_tokens": into, "output_tokens": out},
        },
    }  # fmt: skip


def openai_events(body: dict[str, Any], reply: Reply) -> bytes:
    """Return the answer word by word, as OpenAI streams it."""
    base = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1790000000,
        "model": body["model"],
    }
    chunks: list[dict[str, Any]] = []
    for word in reply.text.split(" "):
        delta = {"role": "assistant", "content": f"{word} "}
        chunks.append({**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    chunks.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": reply.finish}]})
    into, out = reply.tokens
    usage = {"prompt_tokens": into, "completion_tokens": out, "total_tokens": into + out}
    chunks.append({**base, "choices": [], "usage": usage})
    return b"".join(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks) + b"data: [DONE]\n\n"
