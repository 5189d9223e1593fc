import { standing } from "/sandbox/guide.js";

const $ = (id) => document.getElementById(id);
const EMOJI = { eyes: "👀", rocket: "🚀", "-1": "👎", "+1": "👍", heart: "❤️", hooray: "🎉", laugh: "😄", confused: "😕" };
const OURS = ["countersign:deliver", "countersign:approve", "countersign:reject", "countersign:hold"];
const ROLES = ["none", "read", "triage", "write", "maintain", "admin"];
const WRITERS = ["write", "maintain", "admin"];

let state = null;
let tag = null;
let chosen = issueOf(location.pathname);
let me = localStorage.getItem("me") ?? "";

function issueOf(path) {
  const found = /^\/[^/]+\/[^/]+\/(?:issues|discussions)\/(\d+)$/.exec(path);
  return found ? Number(found[1]) : null;
}

/** The page of an issue or a discussion; both kinds share one sequence of numbers. */
function placeOf(number) {
  const found = state.issues.find((issue) => issue.number === number);
  return `/${state.repository}/${found?.discussion ? "discussions" : "issues"}/${number}`;
}

/** An element; texts are set as text, never as HTML. */
function el(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") node.className = value;
    else if (key === "data") Object.assign(node.dataset, value);
    else if (key.startsWith("aria-") || key === "for") node.setAttribute(key, value);
    else node[key] = value;
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Fills a container anew if what it shows has changed. */
function show(container, version, build) {
  const wanted = JSON.stringify(version);
  if (container.dataset.version === wanted) return;
  container.dataset.version = wanted;
  container.replaceChildren(...[build()].flat().filter(Boolean));
}

// Talking to the sandbox.

let polls = 0;
async function poll() {
  const asked = ++polls;
  try {
    const headers = tag ? { "If-None-Match": tag } : {};
    const answer = await fetch(`/sandbox/state${chosen ? `?issue=${chosen}` : ""}`, { headers, cache: "no-store" });
    $("lost").hidden = true;
    if (answer.status === 304 || asked !== polls) return;
    if (!answer.ok) throw new Error(await answer.text());
    tag = answer.headers.get("ETag");
    state = await answer.json();
    if (!chosen && state.issues.length > 0) return go(state.issues[0].number, "");
    render();
  } catch {
    $("lost").hidden = false;
  }
}

async function act(wish, who = me) {
  const answer = await fetch("/sandbox/acts", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ as: who, act: wish }),
  }).catch(() => null);
  const result = answer ? await answer.json().catch(() => ({})) : { message: "The sandbox does not answer." };
  if (!answer?.ok) toast(result.message ?? "That did not work.");
  if (answer?.ok && result.issue) go(result.issue, "");
  await poll();
  return Boolean(answer?.ok);
}

let hide = 0;
function toast(message) {
  $("toast").textContent = message;
  // Shown anew, it stands above a dialog that was opened since.
  $("toast").hidePopover();
  $("toast").showPopover();
  clearTimeout(hide);
  hide = setTimeout(() => $("toast").hidePopover(), 6000);
}

// Where one is.

function go(number, hash) {
  const path = placeOf(number);
  if (location.pathname !== path || location.hash !== hash) history.pushState(null, "", path + hash);
  arrive();
}

function arrive() {
  const number = issueOf(location.pathname);
  if (number !== chosen) {
    chosen = number;
    tag = null;
    poll();
  } else {
    point();
  }
}

function point() {
  for (const node of document.querySelectorAll(".comment.target")) node.classList.remove("target");
  const node = location.hash && document.getElementById(location.hash.slice(1));
  if (!node) return;
  node.classList.add("target");
  if (node.querySelector("details.bubble")) node.querySelector("details.bubble").open = true;
  node.scrollIntoView({ block: "start" });
}

addEventListener("popstate", arrive);
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const url = new URL(link.href, location.href);
  if (url.origin === location.origin && issueOf(url.pathname)) {
    event.preventDefault();
    go(issueOf(url.pathname), url.hash);
  }
});

// What is shown.

function render() {
  $("repository").textContent = state.repository;
  renderPeople();
  renderIssues();
  renderThread();
  renderGuide();
  renderWorkflows();
  renderMails();
  renderFiles();
  renderCompany();
  renderDeliveries();
}

function role(login) {
  return state.people.find((person) => person.login === login)?.role ?? "none";
}

function renderPeople() {
  if (!state.people.some((person) => person.login === me)) me = state.people[0]?.login ?? "";
  show($("me"), state.people, () =>
    state.people.map(({ login, role }) =>
      el("option", { value: login, textContent: `${login} (${role === "none" ? "a stranger" : role})` })));
  $("me").value = me;
  $("say-label").textContent = `Comment as ${me}`;
}

function be(login) {
  me = login;
  localStorage.setItem("me", login);
  render();
}
$("me").addEventListener("change", () => be($("me").value));

function renderIssues() {
  show($("issues"), [state.issues, chosen], () =>
    state.issues.map((issue) => {
      const link = el("a", { href: placeOf(issue.number) },
        el("span", { class: `state ${issue.open ? "open" : "closed"}`, textContent: issue.open ? "● " : "✓ " }),
        `${issue.title} `,
        el("div", { class: "faint", textContent: `#${issue.number}${issue.discussion ? ", a discussion" : ""} by ${short(issue.author)}, ${issue.comments} comments${issue.open ? "" : ", closed"}` }));
      if (issue.number === chosen) link.setAttribute("aria-current", "page");
      return el("li", { class: issue.parent ? "child" : "" }, link);
    }));
}

const short = (login) => login.replace(/\[bot\]$/, "");
const time = (iso) => `${iso.slice(11, 16)} UTC`;

function renderThread() {
  const thread = state.thread;
  $("empty").hidden = Boolean(thread) || state.issues.length > 0;
  $("say").hidden = !thread;
  if (!thread) {
    show($("head"), [chosen], () => (chosen ? el("p", { class: "faint", textContent: `There is no #${chosen} here.` }) : []));
    return $("comments").replaceChildren();
  }
  document.title = `${thread.title} · Countersign sandbox`;
  const { comments, reactions, body, html, version, ...facts } = thread;
  show($("head"), [facts, state.labels, me], () => head(thread));
  const first = { id: null, author: thread.author, at: thread.at, edited: null, hidden: null, body, html, version, reactions };
  const fresh = sync([first, ...threaded(comments)]);
  if (fresh && location.hash) point();
}

/** Keeps the comments that are as they were, so that what was opened stays open. True when another thread came. */
function sync(comments) {
  const box = $("comments");
  const other = box.dataset.thread !== String(chosen);
  if (other) box.replaceChildren();
  box.dataset.thread = String(chosen);
  const old = new Map([...box.children].map((node) => [node.dataset.key, node]));
  const nodes = comments.map((comment) => {
    const key = String(comment.id ?? "issue");
    const mark = JSON.stringify([comment.version, comment.reactions, comment.hidden, comment.edited, may(comment)]);
    const known = old.get(key);
    if (known?.dataset.mark === mark) return known;
    const node = bubble(comment);
    node.dataset.key = key;
    node.dataset.mark = mark;
    const were = known ? [...known.querySelectorAll(".body details")].map((details) => details.open) : [];
    [...node.querySelectorAll(".body details")].forEach((details, at) => (details.open = were[at] ?? false));
    return node;
  });
  if (nodes.length !== box.children.length || nodes.some((node, at) => node !== box.children[at])) {
    box.replaceChildren(...nodes);
  }
  return other;
}

/** Comments of a discussion, each followed by its replies. */
const threaded = (comments) => comments.filter((comment) => !comment.reply_to)
  .flatMap((first) => [first, ...comments.filter((comment) => comment.reply_to === first.id)]);

/** GitHub's discussions have one level of replies: a reply to a reply stands beside it. */
function reply(comment) {
  ask({ heading: `Reply to ${short(comment.author)} as ${me}`, title: null, text: "", ok: "Reply" }, (_, body) =>
    act({ reply: { comment: comment.reply_to ?? comment.id, body } }));
}

const may = (comment) => comment.author === me || WRITERS.includes(role(me));

function bubble(comment) {
  const bot = comment.author.endsWith("[bot]");
  const hue = [...comment.author].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 1009, 7) % 6;
  const from = el("div", { class: "from" },
    el("strong", { textContent: short(comment.author) }),
    bot && el("span", { class: "tag", textContent: "bot" }),
    el("span", { class: "faint", textContent: time(comment.at), title: comment.at }),
    comment.edited && el("span", { class: "faint", title: comment.edited.at, textContent: `edited by ${short(comment.edited.by)}` }),
    el("span", { class: "right" },
      state.thread.discussion && comment.id && el("button", { class: "bare", type: "button", textContent: "Reply", onclick: () => reply(comment) }),
      may(comment) && el("button", { class: "bare", type: "button", textContent: "Edit", onclick: () => edit(comment) }),
      may(comment) && comment.id && el("button", { class: "bare", type: "button", textContent: "Delete", onclick: () => act({ delete_comment: { comment: comment.id } }) })));
  const text = el("div", { class: "body" });
  // Made harmless by the sandbox; the page's policy would stop a script as well.
  text.innerHTML = comment.html || "<p class='faint'>No text.</p>";
  for (const box of text.querySelectorAll("input[data-box]")) {
    box.addEventListener("click", (event) => {
      event.preventDefault();
      const tick = { issue: chosen, nth: Number(box.dataset.box), on: !box.hasAttribute("checked"), version: comment.version };
      act({ tick: { ...tick, comment: comment.id } });
    });
  }
  for (const table of text.querySelectorAll("table")) {
    const heads = [...table.querySelectorAll("th")].map((th) => th.textContent);
    for (const cell of table.querySelectorAll("td")) {
      cell.dataset.head = heads[cell.cellIndex] ?? "";
      if (/^\d{4}-\d\d-\d\d \d\d:\d\d UTC$/.test(cell.textContent.trim())) cell.classList.add("when");
    }
  }
  for (const code of text.querySelectorAll(":not(pre) > code")) {
    if (!code.textContent.startsWith("/")) continue;
    code.classList.add("command");
    code.title = "Write this";
    code.addEventListener("click", () => {
      $("text").value = code.textContent;
      $("text").focus();
    });
  }
  const parts = [from, text, reactionsOf(comment)].filter(Boolean);
  const inner = comment.hidden
    ? el("details", { class: "bubble" }, el("summary", { textContent: `A comment of ${short(comment.author)} was hidden as ${comment.hidden.toLowerCase()}` }), ...parts)
    : el("div", { class: "bubble" }, ...parts);
  const id = comment.id ? `${state.thread.discussion ? "discussioncomment" : "issuecomment"}-${comment.id}` : "issue";
  return el("article", { class: `comment${comment.hidden ? " hidden" : ""}${comment.reply_to ? " reply" : ""}`, id, "aria-label": `Comment by ${short(comment.author)}` },
    el("div", { class: `avatar hue-${hue}${bot ? " bot" : ""}`, textContent: comment.author[0], "aria-hidden": "true" }), inner);
}

function reactionsOf(comment) {
  const names = {};
  for (const { by, content } of comment.reactions) (names[content] ??= []).push(short(by));
  const all = Object.entries(names);
  return all.length > 0 && el("div", { class: "reactions" },
    ...all.map(([content, who]) => el("span", { title: `${content}: ${who.join(", ")}`, textContent: `${EMOJI[content] ?? content} ${who.length}` })));
}

function head(thread) {
  const issue = thread.number;
  const numbers = (name, list) => list.length > 0 && el("span", { class: "faint" }, `${name} `,
    ...list.flatMap((n, at) => [at ? ", " : "", el("a", { href: placeOf(n), textContent: `#${n}` })]));
  const chips = thread.labels.map((name) => el("span", { class: "chip" }, name,
    el("button", { class: "bare", type: "button", textContent: "×", "aria-label": `Remove the label ${name}`, onclick: () => act({ unlabel: { issue, name } }) })));
  const offered = (names) => names.filter((name) => !thread.labels.includes(name)).map((name) => el("option", { value: name, textContent: name }));
  const labels = el("select", { "aria-label": "Set a label", onchange: (event) => act({ label: { issue, name: event.target.value } }) },
    el("option", { value: "", textContent: "Set a label…", disabled: true, selected: true }),
    el("optgroup", { label: "Commands by label" }, ...offered(OURS)),
    el("optgroup", { label: "Labels of the repository" }, ...offered(state.labels.filter((name) => !OURS.includes(name)))));
  const check = el("select", { "aria-label": "Set the check build", onchange: (event) => act({ check: { issue, name: "build", conclusion: event.target.value || null } }) },
    el("option", { value: "", textContent: "Check build…", disabled: true, selected: true }),
    ...["", "success", "failure", "neutral", "skipped"].map((value) => el("option", { value, textContent: value || "running" })));
  const status = el("select", { "aria-label": "Set the commit status ci", onchange: (event) => act({ status: { issue, context: "ci", state: event.target.value } }) },
    el("option", { value: "", textContent: "Commit status ci…", disabled: true, selected: true }),
    ...["pending", "success", "failure", "error"].map((value) => el("option", { value, textContent: value })));
  const button = (name, wish) => el("button", { class: "small", type: "button", textContent: name, onclick: () => act({ [wish]: { issue } }) });
  return [
    el("h2", {}, `${thread.title} `, el("span", { class: "faint", textContent: `#${issue}` })),
    el("div", { class: "tools" },
      el("span", { class: `badge ${thread.open ? "" : "closed"}`, textContent: thread.open ? "Open" : "Closed" }),
      thread.locked && el("span", { class: "badge locked", textContent: "Locked" }),
      thread.assignees.length > 0 && el("span", { class: "faint", textContent: `assigned to ${thread.assignees.join(", ")}` }),
      numbers("sub-issue of", thread.parent ? [thread.parent] : []),
      numbers("sub-issues", thread.sub_issues),
      numbers("blocked by", thread.blocked_by)),
    el("div", { class: "tools" }, ...chips, labels,
      thread.pull && check,
      thread.pull && status,
      thread.open ? button("Close", "close") : button("Reopen", "reopen"),
      thread.locked ? button("Unlock", "unlock") : button("Lock", "lock")),
  ];
}

function renderGuide() {
  const { elsewhere, steps, at, wish, wait } = standing(state, Date.now());
  if (elsewhere) {
    const link = el("a", { href: placeOf(elsewhere), textContent: `#${elsewhere}` });
    return show($("guide"), ["elsewhere", elsewhere, state.issues.length], () => el("li", { class: "now" }, "The story goes on in ", link, "."));
  }
  show($("guide"), [at, wish, wait, state.people], () => [
    ...steps.map((step, number) => {
      const kind = number < at ? "done" : number === at ? "now" : "";
      const known = state.people.some((person) => person.login === step.who);
      return el("li", { class: kind },
        el("strong", { textContent: step.what }),
        step.why && el("p", { class: "faint", textContent: step.why }),
        kind === "now" && step.text && el("pre", { class: "pre", textContent: step.text }),
        kind === "now" && known && wish && el("p", {}, el("button", {
          class: "primary small", type: "button", textContent: `Do it as ${step.who}`,
          onclick: () => { be(step.who); act(wish, step.who); },
        })),
        kind === "now" && !wish && el("p", { class: "faint", textContent: wait ?? "The bot is at work, or the card does not ask for this now." }));
    }),
    at === steps.length && el("li", { class: "now" }, "That is the story. Go on as you like: /help lists all commands, and other workflows start by /run."),
  ].filter(Boolean));
}

function renderWorkflows() {
  const all = state.workflows;
  show($("workflows"), all, () => {
    if (!Array.isArray(all)) return all ? el("pre", { class: "pre", textContent: JSON.stringify(all, null, 2) }) : none("Nothing is known of the workflows.");
    if (all.length === 0) return none("No workflow yet. /deliver starts one.");
    return all.map((flow) => el("div", { class: "item" },
      el("strong", { textContent: flow.title ?? flow.id }),
      el("span", { class: "faint" }, ` ${flow.id}, ${flow.status}`, flow.subject ? ", " : "",
        flow.subject && el("a", { href: placeOf(flow.subject), textContent: `#${flow.subject}` })),
      el("div", { class: "flow" }, ...(flow.phases ?? []).flatMap((phase, at) => [
        at ? el("span", { class: "faint", textContent: "▸" }) : null,
        el("span", { class: `step ${kindOf(phase.status)}`, textContent: `${phase.title}: ${phase.stands ?? phase.status}` }),
      ]))));
  });
}

function kindOf(status) {
  if (/complet|done|approved/.test(status)) return "completed";
  if (/ready|wait/.test(status)) return "waiting";
  return /error|fail|reject|cancel/.test(status) ? "stopped" : "";
}

const none = (text) => el("p", { class: "faint", textContent: text });

function renderMails() {
  $("mail-count").textContent = state.mails.length || "";
  show($("mails"), state.mails, () => {
    if (state.mails.length === 0) return none("No mail was sent.");
    return [...state.mails].reverse().map((mail, at) => el("details", { class: "item", open: at === 0 },
      el("summary", {}, el("strong", { textContent: mail.subject })),
      el("div", { class: "faint", textContent: `To ${mail.to.join(", ")}${mail.cc.length ? `, cc ${mail.cc.join(", ")}` : ""}` }),
      el("pre", { class: "pre", textContent: mail.text }),
      mail.html && el("details", {}, el("summary", { class: "faint", textContent: "The same as HTML, as a mail program shows it" }),
        el("iframe", { class: "letter", title: `${mail.subject}, as HTML`, loading: "lazy", sandbox: "allow-popups allow-popups-to-escape-sandbox", src: `/sandbox/mails/${state.mails.length - 1 - at}` }))));
  });
}

function renderFiles() {
  show($("files"), [state.files, me], () =>
    state.files.length === 0 ? none("There is none.") : state.files.map(({ path, text, version }) =>
      el("details", { class: "item" },
        el("summary", {}, path),
        el("pre", { class: "pre", textContent: text }),
        el("p", {}, el("button", {
          class: "small", type: "button", textContent: `Edit as ${me}`,
          onclick: () => ask({ heading: `Commit ${path} as ${me}`, title: null, text, ok: "Commit" }, (_, text) =>
            act({ write: { path, text, version } })),
        })))));
}

/** Who may do what, and who is in which team. */
function renderCompany() {
  show($("people"), [state.people, state.teams], () => [
    ...state.people.map(({ login, role }) => {
      const roles = ROLES.map((name) => el("option", { value: name, textContent: name, selected: name === role }));
      return el("div", { class: "item pair" }, el("span", { textContent: login }),
        el("select", { "aria-label": `The role of ${login}`, onchange: (event) => act({ role: { of: login, is: event.target.value } }) }, ...roles));
    }),
    ...state.teams.map((team) => el("div", { class: "item pair" },
      el("span", {}, `@${team.name} `, el("span", { class: "faint", textContent: team.people.join(", ") || "nobody" })),
      el("button", { class: "small", type: "button", textContent: "Edit", onclick: () => askTeam(team.name, team.people) }))),
  ]);
}

function askTeam(name, people) {
  ask({ heading: "A team", name: "Name, such as acme/security", title: name, of: "Its people", rows: 4, text: people.join("\n"), ok: "Save" }, (name, text) =>
    act({ team: { name, people: text.split(/[\s,]+/).filter(Boolean) } }));
}

function renderDeliveries() {
  $("delivery-count").textContent = state.deliveries.length || "";
  show($("deliveries"), state.deliveries, () =>
    state.deliveries.length === 0 ? none("None yet.") : state.deliveries.map((sent) => el("div", { class: "item", title: sent.guid },
      el("span", { class: sent.status < 300 ? "ok" : "bad", textContent: sent.status }),
      ` ${sent.event}${sent.action ? `.${sent.action}` : ""} `,
      el("span", { class: "faint", textContent: time(sent.at) }))));
}

// Writing.

$("say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = $("text").value;
  if (body.trim() && (await act({ comment: { issue: chosen, body } }))) $("text").value = "";
});
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("say").requestSubmit();
});

/** Asks for a title, if there is one to ask for, and a text. What was written stays until it was taken. */
function ask({ heading, name = "Title", title, of = "Text", rows = 14, text, ok }, then) {
  $("editor-title").textContent = heading;
  $("editor-name-label").textContent = name;
  $("editor-text-label").textContent = of;
  $("title-field").hidden = title === null;
  $("editor-name").required = title !== null;
  $("editor-name").value = title ?? "";
  $("editor-text").value = text;
  $("editor-text").rows = rows;
  $("editor-ok").textContent = ok;
  $("editor-form").onsubmit = async (event) => {
    event.preventDefault();
    if (await then($("editor-name").value, $("editor-text").value)) $("editor").close();
  };
  $("editor").showModal();
}
$("editor-cancel").addEventListener("click", () => $("editor").close());

$("new").addEventListener("click", () =>
  ask({ heading: `New issue by ${me}`, title: "", text: "", ok: "Open issue" }, (title, body) => act({ open: { title, body } })));

$("new-discussion").addEventListener("click", () =>
  ask({ heading: `New discussion by ${me}`, title: "", text: "", ok: "Start discussion" }, (title, body) =>
    act({ start_discussion: { title, body } })));

$("new-file").addEventListener("click", () =>
  ask({ heading: `Commit a new file as ${me}`, name: "Path, such as .github/CODEOWNERS", title: "", text: "", ok: "Commit" }, (path, text) =>
    act({ write: { path: path.trim(), text, version: null } })));

$("new-person").addEventListener("click", () =>
  ask({ heading: "A new person", name: "Login", title: "", of: `Role: ${ROLES.join(", ")}`, rows: 1, text: "write", ok: "Add" }, (of, text) =>
    act({ role: { of, is: text.trim() } })));

$("new-team").addEventListener("click", () => askTeam("", []));

function edit(comment) {
  const { id, version } = comment;
  if (id) {
    ask({ heading: `Edit as ${me}`, title: null, text: comment.body, ok: "Save" }, (_, body) => act({ edit_comment: { comment: id, body, version } }));
  } else {
    ask({ heading: `Edit as ${me}`, title: state.thread.title, text: comment.body, ok: "Save" }, (title, body) =>
      act({ edit_issue: { issue: chosen, title, body } }));
  }
}

setInterval(() => {
  poll();
  if (state) renderGuide();
}, 1000);
poll();
