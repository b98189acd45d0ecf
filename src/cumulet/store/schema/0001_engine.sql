-- The durable engine: runs, their frames, their history, open tasks, timers. Only the engine writes these tables.
-- A run has a number besides its id: it grows with time, so that new rows of all tables lie together.

CREATE TABLE runs (
    number BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    arn TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    subject TEXT NOT NULL,
    spec TEXT NOT NULL,
    status TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    stopped_at BIGINT,
    version BIGINT NOT NULL,
    next_event BIGINT NOT NULL,
    next_frame BIGINT NOT NULL,
    owed TEXT,
    details TEXT NOT NULL,
    error TEXT,
    cause TEXT,
    root TEXT,
    input TEXT NOT NULL,
    output TEXT
);

CREATE INDEX runs_by_time ON runs (subject, started_at, id);

CREATE INDEX runs_by_status ON runs (subject, status, started_at, id);

-- Runs that asked for another turn; `owed` names the server that owes it.
CREATE INDEX runs_owed ON runs (owed) WHERE owed IS NOT NULL;

-- Frame 0, the root, stands in runs.root.
CREATE TABLE frames (
    run BIGINT NOT NULL,
    id BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run, id)
);

-- One row for all events of one transaction. A run's rows follow each other without gaps.
CREATE TABLE history (
    run BIGINT NOT NULL,
    last_id BIGINT NOT NULL,
    first_id BIGINT NOT NULL,
    events TEXT NOT NULL,
    PRIMARY KEY (run, last_id)
);

-- The outbox. state: queued (no server has it), leased (`owner` has it), waiting (handed over, somebody will report).
CREATE TABLE tasks (
    token TEXT PRIMARY KEY,
    run BIGINT NOT NULL,
    frame BIGINT NOT NULL,
    state TEXT NOT NULL,
    owner TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    heartbeat BIGINT,
    wait BIGINT NOT NULL,
    born BIGINT NOT NULL,
    resource TEXT NOT NULL,
    detail TEXT NOT NULL,
    payload TEXT NOT NULL
);

CREATE INDEX tasks_by_frame ON tasks (run, frame);

CREATE INDEX tasks_queued ON tasks (born) WHERE state = 'queued';

CREATE TABLE timers (
    run BIGINT NOT NULL,
    frame BIGINT NOT NULL,
    name TEXT NOT NULL,
    due BIGINT NOT NULL,
    PRIMARY KEY (run, frame, name)
);

CREATE INDEX timers_by_due ON timers (due);

-- A living server renews its row; all leases of a server whose time is up are void.
CREATE TABLE servers (
    id TEXT PRIMARY KEY,
    until BIGINT NOT NULL,
    swept BIGINT NOT NULL
);

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    next BIGINT NOT NULL
);
