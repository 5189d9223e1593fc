//! Which prompt an answer is for, and what a gate says before an approval is taken.

use serde_json::{Value, json};

use super::{GIVEN, Project};
use crate::jpa::{DOMAIN, plan, written};
use crate::stages::review;

/// Two phases that are asked at the same time.
const TWO: &str = "name: two\nversion: 1\ntitle: Two\nprompts: {write: Write it.}\nphases:\n  - {id: first, title: First, \
                   prompt: write, schema: document.v1, gate: {people: {}}}\n  - {id: second, title: Second, prompt: write, \
                   schema: document.v1, gate: {people: {}}}\n";

fn document(title: &str) -> String {
    json!({"title": title, "sections": [{"heading": "What", "text": "All of it."}]}).to_string()
}

fn phase<'a>(status: &'a Value, id: &str) -> &'a Value {
    let phases = status["phases"].as_array().unwrap();
    phases.iter().find(|phase| phase["id"] == id).unwrap()
}

#[test]
fn of_two_prompts_one_is_named_and_a_second_answer_is_taken_for_no_other() {
    let project = Project::new();
    project.put("two.yml", TWO);
    project.put("answer.json", &document("One"));
    let stands = project.told(&["run", "two.yml"]);
    let answers = stands["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 2, "{stands}");
    let (code, said) = project.refused(&["respond", "--file", "answer.json"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("several prompts wait") && said.contains("first, iteration 1") && said.contains("second, "),
        "{said}"
    );
    assert!(project.refused(&["prompt"]).1.contains("several prompts wait"));
    let asked = project.told(&["prompt", "second"]);
    assert_eq!(
        (&asked["phase"], &asked["prompt"]),
        (&json!("second"), &answers[1]["prompt"])
    );

    project.told(&["respond", "first", "--file", "answer.json"]);
    let (_, said) = project.refused(&["respond", "first", "--file", "answer.json"]);
    assert!(
        said.contains("first waits for no answer; what is expected now: second"),
        "{said}"
    );
    let first = answers[0]["prompt"].as_str().unwrap();
    let (_, said) = project.refused(&["respond", "--file", "answer.json", "--prompt", first]);
    assert!(
        said.contains("waits for an answer; what is expected now: second"),
        "{said}"
    );
    let status = project.told(&["status"]);
    assert_eq!(phase(&status, "second")["status"], "waiting_for_human", "{status}");
    let second = asked["prompt"].as_str().unwrap();
    project.told(&["respond", "--file", "answer.json", "--prompt", &second[..12]]);
    assert_eq!(
        phase(&project.told(&["status"]), "second")["status"],
        "ready_for_review"
    );
}

#[test]
fn a_pasted_answer_goes_to_the_phase_of_its_file() {
    let project = Project::new();
    project.put("two.yml", TWO);
    let stands = project.told(&["run", "two.yml"]);
    project.put(stands["answers"][1]["file"].as_str().unwrap(), &document("Two"));
    project.told(&["approve"]);
    let status = project.told(&["status"]);
    assert_eq!(phase(&status, "second")["status"], "completed", "{status}");
    assert_eq!(phase(&status, "first")["status"], "waiting_for_human", "{status}");
}

#[test]
fn an_answer_of_an_earlier_iteration_is_refused_with_what_is_expected() {
    let project = Project::new();
    project.started(&[]);
    project.through(&plan(&DOMAIN));
    project.through(&written(&DOMAIN));
    project.told(&["approve"]);
    let old = project.at_hand();
    project.put(&old, &review(None).to_string());
    project.told(&["approve", "revise"]);
    project.through(&written(&DOMAIN));
    project.told(&["approve"]);
    assert!(project.at_hand().ends_with("iteration-2/review-response.md"));
    let (code, said) = project.refused(&["respond", "--file", &old]);
    assert_eq!(code, 1);
    assert!(
        said.contains("is of a prompt that is over") && said.contains("iteration-2/review-response.md"),
        "{said}"
    );
    project.put(&project.at_hand(), &review(None).to_string());
    let stands = project.told(&["respond", "--file", &project.at_hand()]);
    assert_eq!(stands["verdict"], "pass");
}

#[test]
fn a_review_that_calls_itself_what_it_is_not_stops_at_the_gate() {
    let project = Project::new();
    project.started(&[]);
    project.through(&plan(&DOMAIN));
    project.through(&written(&DOMAIN));
    project.told(&["approve"]);
    let mut fails = review(None);
    fails["verdict"] = json!("fail");
    project.put(&project.at_hand(), &fails.to_string());
    let (code, said) = project.refused(&["approve"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("calls itself a fail") && said.contains("by its findings it is a pass"),
        "{said}"
    );
    let status = project.told(&["status"]);
    assert_eq!(phase(&status, "review")["status"], "ready_for_review", "{status}");
    assert_eq!(phase(&status, "review")["verdict"], "pass");
    assert!(project.run(&["status"]).page().contains("verdict pass"));
    assert_eq!(project.tree(), ["db/schema.sql"], "nothing was written");
    let done = project.told(&["approve"]);
    assert_eq!(
        done["status"]["status"], "completed",
        "it was shown, and is approved now"
    );
}

#[cfg(unix)]
#[test]
fn an_edited_answer_is_held_to_what_is_in_the_project() {
    let project = Project::new();
    project.started(&[]);
    project.through(&plan(&DOMAIN));
    project.told(&["approve"]);
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), project.root().join("link")).unwrap();
    let path = project.at_hand();
    project.put(&path, &written(&DOMAIN).to_string());
    project.told(&["respond", "--file", &path]);
    for (written_to, rule) in [("link/evil", "below-symlink"), (".countersign/config.yml", "protected")] {
        let mut edited = written(&DOMAIN);
        edited["writes"][0]["path"] = json!(written_to);
        project.put(&path, &edited.to_string());
        let (code, said) = project.refused(&["approve"]);
        assert!(code == 1 && said.contains(&format!("({rule})")), "{written_to}: {said}");
    }
}

#[test]
fn files_of_a_rejected_answer_do_not_stay_among_those_of_the_next() {
    let project = Project::new();
    let id = project.started(&[]);
    project.through(&plan(&DOMAIN));
    project.told(&["approve"]);
    let hand_in = |answer: Value| {
        project.put("answer.json", &answer.to_string());
        project.told(&["respond", "--file", "answer.json"]);
    };
    let code = |path: &str| {
        project
            .root()
            .join(format!(".countersign/{id}/iteration-1/code/{path}"))
    };
    hand_in(written(&DOMAIN[..2]));
    assert!(code(DOMAIN[1]).exists());
    project.told(&["reject", "--feedback", "less"]);
    assert!(!code(DOMAIN[0]).exists());
    hand_in(written(&DOMAIN[..1]));
    assert!(code(DOMAIN[0]).exists() && !code(DOMAIN[1]).exists());
}

#[test]
fn what_failed_before_anything_was_asked_names_what_works() {
    let project = Project::new();
    project.put(
        "late.yml",
        "name: late\nversion: 1\ntitle: Late\ninputs: {schema: {title: The tables, required: true, file: true}}\nprompts: \
         {write: Write it.}\nphases:\n  - {id: first, title: First, prompt: write, schema: document.v1, gate: {people: \
         {}}}\n  - {id: second, title: Second, needs: [first], prompt: write, schema: document.v1, gate: {people: {}}}\n",
    );
    project.told(&["run", "late.yml", "-c", "schema=db/schema.sql"]);
    std::fs::remove_file(project.root().join("db/schema.sql")).unwrap();
    project.put(&project.at_hand(), &document("First"));
    let stands = project.told(&["approve"]);
    assert_eq!(stands["phase_status"], "error", "{stands}");
    let why = stands["last_error"].as_str().unwrap();
    assert!(why.contains("db/schema.sql, given for schema, is gone"), "{stands}");
    assert_eq!(stands["next"], json!(["countersign retry", "countersign cancel"]));
    assert!(stands.get("file").is_none(), "{stands}");
    let (_, said) = project.refused(&["approve"]);
    assert!(said.contains("nothing waits for approval"), "{said}");
}

#[test]
fn what_is_rejected_for_good_says_by_whom_why_and_how_it_goes_on() {
    let project = Project::new();
    project.started(&[]);
    project.told(&["approve"]);
    for feedback in ["No", "Still no"] {
        let mut answer = plan(&DOMAIN);
        answer["approach"] = json!(feedback);
        project.put("plan.json", &answer.to_string());
        project.told(&["respond", "--file", "plan.json"]);
        project.told(&["reject", "--feedback", feedback]);
    }
    let ran = project.run(&["hold"]);
    assert!(ran.page().contains("plan: rejected, attempt 2 of 2"), "{}", ran.out);
    let stands = project.told(&["unhold"]);
    assert!(stands["rejected"].as_str().unwrap().ends_with(": Still no"), "{stands}");
    assert_eq!(stands["next"][1], "countersign retry");
    project.told(&["retry"]);
}

#[test]
fn the_next_command_finds_the_project_that_this_one_found() {
    let project = Project::new();
    let home = project.home.path().display().to_string();
    let url = format!("sqlite:{home}/server.sqlite");
    let environment = [("HOME", home.as_str()), ("COUNTERSIGN_DATABASE_URL", url.as_str())];
    let run = |arguments: &[&str]| crate::cli::run_with(&project.root(), &environment, arguments);
    let started = run(&[&["run", "jpa-mt", "--json"], GIVEN.as_slice()].concat());
    let next = started.envelope()["data"]["next"][0].as_str().unwrap().to_owned();
    assert_eq!(next, "countersign approve --project-dir .");
    let words: Vec<&str> = next.split(' ').skip(1).collect();
    assert!(run(&words).page().contains("plan: waits for a person"));
}

#[test]
fn a_refused_run_leaves_nothing_behind() {
    let project = Project::new();
    project.put(
        "judged.yml",
        "name: judged\nversion: 1\ntitle: Judged\nprompts: {write: Write it.}\nphases:\n  - {id: plan, title: Plan, prompt: \
         write, schema: document.v1, gate: {ai: {}}}\n",
    );
    let (code, said) = project.refused(&["run", "judged.yml"]);
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains("the gate of plan asks a model") && said.contains("--provider default=http:NAME"),
        "{said}"
    );
    let given = [&["run", "jpa-mt"], &GIVEN[..6], &["-c", "schema=db/none.sql"]].concat();
    assert!(project.refused(&given).1.contains("the project has no file"));
    assert!(!project.root().join(".countersign").exists());
}

#[test]
fn lists_know_the_former_words_and_say_what_they_do_not_know() {
    let project = Project::new();
    let id = project.started(&[]);
    for status in ["in_progress", "open"] {
        assert_eq!(project.told(&["list", "--status", status])["workflows"][0]["id"], id);
    }
    assert_eq!(project.told(&["list", "--status", "error"])["workflows"], json!([]));
    let (code, said) = project.refused(&["list", "--profile", "jpa-nt"]);
    assert!(code == 1 && said.contains("did you mean `jpa-mt`?"), "{said}");
    assert!(
        project
            .refused(&["approve", "compelte"])
            .1
            .contains("did you mean `complete`?")
    );
    project.told(&["approve", "--hash-prompts"]);
}

#[test]
fn a_review_that_cannot_go_back_any_more_offers_what_is_taken() {
    let project = Project::new();
    project.put(
        "capped.yml",
        "name: capped\nversion: 1\ntitle: Capped\nprompts: {write: Write it.}\nphases:\n  - {id: draft, title: Draft, prompt: \
         write, schema: document.v1, gate: {people: {}}}\n  - {id: again, title: Again, needs: [draft], on_demand: true, \
         inputs: [draft], prompt: write, schema: document.v1, gate: {people: {}}, limits: {iterations: 1}}\n  - {id: \
         review, title: Review, needs: [draft, again], inputs: [draft, again], prompt: write, schema: review.v1, gate: \
         {people: {}}, on_fail: again, limits: {iterations: 2}}\n",
    );
    project.told(&["run", "capped.yml"]);
    let mut fails = review(Some("major"));
    fails["verdict"] = json!("fail");
    for text in [document("One"), fails.to_string(), document("Two")] {
        project.put(&project.at_hand(), &text);
        project.told(&["approve"]);
    }
    let stands = {
        project.put("answer.json", &fails.to_string());
        project.told(&["respond", "--file", "answer.json"])
    };
    assert_eq!(stands["verdict"], "fail");
    assert_eq!(
        stands["next"],
        json!(["countersign approve complete", "countersign reject --feedback TEXT"])
    );
    assert_eq!(project.refused(&["approve"]).0, 1);
    assert_eq!(project.told(&["approve", "complete"])["status"]["status"], "completed");
}
