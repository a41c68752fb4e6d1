//! Tests of the single commands of `config`.

use serde_json::Value;

use crate::{config::home::Home, stage::Stage};

#[test]
fn a_remote_is_made_changed_shown_and_removed() {
    let home = Home::with(None);
    let made = home.run(&["config", "create", "one", "fichier", "api_key=0123456789abcdef", "cdn", "true"]);
    assert_eq!(made.success(), "[one]\ntype = fichier\napi_key = …cdef\ncdn = true\n");
    assert_eq!(home.text(), "[one]\ntype = fichier\napi_key = 0123456789abcdef\ncdn = true\n\n");
    home.run(&["config", "update", "one", "cdn=false", "description=two words"]).success();
    let shown = home.run(&["config", "show", "one"]).success();
    assert_eq!(
        shown,
        "[one]\ntype = fichier\napi_key = 0123456789abcdef\ncdn = false\ndescription = two words\n"
    );
    home.run(&["config", "unset", "one", "cdn", "nosuch"]).success();
    let dump: Value = serde_json::from_str(&home.run(&["config", "dump"]).success()).unwrap();
    let expected = serde_json::json!({
        "one": {"type": "fichier", "api_key": "0123456789abcdef", "description": "two words"}
    });
    assert_eq!(dump, expected);
    home.run(&["config", "delete", "one"]).success();
    assert_eq!(home.text(), "");
    home.run(&["config", "delete", "one"]).success();
    home.run(&["config", "update", "one", "cdn=true"]).failure(2, "no remote \"one\"");
}

#[test]
fn what_is_wrong_is_said_and_nothing_written() {
    let home = Home::with(None);
    let fails = |words: &[&str], code: i32, message: &str| {
        home.run(&[&["config"], words].concat()).failure(code, message);
        assert!(!home.file().exists(), "{words:?}");
    };
    fails(&["create", "bad:name", "fichier"], 1, "can't be the name of a remote");
    fails(&["create", "x", "nosuch"], 2, "didn't find backend called \"nosuch\"");
    fails(&["create", "x", "fichier", "api_key"], 1, "has no value");
    fails(&["create", "x", "fichier", "description=two\nlines"], 2, "can't be stored");
    fails(&["show", "x"], 2, "no remote \"x\"");
    home.run(&["config", "create", "x", "local", "--config", ""]).failure(2, "no configuration file");
}

#[test]
fn passwords_are_obscured_unless_they_are_already() {
    let home = Home::with(None);
    let stored = |flags: &[&str], password: &str| {
        let option = format!("file_password={password}");
        home.run(&[&["config", "create", "x", "fichier", &option], flags].concat()).success();
        let text = home.text();
        text.split("file_password = ").nth(1).unwrap().lines().next().unwrap().to_owned()
    };
    let revealed = |obscured: &str| home.run(&["reveal", "--", obscured]).success().trim_end().to_owned();
    let obscured = "ExbtaUio2EhTKksRRXwopEv7MHqm2w";
    assert_eq!(revealed(&stored(&[], "hunter2")), "hunter2");
    assert_eq!(stored(&[], obscured), obscured);
    assert_eq!(revealed(&stored(&["--obscure"], obscured)), obscured);
    assert_eq!(stored(&["--no-obscure"], "hunter2"), "hunter2");
    home.run(&["config", "password", "x", "file_password", obscured]).success();
    assert!(!home.text().contains(obscured));
}

/// Answers each question by what `answer` returns, as a program would, and returns the questions.
fn converse(home: &Home, begin: &[&str], answer: impl Fn(&str) -> String) -> Vec<String> {
    let step = |words: &[&str]| -> Value { serde_json::from_str(&home.run(words).success()).unwrap() };
    let mut asked = Vec::new();
    let mut now = step(begin);
    while now["State"] != "" {
        let name = now["Option"]["Name"].as_str().unwrap().to_owned();
        let result = answer(&name);
        let state = now["State"].as_str().unwrap().to_owned();
        now = step(&["config", "update", "x", "--continue", "--state", &state, "--result", &result]);
        asked.push(name);
        assert!(asked.len() < 50, "{asked:?}");
    }
    asked
}

#[test]
fn a_program_is_led_through_all_options() {
    let home = Home::with(None);
    let begin = ["config", "create", "x", "fichier", "--all", "--non-interactive"];
    let asked = converse(&home, &begin, |name| {
        match name {
            "api_key" => "KEY",
            "config_fs_advanced" | "cdn" => "true",
            "file_password" => "secret",
            _ => "",
        }
        .to_owned()
    });
    assert_eq!(asked[..3], ["api_key", "config_fs_advanced", "shared_folder"]);
    assert_eq!(asked.last().unwrap(), "config_fs_own");
    let dump: Value = serde_json::from_str(&home.run(&["config", "dump"]).success()).unwrap();
    assert_eq!((&dump["x"]["api_key"], &dump["x"]["cdn"]), (&"KEY".into(), &"true".into()));
    let password = dump["x"]["file_password"].as_str().unwrap();
    assert_eq!(home.run(&["reveal", "--", password]).success(), "secret\n");
    let wrong = ["config", "update", "x", "--continue", "--state", "*all-set,4,true", "--result", "maybe"];
    let again: Value = serde_json::from_str(&home.run(&wrong).success()).unwrap();
    assert_eq!(again["State"], "*all-set,4,true");
    assert!(again["Error"].as_str().unwrap().contains("neither true nor false"));
    home.run(&["config", "update", "x", "--continue", "--state", "nonsense"]).failure(1, "no state");
    let own = converse(&home, &begin, |name| {
        if name.starts_with("config_fs") { "true".to_owned() } else { String::new() }
    });
    assert!(own.contains(&"upload_batch".to_owned()), "{own:?}");
}

#[test]
fn without_questions_a_program_is_done_at_once() {
    let home = Home::with(None);
    let text = home.run(&["config", "create", "x", "fichier", "--non-interactive"]).success();
    let step: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(step, serde_json::json!({"State": "", "Option": null, "Error": "", "Result": ""}));
}

#[test]
fn every_value_tells_where_it_comes_from() {
    let home = Home::with(Some("[one]\ntype = fichier\napi_key = 0123456789abcdef\ncdn = true\n"));
    let mut command = home.command();
    command.args(["config", "show", "--origin", "one,endpoint='http://x/':", "--fichier-upload-batch=3"]);
    command.env("RCLONE_CONFIG_ONE_CDN", "false").env("FICHIER_FICHIER_ENCODING", "Slash");
    let text = crate::config::home::Ended::of(command.output().unwrap()).success();
    let origin_of = |option: &str| {
        let (_, rest) = text.split_once(&format!("{option} = ")).unwrap();
        let mut lines = rest.lines();
        (lines.next().unwrap().to_owned(), lines.next().unwrap().trim().to_owned())
    };
    let file = home.file();
    let pair = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(origin_of("api_key"), pair("…cdef", &format!("set in {} on line 3", file.display())));
    assert_eq!(origin_of("cdn"), pair("false", "set by the environment variable RCLONE_CONFIG_ONE_CDN"));
    assert_eq!(
        origin_of("encoding"),
        pair("Slash", "set by the environment variable FICHIER_FICHIER_ENCODING")
    );
    assert_eq!(origin_of("upload_batch"), pair("3", "set by the flag --fichier-upload-batch"));
    assert_eq!(origin_of("endpoint"), pair("http://x/", "set in the remote string"));
    assert_eq!(origin_of("list_gap"), pair("", "the default"));
}

#[test]
fn a_copy_for_others_holds_no_secret() {
    let home = Home::with(Some(
        "# mine\n[b]\ntype = fichier\napi_key = SECRET1\nfile_password = SECRET2\ndescription = of ada@example.com\n\
         [a]\ntype = drive\ntoken = SECRET3\nclient_secret = SECRET4\nscope = all\n",
    ));
    let text = home.run(&["config", "redacted"]).success();
    assert_eq!(
        text,
        "[a]\ntype = drive\ntoken = XXX\nclient_secret = XXX\nscope = all\n\n[b]\ntype = fichier\napi_key = XXX\n\
         file_password = XXX\ndescription = of XXX\n\
         ### Double check the config for sensitive info before posting publicly\n"
    );
    assert!(home.run(&["config", "redacted", "a:"]).success().starts_with("[a]\ntype = drive\n"));
}

#[test]
fn the_place_of_the_file_is_told() {
    let home = Home::with(None);
    let path = home.file().display().to_string();
    let text = home.run(&["config", "file"]).success();
    assert_eq!(text, format!("Configuration file doesn't exist, but fichier will use this path:\n{path}\n"));
    home.run(&["config", "touch"]).success();
    assert!(home.file().exists());
    assert_eq!(
        home.run(&["config", "file"]).success(),
        format!("Configuration file is stored at:\n{path}\n")
    );
    let paths = home.run(&["config", "paths"]).success();
    assert!(paths.starts_with(&format!("Config file: {path}\n")), "{paths}");
    assert!(paths.contains(".config/rclone/rclone.conf (not there)"), "{paths}");
}

#[test]
fn remotes_of_other_types_are_kept_and_using_one_says_so() {
    let home = Home::with(Some("[g]\ntype = drive\ntoken = x\n"));
    assert_eq!(home.run(&["listremotes"]).success(), "g:\n");
    home.run(&["config", "create", "x", "local"]).success();
    assert!(home.text().starts_with("[g]\ntype = drive\ntoken = x\n"));
    home.run(&["lsf", "g:"]).failure(2, "didn't find backend called \"drive\"");
}

/// Runs the binary with the stage's service as the only one that new remotes know.
fn with_service(home: &Home, stage: &Stage, words: &[&str], input: &str) -> crate::config::home::Ended {
    let environment = stage.command();
    let told = |name: &str| {
        let value = environment.get_envs().find(|(known, _)| *known == name).unwrap().1.unwrap();
        value.to_str().unwrap().to_owned()
    };
    std::fs::write(home.file(), home.text().replace("DEMO", &told("RCLONE_CONFIG_T_API_KEY"))).unwrap();
    let input = input.replace("DEMO", &told("RCLONE_CONFIG_T_API_KEY"));
    let mut command = home.command();
    command.args(words).env("FICHIER_FICHIER_ENDPOINT", told("RCLONE_CONFIG_T_ENDPOINT"));
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    command.stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes());
    crate::config::home::Ended::of(child.wait_with_output().unwrap())
}

#[test]
fn the_account_is_told_reconnected_and_disconnected() {
    let stage = Stage::start();
    let home = Home::with(Some("[one]\ntype = fichier\napi_key = DEMO\n"));
    let told = with_service(&home, &stage, &["config", "userinfo", "one:"], "").success();
    assert!(told.contains("Email: demo@emulator.invalid"), "{told}");
    let json = with_service(&home, &stage, &["config", "userinfo", "one:", "--json"], "").success();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["email"], &json["used"]), (&"demo@emulator.invalid".into(), &0.into()));

    let before = home.text();
    let wrong = with_service(&home, &stage, &["config", "reconnect", "one:"], "WRONGWRONGWRONG\n");
    assert!(!wrong.stderr.contains("WRONGWRONG") && !wrong.stdout.contains("WRONGWRONG"), "{wrong:?}");
    wrong.failure(7, "the new key wasn't written");
    assert_eq!(home.text(), before);
    with_service(&home, &stage, &["config", "reconnect", "one", "--no-check"], "OTHER\n").success();
    assert!(home.text().contains("api_key = OTHER\n"));
    let right = with_service(&home, &stage, &["config", "reconnect", "one:"], "DEMO\n").success();
    assert!(right.contains("The key works. Account: demo@emulator.invalid"), "{right}");
    assert_eq!(home.text(), before);
    with_service(&home, &stage, &["config", "disconnect", "one:"], "").success();
    assert_eq!(home.text(), "[one]\ntype = fichier\n");
}

#[test]
fn a_new_key_is_tried_with_one_call() {
    let stage = Stage::start();
    let input = "n\none\nfichier\nDEMO\nn\ny\nq\n";
    let home = Home::with(None);
    let text = with_service(&home, &stage, &["config"], input).success();
    assert!(text.contains("Account: demo@emulator.invalid"), "{text}");
    assert_eq!(stage.counters().values().sum::<u64>(), 1, "{:?}", stage.counters());
    let text = with_service(&Home::with(None), &stage, &["config", "--no-check"], input).success();
    assert!(!text.contains("The key works"), "{text}");
    assert_eq!(stage.counters().values().sum::<u64>(), 1);
    let refused =
        with_service(&Home::with(None), &stage, &["config"], "n\none\n1\nWRONGWRONG\nn\ny\nq\n").success();
    assert!(refused.contains("The key can't be checked") && !refused.contains("WRONGWRONG"), "{refused}");
}

#[test]
fn values_are_checked_where_they_are_typed_and_a_missing_key_is_told() {
    let home = Home::with(None);
    let refused = [
        (
            &["config", "create", "c", "fichier", "cdn=maybe"][..],
            "option cdn: \"maybe\" is neither true nor false",
        ),
        (&["config", "create", "c", "fichier", "endpoint=nowhere"], "option endpoint"),
        (&["config", "create", "c", "fichier", "--non-interactive", "catalogue=x"], "option catalogue"),
        (&["config", "create", "c", "fichier", "api_key="], "option api_key: it is empty"),
        (&["config", "create", "c", "fichier", "api_key", " "], "option api_key: it is empty"),
    ];
    for (words, message) in refused {
        home.run(words).failure(1, message);
        assert_eq!(home.text(), "", "{words:?}");
    }
    let created = home.run(&["config", "create", "c", "fichier", "cdn=true"]);
    assert!(created.stderr.contains("can't be opened before api_key or shared_folder is set"), "{created:?}");
    let before = home.text();
    home.run(&["config", "update", "c", "upload_batch=0"]).failure(1, "option upload_batch");
    home.run(&["config", "password", "c", "cdn=true"]).failure(1, "cdn is no password");
    assert_eq!(home.text(), before);
    let kept = home.run(&["config", "update", "c", "api_key=0123456789abcdefghij"]);
    assert!(!kept.stderr.contains("can't be opened"), "{kept:?}");
    let emptied = home.run(&["config", "update", "c", "api_key="]);
    assert!(emptied.stderr.contains("can't be opened before"), "{emptied:?}");
}

#[test]
fn a_remote_that_leads_nowhere_is_told_as_it_is_made() {
    let home = Home::with(None);
    let run = home.run(&["config", "create", "loop", "alias", "remote=loop:x"]);
    run.failure(1, "\"loop\" would stand for itself");
    for (words, told) in [
        (["config", "create", "to", "alias", "remote=nosuch:x"], "before there is a remote \"nosuch\""),
        (["config", "create", "demo", "alias", "remote=/tmp"], "The remote \"demo\" is built in"),
        (["config", "create", "empty", "alias", "remote="], "before remote is set"),
    ] {
        assert!(home.run(&words).stderr.contains(told), "{words:?}");
    }
}
