use super::*;
use crate::world::Setup;
#[tokio::test]
async fn zz_profile() {
    let world = Setup::new().config("version: 1\nlimits:\n  tasks: 300\n").start().await;
    let n: usize = std::env::var("N").unwrap().parse().unwrap();
    let body: String = (1..=n)
        .map(|n| format!("- [ ] Repair part {n} of the checkout, which was broken by the last release\n"))
        .collect();
    let t = std::time::Instant::now();
    let issue = asked(&world, &body).await;
    eprintln!("asked {:?} requests {}", t.elapsed(), world.github.requests().len());
    let t = std::time::Instant::now();
    approve(&world, issue).await;
    eprintln!(
        "opened {:?} requests {} commits {}",
        t.elapsed(),
        world.github.requests().len(),
        world.house().engine.store().commits()
    );
    let mut by = std::collections::BTreeMap::new();
    for r in world.github.requests() {
        let p: String = r
            .path
            .chars()
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect();
        *by.entry(format!(
            "{} {}",
            r.method,
            p.replace("00", "0").replace("00", "0").replace("00", "0")
        ))
        .or_insert(0) += 1;
    }
    eprintln!("{by:#?}");
}
