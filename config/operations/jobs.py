"""The list of scheduled maintenance. Three runners read it: the system's crontab, POST /api/cron/<job>, the worker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """One job. schedule: five cron fields, UTC. function: dotted path of a callable that returns a sentence or None."""

    name: str
    schedule: str
    function: str
    purpose: str


JOBS: tuple[Job, ...] = (
    Job(
        "partitions",
        "7 1 * * *",
        "config.operations.maintenance.make_partitions",
        "Makes the next months' tables.",
    ),
    Job(
        "retention",
        "23 2 * * *",
        "config.operations.retention.apply_retention",
        "Removes what is past its time.",
    ),
    Job(
        "backup",
        "37 2 * * *",
        "config.operations.backup.nightly.back_up",
        "Writes the nightly backup.",
    ),
    Job("usage", "*/10 * * * *", "billing.rollup.roll_up", "Adds usage up to days and months."),
    Job(
        "stripe-reconciliation",
        "51 2 * * *",
        "billing.reconcile.reconcile",
        "Compares every subscription with Stripe.",
    ),
    Job(
        "plan-dates",
        "13 * * * *",
        "billing.reconcile.look_at_dates",
        "Reminds of trials that end, ends granted plans.",
    ),
    Job("sessions", "41 3 * * *", "config.operations.maintenance.clear_sessions", "Removes ended sessions."),
    Job(
        "leftovers",
        "11 * * * *",
        "config.operations.maintenance.clear_leftovers",
        "Removes expired keys and links.",
    ),
    Job(
        "renew-integrations",
        "*/5 * * * *",
        "integrations.tasks.renew_due",
        "Renews access that ends soon.",
    ),
    Job(
        "check-integrations",
        "17 * * * *",
        "integrations.tasks.check_due",
        "Tries connected accounts now and then.",
    ),
    Job(
        "inbound-deliveries",
        "29 3 * * *",
        "integrations.tasks.clear_deliveries",
        "Removes old deliveries of services.",
    ),
    Job(
        "template-figures",
        "43 4 * * *",
        "templates_lib.figures.measure",
        "Works out how installed templates do.",
    ),
)


def job_named(name: str) -> Job:
    """Return a job; raises KeyError for an unknown name."""
    return {job.name: job for job in JOBS}[name]


def crontab() -> list[tuple[str, str, list[str]]]:
    """Return the list in django-crontab's form, for settings.CRONJOBS."""
    return [(job.schedule, "config.operations.cron.run", [job.name]) for job in JOBS]
