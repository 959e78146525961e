"""What each trigger must say beyond its shape: schedules that fire, zones that exist, events that are known."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from cronsim import CronSim, CronSimError

from workflows.definition.durations import parse_duration
from workflows.definition.outputs import OperationCatalog, provider_name
from workflows.definition.problems import near_miss
from workflows.definition.step_checks import (
    Finding,
    check_condition,
    check_given,
    check_schema,
    check_zone,
    finding,
)
from workflows.definition.triggers import (
    FormTrigger,
    ProviderTrigger,
    ScheduleTrigger,
    TriggerBase,
    WebhookTrigger,
)
from workflows.definition.wording import gettext as _

SHORTEST_INTERVAL = timedelta(minutes=1)
_SOME_DAY = datetime(
    2026, 1, 1, tzinfo=UTC
)  # any fixed day: whether a cron expression ever fires does not depend on it


def check_trigger(trigger: TriggerBase, catalog: OperationCatalog | None) -> Iterator[Finding]:
    """Yield what is wrong with one trigger."""
    if isinstance(trigger, ScheduleTrigger):
        yield from _schedule(trigger)
    elif isinstance(trigger, WebhookTrigger):
        yield from _webhook(trigger)
    elif isinstance(trigger, FormTrigger):
        yield from check_schema(trigger.form, ("schema",))
    elif isinstance(trigger, ProviderTrigger) and catalog is not None:
        yield from _provider(trigger, catalog)
    condition = getattr(trigger, "filter", None)
    if condition is not None:
        yield from check_condition(condition, ("filter",))


def _schedule(trigger: ScheduleTrigger) -> Iterator[Finding]:
    if (trigger.cron is None) == (trigger.every is None):
        yield finding("missing", ("cron",), _("say when: either “cron” or “every”."))
    if trigger.cron is not None:
        yield from _cron(trigger.cron)
    if trigger.every is not None and parse_duration(trigger.every) < SHORTEST_INTERVAL:
        yield finding("too_often", ("every",), _("a schedule runs once a minute at most."))
    if trigger.timezone:
        yield from check_zone(trigger.timezone, ("timezone",))
    for index, pause in enumerate(trigger.pause):
        try:
            if date.fromisoformat(pause.start) > date.fromisoformat(pause.end):
                yield finding("bad_date", ("pause", index), _("the pause ends before it starts."))
        except ValueError:
            yield finding("bad_date", ("pause", index), _("write dates like 2026-12-24."))


def _cron(expression: str) -> Iterator[Finding]:
    if len(expression.split()) != 5:
        message = _("a cron expression has five fields: minute, hour, day of month, month, weekday.")
        yield finding("bad_cron", ("cron",), message)
        return
    try:
        next(CronSim(expression, _SOME_DAY))
    except StopIteration:
        yield finding("bad_cron", ("cron",), _("“{cron}” never happens.").format(cron=expression))
    except (CronSimError, ValueError) as error:
        message = _("“{cron}” is not a cron expression: {reason}.").format(cron=expression, reason=error)
        yield finding("bad_cron", ("cron",), message)


def _webhook(trigger: WebhookTrigger) -> Iterator[Finding]:
    auth = trigger.auth
    if auth.method in {"header", "hmac"} and not auth.header:
        yield finding("missing", ("auth", "header"), _("say which HTTP header to look at."))
    if auth.method == "provider" and not auth.provider:
        yield finding("missing", ("auth", "provider"), _("say whose signature to check."))


def _provider(trigger: ProviderTrigger, catalog: OperationCatalog) -> Iterator[Finding]:
    provider = provider_name(catalog, trigger.provider)
    if provider is None:
        suggestion = near_miss(trigger.provider, [name.lower() for name in catalog.providers()])
        message = _("there is no connector “{name}”.").format(name=trigger.provider)
        yield finding("unknown_provider", ("provider",), message, suggestion)
        return
    try:
        schema = catalog.trigger_schema(provider, trigger.event)
    except LookupError:
        message = _("{provider} has no event “{name}”.").format(provider=trigger.provider, name=trigger.event)
        yield finding(
            "unknown_event", ("event",), message, near_miss(trigger.event, catalog.triggers(provider))
        )
        return
    yield from check_given(trigger.with_, schema, ("with",), f"{trigger.provider}.{trigger.event}")
