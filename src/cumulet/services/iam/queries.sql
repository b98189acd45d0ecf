-- name: role
SELECT * FROM iam_roles WHERE account = :account AND folded = :folded

-- name: add_role
INSERT INTO iam_roles (account, folded, name, id, path, trust, description, max_session, tags, created_at)
VALUES (:account, :folded, :name, :id, :path, :trust, :description, :max_session, :tags, :created_at)

-- name: set_trust
UPDATE iam_roles SET trust = :trust WHERE account = :account AND folded = :folded

-- name: set_role
UPDATE iam_roles SET description = :description, max_session = :max_session WHERE account = :account AND folded = :folded

-- name: set_role_tags
UPDATE iam_roles SET tags = :tags WHERE account = :account AND folded = :folded

-- name: remove_role
DELETE FROM iam_roles WHERE account = :account AND folded = :folded

-- name: roles
SELECT * FROM iam_roles WHERE account = :account AND folded > :after ORDER BY folded

-- name: policy
SELECT * FROM iam_policies WHERE arn = :arn

-- name: policy_by_name
SELECT arn FROM iam_policies WHERE account = :account AND folded = :folded

-- name: add_policy
INSERT INTO iam_policies (arn, account, name, folded, id, path, description, document, tags, created_at)
VALUES (:arn, :account, :name, :folded, :id, :path, :description, :document, :tags, :created_at)

-- name: remove_policy
DELETE FROM iam_policies WHERE arn = :arn

-- name: policies
SELECT * FROM iam_policies WHERE account = :account ORDER BY folded

-- name: role_policy
SELECT document FROM iam_role_policies WHERE account = :account AND role = :role AND name = :name

-- name: put_role_policy
INSERT INTO iam_role_policies (account, role, name, document) VALUES (:account, :role, :name, :document)
ON CONFLICT (account, role, name) DO UPDATE SET document = excluded.document

-- name: remove_role_policy
DELETE FROM iam_role_policies WHERE account = :account AND role = :role AND name = :name

-- name: role_policies
SELECT name FROM iam_role_policies WHERE account = :account AND role = :role ORDER BY name

-- name: attach
INSERT INTO iam_attachments (account, role, policy, name) VALUES (:account, :role, :policy, :name)
ON CONFLICT (account, role, policy) DO NOTHING

-- name: detach
DELETE FROM iam_attachments WHERE account = :account AND role = :role AND policy = :policy

-- name: attachments
SELECT policy, name FROM iam_attachments WHERE account = :account AND role = :role ORDER BY name

-- name: attachment_count
SELECT COUNT(*) AS count FROM iam_attachments WHERE account = :account AND policy = :policy

-- name: attachment_counts
SELECT policy, COUNT(*) AS count FROM iam_attachments WHERE account = :account GROUP BY policy

-- name: attached_roles
SELECT a.role, r.name, r.id FROM iam_attachments a JOIN iam_roles r ON r.account = a.account AND r.folded = a.role
WHERE a.account = :account AND a.policy = :policy ORDER BY a.role
