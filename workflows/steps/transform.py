"""transform: reshape a list, text, table or date; each operation is a function from what was rendered to a value."""

from collections.abc import Callable

from workflows.definition.expressions import ExpressionError
from workflows.definition.filters.bounds import FilterRefused
from workflows.definition.patterns import BadPattern, PatternTooSlow
from workflows.definition.steps import TransformStep
from workflows.definition.wording import gettext as _
from workflows.engine.compile import Compiler, StepKind
from workflows.engine.here import Here
from workflows.engine.interface import Json
from workflows.engine.signals import failure
from workflows.steps import dates, lists, texts

OPERATIONS: dict[str, Callable[["Transform", Here], Json]] = {
    "filter": lists.filtered, "map": lists.mapped, "sort": lists.ordered, "limit": lists.limited,
    "unique": lists.unique, "aggregate": lists.aggregated, "group": lists.grouped, "flatten": lists.flattened,
    "merge": lists.merged, "chunk": lists.chunked, "split": texts.split, "join": texts.joined, "text": texts.changed,
    "parse_csv": texts.parsed_csv, "to_csv": texts.written_csv, "parse_json": texts.parsed_json,
    "to_json": texts.written_json, "date": dates.moved,
}  # fmt: skip


LARGE_TEXT, LARGE_LIST = 200_000, 2_000  # characters, items: about ten milliseconds of work


def is_large(value: Json) -> bool:
    """Return whether a value is large, from its own size and that of its first items alone."""
    if isinstance(value, str):
        return len(value) > LARGE_TEXT
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return False
    return len(value) > LARGE_LIST or any(
        len(each) > LARGE_LIST // 10 if isinstance(each, list | dict) else is_large(each)
        for each in value[:50]
    )


class Transform(StepKind):
    """step: the definition's own; the other attributes are its templates, None where the author wrote nothing."""

    pure = True

    def __init__(self, step: TransformStep, compiler: Compiler):
        self.step = step
        self.operation = OPERATIONS[step.operation]
        self.items = None if step.items is None else compiler.value(step.items)
        self.value = None if step.value is None else compiler.value(step.value)
        self.by = None if step.by is None else compiler.value(step.by)
        self.where = None if step.where is None else compiler.condition(step.where)
        self.count = None if step.count is None else compiler.value(step.count)
        self.offset = compiler.value(step.offset)
        self.replacement = compiler.value(step.replacement)
        self.add = compiler.value(step.add)
        self.subtract = compiler.value(step.subtract)
        self.measures = {
            name: (measure.function, compiler.value(measure.value)) for name, measure in step.measures.items()
        }

    def is_long(self, here: Here) -> bool:
        template = self.items if self.items is not None else self.value
        try:
            return template is not None and is_large(here.render(template))
        except ExpressionError:
            return False  # compute() says what is wrong

    def compute(self, here: Here) -> Json:
        try:
            return self.operation(self, here)
        except (FilterRefused, BadPattern, PatternTooSlow, OverflowError) as refused:
            message = str(refused)
            raise failure(message[:1].upper() + message[1:], detail=self.step.operation) from None

    def list(self, here: Here) -> list[Json]:
        """Return the items as a list; an object gives its entries as {"key", "value"}. Raises StepFailed."""
        value = here.render(self.items) if self.items is not None else None
        if value is None and self.items is None:
            raise failure(_("This step has no list to work on. Fill in “items”."))
        if value is None:
            return []
        if isinstance(value, dict):
            return [{"key": key, "value": item} for key, item in value.items()]
        if not isinstance(value, list):
            raise failure(_("“items” is not a list. Point it at a list."), detail=repr(value)[:200])
        return value

    def subject(self, here: Here) -> Json:
        """Return what a text, date or parse operation works on: `value`, or else `items`."""
        template = self.value or self.items
        if template is None:
            raise failure(_("This step has nothing to work on. Fill in “value”."))
        return here.render(template)
