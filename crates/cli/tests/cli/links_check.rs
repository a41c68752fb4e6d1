//! Tests of `links check`: which links of others are alive.

use std::fs;

use fichier_emulator::SeedFile;

use crate::stage::{Run, Stage};

/// Runs the binary without any remote in its configuration.
fn without_account(stage: &Stage, words: &[&str]) -> Run {
    let mut command = stage.command();
    command.env_remove("RCLONE_CONFIG_T_TYPE").env_remove("RCLONE_CONFIG_T_API_KEY");
    command.env("RCLONE_FICHIER_ENDPOINT", stage.endpoint()).env("RCLONE_FICHIER_TIME_SCALE", "1000");
    Run::of(command.args(words), &words.join(" "))
}

#[test]
fn each_link_of_a_text_is_told_once_and_without_an_account() {
    let stage = Stage::start();
    let alive = stage.control().seed_file("a/x, y.txt", b"12345").unwrap();
    let other = stage.control().seed_file("a/z", b"1").unwrap();
    let code = alive.rsplit('?').next().unwrap();
    let dead = "https://1fichier.com/?deadlinkdeadlink1234";
    let page = format!(
        "[b]Part 1[/b] http://www.1fichier.com/?{code}&af=3 and again {alive}. https://example.com/?{code}\n\
         {dead}\n{other}"
    );
    fs::write(stage.home().join("post"), page).unwrap();
    stage.control().reset_counters();
    let words = ["links", "check", "--from", "post"];
    let run = without_account(&stage, &words).code(1);
    assert_eq!(
        run.stdout,
        format!(
            "alive    5  x, y.txt  {alive}\ndead     -  -         {dead}\nalive    1  z         {other}\n"
        )
    );
    assert!(run.stderr.contains("1 of 3 links aren't known to be alive"), "{}", run.stderr);
    assert_eq!(stage.counters().into_iter().collect::<Vec<_>>(), [("check_links.pl".to_owned(), 1)]);
    let csv = without_account(&stage, &["links", "check", "--csv", &alive, dead]).code(1).stdout;
    assert_eq!(csv, format!("state,size,name,link\nalive,5,\"x, y.txt\",{alive}\ndead,,,{dead}\n"));
    let json = without_account(&stage, &["links", "check", "--json", &other]).success_text();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json, serde_json::json!([{"Link": other, "State": "alive", "Name": "z", "Size": 1}]));
    let via = stage.run(&["links", "check", "--via", "t:", &other]).success_text();
    assert_eq!(via, format!("alive    1  z  {other}\n"));
}

/// Returns the page of a shared folder.
fn page(id: &str) -> String {
    format!("https://1fichier.com/dir/{id}")
}

#[test]
fn private_files_and_shared_folders_are_told() {
    let stage = Stage::start();
    stage.control().seed_file("open/a", b"123").unwrap();
    stage.control().seed_file("open/b", b"4567").unwrap();
    stage.control().seed_file("closed/c", b"1").unwrap();
    let open = page(&stage.control().seed_share("open", None).unwrap());
    let closed = page(&stage.control().seed_share("closed", Some("secret")).unwrap());
    let gone = "https://1fichier.com/dir/Gone1234";
    let run = without_account(&stage, &["links", "check", "--csv", &open, &closed, gone]).code(1);
    let lines: Vec<_> = run.stdout.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(lines, ["alive", "private", "dead"], "{}", run.stdout);
    assert!(run.stdout.contains("alive,7,,"), "{}", run.stdout);
    let opened = format!("{closed}#secret");
    without_account(&stage, &["links", "check", &opened]).success();
}

#[test]
fn a_thousand_links_are_few_requests() {
    let stage = Stage::start();
    let folder_id = stage.control().seed_folder("many").unwrap();
    let seed = |number| SeedFile { folder_id, name: format!("{number}"), size: 1, seed: 1, date: None };
    let seeds: Vec<_> = (0..1000).map(seed).collect();
    let links = stage.control().seed_many(&seeds).unwrap();
    fs::write(stage.home().join("list"), links.join("\n")).unwrap();
    stage.control().reset_counters();
    let run = without_account(&stage, &["links", "check", "--from", "list"]).code(0);
    assert_eq!(run.stdout.lines().count(), 1000);
    assert!(stage.counters()["check_links.pl"] <= 10, "{:?}", stage.counters());
}

#[test]
fn a_site_that_answers_fewer_links_is_asked_in_shorter_lists() {
    let stage = Stage::start_changed("1000", |builder| builder.most_items(Some(30)));
    let links: Vec<_> =
        (0..100).map(|number| stage.control().seed_file(&format!("{number}"), b"1").unwrap()).collect();
    fs::write(stage.home().join("list"), links.join("\n")).unwrap();
    stage.control().reset_counters();
    without_account(&stage, &["links", "check", "--from", "list"]).success();
    assert_eq!(stage.counters()["check_links.pl"], 4);
    stage.control().reset_counters();
    stage.control().add_fault("endpoint=check_links.pl,kind=status:413,times=1".parse().unwrap());
    without_account(&stage, &["links", "check", "--from", "list"]).success();
    assert!(stage.counters()["check_links.pl"] <= 6, "{:?}", stage.counters());
}

#[test]
fn nothing_that_is_no_link_is_asked_about() {
    let stage = Stage::start();
    for words in [vec!["links", "check", "https://example.com/x"], vec!["links", "check"]] {
        let run = without_account(&stage, &words).code(1);
        assert!(run.stdout.is_empty() && !run.stderr.is_empty());
    }
    assert!(stage.counters().is_empty());
}

#[test]
fn what_the_site_does_not_tell_is_unknown_and_an_error() {
    let stage = Stage::start();
    let link = stage.control().seed_file("a", b"1").unwrap();
    stage.control().add_fault("endpoint=check_links.pl,kind=html".parse().unwrap());
    let run = without_account(&stage, &["links", "check", &link, "--low-level-retries", "1"]);
    assert_eq!(run.stdout, format!("unknown  -  -  {link}\n"));
    assert!(run.status != Some(0) && run.status != Some(1), "{:?} {}", run.status, run.stderr);
}
