//! Tests of the wizard at a real terminal: what each path shows, and that cancelling changes nothing.

use crate::{config::home::Home, stage::Stage, terminal::Terminal};

/// Width of a narrow screen, which stays readable.
const COLUMNS: u16 = 60;
const ROWS: u16 = 50;

const FILE: &str = "# mine\n[one]\ntype = fichier\napi_key = 0123456789abcdef\n\n[two]\ntype = drive\n";

/// A path through the wizard: questions and answers.
type Way<'a> = &'a [(&'a str, &'a str)];

/// Follows a path to its end, and returns what is on the screen then.
#[track_caller]
fn go(home: &Home, flags: &[&str], way: Way<'_>) -> String {
    let mut terminal = Terminal::run(home.command().arg("config").args(flags), COLUMNS, ROWS);
    for (label, answer) in way {
        terminal.answer(label, answer);
    }
    let status = terminal.end();
    assert!(status.success(), "{status}:\n{}", terminal.contents());
    terminal.contents()
}

const NEW: Way<'_> = &[
    ("n/s/q>", "n"),
    ("name>", "bad:name"),
    ("name>", "cloud"),
    ("Storage>", "1"),
    ("api_key>", "0123456789abcdefghij"),
    ("y/n>", "y"),
    ("shared_folder>", ""),
    ("y/g/n>", "y"),
    ("password:", "secret"),
    ("password:", "secret"),
    ("y/g/n>", ""),
    ("cdn>", "maybe"),
    ("cdn>", "true"),
    ("encoding>", ""),
    ("description>", "two words"),
    ("y/n>", "n"),
    ("y/e/d>", "y"),
    ("e/n/d/r/c/s/q>", "q"),
];

#[test]
fn new() {
    let home = Home::with(None);
    let screen = go(&home, &["--no-check"], NEW);
    insta::assert_snapshot!(screen);
    let text = home.text();
    assert!(
        text.starts_with("[cloud]\ntype = fichier\napi_key = 0123456789abcdefghij\nfile_password = "),
        "{text}"
    );
    assert!(text.ends_with("\ncdn = true\ndescription = two words\n\n"), "{text}");
    assert!(!screen.contains("secret"), "{screen}");
}

#[test]
fn new_with_a_key_that_is_tried() {
    let stage = Stage::start();
    let environment = stage.command();
    let told = |name: &str| environment.get_envs().find(|(known, _)| *known == name).unwrap().1.unwrap();
    let key = told("RCLONE_CONFIG_T_API_KEY").to_str().unwrap();
    let home = Home::with(None);
    let mut command = home.command();
    command.arg("config").env("FICHIER_FICHIER_ENDPOINT", told("RCLONE_CONFIG_T_ENDPOINT"));
    let mut terminal = Terminal::run(&mut command, COLUMNS, ROWS);
    for (label, answer) in [
        ("n/s/q>", "n"),
        ("name>", "cloud"),
        ("Storage>", "fichier"),
        ("api_key>", key),
        ("y/n>", ""),
        ("y/e/d>", ""),
        ("e/n/d/r/c/s/q>", "q"),
    ] {
        terminal.answer(label, answer);
    }
    assert!(terminal.end().success());
    let screen = terminal.contents();
    assert!(screen.contains("The key works. Account: demo@emulator.invalid"), "{screen}");
    assert_eq!(stage.counters().values().sum::<u64>(), 1);
    assert_eq!(home.text(), format!("[cloud]\ntype = fichier\napi_key = {key}\n\n"));
}

#[test]
fn edit() {
    let home = Home::with(Some(FILE));
    let way: Way<'_> = &[
        ("e/n/d/r/c/s/q>", "e"),
        ("remote>", "2"),
        ("e/n/d/r/c/s/q>", "e"),
        ("remote>", "one"),
        ("api_key>", ""),
        ("y/n>", "y"),
        ("shared_folder>", ""),
        ("y/g/n>", "g"),
        ("Bits>", "9"),
        ("Bits>", "64"),
        ("y/n>", "n"),
        ("y/g/n>", ""),
        ("y/g/n>", ""),
        ("cdn>", "true"),
        ("encoding>", "Slosh"),
        ("encoding>", ""),
        ("description>", ""),
        ("y/n>", "y"),
        ("empty_files>", "2"),
        ("shared_by>", "ann"),
        ("shared_by>", ""),
        ("upload_batch>", "0"),
        ("upload_batch>", "7"),
        ("download_connections>", ""),
        ("dates>", ""),
        ("send_dropped>", ""),
        ("catalogue>", ""),
        ("endpoint>", ""),
        ("call_gap>", ""),
        ("list_gap>", ""),
        ("folder_gap>", ""),
        ("all_files_gap>", ""),
        ("account_gap>", ""),
        ("time_scale>", ""),
        ("y/e/d>", ""),
        ("e/n/d/r/c/s/q>", "q"),
    ];
    let screen = go(&home, &[], way);
    insta::with_settings!({filters => [(r"Your password is: \S+", "Your password is: [made]")]}, {
        insta::assert_snapshot!(screen);
    });
    let expected = "api_key = 0123456789abcdef\ncdn = true\nempty_files = skip\nupload_batch = 7\n";
    assert_eq!(home.text(), FILE.replace("api_key = 0123456789abcdef\n", expected));
}

#[test]
fn rename_copy_and_delete() {
    let home = Home::with(Some(FILE));
    let way: Way<'_> = &[
        ("e/n/d/r/c/s/q>", "r"),
        ("remote>", "1"),
        ("name>", "two"),
        ("name>", "uno"),
        ("e/n/d/r/c/s/q>", "c"),
        ("remote>", "uno"),
        ("name>", "tre"),
        ("e/n/d/r/c/s/q>", "d"),
        ("remote>", "two"),
        ("e/n/d/r/c/s/q>", "q"),
    ];
    insta::assert_snapshot!(go(&home, &[], way));
    let expected = "# mine\n[uno]\ntype = fichier\napi_key = 0123456789abcdef\n\n\
                    [tre]\ntype = fichier\napi_key = 0123456789abcdef\n\n";
    assert_eq!(home.text(), expected);
}

#[test]
fn password_set_changed_and_removed() {
    let home = Home::with(Some(FILE));
    let way: Way<'_> = &[
        ("e/n/d/r/c/s/q>", "s"),
        ("a/q>", "a"),
        ("password:", "first"),
        ("password:", "other"),
        ("password:", "first"),
        ("password:", "first"),
        ("c/u/q>", "q"),
        ("e/n/d/r/c/s/q>", "q"),
    ];
    let screen = go(&home, &[], way);
    assert!(home.text().contains("RCLONE_ENCRYPT_V0:"), "{}", home.text());
    insta::assert_snapshot!(screen);

    let mut terminal = Terminal::run(home.command().arg("config"), COLUMNS, ROWS);
    // The password is asked for again after a wrong one. Typed text is removed with backspace and Ctrl-U.
    terminal.answer("password:", "wrong");
    terminal.answer("password:", "nonsense\u{15}firx\u{7f}st");
    terminal.answer("e/n/d/r/c/s/q>", "s");
    terminal.answer("c/u/q>", "u");
    terminal.answer("a/q>", "q");
    terminal.answer("e/n/d/r/c/s/q>", "q");
    assert!(terminal.end().success(), "{}", terminal.contents());
    assert!(!terminal.has_shown("wrong") && !terminal.has_shown("nonsense"), "{}", terminal.contents());
    assert_eq!(home.text(), FILE);
}

/// Cancels at each question of a path with a key.
fn break_off(key: &str, code: i32, said: &str) {
    for (count, (open, _)) in NEW.iter().enumerate().take(NEW.len() - 1) {
        let home = Home::with(Some(FILE));
        let mut terminal = Terminal::run(home.command().args(["config", "--no-check"]), COLUMNS, ROWS);
        // There are remotes already, so that the first question is another one.
        for (index, (label, answer)) in NEW.iter().take(count).enumerate() {
            terminal.answer(if index == 0 { "e/n/d/r/c/s/q>" } else { label }, answer);
        }
        terminal.expect(if count == 0 { "e/n/d/r/c/s/q>" } else { open });
        terminal.keys(key);
        let status = terminal.end();
        assert_eq!(status.code(), Some(code), "{count}: {}", terminal.contents());
        assert!(terminal.contents().replace('\n', " ").contains(said), "{count}: {}", terminal.contents());
        assert_eq!(home.text(), FILE, "{count}");
    }
}

#[test]
fn ctrl_c_at_any_question_leaves_the_file_as_it_was() {
    break_off("\u{3}", 130, "interrupted");
}

#[test]
fn the_end_of_input_at_any_question_leaves_the_file_as_it_was() {
    break_off("\u{4}", 1, "nothing of this was written");
}

#[test]
fn a_line_can_be_edited_with_the_arrow_keys() {
    let home = Home::with(None);
    let mut terminal = Terminal::run(home.command().args(["config", "--no-check"]), COLUMNS, ROWS);
    terminal.answer("n/s/q>", "n");
    // "cld", two to the left, "o", to the end, "x", which is removed; to the start, "my-".
    terminal.answer("name>", "cld\u{1b}[D\u{1b}[Do\u{5}x\u{7f}\u{1}my-");
    terminal.answer("Storage>", "local");
    terminal.answer("y/n>", "");
    terminal.answer("y/e/d>", "");
    terminal.answer("e/n/d/r/c/s/q>", "q");
    assert!(terminal.end().success());
    assert_eq!(home.text(), "[my-cold]\ntype = local\n\n");
}

#[test]
fn a_pipe_answers_as_well() {
    let home = Home::with(None);
    let answers = "n\ncloud\nalias\ndemo:\nn\ny\nq\n";
    let text = home.pipe(&["config"], answers).success();
    assert!(text.contains("Option remote."), "{text}");
    assert_eq!(home.text(), "[cloud]\ntype = alias\nremote = demo:\n\n");
    for count in 0..6 {
        let home = Home::with(None);
        let part: String = answers.split_inclusive('\n').take(count).collect();
        home.pipe(&["config"], &part).failure(1, "the input ended before the answer");
        assert!(!home.file().exists(), "{part}");
    }
}

#[test]
fn a_key_that_the_service_refuses_is_not_kept_by_enter() {
    let stage = crate::stage::Stage::start();
    let home = Home::with(None);
    let mut command = home.command();
    command.args(["config", "--fichier-endpoint", stage.endpoint().as_str()]);
    let mut terminal = Terminal::run(&mut command, COLUMNS, ROWS);
    terminal.answer("n/s/q>", "n");
    terminal.answer("name>", "cloud");
    terminal.answer("Storage>", "fichier");
    terminal.answer("api_key>", "WRONGWRONGWRONGWRONG");
    terminal.answer("y/n>", "n");
    terminal.answer("y/e/d>", "");
    // Enter goes back to the questions.
    terminal.expect("api_key>");
    assert!(terminal.contents().contains("The key can't be checked"), "{}", terminal.contents());
    assert_eq!(home.text(), "");
}
