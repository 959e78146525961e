"""The audit trail only grows: a change is refused, and a removal too unless the organization itself is erased."""

from django.db import migrations

SQL = """
CREATE FUNCTION steward_refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('app.erasing_organization', true) = OLD.organization_id::text THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON accounts_auditevent
  FOR EACH ROW EXECUTE FUNCTION steward_refuse_audit_change();
"""
REVERSE = """
DROP TRIGGER audit_append_only ON accounts_auditevent;
DROP FUNCTION steward_refuse_audit_change();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
