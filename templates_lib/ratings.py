"""What people think of a template: one to five stars, one opinion per person, editable."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Avg, Count
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.tenancy import system_scope
from templates_lib.models import Template, TemplateAdoption, TemplateRating


class RatingRefused(Exception):
    """The template cannot be rated by this person. The message says why."""


def may_rate(template: Template) -> bool:
    """Return whether the organization in scope has ever installed the template."""
    return TemplateAdoption.objects.filter(template=template).exists()


@transaction.atomic
def rate(template: Template, user: User, stars: int, comment: str = "") -> TemplateRating:
    """Return the person's rating, new or changed, in the organization's scope. Raises RatingRefused.

    The template's average and count follow in the same transaction, over the ratings of all organizations.
    """
    if not may_rate(template):
        raise RatingRefused(_("Install the template first. Whoever has worked with it can rate it."))
    with system_scope("lock a rated template"):
        # Two people who rate at once must not overwrite each other's average.
        Template.objects.select_for_update().filter(pk=template.pk).first()
    rating, _created = TemplateRating.objects.update_or_create(
        template=template, user=user, defaults={"stars": stars, "comment": comment[:500]}
    )
    with system_scope("average the ratings of a template"):
        found = TemplateRating.objects.filter(template=template).aggregate(
            mean=Avg("stars"), number=Count("pk")
        )
        Template.objects.filter(pk=template.pk).update(
            rating=found["mean"] or 0, rating_count=found["number"]
        )
    return rating
