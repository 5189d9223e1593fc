//! Models that answer, say no, or are not there.

use countersign::sandbox::models::{Dialect, MODEL, ModelServer, Reply};
use serde_json::{Value, json};

use super::Project;

/// A user's file with one endpoint, `near`, at this address.
fn near(project: &Project, base: &str) {
    let user = project.home.path().join(".config/countersign");
    std::fs::create_dir_all(&user).unwrap();
    let endpoint = format!("{{dialect: openai, base_url: {base}, model: {MODEL}, context_tokens: 200000}}");
    let text = format!("models: {{endpoints: {{near: {endpoint}}}}}\n");
    std::fs::write(user.join("config.yml"), text).unwrap();
}

/// One phase that people answer, behind this gate.
fn judged(project: &Project, gate: &str) {
    let definition = format!(
        "name: judged\nversion: 1\ntitle: Judged\nprompts: {{write: Write it.}}\nphases:\n  - {{id: plan, title: Plan, prompt: \
         write, schema: document.v1, provider: manual, gate: {gate}, limits: {{iterations: 2}}}}\n"
    );
    project.put("judged.yml", &definition);
}

fn answer(project: &Project) -> Value {
    let document = json!({"title": "The plan", "sections": [{"heading": "What", "text": "All of it."}]});
    project.put("answer.json", &document.to_string());
    project.told(&["respond", "--file", "answer.json"])
}

fn says(decision: &str, feedback: &str) -> Reply {
    Reply::text(json!({"decision": decision, "feedback": feedback, "rewrite": null}).to_string())
}

#[test]
fn a_model_that_is_not_there_is_told_at_once_with_what_goes_on() {
    let project = Project::new();
    near(&project, "http://127.0.0.1:1/v1");
    project.started(&["--planner", "http:near"]);
    let stands = project.told(&["approve"]);
    assert_eq!(stands["phase_status"], "waiting_for_human", "{stands}");
    assert!(stands["last_error"].as_str().unwrap().contains("http:near"), "{stands}");
    assert_eq!(stands["next"][0], "countersign retry");
    assert!(
        stands["file"].as_str().unwrap().ends_with("planning-response.md"),
        "{stands}"
    );
    let again = project.told(&["retry"]);
    assert_eq!(again["phase_status"], "waiting_for_human", "{again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_approver_says_is_shown_and_the_next_commands_are_taken() {
    let project = Project::new();
    let server = ModelServer::start(None).await.unwrap();
    near(&project, &server.base_url(Dialect::OpenAi));
    judged(&project, "{ai: {}}");
    project.told(&["run", "judged.yml", "--provider", "default=http:near"]);
    server.prepare(says("reject", "Too thin"));
    let stands = answer(&project);
    assert_eq!(stands["phase_status"], "ready_for_review", "{stands}");
    assert_eq!(stands["approver"], "http:near rejected it: Too thin");
    assert_eq!(
        stands["next"],
        json!(["countersign revise --feedback TEXT", "countersign cancel"])
    );
    assert_eq!(
        project.told(&["list"])["workflows"][0]["waits_for"],
        "revise or an edit of plan, which its approver rejected"
    );
    let (_, said) = project.refused(&["approve"]);
    assert!(
        said.contains("Too thin") && said.contains("countersign revise"),
        "{said}"
    );
    assert!(project.run(&["status"]).page().contains("rejected it: Too thin"));
    project.told(&["revise", "--feedback", "More of it"]);
    server.prepare(says("approve", ""));
    assert_eq!(answer(&project)["status"]["status"], "completed");

    judged(&project, "{ai: {provider: \"http:near\"}, people: {}}");
    project.told(&["run", "judged.yml"]);
    server.prepare(says("approve", "Good enough"));
    let stands = answer(&project);
    assert_eq!(stands["approver"], "http:near approved it: Good enough", "{stands}");
    assert_eq!(stands["next"][0], "countersign approve");
    assert_eq!(project.told(&["approve"])["status"]["status"], "completed");
    server.shutdown();
    server.stopped().await;
}
