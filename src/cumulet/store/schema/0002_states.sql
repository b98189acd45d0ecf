-- Step Functions: state machines, what each of their revisions said, tags.

CREATE TABLE state_machines (
    arn TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    revision TEXT NOT NULL,
    updated BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX state_machines_by_place ON state_machines (account, region, created_at, arn);

CREATE TABLE state_machine_revisions (
    id TEXT PRIMARY KEY,
    machine TEXT NOT NULL,
    definition TEXT NOT NULL,
    role_arn TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX state_machine_revisions_by_machine ON state_machine_revisions (machine);

CREATE TABLE state_machine_tags (
    arn TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (arn, key)
);
