"""Intake of deliveries: everything that one request leaves behind, decided and written in one statement."""

from django.db import migrations

# Called outside a transaction, so that the call is the transaction: when it returns, everything is on disk. It sets the
# organization itself and runs with the caller's rights, so row security holds inside as everywhere.
# The process that calls keeps what it knows of a trigger in memory. p_stamp and p_version say which state that was; when
# the row or the published version has changed since, nothing is written and the answer is STALE.
SQL = """
CREATE FUNCTION steward_receive(
  p_organization uuid, p_workflow uuid, p_version uuid, p_trigger uuid, p_stamp timestamptz,
  p_trigger_key text, p_kind text, p_reason text, p_detail jsonb,
  p_delivery uuid, p_method text, p_path text, p_query text, p_headers jsonb, p_content_type text, p_body bytea,
  p_remote inet, p_replay_of uuid, p_dedupe_key text, p_dedupe_until timestamptz,
  p_decision uuid, p_dedupe uuid,
  p_execution uuid, p_input jsonb, p_deadline timestamptz, p_depth integer, p_reply_to text,
  p_held text,
  OUT outcome text, OUT execution uuid
) LANGUAGE plpgsql AS $$
DECLARE
  previous text := coalesce(current_setting('app.organization_id', true), '');
  found_status text;
  found_version uuid;
  found_stamp timestamptz;
  found_active boolean;
  found_capture timestamptz;
  first_delivery uuid;
BEGIN
  PERFORM set_config('app.organization_id', p_organization::text, true);
  SELECT w.status, w.published_version_id, t.updated_at, t.is_active, t.capture_until
    INTO found_status, found_version, found_stamp, found_active, found_capture
    FROM workflows_trigger t JOIN workflows_workflow w ON w.id = t.workflow_id
    WHERE t.id = p_trigger AND t.organization_id = p_organization;
  IF found_stamp IS DISTINCT FROM p_stamp OR found_version IS DISTINCT FROM p_version THEN
    outcome := 'STALE';
    PERFORM set_config('app.organization_id', previous, true);
    RETURN;
  END IF;

  outcome := p_reason;
  IF outcome = 'STARTED' THEN
    IF found_capture > now() AND p_replay_of IS NULL THEN
      outcome := 'CAPTURED';
      UPDATE workflows_trigger SET capture_until = NULL, updated_at = clock_timestamp() WHERE id = p_trigger;
    ELSIF found_status = 'ARCHIVED' THEN
      outcome := 'ARCHIVED';
    ELSIF found_status = 'PAUSED' THEN
      outcome := 'PAUSED';
    ELSIF found_status <> 'ACTIVE' OR found_version IS NULL OR NOT found_active THEN
      outcome := 'NOT_PUBLISHED';
    ELSIF p_dedupe_key <> '' THEN
      INSERT INTO workflows_dedupekey AS known
          (id, organization_id, workflow_id, trigger_key, key, delivery_id, execution_id, expires_at)
        VALUES (p_dedupe, p_organization, p_workflow, p_trigger_key, p_dedupe_key, p_delivery, p_execution, p_dedupe_until)
        ON CONFLICT (organization_id, workflow_id, trigger_key, key) DO UPDATE
          SET delivery_id = excluded.delivery_id, execution_id = excluded.execution_id, expires_at = excluded.expires_at
          WHERE known.expires_at <= now();
      IF NOT FOUND THEN
        outcome := 'DUPLICATE';
        SELECT d.execution_id INTO execution FROM workflows_dedupekey d
          WHERE d.organization_id = p_organization AND d.workflow_id = p_workflow
            AND d.trigger_key = p_trigger_key AND d.key = p_dedupe_key;
      END IF;
    END IF;
  END IF;

  IF outcome = 'STARTED' THEN
    execution := p_execution;
    INSERT INTO workflows_execution
        (id, organization_id, workflow_id, version_id, status, waiting_for, input, triggered_by, webhook_event_id,
         trigger_key, depth, deadline_at, reply_to)
      VALUES (p_execution, p_organization, p_workflow, p_version, CASE p_held WHEN '' THEN 'PENDING' ELSE 'WAITING' END,
              CASE WHEN p_held <> '' THEN jsonb_build_array(jsonb_build_object('kind', p_held)) END,
              p_input, 'WEBHOOK', p_delivery, p_trigger_key, p_depth, p_deadline, p_reply_to);
    IF p_held <> '' THEN
      outcome := 'PLAN_LIMIT';  -- accepted, and in line until the plan starts runs again
    END IF;
    -- Somebody waits for the answer: the workers hear of it with the commit, without another round trip.
    IF p_reply_to <> '' THEN
      PERFORM pg_notify('steward_runs', '');
    END IF;
  END IF;
  INSERT INTO workflows_webhookdelivery
      (id, organization_id, workflow_id, trigger_key, verdict, reason, method, path, query, headers, content_type, body,
       dedupe_key, remote_address, execution_id, replay_of_id)
    VALUES (p_delivery, p_organization, p_workflow, p_trigger_key,
            CASE outcome WHEN 'STARTED' THEN 'ACCEPTED' WHEN 'PLAN_LIMIT' THEN 'ACCEPTED' WHEN 'DUPLICATE' THEN 'DUPLICATE' WHEN 'FILTERED' THEN 'FILTERED'
                         WHEN 'CAPTURED' THEN 'CAPTURED' ELSE 'REFUSED' END,
            CASE outcome WHEN 'STARTED' THEN '' ELSE outcome END,
            p_method, p_path, p_query, p_headers, p_content_type, p_body, p_dedupe_key, p_remote, execution, p_replay_of);
  INSERT INTO workflows_triggerdecision
      (id, organization_id, workflow_id, trigger_key, kind, reason, detail, delivery_id, execution_id)
    VALUES (p_decision, p_organization, p_workflow, p_trigger_key, p_kind, outcome, p_detail, p_delivery, execution);
  PERFORM set_config('app.organization_id', previous, true);
END $$;
"""
REVERSE = """
DROP FUNCTION steward_receive(
  uuid, uuid, uuid, uuid, timestamptz, text, text, text, jsonb, uuid, text, text, text, jsonb, text, bytea, inet, uuid,
  text, timestamptz, uuid, uuid, uuid, jsonb, timestamptz, integer, text, text);
"""


class Migration(migrations.Migration):
    dependencies = [("workflows", "0003_queue")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
