-- A comment of the bot can be asked for by its GraphQL id, which a discussion's comments need. Empty in older rows, which
-- are all of issues and pull requests. `links.kind` may be `discussion` and `discussion_comment` now.
ALTER TABLE links ADD COLUMN node_id TEXT NOT NULL DEFAULT '';
