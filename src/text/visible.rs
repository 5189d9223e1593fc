//! Which characters a reader sees.

/// Characters that nobody sees and that can carry hidden text or turn the order of what is seen: controls, zero-width
/// spaces, bidirectional embeddings, overrides and isolates, invisible letters, tag characters and the supplementary
/// variation selectors. The joiners and marks that scripts and emoji need are not among them.
pub fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{00AD}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{180E}'
        | '\u{200B}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{3164}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF9}'..='\u{FFFB}'
        | '\u{E0000}'..='\u{E0FFF}' => true,
        _ => c.is_control(),
    }
}

/// White space, and the joiners and marks that show nothing where there is nothing to join.
pub fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{034F}' | '\u{061C}' | '\u{200C}'..='\u{200F}')
}

/// The text without characters that no reader sees: zero-width, direction controls, tag characters, variation
/// selectors, control characters. The joiners and the emoji selector stay where a script or an emoji needs them.
pub fn visible_characters(text: &str) -> String {
    visible_counted(text).0
}

/// [`visible_characters`], and how many characters it took out. Carriage returns go uncounted: browsers send them.
pub fn visible_counted(text: &str) -> (String, usize) {
    let mut kept = String::with_capacity(text.len());
    let mut taken = 0;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let visible = match c {
            '\n' | '\t' => true,
            '\u{200C}' | '\u{200D}' => {
                let joins = |c: char| !c.is_ascii() && !invisible(c) && !matches!(c, '\u{200C}' | '\u{200D}');
                kept.chars().next_back().is_some_and(joins) && characters.peek().copied().is_some_and(joins)
            }
            // After an emoji or a key's sign it chooses the coloured form; a run of them is a code.
            '\u{FE0F}' => kept.chars().next_back().is_some_and(|before| {
                !matches!(before, '\u{FE0F}' | '\u{200C}' | '\u{200D}')
                    && (!before.is_ascii() || before.is_ascii_digit() || matches!(before, '#' | '*'))
                    && !before.is_whitespace()
            }),
            _ => !invisible(c),
        };
        if visible {
            kept.push(c);
        } else if c != '\r' {
            taken += 1;
        }
    }
    (kept, taken)
}

/// Whether a text shows nothing at all, and is not white space either.
pub fn is_unseen(text: &str) -> bool {
    let unseen = |c: char| invisible(c) || matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE0F}');
    !text.is_empty() && text.chars().all(unseen)
}

/// What shows nothing of itself, and nothing where there is nothing to join or to vary.
pub(super) fn invisible(c: char) -> bool {
    is_hidden(c)
        || matches!(
            c,
            '\u{034F}'
                | '\u{061C}'
                | '\u{17B4}'
                | '\u{17B5}'
                | '\u{180B}'..='\u{180F}'
                | '\u{200E}'
                | '\u{200F}'
                | '\u{FE00}'..='\u{FE0E}'
                | '\u{1D173}'..='\u{1D17A}'
        )
}
