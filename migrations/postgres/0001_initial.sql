-- Times are microseconds since 1970 in UTC, from the application's clock. Ids of GitHub are kept bit for bit.
-- Every row that belongs to a repository bears its id and that of its owner's installation.

CREATE TABLE deliveries (
    seq             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id              TEXT COLLATE "C" NOT NULL UNIQUE,              -- X-GitHub-Delivery
    event           TEXT COLLATE "C" NOT NULL,
    action          TEXT COLLATE "C",
    installation_id BIGINT,
    repository_id   BIGINT,
    subject         BIGINT,                                        -- issue or pull request number
    lane            TEXT COLLATE "C" NOT NULL,                     -- one delivery of a lane is handled at a time, in order
    body            BYTEA            NOT NULL,                     -- as it came
    received_at     BIGINT           NOT NULL,
    state           TEXT COLLATE "C" NOT NULL,                     -- new | leased | done | failed | dead
    outcome         TEXT COLLATE "C",                              -- what became of it, in a few words
    run_at          BIGINT           NOT NULL,
    attempt         BIGINT           NOT NULL DEFAULT 0,
    seen            BIGINT           NOT NULL DEFAULT 1,           -- how many times GitHub sent it
    fence           BIGINT           NOT NULL DEFAULT 0,
    lease_owner     TEXT COLLATE "C",
    lease_until     BIGINT           NOT NULL DEFAULT 0
);
CREATE INDEX deliveries_due ON deliveries (run_at, seq) WHERE state IN ('new', 'leased');
CREATE INDEX deliveries_lane ON deliveries (lane, seq) WHERE state IN ('new', 'leased');
CREATE INDEX deliveries_subject ON deliveries (repository_id, subject, seq);

-- What was acted on, by meaning: the same comment through two hooks acts once.
CREATE TABLE meanings (
    key         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    delivery_id TEXT COLLATE "C" NOT NULL,
    outcome     TEXT COLLATE "C" NOT NULL,
    at          BIGINT           NOT NULL
);

CREATE TABLE workflows (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version         BIGINT           NOT NULL,                     -- number of events
    definition      TEXT COLLATE "C" NOT NULL,                     -- its name
    status          TEXT COLLATE "C" NOT NULL,                     -- open | completed | cancelled
    held            BIGINT           NOT NULL,
    waits_for       TEXT COLLATE "C" NOT NULL,                     -- in a few words; empty when for nobody
    installation_id BIGINT           NOT NULL,
    repository_id   BIGINT           NOT NULL,
    repository      TEXT COLLATE "C" NOT NULL,                     -- owner/name at the last change
    subject         BIGINT           NOT NULL,
    state           TEXT COLLATE "C" NOT NULL,                     -- the fold, as JSON
    chain           TEXT COLLATE "C" NOT NULL,                     -- hash of the last event
    started_at      BIGINT           NOT NULL,
    updated_at      BIGINT           NOT NULL
);
CREATE INDEX workflows_subject ON workflows (repository_id, subject, started_at);
CREATE INDEX workflows_open ON workflows (updated_at) WHERE status = 'open';

-- At most one open workflow for a subject.
CREATE UNIQUE INDEX workflows_one_open ON workflows (repository_id, subject) WHERE status = 'open';

-- What ties a thing on GitHub to a workflow.
CREATE TABLE links (
    repository_id BIGINT           NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL,                       -- issue | comment
    number        BIGINT           NOT NULL,
    role          TEXT COLLATE "C" NOT NULL,                       -- subject | card | call | page | opened
    workflow_id   TEXT COLLATE "C" NOT NULL,
    detail        TEXT COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (repository_id, kind, number, role, workflow_id)
);
CREATE INDEX links_workflow ON links (workflow_id, role);

CREATE TABLE events (
    workflow_id   TEXT COLLATE "C" NOT NULL,
    seq           BIGINT           NOT NULL,                       -- from 1, without a gap
    type          TEXT COLLATE "C" NOT NULL,
    data          TEXT COLLATE "C" NOT NULL,
    actor_id      BIGINT,
    cause         TEXT COLLATE "C" NOT NULL,                       -- delivery or effect
    repository_id BIGINT           NOT NULL,
    at            BIGINT           NOT NULL,
    hash          TEXT COLLATE "C" NOT NULL,                       -- SHA-256 over the former hash and this event
    PRIMARY KEY (workflow_id, seq)
);

CREATE TABLE artifacts (
    workflow_id   TEXT COLLATE "C" NOT NULL,
    digest        TEXT COLLATE "C" NOT NULL,
    repository_id BIGINT           NOT NULL,
    body          TEXT COLLATE "C" NOT NULL,                       -- the proposal whole
    extra         TEXT COLLATE "C" NOT NULL,                       -- what is shown beside it and not covered by the digest
    at            BIGINT           NOT NULL,
    PRIMARY KEY (workflow_id, digest)
);

-- Open and answered gates: who waits for whom is a query.
CREATE TABLE gates (
    workflow_id   TEXT COLLATE "C" NOT NULL,
    phase         TEXT COLLATE "C" NOT NULL,
    iteration     BIGINT           NOT NULL,
    digest        TEXT COLLATE "C" NOT NULL,
    repository_id BIGINT           NOT NULL,
    opened_at     BIGINT           NOT NULL,
    answer        TEXT COLLATE "C",                                -- approved | rejected | revised | replaced | lost | cancelled
    answered_by   BIGINT,
    answered_at   BIGINT,
    PRIMARY KEY (workflow_id, phase, iteration, digest, opened_at)
);
CREATE INDEX gates_open ON gates (opened_at) WHERE answered_at IS NULL;

CREATE TABLE effects (
    seq             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id              TEXT COLLATE "C" NOT NULL UNIQUE,              -- derived from its cause
    workflow_id     TEXT COLLATE "C",
    installation_id BIGINT           NOT NULL,
    repository_id   BIGINT           NOT NULL,
    lane            TEXT COLLATE "C" NOT NULL,                     -- one in flight, in order
    kind            TEXT COLLATE "C" NOT NULL,
    payload         TEXT COLLATE "C" NOT NULL,
    state           TEXT COLLATE "C" NOT NULL,                     -- ready | inflight | done | failed | cancelled
    priority        BIGINT           NOT NULL,                     -- answers before background work
    paced           BIGINT           NOT NULL,                     -- 1 for a write that GitHub's limits count
    run_at          BIGINT           NOT NULL,
    attempt         BIGINT           NOT NULL DEFAULT 0,
    fence           BIGINT           NOT NULL DEFAULT 0,
    doubt           BIGINT           NOT NULL DEFAULT 0,           -- it may have been sent
    first_sent_at   BIGINT,
    lease_owner     TEXT COLLATE "C",
    lease_until     BIGINT           NOT NULL DEFAULT 0,
    result          TEXT COLLATE "C",
    last_error      TEXT COLLATE "C",
    created_at      BIGINT           NOT NULL,
    ended_at        BIGINT
);
CREATE UNIQUE INDEX effects_one_in_flight ON effects (lane) WHERE state = 'inflight';
CREATE INDEX effects_due ON effects (priority, run_at, seq) WHERE state IN ('ready', 'inflight');
CREATE INDEX effects_lane ON effects (lane, seq) WHERE state IN ('ready', 'inflight');
CREATE INDEX effects_workflow ON effects (workflow_id, seq);

-- What an agent was asked and what it answered.
CREATE TABLE runs (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    workflow_id   TEXT COLLATE "C" NOT NULL,
    repository_id BIGINT           NOT NULL,
    phase         TEXT COLLATE "C" NOT NULL,
    iteration     BIGINT           NOT NULL,
    attempt       BIGINT           NOT NULL,
    agent         TEXT COLLATE "C" NOT NULL,
    provider      TEXT COLLATE "C" NOT NULL,
    inputs        TEXT COLLATE "C" NOT NULL,
    prompt        TEXT COLLATE "C" NOT NULL,
    prompt_digest TEXT COLLATE "C" NOT NULL,
    answer        TEXT COLLATE "C",
    answer_digest TEXT COLLATE "C",
    answered_by   BIGINT,
    outcome       TEXT COLLATE "C" NOT NULL,
    started_at    BIGINT           NOT NULL,
    ended_at      BIGINT           NOT NULL
);
CREATE INDEX runs_workflow ON runs (workflow_id, started_at);

-- The card of a workflow as the bot last wrote it.
CREATE TABLE cards (
    workflow_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    comment_id  BIGINT           NOT NULL,
    node_id     TEXT COLLATE "C" NOT NULL,
    url         TEXT COLLATE "C" NOT NULL,
    body        TEXT COLLATE "C" NOT NULL,
    digest      TEXT COLLATE "C",                                  -- the proposal that it shows
    written_at  BIGINT           NOT NULL,                         -- GitHub's time
    stale       BIGINT           NOT NULL DEFAULT 0                -- 1 after it was found changed, until it is restored
);

-- When an installation may be written to next, and its budget of the hour.
CREATE TABLE pace (
    installation_id BIGINT           NOT NULL PRIMARY KEY,
    next_at         BIGINT           NOT NULL,
    hour_from       BIGINT           NOT NULL,
    hour_count      BIGINT           NOT NULL
);

-- What is known of a repository.
CREATE TABLE repositories (
    id              BIGINT           NOT NULL PRIMARY KEY,
    installation_id BIGINT           NOT NULL,
    owner           TEXT COLLATE "C" NOT NULL,
    name            TEXT COLLATE "C" NOT NULL,
    config          TEXT COLLATE "C",                              -- the last good configuration, as it was written
    config_checked  BIGINT           NOT NULL DEFAULT 0,           -- when it was last read; 0 to read it anew
    config_error    TEXT COLLATE "C",                              -- what is wrong with the newest one
    labels_made     BIGINT           NOT NULL DEFAULT 0
);

-- What the operator's shell asks of the running server.
CREATE TABLE operator_commands (
    seq     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    command TEXT COLLATE "C" NOT NULL,
    at      BIGINT           NOT NULL,
    done_at BIGINT,
    result  TEXT COLLATE "C"
);

CREATE TABLE counters (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value BIGINT           NOT NULL
);
