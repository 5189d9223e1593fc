use super::*;
use crate::chat::say::fixtures::*;

#[test]
fn a_gate_of_tasks() {
    let scene = Scene::new(at_the_tasks(), Some(of_tasks(first(), tasks())));
    let rendered = card(&scene.view());
    assert_eq!(rendered.pages, Vec::<String>::new());
    assert_eq!(
        rendered.card,
        "\
### Deliver what was discussed · waiting for approval

Waiting for `alice` or `bob` (write access or more) at *Tasks* since 2025-12-04 12:02 UTC.

Workflow `w7f3a`, started by `alice` on 2025-12-04 12:00 UTC ([comment](https://github.com/acme/app/issues/12#issuecomment-1)).

| Phase | State | Since | Result |
| --- | --- | --- | --- |
| Tasks | **waiting for approval** | 2025-12-04 12:02 UTC | `a7937b64b8ca` by `rules` |
| Issues | waits for Tasks |  |  |
| Mail | waits for Issues |  |  |

#### Proposal `a7937b64b8ca`: 1 of 2 tasks

An approval opens the ticked tasks as issues in `acme/app` under #12, and creates the label `docs`.

- [x] **t1** Write the runbook — `bob`, high priority, size M, due 2025-12-19, labels `docs`, confidence high

  > Write down what to do when the login is down.

  Acceptance criteria:

  - It names who is called
  - \\[ \\] it was tried once

  `alice` [wrote](https://github.com/acme/app/issues/12#issuecomment-3):

  > Action: @\u{2060}bob will write the runbook
- [ ] **t2** Rate-limit the \\<login\\> form — after t1

Open questions:

- Who is on call?

Opened before, and therefore left out:

- [Renew the certificate](https://github.com/acme/app/issues/9)

Left out:

- maybe we should rewrite it all ([there](https://github.com/acme/app/issues/12#issuecomment-4)): nobody said that they will

**Approve exactly this:** `/approve a7937b64b8ca` — or set the label `countersign:approve`.

Or, before that:

- leave one out: untick its box
- change one: `/edit t1 title=\"…\"`
- add one: `/task title=\"…\"`

Unanswered for 7 days, I ask again. Silence approves nothing.

`/revise …` to have it done again, with what you write · `/reject …` to say no · `/hold …` to pause it · `/cancel …` to end it."
    );
}
