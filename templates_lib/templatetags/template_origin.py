"""Where a workflow came from, for pages of other apps, which may not import this one."""

from __future__ import annotations

from dataclasses import dataclass

from django import template

from templates_lib.models import TemplateInstall
from workflows.models import Workflow

register = template.Library()


@dataclass(frozen=True, slots=True)
class Origin:
    """The template a workflow was made from. version: the one it has now."""

    slug: str
    name: str
    version: int
    newest: int
    is_open: bool

    @property
    def has_update(self) -> bool:
        return self.newest > self.version


@register.simple_tag
def template_origin(workflow: Workflow) -> Origin | None:
    """Return the template that `workflow` was made from, None when there is none. One small query."""
    columns = (
        "template__slug",
        "template__name",
        "template_version",
        "template__version",
        "template__is_public",
    )
    row = TemplateInstall.objects.filter(workflow=workflow).values_list(*columns).first()
    return Origin(*row) if row else None
