-- name: group
SELECT id, name, created_at FROM log_groups WHERE account = :account AND region = :region AND name = :name

-- name: add_group
INSERT INTO log_groups (id, account, region, name, created_at) VALUES (:id, :account, :region, :name, :created_at)

-- name: remove_group
DELETE FROM log_groups WHERE id = :id

-- name: remove_streams
DELETE FROM log_streams WHERE log_group = :id

-- name: remove_group_events
DELETE FROM log_events WHERE log_group = :id

-- name: list_groups
SELECT id, name, created_at FROM log_groups WHERE account = :account AND region = :region AND name > :after ORDER BY name

-- name: stored_bytes
SELECT COALESCE(SUM(LENGTH(message) + 26), 0) AS bytes FROM log_events WHERE log_group = :id

-- name: stream
SELECT id, name, created_at, first_event, last_event, last_ingestion FROM log_streams
WHERE log_group = :log_group AND name = :name

-- name: add_stream
INSERT INTO log_streams (id, log_group, name, created_at) VALUES (:id, :log_group, :name, :created_at)

-- name: remove_stream
DELETE FROM log_streams WHERE id = :id

-- name: remove_stream_events
DELETE FROM log_events WHERE stream = :id

-- name: list_streams
SELECT id, name, created_at, first_event, last_event, last_ingestion FROM log_streams
WHERE log_group = :log_group ORDER BY name

-- name: touch_stream
UPDATE log_streams SET
    first_event = CASE WHEN first_event IS NULL OR first_event > :first THEN :first ELSE first_event END,
    last_event = CASE WHEN last_event IS NULL OR last_event < :last THEN :last ELSE last_event END,
    last_ingestion = :ingested
WHERE id = :id

-- name: add_event
INSERT INTO log_events (stream, timestamp, number, log_group, ingested, message)
VALUES (:stream, :timestamp, :number, :log_group, :ingested, :message)

-- name: events_forward
SELECT timestamp, number, ingested, message FROM log_events
WHERE stream = :stream AND timestamp >= :start AND timestamp < :stop
AND (timestamp > :after_time OR (timestamp = :after_time AND number > :after_number))
ORDER BY timestamp, number LIMIT :count

-- name: events_backward
SELECT timestamp, number, ingested, message FROM log_events
WHERE stream = :stream AND timestamp >= :start AND timestamp < :stop
AND (timestamp < :before_time OR (timestamp = :before_time AND number < :before_number))
ORDER BY timestamp DESC, number DESC LIMIT :count

-- name: group_events
SELECT stream, timestamp, number, ingested, message FROM log_events
WHERE log_group = :log_group AND timestamp >= :start AND timestamp <= :stop
AND (timestamp > :after_time OR (timestamp = :after_time AND number > :after_number))
ORDER BY timestamp, number LIMIT :count
