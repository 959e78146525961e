"""The template gallery: ready-made workflows, what people think of them, and where they were installed."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import OrganizationOwned, RowLevelSecurity, SameOrganization, uuid7
from workflows.models import Workflow
from workflows.models.workflow import WorkflowCategory


class SearchDocument(models.Func):
    """The tsvector of a template: name before description before tags (steward_text joins tags immutably)."""

    template = (
        "setweight(to_tsvector('english', name), 'A') || setweight(to_tsvector('english', steward_text(tags)), 'B')"
        " || setweight(to_tsvector('english', description), 'C')"
    )
    output_field = SearchVectorField()


class Template(models.Model):
    """A ready-made workflow. Public ones belong to nobody; an organization's private ones to it alone."""

    class Difficulty(models.TextChoices):
        BEGINNER = "BEGINNER", _("Beginner")
        INTERMEDIATE = "INTERMEDIATE", _("Intermediate")
        ADVANCED = "ADVANCED", _("Advanced")

    class Author(models.TextChoices):
        OFFICIAL = "OFFICIAL", _("Steward")
        COMMUNITY = "COMMUNITY", _("Community")

    class Review(models.TextChoices):
        NONE = "NONE", _("Not submitted")
        PENDING = "PENDING", _("Waiting for review")
        APPROVED = "APPROVED", _("Approved")
        REJECTED = "REJECTED", _("Rejected")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Null for the public gallery; set for a template that only its own organization sees.
    organization = models.ForeignKey(
        "accounts.Organization",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    slug = models.SlugField(max_length=80, unique=True)
    version = models.PositiveIntegerField(default=1)
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"))
    category = models.CharField(_("category"), max_length=16, choices=WorkflowCategory)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    difficulty = models.CharField(max_length=12, choices=Difficulty, default=Difficulty.BEGINNER)
    estimated_time_savings = models.CharField(max_length=60)
    time_savings_reasoning = models.TextField(blank=True)
    definition = models.JSONField()
    triggers = models.JSONField(default=list, blank=True)
    schedule = models.JSONField(null=True, blank=True)
    required_integrations = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    optional_integrations = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    configuration_schema = models.JSONField(null=True, blank=True)
    sample_data = models.JSONField(null=True, blank=True)
    tests = models.JSONField(default=list, blank=True)
    author = models.CharField(max_length=9, choices=Author, default=Author.OFFICIAL)
    is_public = models.BooleanField(default=True)
    popularity = models.PositiveIntegerField(default=0)
    rating = models.FloatField(default=0)
    rating_count = models.PositiveIntegerField(default=0)
    # Over the runs of at least five organizations, see templates_lib.figures; null below that.
    success_rate = models.FloatField(null=True, blank=True, editable=False)
    median_duration_ms = models.BigIntegerField(null=True, blank=True, editable=False)
    # A plain reference: the row of a public template has no organization to compare with.
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    review = models.CharField(max_length=8, choices=Review, default=Review.NONE)
    review_note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    search_vector = models.GeneratedField(
        expression=SearchDocument(), output_field=SearchVectorField(), db_persist=True
    )

    class Meta:
        ordering = ["-popularity", "-id"]
        indexes = [
            models.Index(
                F("category"),
                F("rating").desc(),
                F("popularity").desc(),
                condition=Q(is_public=True),
                name="template_by_category",
            ),
            models.Index(
                F("popularity").desc(),
                F("id").desc(),
                condition=Q(is_public=True),
                name="template_by_popularity",
            ),
            models.Index(
                F("rating").desc(), F("id").desc(), condition=Q(is_public=True), name="template_by_rating"
            ),
            models.Index(fields=["author"], name="template_by_author"),
            models.Index(
                fields=["organization"], condition=Q(organization__isnull=False), name="template_of_org"
            ),
            GinIndex(fields=["tags"], name="template_tags"),
            GinIndex(fields=["search_vector"], name="template_search"),
        ]
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(condition=Q(rating__gte=0, rating__lte=5), name="template_rating_range"),
            models.CheckConstraint(
                condition=Q(is_public=False) | Q(organization__isnull=True),
                name="template_public_belongs_to_nobody",
            ),
            RowLevelSecurity(name="template_rls", public_rows=True),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def success_percent(self) -> int | None:
        """Successful runs of a hundred, rounded down: 100 only when none failed."""
        return None if self.success_rate is None else int(self.success_rate * 100 + 1e-9)


class TemplateRating(OrganizationOwned):
    """One person's rating of one template."""

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="ratings")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    stars = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)])
    comment = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(OrganizationOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organization", "template", "user"], name="rating_once_per_user"),
            models.CheckConstraint(condition=Q(stars__gte=1, stars__lte=5), name="rating_stars_range"),
            SameOrganization(
                name="rating_user_same_org", column="user_id", to="accounts_user", on_delete="CASCADE"
            ),
            RowLevelSecurity(name="rating_rls"),
        ]

    def __str__(self) -> str:
        return f"{self.stars}"


class TemplateInstall(OrganizationOwned):
    """A workflow that was made from a template, and from which version of it."""

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="installs")
    template_version = models.PositiveIntegerField()
    workflow = models.OneToOneField(
        Workflow, on_delete=models.CASCADE, related_name="template_install", db_constraint=False
    )
    configuration = models.JSONField(default=dict, blank=True)
    # What the template made then, placeholders resolved: the common ground of an update and of what people changed.
    base_definition = models.JSONField(null=True, blank=True)
    installed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(OrganizationOwned.Meta):
        ordering = ["-id"]
        indexes = [models.Index(fields=["organization", "template"], name="install_of_org")]
        constraints: ClassVar[list[Any]] = [
            SameOrganization(
                name="install_workflow_same_org",
                column="workflow_id",
                to="workflows_workflow",
                on_delete="CASCADE",
            ),
            SameOrganization(
                name="install_user_same_org",
                column="installed_by_id",
                to="accounts_user",
                on_delete="SET NULL (installed_by_id)",
            ),
            RowLevelSecurity(name="install_rls"),
        ]

    def __str__(self) -> str:
        return f"{self.template_id} v{self.template_version}"


class TemplateAdoption(OrganizationOwned):
    """That an organization has installed a template at least once; stays when the workflow is deleted.

    Popularity counts these, and they let the organization's people rate the template.
    """

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="adoptions")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(OrganizationOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organization", "template"], name="adoption_once_per_org"),
            RowLevelSecurity(name="adoption_rls"),
        ]

    def __str__(self) -> str:
        return f"{self.template_id}"
