//! Programs that people use in a directory.

use std::{env, fs, path::PathBuf, process::Command};

use rusqlite::Connection;

use crate::world::{World, bytes, is_there, run};

#[test]
fn cp_ls_mv_cat_df_and_rm_work() {
    let Some(world) = World::new() else { return };
    let source = tempfile::tempdir().unwrap();
    fs::create_dir(source.path().join("deep")).unwrap();
    fs::write(source.path().join("deep/file"), bytes(100_000)).unwrap();
    fs::write(source.path().join("text"), "hello\n").unwrap();
    run("cp", &[&"-r", &source.path(), &world.at("copy")]);
    assert_eq!(run("cat", &[&world.at("copy/text")]), "hello\n");
    assert!(run("ls", &[&"-lR", &world.at("")]).contains("100000"));
    run("mv", &[&world.at("copy"), &world.at("moved")]);
    run("diff", &[&"-r", &source.path(), &world.at("moved")]);
    assert!(run("df", &[&world.at("")]).contains("fichier"));
    world.sync();
    run("cp", &[&"-r", &world.at("moved"), &source.path().join("back")]);
    run("diff", &[&"-r", &world.at("moved"), &source.path().join("back")]);
    run("rm", &[&"-rf", &world.at("moved")]);
    assert_eq!(run("ls", &[&"-A", &world.at("")]), "");
}

#[test]
fn git_clones_into_it_and_finds_all_sound() {
    let Some(world) = World::new() else { return };
    if !is_there("git") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let source = home.path().join("source");
    run("git", &[&"init", &"-q", &source]);
    for number in 0..20 {
        fs::write(source.join(format!("{number}")), bytes(1000 * number + 1)).unwrap();
    }
    run("git", &[&"-C", &source, &"add", &"."]);
    let who = ["-c", "user.name=a", "-c", "user.email=a@b"];
    run("git", &[&"-C", &source, &who[0], &who[1], &who[2], &who[3], &"commit", &"-qm", &"x"]);
    let clone = world.at("clone");
    run("git", &[&"clone", &"-q", &"--no-hardlinks", &source, &clone]);
    world.sync();
    let safe = format!("safe.directory={}", clone.display());
    run("git", &[&"-c", &safe, &"-C", &clone, &"fsck", &"--strict"]);
    assert_eq!(run("git", &[&"-c", &safe, &"-C", &clone, &"status", &"--porcelain"]), "");
}

/// Names the directory in which [`a_database_in_the_directory_of_a_variable`] works.
const DIRECTORY: &str = "FICHIER_TEST_DATABASES";

/// SQLite has locks for a whole process, and the file system's journal is of SQLite, too. So the database is used by a
/// process of its own: this test, when it is started by the next one.
#[test]
fn a_database_in_the_directory_of_a_variable() {
    let Some(directory) = env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    for journal in ["DELETE", "WAL"] {
        let path = directory.join(format!("{journal}.db"));
        let database = Connection::open(&path).unwrap();
        database.pragma_update(None, "mmap_size", 1 << 20).unwrap();
        database.pragma_update(None, "journal_mode", journal).unwrap();
        database.execute_batch("create table if not exists numbers (number integer, text text)").unwrap();
        for number in 0..50 {
            let text = "x".repeat(200);
            database.execute("insert into numbers values (?, ?)", (number, text)).unwrap();
        }
        let sound: String = database.query_row("pragma integrity_check", [], |row| row.get(0)).unwrap();
        let count: i64 = database.query_row("select count(*) from numbers", [], |row| row.get(0)).unwrap();
        assert_eq!((sound.as_str(), count % 50), ("ok", 0), "{journal}");
    }
}

#[test]
fn sqlite_keeps_databases_in_it() {
    let Some(world) = World::new() else { return };
    for _ in 0..2 {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "programs::a_database_in_the_directory_of_a_variable"]);
        let output = command.env(DIRECTORY, world.at("")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        world.sync();
    }
    assert!(fs::metadata(world.at("WAL.db")).unwrap().len() > 20_000);
}

#[test]
fn rsync_has_nothing_to_do_the_second_time() {
    let Some(world) = World::new() else { return };
    if !is_there("rsync") {
        return;
    }
    let source = tempfile::tempdir().unwrap();
    for number in 0..20 {
        fs::create_dir_all(source.path().join(format!("{}", number % 3))).unwrap();
        fs::write(source.path().join(format!("{}/{number}", number % 3)), bytes(5000 * number + 1)).unwrap();
    }
    let from = format!("{}/", source.path().display());
    // Owners and permissions are those of the options, so they can't be compared.
    let flags = ["-rt", "--itemize-changes"];
    let first = run("rsync", &[&"-a", &from, &world.at("to")]);
    assert_eq!(first, "");
    world.sync();
    assert_eq!(run("rsync", &[&flags[0], &flags[1], &from, &world.at("to")]), "");
    let back = tempfile::tempdir().unwrap();
    run("rsync", &[&"-a", &format!("{}/", world.at("to").display()), &back.path()]);
    run("diff", &[&"-r", &source.path(), &back.path()]);
}
