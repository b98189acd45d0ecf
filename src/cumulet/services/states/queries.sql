-- name: machine
SELECT m.arn, m.account, m.region, m.name, m.status, m.revision, m.created_at, m.type, m.next_version,
       r.definition, r.role_arn, r.logging, r.initial, r.created_at AS revised_at
FROM state_machines m JOIN state_machine_revisions r ON r.id = m.revision
WHERE m.arn = :arn

-- name: add_machine
INSERT INTO state_machines (arn, account, region, name, status, revision, updated, created_at)
VALUES (:arn, :account, :region, :name, 'ACTIVE', :revision, 0, :created_at)

-- name: add_revision
INSERT INTO state_machine_revisions (id, machine, definition, role_arn, created_at, initial)
VALUES (:id, :machine, :definition, :role_arn, :created_at, :initial)

-- name: point_machine
UPDATE state_machines SET revision = :revision, updated = 1 WHERE arn = :arn

-- name: mark_deleting
UPDATE state_machines SET status = 'DELETING' WHERE arn = :arn

-- name: deleting_machines
SELECT arn FROM state_machines WHERE status = 'DELETING'

-- name: remove_machine
DELETE FROM state_machines WHERE arn = :arn

-- name: remove_unused_revisions
DELETE FROM state_machine_revisions WHERE machine = :arn
AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.subject = :arn AND runs.spec = state_machine_revisions.id)

-- name: list_machines
SELECT arn, name, created_at FROM state_machines
WHERE account = :account AND region = :region AND (created_at > :after_time OR (created_at = :after_time AND arn > :after_arn))
ORDER BY created_at, arn LIMIT :count

-- name: revision
SELECT id, machine, definition, role_arn, created_at, initial FROM state_machine_revisions WHERE id = :id

-- name: run_by_arn
SELECT * FROM runs WHERE arn = :arn

-- name: list_runs
SELECT * FROM runs WHERE subject = :subject
AND (started_at < :before_time OR (started_at = :before_time AND id < :before_id))
ORDER BY started_at DESC, id DESC LIMIT :count

-- name: list_runs_by_status
SELECT * FROM runs WHERE subject = :subject AND status = :status
AND (started_at < :before_time OR (started_at = :before_time AND id < :before_id))
ORDER BY started_at DESC, id DESC LIMIT :count

-- name: open_runs
SELECT id FROM runs WHERE subject = :subject AND status = 'RUNNING' LIMIT :count

-- name: set_tag
INSERT INTO state_machine_tags (arn, key, value) VALUES (:arn, :key, :value)
ON CONFLICT (arn, key) DO UPDATE SET value = excluded.value

-- name: tags
SELECT key, value FROM state_machine_tags WHERE arn = :arn ORDER BY key

-- name: remove_tag
DELETE FROM state_machine_tags WHERE arn = :arn AND key = :key

-- name: remove_tags
DELETE FROM state_machine_tags WHERE arn = :arn

-- name: activity
SELECT arn, name, created_at FROM activities WHERE arn = :arn

-- name: add_activity
INSERT INTO activities (arn, account, region, name, created_at) VALUES (:arn, :account, :region, :name, :created_at)

-- name: remove_activity
DELETE FROM activities WHERE arn = :arn

-- name: list_activities
SELECT arn, name, created_at FROM activities
WHERE account = :account AND region = :region AND (created_at > :after_time OR (created_at = :after_time AND arn > :after_arn))
ORDER BY created_at, arn LIMIT :count

-- name: add_activity_task
INSERT INTO activity_tasks (token, activity, born) VALUES (:token, :activity, :born) ON CONFLICT (token) DO NOTHING

-- name: next_activity_task
SELECT q.token, t.payload FROM activity_tasks q LEFT JOIN tasks t ON t.token = q.token
WHERE q.activity = :activity ORDER BY q.born, q.token LIMIT 1

-- name: remove_activity_task
DELETE FROM activity_tasks WHERE token = :token

-- name: remove_activity_tasks
DELETE FROM activity_tasks WHERE activity = :activity

-- name: version
SELECT v.number, v.description, v.created_at, r.id AS revision, r.definition, r.role_arn, r.logging, r.initial
FROM state_machine_versions v JOIN state_machine_revisions r ON r.id = v.revision
WHERE v.machine = :machine AND v.number = :number

-- name: version_of_revision
SELECT number, created_at FROM state_machine_versions WHERE machine = :machine AND revision = :revision

-- name: add_version
INSERT INTO state_machine_versions (machine, number, revision, description, created_at)
VALUES (:machine, :number, :revision, :description, :created_at)

-- name: count_version
UPDATE state_machines SET next_version = :next WHERE arn = :arn

-- name: list_versions
SELECT number, created_at FROM state_machine_versions WHERE machine = :machine AND number < :before
ORDER BY number DESC LIMIT :count

-- name: remove_version
DELETE FROM state_machine_versions WHERE machine = :machine AND number = :number

-- name: remove_versions
DELETE FROM state_machine_versions WHERE machine = :arn

-- name: alias
SELECT * FROM state_machine_aliases WHERE arn = :arn

-- name: aliases
SELECT * FROM state_machine_aliases WHERE machine = :machine ORDER BY name

-- name: add_alias
INSERT INTO state_machine_aliases (arn, machine, name, description, routes, created_at, updated_at)
VALUES (:arn, :machine, :name, :description, :routes, :now, :now)

-- name: change_alias
UPDATE state_machine_aliases SET description = :description, routes = :routes, updated_at = :now WHERE arn = :arn

-- name: remove_alias
DELETE FROM state_machine_aliases WHERE arn = :arn

-- name: remove_aliases
DELETE FROM state_machine_aliases WHERE machine = :arn

-- name: add_start
INSERT INTO state_machine_starts (run, version, alias) VALUES (:run, :version, :alias)

-- name: list_runs_of_version
SELECT runs.* FROM state_machine_starts s JOIN runs ON runs.id = s.run
WHERE s.version = :target AND (CAST(:status AS TEXT) = '' OR runs.status = :status)
AND (started_at < :before_time OR (started_at = :before_time AND id < :before_id))
ORDER BY started_at DESC, id DESC LIMIT :count

-- name: list_runs_of_alias
SELECT runs.* FROM state_machine_starts s JOIN runs ON runs.id = s.run
WHERE s.alias = :target AND (CAST(:status AS TEXT) = '' OR runs.status = :status)
AND (started_at < :before_time OR (started_at = :before_time AND id < :before_id))
ORDER BY started_at DESC, id DESC LIMIT :count
