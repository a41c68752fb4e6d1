//! Questions: who answers, who doesn't, and Ctrl-C while one is open.

use std::{
    fs,
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
};

use crate::stage::{Run, Stage};

/// Reads the child's stderr or stdout until a text is there.
fn wait_for(stream: &mut impl std::io::Read, text: &str) -> String {
    let (mut seen, mut byte) = (String::new(), [0]);
    while !seen.contains(text) {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "it ended: {seen}");
        seen.push(char::from(byte[0]));
    }
    seen
}

fn interrupt(child: &Child) {
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
}

fn start(stage: &Stage, words: &[&str]) -> Child {
    stage
        .command()
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn stage_with_files() -> Stage {
    let stage = Stage::start();
    for name in ["a", "b", "c"] {
        stage.control().seed_file(&format!("d/{name}"), b"same").unwrap();
    }
    fs::create_dir_all(stage.directory("empty").join("one/two")).unwrap();
    stage
}

#[test]
fn ctrl_c_ends_the_asking_and_nothing_more_is_done() {
    let stage = stage_with_files();
    for words in [
        &["delete", "t:d", "-i"][..],
        &["purge", "t:d", "-i"],
        &["sync", "work/empty", "t:d", "-i"],
        &["move", "t:d", "work/there", "-i"],
        &["copy", "t:d", "work/there", "-i"],
        &["rmdirs", "work/empty", "-i"],
        &["dedupe", "--by-hash", "first", "t:d", "-i"],
    ] {
        // This is before the first answer, and after one with which nothing is done.
        for answers in ["", "n\n"] {
            if !answers.is_empty() && matches!(words[0], "dedupe" | "purge") {
                continue;
            }
            let mut child = start(&stage, words);
            let (mut input, mut stderr) = (child.stdin.take().unwrap(), child.stderr.take().unwrap());
            wait_for(&mut stderr, "y/n/s/!/q> ");
            if !answers.is_empty() && words[0] != "rmdirs" {
                input.write_all(answers.as_bytes()).unwrap();
                wait_for(&mut stderr, "y/n/s/!/q> ");
            }
            interrupt(&child);
            wait_for(&mut stderr, "Stopping");
            // The program may have ended before.
            let _ = input.write_all(b"\n\n\n");
            let mut rest = String::new();
            stderr.read_to_string(&mut rest).unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(130), "{words:?}: {rest}");
            assert!(!rest.contains("y/n/s/!/q> "), "{words:?}: {rest}");
            assert_eq!(stage.control().tree().unwrap().files.len(), 3, "{words:?} {answers:?}: {rest}");
            assert!(stage.home().join("work/empty/one/two").exists());
            if words[0] == "delete" {
                let left = if answers.is_empty() { 3 } else { 2 };
                assert!(rest.contains(&format!("interrupted, with {left} known files left")), "{rest}");
            }
        }
    }
}

/// Waits until the service holds this number of files; that is a moment, but a busy machine takes longer.
fn wait_until_left(stage: &Stage, count: usize, why: &str) {
    for _ in 0..600 {
        if stage.control().tree().unwrap().files.len() == count {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{why}: {:?}", stage.control().tree().unwrap().files);
}

#[test]
fn what_was_confirmed_is_done_while_the_next_question_stands() {
    for words in [
        &["delete", "t:d", "-i"][..],
        &["sync", "work/empty", "t:d", "-i"],
        &["move", "t:d", "work/there", "-i"],
        &["copy", "t:d", "work/there", "-i"],
        &["copy", "t:d", "t:e", "-i"],
        &["copy", "work/here", "t:d", "-i"],
    ] {
        let stage = stage_with_files();
        let here = stage.directory("here");
        for name in ["x", "y"] {
            fs::write(here.join(name), name).unwrap();
        }
        let mut child = start(&stage, words);
        let (mut input, mut stderr) = (child.stdin.take().unwrap(), child.stderr.take().unwrap());
        // Where a folder has to be made or a file to be removed, that is a question of its own.
        let left = match words[0] {
            "delete" | "sync" | "move" => 2,
            _ if words[2] == "work/there" => 3,
            _ => 4,
        };
        let arrived = || stage.home().join("work/there/a").exists();
        let mut seen = wait_for(&mut stderr, "y/n/s/!/q> ");
        for _ in 0..3 {
            input.write_all(b"y\n").unwrap();
            seen = wait_for(&mut stderr, "y/n/s/!/q> ");
            if words[0] != "move" || seen.contains("copy \"") {
                break;
            }
        }
        if words[0] != "move" {
            wait_until_left(&stage, left, &format!("{words:?} {seen}"));
        }
        interrupt(&child);
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{words:?}: {rest}");
        assert!(words.get(2) != Some(&"work/there") || arrived(), "{words:?}: {seen} {rest}");
    }
}

#[test]
fn a_move_onto_an_existing_file_asks_about_that_one_too() {
    let stage = Stage::start();
    let d = stage.directory("d");
    for (answers, moved) in [("y\nn\n", false), ("n\n", false), ("y\ny\n", true)] {
        fs::write(d.join("a"), "new").unwrap();
        fs::write(d.join("b"), "older").unwrap();
        let typed = stage.home().join("answers");
        fs::write(&typed, answers).unwrap();
        let words = ["moveto", "work/d/a", "work/d/b", "-i"];
        let run =
            Run::of(stage.command().args(words).stdin(fs::File::open(&typed).unwrap()), "moveto -i").code(0);
        let held = fs::read_to_string(d.join("b")).unwrap();
        assert_eq!(
            (d.join("a").exists(), held.as_str()),
            if moved { (false, "new") } else { (true, "older") },
            "{answers:?}"
        );
        // Paths of the whole file system begin with its root.
        let path = fs::canonicalize(&d).unwrap().join("b");
        assert!(run.stderr.contains(&format!("move {:?}?", path.display().to_string())), "{}", run.stderr);
    }
}

#[test]
fn ctrl_c_ends_the_asking_of_dedupe() {
    let stage = stage_with_files();
    let mut child = start(&stage, &["dedupe", "--by-hash", "interactive", "t:d"]);
    let mut stdout = child.stdout.take().unwrap();
    wait_for(&mut stdout, "q) Quit\n");
    interrupt(&child);
    wait_for(child.stderr.as_mut().unwrap(), "Stopping");
    let _ = child.stdin.take().unwrap().write_all(b"k\n1\n");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(stage.control().tree().unwrap().files.len(), 3);
}

#[test]
fn the_end_of_the_input_is_no_yes_and_ends_with_1() {
    let stage = stage_with_files();
    fs::write(stage.home().join("work/f"), "x").unwrap();
    for words in [
        &["delete", "t:d", "-i"][..],
        &["purge", "t:d", "-i"],
        &["sync", "work/empty", "t:d", "-i"],
        &["move", "t:d", "work/there", "-i"],
        &["copyto", "t:d/a", "work/there", "-i"],
        &["deletefile", "work/f", "-i"],
        &["rmdirs", "work/empty", "-i"],
        &["rmdir", "work/empty/one/two", "-i"],
        &["mkdir", "work/new", "-i"],
        &["dedupe", "--by-hash", "t:d"],
    ] {
        let run = stage.run(words).code(1);
        assert!(run.stderr.contains("there was nobody to ask"), "{words:?}: {}", run.stderr);
        assert_eq!(stage.control().tree().unwrap().files.len(), 3, "{words:?}");
        assert!(stage.home().join("work/f").exists() && stage.home().join("work/empty/one/two").exists());
        assert!(!stage.home().join("work/new").exists() && !stage.home().join("work/there").exists());
    }
    // Changes that were allowed before are made.
    let answers = stage.home().join("answers");
    fs::write(&answers, "y\n").unwrap();
    let words = ["delete", "t:d", "-i"];
    Run::of(stage.command().args(words).stdin(fs::File::open(&answers).unwrap()), "one yes").code(1);
    assert_eq!(stage.control().tree().unwrap().files.len(), 2);
}

#[test]
fn an_input_that_nobody_feeds_is_not_stored() {
    let stage = Stage::start();
    stage.control().seed_file("f", b"kept").unwrap();
    fs::write(stage.home().join("f"), "kept").unwrap();
    for target in ["t:f", "f"] {
        for redirection in ["</dev/null", "<&-"] {
            let shell = stage.command();
            let program = shell.get_program().to_owned();
            let mut command = Command::new("/bin/sh");
            command.env_clear().current_dir(stage.home());
            command.envs(shell.get_envs().filter_map(|(name, value)| Some((name, value?))));
            let line = format!("exec \"$0\" rcat {target} {redirection}");
            let run = Run::of(command.arg("-c").arg(line).arg(program), redirection).code(1);
            assert!(run.stderr.contains("nothing to read from standard input (stdin)"), "{}", run.stderr);
        }
        assert_eq!(stage.run(&["cat", target]).success_text(), "kept");
    }
    // An empty pipe is an empty file.
    let mut child = start(&stage, &["rcat", "f"]);
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(fs::read(stage.home().join("f")).unwrap(), b"");
}
