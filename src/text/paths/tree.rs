//! What is in a repository already.

use std::collections::BTreeMap;

use super::{PathRule, folded, parents};

/// What a tree has at a path. A directory needs no entry of its own: what is in it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A file, executable or not.
    File,
    /// A symbolic link.
    Symlink,
    /// Another repository's commit.
    Submodule,
}

/// The files of one commit, found whatever their case.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    entries: BTreeMap<String, (String, Entry)>,
}

impl<P: Into<String>> FromIterator<(P, Entry)> for Tree {
    fn from_iter<I: IntoIterator<Item = (P, Entry)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(path, entry)| {
            let path = path.into();
            (folded(&path), (path, entry))
        });
        Self {
            entries: entries.collect(),
        }
    }
}

impl Tree {
    /// Judges a path that [`super::check`] let pass against what is there. To be asked again of the tree that is pushed,
    /// less what the push itself puts there.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self, path: &str) -> Result<(), PathRule> {
        let fold = folded(path);
        for parent in parents(&fold) {
            if let Some((name, entry)) = self.entries.get(parent) {
                let name = name.clone();
                return Err(match entry {
                    Entry::File => PathRule::BelowFile(name),
                    Entry::Symlink => PathRule::BelowSymlink(name),
                    Entry::Submodule => PathRule::BelowSubmodule(name),
                });
            }
        }
        match self.entries.get(&fold) {
            Some((name, Entry::Symlink | Entry::Submodule)) => Err(PathRule::NotAFile(name.clone())),
            Some((name, Entry::File)) if name != path => Err(PathRule::SameAs(name.clone())),
            Some((_, Entry::File)) => Ok(()),
            None if self.has_below(&fold) => Err(PathRule::NotAFile(path.to_owned())),
            None => Ok(()),
        }
    }

    fn has_below(&self, fold: &str) -> bool {
        let folder = format!("{fold}/");
        let mut after = self.entries.range(folder.clone()..);
        after.next().is_some_and(|(next, _)| next.starts_with(&folder))
    }
}
