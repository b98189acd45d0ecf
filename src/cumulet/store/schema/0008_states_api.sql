-- Step Functions: types, logging, versions, aliases, activities.

ALTER TABLE state_machines ADD COLUMN type TEXT NOT NULL DEFAULT 'STANDARD';

-- Numbers of versions grow and are never given twice.
ALTER TABLE state_machines ADD COLUMN next_version BIGINT NOT NULL DEFAULT 1;

-- The loggingConfiguration as JSON.
ALTER TABLE state_machine_revisions ADD COLUMN logging TEXT NOT NULL DEFAULT '{}';

-- 1 for the revision that CreateStateMachine made: the API tells no revisionId of it.
ALTER TABLE state_machine_revisions ADD COLUMN initial BIGINT NOT NULL DEFAULT 0;

UPDATE state_machine_revisions SET initial = 1
WHERE EXISTS (SELECT 1 FROM state_machines m WHERE m.revision = state_machine_revisions.id AND m.updated = 0);

CREATE TABLE state_machine_versions (
    machine TEXT NOT NULL,
    number BIGINT NOT NULL,
    revision TEXT NOT NULL,
    description TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (machine, number)
);

-- routes: JSON, a list of [version number, weight].
CREATE TABLE state_machine_aliases (
    arn TEXT PRIMARY KEY,
    machine TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    routes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE INDEX state_machine_aliases_by_machine ON state_machine_aliases (machine, name);

-- Executions that were started by a version or an alias.
CREATE TABLE state_machine_starts (
    run TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    alias TEXT
);

CREATE INDEX state_machine_starts_by_version ON state_machine_starts (version);

CREATE INDEX state_machine_starts_by_alias ON state_machine_starts (alias);

CREATE TABLE activities (
    arn TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX activities_by_place ON activities (account, region, created_at, arn);

-- Tasks that wait for a worker to ask for them; what a task is stands in the engine's table.
CREATE TABLE activity_tasks (
    token TEXT PRIMARY KEY,
    activity TEXT NOT NULL,
    born BIGINT NOT NULL
);

CREATE INDEX activity_tasks_by_activity ON activity_tasks (activity, born);
