use super::*;

#[test]
fn what_leaves_the_tree_or_reaches_git_itself_is_refused_by_its_rule() {
    let long = "a".repeat(300);
    let deep = "a/".repeat(2500) + "a";
    for (path, rule) in [
        ("", PathRule::Empty),
        ("../x", PathRule::DotSegment),
        ("a/../../x", PathRule::DotSegment),
        ("./a", PathRule::DotSegment),
        ("a/.", PathRule::DotSegment),
        ("/etc/passwd", PathRule::Absolute),
        ("//host/share/x", PathRule::Share),
        ("\\\\h\\s\\x", PathRule::Share),
        ("C:\\x", PathRule::Drive),
        ("c:x", PathRule::Drive),
        ("a\\b", PathRule::Backslash),
        ("a//b", PathRule::EmptySegment),
        ("a/", PathRule::EmptySegment),
        (".git/config", PathRule::GitDirectory),
        (".git", PathRule::GitDirectory),
        (".GIT/hooks/pre-commit", PathRule::GitDirectory),
        ("sub/.git/config", PathRule::GitDirectory),
        (".git /config", PathRule::GitDirectory),
        (".git./config", PathRule::GitDirectory),
        (".git. . /config", PathRule::GitDirectory),
        (".git::$INDEX_ALLOCATION/config", PathRule::GitDirectory),
        ("git~1/config", PathRule::GitDirectory),
        ("GIT~1/config", PathRule::GitDirectory),
        ("\u{FF0E}git/config", PathRule::GitDirectory),
        (".g\u{200c}it/config", PathRule::Hidden),
        (".git\u{FEFF}/config", PathRule::Hidden),
        ("x\u{202E}cod.rs", PathRule::Hidden),
        ("a\u{2066}b", PathRule::Hidden),
        ("a\u{AD}b", PathRule::Hidden),
        ("a\0b", PathRule::Control),
        ("a\nb", PathRule::Control),
        ("a\u{85}b", PathRule::Control),
        ("e\u{301}.txt", PathRule::NotNfc),
        (".gitmodules", PathRule::GitModules),
        (".GitModules", PathRule::GitModules),
        ("gitmod~1", PathRule::GitModules),
        ("GI7EBA~12", PathRule::GitModules),
        ("a./b", PathRule::TrailingDotOrSpace),
        ("a/b ", PathRule::TrailingDotOrSpace),
        ("CON", PathRule::Device),
        ("aux.txt", PathRule::Device),
        ("a/nul.tar.gz", PathRule::Device),
        ("Com1", PathRule::Device),
        ("lpt\u{b2}.log", PathRule::Device),
        ("con:x", PathRule::Device),
        ("a<b.txt", PathRule::Reserved),
        ("a>b", PathRule::Reserved),
        ("a|b", PathRule::Reserved),
        ("docs/a*b?", PathRule::Reserved),
        ("why?.md", PathRule::Reserved),
        ("a\"b", PathRule::Reserved),
        ("src/x.java:ads", PathRule::Reserved),
        ("src/x.java::$DATA", PathRule::Reserved),
        (&long, PathRule::SegmentTooLong),
        (&deep, PathRule::TooLong),
    ] {
        assert_eq!(check(path), Err(rule), "{path:?}");
    }
}

#[test]
fn what_only_looks_like_it_passes() {
    for path in [
        "src/main.rs",
        "git/config",
        ".gitignore",
        "a/.git-blame-ignore-revs",
        "x.git/y",
        "gitmodules",
        "digit~1",
        "...",
        ".a",
        "a..b/c",
        "console.log",
        "com10",
        "COM",
        "lpt",
        "icons/con-fig.svg",
        "docs/\u{e9}t\u{e9}.md",
        "\u{65e5}\u{672c}\u{8a9e}.txt",
        "with space/and-dash_and.dots",
        &"a".repeat(255),
    ] {
        let expected = if path == "..." {
            Err(PathRule::TrailingDotOrSpace)
        } else {
            Ok(Verdict::Plain)
        };
        assert_eq!(check(path), expected, "{path:?}");
    }
}

#[test]
fn what_decides_more_than_itself_needs_a_person() {
    for (path, care) in [
        (".github/workflows/ci.yml", Care::GithubFolder),
        (".GitHub/countersign.yml", Care::GithubFolder),
        (".github/CODEOWNERS", Care::CodeOwners),
        ("docs/CODEOWNERS", Care::CodeOwners),
        ("Cargo.lock", Care::Dependencies),
        ("web/package.json", Care::Dependencies),
        ("requirements-dev.txt", Care::Dependencies),
        ("src/App.csproj", Care::Dependencies),
        ("AGENTS.md", Care::AgentInstructions),
        ("sub/claude.md", Care::AgentInstructions),
        (".claude/settings.json", Care::AgentInstructions),
        (".husky/pre-commit", Care::GitHooks),
        (".githooks/post-checkout", Care::GitHooks),
        (".gitattributes", Care::GitAttributes),
        ("Dockerfile", Care::Container),
        ("docker/Dockerfile.prod", Care::Container),
        ("docker-compose.yml", Care::Container),
        ("k8s/deploy.yaml", Care::Cluster),
        ("Chart.yaml", Care::Cluster),
        (".circleci/config.yml", Care::BuildService),
        (".gitlab-ci.yml", Care::BuildService),
        ("Jenkinsfile", Care::BuildService),
        ("LICENSE", Care::Licence),
        ("LICENSE-MIT", Care::Licence),
        ("COPYING.txt", Care::Licence),
    ] {
        assert_eq!(check(path), Ok(Verdict::Ask(care)), "{path:?}");
    }
    for path in [
        "src/github/mod.rs",
        "src/license_check.rs",
        "docs/dockerfiles.md",
        "k8s/README.md",
    ] {
        assert_eq!(check(path), Ok(Verdict::Plain), "{path:?}");
    }
}

#[test]
fn a_set_has_no_two_paths_for_one_file_and_no_file_for_a_folder() {
    assert_eq!(check_all(["a/b", "a/c", "ab"]), Ok(vec![Verdict::Plain; 3]));
    let same = |other: &str| PathRule::SameAs(other.to_owned());
    assert_eq!(
        check_all(["README.md", "readme.md"]),
        Err(("readme.md", same("README.md")))
    );
    assert_eq!(check_all(["x", "x"]), Err(("x", same("x"))));
    assert_eq!(
        check_all(["stra\u{df}e", "STRASSE"]),
        Err(("STRASSE", same("stra\u{df}e")))
    );
    assert_eq!(
        check_all(["file.txt/x", "File.txt"]),
        Err(("file.txt/x", PathRule::BelowFile("File.txt".to_owned())))
    );
    // Between a file and what is below it others may sort.
    assert!(check_all(["a", "a.b", "a/b"]).is_err());
    assert_eq!(check_all(["ok", "../x"]), Err(("../x", PathRule::DotSegment)));
}

#[test]
fn a_tree_tells_what_a_path_would_go_through() {
    let tree: Tree = [
        ("link", Entry::Symlink),
        ("file.txt", Entry::File),
        ("vendor/lib", Entry::Submodule),
        ("src/main.rs", Entry::File),
        ("README.md", Entry::File),
    ]
    .into_iter()
    .collect();
    let named = str::to_owned;
    for (path, rule) in [
        ("link/evil", PathRule::BelowSymlink(named("link"))),
        ("Link/evil", PathRule::BelowSymlink(named("link"))),
        ("file.txt/x", PathRule::BelowFile(named("file.txt"))),
        ("vendor/lib/a/b", PathRule::BelowSubmodule(named("vendor/lib"))),
        ("link", PathRule::NotAFile(named("link"))),
        ("vendor/lib", PathRule::NotAFile(named("vendor/lib"))),
        ("src", PathRule::NotAFile(named("src"))),
        ("readme.md", PathRule::SameAs(named("README.md"))),
    ] {
        assert_eq!(tree.check(path), Err(rule), "{path}");
    }
    for path in ["src/main.rs", "src/lib.rs", "new/file", "lin", "vendor/other"] {
        assert_eq!(tree.check(path), Ok(()), "{path}");
    }
}

#[test]
fn attributes_name_no_filter() {
    assert_eq!(
        check_attributes("*.rs text eol=lf\n# a filter=x\n*.png -filter\n"),
        Ok(())
    );
    for text in ["*.bin filter=lfs -text", "[attr]big filter=x", "a filter"] {
        assert_eq!(check_attributes(text), Err(PathRule::Filter), "{text}");
    }
}

#[test]
fn every_rule_is_said_in_a_sentence() {
    for path in ["", "/x", "a/../b", ".git/x", "CON"] {
        let sentence = check(path).unwrap_err().to_string();
        assert!(sentence.len() > 20 && !sentence.ends_with('.'), "{sentence}");
    }
}
