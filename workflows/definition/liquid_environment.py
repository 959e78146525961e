"""Liquid as workflows use it: closed sets of tags and filters, strict about missing values, bounded in time and memory.

Tags: if / elsif / else, unless, case / when, for / break / continue, assign, capture, comment, # and raw. No tag reads
files or other templates. Filters: see workflows.definition.filters, plus `default`.
"""

from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic
from typing import Any

from liquid import Environment, Mode, RenderContext
from liquid.ast import Node
from liquid.builtin import content, illegal, output
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.primitive import Blank, Empty, RangeLiteral
from liquid.builtin.tags import (
    assign_tag,
    capture_tag,
    case_tag,
    comment_tag,
    for_tag,
    if_tag,
    inline_comment_tag,
    unless_tag,
)
from liquid.exceptions import LoopIterationLimitError, ResourceLimitError
from liquid.expression import Expression
from liquid.template import BoundTemplate
from liquid.undefined import Undefined
from liquid.utils import ReadOnlyChainMap

from workflows.definition.filters import FILTERS
from workflows.definition.filters.bounds import FilterRefused, descend, text_of
from workflows.definition.wording import gettext as _

MAX_OUTPUT_BYTES = 2_000_000  # text that one template may write
MAX_LOCALS_BYTES = 4_000_000  # what assign and capture may hold
MAX_ITERATIONS = 10_000  # rounds of all for loops of one template together
MAX_NODE_VISITS = 1_000_000  # rounds times the size of the template: a large template may loop less
MAX_NESTING = 20  # blocks inside blocks
RENDER_SECONDS = 1.0  # wall clock of one template
TAGS = ("assign", "break", "capture", "case", "comment", "continue", "for", "if", "raw", "unless", "#")


class MissingReference(Exception):
    """A value is needed that is not there. `reference` is how the template calls it."""

    def __init__(self, reference: str):
        super().__init__(reference)
        self.reference = reference


class Missing(Undefined):
    """Stands for a value that is not there. Conditions see nil, `default` replaces it, everything else refuses it."""

    __slots__ = ()

    def refuse(self) -> Any:
        raise MissingReference(self.hint or self.name)

    def __len__(self) -> int:
        return self.refuse()

    def __iter__(self) -> Iterator[Any]:
        return self.refuse()

    def __str__(self) -> str:
        return self.refuse()

    def __int__(self) -> int:
        return self.refuse()


class OutOfTime(ResourceLimitError):
    """The template took longer than RENDER_SECONDS."""


class Scope(RenderContext):
    """One rendering: the names it sees and what it has used up so far."""

    def __init__(self, template: BoundTemplate, names: dict[str, Any], iterations: int):
        super().__init__(template, globals=names)
        # Liquid's own "now" and "today" would make a replay differ from the run; ours come with the names.
        self.scope = ReadOnlyChainMap(self.locals, names)
        self.iterations_left = iterations
        self.ends_at = monotonic() + RENDER_SECONDS

    __slots__ = ("ends_at", "iterations_left")

    def require_time(self) -> None:
        if monotonic() > self.ends_at:
            raise OutOfTime(_("it takes too long"), token=None)

    def get(self, path: list[object], *, token: Any, default: object = None) -> object:
        self.require_time()
        root = path[0]
        try:
            value: Any = self.scope[root]  # type: ignore[index]  # an odd root is simply not found
            for key in path[1:]:
                value = descend(value, key)
        except (LookupError, TypeError):
            return Missing(str(root)[:100], hint=path_text(path), token=None)
        return value

    def filter(self, name: str, token: Any) -> Callable[..., object]:
        self.require_time()
        function = self.env.filters[name]  # unknown names were refused when the template was compiled
        return partial(function, scope=self.globals) if getattr(function, "needs_scope", False) else function

    def raise_for_loop_limit(self, length: int = 1) -> None:
        self.require_time()
        self.iterations_left -= length
        if self.iterations_left < 0:
            raise LoopIterationLimitError(_("its loops go round too often"), token=None)


class TextNode(output.OutputNode):
    """An output statement that writes lists and objects as JSON instead of Python's notation."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: Any) -> int:
        value = self.expression.evaluate(context)
        return buffer.write(value if type(value) is str else written(value))


class Output(output.Output):
    node_class = TextNode


class BoundedRange(RangeLiteral):
    """(1..n), refused when it is longer than any loop may be: `reversed` would build the whole list first."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> range:
        found = super().evaluate(context)
        if found.stop - found.start > MAX_ITERATIONS:
            raise LoopIterationLimitError(_("its loops go round too often"), token=None)
        return found


class WorkflowLiquid(Environment):
    """The one environment of this package; it holds no state of any rendering."""

    block_nesting_limit = MAX_NESTING
    local_namespace_limit = MAX_LOCALS_BYTES
    output_stream_limit = MAX_OUTPUT_BYTES

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        for tag in (
            content.Literal, Output, illegal.Illegal, if_tag.IfTag, comment_tag.CommentTag, unless_tag.UnlessTag,
            case_tag.CaseTag, for_tag.ForTag, for_tag.BreakTag, for_tag.ContinueTag, capture_tag.CaptureTag,
            assign_tag.AssignTag, inline_comment_tag.InlineCommentTag,
        ):  # fmt: skip
            self.add_tag(tag)
        for name, function in FILTERS.items():
            self.add_filter(name, _guarded(name, function))
        self.add_filter("default", _default)


def written(value: Any) -> str:
    """Return `value` as a template writes it. Raises MissingReference and FilterRefused."""
    if isinstance(value, Undefined):
        return Missing.refuse(value)  # type: ignore[arg-type]  # any kind of undefined carries name and hint
    if isinstance(value, (Empty, Blank)):
        return ""
    return text_of(value)


def path_text(path: Any) -> str:
    """Return a path as it is written: ["steps", "a", 0, "x y"] gives `steps.a[0]["x y"]`."""
    text = str(path[0])[:100]
    for part in path[1:20]:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = text_of(part)[:100] if not isinstance(part, Undefined) else "?"
            text += f".{name}" if name.replace("-", "_").isidentifier() else f'["{name}"]'
    return text


def walk(nodes: list[Node], environment: Environment) -> Iterator[Node | Expression]:
    """Yield every node and expression of a parsed template."""
    context = RenderContext(BoundTemplate(environment, []))
    stack: list[Any] = list(reversed(nodes))
    while stack:
        current = stack.pop()
        yield current
        if isinstance(current, Node):
            stack.extend(current.expressions())
            stack.extend(current.children(context))
        else:
            stack.extend(current.children())


def prepared(nodes: list[Node], environment: Environment) -> int:
    """Bound the ranges of a parsed template and return how many nodes and expressions it has."""
    size = 0
    for part in walk(nodes, environment):
        size += 1
        if type(part) is RangeLiteral:
            # The parser offers no way to choose the class; the layout is the same, so the object may change it.
            part.__class__ = BoundedRange
    return size


def plain_path(expression: Any) -> tuple[Any, ...] | None:
    """Return the keys of an expression that is nothing but a path without computed keys, else None."""
    if isinstance(expression, FilteredExpression) and not expression.filters:
        expression = expression.left
    if not isinstance(expression, Path) or not isinstance(expression.path[0], str):
        return None
    return None if any(isinstance(part, Path) for part in expression.path) else tuple(expression.path)


def _guarded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(value: Any, *arguments: Any, **options: Any) -> Any:
        for given in (value, *arguments):
            if isinstance(given, Undefined):
                Missing.refuse(given)  # type: ignore[arg-type]
        if isinstance(value, (Empty, Blank)):
            value = ""
        try:
            return function(value, *arguments, **options)
        except TypeError as error:
            raise FilterRefused(_("the filter {name} does not fit here").format(name=name)) from error

    if getattr(function, "needs_scope", False):
        call.needs_scope = True  # type: ignore[attr-defined]
    return call


def _default(value: Any, instead: Any = "", *, allow_false: Any = False) -> Any:
    if isinstance(instead, Undefined):
        Missing.refuse(instead)  # type: ignore[arg-type]
    if isinstance(value, Undefined) or value is None or value == "" or value == [] or value == {}:
        return instead
    return instead if value is False and allow_false is not True else value


ENVIRONMENT = WorkflowLiquid(undefined=Missing, tolerance=Mode.STRICT, strict_filters=True)
