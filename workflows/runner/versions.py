"""Definitions made ready to walk, kept per version: versions never change."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import Definition, parse_definition
from workflows.definition.wording import gettext as _
from workflows.engine.compile import CompiledWorkflow
from workflows.runner.limits import KEPT_DEFINITIONS
from workflows.runner.store import VERSION, Claim
from workflows.steps import compile_workflow

log = logging.getLogger("steward.runs")

NAMES_SECONDS = 300.0  # a changed name or time zone is seen by new runs after so long


@dataclass(slots=True)
class Version:
    """What every run of a version shares.

    workflow, organization: as expressions see them. problem: why it cannot run, or "".
    """

    compiled: CompiledWorkflow | None
    definition: Definition | None
    workflow: dict[str, Any]
    organization: dict[str, Any]
    problem: str = ""
    read_at: float = 0.0


class Versions:
    """The versions that this worker has seen lately."""

    def __init__(self) -> None:
        self._kept: OrderedDict[UUID, Version] = OrderedDict()

    def known(self, claim: Claim) -> Version | None:
        """Return the version of a run if it is at hand; drafts never are."""
        if claim.version_id is None:
            return None
        found = self._kept.get(claim.version_id)
        if found is None or time.monotonic() - found.read_at > NAMES_SECONDS:
            return None
        self._kept.move_to_end(claim.version_id)
        return found

    async def read(self, connection: AsyncConnection[Any], claim: Claim) -> Version:
        """Return the version of a run, read and compiled."""
        cursor = connection.cursor(row_factory=dict_row)
        await cursor.execute(VERSION, [claim.version_id, claim.workflow_id])
        row = await cursor.fetchone()
        assert row is not None  # noqa: S101 a run's workflow cannot be deleted without it
        before = self._kept.get(claim.version_id) if claim.version_id else None
        version = Version(
            before.compiled if before else None,
            before.definition if before else None,
            {"id": str(row["workflow_id"]), "name": row["workflow_name"]},
            {
                "id": str(row["organization_id"]),
                "name": row["organization_name"],
                "timezone": row["timezone"],
            },
            before.problem if before else "",
            time.monotonic(),
        )
        if before is None:
            data = claim.draft_definition if claim.version_id is None else row["definition"]
            try:
                version.definition = parse_definition(data)
                version.compiled = compile_workflow(version.definition)
            except DefinitionInvalid as invalid:
                version.problem = invalid.problems[0].message
            except Exception:
                log.exception("a definition could not be compiled version=%s", claim.version_id)
                version.problem = _("Something went wrong on our side while this workflow was read.")
        if claim.version_id is not None:
            self._kept[claim.version_id] = version
            while len(self._kept) > KEPT_DEFINITIONS:
                self._kept.popitem(last=False)
        return version
