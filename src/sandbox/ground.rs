//! What tests and the page set: roles, permissions, features, faults, hooks and deliveries.

use std::sync::PoisonError;

use super::Sandbox;
use super::acts::repos::Selection;
use super::courier::{self, Delivery};
use super::faults::FaultRule;
use super::hooks::{DeliveryReport, Hook, HookKind, Outcome, Packet};
use super::ids::*;
use super::model::*;
use super::server;

impl Sandbox {
    /// Gives a person a role on this repository; the account is made when there is none.
    pub fn set_role(&self, login: &str, role: Role) {
        self.shared.with(|world| {
            let account = world.account_or_new(login);
            if let Some(repo) = world.repos.get_mut(&self.focus) {
                repo.roles.insert(account, role);
            }
        });
    }

    /// Makes a team `org/slug` of exactly these people.
    pub fn set_team(&self, full_name: &str, logins: &[&str]) {
        self.shared.with(|world| world.set_team(full_name, logins));
    }

    /// Removes an account: what it wrote shows as `ghost`'s.
    pub fn remove_account(&self, login: &str) {
        self.shared.with(|world| {
            if let Some(id) = world.account_named(login).map(|account| account.id) {
                world.remove_account(id);
            }
        });
    }

    /// Gives an account another login; its id stays.
    pub fn rename_account(&self, login: &str, to: &str) {
        self.shared.with(|world| {
            if let Some(id) = world.account_named(login).map(|account| account.id)
                && let Some(account) = world.accounts.get_mut(&id)
            {
                to.clone_into(&mut account.login);
            }
        });
    }

    /// Adds an empty repository `owner/name` and tells its handle.
    pub fn add_repo(&self, full_name: &str, visibility: Visibility) -> Self {
        let (owner, name) = full_name.split_once('/').unwrap_or(("acme", full_name));
        let focus = self.shared.with(|world| {
            let owner = match world.account_named(owner) {
                Some(account) => account.id,
                None => world.add_account(owner, AccountKind::Organization),
            };
            world.add_repo(owner, name, visibility)
        });
        Self { focus, ..self.clone() }
    }

    /// Makes the repository public or private.
    pub fn set_visibility(&self, visibility: Visibility) {
        self.shared.with(|world| {
            if let Some(repo) = world.repos.get_mut(&self.focus) {
                repo.visibility = visibility;
            }
        });
    }

    /// The installation that reaches this repository.
    pub fn installation(&self) -> Option<InstallationId> {
        let world = self.shared.lock();
        world
            .repos
            .get(&self.focus)
            .and_then(|repo| world.installation_of(repo))
            .map(|installation| installation.id)
    }

    /// What the App's installation on this repository's owner may do, from now on.
    pub fn set_app_permissions(&self, permissions: &[(&str, Access)]) {
        let permissions: Permissions = permissions
            .iter()
            .map(|(name, access)| ((*name).to_owned(), *access))
            .collect();
        self.shared.with(|world| {
            let owner = world.repos.get(&self.focus).map(|repo| repo.owner);
            for installation in world
                .installations
                .values_mut()
                .filter(|found| Some(found.account) == owner)
            {
                installation.permissions.clone_from(&permissions);
            }
        });
    }

    /// Takes the App off this repository's owner.
    pub fn uninstall(&self) {
        self.shared.with(|world| {
            let found = world
                .repos
                .get(&self.focus)
                .and_then(|repo| Some((repo.owner, world.installation_of(repo)?.id)));
            if let Some((owner, id)) = found {
                world.uninstall(owner, id);
            }
        });
    }

    /// Installs the App on this repository's owner, for all its repositories.
    pub fn install(&self) -> Option<InstallationId> {
        self.shared.with(|world| {
            let owner = world.repos.get(&self.focus)?.owner;
            Some(world.install(owner, owner, Reach::All))
        })
    }

    /// Takes this repository out of what the installation reaches.
    pub fn unselect(&self) {
        self.set_reach(Selection::Removed);
    }

    /// Puts this repository into what the owner's installation reaches.
    pub fn select(&self) {
        self.set_reach(Selection::Added);
    }

    fn set_reach(&self, change: Selection) {
        self.shared.with(|world| {
            let Some(repo) = world.repos.get(&self.focus) else {
                return;
            };
            let owner = repo.owner;
            let found = world
                .installations
                .values()
                .find(|found| found.account == owner && found.presence == Presence::Present)
                .map(|found| found.id);
            if let Some(id) = found {
                world.set_reach(owner, id, self.focus, change);
            }
        });
    }

    /// Takes a part of GitHub away, as on an older Enterprise Server.
    pub fn switch_off(&self, feature: Feature) {
        self.shared.with(|world| world.missing.insert(feature));
    }

    /// Brings it back.
    pub fn switch_on(&self, feature: Feature) {
        self.shared.with(|world| world.missing.remove(&feature));
    }

    /// Adds a rule by which requests go wrong.
    pub fn fault(&self, rule: FaultRule) {
        self.shared.with(|world| world.faults.push(rule));
    }

    /// Ends all faults.
    pub fn heal(&self) {
        self.shared.with(|world| world.faults.clear());
    }

    /// How many requests the installation may still make in this hour.
    pub fn set_remaining(&self, remaining: u64) {
        self.shared.with(|world| {
            for installation in world.installations.values_mut() {
                installation.rate.used = installation.rate.limit.saturating_sub(remaining);
            }
        });
    }

    /// The App's id.
    pub fn app_id(&self) -> u64 {
        self.shared.lock().app.id
    }

    /// The login of the App's own account, `slug[bot]`.
    pub fn bot_login(&self) -> String {
        let world = self.shared.lock();
        world.login(world.app.bot).to_owned()
    }

    /// The secret of the App's webhook.
    pub fn webhook_secret(&self) -> String {
        let world = self.shared.lock();
        world
            .hooks
            .iter()
            .find(|hook| hook.kind == HookKind::App)
            .map(|hook| hook.secret.clone())
            .unwrap_or_default()
    }

    /// Signs the App's webhooks with another secret from now on.
    pub fn set_webhook_secret(&self, secret: &str) {
        self.shared.with(|world| {
            for hook in world.hooks.iter_mut().filter(|hook| hook.kind == HookKind::App) {
                secret.clone_into(&mut hook.secret);
            }
        });
    }

    /// Where the App's webhook goes.
    pub fn set_hook_target(&self, url: &str) {
        self.shared.with(|world| {
            for hook in world.hooks.iter_mut().filter(|hook| hook.kind == HookKind::App) {
                hook.url = Some(url.to_owned());
            }
        });
    }

    /// Adds a webhook of the repository itself: the same events arrive again, with other delivery ids. It sends a
    /// `ping` first, as on GitHub.
    pub fn add_repository_hook(&self, url: &str, secret: &str) -> HookId {
        self.shared.with(|world| {
            let id = HookId(world.counters.next("hook", 480_000_001));
            let kind = HookKind::Repository(self.focus);
            world.hooks.push(Hook {
                id,
                kind,
                url: Some(url.to_owned()),
                secret: secret.to_owned(),
            });
            world.emit_ping(id);
            id
        })
    }

    /// Sends a `ping` through the App's webhook.
    pub fn ping(&self) {
        self.shared.with(|world| {
            if let Some(id) = world
                .hooks
                .iter()
                .find(|hook| hook.kind == HookKind::App)
                .map(|hook| hook.id)
            {
                world.emit_ping(id);
            }
        });
    }

    /// When webhooks leave, from now on.
    pub fn set_delivery(&self, delivery: Delivery) {
        *self.shared.delivery.lock().unwrap_or_else(PoisonError::into_inner) = delivery;
        self.shared.wake.notify_one();
    }

    /// What waits in the queue, the oldest first.
    pub fn pending(&self) -> Vec<Packet> {
        self.shared.lock().queue.iter().cloned().collect()
    }

    /// Takes the oldest packet out of the queue, to be sent, changed, doubled or thrown away by the caller. GitHub's
    /// list of deliveries knows nothing of it until it is given to [`Sandbox::deliver`] or [`Sandbox::lose`].
    pub fn take_next(&self) -> Option<Packet> {
        courier::take(&self.shared)
    }

    /// Posts a packet, one taken or one made up, and records what became of it.
    pub async fn deliver(&self, packet: Packet) -> DeliveryReport {
        courier::carry(&self.shared, packet).await
    }

    /// Records a packet as one that did not arrive.
    pub fn lose(&self, packet: Packet) -> DeliveryReport {
        self.shared
            .with(|world| world.record_attempt(packet, 0.0, Outcome::Unreachable))
    }

    /// Posts the oldest packet; nothing when the queue is empty.
    pub async fn deliver_next(&self) -> Option<DeliveryReport> {
        let packet = self.take_next()?;
        Some(self.deliver(packet).await)
    }

    /// Posts one after another until the queue is empty, those that come in meanwhile included.
    pub async fn deliver_all(&self) -> Vec<DeliveryReport> {
        let mut reports = Vec::new();
        while let Some(report) = self.deliver_next().await {
            reports.push(report);
        }
        reports
    }

    /// Drops the oldest packet for good: GitHub's list of deliveries knows nothing of it. Nothing when the queue is empty.
    pub fn drop_next(&self) -> Option<Packet> {
        self.take_next()
    }

    /// Drops all packets that wait, for good; tells how many.
    pub fn drop_all(&self) -> usize {
        std::iter::from_fn(|| self.drop_next()).count()
    }

    /// Carries out what [`FaultKind::ExecuteLate`](super::FaultKind::ExecuteLate) held back; tells how much.
    pub fn carry_out_late(&self) -> usize {
        let late = self.shared.with(|world| std::mem::take(&mut world.late));
        for request in &late {
            self.shared.with(|world| server::carry_out(world, request));
        }
        late.len()
    }

    /// Loses the oldest packet; nothing when the queue is empty.
    pub fn lose_next(&self) -> Option<DeliveryReport> {
        let packet = self.take_next()?;
        Some(self.lose(packet))
    }
}
