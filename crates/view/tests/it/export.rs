// SPDX-License-Identifier: AGPL-3.0-or-later
//! Pages of an export: whatever somebody wrote is text and nothing else.

use nodoor_view::{
    export::{Head, begin, end, message, page_name},
    message::{Marks, Quote, Reaction},
    model::{Content, ConversationId, From, MessageId, MessageRow, Milliseconds, Person},
    text::Texts,
};

fn row(content: Content, name: &str) -> MessageRow {
    let person = Person {
        account: "00".repeat(16),
        handle: "mallory".into(),
        name: name.into(),
        bot: false,
    };
    MessageRow {
        id: MessageId(7),
        conversation: ConversationId(1),
        reference: String::new(),
        from: From::Them(person),
        content,
        sent_at: Milliseconds(0),
        received_at: Milliseconds(0),
        state: None,
        marks: Marks::default(),
    }
}

/// The tags of a text, and of each what follows its name.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()).collect()
}

fn payloads() -> Vec<String> {
    let seeds = [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "\"><svg/onload=alert(1)>",
        "' onmouseover='alert(1)",
        "</title><script>alert(1)</script>",
        "</style><script>alert(1)</script>",
        "<a href=\"javascript:alert(1)\">x</a>",
        "javascript:alert(1)",
        "<iframe srcdoc='<script>alert(1)</script>'>",
        "<!--><script>alert(1)</script>",
        "]]><script>",
        "&lt;script&gt;",
        "<math><mtext></mtext><mglyph><style></math><img src onerror=alert(1)>",
        "`-alert(1)-`",
        "https://example.org/\"onmouseover=\"alert(1)",
        "https://example.org/'><script>alert(1)</script>",
        "<b>bold</b>",
        "<plaintext>",
        "<base href=//evil.example>",
        "<meta http-equiv=refresh content=0>",
        "\u{202E}txt.exe",
        "\u{0}<scr\u{0}ipt>",
        "<link rel=stylesheet href=//evil.example>",
        "<form action=//evil.example><input type=submit>",
        "data:text/html,<script>",
    ];
    let wraps: [fn(&str) -> String; 20] = [
        |text| text.to_owned(),
        |text| format!("**{text}**"),
        |text| format!("*{text}*"),
        |text| format!("`{text}`"),
        |text| format!("```\n{text}\n```"),
        |text| format!("> {text}"),
        |text| format!("~~{text}~~"),
        |text| format!("[@{text}](nodoor:account:{})", "00".repeat(16)),
        |text| format!("[@x](nodoor:account:{text})"),
        |text| format!("https://example.org/{text}"),
        |text| format!("https://example.org/?q=\"{text}"),
        |text| format!("{text}{text}"),
        |text| format!("\n{text}\n"),
        |text| text.to_uppercase(),
        |text| format!("**a {text}* b**"),
        |text| format!("&{text};"),
        |text| format!("\"{text}\""),
        |text| format!("'{text}'"),
        |text| text.replace('<', "<\n"),
        |text| text.replace(' ', "/"),
    ];
    wraps.iter().flat_map(|wrap| seeds.iter().map(|seed| wrap(seed))).collect()
}

#[test]
fn five_hundred_attacks_in_every_field_are_text() {
    const ALLOWED: [&str; 34] = [
        "!doctype", "html", "/html", "head", "/head", "meta", "title", "/title", "style", "/style",
        "body", "/body", "header", "/header", "h1", "/h1", "bdi", "/bdi", "p", "/p", "nav", "/nav",
        "a", "/a", "ol", "/ol", "li", "/li", "b", "/b", "time", "/time", "div", "/div",
    ];
    const MORE: [&str; 16] = [
        "small",
        "/small",
        "blockquote",
        "/blockquote",
        "span",
        "/span",
        "br",
        "strong",
        "/strong",
        "em",
        "/em",
        "s",
        "/s",
        "code",
        "/code",
        "pre",
    ];
    const ATTRIBUTES: [&str; 12] = [
        "html",
        "lang=",
        "dir=",
        "charset=",
        "http-equiv=",
        "content=",
        "name=",
        "id=",
        "class=",
        "datetime=",
        "href=",
        "rel=",
    ];
    let payloads = payloads();
    assert_eq!(payloads.len(), 500);
    let texts = Texts::terminal("en");
    for payload in &payloads {
        let head = Head {
            title: payload,
            about: payload,
            language: "en",
            right_to_left: false,
            page: 2,
            more: true,
        };
        let mut marks = Marks { edited: true, forwarded: true, ..Marks::default() };
        marks.reply = Some(Quote {
            reference: String::new(),
            message: Some(MessageId(1)),
            from: None,
            content: Some(Content::Text(payload.clone())),
        });
        marks.reactions.push(Reaction { emoji: payload.clone(), people: Vec::new(), mine: true });
        let markdown = Content::Markdown { text: payload.clone(), mentions: Vec::new() };
        let mut page = begin(&head, &texts);
        for content in [Content::Text(payload.clone()), markdown] {
            let row = MessageRow { marks: marks.clone(), ..row(content, payload) };
            page += &message(&row, payload, payload, payload, &texts);
        }
        page += &end(&head, &texts);
        for tag in tags(&page) {
            let name = tag.split([' ', '\n']).next().unwrap();
            assert!(
                ALLOWED.contains(&name)
                    || MORE.contains(&name)
                    || name == "/pre"
                    || name == "i"
                    || name == "/i",
                "{payload}: {tag}"
            );
            let lower = tag.to_lowercase();
            // An attribute of ours has two quotes; what was written has none left.
            assert!(lower.matches('"').count() % 2 == 0, "{payload}: {tag}");
            let outside: String = lower.split('"').step_by(2).collect();
            for attribute in outside.split_whitespace().skip(1) {
                assert!(ATTRIBUTES.contains(&attribute), "{payload}: {tag}");
            }
            if let Some(href) = lower.split("href=\"").nth(1) {
                let ours = href.starts_with("https://")
                    || href.starts_with("#m")
                    || href.starts_with("page-")
                    || href.starts_with("index");
                assert!(ours, "{payload}: {tag}");
            }
        }
        assert!(!page.contains('\u{202E}') && !page.contains('\0'));
    }
}

#[test]
fn a_page_says_where_the_others_are_and_needs_nothing_from_elsewhere() {
    let texts = Texts::terminal("ar");
    let head = Head {
        title: "حديقة",
        about: "",
        language: "ar",
        right_to_left: true,
        page: 2,
        more: true,
    };
    let page = begin(&head, &texts) + &end(&head, &texts);
    assert!(
        page.contains("dir=\"rtl\"")
            && page.contains("href=\"index.html\"")
            && page.contains("href=\"page-3.html\"")
    );
    assert!(
        page.contains("default-src 'none'") && !page.contains("src=") && !page.contains("<script")
    );
    assert_eq!(page_name(1), "index.html");
    let only = Head { page: 1, more: false, ..head };
    assert!(!begin(&only, &texts).contains("<nav>"));
}

#[test]
fn formatting_links_and_names_are_as_in_the_app() {
    let texts = Texts::terminal("en");
    let content = Content::Markdown {
        text: "**bold** and `a<b`\n> said\nhttps://example.org/x.".into(),
        mentions: Vec::new(),
    };
    let html = message(&row(content, "Mal"), "Mal", "now", "1970", &texts);
    for part in [
        "<strong>bold</strong>",
        "<code>a&lt;b</code>",
        "<blockquote>said</blockquote>",
        "<bdi>Mal</bdi>",
        "<a href=\"https://example.org/x\" rel=\"noreferrer noopener\">https://example.org/x</a>.",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}
