//! Text that PostgreSQL refuses.
//!
//! A `TEXT` of PostgreSQL holds any character but NUL, and people's and models' texts may hold one. It is written as two
//! characters that stand for it, and read back as it was, so that texts and their digests still match.

use std::borrow::Cow;

/// A noncharacter of Unicode, which no text should hold; where one does, it is written doubled.
const ESCAPE: char = '\u{FDD0}';

/// What follows [`ESCAPE`] for NUL.
const NUL: char = '0';

/// The text as it is written.
pub(super) fn written(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\0' => written.extend([ESCAPE, NUL]),
            ESCAPE => written.extend([ESCAPE, ESCAPE]),
            other => written.push(other),
        }
    }
    Cow::Owned(written)
}

/// The text as it was, from what is written.
pub(super) fn read(written: String) -> String {
    if !written.contains(ESCAPE) {
        return written;
    }
    let mut text = String::with_capacity(written.len());
    let mut characters = written.chars();
    while let Some(character) = characters.next() {
        match character {
            ESCAPE => text.push(match characters.next() {
                Some(NUL) => '\0',
                Some(other) => other,
                None => ESCAPE,
            }),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_text_comes_back(text in "[a0\\x00\u{FDD0}\u{FDD1}é]{0,12}|\\PC{0,20}") {
            let written = written(&text).into_owned();
            prop_assert!(!written.contains('\0'));
            prop_assert_eq!(read(written), text);
        }
    }
}
