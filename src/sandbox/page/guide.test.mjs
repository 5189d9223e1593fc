// What the guide suggests, from states as the sandbox tells them. Run with `node --test src/sandbox/page/guide.test.mjs`.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

const text = await readFile(new URL("guide.js", import.meta.url), "utf8");
const { standing } = await import(`data:text/javascript,${encodeURIComponent(text)}`);

const BOT = "countersign[bot]";
const CARD = "### Deliver what was discussed · waiting for approval\n\n**Approve exactly this:** `/approve 0123456789ab`";
const CHANGED = Date.parse("2026-12-01T10:00:00Z");

const issue = (number, title, author, parent) => ({ number, title, author, parent });
const comment = (id, author, body, edited) => ({ id, author, body, at: "2026-12-01T09:59:00Z", edited, version: "v" });
const nothing = { bot: BOT, issues: [], files: [], mails: [], workflows: [], thread: null };

/** The story up to the approval of the tasks, seen from its issue. */
const toTheMail = {
  ...nothing,
  issues: [issue(1, "Move the shop to the new host", "alice"), issue(2, "Export the customer database", BOT, 1)],
  thread: {
    number: 1,
    comments: [
      comment(1, "bob", "Action: @bob will write the runbook by 2026-12-01"),
      comment(2, "carol", "I'll add the new address"),
      comment(3, BOT, CARD, { at: "2026-12-01T10:00:00Z", by: BOT }),
      comment(4, "mallory", "/approve 0123456789ab"),
    ],
  },
};

const now = ({ steps, at }) => steps[at].what;

test("it begins with an issue, whatever else there is", () => {
  const elses = { ...nothing, issues: [issue(1, "Mine", "bob")], thread: { number: 1, comments: [] } };
  for (const state of [nothing, elses]) {
    const shown = standing(state, 0);
    assert.equal(now(shown), "Alice opens an issue");
    assert.ok(shown.wish.open.title);
  }
});

test("on an issue that is not of the story it says where that is", () => {
  const issues = [...toTheMail.issues, issue(7, "Mine", "bob")];
  assert.equal(standing({ ...toTheMail, issues, thread: { number: 7, comments: [] } }, 0).elsewhere, 1);
  assert.equal(standing({ ...toTheMail, thread: { number: 2, comments: [] } }, 0).elsewhere, 1);
});

test("the label is offered when the card has stood long enough", () => {
  const early = standing(toTheMail, CHANGED + 3000);
  assert.equal(now(early), "Alice approves the mail by a label");
  assert.equal(early.wish, null);
  assert.match(early.wait, /ten seconds/);
  const late = standing(toTheMail, CHANGED + 13_000);
  assert.equal(late.wait, null);
  assert.equal(late.wish.label.name, "countersign:approve");
});

test("it ends on an issue of its own", () => {
  const issues = [...toTheMail.issues, issue(3, "Tell the customers", "alice")];
  const before = { ...toTheMail, issues, thread: { number: 3, comments: [] } };
  const shown = standing(before, 0);
  assert.equal(now(shown), "Alice calls the bot there");
  assert.deepEqual(shown.wish, { comment: { issue: 3, body: "/deliver" } });
  const after = standing({ ...before, workflows: [{ id: "w2", subject: 3 }] }, 0);
  assert.equal(after.at, after.steps.length);
});
