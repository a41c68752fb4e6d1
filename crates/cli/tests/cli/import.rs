//! Tests of `import`: public files are copied into an account, at the service.

use std::fs;

use crate::{
    public::{many, others, protect, stage},
    stage::Stage,
};

const ROOMY: u64 = 1 << 40;

/// Returns the contents of `t:mine`: paths and sizes.
fn mine(stage: &Stage) -> String {
    stage.run(&["lsf", "-R", "-F", "ps", "t:mine"]).success_text()
}

#[test]
fn two_hundred_links_take_three_requests_and_a_listing_and_a_second_run_copies_nothing() {
    let stage = stage(ROOMY);
    let links = many(&stage, 200);
    fs::write(stage.home().join("list"), links.join("\n")).unwrap();
    stage.run(&["mkdir", "t:mine"]).success();
    stage.control().reset_counters();
    stage.run(&["import", "--from", "list", "t:mine"]).success();
    let counters = stage.counters();
    assert_eq!(
        (counters.get("check_links.pl"), counters.get("file/cp")),
        (Some(&1), Some(&2)),
        "{counters:?}"
    );
    for moved in ["download", "upload.cgi", "file/info", "get_token"] {
        assert_eq!(counters.get(moved), None, "{counters:?}");
    }
    let held = mine(&stage);
    assert_eq!((held.lines().count(), held.lines().next()), (200, Some("0000;1")));
    stage.control().reset_counters();
    stage.run(&["import", "--from", "list", "t:mine"]).success();
    let counters = stage.counters();
    assert_eq!((counters.get("file/cp"), counters.get("download")), (None, None), "{counters:?}");
    assert_eq!(mine(&stage), held);
}

#[test]
fn what_cannot_be_copied_is_told_link_by_link_and_the_rest_is_copied() {
    let stage = stage(ROOMY);
    let control = others(&stage);
    let open = control.seed_file("x/open", b"1").unwrap();
    let [closed, wrong, unknown] =
        ["closed", "wrong", "unknown"].map(|name| control.seed_file(&format!("x/{name}"), b"22").unwrap());
    for link in [&closed, &wrong, &unknown] {
        protect(&stage, link, "secret");
    }
    let dead = "https://1fichier.com/?deadlinkdeadlink1234";
    let typed = format!("{closed}#secret {wrong}#guess {unknown} {dead} {open}");
    let run = stage.run(&["import", &typed, "t:mine"]);
    assert_ne!(run.status, Some(0));
    assert_eq!(mine(&stage), "closed;2\nopen;1\n");
    for link in [&wrong, &unknown, dead] {
        assert!(run.stderr.contains(link), "{link}: {}", run.stderr);
    }
    for word in ["secret", "guess"] {
        assert!(!run.stderr.contains(word), "{}", run.stderr);
    }
    let typed = format!("{wrong} {unknown}");
    stage.run(&["import", &typed, "t:mine", "--password", "secret"]).success();
    assert_eq!(mine(&stage), "closed;2\nopen;1\nunknown;2\nwrong;2\n");
}

#[test]
fn files_with_one_password_go_in_one_call_and_stay_readable() {
    let stage = stage(ROOMY);
    let control = others(&stage);
    let links: Vec<_> =
        (0..6).map(|number| control.seed_file(&format!("x/{number}"), b"content").unwrap()).collect();
    for (number, link) in links.iter().enumerate() {
        protect(&stage, link, if number < 4 { "first-one" } else { "second" });
    }
    let typed: Vec<_> = links
        .iter()
        .enumerate()
        .map(|(number, link)| format!("{link}#{}", if number < 4 { "first-one" } else { "second" }))
        .collect();
    stage.control().reset_counters();
    stage.run(&["import", &typed.join(" "), "t:mine"]).success();
    assert_eq!(stage.counters()["file/cp"], 2, "{:?}", stage.counters());
    assert_eq!(mine(&stage).lines().count(), 6);
    assert_eq!(stage.run(&["cat", "t:mine/5"]).success_text(), "content");
}

#[test]
fn a_shared_folder_is_mirrored_and_namesakes_get_numbers() {
    let stage = stage(ROOMY);
    let control = others(&stage);
    let single = control.seed_file("single/a.txt", b"another").unwrap();
    for (name, content) in [("a.txt", &b"1"[..]), ("b", b"22")] {
        control.seed_file(&format!("shared/{name}"), content).unwrap();
    }
    let page = format!("https://1fichier.com/dir/{}", control.seed_share("shared", Some("secret")).unwrap());
    let typed = format!("{page}#secret {single}");
    let run = stage.run(&["import", &typed, "t:mine", "--dry-run"]).code(0);
    assert!(run.stderr.contains("as --dry-run is set"), "{}", run.stderr);
    assert!(stage.control().tree().unwrap().files.is_empty());
    for _ in 0..2 {
        stage.run(&["import", &typed, "t:mine"]).success();
        assert_eq!(mine(&stage), "a (1).txt;7\na.txt;1\nb;2\n");
    }
    let stored: Vec<_> = stage.control().tree().unwrap().files.into_iter().map(|file| file.path).collect();
    assert!(stored.contains(&"/mine/a (1).txt".to_owned()), "{stored:?}");
}

#[test]
fn a_full_account_and_a_locked_owner_are_told_and_nothing_is_downloaded() {
    let stage = stage(10);
    let link = others(&stage).seed_file("x/large", &[0; 100]).unwrap();
    let run = stage.run(&["import", &link, "t:mine"]);
    assert!(run.status != Some(0) && run.stderr.contains("quota"), "{}", run.stderr);
    let locked = "endpoint=file/cp,kind=message:Owner locked #620";
    stage.control().add_fault(locked.parse().unwrap());
    let small = others(&stage).seed_file("x/small", b"1").unwrap();
    let run = stage.run(&["import", &small, "t:mine"]);
    assert!(run.status != Some(0) && run.stderr.contains("Owner locked"), "{}", run.stderr);
    let counters = stage.counters();
    assert_eq!((counters.get("download"), counters.get("upload.cgi")), (None, None), "{counters:?}");
    stage.control().clear_faults();
    stage.run(&["import", &small, "t:mine"]).success();
    assert_eq!(mine(&stage), "small;1\n");
}

#[test]
fn a_copy_whose_answer_was_lost_is_looked_up_and_not_made_twice() {
    let stage = stage(ROOMY);
    let links = many(&stage, 20);
    fs::write(stage.home().join("list"), links.join("\n")).unwrap();
    stage.control().add_fault("endpoint=file/cp,kind=lost-answer,times=1".parse().unwrap());
    stage.run(&["import", "--from", "list", "t:mine"]).success();
    assert_eq!(mine(&stage).lines().count(), 20);
    // The run waits for a flood in the middle.
    stage.control().add_fault("endpoint=file/cp,kind=flood,times=1".parse().unwrap());
    stage.run(&["import", "--from", "list", "t:mine/again"]).success();
    assert_eq!(stage.run(&["lsf", "t:mine/again"]).success_text().lines().count(), 20);
}

#[test]
fn five_thousand_links_and_a_flood_in_the_middle() {
    let stage = stage(ROOMY);
    fs::write(stage.home().join("list"), many(&stage, 5000).join("\n")).unwrap();
    stage.control().reset_counters();
    stage.control().add_fault("endpoint=file/cp,kind=flood,after=4,times=1".parse().unwrap());
    stage.run(&["import", "--from", "list", "t:mine"]).success();
    assert_eq!(stage.control().count_files().unwrap(), 5000);
    let counters = stage.counters();
    assert!(counters["check_links.pl"] <= 10 && counters["file/cp"] <= 20, "{counters:?}");
}

#[test]
fn only_an_account_can_import() {
    let stage = stage(ROOMY);
    let link = others(&stage).seed_file("x", b"1").unwrap();
    let run = stage.run(&["import", &link, "work/here"]).code(2);
    assert!(run.stderr.contains("use get"), "{}", run.stderr);
    stage.run(&["import", &link]).code(1);
}
