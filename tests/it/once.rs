//! However often and in whatever order GitHub tells it: everything is done once.

use countersign::sandbox::Packet;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::world::whole_story::{Course, Outcome, Plain, setup, tell};
use crate::world::{SECRET, World};

/// How it ends when everything arrives once.
async fn plain() -> Outcome {
    let mut world = setup().start().await;
    let outcome = tell(&mut world, &mut Plain).await;
    world.close().await;
    outcome
}

#[tokio::test]
async fn the_whole_story_opens_three_issues_and_sends_one_mail() {
    let mut world = setup().start().await;
    let outcome = tell(&mut world, &mut Plain).await;
    assert_eq!(outcome.count("issue by countersign[bot]"), 4, "{outcome:#?}");
    assert_eq!(outcome.count("mail"), 1, "{outcome:#?}");
    assert_eq!(outcome.count("workflow: completed"), 1, "{outcome:#?}");
    for issue in world.github.issues() {
        world.card_comment(issue.number);
        world.hear(issue.number);
    }
    world.end().await;
}

/// Each delivery arrives so many times.
struct Repeated(usize);

impl Course for Repeated {
    async fn settle(&mut self, world: &mut World) {
        while let Some(packet) = world.github.take_next() {
            for _ in 0..self.0 {
                let report = world.github.deliver(packet.clone()).await;
                assert_eq!(report.status, 202);
            }
            world.house().engine.pump().await.unwrap();
        }
        world.settle().await;
    }
}

#[tokio::test]
async fn the_same_delivery_ten_times() {
    let mut world = setup().start().await;
    let outcome = tell(&mut world, &mut Repeated(10)).await;
    outcome.assert_is(&plain().await, "when every delivery arrives ten times");
    world.close().await;
}

#[tokio::test]
async fn two_hooks_with_delivery_ids_of_their_own() {
    let mut world = setup().start().await;
    world.github.add_repository_hook(world.webhook_url(), SECRET);
    let outcome = tell(&mut world, &mut Plain).await;
    outcome.assert_is(&plain().await, "when a hook of the repository tells it too");
    world.close().await;
}

/// Every delivery comes twice, a second time under an id of its own, in any order, with earlier ones among them.
pub struct Shuffled {
    random: StdRng,
    earlier: Vec<Packet>,
    renamed: usize,
}

impl Shuffled {
    pub fn new(seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            earlier: Vec::new(),
            renamed: 0,
        }
    }

    /// The same event as if another hook of the App told it.
    fn renamed(&mut self, packet: &Packet) -> Packet {
        self.renamed += 1;
        let mut packet = packet.clone();
        packet.guid = format!("{}-{}", packet.guid, self.renamed);
        for (name, value) in &mut packet.headers {
            if name == "X-GitHub-Delivery" {
                value.clone_from(&packet.guid);
            }
        }
        packet
    }
}

impl Course for Shuffled {
    async fn settle(&mut self, world: &mut World) {
        loop {
            let new: Vec<Packet> = std::iter::from_fn(|| world.github.take_next()).collect();
            if new.is_empty() && world.house().engine.pump().await.unwrap() == 0 {
                return;
            }
            let mut sent = Vec::new();
            for packet in &new {
                sent.extend([packet.clone(), packet.clone(), self.renamed(packet)]);
            }
            for _ in 0..self.earlier.len().min(3) {
                let packet = self.earlier[self.random.random_range(0..self.earlier.len())].clone();
                sent.push(if self.random.random() {
                    self.renamed(&packet)
                } else {
                    packet
                });
            }
            sent.shuffle(&mut self.random);
            for packet in sent {
                assert_eq!(world.github.deliver(packet).await.status, 202);
                if self.random.random_ratio(1, 3) {
                    world.house().engine.pump().await.unwrap();
                }
            }
            self.earlier.extend(new);
            world.house().engine.pump().await.unwrap();
        }
    }
}

#[tokio::test]
async fn shuffled_and_doubled_deliveries() {
    let plain = plain().await;
    for seed in 0..6 {
        let mut world = setup().start().await;
        let mut course = Shuffled::new(seed);
        let outcome = tell(&mut world, &mut course).await;
        outcome.assert_is(
            &plain,
            &format!("when deliveries are shuffled and doubled (seed {seed})"),
        );
        world.close().await;
    }
}

#[tokio::test]
async fn all_deliveries_again_when_everything_is_over() {
    let mut world = setup().start().await;
    let mut course = Shuffled::new(7);
    let outcome = tell(&mut world, &mut course).await;
    let mut all = std::mem::take(&mut course.earlier);
    let renamed: Vec<Packet> = all.iter().map(|packet| course.renamed(packet)).collect();
    all.extend(renamed);
    all.shuffle(&mut course.random);
    for packet in all {
        assert_eq!(world.github.deliver(packet).await.status, 202);
    }
    world.settle().await;
    Outcome::of(&world)
        .await
        .assert_is(&outcome, "when all is told again at the end");
    world.close().await;
}
