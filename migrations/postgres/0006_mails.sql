-- Mails as they went out, byte for byte.

CREATE TABLE mails (
    effect_id     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    workflow_id   TEXT COLLATE "C" NOT NULL,
    repository_id BIGINT           NOT NULL,
    message_id    TEXT COLLATE "C" NOT NULL,
    digest        TEXT COLLATE "C" NOT NULL,             -- SHA-256 of raw
    raw           BYTEA            NOT NULL,
    at            BIGINT           NOT NULL
);
CREATE INDEX mails_workflow ON mails (workflow_id, at);
