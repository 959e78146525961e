"""The staff admin site, which every app registers its models with."""

from __future__ import annotations

from accounts.tenancy.admin import SystemAdminSite

site = SystemAdminSite(name="admin")
