"""What is finished stays finished, and what is published stays as it was: PostgreSQL refuses the change."""

from django.db import migrations

SQL = """
CREATE FUNCTION steward_keep_terminal_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'run % is % and stays so', OLD.id, OLD.status USING ERRCODE = 'restrict_violation';
END $$;
-- The clients' reference to a removed person may still be cleared, so only what a run says of itself is guarded.
CREATE TRIGGER execution_terminal_status BEFORE UPDATE ON workflows_execution
  FOR EACH ROW
  WHEN (OLD.status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'TIMEOUT')
        AND (NEW.status, NEW.result) IS DISTINCT FROM (OLD.status, OLD.result))
  EXECUTE FUNCTION steward_keep_terminal_status();

CREATE FUNCTION steward_keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'version % of workflow % is published and stays as it is', OLD.number, OLD.workflow_id
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER version_immutable BEFORE UPDATE ON workflows_workflowversion
  FOR EACH ROW
  WHEN ((NEW.number, NEW.definition, NEW.triggers, NEW.schedule, NEW.workflow_id)
        IS DISTINCT FROM (OLD.number, OLD.definition, OLD.triggers, OLD.schedule, OLD.workflow_id))
  EXECUTE FUNCTION steward_keep_version();
"""
REVERSE = """
DROP TRIGGER version_immutable ON workflows_workflowversion;
DROP FUNCTION steward_keep_version();
DROP TRIGGER execution_terminal_status ON workflows_execution;
DROP FUNCTION steward_keep_terminal_status();
"""


class Migration(migrations.Migration):
    dependencies = [("workflows", "0001_initial")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
