use super::super::Mailer;
use super::super::eml::{Eml, outgoing};
use super::*;
use crate::config::MailUrl;

fn mailer(directory: &tempfile::TempDir) -> Mailer {
    let from = "Countersign <bot@example.org>".parse().unwrap();
    Mailer::new(&MailUrl::File(directory.path().to_owned()), from).unwrap()
}

/// The bytes of a mail that was changed a little.
fn render_with(change: impl FnOnce(&mut OutgoingMail)) -> Result<Vec<u8>, MailFailure> {
    let directory = tempfile::tempdir().unwrap();
    let mailer = mailer(&directory);
    let mut mail = outgoing(&mailer, "wf-1-email-1");
    change(&mut mail);
    let from = "Countersign <bot@example.org>".parse().unwrap();
    render(&from, &mail).map(|message| message.formatted())
}

fn eml(change: impl FnOnce(&mut OutgoingMail)) -> Eml {
    Eml::parse(&render_with(change).unwrap())
}

fn id(text: &str) -> MessageId {
    text.parse().unwrap()
}

#[test]
fn a_plain_mail() {
    let eml = eml(|_| {});
    assert_eq!(eml.header("From"), "Countersign <bot@example.org>");
    assert_eq!(eml.header("To"), "Team <team@example.org>");
    assert_eq!(eml.header("Cc"), "boss@example.com");
    assert_eq!(eml.header("Subject"), "Three tasks");
    assert_eq!(eml.header("Date"), "Fri, 20 Nov 2026 14:10:09 +0000");
    assert_eq!(eml.header("Message-ID"), "<wf-1-email-1@example.org>");
    assert_eq!(eml.header("MIME-Version"), "1.0");
    assert_eq!(eml.header("Auto-Submitted"), "auto-generated");
    assert_eq!(
        eml.header("List-Unsubscribe"),
        "<mailto:bot@example.org?subject=unsubscribe>"
    );
    assert!(
        eml.header("Content-Type")
            .starts_with("multipart/alternative; boundary=")
    );
    assert_eq!(
        eml.parts,
        [
            (
                "text/plain; charset=utf-8".to_owned(),
                "Hello\r\n\r\n1. Write the runbook\r\n".to_owned()
            ),
            ("text/html; charset=utf-8".to_owned(), "<p>Hello</p>\r\n".to_owned()),
        ]
    );
    let mut names = eml.names();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "Auto-Submitted",
            "Cc",
            "Content-Type",
            "Date",
            "From",
            "List-Unsubscribe",
            "MIME-Version",
            "Message-ID",
            "Subject",
            "To"
        ],
        "and nothing else: no X-headers, no Bcc"
    );
}

#[test]
fn threads() {
    let references: Vec<_> = (1..=12).map(|n| id(&format!("<wf-1-email-{n}@example.org>"))).collect();
    let eml = eml(|mail| {
        mail.in_reply_to = references.last().cloned();
        mail.references.clone_from(&references);
    });
    assert_eq!(eml.header("In-Reply-To"), "<wf-1-email-12@example.org>");
    let wanted: Vec<_> = references.iter().map(MessageId::as_str).collect();
    assert_eq!(eml.header("References"), wanted.join(" "));
}

#[test]
fn the_same_mail_gives_the_same_bytes_and_another_does_not() {
    assert_eq!(render_with(|_| {}), render_with(|_| {}));
    assert_ne!(
        render_with(|_| {}),
        render_with(|mail| mail.message_id = id("<other@example.org>"))
    );
}

#[test]
fn subjects_and_names_of_every_kind_arrive() {
    for subject in [
        "Änderungen für São Paulo".to_owned(),
        "Deploy 🚀 done 👩‍👩‍👧‍👦".to_owned(),
        "مرحبا بالعالم (RTL)".to_owned(),
        "שלום: three tasks".to_owned(),
        "x".repeat(300),
        "word ".repeat(60).trim().to_owned(),
        "🚀".repeat(300),
        "=?utf-8?b?SGk=?=".to_owned(),
        "a\u{202e}b".to_owned(),
    ] {
        let eml = eml(|mail| {
            mail.mail.subject.clone_from(&subject);
            mail.mail.to = vec!["Björn Ødegård <b@example.org>".to_owned()];
        });
        if subject.starts_with("=?") {
            // Either kept as text by encoding it, or shown as what it spells; never broken.
            assert!([subject.as_str(), "Hi"].contains(&eml.header("Subject")));
        } else {
            assert_eq!(eml.header("Subject"), subject);
        }
        assert!(eml.header("To").contains("Björn"), "{}", eml.header("To"));
    }
}

#[test]
fn texts_of_every_kind_arrive() {
    for text in [
        "",
        "one line without an end",
        "ünïcödé and 👩‍👩‍👧‍👦\n",
        ".\n..\n.leading dots\n",
        "From here\n--countersign-0123\n",
        "tab\tand trailing spaces   \n",
        "مرحبا\n",
    ] {
        let eml = eml(|mail| {
            mail.mail.text = text.to_owned();
            mail.mail.html = format!("<p>{text}</p>");
        });
        assert_eq!(eml.parts[0].1, text.replace('\n', "\r\n"), "{text:?}");
        assert_eq!(eml.parts[1].1, format!("<p>{}</p>", text.replace('\n', "\r\n")));
    }
    let long = "word ".repeat(20_000);
    assert_eq!(eml(|mail| mail.mail.text.clone_from(&long)).parts[0].1, long);
}

#[test]
fn no_text_becomes_a_header() {
    let eml = eml(|mail| {
        mail.mail.subject = "Hi\r\nBcc: all@example.org\r\n\r\nbody\u{0}\u{85}\u{2028}x".to_owned();
        mail.mail.text = "a\r\n\r\n--boundary\r\nBcc: all@example.org\rb\n\r.\r\u{0}\n".to_owned();
    });
    assert_eq!(
        eml.parts[0].1,
        "a\r\n\r\n--boundary\r\nBcc: all@example.org\r\nb\r\n\r\n.\r\n\r\n"
    );
    assert_eq!(eml.header("Subject"), "Hi Bcc: all@example.org body x");
    assert!(!eml.names().contains(&"Bcc"));
    for address in [
        "team@example.org\r\nBcc: all@example.org",
        "Team\r\nBcc: all@example.org <team@example.org>",
        "team@example.org, all@example.org",
        "nobody",
    ] {
        let failure = render_with(|mail| mail.mail.cc = vec![address.to_owned()]).unwrap_err();
        assert!(
            matches!(&failure, MailFailure::Permanent(why) if why.contains("the recipient")),
            "{failure}"
        );
    }
}

#[test]
fn no_text_becomes_a_part() {
    let first = eml(|_| {});
    let boundary = first.header("Content-Type").split('"').nth(1).unwrap().to_owned();
    let text = format!("Hello\n--{boundary}\nContent-Type: text/html\n\n<b>evil</b>\n--{boundary}--\n");
    let eml = eml(|mail| mail.mail.text.clone_from(&text));
    assert_eq!(eml.parts.len(), 2);
    assert_eq!(eml.parts[0].1, text.replace('\n', "\r\n"));
}

#[test]
fn quotes_in_names_do_not_break_out() {
    let raw = render_with(|mail| mail.mail.to = vec!["\"Doe, \\\"J\\\" <x@evil.example>\" <j@example.org>".to_owned()]);
    let raw = raw.unwrap();
    assert_eq!(
        Eml::parse(&raw).header("To"),
        "Doe, \"J\" <x@evil.example> <j@example.org>"
    );
    // Encoded as a whole: what reads addresses before it decodes sees one.
    assert!(!String::from_utf8(raw).unwrap().contains("evil.example"));
}

#[test]
fn what_the_configuration_takes_can_be_sent() {
    for address in [
        "post@bücher.example",
        "countersign@localhost",
        "\"odd but legal\"@example.org",
        "b.o+x@example.org",
        "jürgen@example.org",
    ] {
        let mailbox: Mailbox = address.parse().unwrap();
        assert!(check_sender(&mailbox).is_ok(), "{address}");
    }
}

#[test]
fn a_mail_to_nobody_is_refused() {
    let failure = render_with(|mail| {
        mail.mail.to.clear();
        mail.mail.cc.clear();
    });
    assert_eq!(failure, Err(MailFailure::Permanent("it has no recipient".to_owned())));
}

#[test]
fn ids_from_names() {
    let directory = tempfile::tempdir().unwrap();
    let mailer = mailer(&directory);
    assert_eq!(mailer.message_id("wf-1.email_1").as_str(), "<wf-1.email_1@example.org>");
    let mut seen = std::collections::BTreeSet::new();
    let hostile = [
        "",
        ".",
        "..",
        "../../etc/passwd",
        "a/b",
        "a:b",
        "a b",
        "a\r\nBcc: x",
        "a>",
        "ä",
        "a..b",
        ".a",
        "a.",
        "a\0",
        "-",
        &"n".repeat(101),
        &"n".repeat(5000),
    ];
    for name in hostile {
        let id = mailer.message_id(name);
        assert_eq!(id.as_str().parse::<MessageId>().as_ref(), Ok(&id), "{name:?}");
        let stem = id.file_stem();
        assert!(
            !stem.is_empty() && stem.len() <= MAX_NAME && !stem.starts_with('.'),
            "{name:?}: {stem}"
        );
        assert!(
            stem.chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')),
            "{name:?}: {stem}"
        );
        assert!(seen.insert(stem), "{name:?} meets another");
        assert_eq!(id, mailer.message_id(name));
    }
}

#[test]
fn texts_that_are_no_ids() {
    for text in [
        "",
        "a@b",
        "<a>",
        "<@b>",
        "<a@>",
        "<a b@c>",
        "<a@b>\r\nBcc: x",
        "<a@b><c@d>",
        "<ä@b>",
    ] {
        assert!(text.parse::<MessageId>().is_err(), "{text:?}");
    }
    let stored = serde_json::to_string(&id("<a@b>")).unwrap();
    assert_eq!(serde_json::from_str::<MessageId>(&stored).unwrap(), id("<a@b>"));
    assert!(serde_json::from_str::<MessageId>("\"a\"").is_err());
}
