-- Definitions that repositories bring: one row for each file on the default branch.

CREATE TABLE definitions (
    repository_id BIGINT           NOT NULL,
    path          TEXT COLLATE "C" NOT NULL,
    name          TEXT COLLATE "C",                                -- of the last good one; NULL while there was none
    text          TEXT COLLATE "C",                                -- the last good one, as it was written
    sha           TEXT COLLATE "C" NOT NULL,                       -- of the newest one's blob
    checked       BIGINT           NOT NULL,                       -- when it was last read
    error         TEXT COLLATE "C",                                -- what is wrong with the newest one
    PRIMARY KEY (repository_id, path)
);
