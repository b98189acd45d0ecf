-- Lambda: functions, and events that wait to be handed to them.

CREATE TABLE lambda_functions (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    config TEXT NOT NULL,
    code_sha256 TEXT NOT NULL,
    code_size BIGINT NOT NULL,
    code_body BYTEA,
    code_blob TEXT,
    revision TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    concurrency BIGINT,
    policy TEXT,
    tags TEXT NOT NULL,
    event_config TEXT,
    PRIMARY KEY (account, region, name)
);

CREATE TABLE lambda_events (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    payload BYTEA NOT NULL,
    context TEXT NOT NULL,
    accepted_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    throttles BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    claimed_by TEXT
);

CREATE INDEX lambda_events_due ON lambda_events (due_at);
