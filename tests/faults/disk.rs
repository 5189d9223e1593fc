//! A disk that is full, and one that cannot be written.
//!
//! The server runs on a file system of its own, a few megabytes of memory, in a mount namespace that ends with the test.
//! That takes the right to mount. Where it is not given the tests fail and say so, unless `COUNTERSIGN_TEST_WITHOUT_MOUNT`
//! is set: then they say that nothing was tested.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use countersign::store::Store;

use crate::kill::Progress;
use crate::program::{Program, one};
use crate::servers::Servers;
use crate::stage::{Base, Size, Stage};

/// A small disk, which goes with the test.
struct Disk {
    /// Holds the namespace; it ends when its standard input does.
    holder: Child,
    place: PathBuf,
}

impl Disk {
    /// Mounts it over this place, which others do not see. Nothing where that is not allowed and need not be.
    fn mount(place: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&place).unwrap();
        let script = "mount -t tmpfs -o size=\"$1\" tmpfs \"$2\" && echo mounted && exec cat > /dev/null";
        let mut holder = Command::new("unshare")
            .args(["--mount", "sh", "-c", script, "sh", size])
            .arg(&place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        if line == "mounted\n" {
            return Some(Self { holder, place });
        }
        let said = holder.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(
            std::env::var_os("COUNTERSIGN_TEST_WITHOUT_MOUNT").is_some(),
            "this test mounts a small file system, as root, and was refused: {said}. With \
             COUNTERSIGN_TEST_WITHOUT_MOUNT=1 it is left out."
        );
        println!("NOT TESTED: no file system can be mounted here: {said}");
        None
    }

    fn holder(&self) -> String {
        self.holder.id().to_string()
    }

    /// The program, started where it sees the disk.
    fn on(&self, program: Program) -> Program {
        program.started_by(&["nsenter", "--mount", "--target", &self.holder(), "--"])
    }

    /// Its files, as others see them.
    fn seen(&self) -> PathBuf {
        let place = self.place.strip_prefix("/").unwrap();
        PathBuf::from(format!("/proc/{}/root", self.holder())).join(place)
    }

    /// A copy of the database, as the operator makes one beside the server.
    fn backup(&self, server: &Program, stage: &Stage) -> Store {
        let copy = stage.home().join("copy.sqlite");
        let _ = std::fs::remove_file(&copy);
        let made = server.command(&["backup", copy.to_str().unwrap()]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Store::read_only(&copy).unwrap()
    }

    fn remount(&self, options: &str) {
        let done = Command::new("nsenter")
            .args(["--mount", "--target", &self.holder(), "--", "mount", "-o"])
            .arg(format!("remount,{options}"))
            .arg(&self.place)
            .status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

/// A stage whose SQLite file lies on a disk of its own.
async fn stage_on_a_disk() -> Option<(Stage, Disk)> {
    let mut stage = Stage::new(Base::Sqlite, Size::short(0, 0).patience).await;
    let disk = Disk::mount(stage.home().join("disk"), "64m")?;
    let file = disk.place.join("bot.sqlite");
    stage.set("COUNTERSIGN_DATABASE_URL", &format!("sqlite:{}", file.display()));
    Some((stage, disk))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_takes_no_deliveries_and_loses_none() {
    let Some((stage, disk)) = stage_on_a_disk().await else {
        return;
    };
    let mut servers = Servers::of(&stage, vec![disk.on(stage.server(0))]).await;
    let first = stage.people.story().await;
    let running = servers.at(0);
    let stories = stage.stories(3);
    let mut progress = Progress::of(&stage.github);
    progress.more(10).await;

    // Something else fills it.
    let mut filling = std::fs::File::create(disk.seen().join("filling")).unwrap();
    let block = vec![b'x'; 64 * 1024];
    while filling.write_all(&block).is_ok() {}
    let (status, body) = loop {
        // What is left of the log's pages is used up first.
        let _ = stage.github.as_("carol").comment(first, &"A long text. ".repeat(2_000));
        stage.github.settled().await;
        let answer = running.get("/readyz").await;
        if answer.0 != 200 {
            break answer;
        }
    };
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("full") || body.contains("disk"), "{body}");
    let asked = stage.github.as_("rita").comment(first, "/status").unwrap();
    stage.github.settled().await;
    assert_eq!(stage.github.reactions(asked), [], "it was not heard");
    assert_eq!(running.get("/livez").await.0, 200);

    // There is room again. What was held when its end could not be kept is free when its lease has ended.
    drop(filling);
    std::fs::remove_file(disk.seen().join("filling")).unwrap();
    stage.let_leases_end();
    let ready = async {
        while running.get("/readyz").await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), ready)
        .await
        .expect("there is room again");
    // The sweep asks for what was answered 503.
    let others = servers.until_the_end(stories).await;
    let backup = disk.on(stage.server(1));
    servers.settle_as(async || disk.backup(&backup, &stage)).await;
    stage.was_answered(asked);
    stage.nothing_twice();
    assert_eq!(stage.mails(), others.len() + 1);
    servers.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_disk_refuses_to_start_and_changes_nothing() {
    let Some((stage, disk)) = stage_on_a_disk().await else {
        return;
    };
    let server = disk.on(stage.server(0));
    let running = stage.start(&server).await;
    running.stop().await;
    disk.remount("ro");
    one(
        &server.refuse().await,
        &["bot.sqlite", "cannot be opened", "may write to"],
    );
    disk.remount("rw");
    let running = stage.start(&server).await;
    stage.people.story().await;
    running.kill();
}
