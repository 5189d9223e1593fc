//! Texts as GitHub would show them: its Markdown, with the few HTML elements that carry no harm, boxes that can be
//! clicked, and references that lead somewhere.

use std::ops::Range;

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, html};

/// The elements that a text may use. All others are shown as they are written.
const ELEMENTS: [&str; 9] = ["details", "summary", "br", "kbd", "sub", "sup", "ins", "del", "b"];

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_GFM
}

/// The text as safe HTML. `repository` is the `owner/name` that `#12` refers to.
pub(super) fn render(text: &str, repository: &str) -> String {
    let mut events: Vec<Event<'_>> = Vec::new();
    let mut markup = String::new();
    let (mut boxes, mut inside) = (0_usize, 0_usize);
    for event in Parser::new_ext(text, options()) {
        if let Event::Html(part) | Event::InlineHtml(part) = &event {
            // A comment may run over several of these.
            markup.push_str(part);
            continue;
        }
        if !markup.is_empty() {
            events.push(Event::InlineHtml(allowed(&std::mem::take(&mut markup)).into()));
        }
        match event {
            Event::TaskListMarker(on) => {
                boxes += 1;
                let checked = if on { " checked" } else { "" };
                let input =
                    format!(r#"<input type="checkbox" data-box="{boxes}"{checked} aria-label="Task {boxes}"> "#);
                events.push(Event::InlineHtml(input.into()));
            }
            // Nothing is loaded from elsewhere: a picture becomes a link to it.
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                inside += 1;
                events.push(Event::Start(link(safe(&dest_url))));
            }
            Event::End(TagEnd::Link | TagEnd::Image) => {
                inside = inside.saturating_sub(1);
                events.push(Event::End(TagEnd::Link));
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                inside += 1;
                events.push(Event::Start(Tag::CodeBlock(kind)));
            }
            Event::End(TagEnd::CodeBlock) => {
                inside = inside.saturating_sub(1);
                events.push(Event::End(TagEnd::CodeBlock));
            }
            Event::Text(words) if inside == 0 => events.extend(references(&words, repository)),
            Event::SoftBreak => events.push(Event::HardBreak),
            other => events.push(other),
        }
    }
    if !markup.is_empty() {
        events.push(Event::InlineHtml(allowed(&markup).into()));
    }
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    out
}

/// The text with its `nth` box (the first is 1) set or cleared; `None` when it has no such box.
pub(super) fn ticked(text: &str, nth: usize, on: bool) -> Option<String> {
    let at: Range<usize> = Parser::new_ext(text, options())
        .into_offset_iter()
        .filter(|(event, _)| matches!(event, Event::TaskListMarker(_)))
        .map(|(_, range)| range)
        .nth(nth.checked_sub(1)?)?;
    let mark = at.start + text[at].find('[')? + 1;
    let mut out = text.to_owned();
    out.replace_range(mark..=mark, if on { "x" } else { " " });
    Some(out)
}

fn link(dest: &str) -> Tag<'static> {
    Tag::Link {
        link_type: LinkType::Inline,
        dest_url: CowStr::from(dest.to_owned()),
        title: CowStr::from(""),
        id: CowStr::from(""),
    }
}

/// An address that may be clicked.
fn safe(dest: &str) -> &str {
    let dest = dest.trim();
    let lower = dest.to_ascii_lowercase();
    let web = ["https://", "http://", "mailto:"]
        .iter()
        .any(|start| lower.starts_with(start));
    let local = dest.starts_with('#') || (dest.starts_with('/') && !dest.starts_with("//"));
    if web || local { dest } else { "#" }
}

/// Raw HTML with the allowed elements kept, without their attributes, comments left out, and all else made text.
fn allowed(raw: &str) -> String {
    let mut out = String::new();
    let mut rest = raw;
    while let Some(at) = rest.find('<') {
        escape(&rest[..at], &mut out);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let Some(end) = rest.find('>') else { break };
        let tag = &rest[..=end];
        match element(tag) {
            Some(kept) => out.push_str(&kept),
            None => escape(tag, &mut out),
        }
        rest = &rest[end + 1..];
    }
    escape(rest, &mut out);
    out
}

/// A tag of an allowed element, bare.
fn element(tag: &str) -> Option<String> {
    let inner = tag.strip_prefix('<')?.strip_suffix('>')?;
    let (slash, inner) = match inner.strip_prefix('/') {
        Some(inner) => ("/", inner),
        None => ("", inner),
    };
    let name = inner
        .trim_end_matches('/')
        .split_whitespace()
        .next()?
        .to_ascii_lowercase();
    ELEMENTS.contains(&name.as_str()).then(|| format!("<{slash}{name}>"))
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

/// Plain words with `#12` and `@name` made visible as what they are.
fn references(words: &str, repository: &str) -> Vec<Event<'static>> {
    let mut out = Vec::new();
    let mut plain = String::new();
    let mut before = ' ';
    let mut rest = words;
    while let Some(c) = rest.chars().next() {
        let reference = (!before.is_alphanumeric()).then(|| reference(rest)).flatten();
        let Some((name, length)) = reference else {
            plain.push(c);
            before = c;
            rest = &rest[c.len_utf8()..];
            continue;
        };
        if !plain.is_empty() {
            out.push(Event::Text(std::mem::take(&mut plain).into()));
        }
        // Digits, letters and hyphens only: nothing that HTML could take for something else.
        let html = match c {
            '#' => format!(r#"<a href="/{repository}/issues/{name}">#{name}</a>"#),
            _ => format!(r#"<span class="mention">@{name}</span>"#),
        };
        out.push(Event::InlineHtml(html.into()));
        before = 'a';
        rest = &rest[length..];
    }
    if !plain.is_empty() {
        out.push(Event::Text(plain.into()));
    }
    out
}

/// `#12` or `@name` at the beginning of a text: what it names, and how long it is.
fn reference(text: &str) -> Option<(&str, usize)> {
    let fits: fn(&u8) -> bool = match text.as_bytes().first()? {
        b'#' => u8::is_ascii_digit,
        b'@' => |b| b.is_ascii_alphanumeric() || *b == b'-',
        _ => return None,
    };
    let length = text.bytes().skip(1).take_while(fits).count();
    (1..=39).contains(&length).then(|| (&text[1..=length], length + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        render(text, "acme/app")
    }

    #[test]
    fn what_people_write_cannot_become_a_script() {
        for text in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "a <b onclick=alert(1)>b</b>",
            "<details ontoggle=alert(1) open>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](//evil.example)",
            "![x](data:text/html,<script>)",
            "<svg/onload=alert(1)>",
            "<!-- > <script>alert(1)</script> -->",
            "<!--\n<script>\n-->\n<iframe src=x>",
            "`<script>`",
            "<https://a.example/\"onmouseover=alert(1)>",
        ] {
            let out = html(text).to_lowercase();
            for bad in [
                "<script",
                "<img",
                "<iframe",
                "<svg",
                "href=\"javascript",
                "href=\"data",
                "href=\"//",
            ] {
                assert!(!out.contains(bad), "{text} → {out}");
            }
            let tags = out.split('<').skip(1).filter_map(|tag| tag.split('>').next());
            for tag in tags {
                assert!(!tag.contains(" on"), "{text} → {out}");
            }
        }
    }

    #[test]
    fn the_bots_cards_are_shown_as_on_github() {
        let out =
            html("<details><summary>Show</summary>\n\n- [x] **t1** One\n\n</details>\n\n<!-- countersign fx=x -->");
        assert!(out.contains("<details><summary>Show</summary>"), "{out}");
        assert!(out.contains(r#"<input type="checkbox" data-box="1" checked"#), "{out}");
        assert!(out.contains("</details>"), "{out}");
        assert!(!out.contains("countersign"), "{out}");
        assert!(html("| a |\n| --- |\n| b |").contains("<table>"));
    }

    #[test]
    fn references_lead_somewhere_and_code_does_not() {
        assert!(html("see #12.").contains(r#"<a href="/acme/app/issues/12">#12</a>."#));
        assert!(html("hi @bob!").contains(r#"<span class="mention">@bob</span>!"#));
        for text in ["`#12 @bob`", "a#12 a@bob", "[#12](/x)", "# @"] {
            assert!(!html(text).contains("issues/12\">#12"), "{text}");
            assert!(!html(text).contains("mention"), "{text}");
        }
    }

    #[test]
    fn the_box_that_was_clicked_is_the_box_that_changes() {
        let text = "- [ ] a ü\n\n```\n- [ ] code\n```\n\n> - [x] quoted\n\n1. [ ] last\n";
        assert_eq!(ticked(text, 1, true).unwrap(), text.replacen("[ ] a", "[x] a", 1));
        assert_eq!(
            ticked(text, 2, false).unwrap(),
            text.replacen("[x] quoted", "[ ] quoted", 1)
        );
        assert_eq!(ticked(text, 3, true).unwrap(), text.replacen("[ ] last", "[x] last", 1));
        assert_eq!(ticked(text, 4, true), None);
        assert_eq!(ticked(text, 0, true), None);
    }
}
