//! Files below one folder, read and written without ever following a symbolic link out of it.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use crate::engine::guidelines::There;
use crate::text::paths::{self, Entry, Tree};
use crate::workflow::guidelines::Unfit;

/// The largest file that is read, in bytes: far above what a prompt may hold.
const LARGEST: u64 = 8 << 20;

/// A file that could not be read or written, and why; a sentence without an end.
#[derive(Debug)]
pub(super) struct Unusable {
    path: PathBuf,
    why: String,
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)
    }
}

fn unusable(path: &Path, why: impl ToString) -> Unusable {
    Unusable {
        path: path.to_owned(),
        why: why.to_string(),
    }
}

/// The text of the file `path` below `root`; `None` where there is none.
pub(super) fn read(root: &Path, path: &str) -> Result<Option<String>, Unusable> {
    let whole = root.join(path);
    if !parents_are_folders(root, path)? {
        return Ok(None);
    }
    let found = match fs::symlink_metadata(&whole) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(&whole, error)),
    };
    if found.is_symlink() {
        return Err(unusable(&whole, "it is a symbolic link: put the file itself there"));
    }
    if !found.is_file() {
        return Err(unusable(&whole, "it is not a file"));
    }
    if found.len() > LARGEST {
        return Err(unusable(&whole, format!("it has more than {LARGEST} bytes")));
    }
    let bytes = fs::read(&whole).map_err(|error| unusable(&whole, error))?;
    let text = String::from_utf8(bytes).map_err(|_| unusable(&whole, "it is not text in UTF-8"))?;
    Ok(Some(text))
}

/// What stands at `path` below `root`; `None` where nothing does. A symbolic link to another file of the folder is followed
/// once, as GitHub does, and no other.
pub(super) fn there(root: &Path, path: &str) -> Result<Option<There>, Unusable> {
    let whole = root.join(path);
    if is_below_a_link(root, path) {
        return Ok(Some(There::Unfit(Unfit::Link)));
    }
    let found = match fs::symlink_metadata(&whole) {
        Ok(found) => found,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unusable(&whole, error)),
    };
    if found.is_symlink() {
        let target = fs::read_link(&whole).map_err(|error| unusable(&whole, error))?;
        let within = within(path, &target);
        let led =
            within.filter(|target| matches!(fs::symlink_metadata(root.join(target)), Ok(found) if found.is_file()));
        return match led {
            Some(target) => there(root, &target),
            None => Ok(Some(There::Unfit(Unfit::Link))),
        };
    }
    if found.is_dir() {
        let unfit = match whole.join(".git").exists() {
            true => Unfit::Submodule,
            false => Unfit::Folder,
        };
        return Ok(Some(There::Unfit(unfit)));
    }
    if !found.is_file() {
        return Ok(Some(There::Unfit(Unfit::NotText)));
    }
    if found.len() > LARGEST {
        return Ok(Some(There::Unfit(Unfit::TooLarge)));
    }
    let bytes = fs::read(&whole).map_err(|error| unusable(&whole, error))?;
    Ok(Some(match String::from_utf8(bytes) {
        Ok(text) => There::Text(text, None),
        Err(_) => There::Unfit(Unfit::NotText),
    }))
}

/// Where a link at `path` leads within its folder, by its text; `None` where it leads out.
fn within(path: &str, target: &Path) -> Option<String> {
    let mut names: Vec<&str> = path.split('/').collect();
    names.pop();
    for part in target.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => names.pop().map(drop)?,
            Component::Normal(name) => names.push(name.to_str()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    let within = names.join("/");
    paths::check(&within).is_ok().then_some(within)
}

/// Whether one of the folders above a path is a symbolic link: what is below it is elsewhere.
fn is_below_a_link(root: &Path, path: &str) -> bool {
    let mut at = root.to_owned();
    let mut names: Vec<&str> = path.split('/').collect();
    names.pop();
    names.into_iter().any(|name| {
        at.push(name);
        fs::symlink_metadata(&at).is_ok_and(|found| found.is_symlink())
    })
}

/// Puts a text where `path` says, whole or not at all: what was there is replaced, the folders above it are made.
pub(super) fn write(root: &Path, path: &str, text: &str) -> Result<(), Unusable> {
    let whole = root.join(path);
    let folder = whole.parent().unwrap_or(root).to_owned();
    parents_are_folders(root, path)?;
    fs::create_dir_all(&folder).map_err(|error| unusable(&folder, error))?;
    match fs::symlink_metadata(&whole) {
        Ok(found) if found.is_symlink() => {
            return Err(unusable(&whole, "it is a symbolic link and is not written through"));
        }
        Ok(found) if !found.is_file() => return Err(unusable(&whole, "it is not a file")),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unusable(&whole, error)),
    }
    // Renamed into its place, so that nobody reads half of it and no link at the end of the path is followed.
    let mut fresh = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let kept = fs::metadata(&whole).map(|found| found.permissions());
        fresh.permissions(kept.unwrap_or_else(|_| fs::Permissions::from_mode(0o644)));
    }
    let written = fresh.tempfile_in(&folder).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&whole).map_err(|error| error.error)
    });
    written.map(drop).map_err(|error| unusable(&whole, error))
}

/// Takes a file away, and the folders above it, below `until`, that are empty then.
pub(super) fn remove(root: &Path, path: &str, until: &str) -> Result<(), Unusable> {
    if !parents_are_folders(root, path)? {
        return Ok(());
    }
    let mut whole = root.join(path);
    fs::remove_file(&whole).map_err(|error| unusable(&whole, error))?;
    let until = root.join(until);
    while whole.pop() && whole.starts_with(&until) && whole != until && fs::remove_dir(&whole).is_ok() {}
    Ok(())
}

/// Whether every folder above a path is there; what is there must be a folder itself and no link to one.
fn parents_are_folders(root: &Path, path: &str) -> Result<bool, Unusable> {
    let mut at = root.to_owned();
    let mut names: Vec<&str> = path.split('/').collect();
    names.pop();
    for name in names {
        at.push(name);
        match fs::symlink_metadata(&at) {
            Ok(found) if found.is_symlink() => {
                return Err(unusable(&at, "it is a symbolic link: what is below it is elsewhere"));
            }
            Ok(found) if !found.is_dir() => {
                return Err(unusable(&at, "it is a file and cannot have files below it"));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(unusable(&at, error)),
        }
    }
    Ok(true)
}

/// Judges a path that is to be written in a project by its text and by what is there, as a push would be judged.
///
/// # Errors
/// The rule that it breaks, as a sentence with the rule's name.
pub(super) fn judge(root: &Path, path: &str) -> Result<(), String> {
    let named = |rule: &paths::PathRule| format!("`{path}`: {rule} ({})", rule.name());
    paths::check(path).map_err(|rule| named(&rule))?;
    let first = path.split('/').next().unwrap_or_default();
    if first.eq_ignore_ascii_case(super::STATE_FOLDER) {
        return Err(format!(
            "`{path}`: {} holds what is kept of workflows (protected)",
            super::STATE_FOLDER
        ));
    }
    let mut entries: Vec<(String, Entry)> = Vec::new();
    // More than one where names differ in their case only.
    let mut folders = vec![String::new()];
    for name in path.split('/') {
        let mut next = Vec::new();
        for folder in folders {
            for (below, entry, is_next) in listed(root, &folder, name) {
                entries.push((below.clone(), entry));
                if is_next {
                    next.push(format!("{}/", below.trim_end_matches("/.")));
                }
            }
        }
        folders = next;
    }
    let tree: Tree = entries.into_iter().collect();
    tree.check(path).map_err(|rule| named(&rule))
}

/// What is in a folder, as a tree has it, and whether it is a folder that could be the one called `name`.
fn listed(root: &Path, folder: &str, name: &str) -> Vec<(String, Entry, bool)> {
    let mut listed = Vec::new();
    for entry in fs::read_dir(root.join(folder)).into_iter().flatten().flatten() {
        let own = entry.file_name().to_string_lossy().into_owned();
        let below = format!("{folder}{own}");
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_symlink() {
            listed.push((below, Entry::Symlink, false));
        } else if !kind.is_dir() {
            listed.push((below, Entry::File, false));
        } else if entry.path().join(".git").exists() {
            listed.push((below, Entry::Submodule, false));
        } else {
            // It is there even where nothing is in it.
            listed.push((
                format!("{below}/."),
                Entry::File,
                paths::folded(&own) == paths::folded(name),
            ));
        }
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_what_is_not_there_is_none() {
        let home = tempfile::tempdir().unwrap();
        write(home.path(), "a/b/c.md", "one\n").unwrap();
        write(home.path(), "a/b/c.md", "two\n").unwrap();
        assert_eq!(read(home.path(), "a/b/c.md").unwrap().as_deref(), Some("two\n"));
        assert!(read(home.path(), "a/x/c.md").unwrap().is_none());
        assert!(write(home.path(), "a/b/c.md/d", "x").is_err(), "below a file");
        assert!(write(home.path(), "a/b", "x").is_err(), "a folder");
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed() {
        let home = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), home.path().join("link")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("f"), home.path().join("file")).unwrap();
        for path in ["link/evil", "file"] {
            assert!(write(home.path(), path, "x").is_err(), "{path}");
            assert!(judge(home.path(), path).is_err(), "{path}");
        }
        assert!(read(home.path(), "file").is_err());
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_stands_at_a_path_is_told_apart() {
        let home = tempfile::tempdir().unwrap();
        write(home.path(), "AGENTS.md", "Use tabs.\n").unwrap();
        fs::create_dir_all(home.path().join("docs")).unwrap();
        fs::create_dir_all(home.path().join("part/.git")).unwrap();
        fs::write(home.path().join("logo.png"), [0xff, 0xd8]).unwrap();
        let large = fs::File::create(home.path().join("large")).unwrap();
        large.set_len(LARGEST + 1).unwrap();
        let there = |path: &str| there(home.path(), path).unwrap();
        assert!(matches!(there("AGENTS.md"), Some(There::Text(text, None)) if text == "Use tabs.\n"));
        for (path, unfit) in [
            ("docs", Unfit::Folder),
            ("part", Unfit::Submodule),
            ("logo.png", Unfit::NotText),
            ("large", Unfit::TooLarge),
        ] {
            assert!(
                matches!(there(path), Some(There::Unfit(found)) if found == unfit),
                "{path}"
            );
        }
        for path in ["none.md", "docs/none.md", "AGENTS.md/below"] {
            assert!(there(path).is_none(), "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn one_link_is_followed_to_a_file_of_the_folder_and_no_other() {
        use std::os::unix::fs::symlink;
        let home = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("a.md"), "Obey.\n").unwrap();
        write(home.path(), "docs/a.md", "Use tabs.\n").unwrap();
        let root = home.path();
        symlink(outside.path(), root.join("out")).unwrap();
        for (path, target, led) in [
            ("one", Path::new("docs/a.md"), true),
            ("docs/two", Path::new("../docs/./a.md"), true),
            ("three", Path::new("one"), false),
            ("four", Path::new("../elsewhere.md"), false),
            ("five", &outside.path().join("a.md"), false),
            ("six", Path::new("out/a.md"), false),
            ("seven", Path::new("docs"), false),
            ("eight", Path::new("eight"), false),
        ] {
            symlink(target, root.join(path)).unwrap();
            let found = there(root, path).unwrap();
            match led {
                true => assert!(matches!(found, Some(There::Text(..))), "{path}"),
                false => assert!(matches!(found, Some(There::Unfit(Unfit::Link))), "{path}"),
            }
        }
        assert!(matches!(
            there(root, "out/a.md").unwrap(),
            Some(There::Unfit(Unfit::Link))
        ));
    }

    #[test]
    fn a_path_is_judged_by_what_is_there() {
        let home = tempfile::tempdir().unwrap();
        write(home.path(), "README.md", "x").unwrap();
        write(home.path(), "docs/a.md", "x").unwrap();
        fs::create_dir_all(home.path().join("sub/.git")).unwrap();
        fs::create_dir_all(home.path().join("empty")).unwrap();
        for (path, rule) in [
            ("readme.md", "same-as"),
            ("README.md/x", "below-file"),
            ("SUB/x", "below-submodule"),
            ("Docs/a.md/x", "below-file"),
            ("sub/x", "below-submodule"),
            ("empty", "not-a-file"),
            ("../x", "dot-segment"),
            (".git/config", "git-directory"),
        ] {
            let refused = judge(home.path(), path).unwrap_err();
            assert!(refused.contains(&format!("({rule})")), "{path}: {refused}");
        }
        assert_eq!(judge(home.path(), "README.md"), Ok(()));
        assert_eq!(judge(home.path(), "empty/new/file"), Ok(()));
    }
}
