//! Checks of names: what is stored under a name comes back under the same name, byte by byte.

use bstr::BStr;

use crate::{NameLength, Outcome, RemoteExt, RemotePath, StorageError};

use super::subject::{Checked, Subject, item, name_of};

/// Names that one file system, service or program or other has trouble with, in the decoded form of this crate: `␁`
/// means a control character, `‛␁` its picture, `‛‛` the quote itself.
fn difficult() -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = [
        // Spaces, dots, tildes and hyphens at the edges.
        " leading",
        "trailing ",
        "  both  ",
        " ",
        "   ",
        ".hidden",
        "..double",
        "...",
        "trailing.",
        "a..",
        "~home",
        "-rf",
        "--flag",
        "inner  spaces",
        // Characters with a meaning in shells, URLs, HTML and file systems.
        "back\\slash",
        "a<b>c",
        "\"double\"",
        "'single'",
        "`back`",
        "$dollar",
        "a:b",
        "c:",
        "what?",
        "a*b",
        "a|b",
        "#hash",
        "100%",
        "%41",
        "%2F",
        "a&b",
        "&amp;",
        "<b>",
        "a+b",
        "a=b",
        "a;b",
        "!bang",
        "[x]",
        "{y}",
        "(z)",
        "a,b",
        "a@b",
        "^",
        "~",
        "a%00b",
        // Look-alikes that replace what can't be in a name, and (quoted) those that are meant literally.
        "a／b",
        "．",
        "．．",
        "␀",
        "a␁b",
        "␟␡",
        "tab␉line␊return␍",
        "‛‛",
        "‛‛‛‛",
        "a‛‛b",
        "‛␀",
        "‛␁",
        "‛．",
        "‛．‛．",
        "‛／",
        "␠",
        "＜＞",
        "＂＇｀＄＼",
        "‛‛＜",
        "‛‛41",
        // Several scripts, characters outside the first plane, combining marks, right-to-left text.
        "zażółć gęślą jaźń",
        "Ärger",
        "русский",
        "日本語",
        "한국어",
        "العربية",
        "עברית",
        "🦀",
        "👩‍👩‍👧",
        "e\u{301}",
        "\u{e9}",
        "\u{feff}bom",
        "\u{202e}evil",
        "\u{a0}nbsp",
        "ﬁ",
        "ß",
        "İ",
        // Names that are special on other systems.
        "CON",
        "nul",
        "aux.txt",
        "COM1",
        "desktop.ini",
        ".DS_Store",
        "a.txt:stream",
        "null",
        "undefined",
        "0",
        "name.12345678.partial",
        "archive.tar.gz",
        "no extension",
        "index.html",
        "%",
        "file (1).txt",
    ]
    .iter()
    .map(|name| name.as_bytes().to_vec())
    .collect();
    names.push(b"bad \xff\xfe utf-8".to_vec());
    names.push(b"\x80".to_vec());
    names.push(vec![b'n'; 255]);
    names.push("é".repeat(127).into_bytes());
    names
}

/// Returns the names that a remote can hold beside each other.
fn distinct(subject: &Subject, longest: Option<NameLength>) -> Vec<Vec<u8>> {
    let mut names = difficult();
    // A wrapper may accept shorter names than most file systems do.
    names.retain(|name| longest.is_none_or(|longest| longest.allows(name)));
    if subject.remote.info().names.case_insensitive {
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(String::from_utf8_lossy(name).to_lowercase()));
    }
    names.sort();
    names
}

pub(super) async fn difficult_names_of_files(subject: Subject) -> Checked {
    let names = distinct(&subject, subject.remote.info().names.longest);
    let content = |name: &[u8]| [b"content of ", name].concat();
    let items = names.iter().map(|name| item(name, &content(name))).collect::<Checked<_>>()?;
    for (name, outcome) in names.iter().zip(subject.write("", items).await?) {
        let file = outcome.into_result().map_err(|error| format!("writing {}: {error}", quoted(name)))?;
        let stored = file.path.name().map(|name| name.as_bytes().to_vec()).unwrap_or_default();
        ensure!(stored == *name, "{} is stored as {}", quoted(name), quoted(&stored));
    }
    let listed = subject.list("").await?;
    same_names(&names, listed.iter().map(|entry| entry.path()))?;
    for name in &names {
        let path = subject.path("")?.join(&name_of(name)?);
        subject.is_file_at(&path, &content(name)).await?;
    }
    let files: Vec<_> = listed.iter().filter_map(|entry| entry.as_file().cloned()).collect();
    for (name, outcome) in names.iter().zip(subject.remove(&files).await?) {
        ensure!(outcome.is_done(), "removing {} came to {outcome:?}", quoted(name));
    }
    subject.holds("", &[]).await
}

pub(super) async fn difficult_names_of_folders(subject: Subject) -> Checked {
    let names = distinct(&subject, subject.remote.info().names.longest_of_folders());
    let home = subject.path("")?;
    let folders = names.iter().map(|name| Ok(home.join(&name_of(name)?))).collect::<Checked<Vec<_>>>()?;
    for (name, outcome) in names.iter().zip(subject.make_folders(&folders).await?) {
        ensure!(matches!(outcome, Outcome::Done(())), "making {} came to {outcome:?}", quoted(name));
    }
    let listed = subject.list("").await?;
    same_names(&names, listed.iter().map(|entry| entry.path()))?;
    for (name, entry) in names.iter().zip(&listed) {
        ensure!(entry.as_folder().is_some(), "the folder {} is listed as a file", quoted(name));
    }
    for folder in folders.iter().step_by(9) {
        let found = subject.remote.entry(folder).await;
        ensure!(found.as_ref().is_ok_and(|entry| entry.as_folder().is_some()), "{folder:?} is {found:?}");
        let inside = subject.remote.entries(folder).await;
        ensure!(inside.as_ref().is_ok_and(Vec::is_empty), "{folder:?} holds {inside:?}");
    }
    for (name, outcome) in names.iter().zip(subject.remove_folders(&folders).await?) {
        ensure!(outcome.is_done(), "removing {} came to {outcome:?}", quoted(name));
    }
    subject.holds("", &[]).await
}

fn quoted(name: &[u8]) -> String {
    format!("{:?}", BStr::new(name))
}

fn same_names<'a>(expected: &[Vec<u8>], listed: impl Iterator<Item = &'a RemotePath>) -> Checked {
    let listed: Vec<Vec<u8>> =
        listed.filter_map(RemotePath::name).map(|name| name.as_bytes().to_vec()).collect();
    for name in expected {
        ensure!(listed.contains(name), "{} isn't listed", quoted(name));
    }
    for name in &listed {
        ensure!(expected.contains(name), "{} is listed, which nobody stored", quoted(name));
    }
    ensure!(listed == expected, "the names are listed in another order than that of their bytes");
    Ok(())
}

pub(super) async fn listings_are_sorted_by_the_bytes_of_names(subject: Subject) -> Checked {
    subject.put("", &[("b", b"1"), ("a.txt", b"2"), ("é", b"3"), ("a0", b"4"), ("Z", b"5")]).await?;
    let folders = ["a", "a-", "c", "Y"].map(|name| subject.path(name));
    let folders = folders.into_iter().collect::<Checked<Vec<_>>>()?;
    for outcome in subject.make_folders(&folders).await? {
        outcome.into_result().map_err(|error| format!("making folders failed: {error}"))?;
    }
    subject.holds("", &["Y/", "Z", "a/", "a-/", "a.txt", "a0", "b", "c/", "é"]).await
}

pub(super) async fn case_makes_another_name(subject: Subject) -> Checked {
    subject.put_one("", "Name", b"first").await?;
    let other = subject.path("nAME")?;
    let found = subject.remote.entry(&other).await;
    if subject.remote.info().names.case_insensitive {
        ensure!(found.is_ok(), "case doesn't matter, so it is said, but {other:?} came to {found:?}");
        return Ok(());
    }
    ensure!(matches!(found, Err(StorageError::FileNotFound(_))), "{other:?} came to {found:?}");
    subject.put_one("", "nAME", b"the other").await?;
    subject.holds("", &["Name", "nAME"]).await?;
    subject.is_file("Name", b"first").await?;
    subject.is_file("nAME", b"the other").await?;
    Ok(())
}

pub(super) async fn names_at_the_limit(subject: Subject) -> Checked {
    // A name of this length, and one that is longer.
    let names = |limit: NameLength| match limit {
        NameLength::Bytes(bytes) => ("n".repeat(bytes), "n".repeat(bytes + 1)),
        NameLength::Characters(characters) => ("é".repeat(characters), "é".repeat(characters + 1)),
    };
    let rules = &subject.remote.info().names;
    if let Some(limit) = rules.longest {
        let (name, longer) = names(limit);
        subject.put_one("", &name, b"bytes").await?;
        subject.is_file(&name, b"bytes").await?;
        let stored = subject.write("longer", vec![item(longer.as_bytes(), b"bytes")?]).await?;
        ensure!(!stored[0].is_done(), "a name longer than {limit} came to {:?}", stored[0]);
    }
    if let Some(limit) = rules.longest_of_folders() {
        let (name, longer) = names(limit);
        let made = subject.make_folders(&[subject.path("folders")?.join(&name_of(name.as_bytes())?)]).await?;
        ensure!(matches!(made[..], [Outcome::Done(())]), "a folder's name of {limit} came to {made:?}");
        let made =
            subject.make_folders(&[subject.path("longer")?.join(&name_of(longer.as_bytes())?)]).await?;
        ensure!(!made[0].is_done(), "a folder's name longer than {limit} came to {:?}", made[0]);
    }
    // Nothing is stored under a shortened name.
    match subject.remote.entries(&subject.path("longer")?).await {
        Ok(entries) => ensure!(entries.is_empty(), "of a name that is too long there came {entries:?}"),
        Err(StorageError::FolderNotFound(_)) => {}
        Err(error) => return Err(format!("listing failed: {error}")),
    }
    Ok(())
}
