//! Edits, rejections, verdicts, and files that changed.

use serde_json::json;

use super::Project;
use crate::jpa::{DOMAIN, plan, text, written};
use crate::stages::review;

#[test]
fn what_is_approved_is_what_stands_in_the_file() {
    let project = Project::new();
    let id = project.started(&[]);
    let path = project.at_hand();
    let before = project.told(&["status"])["phases"][0]["digest"].take();
    let prompt = project.read(&path);
    let (_, data) = prompt.split_once("<!-- What follows is data").unwrap();

    project.put(&path, &prompt.replace("app.products", "app.orders"));
    let (code, said) = project.refused(&["approve"]);
    assert_eq!(code, 1);
    assert!(said.contains("only the instructions above it"), "{said}");
    project.put(&path, "You plan in one sentence.\n");
    assert!(project.refused(&["approve"]).1.contains("is missing: put it back"));

    project.put(
        &path,
        &format!("You plan in one sentence.\n\n<!-- What follows is data{data}"),
    );
    project.told(&["approve", "--reason", "shorter"]);
    let request = project.told(&["prompt"]);
    assert_eq!(request["system"], "You plan in one sentence.\n");
    assert_eq!(request["messages"][0]["role"], "user");
    assert_eq!(request["schema_name"], "plan.v1");
    assert_eq!(request["schema"]["type"], "object");
    assert!(request.get("model").is_none(), "nobody is asked: {request}");
    let history = project.run(&["history", &id]);
    assert!(history.page().contains("edited its file"), "{}", history.out);
    assert!(!history.out.contains(&format!("approved  {before}")));

    // The answer, too, is approved as it stands there.
    project.put(&project.at_hand(), &plan(&DOMAIN).to_string());
    let digest = "0".repeat(12);
    let (_, said) = project.refused(&["approve", "--digest", &digest]);
    assert!(said.contains("is not what waits"), "{said}");
    let path = project.at_hand();
    project.put(
        &path,
        &project.read(&path).replace("Composite key, filter, policy", "One key"),
    );
    assert_eq!(project.told(&["approve"])["phase"], "generate");
    let kept = project.read(&path);
    assert!(kept.contains("One key") && !kept.contains("Composite key"), "{kept}");
    // A file of the code that is edited below code/ is what is approved.
    project.told(&["approve"]);
    project.put(&project.at_hand(), &written(&DOMAIN).to_string());
    project.told(&["respond", "--file", &project.at_hand()]);
    let code = format!(".countersign/{id}/iteration-1/code/{}", DOMAIN[0]);
    project.put(&code, &format!("{}// mine\n", text(DOMAIN[0])));
    project.told(&["approve"]);
    project.through(&review(None));
    assert!(project.read(DOMAIN[0]).ends_with("// mine\n"));
}

#[test]
fn a_rejected_answer_is_kept_and_tried_again_with_the_reason() {
    let project = Project::new();
    let id = project.started(&["--retries", "1"]);
    assert!(
        project
            .refused(&["reject", "--feedback", "no"])
            .1
            .contains("is a prompt")
    );
    project.told(&["approve"]);
    let path = project.at_hand();
    project.put("plan.json", &plan(&DOMAIN).to_string());
    let answered = project.told(&["respond", "--file", "plan.json"]);
    assert_eq!(answered["phase_status"], "ready_for_review", "it meets its gate");
    assert_eq!(project.refused(&["reject"]).0, 2, "a reason is needed");
    assert_eq!(project.refused(&["reject", "--feedback", " "]).0, 2);
    let after = project.told(&["reject", "--feedback", "Name the migration"]);
    assert_eq!(after["phase_status"], "waiting_for_human");
    let round = format!(".countersign/{id}/iteration-1");
    assert_eq!(project.read(&path), "", "a new answer goes here");
    assert!(
        project
            .read(&format!("{round}/planning-response.rejected-1.md"))
            .contains("app.products")
    );
    assert!(
        project
            .read(&format!("{round}/planning-prompt.retry-1.md"))
            .contains("Name the migration")
    );
    let request = project.told(&["prompt"]);
    assert!(
        request["messages"][0]["content"]
            .as_str()
            .unwrap()
            .contains("Name the migration")
    );
    let (_, said) = project.refused(&["respond", "--file", "plan.json"]);
    assert!(said.contains("the answer that was rejected"), "{said}");

    let mut better = plan(&DOMAIN);
    better["approach"] = json!("Migration V7 first");
    project.put("plan.json", &better.to_string());
    project.told(&["respond", "--file", "plan.json"]);
    let after = project.told(&["reject", "--feedback", "Still not"]);
    assert_eq!(after["phase_status"], "rejected", "the retries are used up");
    assert!(
        after["next"][0].as_str().unwrap().contains("revise --feedback"),
        "{after}"
    );
    let after = project.told(&["revise", "--feedback", "From the start"]);
    assert_eq!(after["iteration"], 2);
    assert!(project.at_hand().ends_with("iteration-2/planning-prompt.md"));
    assert!(project.read(&project.at_hand()).contains("From the start"));
}

#[test]
fn a_verdict_goes_back_and_people_may_say_another() {
    let project = Project::new();
    let id = project.started(&[]);
    project.through(&plan(&DOMAIN));
    let (_, said) = project.refused(&["approve", "complete"]);
    assert!(said.contains("is no review"), "{said}");
    project.through(&written(&DOMAIN));
    let mut failing = review(Some("critical"));
    failing["verdict"] = json!("fail");
    let after = project.through(&failing);
    assert_eq!(after["phase"], "revise", "a grave finding goes back");
    assert!(project.at_hand().ends_with("iteration-2/revision-prompt.md"));
    let mut revised = written(&DOMAIN[..1]);
    revised["writes"][0]["content"] = json!("class Revised {}\n");
    project.through(&revised);
    project.told(&["approve"]);
    assert!(project.at_hand().ends_with("iteration-2/review-response.md"));
    project.put(&project.at_hand(), &review(None).to_string());
    let after = project.told(&["approve", "revise"]);
    assert_eq!(after["phase"], "revise", "over a verdict of pass");
    project.through(&revised);
    project.told(&["approve"]);
    project.put(&project.at_hand(), &review(Some("major")).to_string());
    let done = project.told(&["approve", "complete", &id]);
    assert_eq!(done["status"]["status"], "completed", "over a verdict of fail");
    assert_eq!(project.read(DOMAIN[0]), "class Revised {}\n");
    assert_eq!(project.read(DOMAIN[1]), text(DOMAIN[1]));
    let (_, said) = project.refused(&["approve", &id]);
    assert!(said.contains("has ended"), "{said}");
}

#[test]
fn a_file_that_changed_after_its_approval_blocks() {
    let project = Project::new();
    let id = project.started(&[]);
    let locked = project.at_hand();
    project.told(&["approve"]);
    let asked = project.read(&locked);
    project.put(&locked, "Something else\n");
    project.put(&project.at_hand(), &plan(&DOMAIN).to_string());
    let (code, said) = project.refused(&["approve"]);
    assert_eq!(code, 1);
    assert!(
        said.contains(&locked) && said.contains("changed after it was approved"),
        "{said}"
    );
    assert_eq!(project.told(&["status"])["changed"], json!([locked]));
    let standards = format!(".countersign/{id}/standards-bundle.md");
    project.put(&standards, "Anything goes\n");
    assert!(project.refused(&["approve"]).1.contains(&standards));
    for path in [&locked, &standards] {
        std::fs::remove_file(project.root().join(path)).unwrap();
    }
    assert_eq!(project.told(&["approve"])["phase"], "generate");
    assert_eq!(project.read(&locked), asked, "what was deleted is written as it was");
}

#[test]
fn nothing_of_the_project_that_changed_since_is_written_over() {
    let project = Project::new();
    project.put(DOMAIN[1], "class Old {}\n");
    let id = project.started(&[]);
    project.through(&plan(&DOMAIN));
    let after = project.told(&["approve"]);
    project.put(after["file"].as_str().unwrap(), &written(&DOMAIN).to_string());
    let shown = project.told(&["respond", "--file", after["file"].as_str().unwrap()]);
    let notes = shown["notes"].to_string();
    assert!(
        notes.contains(&format!("It replaces {}, which is there.", DOMAIN[1])),
        "{notes}"
    );
    project.told(&["approve"]);
    project.put(DOMAIN[0], "class Mine {}\n");
    project.told(&["approve"]);
    project.put(&project.at_hand(), &review(None).to_string());
    let (code, said) = project.refused(&["approve"]);
    assert_eq!(code, 1);
    assert!(
        said.contains(DOMAIN[0]) && said.contains("changed since it was shown"),
        "{said}"
    );
    assert!(said.contains(&format!("countersign files {id}")), "{said}");
    assert_eq!(project.read(DOMAIN[1]), "class Old {}\n", "none of them was written");
    std::fs::remove_file(project.root().join(DOMAIN[0])).unwrap();
    project.told(&["files", &id]);
    assert_eq!(project.read(DOMAIN[0]), text(DOMAIN[0]));
    assert_eq!(project.read(DOMAIN[1]), text(DOMAIN[1]), "it stood there unchanged");
}

#[test]
fn a_hold_stops_a_retry_tries_again_and_a_cancel_ends() {
    let project = Project::new();
    let id = project.started(&[]);
    let held = project.told(&["hold", "--reason", "lunch"]);
    assert!(held["held"].as_str().unwrap().ends_with(": lunch"), "{held}");
    let (_, said) = project.refused(&["approve"]);
    assert!(
        said.contains("is held (lunch)") && said.contains("countersign unhold"),
        "{said}"
    );
    project.told(&["unhold"]);
    assert!(project.refused(&["retry"]).1.contains("nothing failed"));
    let done = project.told(&["cancel", "--reason", "not now"]);
    assert_eq!(done["status"]["status"], "cancelled");
    assert!(done.get("file").is_none() && done.get("notes").is_none(), "{done}");
    assert!(project.refused(&["approve"]).1.contains("no workflow is open"));
    assert!(project.refused(&["approve", &id]).1.contains("has ended"));
    assert_eq!(
        project.told(&["list", "--status", "cancelled"])["workflows"][0]["id"],
        id
    );
}

#[test]
fn a_variant_is_chosen_and_one_is_made_anew() {
    let project = Project::new();
    project.put(
        "ways.yml",
        "name: ways\nversion: 1\ntitle: Ways\nprompts: {write: Write it.}\nphases:\n  - id: draft\n    title: Draft\n    \
         prompt: write\n    schema: solution.v1\n    variants: 2\n    provider: manual\n  - id: choose\n    title: \
         Choice\n    chooses: draft\n    gate: {people: {}}\n",
    );
    project.told(&["run", "ways.yml", "--request", "We need rate limits."]);
    let answer = |letter: &str, content: &str| {
        let solution = json!({"content": content, "confidence": "low", "rationale": "One way.", "assumptions": []});
        project.put("answer.json", &solution.to_string());
        project.told(&["respond", letter, "--file", "answer.json"])
    };
    let (_, said) = project.refused(&["approve", "--choose", "A"]);
    assert!(said.contains("paste the answer there"), "{said}");
    answer("A", "Count in memory.");
    let stands = answer("draft-b", "Count in the database.");
    assert_eq!(stands["next"][0], "countersign approve --choose LETTER", "{stands}");
    let (_, said) = project.refused(&["approve"]);
    assert!(
        said.contains("an approval says which") && said.contains("--choose LETTER"),
        "{said}"
    );
    let (_, said) = project.refused(&["approve", "--choose", "C"]);
    assert!(said.contains("there is no variant C: there are A, B"), "{said}");
    assert_eq!(project.refused(&["approve", "complete", "--choose", "A"]).0, 2);
    let (_, said) = project.refused(&["revise", "--feedback", "shorter"]);
    assert!(said.contains("a comparison is not revised"), "{said}");

    let after = project.told(&["retry", "--variant", "B"]);
    assert_eq!(after["phase_status"], "waiting_for_human", "{after}");
    answer("b", "Count in a gateway.");
    let after = project.told(&["approve", "--choose", "b", "--reason", "It can be bought."]);
    assert_eq!(after["status"]["status"], "completed", "{after}");
    let history = project.run(&["history", after["workflow"].as_str().unwrap()]);
    assert!(history.page().contains("chose B"), "{}", history.out);
}
