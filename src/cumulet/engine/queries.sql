-- One notation is ours, put in each database's own words by sql.py:
--   IN :names[bigint], IN :names[text]   one of a list that is passed as one value

-- name: take_numbers
INSERT INTO counters (name, next) VALUES ('run', 1 + :count)
ON CONFLICT (name) DO UPDATE SET next = counters.next + :count RETURNING next

-- name: add_run
INSERT INTO runs (number, id, kind, arn, name, account, region, subject, spec, status, started_at, stopped_at, version,
    next_event, next_frame, owed, details, error, cause, root, input, output)
VALUES (:number, :id, :kind, :arn, :name, :account, :region, :subject, :spec, :status, :started_at, :stopped_at, :version,
    :next_event, :next_frame, :owed, :details, :error, :cause, :root, :input, :output)

-- name: lock_runs
SELECT * FROM runs WHERE number IN :numbers[bigint] AND status = 'RUNNING' ORDER BY number FOR UPDATE

-- name: number_of
SELECT number FROM runs WHERE id = :id

-- name: move_run
UPDATE runs SET version = :version, next_event = :next_event, next_frame = :next_frame, owed = :owed, root = :root
WHERE number = :number

-- name: end_run
UPDATE runs SET version = :version, next_event = :next_event, next_frame = :next_frame, owed = NULL, root = NULL,
    status = :status, output = :output, error = :error, cause = :cause, stopped_at = :stopped_at
WHERE number = :number

-- name: get_frame
SELECT body FROM frames WHERE run = :run AND id = :id

-- name: frame_ids
SELECT id FROM frames WHERE run = :run

-- name: put_frame
INSERT INTO frames (run, id, body) VALUES (:run, :id, :body) ON CONFLICT (run, id) DO UPDATE SET body = excluded.body

-- name: drop_frame
DELETE FROM frames WHERE run = :run AND id = :id

-- name: drop_frames
DELETE FROM frames WHERE run IN :runs[bigint]

-- name: add_history
INSERT INTO history (run, last_id, first_id, events) VALUES (:run, :last_id, :first_id, :events)

-- name: history_rows
SELECT first_id, events FROM history
WHERE run = :run AND last_id >= :low AND last_id <= (SELECT MIN(last_id) FROM history WHERE run = :run AND last_id >= :high)
ORDER BY last_id

-- name: next_event
SELECT number, next_event FROM runs WHERE id = :id

-- name: add_task
INSERT INTO tasks (token, run, frame, state, owner, attempt, heartbeat, wait, born, resource, detail, payload)
VALUES (:token, :run, :frame, :state, :owner, :attempt, :heartbeat, :wait, :born, :resource, :detail, :payload)

-- name: run_of_tasks
SELECT token, run FROM tasks WHERE token IN :tokens[text]

-- name: open_tasks
SELECT token, run, frame, heartbeat FROM tasks WHERE token IN :tokens[text]

-- name: end_tasks
DELETE FROM tasks WHERE token IN :tokens[text] RETURNING token, run, frame, heartbeat

-- name: task_waits
UPDATE tasks SET state = 'waiting', owner = '' WHERE token = :token

-- name: cancel_task
DELETE FROM tasks WHERE run = :run AND frame = :frame RETURNING token, owner

-- name: cancel_tasks
DELETE FROM tasks WHERE run IN :runs[bigint] RETURNING token, owner

-- name: claim_tasks
UPDATE tasks SET state = 'leased', owner = :owner, attempt = attempt + 1
WHERE token IN (SELECT token FROM tasks WHERE state = 'queued' ORDER BY born LIMIT :limit FOR UPDATE SKIP LOCKED)
RETURNING token, run, attempt, wait, born, resource, detail, payload

-- name: places
SELECT number, id, kind, account, region FROM runs WHERE number IN :numbers[bigint]

-- name: my_tasks
SELECT token FROM tasks WHERE owner = :owner AND state = 'leased'

-- name: set_timer
INSERT INTO timers (run, frame, name, due) VALUES (:run, :frame, :name, :due)
ON CONFLICT (run, frame, name) DO UPDATE SET due = excluded.due

-- name: clear_timer
DELETE FROM timers WHERE run = :run AND frame = :frame AND name = :name

-- name: clear_timers
DELETE FROM timers WHERE run IN :runs[bigint]

-- name: get_timer
SELECT due FROM timers WHERE run = :run AND frame = :frame AND name = :name

-- name: due_timers
SELECT run, frame, name, due FROM timers WHERE due <= :now ORDER BY due, run, frame LIMIT :limit

-- name: due_timers_of
SELECT run, frame, name FROM timers WHERE run IN :runs[bigint] AND due <= :now

-- name: next_due
SELECT MIN(due) AS due FROM timers

-- name: renew
INSERT INTO servers (id, until, swept) VALUES (:id, :until, 0)
ON CONFLICT (id) DO UPDATE SET until = excluded.until, swept = 0

-- name: expired
SELECT id, until FROM servers WHERE until < :now AND (swept = 0 OR until < :long_ago) FOR UPDATE SKIP LOCKED

-- name: mark_swept
UPDATE servers SET swept = 1 WHERE id = :id

-- name: forget_server
DELETE FROM servers WHERE id = :id

-- name: free_tasks
UPDATE tasks SET state = 'queued', owner = '' WHERE owner = :owner AND state = 'leased'

-- name: take_turns
UPDATE runs SET owed = :to WHERE owed = :owner RETURNING number

-- name: free_strays
UPDATE tasks SET state = 'queued', owner = ''
WHERE token IN :tokens[text] AND owner = :owner AND state = 'leased'

-- name: my_turns
SELECT number FROM runs WHERE owed = :owner

-- name: free_all_tasks
UPDATE tasks SET state = 'queued', owner = '' WHERE state = 'leased'

-- name: take_all_turns
UPDATE runs SET owed = :to WHERE owed IS NOT NULL AND owed <> :to RETURNING number
