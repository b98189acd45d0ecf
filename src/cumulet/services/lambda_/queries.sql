-- name: get_function
SELECT account, region, name, config, code_sha256, code_size, revision, created_at, modified_at, concurrency, policy,
    tags, event_config
FROM lambda_functions WHERE account = :account AND region = :region AND name = :name

-- name: get_code
SELECT code_body, code_blob FROM lambda_functions WHERE account = :account AND region = :region AND name = :name

-- name: add_function
INSERT INTO lambda_functions (account, region, name, config, code_sha256, code_size, code_body, code_blob, revision,
    created_at, modified_at, tags)
VALUES (:account, :region, :name, :config, :code_sha256, :code_size, :code_body, :code_blob, :revision, :now, :now, :tags)

-- name: update_config
UPDATE lambda_functions SET config = :config, revision = :revision, modified_at = :now
WHERE account = :account AND region = :region AND name = :name

-- name: update_code
UPDATE lambda_functions SET config = :config, code_sha256 = :code_sha256, code_size = :code_size, code_body = :code_body,
    code_blob = :code_blob, revision = :revision, modified_at = :now
WHERE account = :account AND region = :region AND name = :name

-- name: set_policy
UPDATE lambda_functions SET policy = :policy, revision = :revision
WHERE account = :account AND region = :region AND name = :name

-- name: set_tags
UPDATE lambda_functions SET tags = :tags WHERE account = :account AND region = :region AND name = :name

-- name: set_concurrency
UPDATE lambda_functions SET concurrency = :concurrency WHERE account = :account AND region = :region AND name = :name

-- name: set_event_config
UPDATE lambda_functions SET event_config = :event_config
WHERE account = :account AND region = :region AND name = :name

-- name: delete_function
DELETE FROM lambda_functions WHERE account = :account AND region = :region AND name = :name

-- name: list_functions
SELECT account, region, name, config, code_sha256, code_size, revision, created_at, modified_at, concurrency, policy,
    tags, event_config
FROM lambda_functions WHERE account = :account AND region = :region AND name > :after ORDER BY name LIMIT :limit

-- name: blobs
SELECT code_blob FROM lambda_functions WHERE code_blob IS NOT NULL

-- name: add_event
INSERT INTO lambda_events (id, account, region, name, payload, context, accepted_at, attempts, throttles, due_at)
VALUES (:id, :account, :region, :name, :payload, :context, :now, 0, 0, :now)

-- name: due_events
SELECT id, account, region, name, payload, context, accepted_at, attempts, throttles
FROM lambda_events WHERE due_at <= :now ORDER BY due_at, id LIMIT :limit

-- name: claim_event
UPDATE lambda_events SET claimed_by = :owner, due_at = :until WHERE id = :id AND due_at <= :now

-- name: renew_claim
UPDATE lambda_events SET due_at = :until WHERE id = :id AND claimed_by = :owner

-- name: next_due
SELECT MIN(due_at) AS due_at FROM lambda_events

-- name: release_event
UPDATE lambda_events SET claimed_by = NULL, attempts = :attempts, throttles = :throttles, due_at = :due_at WHERE id = :id

-- name: release_own
UPDATE lambda_events SET claimed_by = NULL, due_at = :now WHERE claimed_by = :owner

-- name: release_claims
UPDATE lambda_events SET claimed_by = NULL, due_at = :now WHERE claimed_by IS NOT NULL

-- name: finish_event
DELETE FROM lambda_events WHERE id = :id
