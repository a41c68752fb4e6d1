//! Tests of `get`: public files and shared folders are downloaded.

use std::fs;

use crate::{
    public::{others, protect, stage},
    stage::{Run, Stage, read_tree},
};

fn names(stage: &Stage) -> Vec<String> {
    read_tree(&stage.home().join("work/here")).into_keys().collect()
}

#[test]
fn files_and_shared_folders_come_here_and_what_is_there_is_not_fetched_again() {
    let stage = stage(1 << 40);
    let control = others(&stage);
    let file = control.seed_file("x/file.txt", b"content").unwrap();
    let namesake = control.seed_file("y/file.txt", b"another content").unwrap();
    let closed = control.seed_file("x/closed", b"hidden").unwrap();
    protect(&stage, &closed, "secret");
    control.seed_file("shared/a", b"1").unwrap();
    let page = format!("https://1fichier.com/dir/{}", control.seed_share("shared", None).unwrap());
    let here = stage.directory("here");
    let closed = format!("{closed}#secret");
    let words = ["get", &file, &namesake, &closed, &page, "work/here"];
    stage.run(&words).success();
    assert_eq!(names(&stage), ["a", "closed", "file (1).txt", "file.txt"]);
    assert_eq!(fs::read(here.join("file.txt")).unwrap(), b"content");
    assert_eq!(fs::read(here.join("file (1).txt")).unwrap(), b"another content");
    assert_eq!(fs::read(here.join("closed")).unwrap(), b"hidden");
    assert_eq!(stage.run(&["copyurl", "--stdout", &closed]).success_text(), "hidden");
    stage.control().reset_counters();
    stage.run(&words).success();
    assert_eq!(stage.counters().get("download"), None, "{:?}", stage.counters());
    // Without a directory it is the current one. Filters apply.
    let mut command = stage.command();
    command.current_dir(stage.directory("there"));
    Run::of(command.args(["get", &file, &namesake, "--exclude", "*(1)*"]), "get").success();
    let there = read_tree(&stage.home().join("work/there"));
    assert_eq!(there.into_keys().collect::<Vec<_>>(), ["file.txt"]);
}

#[test]
fn names_of_others_lead_nowhere_else() {
    let stage = stage(1 << 40);
    let control = others(&stage);
    let folder_id = control.seed_folder("x").unwrap();
    let seed = |name: &str| fichier_emulator::SeedFile {
        folder_id,
        name: name.to_owned(),
        size: 3,
        seed: 1,
        date: None,
    };
    let links = control.seed_many(&["../../up", "a/b", "..", "/etc/x"].map(seed)).unwrap();
    stage.directory("here");
    stage.run(&["get", &links.join(" "), "work/here"]).success();
    let home = read_tree(stage.home());
    let astray: Vec<_> =
        home.keys().filter(|path| !path.starts_with("work/here/") && !path.starts_with('.')).collect();
    assert!(astray.is_empty(), "{astray:?}");
    let held = names(&stage);
    assert!(held.len() == 4 && held.iter().all(|path| !path.contains('/')), "{held:?}");
}

#[test]
fn a_file_that_comes_damaged_is_not_kept() {
    let stage = stage(1 << 40);
    let file = others(&stage).seed_file("x/file", b"content").unwrap();
    stage.directory("here");
    stage.control().add_fault("kind=corrupt-download:2".parse().unwrap());
    let run = stage.run(&["get", &file, "work/here", "--retries", "1"]);
    assert_ne!(run.status, Some(0), "{}", run.stderr);
    assert!(names(&stage).is_empty());
}

#[test]
fn without_an_account_it_is_said_what_is_needed() {
    let stage = stage(1 << 40);
    let file = others(&stage).seed_file("x/file", b"content").unwrap();
    stage.directory("here");
    let mut command = stage.command();
    command.env_remove("RCLONE_CONFIG_T_TYPE").env_remove("RCLONE_CONFIG_T_API_KEY");
    let run = Run::of(command.args(["get", &file, "work/here"]), "get").code(2);
    assert!(run.stderr.contains("https://1fichier.com/console/params.pl"), "{}", run.stderr);
}
