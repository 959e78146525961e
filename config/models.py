"""What belongs to the installation and to no organization."""

from __future__ import annotations

from django.db import models


class CronRun(models.Model):
    """One run of a maintenance job and its result."""

    job = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    is_success = models.BooleanField()
    detail = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["job", "-id"], name="cron_run_of_job")]

    def __str__(self) -> str:
        return f"{self.job} {'done' if self.is_success else 'failed'}"

    @property
    def seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds()
