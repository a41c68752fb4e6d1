//! Tests of what a person sees at a real terminal during transfers.

use std::fs;

use crate::stage::Stage;
use crate::terminal::Terminal;

/// Uploads three files, slow enough to be looked at, and checks the screen's text, with what varies made the same.
fn display(columns: u16, rows: u16) {
    let stage = Stage::start();
    let source = stage.directory("source");
    let names = ["a", "ünïcödé/日本語.txt", "a long way down/a name that is too long for the line.bin"];
    for (index, name) in names.iter().enumerate() {
        let path = source.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, vec![u8::try_from(index).unwrap(); 600_000]).unwrap();
    }
    let mut command = stage.command();
    command.args(["copy", source.to_str().unwrap(), "t:to", "-P", "--bwlimit", "300k"]);
    let mut terminal = Terminal::run(&mut command, columns, rows);
    let rates = if columns < 60 { 1 } else { 4 };
    terminal.until("the whole display", |screen| {
        screen.matches("/s").count() >= rates && screen.contains("ETA") && screen.contains("Files 0/3")
    });
    let seen = terminal.contents();
    for line in seen.lines() {
        assert!(line.chars().count() < usize::from(columns), "{seen}");
    }
    // It is random which file came first.
    let (head, mut files): (Vec<_>, Vec<_>) = seen.lines().partition(|line| !line.starts_with("  "));
    files.sort_unstable();
    let seen = [head, files].concat().join("\n");
    let filters = [(r"\[[█░]+\]", "[bar]"), (r" *\d+%", " #%"), (r"[\d.]+", "#"), (r"(Ki|Mi)?B", "B")];
    insta::with_settings!({filters => filters, snapshot_suffix => format!("{columns}x{rows}")}, {
        insta::assert_snapshot!("display", seen);
    });
    assert!(terminal.end().success());
    let end = terminal.contents();
    // The display is gone, and what happened is there instead, once.
    assert!(!end.contains('█') && end.matches("Transferred:").count() == 2, "{end}");
    assert!(end.contains("3 / 3, 100%"), "{end}");
}

#[test]
fn at_eighty_columns() {
    display(80, 24);
}

#[test]
fn at_fifty_columns() {
    display(50, 20);
}

#[test]
fn a_message_of_the_log_stands_above_the_display_and_tears_nothing() {
    let stage = Stage::start();
    let source = stage.directory("source");
    fs::write(source.join("a"), vec![1; 400_000]).unwrap();
    fs::write(source.join("b"), vec![2; 10]).unwrap();
    let mut command = stage.command();
    let order = ["--transfers", "1", "--order-by", "size", "--fichier-upload-batch", "1"];
    command.args(["copy", source.to_str().unwrap(), "t:to", "-P", "-v", "--bwlimit", "200k"]).args(order);
    let mut terminal = Terminal::run(&mut command, 80, 24);
    terminal.until("the first file", |screen| screen.contains("b: Copied (new)") && screen.contains('█'));
    let seen = terminal.contents();
    let place = |what: &str| seen.lines().position(|line| line.contains(what)).unwrap();
    assert!(place("b: Copied (new)") < place("░"), "{seen}");
    assert_eq!(seen.matches("Files ").count(), 1, "{seen}");
    assert!(terminal.end().success());
}

#[test]
fn a_question_stays_readable_while_progress_is_shown() {
    let stage = Stage::start();
    let source = stage.directory("source");
    fs::write(source.join("a"), vec![1; 1000]).unwrap();
    let mut command = stage.command();
    command.args(["copy", source.to_str().unwrap(), "t:to", "-P", "-i"]);
    let mut terminal = Terminal::run(&mut command, 80, 24);
    terminal.expect("y/n/s/!/q>");
    let asked = terminal.contents();
    // Several frames would have been drawn by now.
    std::thread::sleep(std::time::Duration::from_secs(1));
    terminal.expect("y/n/s/!/q>");
    assert_eq!(terminal.contents(), asked);
    for line in ["y) Yes, this is OK (default)", "q) Exit fichier now."] {
        assert_eq!(asked.matches(line).count(), 1, "{asked}");
    }
    terminal.keys("y\r");
    assert!(terminal.end().success());
    let end = terminal.contents();
    assert!(end.contains("y) Yes, this is OK (default)") && end.contains("1 / 1, 100%"), "{end}");
}

#[test]
fn a_dumb_terminal_gets_no_escapes() {
    let stage = Stage::start();
    let source = stage.directory("source");
    fs::write(source.join("a"), vec![1; 100_000]).unwrap();
    let mut command = stage.command();
    command.args(["copy", source.to_str().unwrap(), "t:to", "-P", "-v", "--bwlimit", "100k"]);
    let mut terminal = Terminal::run_as("dumb", &mut command, 80, 24);
    assert!(terminal.end().success());
    assert!(!terminal.has_shown("\u{1b}") && terminal.has_shown("1 / 1, 100%"), "{}", terminal.contents());
    // An error, and a command with colours of its own.
    for words in [["lsf", "t:nowhere"], ["tree", "t:to"]] {
        let mut command = stage.command();
        let mut terminal = Terminal::run_as("dumb", command.args(words), 80, 24);
        terminal.end();
        assert!(!terminal.has_shown("\u{1b}"), "{words:?}: {}", terminal.contents());
    }
}
