-- Definitions that repositories bring: one row for each file on the default branch.

CREATE TABLE definitions (
    repository_id BIGINT NOT NULL,
    path          TEXT   NOT NULL,
    name          TEXT,                                 -- of the last good one; NULL while there was none
    text          TEXT,                                 -- the last good one, as it was written
    sha           TEXT   NOT NULL,                      -- of the newest one's blob
    checked       BIGINT NOT NULL,                      -- when it was last read
    error         TEXT,                                 -- what is wrong with the newest one
    PRIMARY KEY (repository_id, path)
);
