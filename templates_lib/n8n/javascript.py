"""A parser for the JavaScript expressions that Liquid can also say: references, operators, calls, ternaries, templates.

The tree is made of tuples: ("value", v), ("name", n), ("key", of, key, optional), ("call", of, arguments),
("operator", sign, left, right), ("not", of), ("choice", condition, one, other), ("text", parts), ("list", items).
"""

from __future__ import annotations

import re
from typing import Any

MAX_LENGTH = 4_000
MAX_NESTING = 40
TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?![\w.]))|(?P<name>[A-Za-z_$][\w$]*)|(?P<text>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')"
    r"|(?P<template>`(?:[^`\\]|\\.)*`)|(?P<sign>\?\.|===|!==|==|!=|<=|>=|&&|\|\||\?\?|=>|\.\.\.|[-+*/%<>!?:.,()\[\]{}=]))"
)
LEVELS = (
    ("??", "||"),
    ("&&",),
    ("===", "!==", "==", "!="),
    ("<", ">", "<=", ">="),
    ("+", "-"),
    ("*", "/", "%"),
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b"}
Tree = tuple[Any, ...]


class Beyond(Exception):
    """The expression says more than Liquid can."""


def parse(source: str) -> Tree:
    """Return the tree of one expression. Raises Beyond."""
    if len(source) > MAX_LENGTH:
        raise Beyond
    parser = _Parser(source)
    tree = parser.choice()
    if parser.kind:
        raise Beyond
    return tree


class _Parser:
    def __init__(self, source: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        position, end = 0, len(source.rstrip())
        while position < end:
            found = TOKEN.match(source, position)
            if found is None or found.lastgroup is None:
                raise Beyond
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()
        self.at = self.depth = 0

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    @property
    def text(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, sign: str) -> bool:
        if self.kind == "sign" and self.text == sign:
            self.at += 1
            return True
        return False

    def need(self, sign: str) -> None:
        if not self.take(sign):
            raise Beyond

    def choice(self) -> Tree:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise Beyond
        tree = self.binary(0)
        if self.take("?"):
            one = self.choice()
            self.need(":")
            tree = ("choice", tree, one, self.choice())
        self.depth -= 1
        return tree

    def binary(self, level: int) -> Tree:
        if level == len(LEVELS):
            return self.unary()
        tree = self.binary(level + 1)
        while self.kind == "sign" and self.text in LEVELS[level]:
            sign = self.text
            self.at += 1
            tree = ("operator", sign, tree, self.binary(level + 1))
        return tree

    def unary(self) -> Tree:
        signs = 0
        while self.take("!"):
            signs += 1
        if self.kind == "sign" and self.text == "-" and self.at + 1 < len(self.tokens):
            self.at += 1
            if self.kind != "number":
                raise Beyond
            tree: Tree = ("value", -_number(self.text))
            self.at += 1
        else:
            tree = self.postfix()
        for _each in range(min(signs, 4)):
            tree = ("not", tree)
        return tree

    def postfix(self) -> Tree:
        tree = self.primary()
        for _each in range(200):
            if self.take("."):
                tree = ("key", tree, self.name(), False)
            elif self.take("?."):
                if self.take("["):
                    tree = ("key", tree, self.index(), True)
                elif self.kind == "sign" and self.text == "(":
                    raise Beyond
                else:
                    tree = ("key", tree, self.name(), True)
            elif self.take("["):
                tree = ("key", tree, self.index(), False)
            elif self.take("("):
                tree = ("call", tree, self.items(")"))
            else:
                return tree
        raise Beyond

    def name(self) -> str:
        if self.kind != "name":
            raise Beyond
        found = self.text
        self.at += 1
        return found

    def index(self) -> Any:
        tree = self.choice()
        self.need("]")
        if tree[0] != "value" or isinstance(tree[1], bool) or not isinstance(tree[1], str | int):
            raise Beyond
        return tree[1]

    def items(self, end: str) -> list[Tree]:
        found: list[Tree] = []
        while not self.take(end):
            if found:
                self.need(",")
                if self.take(end):
                    break
            found.append(self.choice())
        return found

    def primary(self) -> Tree:
        kind, text = self.kind, self.text
        self.at += 1
        if kind == "number":
            return ("value", _number(text))
        if kind == "text":
            return ("value", unescaped(text[1:-1]))
        if kind == "template":
            return _template(text[1:-1], self.depth)
        if kind == "name":
            if text in {"true", "false"}:
                return ("value", text == "true")
            if text in {"null", "undefined"}:
                return ("value", None)
            if text in {"new", "function", "typeof", "async", "await", "class", "void", "delete"}:
                raise Beyond
            return ("name", text)
        if kind == "sign" and text == "(":
            tree = self.choice()
            self.need(")")
            return tree
        if kind == "sign" and text == "[":
            return ("list", self.items("]"))
        raise Beyond


def unescaped(text: str) -> str:
    """Return what a JavaScript literal without its quotes means. Raises Beyond for escapes by number."""

    def one(found: re.Match[str]) -> str:
        if found[1] in "ux":
            raise Beyond
        return ESCAPES.get(found[1], found[1])

    return re.sub(r"\\(.)", one, text, flags=re.DOTALL)


def _number(text: str) -> int | float:
    if len(text) > 15:
        raise Beyond
    return float(text) if "." in text else int(text)


def _template(text: str, depth: int) -> Tree:
    parts: list[Tree] = []
    rest = text
    while "${" in rest:
        before, _start, rest = rest.partition("${")
        inside, closed, rest = rest.partition("}")
        if not closed or "{" in inside or depth > MAX_NESTING:
            raise Beyond
        parts += [("value", unescaped(before))] if before else []
        parts.append(parse(inside))
    return ("text", [*parts, *([("value", unescaped(rest))] if rest else [])])
