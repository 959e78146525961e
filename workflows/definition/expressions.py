"""Values with Liquid inside: compiled once, rendered often, and asked which names they refer to.

A string that is exactly one `{{ ... }}` keeps the type of what it names; any other string becomes text. Strings
without Liquid are returned as they are. Whatever the input, only ExpressionError and its subclasses are raised.

Names in scope: trigger, inputs, steps.<id>.output|status|error, item (or a loop's own name), loop.index / first /
last / length, vars, workflow, execution, organization, now; error inside handlers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.primitive import Blank, Empty
from liquid.exceptions import LiquidError, LiquidInterrupt, LiquidSyntaxError, ResourceLimitError
from liquid.output import LimitedStringIO
from liquid.undefined import Undefined

from workflows.definition import limits
from workflows.definition.filters.bounds import FilterRefused, TooMuch, descend, list_of, require_bounded
from workflows.definition.liquid_environment import (
    ENVIRONMENT,
    MAX_ITERATIONS,
    MAX_NODE_VISITS,
    MAX_OUTPUT_BYTES,
    MissingReference,
    Scope,
    TextNode,
    path_text,
    plain_path,
    prepared,
    walk,
    written,
)
from workflows.definition.patterns import BadPattern, PatternTooSlow
from workflows.definition.problems import did_you_mean, near_miss
from workflows.definition.wording import gettext as _

CACHED_TEMPLATES = 4_096
CACHED_LENGTH = 4_096  # longer texts are compiled with their definition and not kept here

Names = Mapping[str, Any]


class ExpressionError(ValueError):
    """An expression gave no value. location: keys and indexes inside the value; source: the string it stood in."""

    def __init__(self, message: str, source: str = ""):
        super().__init__(message)
        self.message = message
        self.source = source
        self.location: tuple[str | int, ...] = ()


class ExpressionSyntaxError(ExpressionError):
    """The text is not Liquid as workflows know it. suggestion: what was probably meant, or ""."""

    suggestion = ""


class MissingValue(ExpressionError):
    """A name or field has no value. reference: as it is written."""

    def __init__(self, reference: str, source: str = ""):
        message = _("“{reference}” has no value. Add | default: to say what to use instead.")
        super().__init__(message.format(reference=reference), source)
        self.reference = reference


class ExpressionLimit(ExpressionError):
    """The expression would take more time or memory than it may."""


class ExpressionFailed(ExpressionError):
    """A filter or comparison cannot work with what it was given."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One name an expression refers to. path: its keys, None for a computed one. optional: has a `default`."""

    path: tuple[str | int | None, ...]
    text: str
    optional: bool = False
    location: tuple[str | int, ...] = ()


def render(value: Any, scope: Names) -> Any:
    """Return `value` with every expression in it replaced. Raises ExpressionError."""
    return compile_value(value).render(scope)


def references(value: Any) -> list[Reference]:
    """Return every name that `value` refers to, in order of appearance. Raises ExpressionSyntaxError."""
    return compile_value(value).references()


def compile_value(value: Any) -> "CompiledValue":
    """Return `value` ready to be rendered many times. Raises ExpressionSyntaxError with its location."""
    try:
        return CompiledValue(value)
    except RecursionError as error:
        raise ExpressionSyntaxError(_("The value is nested too deeply.")) from error


def compile_template(source: str) -> "CompiledTemplate":
    """Return one string ready to be rendered. Raises ExpressionSyntaxError."""
    return _cached_template(source) if len(source) <= CACHED_LENGTH else CompiledTemplate(source)


class CompiledValue:
    """Any JSON value, made ready. `is_constant` says that it holds no Liquid and renders to itself."""

    __slots__ = ("_entries", "_parts", "_template", "is_constant", "render", "value")

    def __init__(self, value: Any):
        self.value = value
        self._entries: list[tuple[str, CompiledValue]] = []
        self._parts: list[CompiledValue] = []
        self._template: CompiledTemplate | None = None
        self.is_constant = True
        # Chosen once, so that rendering itself makes no decision.
        self.render: Callable[[Names], Any] = self._itself
        if isinstance(value, str):
            if "{{" in value or "{%" in value:
                self._template = compile_template(value)
                self.is_constant, self.render = False, self._template.evaluate
        elif isinstance(value, dict):
            self._entries = [(key, self._inside(key, child)) for key, child in value.items()]
            if not all(child.is_constant for _key, child in self._entries):
                self.is_constant, self.render = False, self._render_object
        elif isinstance(value, (list, tuple)):
            self._parts = [self._inside(index, child) for index, child in enumerate(value)]
            if not all(child.is_constant for child in self._parts):
                self.is_constant, self.render = False, self._render_list

    def references(self) -> list[Reference]:
        """Return every name referred to, each with its location inside the value."""
        if self._template is not None:
            return self._template.references()
        children: list[tuple[str | int, CompiledValue]] = [*self._entries, *enumerate(self._parts)]
        return [
            Reference(found.path, found.text, found.optional, (key, *found.location))
            for key, child in children
            for found in child.references()
        ]

    @staticmethod
    def _inside(key: str | int, child: Any) -> "CompiledValue":
        try:
            return CompiledValue(child)
        except ExpressionError as error:
            error.location = (key, *error.location)
            raise

    def _itself(self, _scope: Names) -> Any:
        return self.value

    def _render_object(self, scope: Names) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, child in self._entries:
            try:
                result[key] = child.render(scope)
            except ExpressionError as error:
                error.location = (key, *error.location)
                raise
        return result

    def _render_list(self, scope: Names) -> list[Any]:
        result: list[Any] = []
        for index, child in enumerate(self._parts):
            try:
                result.append(child.render(scope))
            except ExpressionError as error:
                error.location = (index, *error.location)
                raise
        return result


class CompiledTemplate:
    """One string with Liquid in it, made ready."""

    __slots__ = ("_iterations", "_nodes", "_single", "_template", "evaluate", "source")

    def __init__(self, source: str):
        """source: the text. Raises ExpressionSyntaxError."""
        if len(source) > limits.MAX_TEMPLATE_LENGTH:
            message = _("This text is longer than {limit} characters.").format(
                limit=limits.MAX_TEMPLATE_LENGTH
            )
            raise ExpressionSyntaxError(message, source[:200])
        self.source = source
        try:
            self._template = ENVIRONMENT.from_string(source.strip() if _is_single(source) else source)
            self._nodes = self._template.nodes
            size = prepared(self._nodes, ENVIRONMENT)
            self._refuse_unknown_filters()
        except (LiquidError, RecursionError, ValueError, LookupError, TypeError, ArithmeticError) as error:
            if isinstance(error, ExpressionError):
                raise
            raise ExpressionSyntaxError(_syntax_message(error), source) from error
        self._iterations = min(MAX_ITERATIONS, MAX_NODE_VISITS // max(size, 1))
        only = self._nodes[0] if len(self._nodes) == 1 else None
        self._single = only.expression if isinstance(only, TextNode) else None
        self.evaluate: Callable[[Names], Any] = self._choose()

    def references(self) -> list[Reference]:
        """Return every name referred to, in order of appearance; names made by the template itself are left out."""
        rescued = {
            part.left.token.start_index
            for part in walk(self._nodes, ENVIRONMENT)
            if isinstance(part, FilteredExpression)
            and isinstance(part.left, Path)
            and any(each.name == "default" for each in part.filters or ())
        }
        found = [each for group in self._template.analyze().globals.values() for each in group]
        found.sort(key=lambda each: each.span.index)
        return [
            Reference(
                tuple(part if isinstance(part, (str, int)) else None for part in each.segments),
                str(each),
                each.span.index in rescued,
            )
            for each in found
        ]

    def _choose(self) -> Callable[[Names], Any]:
        """Return the quickest way to render this template; all give the same result."""
        if self._single is not None:
            path = plain_path(self._single)
            return self._evaluate_single if path is None else _path_reader(path, self.source)
        pieces: list[str | Callable[[Names], Any]] = []
        for node in self._nodes:
            path = plain_path(node.expression) if isinstance(node, TextNode) else None
            if type(node) is ContentNode:
                pieces.append(node.text)
            elif path is not None:
                pieces.append(_path_reader(path, self.source))
            else:
                return self._evaluate_text
        return _joiner(pieces, self.source)

    def _evaluate_single(self, scope: Names) -> Any:
        return self._guarded(lambda context: _plain(self._single.evaluate(context)), scope)  # type: ignore[union-attr]

    def _evaluate_text(self, scope: Names) -> str:
        def write(context: Scope) -> str:
            buffer = LimitedStringIO(MAX_OUTPUT_BYTES)
            for node in self._nodes:
                node.render(context, buffer)
            return buffer.getvalue()

        return self._guarded(write, scope)

    def _guarded(self, work: Callable[[Scope], Any], scope: Names) -> Any:
        """Return what `work` makes, with every error turned into one of ours."""
        try:
            return work(Scope(self._template, scope, self._iterations))  # type: ignore[arg-type]
        except MissingReference as error:
            raise MissingValue(error.reference, self.source) from None
        except (ResourceLimitError, TooMuch, MemoryError, RecursionError) as error:
            raise ExpressionLimit(_limit_message(error), self.source) from error
        except LiquidInterrupt as error:
            raise ExpressionFailed(_("break and continue belong inside a for loop."), self.source) from error
        except (FilterRefused, BadPattern, PatternTooSlow, LiquidError) as error:
            reason = error.message if isinstance(error, LiquidError) else error
            raise ExpressionFailed(
                _("This expression failed: {reason}.").format(reason=reason), self.source
            ) from error
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
            # Combinations of values that the library does not foresee; hypothesis finds a new one now and then.
            message = _("This expression does not fit the values it was given.")
            raise ExpressionFailed(message, self.source) from error

    def _refuse_unknown_filters(self) -> None:
        for name in self._template.analyze().filters:
            if name not in ENVIRONMENT.filters:
                suggestion = near_miss(name, ENVIRONMENT.filters)
                message = _("There is no filter “{name}”.").format(name=name) + did_you_mean(suggestion)
                error = ExpressionSyntaxError(message, self.source)
                error.suggestion = suggestion
                raise error


@lru_cache(maxsize=CACHED_TEMPLATES)
def _cached_template(source: str) -> CompiledTemplate:
    return CompiledTemplate(source)


def _is_single(source: str) -> bool:
    text = source.strip()
    return text.startswith("{{") and text.endswith("}}") and text.count("{{") == 1


def _path_reader(path: tuple[Any, ...], source: str) -> Callable[[Names], Any]:
    root, rest = path[0], path[1:]

    def read(scope: Names) -> Any:
        try:
            value = scope[root]
            for key in rest:
                value = value[key] if type(value) is dict and key in value else descend(value, key)
        except (LookupError, TypeError):
            raise MissingValue(path_text(path), source) from None
        return value.isoformat() if isinstance(value, (datetime, date)) else value

    return read


def _joiner(pieces: list[str | Callable[[Names], Any]], source: str) -> Callable[[Names], str]:
    def write(scope: Names) -> str:
        parts = []
        try:
            for piece in pieces:
                value = piece if type(piece) is str else piece(scope)  # type: ignore[operator]
                parts.append(value if type(value) is str else written(value))
        except TooMuch as error:
            raise ExpressionLimit(_limit_message(error), source) from error
        except FilterRefused as error:
            raise ExpressionFailed(
                _("This expression failed: {reason}.").format(reason=error), source
            ) from error
        text = "".join(parts)
        if len(text) > MAX_OUTPUT_BYTES:
            raise ExpressionLimit(_limit_message(None), source)
        return text

    return write


def _plain(value: Any) -> Any:
    """Return a filter's result as JSON data."""
    if isinstance(value, (Undefined, Empty, Blank)):
        return written(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, range):
        return list_of(value)
    if isinstance(value, (dict, list)):
        require_bounded(value)
    elif type(value) is not str and isinstance(value, str):
        return str(value)
    return value


def _limit_message(error: BaseException | None) -> str:
    reason = (
        error.message
        if isinstance(error, LiquidError)
        else (str(error) if isinstance(error, TooMuch) else "")
    )
    return _("This expression takes too much: {reason}.").format(
        reason=reason or _("its result is too large")
    )


def _syntax_message(error: BaseException) -> str:
    reason = error.message if isinstance(error, LiquidError) else ""
    line = ""
    if isinstance(error, LiquidSyntaxError) and error.token is not None and error.token.start_index >= 0:
        number = error.token.source.count("\n", 0, error.token.start_index) + 1
        line = " " + _("(line {number} of the text)").format(number=number) if number > 1 else ""
    if isinstance(error, RecursionError) or not reason:
        reason = _("it is too deeply nested or cannot be read")
    return _("This is not valid Liquid: {reason}{line}.").format(reason=str(reason)[:300], line=line)
