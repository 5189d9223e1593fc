-- Calls of models, and what may be spent. Money is in millionths of the server's currency; NULL is an unknown price.

CREATE TABLE calls (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,         -- run and number
    run_id          TEXT COLLATE "C" NOT NULL,
    number          BIGINT           NOT NULL,                     -- from 1 within its run
    workflow_id     TEXT COLLATE "C" NOT NULL,
    repository_id   BIGINT           NOT NULL,
    person_id       BIGINT           NOT NULL,                     -- who asked for the run
    day             TEXT COLLATE "C" NOT NULL,                     -- YYYY-MM-DD in UTC, whose caps count
    endpoint        TEXT COLLATE "C" NOT NULL,
    model           TEXT COLLATE "C" NOT NULL,                     -- as it was asked for
    currency        TEXT COLLATE "C" NOT NULL,                     -- of its money
    turn            TEXT COLLATE "C" NOT NULL,                     -- first | repair
    asked           TEXT COLLATE "C" NOT NULL,                     -- what was said beyond the run's prompt
    state           TEXT COLLATE "C" NOT NULL,                     -- open | answered | failed | lost
    reserved_tokens BIGINT           NOT NULL,
    reserved_money  BIGINT,
    input_tokens    BIGINT,
    cached_tokens   BIGINT,
    output_tokens   BIGINT,
    counted_by      TEXT COLLATE "C",                              -- endpoint | us
    tokens          BIGINT           NOT NULL DEFAULT 0,           -- what counts as spent
    money           BIGINT,
    answer          TEXT COLLATE "C",
    finish          TEXT COLLATE "C",
    answered_model  TEXT COLLATE "C",
    failure         TEXT COLLATE "C",                              -- JSON: what became of a call that gave no answer
    retry_at        BIGINT,
    started_at      BIGINT           NOT NULL,
    ended_at        BIGINT
);
CREATE INDEX calls_run ON calls (run_id, number);
CREATE INDEX calls_workflow ON calls (workflow_id, started_at);

-- What is reserved and spent of each cap, and the calls that are under way at an endpoint.
CREATE TABLE budgets (
    account  TEXT COLLATE "C" NOT NULL,                            -- such as workflow:ID or person:ID:DAY
    unit     TEXT COLLATE "C" NOT NULL,                            -- tokens | money | calls
    reserved BIGINT           NOT NULL,
    spent    BIGINT           NOT NULL,
    PRIMARY KEY (account, unit)
);
