//! `share`, `unshare` and `shares`: folders that others may see.

use serde_json::{Value, json};

use crate::stage::Stage;

fn fault(stage: &Stage, text: &str) {
    stage.control().add_fault(text.parse().unwrap());
}

fn shares(stage: &Stage, words: &[&str]) -> Value {
    let words: Vec<_> = [&["shares", "--json"], words].concat();
    serde_json::from_str(&stage.run(&words).success_text()).unwrap()
}

#[test]
fn a_folder_is_shared_with_a_page_and_users_who_keep_their_rights() {
    let stage = Stage::start();
    stage.control().seed_file("films/a", b"12345").unwrap();
    stage.control().seed_folder("films/below").unwrap();
    let address = stage.run(&["share", "t:films", "--password", "secret1"]).success_text();
    assert!(address.starts_with("https://1fichier.com/dir/"), "{address}");
    let calls = stage.counters();
    assert_eq!((calls["folder/share"], calls.get("file/info")), (1, None), "{calls:?}");
    let again = stage.run(&["share", "t:films", "--with", "ann@x.com:rw,bob@x.com:hidden"]).success_text();
    assert_eq!(address, again, "the address stays");
    stage.run(&["share", "t:films", "--with", "Bob@x.com:ro"]).code(0);
    stage.run(&["share", "t:films/below", "--with", "eve@x.com:rw-hidden"]).code(0);
    let seen = shares(&stage, &["t:", "-R"]);
    let film = json!({
        "Path": "films", "Page": true, "Password": true,
        "With": [{"Mail": "ann@x.com", "Rights": "rw"}, {"Mail": "bob@x.com", "Rights": "ro"}],
    });
    assert_eq!(seen[0], film);
    assert_eq!(seen[1]["With"], json!([{"Mail": "eve@x.com", "Rights": "rw-hidden"}]));
    let lines = stage.run(&["shares", "t:"]).success_text();
    assert_eq!(lines, "films: page with password, ann@x.com:rw, bob@x.com:ro\n");
    stage.run(&["unshare", "t:films", "--with", "ann@x.com"]).success();
    assert_eq!(shares(&stage, &["t:films"])[0]["With"], json!([{"Mail": "bob@x.com", "Rights": "ro"}]));
    stage.run(&["unshare", "t:films"]).success();
    assert_eq!(stage.run(&["shares", "t:"]).success_text(), "");
}

#[test]
fn the_password_of_a_page_guards_it_and_can_go() {
    let stage = Stage::start();
    stage.control().seed_file("films/a", b"12345").unwrap();
    let address = stage.run(&["share", "t:films", "--password", "secret1"]).success_text();
    let address = address.trim();
    let to = stage.directory("to");
    let get = |link: &str| {
        let words = ["get", link, to.to_str().unwrap()];
        stage.run(&words).status
    };
    assert_ne!(get(address), Some(0));
    assert_eq!(get(&format!("{address}#secret1")), Some(0));
    stage.run(&["share", "t:films", "--no-password"]).code(0);
    std::fs::remove_file(to.join("a")).unwrap();
    assert_eq!(get(address), Some(0));
}

#[test]
fn a_dry_run_shares_nothing_and_no_password_is_told() {
    let stage = Stage::start();
    stage.control().seed_folder("films").unwrap();
    for words in [&["share", "t:films", "--password", "secret1"][..], &["unshare", "t:films"]] {
        let run = stage.run(&[words, &["--dry-run", "-vv", "--dump", "bodies"]].concat()).code(0);
        assert!(run.stdout.is_empty() && run.stderr.contains("as --dry-run is set"), "{}", run.stderr);
        assert!(!run.stderr.contains("secret1"), "{}", run.stderr);
    }
    assert_eq!(stage.counters().get("folder/share"), None);
    let words = ["share", "t:films", "--password", "secret1", "-vv", "--dump", "bodies"];
    let run = stage.run(&words).code(0);
    assert!(run.stderr.contains("folder/share") && !run.stderr.contains("secret1"), "{}", run.stderr);
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let stage = Stage::start();
    stage.directory("here");
    stage.control().seed_file("films/a", b"12345").unwrap();
    for words in [
        &["share", "t:films", "--password", "short"][..],
        &["share", "t:films", "--with", "ann@x.com"],
        &["share", "t:films", "--with", "ann@x.com:all"],
        &["unshare", "t:films", "--with", "ann"],
    ] {
        stage.run(words).code(1);
    }
    stage.run(&["share", "work/here"]).code(2);
    assert!(stage.counters().is_empty(), "{:?}", stage.counters());
    stage.run(&["share", "t:"]).code(2);
    stage.run(&["share", "t:nowhere"]).code(3);
    stage.run(&["share", "t:films/a"]).code(2);
    assert_eq!(stage.counters().get("folder/share"), None);
}

#[test]
fn on_bad_days_the_others_keep_their_rights_and_a_second_run_goes_on() {
    for kind in ["lost-answer,times=1", "flood,times=1", "status:502,times=1", "truncated-json,times=1"] {
        let stage = Stage::start();
        stage.control().seed_folder("films").unwrap();
        stage.run(&["share", "t:films", "--with", "ann@x.com:rw"]).code(0);
        fault(&stage, &format!("endpoint=folder/share,kind={kind}"));
        let run = stage.run(&["share", "t:films", "--with", "bob@x.com:ro"]);
        if run.status != Some(0) {
            stage.run(&["share", "t:films", "--with", "bob@x.com:ro"]).code(0);
        }
        let with = &shares(&stage, &["t:films"])[0]["With"];
        assert_eq!(with.as_array().unwrap().len(), 2, "{kind}: {with}");
    }
    // What can't be read isn't written over.
    let stage = Stage::start();
    stage.control().seed_folder("films").unwrap();
    stage.run(&["share", "t:films", "--with", "ann@x.com:rw"]).code(0);
    stage.control().reset_counters();
    fault(&stage, "endpoint=folder/ls,kind=refusal:403:Resource not allowed #631,after=1");
    let run = stage.run(&["share", "t:films", "--with", "bob@x.com:ro"]);
    assert_ne!(run.status, Some(0), "{}", run.stderr);
    assert_eq!(stage.counters().get("folder/share"), None);
}

/// A service with two accounts, and `o:` for the other one, which shares a folder with `t:` with these rights.
fn shared_by_other(rights: &str) -> Stage {
    let stage = crate::public::stage(1 << 40);
    let other = crate::public::others(&stage);
    other.seed_file("project/a.txt", b"12345").unwrap();
    other.seed_file("project/sub/b.bin", &[7; 100_000]).unwrap();
    other.seed_file("secret/c.txt", b"1").unwrap();
    let mut command = stage.command();
    command
        .env("RCLONE_CONFIG_O_TYPE", "fichier")
        .env("RCLONE_CONFIG_O_API_KEY", crate::public::OTHER)
        .env("RCLONE_CONFIG_O_ENDPOINT", stage.endpoint())
        .env("HOME", stage.directory("other"))
        .args(["share", "o:project", "--with", &format!("a@example.com:{rights}")]);
    crate::stage::Run::of(&mut command, "share").code(0);
    stage.control().reset_counters();
    stage
}

const THEIRS: &str = "t,shared_by=b@example.com:";

#[test]
fn folders_that_others_share_are_listed_and_read_with_links_or_without() {
    for rights in ["ro", "rw", "hidden", "rw-hidden"] {
        let stage = shared_by_other(rights);
        let listed = stage.run(&["lsf", THEIRS, "-R", "--files-only"]).success_text();
        assert_eq!(listed, "project/a.txt\nproject/sub/b.bin\n", "{rights}");
        let from = format!("{THEIRS}project");
        stage.run(&["copy", &from, "work/here"]).code(0);
        let here = stage.directory("here");
        assert_eq!(std::fs::read(here.join("a.txt")).unwrap(), b"12345", "{rights}");
        assert_eq!(std::fs::read(here.join("sub/b.bin")).unwrap(), vec![7; 100_000], "{rights}");
        // The second run has nothing to do, and goes by the checksums.
        let run = stage.run(&["check", &from, "work/here"]).code(0);
        assert!(run.stderr.contains("0 differences found"), "{}", run.stderr);
        assert_eq!(stage.run(&["cat", &format!("{THEIRS}project/a.txt")]).success_text(), "12345");
        // Into the own account it is copied, too.
        stage.run(&["copy", &from, "t:mine"]).code(0);
        assert_eq!(stage.run(&["cat", "t:mine/sub/b.bin", "--count", "3"]).success_text(), "\u{7}\u{7}\u{7}");
    }
}

#[test]
fn folders_that_others_share_are_not_changed_and_the_refusal_says_so() {
    let stage = shared_by_other("rw");
    std::fs::write(stage.directory("here").join("new"), "x").unwrap();
    let project = format!("{THEIRS}project");
    for words in [
        &["copy", "work/here", &project][..],
        &["mkdir", &format!("{project}/new")],
        &["deletefile", &format!("{project}/a.txt")],
        &["delete", &project],
        &["purge", &project],
        &["move", &project, "work/there"],
        &["attr", "set", &project, "--inline", "true"],
        &["share", &project],
        &["account", THEIRS],
    ] {
        let run = stage.run(words);
        assert!(run.status != Some(0), "{words:?}");
        assert!(run.stderr.contains("can't") || run.stderr.contains("read"), "{words:?}: {}", run.stderr);
    }
    let calls = stage.counters();
    for call in
        ["folder/mkdir", "file/rm", "folder/rm", "file/mv", "file/chattr", "folder/share", "upload.cgi"]
    {
        assert_eq!(calls.get(call), None, "{calls:?}");
    }
    assert_eq!(crate::public::others(&stage).count_files().unwrap(), 3);
}

#[test]
fn who_shares_nothing_shows_nothing() {
    let stage = shared_by_other("ro");
    let run = stage.run(&["lsf", "t,shared_by=nobody@example.com:"]).code(2);
    assert!(run.stderr.contains("there is no such account"), "{}", run.stderr);
    assert_eq!(stage.run(&["lsf", &format!("{THEIRS}secret")]).status, Some(3));
    let run = stage.run(&["lsf", "t,shared_by=nobody:"]).code(2);
    assert!(run.stderr.contains("no mail address"), "{}", run.stderr);
    // The own account's folders are seen as ever.
    stage.control().seed_file("own/file", b"1").unwrap();
    assert_eq!(stage.run(&["lsf", "t:"]).success_text(), "own/\n");
}
