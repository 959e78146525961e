"""Addresses of the accounts app."""

from __future__ import annotations

from django.urls import path

from accounts.views import audit, invitations, keys, organization, personal, team

app_name = "accounts"
urlpatterns = [
    path("team/", team.team, name="team"),
    path("team/invite/", invitations.invite, name="invite"),
    path("team/leave/", team.leave, name="leave"),
    path("team/ownership/", team.ownership, name="ownership"),
    path("team/<uuid:user_id>/", team.member, name="member"),
    path("team/<uuid:user_id>/role/", team.role, name="role"),
    path("team/<uuid:user_id>/removal/", team.removal, name="removal"),
    path("team/invitations/<uuid:invitation_id>/resend/", invitations.resend, name="invitation-resend"),
    path("team/invitations/<uuid:invitation_id>/revoke/", invitations.revoke, name="invitation-revoke"),
    path("team/invitations/<uuid:invitation_id>/restore/", invitations.restore, name="invitation-restore"),
    path("invitations/<str:token>/", invitations.invitation, name="invitation"),
    path("settings/", personal.personal, name="settings"),
    path("settings/security/", personal.security, name="security"),
    path("settings/security/sessions/", personal.end_other_sessions, name="sessions-end"),
    path("settings/organization/", organization.organization, name="organization"),
    path("settings/organization/export/", organization.organization_export, name="organization-export"),
    path("settings/organization/delete/", organization.organization_deletion, name="organization-deletion"),
    path("settings/api-keys/", keys.keys, name="keys"),
    path("settings/api-keys/new/", keys.create_key, name="key-create"),
    path("settings/api-keys/<uuid:key_id>/revoke/", keys.revoke_key, name="key-revoke"),
    path("settings/audit/", audit.audit, name="audit"),
    path("settings/audit/export/", audit.audit_export, name="audit-export"),
]
