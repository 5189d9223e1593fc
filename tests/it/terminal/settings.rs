//! Flags before the project's file before the user's file before the defaults.

use countersign::sandbox::models::{Dialect, MODEL, ModelServer, Reply};
use serde_json::Value;

use super::Project;
use crate::jpa::{DOMAIN, plan};

/// The definition that a workflow keeps.
fn definition(project: &Project, id: &str) -> Value {
    project.told(&["history", id])["events"][0]["event"]["definition"].take()
}

#[test]
fn the_nearer_place_counts() {
    let project = Project::new();
    let user = project.home.path().join(".config/countersign");
    std::fs::create_dir_all(&user).unwrap();
    let endpoint = "{dialect: openai, base_url: \"http://127.0.0.1:9\", model: m, context_tokens: 200000}";
    let text = format!(
        "providers: {{planner: http:far, generator: http:far, reviewer: http:far}}\nretries: 3\nmodels: {{endpoints: {{far: \
         {endpoint}}}}}\n"
    );
    std::fs::write(user.join("config.yml"), text).unwrap();
    project.put(
        ".countersign/config.yml",
        "providers: {generator: manual, reviewer: manual}\n",
    );
    let id = project.started(&["--reviewer", "http:far", "--provider", "reviser=manual"]);
    let kept = definition(&project, &id);
    for (role, provider) in [
        ("planner", "http:far"),
        ("generator", "manual"),
        ("reviewer", "http:far"),
        ("reviser", "manual"),
    ] {
        assert_eq!(kept["roles"][role]["provider"], provider, "{role}");
    }
    assert_eq!(kept["phases"][0]["limits"]["retries"], 3);
    let other = project.started(&["--retries", "0"]);
    assert!(
        definition(&project, &other)["phases"][0]["limits"]
            .get("retries")
            .is_none()
    );
    // What was chosen stays, whatever the files say later.
    project.put(".countersign/config.yml", "providers: {planner: manual}\n");
    assert_eq!(definition(&project, &id)["roles"]["planner"]["provider"], "http:far");
    // The texts of the program's templates stand in the first event: another version of it changes nothing here.
    for template in ["jpa-mt/plan", "jpa-mt/standards"] {
        let text = std::fs::read_to_string(format!(
            "{}/templates/prompts/{template}.md",
            env!("CARGO_MANIFEST_DIR")
        ));
        assert_eq!(kept["templates"][template], text.unwrap(), "{template}");
    }
}

#[test]
fn mistakes_of_the_files_are_told_with_their_place_and_nothing_is_started() {
    let project = Project::new();
    for (text, says) in [
        ("provider: {}\n", "did you mean `providers`?"),
        ("gates: {plan: {prompt: skip}}\n", "must be one of `people`"),
        ("models: {endpoints: {}}\n", "`models` is not known"),
        ("providers: {planner: robot}\n", "is no provider"),
        (
            "gates: {plna: {prompt: people}}\n",
            "no definition here has a phase `plna`; did you mean `plan`?",
        ),
        (
            "providers: {plannr: manual}\n",
            "no definition here has a role `plannr`; did you mean `planner`?",
        ),
    ] {
        project.put(".countersign/config.yml", text);
        let (code, said) = project.refused(&[&["run", "jpa-mt"], super::GIVEN.as_slice()].concat());
        assert!(
            code == 3 && said.contains(says) && said.contains("line 1"),
            "{text}: {said}"
        );
    }
    assert!(!project.root().join(".countersign/state.sqlite").exists());
    // A gate of another definition's phase is for that one.
    project.put(".countersign/config.yml", "gates: {draft: {response: people}}\n");
    let rules = [&["run", "jpa-mt", "--planner", "rules"], super::GIVEN.as_slice()].concat();
    let (code, said) = project.refused(&rules);
    assert!(code == 3 && said.contains("the rules have no grammar"), "{said}");
}

#[test]
fn what_can_be_used_is_validated() {
    let project = Project::new();
    let all = project.run(&["validate", "all"]);
    assert!(all.page().contains("jpa-mt/standards"), "{}", all.out);
    assert!(project.run(&["validate", "ai", "manual"]).page().contains("manual"));
    let (code, said) = project.refused(&["validate", "ai", "manul"]);
    assert!(code == 1 && said.contains("did you mean `manual`?"), "{said}");
    let user = project.home.path().join(".config/countersign");
    std::fs::create_dir_all(&user).unwrap();
    std::fs::write(
        user.join("config.yml"),
        "models: {endpoints: {far: {dialect: anthropic, model: m, key_env: NO_SUCH_KEY, context_tokens: 100000}}}\n",
    )
    .unwrap();
    let (code, said) = project.refused(&["validate", "ai"]);
    assert!(
        code == 1 && said.contains("http:far") && said.contains("NO_SUCH_KEY"),
        "{said}"
    );
    assert!(project.run(&["profiles"]).page().contains("jpa-mt"));
    assert!(project.run(&["providers"]).page().contains("manual"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_of_the_users_file_answers_and_is_judged_like_any_other() {
    let project = Project::new();
    let server = ModelServer::start(None).await.unwrap();
    let user = project.home.path().join(".config/countersign");
    std::fs::create_dir_all(&user).unwrap();
    let base = server.base_url(Dialect::OpenAi);
    let endpoint = format!("{{dialect: openai, base_url: {base}, model: {MODEL}, context_tokens: 200000}}");
    let text = format!("providers: {{planner: http:near}}\nmodels: {{endpoints: {{near: {endpoint}}}}}\n");
    std::fs::write(user.join("config.yml"), text).unwrap();
    let listed = project.run(&["providers"]);
    assert!(listed.page().contains("http:near"), "{}", listed.out);

    server.prepare(Reply::text("no JSON at all"));
    server.prepare(Reply::fenced(&plan(&DOMAIN).to_string()));
    project.started(&["--gate", "plan.response"]);
    assert_eq!(project.told(&["prompt"])["model"], MODEL);
    let after = project.told(&["approve"]);
    assert_eq!(after["phase_status"], "ready_for_review", "{after}");
    assert_eq!(
        server.requests().len(),
        2,
        "what was wrong with the first was told to it"
    );
    assert!(
        project
            .read(after["file"].as_str().unwrap())
            .contains("Composite key, filter, policy")
    );
    assert_eq!(project.told(&["approve"])["phase"], "generate");
    server.shutdown();
    server.stopped().await;
}
