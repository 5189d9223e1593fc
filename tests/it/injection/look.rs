//! Whether a text does anything where it is shown. Written apart from what makes texts harmless.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// What would link, notify or refer in text that is shown as it is.
fn live(text: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    let lower = text.to_ascii_lowercase();
    if ["http://", "https://", "ftp://", "www.", "mailto:"]
        .iter()
        .any(|address| lower.contains(address))
    {
        found.push("address");
    }
    for (at, _) in text.match_indices('@') {
        let before = text[..at]
            .chars()
            .next_back()
            .is_some_and(|c| c.is_ascii_alphanumeric());
        let after = text[at + 1..].chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
        if !before && after {
            found.push("mention");
        }
    }
    found
}

fn unseen(text: &str) -> bool {
    text.chars().any(|c| {
        c.is_control() && c != '\n' && c != '\t'
            || matches!(c, '\u{200B}' | '\u{202A}'..='\u{202E}' | '\u{2061}'..='\u{2069}' | '\u{FE00}'..='\u{FE0E}' | '\u{E0000}'..='\u{E0FFF}')
    })
}

/// Text that is shown as it is: titles, subjects, what people are told.
pub fn plain(text: &str, at: &str) {
    assert_eq!(live(text), Vec::<&str>::new(), "{at}: {text:?}");
    assert!(!unseen(text), "{at}: {text:?}");
    assert!(!text.lines().any(|line| line.starts_with('/')), "{at}: {text:?}");
    assert!(!text.contains("<!--"), "{at}: {text:?}");
}

/// Markdown on GitHub: only the host's own links, and nothing else that does anything.
pub fn markdown(text: &str, site: &str, at: &str) {
    assert!(!unseen(text), "{at}: {text:?}");
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_GFM;
    let (mut code, mut link) = (false, false);
    let mut run = String::new();
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => code = true,
            Event::End(TagEnd::CodeBlock) => code = false,
            Event::Start(Tag::Link { dest_url, .. }) => {
                assert!(dest_url.starts_with(site), "{at}: {dest_url}: {text}");
                link = true;
            }
            Event::End(TagEnd::Link) => link = false,
            Event::Start(Tag::Image { .. }) => panic!("{at}: an image: {text}"),
            Event::Html(html) | Event::InlineHtml(html) => panic!("{at}: {html}: {text}"),
            Event::Text(shown) if !code && !link => {
                run.push_str(&shown);
                continue;
            }
            _ => {}
        }
        runs(&std::mem::take(&mut run), at, text);
    }
    runs(&run, at, text);
    // A command is looked for in the raw text too: other bots read it so. In a fence it is code.
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.starts_with("```") || line.starts_with("~~~");
        assert!(fenced || !line.trim_start().starts_with('/'), "{at}: {text}");
    }
    assert!(!fenced, "{at}: a fence is open: {text}");
}

fn runs(run: &str, at: &str, text: &str) {
    assert_eq!(live(run), Vec::<&str>::new(), "{at}: {run:?} in {text}");
    for (place, _) in run.match_indices('#') {
        let number = run[place + 1..].chars().next().is_some_and(|c| c.is_ascii_digit());
        assert!(!number, "{at}: {run:?} refers to an issue in {text}");
    }
}

/// The two parts of a mail: only the host's own addresses, and only the template's own tags.
pub fn mail(text: &str, html: &str, site: &str, at: &str) {
    assert!(!unseen(text) && !unseen(html), "{at}: {text}");
    plain(&text.replace(site, ""), at);
    assert!(!text.contains("evil.com"), "{at}: a mail program links it: {text}");
    let known = [
        "!DOCTYPE", "html", "head", "meta", "title", "body", "p", "a", "table", "tr", "th", "td", "ul", "li",
    ];
    for tag in html.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap();
        let name = tag.trim_start_matches('/').split(' ').next().unwrap();
        assert!(known.contains(&name), "{at}: <{tag}>");
        if let Some(address) = tag.strip_prefix("a href=\"") {
            let address = address.replace("&#x2f;", "/");
            assert!(address.starts_with(site), "{at}: {tag}");
        }
        assert!(!tag.contains(" on"), "{at}: {tag}");
    }
}
