"""Who may open the pages of the templates_lib app."""

from __future__ import annotations

from typing import Any

from templates_lib.models import Template, TemplateInstall
from tests.access import EDITORS, Rule
from tests.worlds import SET_GREETING, World


def private_template(world: World) -> list[Any]:
    slug = f"private-{world.organization.pk}"
    Template.objects.get_or_create(
        slug=slug,
        defaults={
            "organization": world.organization,
            "name": "Private",
            "description": "Ours alone.",
            "category": "CUSTOM",
            "definition": SET_GREETING,
            "is_public": False,
            "author": "COMMUNITY",
        },
    )
    return [slug]


def installed(world: World) -> list[Any]:
    template = Template.objects.get(slug=private_template(world)[0])
    TemplateInstall.objects.get_or_create(
        organization=world.organization,
        workflow=world.workflow,
        defaults={"template": template, "template_version": 1, "base_definition": SET_GREETING},
    )
    return [world.workflow.pk]


RULES: dict[str, Rule] = {
    "import": Rule(allow=EDITORS),
    "export": Rule(arguments=lambda world: [world.workflow.pk]),
    "gallery": Rule(),
    "detail": Rule(arguments=private_template),
    "rating": Rule(arguments=private_template, method="POST", data={"stars": "5"}),
    "install": Rule(allow=EDITORS, arguments=private_template),
    "installed": Rule(allow=EDITORS, arguments=installed),
    "update": Rule(allow=EDITORS, arguments=installed),
}
