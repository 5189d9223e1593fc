//! Which guidelines of the repository a prompt was made with, and why it was made without.

use super::markup::{code, digest};
use crate::workflow::guidelines::{Former, Found, Guidelines, Text, Unfit};

/// Digits of a commit that people are shown.
const COMMIT: usize = 12;

/// For the card, as Markdown.
pub fn line(of: &Guidelines) -> String {
    let place = match short(of) {
        Some(commit) => format!("{} at commit {}", code(&of.path), code(commit)),
        None => code(&of.path),
    };
    let before = |former: &Former| {
        let path = (former.path != of.path).then(|| code(&former.path));
        told_before(path, &digest(&former.sha256))
    };
    let before = of.instead_of.as_ref().map(before).unwrap_or_default();
    match &of.found {
        Found::Given(text) => format!(
            "Guidelines: {place}, SHA-256 {}, {}.{before}",
            digest(&text.sha256),
            size(text)
        ),
        Found::LeftOut(why) => {
            let next = match can_be_mended(why) {
                true => format!(" Once that is mended, {} has the prompt made anew.", code("/revise …")),
                false => String::new(),
            };
            format!(
                "Guidelines: nothing of {place} is given to the agent: {}.{before}{next}",
                unfit(why)
            )
        }
    }
}

/// For a terminal, without an end.
pub fn words(of: &Guidelines) -> String {
    let place = match short(of) {
        Some(commit) => format!("{} at {commit}", of.path),
        None => of.path.clone(),
    };
    let before = |former: &Former| {
        let path = (former.path != of.path).then(|| format!("{} ", former.path));
        format!("; before: {}{}", path.unwrap_or_default(), former.sha256.short())
    };
    let before = of.instead_of.as_ref().map(before).unwrap_or_default();
    match &of.found {
        Found::Given(text) => format!("{place}, {}, {}{before}", text.sha256.short(), size(text)),
        Found::LeftOut(why) => format!("{place} not given: {}{before}", unfit(why)),
    }
}

/// Why a file's text is not given; the end of a sentence.
pub fn unfit(why: &Unfit) -> String {
    match why {
        Unfit::Missing => "there is no such file".to_owned(),
        Unfit::Empty => "there is nothing in it that a reader sees".to_owned(),
        Unfit::Folder => "it is a folder".to_owned(),
        Unfit::Link => "it is a symbolic link that leads to no file here".to_owned(),
        Unfit::Submodule => "it is a submodule".to_owned(),
        Unfit::NotText => "it is not text in UTF-8".to_owned(),
        Unfit::TooLarge => "it is too large to be read".to_owned(),
        Unfit::Withheld {
            holds,
            line: Some(line),
        } => format!("it holds {holds} (line {line}), which must not leave"),
        Unfit::Withheld { holds, line: None } => format!("it holds {holds}, which must not leave"),
        Unfit::Off => "guidelines are turned off here".to_owned(),
    }
}

fn can_be_mended(why: &Unfit) -> bool {
    !matches!(why, Unfit::Empty | Unfit::Off)
}

fn told_before(path: Option<String>, digest: &str) -> String {
    match path {
        Some(path) => format!(" Before, prompts of this workflow were made with {path}, SHA-256 {digest}."),
        None => format!(" Before, prompts of this workflow were made with another text of it, SHA-256 {digest}."),
    }
}

fn size(text: &Text) -> String {
    match text.cut_at {
        Some(cut) => format!("cut: the first {cut} of {} bytes", text.bytes),
        None => format!("{} bytes", text.bytes),
    }
}

fn short(of: &Guidelines) -> Option<&str> {
    let commit = of.commit.as_deref()?;
    Some(commit.get(..COMMIT).unwrap_or(commit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::ids::Digest;

    fn given(cut_at: Option<u64>) -> Guidelines {
        Guidelines {
            path: "AGENTS.md".to_owned(),
            commit: Some("0123456789abcdef0123".to_owned()),
            found: Found::Given(Text {
                sha256: Digest::of_bytes(b"x"),
                bytes: 60_000,
                cut_at,
                blob: None,
            }),
            instead_of: None,
        }
    }

    #[test]
    fn a_text_is_named_by_file_commit_digest_and_size() {
        assert_eq!(
            line(&given(None)),
            "Guidelines: `AGENTS.md` at commit `0123456789ab`, SHA-256 `2d711642b726`, 60000 bytes."
        );
        assert_eq!(
            words(&given(Some(32_000))),
            "AGENTS.md at 0123456789ab, 2d711642b726, cut: the first 32000 of 60000 bytes"
        );
    }

    #[test]
    fn another_text_than_before_is_told_and_so_is_another_file() {
        let former = |path: &str| Former {
            path: path.to_owned(),
            sha256: Digest::of_bytes(b"y"),
        };
        let mut changed = given(None);
        changed.instead_of = Some(former("AGENTS.md"));
        assert!(line(&changed).ends_with("made with another text of it, SHA-256 `a1fce4363854`."));
        changed.instead_of = Some(former("CLAUDE.md"));
        assert!(line(&changed).contains("made with `CLAUDE.md`, SHA-256 `a1fce4363854`."));
        assert!(words(&changed).ends_with("; before: CLAUDE.md a1fce4363854"));
    }

    #[test]
    fn what_is_left_out_is_told_with_the_reason_and_what_helps() {
        for (why, said, mended) in [
            (Unfit::Missing, "there is no such file", true),
            (Unfit::Empty, "there is nothing in it", false),
            (Unfit::Folder, "it is a folder", true),
            (Unfit::Link, "leads to no file here", true),
            (Unfit::Submodule, "it is a submodule", true),
            (Unfit::NotText, "not text in UTF-8", true),
            (Unfit::TooLarge, "too large", true),
            (Unfit::Off, "turned off", false),
            (
                Unfit::Withheld {
                    holds: "a private key".to_owned(),
                    line: Some(3),
                },
                "it holds a private key (line 3), which must not leave",
                true,
            ),
        ] {
            let mut left_out = given(None);
            left_out.found = Found::LeftOut(why);
            let told = line(&left_out);
            assert!(
                told.starts_with("Guidelines: nothing of `AGENTS.md` at commit `0123456789ab` is given"),
                "{told}"
            );
            assert!(told.contains(said), "{told}");
            assert_eq!(told.contains("`/revise …`"), mended, "{told}");
            assert!(words(&left_out).contains(said), "{told}");
        }
    }
}
