-- IAM: roles, customer managed policies, what is attached to and written into roles. AWS's own policies are data of the code.

CREATE TABLE iam_roles (
    account TEXT NOT NULL,
    folded TEXT NOT NULL,
    name TEXT NOT NULL,
    id TEXT NOT NULL,
    path TEXT NOT NULL,
    trust TEXT NOT NULL,
    description TEXT,
    max_session BIGINT NOT NULL,
    tags TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account, folded)
);

CREATE TABLE iam_policies (
    arn TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    id TEXT NOT NULL,
    path TEXT NOT NULL,
    description TEXT,
    document TEXT NOT NULL,
    tags TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (account, folded)
);

CREATE TABLE iam_role_policies (
    account TEXT NOT NULL,
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (account, role, name)
);

CREATE TABLE iam_attachments (
    account TEXT NOT NULL,
    role TEXT NOT NULL,
    policy TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (account, role, policy)
);

CREATE INDEX iam_attachments_by_policy ON iam_attachments (policy);
