-- CloudWatch Logs: groups, streams, events. Times in milliseconds, as the API has them; `ingested` too.

CREATE TABLE log_groups (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (account, region, name)
);

CREATE TABLE log_streams (
    id TEXT PRIMARY KEY,
    log_group TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    first_event BIGINT,
    last_event BIGINT,
    last_ingestion BIGINT,
    UNIQUE (log_group, name)
);

CREATE TABLE log_events (
    stream TEXT NOT NULL,
    timestamp BIGINT NOT NULL,
    number BIGINT NOT NULL,
    log_group TEXT NOT NULL,
    ingested BIGINT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (stream, timestamp, number)
);

CREATE INDEX log_events_by_group ON log_events (log_group, timestamp, number);
