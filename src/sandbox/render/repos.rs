//! Accounts, repositories, the App and its installations as JSON.

use serde_json::{Map, Value, json};

use crate::sandbox::clock::stamp;
use crate::sandbox::ids::*;
use crate::sandbox::model::*;

/// The id of the account that GitHub shows in the place of removed ones.
const GHOST: u64 = 10137;

/// An account; a removed one shows as `ghost`.
pub fn user(world: &World, id: AccountId) -> Value {
    let account = world
        .accounts
        .get(&id)
        .filter(|account| account.presence == Presence::Present);
    let (id, login, kind) = match account {
        Some(account) => (account.id.0, account.login.as_str(), account.kind),
        None => (GHOST, "ghost", AccountKind::User),
    };
    let prefix = match kind {
        AccountKind::User => "U",
        AccountKind::Organization => "O",
        AccountKind::Bot => "BOT",
    };
    let path_login = login.replace('[', "%5B").replace(']', "%5D");
    let api = format!("{}/users/{path_login}", world.base);
    let html = match login.strip_suffix("[bot]") {
        Some(slug) => format!("{}/apps/{slug}", world.site),
        None => format!("{}/{login}", world.site),
    };
    json!({
        "login": login,
        "id": id,
        "node_id": node_id(prefix, id),
        "avatar_url": format!("{}/avatars/u/{id}", world.site),
        "gravatar_id": "",
        "url": api,
        "html_url": html,
        "followers_url": format!("{api}/followers"),
        "following_url": format!("{api}/following{{/other_user}}"),
        "gists_url": format!("{api}/gists{{/gist_id}}"),
        "starred_url": format!("{api}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url": format!("{api}/subscriptions"),
        "organizations_url": format!("{api}/orgs"),
        "repos_url": format!("{api}/repos"),
        "events_url": format!("{api}/events{{/privacy}}"),
        "received_events_url": format!("{api}/received_events"),
        "type": match kind {
            AccountKind::User => "User",
            AccountKind::Organization => "Organization",
            AccountKind::Bot => "Bot",
        },
        "site_admin": false,
    })
}

/// The answer of `GET /users/{username}`.
pub fn public_user(world: &World, account: &Account) -> Value {
    let mut value = user(world, account.id);
    extend(
        &mut value,
        json!({
            "name": null, "company": null, "blog": "", "location": null, "email": null, "hireable": null, "bio": null,
            "twitter_username": null, "public_repos": 0, "public_gists": 0, "followers": 0, "following": 0,
            "user_view_type": "public",
            "created_at": stamp(account.created_at), "updated_at": stamp(account.created_at),
        }),
    );
    value
}

/// An organisation as webhooks carry it.
pub fn organization(world: &World, account: &Account) -> Value {
    let api = format!("{}/orgs/{}", world.base, account.login);
    json!({
        "login": account.login,
        "id": account.id,
        "node_id": node_id("O", account.id.0),
        "url": api,
        "repos_url": format!("{api}/repos"),
        "events_url": format!("{api}/events"),
        "hooks_url": format!("{api}/hooks"),
        "issues_url": format!("{api}/issues"),
        "members_url": format!("{api}/members{{/member}}"),
        "public_members_url": format!("{api}/public_members{{/member}}"),
        "avatar_url": format!("{}/avatars/u/{}", world.site, account.id),
        "description": null,
    })
}

const REPOSITORY_URLS: &[(&str, &str)] = &[
    ("forks_url", "/forks"),
    ("keys_url", "/keys{/key_id}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("teams_url", "/teams"),
    ("hooks_url", "/hooks"),
    ("issue_events_url", "/issues/events{/number}"),
    ("events_url", "/events"),
    ("assignees_url", "/assignees{/user}"),
    ("branches_url", "/branches{/branch}"),
    ("tags_url", "/tags"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("trees_url", "/git/trees{/sha}"),
    ("statuses_url", "/statuses/{sha}"),
    ("languages_url", "/languages"),
    ("stargazers_url", "/stargazers"),
    ("contributors_url", "/contributors"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("commits_url", "/commits{/sha}"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("comments_url", "/comments{/number}"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("contents_url", "/contents/{+path}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("merges_url", "/merges"),
    ("archive_url", "/{archive_format}{/ref}"),
    ("downloads_url", "/downloads"),
    ("issues_url", "/issues{/number}"),
    ("pulls_url", "/pulls{/number}"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("labels_url", "/labels{/name}"),
    ("releases_url", "/releases{/id}"),
    ("deployments_url", "/deployments"),
];

/// A repository's own part of the API.
pub fn repo_url(world: &World, repo: &Repo) -> String {
    format!("{}/repos/{}", world.base, world.full_name(repo))
}

/// A repository's page.
pub fn repo_page(world: &World, repo: &Repo) -> String {
    format!("{}/{}", world.site, world.full_name(repo))
}

/// The fields that every form of a repository has.
fn basic_repository(world: &World, repo: &Repo) -> Map<String, Value> {
    let api = repo_url(world, repo);
    let mut map = Map::new();
    map.insert("id".into(), repo.id.0.into());
    map.insert("node_id".into(), node_id("R", repo.id.0).into());
    map.insert("name".into(), repo.name.clone().into());
    map.insert("full_name".into(), world.full_name(repo).into());
    map.insert("private".into(), (repo.visibility == Visibility::Private).into());
    map.insert("owner".into(), user(world, repo.owner));
    map.insert("html_url".into(), repo_page(world, repo).into());
    map.insert("description".into(), Value::Null);
    map.insert("fork".into(), false.into());
    map.insert("url".into(), api.clone().into());
    for (key, suffix) in REPOSITORY_URLS {
        map.insert((*key).into(), format!("{api}{suffix}").into());
    }
    map
}

/// A repository as webhooks and `GET /installation/repositories` show it.
pub fn repository(world: &World, repo: &Repo) -> Value {
    let page = repo_page(world, repo);
    let full_name = world.full_name(repo);
    let open = world
        .issues
        .values()
        .filter(|i| i.repo == repo.id && i.is_present() && i.is_open() && !i.is_discussion())
        .count();
    let mut value = Value::Object(basic_repository(world, repo));
    extend(
        &mut value,
        json!({
            "created_at": stamp(repo.created_at),
            "updated_at": stamp(repo.updated_at),
            "pushed_at": stamp(repo.updated_at),
            "git_url": format!("git://{}/{full_name}.git", host_of(&world.site)),
            "ssh_url": format!("git@{}:{full_name}.git", host_of(&world.site)),
            "clone_url": format!("{page}.git"),
            "svn_url": page,
            "homepage": null,
            "size": 1,
            "stargazers_count": 0,
            "watchers_count": 0,
            "language": null,
            "has_issues": true,
            "has_projects": true,
            "has_downloads": true,
            "has_wiki": true,
            "has_pages": false,
            "has_discussions": false,
            "forks_count": 0,
            "mirror_url": null,
            "archived": repo.archived,
            "disabled": false,
            "open_issues_count": open,
            "license": null,
            "allow_forking": true,
            "is_template": false,
            "web_commit_signoff_required": false,
            "topics": [],
            "visibility": match repo.visibility { Visibility::Public => "public", Visibility::Private => "private" },
            "forks": 0,
            "open_issues": open,
            "watchers": 0,
            "default_branch": repo.default_branch,
            "custom_properties": {},
        }),
    );
    value
}

/// The answer of `GET /repos/{owner}/{repo}`.
pub fn full_repository(world: &World, repo: &Repo, level: Level) -> Value {
    let mut value = repository(world, repo);
    extend(
        &mut value,
        json!({
            "permissions": permissions_of(level),
            "temp_clone_token": "",
            "network_count": 0,
            "subscribers_count": 0,
            "allow_squash_merge": true,
            "allow_merge_commit": true,
            "allow_rebase_merge": true,
            "allow_auto_merge": false,
            "delete_branch_on_merge": false,
            "allow_update_branch": false,
        }),
    );
    if let Some(owner) = world.accounts.get(&repo.owner)
        && owner.kind == AccountKind::Organization
    {
        extend(&mut value, json!({ "organization": user(world, owner.id) }));
    }
    value
}

/// The five booleans by which GitHub tells what somebody may do.
pub fn permissions_of(level: Level) -> Value {
    json!({
        "admin": level >= Level::Admin,
        "maintain": level >= Level::Maintain,
        "push": level >= Level::Write,
        "triage": level >= Level::Triage,
        "pull": level >= Level::Read,
    })
}

/// A person in the light of one repository.
pub fn collaborator(world: &World, repo: &Repo, account: AccountId) -> Value {
    let mut value = user(world, account);
    extend(
        &mut value,
        json!({ "permissions": permissions_of(repo.level(account)), "role_name": role_name(repo, account) }),
    );
    value
}

/// The role's name as GitHub answers it: whoever may read only because the repository is public has `read`.
pub fn role_name(repo: &Repo, account: AccountId) -> String {
    let role = repo.role(account);
    match role {
        Role::None => repo.level(account).role_name().to_owned(),
        role => role.name().to_owned(),
    }
}

fn permission_map(permissions: &Permissions) -> Value {
    permissions
        .iter()
        .map(|(name, access)| (name.clone(), Value::from(access.name())))
        .collect::<Map<_, _>>()
        .into()
}

/// The App itself.
pub fn app(world: &World) -> Value {
    let app = &world.app;
    json!({
        "id": app.id,
        "slug": app.slug,
        "client_id": format!("Iv23sandbox{}", app.id),
        "node_id": node_id("A", app.id),
        "owner": user(world, app.owner),
        "name": app.name,
        "description": "",
        "external_url": format!("{}/apps/{}", world.site, app.slug),
        "html_url": format!("{}/apps/{}", world.site, app.slug),
        "created_at": stamp(app.created_at),
        "updated_at": stamp(app.created_at),
        "permissions": permission_map(&app.permissions),
        "events": app.events,
    })
}

/// The App as issues and comments name it, without what webhook schemas do not know.
pub fn app_reference(world: &World) -> Value {
    let mut value = app(world);
    if let Some(map) = value.as_object_mut() {
        map.remove("client_id");
    }
    value
}

/// An installation.
pub fn installation(world: &World, installation: &Installation) -> Value {
    let account = world.accounts.get(&installation.account);
    let (login, kind) = match account {
        Some(account) if account.kind == AccountKind::Organization => (account.login.as_str(), "Organization"),
        Some(account) => (account.login.as_str(), "User"),
        None => ("ghost", "User"),
    };
    let page = match kind {
        "Organization" => format!(
            "{}/organizations/{login}/settings/installations/{}",
            world.site, installation.id
        ),
        _ => format!("{}/settings/installations/{}", world.site, installation.id),
    };
    json!({
        "id": installation.id,
        "account": user(world, installation.account),
        "repository_selection": selection(installation),
        "access_tokens_url": format!("{}/app/installations/{}/access_tokens", world.base, installation.id),
        "repositories_url": format!("{}/installation/repositories", world.base),
        "html_url": page,
        "app_id": world.app.id,
        "app_slug": world.app.slug,
        "target_id": installation.account,
        "target_type": kind,
        "permissions": permission_map(&installation.permissions),
        "events": world.app.events,
        "created_at": stamp(installation.created_at),
        "updated_at": stamp(installation.created_at),
        "single_file_name": null,
        "has_multiple_single_files": false,
        "single_file_paths": [],
        "suspended_by": null,
        "suspended_at": null,
    })
}

/// `all` or `selected`.
pub fn selection(installation: &Installation) -> &'static str {
    match installation.reach {
        Reach::All => "all",
        Reach::Selected(_) => "selected",
    }
}

/// An installation token's answer.
pub fn token(world: &World, token: &Token) -> Value {
    let mut value = json!({
        "token": token.text,
        "expires_at": stamp(token.expires_at),
        "permissions": permission_map(&token.permissions),
        "repository_selection": match &token.repositories {
            Some(_) => "selected",
            None => world.installations.get(&token.installation).map_or("selected", selection),
        },
    });
    if let Some(ids) = &token.repositories {
        let repos: Vec<Value> = ids
            .iter()
            .filter_map(|id| world.repos.get(id))
            .map(|repo| repository(world, repo))
            .collect();
        extend(&mut value, json!({ "repositories": repos }));
    }
    value
}

/// A label of a repository.
pub fn label(world: &World, repo: &Repo, label: &Label) -> Value {
    json!({
        "id": label.id,
        "node_id": node_id("LA", label.id.0),
        "url": format!("{}/labels/{}", repo_url(world, repo), path_encode(&label.name)),
        "name": label.name,
        "color": label.color,
        "default": false,
        "description": label.description,
    })
}

/// A commit of the default branch, by its place among them.
pub fn commit(world: &World, repo: &Repo, at: usize) -> Value {
    let commit = &repo.commits[at];
    let (api, page) = (repo_url(world, repo), repo_page(world, repo));
    let sha = &commit.sha;
    let by = user(world, commit.author);
    let login = by["login"].as_str().unwrap_or_default();
    let who = json!({
        "name": login, "email": format!("{login}@users.noreply.github.com"), "date": stamp(commit.at),
    });
    let tree = sha_of(&format!("tree of {sha}"));
    let parents = at.checked_sub(1).map(|before| {
        let sha = &repo.commits[before].sha;
        json!({ "sha": sha, "url": format!("{api}/commits/{sha}"), "html_url": format!("{page}/commit/{sha}") })
    });
    json!({
        "sha": sha,
        "node_id": node_id("C", at as u64),
        "commit": {
            "author": who,
            "committer": who,
            "message": commit.message,
            "tree": { "sha": tree, "url": format!("{api}/git/trees/{tree}") },
            "url": format!("{api}/git/commits/{sha}"),
            "comment_count": 0,
            "verification": {
                "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null,
            },
        },
        "url": format!("{api}/commits/{sha}"),
        "html_url": format!("{page}/commit/{sha}"),
        "comments_url": format!("{api}/commits/{sha}/comments"),
        "author": by,
        "committer": by,
        "parents": parents.into_iter().collect::<Vec<_>>(),
    })
}

/// Percent-encodes one path segment.
pub fn path_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn host_of(site: &str) -> &str {
    site.split_once("://").map_or(site, |(_, rest)| rest)
}

/// Adds the fields of one JSON object to another.
pub fn extend(value: &mut Value, more: Value) {
    if let (Some(map), Value::Object(more)) = (value.as_object_mut(), more) {
        map.extend(more);
    }
}
