-- Mails as they went out, byte for byte.

CREATE TABLE mails (
    effect_id     TEXT   NOT NULL PRIMARY KEY,
    workflow_id   TEXT   NOT NULL,
    repository_id BIGINT NOT NULL,
    message_id    TEXT   NOT NULL,
    digest        TEXT   NOT NULL,                      -- SHA-256 of raw
    raw           BLOB   NOT NULL,
    at            BIGINT NOT NULL
);
CREATE INDEX mails_workflow ON mails (workflow_id, at);
