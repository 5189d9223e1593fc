//! What a reader of the page cannot see is taken out before an agent, a check or a person sees the text.
//!
//! GitHub hides HTML comments, tags and their attributes, scripts and styles, the definitions of links, titles of links
//! and images, alternative texts, footnotes that nothing refers to, and a number of characters; an instruction hidden in
//! them would be read by a model and by nobody else. How much was taken out is counted, so that people can be told.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{AddAssign, Range};

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};

use super::visible::{is_unseen, visible_counted};

/// The Markdown extensions of GitHub that matter to what is read here.
pub fn github_flavour() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM
}

/// How often HTML inside HTML is looked for.
const ROUNDS: usize = 12;

/// What was taken out of a text, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hidden {
    /// HTML comments.
    pub comments: usize,
    /// HTML tags with attributes. Bare tags hide nothing and are not counted.
    pub attributes: usize,
    /// Elements whose content is not shown, such as scripts and styles.
    pub scripts: usize,
    /// Definitions of links, and footnotes that nothing refers to.
    pub definitions: usize,
    /// Alternative texts of images, titles of links, links without a text.
    pub texts: usize,
    /// Invisible characters, as they are or as HTML entities.
    pub characters: usize,
}

impl Hidden {
    /// Whether nothing was hidden.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// "2 HTML comments, 14 invisible characters and 1 link definition"; empty when nothing was hidden.
    pub fn words(&self) -> String {
        let kinds = [
            (self.comments, "HTML comment", "HTML comments"),
            (self.scripts, "script or style", "scripts or styles"),
            (self.attributes, "HTML tag with attributes", "HTML tags with attributes"),
            (self.texts, "text of an image or link", "texts of images or links"),
            (self.characters, "invisible character", "invisible characters"),
            (
                self.definitions,
                "link definition or footnote",
                "link definitions or footnotes",
            ),
        ];
        super::counted(&kinds)
    }

    fn add(&mut self, kind: Kind) {
        match kind {
            Kind::Plain => {}
            Kind::Comment => self.comments += 1,
            Kind::Attributes => self.attributes += 1,
            Kind::Script => self.scripts += 1,
            Kind::Definition => self.definitions += 1,
            Kind::Text => self.texts += 1,
            Kind::Characters => self.characters += 1,
        }
    }
}

impl AddAssign for Hidden {
    fn add_assign(&mut self, more: Self) {
        self.comments += more.comments;
        self.attributes += more.attributes;
        self.scripts += more.scripts;
        self.definitions += more.definitions;
        self.texts += more.texts;
        self.characters += more.characters;
    }
}

/// A text as a reader sees it, and what was taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// What is left.
    pub text: String,
    /// What is not.
    pub hidden: Hidden,
}

/// The text without what GitHub hides. Code keeps all but invisible characters: there it is visible. What stays is
/// stable: cleaning it again changes nothing.
pub fn clean(text: &str) -> String {
    clean_counted(text).text
}

/// [`clean`], with a count of what was hidden.
pub fn clean_counted(text: &str) -> Cleaned {
    let (mut text, characters) = visible_counted(text);
    let mut hidden = Hidden {
        characters,
        ..Hidden::default()
    };
    // Taking one thing out can uncover another (`<!-<!---->- -->`).
    for _ in 0..ROUNDS {
        let next = without_hidden(&text, &mut hidden);
        if next == text {
            return Cleaned { text, hidden };
        }
        text = next;
    }
    // Nobody writes so by accident. What could still open anything loses its meaning.
    for (opens, instead) in [
        ("<", "‹"),
        ("![", "! ["),
        ("](", "] ("),
        ("]:", "] :"),
        ("[^", "[ ^"),
        ("&", "& "),
    ] {
        text = text.replace(opens, instead);
    }
    Cleaned { text, hidden }
}

/// Folds every run of white space to one space and trims, so that a quote is found across line breaks.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

/// What a stretch that is taken out counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing: it hides no text.
    Plain,
    Comment,
    Attributes,
    Script,
    Definition,
    Text,
    Characters,
}

/// A stretch to take out, and what stands in its place.
struct Cut {
    range: Range<usize>,
    instead: &'static str,
    kind: Kind,
}

fn cut(range: Range<usize>, kind: Kind) -> Cut {
    Cut {
        range,
        instead: "",
        kind,
    }
}

fn without_hidden(text: &str, hidden: &mut Hidden) -> String {
    let mut cuts = found(text);
    cuts.sort_by_key(|cut| (cut.range.start, std::cmp::Reverse(cut.range.end)));
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    for cut in cuts {
        if cut.range.start < at {
            continue;
        }
        kept.push_str(&text[at..cut.range.start]);
        kept.push_str(cut.instead);
        hidden.add(cut.kind);
        at = cut.range.end;
    }
    kept.push_str(&text[at..]);
    kept
}

/// What is hidden in a text, in no order; stretches may lie within each other.
fn found(text: &str) -> Vec<Cut> {
    let parser = Parser::new_ext(text, github_flavour());
    let mut cuts: Vec<Cut> = parser
        .reference_definitions()
        .iter()
        .map(|(_, definition)| cut(definition.span.clone(), Kind::Definition))
        .collect();
    let mut html: Vec<Range<usize>> = Vec::new();
    let mut links: Vec<Inline> = Vec::new();
    let mut notes = Footnotes::default();
    let mut code = false;
    for (event, range) in parser.into_offset_iter() {
        let shows = !matches!(event, Event::Start(_) | Event::End(_));
        match event {
            Event::Html(_) | Event::InlineHtml(_) => match html.last_mut() {
                Some(open) if open.end == range.start => open.end = range.end,
                _ => html.push(range.clone()),
            },
            Event::Start(Tag::Image { title, .. }) => {
                // What stands between the brackets is known when the image ends.
                let kind = if title.is_empty() && text[range.clone()].starts_with("![]") {
                    Kind::Plain
                } else {
                    Kind::Text
                };
                cuts.push(Cut {
                    range: range.clone(),
                    instead: "[image]",
                    kind,
                });
                if let Some(link) = links.last_mut() {
                    link.end = range.end;
                    link.shows = true;
                }
            }
            Event::Start(Tag::Link { link_type, title, .. }) => links.push(Inline {
                inline: link_type == LinkType::Inline,
                titled: !title.is_empty(),
                end: range.start + 1,
                shows: false,
            }),
            Event::End(TagEnd::Link) => {
                if let Some(link) = links.pop() {
                    cuts.extend(link.cut(text, &range));
                    if let Some(outer) = links.last_mut() {
                        outer.end = range.end;
                        outer.shows |= link.shows;
                    }
                }
            }
            Event::Start(Tag::FootnoteDefinition(label)) => notes.open(&label, range.clone()),
            Event::End(TagEnd::FootnoteDefinition) => notes.close(),
            Event::FootnoteReference(label) => notes.refer(&label),
            Event::Start(Tag::CodeBlock(_)) => code = true,
            Event::End(TagEnd::CodeBlock) => code = false,
            Event::Text(shown) if !code && text[range.clone()].starts_with('&') && is_unseen(&shown) => {
                cuts.push(cut(range.clone(), Kind::Characters));
            }
            _ => {}
        }
        if shows && let Some(link) = links.last_mut() {
            link.end = link.end.max(range.end);
            link.shows |= !text[range].trim().is_empty();
        }
    }
    cuts.extend(notes.unreferenced().map(|range| cut(range, Kind::Definition)));
    cuts.extend(tags(text, &html));
    cuts
}

/// A link that is being read.
struct Inline {
    /// `[text](address "title")` and no other form.
    inline: bool,
    titled: bool,
    /// Where what was read of its text ends.
    end: usize,
    /// Whether it has a text.
    shows: bool,
}

impl Inline {
    /// What is hidden in the link: all of it when it has no text, else its title and an address that is none.
    fn cut(&self, text: &str, range: &Range<usize>) -> Option<Cut> {
        if !self.shows {
            return Some(cut(range.clone(), Kind::Text));
        }
        if !self.inline {
            return None;
        }
        let tail = text.get(self.end..range.end)?;
        let start = self.end + tail.find("](")? + 2;
        let inside = text.get(start..range.end.checked_sub(1)?)?;
        let lead = inside.len() - inside.trim_start().len();
        let target = &inside[lead..];
        let length = if target.starts_with('<') {
            let length = target.find('>').map_or(target.len(), |end| end + 1);
            // A browser is sent there, a reader never sees it: words are no address.
            if target[..length].contains(char::is_whitespace) {
                0
            } else {
                length
            }
        } else {
            target.find(char::is_whitespace).unwrap_or(target.len())
        };
        let hides = self.titled || length == 0 && !target.is_empty();
        (hides && lead + length < inside.len()).then(|| cut(start + lead + length..range.end - 1, Kind::Text))
    }
}

/// Footnotes: GitHub shows those that something refers to.
#[derive(Default)]
struct Footnotes {
    definitions: Vec<(String, Range<usize>)>,
    open: Vec<String>,
    /// Which footnotes are referred to from within which; the text itself is the empty name.
    references: BTreeMap<String, BTreeSet<String>>,
}

impl Footnotes {
    fn open(&mut self, label: &str, range: Range<usize>) {
        let label = label.to_lowercase();
        self.open.push(label.clone());
        self.definitions.push((label, range));
    }

    fn close(&mut self) {
        self.open.pop();
    }

    fn refer(&mut self, label: &str) {
        let from = self.open.last().cloned().unwrap_or_default();
        self.references.entry(from).or_default().insert(label.to_lowercase());
    }

    fn unreferenced(self) -> impl Iterator<Item = Range<usize>> {
        let mut shown: BTreeSet<&str> = BTreeSet::new();
        let mut next = vec![""];
        while let Some(from) = next.pop() {
            for label in self.references.get(from).into_iter().flatten() {
                if shown.insert(label) {
                    next.push(label);
                }
            }
        }
        let shown: BTreeSet<String> = shown.into_iter().map(str::to_owned).collect();
        self.definitions
            .into_iter()
            .filter(move |(label, _)| !shown.contains(label))
            .map(|(_, range)| range)
    }
}

/// Elements whose content is no text of the page.
const UNSHOWN: [&str; 11] = [
    "script", "style", "template", "noscript", "title", "textarea", "iframe", "noembed", "noframes", "xmp", "object",
];

/// The comments and tags within stretches of HTML; the text between them is visible and stays, but for that of elements
/// that show none, which goes up to their end, whatever stands between.
fn tags(text: &str, html: &[Range<usize>]) -> Vec<Cut> {
    let mut found: Vec<(Range<usize>, Tagged)> = Vec::new();
    for range in html {
        let mut at = range.start;
        while let Some(open) = text[at..range.end].find('<') {
            let start = at + open;
            let rest = &text[start..range.end];
            let (length, tagged) = if rest.starts_with("<!--") {
                // A comment without an end hides everything up to the end of its block.
                (rest.find("-->").map_or(rest.len(), |end| end + 3), Tagged::Comment)
            } else {
                let length = rest.find('>').map_or(rest.len(), |end| end + 1);
                (length, Tagged::of(&rest[..length]))
            };
            found.push((start..start + length, tagged));
            at = start + length;
        }
    }
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    for (range, tagged) in &found {
        if let Tagged::Closes(name) = tagged {
            ends.insert(name, range.end);
        }
    }
    let mut cuts = Vec::new();
    let mut open: Option<(usize, &str)> = None;
    for (range, tagged) in &found {
        match (open, tagged) {
            (Some((start, name)), Tagged::Closes(closed)) if name == *closed => {
                cuts.push(cut(start..range.end, Kind::Script));
                open = None;
            }
            (Some(_), _) => {}
            (None, Tagged::Opens(name)) if ends.get(name).is_some_and(|end| *end > range.end) => {
                open = Some((range.start, name));
            }
            // A template takes in all that follows; the others are shown as they were typed.
            (None, Tagged::Opens("template")) => cuts.push(cut(range.start..text.len(), Kind::Script)),
            (None, tagged) => cuts.push(cut(range.clone(), tagged.kind(&text[range.clone()]))),
        }
    }
    cuts
}

/// What a tag is.
enum Tagged {
    Comment,
    /// Begins an element that shows nothing.
    Opens(&'static str),
    /// Ends one.
    Closes(&'static str),
    Other,
}

impl Tagged {
    fn of(tag: &str) -> Self {
        let inside = tag.trim_start_matches('<');
        let (closes, inside) = match inside.strip_prefix('/') {
            Some(inside) => (true, inside),
            None => (false, inside),
        };
        let end = inside
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(inside.len());
        let name = UNSHOWN.iter().find(|name| name.eq_ignore_ascii_case(&inside[..end]));
        match name {
            Some(name) if closes => Self::Closes(name),
            Some(name) => Self::Opens(name),
            None => Self::Other,
        }
    }

    fn kind(&self, tag: &str) -> Kind {
        match self {
            Self::Comment => Kind::Comment,
            // What ends a tag early (`<b x="`) or goes on without one may hold words as well.
            _ if tag.contains('=') || !tag.ends_with('>') || tag.starts_with("<?") || tag.starts_with("<!") => {
                Kind::Attributes
            }
            _ => Kind::Plain,
        }
    }
}

#[cfg(test)]
#[path = "clean_tests.rs"]
mod tests;
