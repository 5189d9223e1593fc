-- Missed deliveries, and how far the subjects of workflows were compared with GitHub.

-- What one of the servers does for all of them, now and then.
CREATE TABLE duties (
    name        TEXT   NOT NULL PRIMARY KEY,            -- sweep | upkeep
    next_at     BIGINT NOT NULL,
    done_until  BIGINT,                                 -- of the sweep: what GitHub tried before this is accounted for
    gap_from    BIGINT,                                 -- of the sweep: what GitHub kept no longer when it was looked for
    gap_until   BIGINT,
    fence       BIGINT NOT NULL DEFAULT 0,
    lease_owner TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0
);

-- Deliveries that did not arrive, until they do.
CREATE TABLE missed (
    delivery_id TEXT   NOT NULL PRIMARY KEY,            -- X-GitHub-Delivery
    attempt_id  BIGINT NOT NULL,                        -- GitHub's number of the newest attempt
    event       TEXT   NOT NULL,
    first_at    BIGINT NOT NULL,                        -- when GitHub first tried
    asked       BIGINT NOT NULL DEFAULT 0,              -- how many times it was asked for
    next_at     BIGINT NOT NULL,                        -- not asked for before this
    lost_at     BIGINT                                  -- since when GitHub does not keep it any more
);
CREATE INDEX missed_due ON missed (next_at) WHERE lost_at IS NULL;

-- How far what people said on the subject of an open workflow is known.
CREATE TABLE heard (
    workflow_id   TEXT   NOT NULL PRIMARY KEY,
    repository_id BIGINT NOT NULL,
    heard_until   BIGINT NOT NULL                       -- GitHub's time of the newest comment that was looked at
);
