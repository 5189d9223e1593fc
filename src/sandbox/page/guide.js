// The story, step by step: what a newcomer can do next, and how one sees that it was done.

const DISCUSSION = `The old host is switched off at the end of the year. What is left, as far as I know:

- [ ] Export the customer database (M, priority: high)
  - last night's dump restores on the new host
- [ ] Test the move on a copy (L, after Export the customer database)
- [x] Order the new host

Anything else?`;

const RUNBOOK = "Action: @bob will write the runbook by 2026-12-01";
const PROMISE = `The last time we moved, we forgot the payment provider.

I'll add the new address to the payment provider's list.`;

const CUSTOMERS = `TODO: write to the customers when the shop moves
TODO: put a note on the front page`;

const PROVIDERS = "providers: {extract: http:script, email: http:script}";

/** The repository's own configuration. */
const settings = (state) => state.files.find((file) => file.path === ".github/countersign.yml");

/** The issues of the story, the oldest of each title. */
const FIRST = "Move the shop to the new host";
const SECOND = "Tell the customers";
const issue = (state, title) => state.issues.find((found) => found.title === title);
const first = (state) => issue(state, FIRST);
const second = (state) => issue(state, SECOND);

const by = (thread, login) => (thread ? thread.comments.filter((c) => c.author === login) : []);
const said = (thread, login, start) => by(thread, login).some((c) => c.body.startsWith(start));

/** The newest card: a comment of the bot that begins with how a workflow stands. */
const card = (state) =>
  state.thread && state.thread.comments.filter((c) => c.author === state.bot && /^### .* · /.test(c.body)).pop();
const digest = (state) => /`\/approve ([0-9a-f]{12})`/.exec(card(state)?.body ?? "")?.[1];
const opened = (state) => state.issues.some((found) => found.author === state.bot && found.parent === state.thread?.number);
const boxes = (state) => (card(state)?.body.match(/^- \[[ xX]\] /gm) ?? []).length;

/** How long a card stands before an approval that names no digest counts: ten seconds, and the way to the bot. */
const SETTLED = 12;
const stood = (state, now) => (now - Date.parse(card(state)?.edited?.at ?? card(state)?.at)) / 1000;

const comment = (body) => (state) => ({ comment: { issue: state.thread.number, body } });

/**
 * who: whose turn it is. what: the step. why: what one sees. act(state): the wish that the button sends, or nothing
 * when it cannot be done yet. wait(state, now): why it is not offered yet, if it is a matter of time. text: what would
 * be written. done(state): whether it was done.
 */
const STEPS = [
  {
    who: "alice",
    what: "Alice opens an issue",
    why: "A list with boxes. Nobody has called the bot, so it stays silent.",
    act: () => ({ open: { title: FIRST, body: DISCUSSION } }),
    done: (state) => Boolean(first(state)),
  },
  {
    who: "bob",
    what: "Bob takes something on",
    text: RUNBOOK,
    act: comment(RUNBOOK),
    done: (state) => by(state.thread, "bob").length > 0,
  },
  {
    who: "carol",
    what: "Carol promises something, in passing",
    text: PROMISE,
    act: comment(PROMISE),
    done: (state) => by(state.thread, "carol").length > 0,
  },
  {
    who: "alice",
    what: "Alice calls the bot",
    why: "It reads the discussion and shows on one card which tasks it found, and where. Nothing is done yet.",
    text: "/deliver",
    act: comment("/deliver"),
    done: (state) => Boolean(card(state)),
  },
  {
    who: "mallory",
    what: "Mallory, a stranger, tries to approve",
    why: "The bot says what is needed and who can.",
    text: "/approve",
    act: (state) => digest(state) && comment(`/approve ${digest(state)}`)(state),
    done: (state) => said(state.thread, "mallory", "/approve") || opened(state),
  },
  {
    who: "alice",
    what: "Alice leaves a task out",
    why: "She unticks its box on the card. What would be approved is something else now, so the digest changes.",
    act: (state) =>
      boxes(state) > 1 && {
        tick: { issue: state.thread.number, comment: card(state).id, nth: 2, on: false, version: card(state).version },
      },
    done: (state) => /The former digest/.test(card(state)?.body ?? "") || opened(state),
  },
  {
    who: "bob",
    what: "Bob approves exactly what is shown",
    why: "Now, and not before, the issues are opened. They appear on the left.",
    text: "/approve <digest>",
    act: (state) => digest(state) && comment(`/approve ${digest(state)}`)(state),
    done: opened,
  },
  {
    who: "alice",
    what: "Alice approves the mail by a label",
    why: "The bot has drafted a mail; the card shows all of it. The label acts once, for whoever set it, and is taken off again. Like a bare /approve it names no digest, so it counts once the card has stood unchanged for ten seconds.",
    text: "countersign:approve",
    act: (state) => digest(state) && { label: { issue: state.thread.number, name: "countersign:approve" } },
    wait: (state, now) => digest(state) && stood(state, now) < SETTLED && "The card has just changed. It counts once it has stood for ten seconds.",
    done: (state) => state.mails.length > 0,
  },
  {
    who: "carol",
    what: "Read the mail and the record",
    why: "The mail is in the mailbox below. The card has become the record: who approved what, when, and how. Then try what you like: /help lists all commands.",
    text: "/help",
    act: comment("/help"),
    done: (state) => state.thread?.comments.some((c) => c.body.startsWith("/help")) ?? false,
  },
  {
    who: "mona",
    what: "Mona lets the agents ask a model",
    why: "So far they followed rules. She adds a line to the repository's file, which stands under Files. What answers here is no model but a script of fixed rules that speaks a model's protocol; its costs are made up, too.",
    text: PROVIDERS,
    act: (state) => {
      const found = settings(state);
      return found && { write: { path: found.path, text: `${found.text.trimEnd()}\n${PROVIDERS}\n`, version: found.version } };
    },
    done: (state) => settings(state)?.text.includes("http:script") ?? false,
  },
  {
    who: "alice",
    what: "Alice opens another issue",
    why: "Whatever runs keeps the agents that it started with; what starts from now on asks the model.",
    act: () => ({ open: { title: SECOND, body: CUSTOMERS } }),
    done: (state) => Boolean(second(state)),
  },
  {
    who: "alice",
    what: "Alice calls the bot there",
    why: "A second workflow. Its card says which endpoint was asked, and what it cost.",
    text: "/deliver",
    act: (state) => ({ comment: { issue: second(state).number, body: "/deliver" } }),
    done: (state) => Array.isArray(state.workflows) && state.workflows.some((flow) => flow.subject === second(state)?.number),
  },
];

/**
 * Where the story stands, seen from the issue that is shown: the steps, at which of them it is, what its button would
 * send, or why there is none yet; or the issue where it goes on.
 */
export function standing(state, now) {
  const shown = state.thread?.number;
  const [one, two] = [first(state)?.number, second(state)?.number];
  if (one && shown !== one && shown !== two) return { elsewhere: two ?? one };
  const from = two ? STEPS.findIndex((step) => step.what === "Alice calls the bot there") : 0;
  const left = STEPS.findIndex((step, number) => number >= from && !step.done(state));
  const at = left < 0 ? STEPS.length : left;
  const wait = STEPS[at]?.wait?.(state, now) || null;
  const wish = at < STEPS.length && !wait ? STEPS[at].act(state) || null : null;
  return { steps: STEPS, at, wish, wait };
}
