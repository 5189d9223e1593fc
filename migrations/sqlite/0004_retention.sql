-- Which workflows ended when: the oldest are forgotten first where the server's settings say so.

CREATE INDEX workflows_ended ON workflows (updated_at) WHERE status <> 'open';
