//! Files that decide what runs, who is asked, or what may be done with the code.

use std::fmt;

use super::folded;

/// Why a person must have approved a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// Within `.github`: workflows, the bot's own configuration, templates.
    GithubFolder,
    /// Who is asked for a review.
    CodeOwners,
    /// What the project depends on, or the exact versions.
    Dependencies,
    /// What coding agents are told.
    AgentInstructions,
    /// What git runs for whoever checks it out.
    GitHooks,
    /// How git treats files.
    GitAttributes,
    /// How an image is built or run.
    Container,
    /// What a cluster runs.
    Cluster,
    /// What a build service runs.
    BuildService,
    /// Under which terms the code is given.
    Licence,
}

impl fmt::Display for Care {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GithubFolder => "a file of .github, which decides what GitHub runs",
            Self::CodeOwners => "the code owners, which decide who reviews",
            Self::Dependencies => "a manifest or lock file, which decides what is installed",
            Self::AgentInstructions => "instructions for coding agents",
            Self::GitHooks => "a hook, which runs on the machine of whoever works here",
            Self::GitAttributes => "git's attributes, which decide how files are treated at checkout",
            Self::Container => "how an image is built or run",
            Self::Cluster => "what a cluster runs",
            Self::BuildService => "what a build service runs",
            Self::Licence => "the licence",
        })
    }
}

const AGENT_FOLDERS: [&str; 5] = [".claude", ".codex", ".cursor", ".gemini", ".windsurf"];

const AGENT_FILES: [&str; 7] = [
    "agents.md",
    "agents.override.md",
    "claude.md",
    "claude.local.md",
    "gemini.md",
    ".cursorrules",
    ".mcp.json",
];

const HOOK_FOLDERS: [&str; 3] = [".husky", ".githooks", ".git-hooks"];

const HOOK_FILES: [&str; 4] = [
    ".pre-commit-config.yaml",
    ".pre-commit-config.yml",
    "lefthook.yml",
    ".lefthook.yml",
];

const DEPENDENCY_FILES: [&str; 52] = [
    "cargo.toml",
    "cargo.lock",
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "bun.lock",
    "bun.lockb",
    "deno.json",
    "deno.lock",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    "pyproject.toml",
    "poetry.lock",
    "uv.lock",
    "pdm.lock",
    "pipfile",
    "pipfile.lock",
    "setup.py",
    "setup.cfg",
    "constraints.txt",
    "environment.yml",
    "go.mod",
    "go.sum",
    "go.work",
    "go.work.sum",
    "gemfile",
    "gemfile.lock",
    "composer.json",
    "composer.lock",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "settings.gradle",
    "settings.gradle.kts",
    "gradle.properties",
    "gradle.lockfile",
    "gradle-wrapper.properties",
    "build.sbt",
    "packages.config",
    "packages.lock.json",
    "directory.packages.props",
    "mix.exs",
    "mix.lock",
    "pubspec.yaml",
    "pubspec.lock",
    "package.swift",
    "package.resolved",
    "flake.lock",
];

const DEPENDENCY_ENDS: [&str; 4] = [".csproj", ".fsproj", ".gemspec", ".cabal"];

const CLUSTER_FOLDERS: [&str; 6] = ["k8s", "kubernetes", "helm", "charts", "kustomize", "manifests"];

const CLUSTER_FILES: [&str; 5] = [
    "kustomization.yaml",
    "kustomization.yml",
    "chart.yaml",
    "helmfile.yaml",
    "skaffold.yaml",
];

const BUILD_FOLDERS: [&str; 6] = [".circleci", ".buildkite", ".gitlab", ".woodpecker", ".tekton", ".drone"];

const BUILD_FILES: [&str; 14] = [
    ".gitlab-ci.yml",
    ".travis.yml",
    ".drone.yml",
    ".woodpecker.yml",
    ".cirrus.yml",
    ".appveyor.yml",
    "appveyor.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "jenkinsfile",
    "cloudbuild.yaml",
    "cloudbuild.yml",
    "buildspec.yml",
    ".semaphore.yml",
];

/// What a person must be asked about, where anything.
pub(super) fn care(path: &str) -> Option<Care> {
    let path = folded(path);
    let segments: Vec<&str> = path.split('/').collect();
    let (name, folders) = segments.split_last()?;
    let first = folders.first().copied().unwrap_or_default();
    let within = |names: &[&str]| folders.iter().any(|folder| names.contains(folder));
    let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    let starts = |stem: &str| {
        let rest = name.strip_prefix(stem);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    };
    let rules = [
        (*name == "codeowners", Care::CodeOwners),
        (first == ".github", Care::GithubFolder),
        (
            within(&AGENT_FOLDERS) || AGENT_FILES.contains(name),
            Care::AgentInstructions,
        ),
        (within(&HOOK_FOLDERS) || HOOK_FILES.contains(name), Care::GitHooks),
        (*name == ".gitattributes", Care::GitAttributes),
        (
            starts("dockerfile")
                || starts("containerfile")
                || name.ends_with(".dockerfile")
                || *name == ".dockerignore"
                || yaml && (starts("docker-compose") || starts("compose")),
            Care::Container,
        ),
        (
            CLUSTER_FILES.contains(name)
                || within(&CLUSTER_FOLDERS) && (yaml || name.ends_with(".json") || name.ends_with(".tpl")),
            Care::Cluster,
        ),
        (within(&BUILD_FOLDERS) || BUILD_FILES.contains(name), Care::BuildService),
        (
            DEPENDENCY_FILES.contains(name)
                || DEPENDENCY_ENDS.iter().any(|end| name.ends_with(end))
                || name.starts_with("requirements") && name.ends_with(".txt"),
            Care::Dependencies,
        ),
        (
            ["license", "licence", "copying", "notice", "unlicense"]
                .into_iter()
                .any(starts)
                || first == "licenses",
            Care::Licence,
        ),
    ];
    rules.into_iter().find(|(meets, _)| *meets).map(|(_, care)| care)
}
