//! Tests of flags in scripts made for rclone: each with an effect has it, each without one says so.

use std::{
    fs,
    net::{Shutdown, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::stage::{Run, Stage};

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn flags_of_other_services_and_commands_are_taken_and_told() {
    let stage = Stage::start();
    stage.control().seed_file("a", b"hello").unwrap();
    let line = "lsf --drive-chunk-size 64M t: --s3-no-check-bucket --vfs-handle-caching=1s -v";
    let run = stage.run(&line.split(' ').collect::<Vec<_>>()).code(0);
    assert_eq!(run.stdout, "a\n");
    for flag in ["--drive-chunk-size", "--s3-no-check-bucket", "--vfs-handle-caching"] {
        assert!(run.stderr.contains(&format!("INFO  : {flag} has no effect here: ")), "{}", run.stderr);
    }
    stage.run(&["lsf", "t:", "--drive-nonsense"]).code(1);
    stage.run(&["lsf", "t:", "--drive-chunk-size"]).code(1);
}

#[test]
fn what_can_not_be_done_is_refused_with_a_reason() {
    let stage = Stage::start();
    let reasons = [("--rc", "no remote control"), ("--rc-addr=:5572", "no remote control")];
    for (flag, reason) in reasons {
        let run = stage.run(&["lsf", "t:", flag]).code(1);
        assert!(run.stderr.contains(reason), "{flag}: {}", run.stderr);
    }
    let mut command = stage.command();
    command.env("RCLONE_CONFIG_GD_TYPE", "drive").args(["lsf", "gd:"]);
    let run = Run::of(&mut command, "lsf gd:");
    assert_ne!(run.status, Some(0));
    let reason = "didn't find backend called \"drive\", the type of \"gd\": rclone has it";
    assert!(run.stderr.contains(reason), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn files_are_chosen_by_their_metadata() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::start();
    let source = stage.directory("source");
    for (name, mode) in [("open", 0o644), ("closed", 0o600)] {
        fs::write(source.join(name), name).unwrap();
        fs::set_permissions(source.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::write(stage.home().join("rules"), "# those that others can read\n+ mode=100644\n- *\n").unwrap();
    let list = |words: &[&str]| stage.run(&[&["lsf"], words].concat()).success_text();
    let local = path(&source);
    // Measured with rclone 1.75.2.
    for (flags, listed) in [
        (&["--metadata-include", "mode=*"][..], "closed\nopen\n"),
        (&["--metadata-include", "mode=100644"], "open\n"),
        (&["--metadata-exclude", "mode=100600"], "open\n"),
        (&["--metadata-exclude", "*"], ""),
        (&["--metadata-filter", "- mode=100600", "--metadata-filter", "+ *"], "open\n"),
        (&["--metadata-filter-from", "rules"], "open\n"),
        (&["--metadata-include", "mtime=1999*"], ""),
    ] {
        assert_eq!(list(&[&[local], flags].concat()), listed, "{flags:?}");
    }
    // The service keeps no metadata: a filter that requires some matches nothing, and nothing is left out for having
    // some.
    stage.control().seed_file("a", b"hello").unwrap();
    assert_eq!(list(&["t:", "--metadata-include", "mode=*"]), "");
    assert_eq!(list(&["t:", "--metadata-exclude", "mode=*"]), "a\n");
    // Files that aren't chosen aren't removed, copied, or moved; a dry run and a question see the same.
    stage.run(&["delete", local, "--metadata-include", "mode=100600", "-n"]).success();
    assert!(source.join("closed").exists());
    let run = stage.run(&["copy", local, "t:to", "--metadata-exclude", "mode=100600", "-vv"]).code(0);
    assert!(run.stderr.contains("closed: Excluded (Metadata Filter)"), "{}", run.stderr);
    assert_eq!(list(&["t:to"]), "open\n");
    stage.run(&["delete", local, "--metadata-include", "mode=100600"]).success();
    assert!(!source.join("closed").exists() && source.join("open").exists());
    let dump = stage.run(&["lsf", local, "--metadata-exclude", "mode=100600", "--dump", "filters"]).code(0);
    assert!(dump.stdout.contains("--- Metadata filter rules ---\n- (^|/)mode=100600$\n"), "{}", dump.stdout);
}

#[test]
fn each_level_of_the_log_shows_what_is_at_least_as_important() {
    let stage = Stage::start();
    let shown = |level: &str| {
        let run = stage.run(&["ls", "nowhere:", "--log-level", level]);
        assert_ne!(run.status, Some(0));
        run.stderr.contains("CRITICAL: ")
    };
    for level in ["CRITICAL", "ERROR", "WARNING", "notice", "INFO", "DEBUG"] {
        assert!(shown(level), "{level}");
    }
    for level in ["OFF", "EMERGENCY", "alert"] {
        assert!(!shown(level), "{level}");
    }
    let failed = |level: &str| stage.run(&["ls", "t:nowhere", "--log-level", level]).code(3).stderr;
    assert!(failed("WARNING").contains("ERROR : "));
    assert_eq!(failed("CRITICAL"), "");
    stage.run(&["ls", "t:", "--log-level", "LOUD"]).code(1);
}

#[test]
fn a_file_has_a_rate_of_its_own() {
    let stage = Stage::start();
    let source = stage.directory("source");
    for name in ["a", "b", "c"] {
        fs::write(source.join(name), vec![name.as_bytes()[0]; 200 << 10]).unwrap();
    }
    let took = |flags: &[&str], target: &str| {
        let begun = Instant::now();
        let words = ["copy", path(&source), target, "--fichier-upload-batch", "1"];
        stage.run(&[&words[..], flags].concat()).code(0);
        begun.elapsed()
    };
    // Two seconds a file at 100 KiB a second; all at the same time.
    let limited = took(&["--bwlimit-file", "00:00,off;00:01,100k;23:59,100k"], "t:limited");
    assert!(limited > Duration::from_millis(1500), "{limited:?}");
    let one_after_the_other = took(&["--bwlimit-file", "100k", "--max-connections", "1"], "t:one");
    assert!(one_after_the_other > Duration::from_millis(4500), "{one_after_the_other:?}");
}

#[test]
fn exchanges_are_dumped_without_the_key() {
    let stage = Stage::start();
    let key = stage.api_key();
    let source = stage.directory("source");
    fs::write(source.join("a.txt"), "hello").unwrap();
    let dump = |words: &[&str]| {
        let run = stage.run(words);
        assert!(!run.stderr.contains(key), "{words:?} show the key:\n{}", run.stderr);
        run.stderr
    };
    let headers = dump(&["copy", path(&source), "t:to", "--dump", "headers"]);
    assert!(headers.contains("NOTICE: Automatically setting -vv as --dump is enabled"), "{headers}");
    assert!(headers.contains("POST http://127.0.0.1/v1/folder/ls.cgi"), "{headers}");
    assert!(headers.contains("authorization: ***\n") && headers.contains("HTTP 200 OK"), "{headers}");
    assert!(!headers.contains("folder_id"), "{headers}");
    let bodies = dump(&["lsf", "t:to", "--dump-bodies"]);
    assert!(bodies.contains("folder_id") && bodies.contains("a.txt"), "{bodies}");
    let requests = dump(&["lsf", "t:to", "--dump", "requests"]);
    assert!(requests.contains("folder_id") && !requests.contains("a.txt"), "{requests}");
    let responses = dump(&["lsf", "t:to", "--dump", "responses"]);
    assert!(responses.contains("a.txt"), "{responses}");
    let auth = dump(&["lsf", "t:to", "--dump", "auth"]);
    assert!(auth.contains("but never the key") && auth.contains("HTTP REQUEST"), "{auth}");
    // A token is an address that works for everyone.
    let download = dump(&["cat", "t:to/a.txt", "--dump", "bodies,headers"]);
    assert!(download.contains("get_token.cgi") && download.contains("\"url\":\"***\""), "{download}");
    let fine = dump(&["lsf", "t:to", "--dump", "errors"]);
    assert!(!fine.contains("HTTP RE"), "{fine}");
    let wrong = dump(&["lsf", "t:to", "--dump", "errors", "--fichier-api-key", "another-key-of-nobody"]);
    assert!(wrong.contains("HTTP REQUEST") && wrong.contains("HTTP RESPONSE"), "{wrong}");
    assert!(!wrong.contains("another-key-of-nobody"), "{wrong}");
    stage.run(&["lsf", "t:", "--dump", "nonsense"]).code(1);
}

#[test]
fn renamed_files_are_those_that_kept_what_the_strategy_asks_for() {
    // A file that changed its folder, and one that changed its name.
    let renamed = |strategy: &str| {
        let stage = Stage::start();
        let source = stage.directory("source");
        fs::create_dir_all(source.join("new")).unwrap();
        fs::write(source.join("new/kept.txt"), "one content").unwrap();
        fs::write(source.join("other.txt"), "another content").unwrap();
        stage.control().seed_file("to/old/kept.txt", b"one content").unwrap();
        stage.control().seed_file("to/name.txt", b"another content").unwrap();
        let flags = ["--track-renames", "--track-renames-strategy", strategy, "-v"];
        stage.run(&[&["sync", path(&source), "t:to"][..], &flags].concat()).code(0);
        let tree = stage.control().tree().unwrap();
        assert_eq!(tree.files.len(), 2, "{strategy}");
        stage.counters().get("upload/get_upload_server").copied().unwrap_or(0)
    };
    assert_eq!(renamed("hash"), 0);
    assert_eq!(renamed("hash,leaf"), 1);
    // The service keeps no times, so they can't distinguish files.
    assert_eq!(renamed("modtime"), 0);
    let stage = Stage::start();
    let run = stage.run(&["sync", "t:", "t:x", "--track-renames-strategy", "weight"]).code(1);
    assert!(run.stderr.contains("unknown track renames strategy \"weight\""), "{}", run.stderr);
}

#[test]
fn a_log_file_that_is_full_is_set_aside() {
    let stage = Stage::start();
    let logs = stage.directory("logs");
    let log = logs.join("run.log");
    let flags =
        ["--log-file", path(&log), "-vv", "--log-file-max-size", "200B", "--log-file-max-backups", "3"];
    let source = stage.directory("source");
    for number in 0..20 {
        fs::write(source.join(format!("file number {number}")), number.to_string()).unwrap();
    }
    stage.run(&[&["copy", path(&source), "t:to", "--log-file-compress"][..], &flags].concat()).code(0);
    let mut old: Vec<_> = fs::read_dir(&logs)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "run.log")
        .collect();
    old.sort();
    assert_eq!(old.len(), 3, "{old:?}");
    assert!(old.iter().all(|name| name.starts_with("run-2") && name.ends_with(".log.gz")), "{old:?}");
    assert!(fs::metadata(&log).unwrap().len() <= 400);
}

#[test]
fn systemd_is_told_how_important_a_line_is() {
    let stage = Stage::start();
    let run = stage.run(&["ls", "t:nowhere", "--log-systemd"]).code(3);
    assert!(run.stderr.lines().all(|line| line.starts_with("<3>ERROR : ")), "{}", run.stderr);
    let run = stage.run(&["ls", "t:", "--syslog", "--log-file", "x.log"]).code(1);
    assert!(run.stderr.contains("Can't use --syslog and --log-file together"), "{}", run.stderr);
    stage.run(&["ls", "t:", "--syslog-facility", "WEATHER"]).code(1);
}

#[test]
fn a_time_that_is_not_known_is_the_one_that_was_asked_for() {
    let stage = Stage::start();
    stage.control().seed_file("public/a", b"hello").unwrap();
    let code = stage.control().seed_share("public", None).unwrap();
    let list = |flags: &[&str]| {
        let mut command = stage.command();
        command.env("RCLONE_CONFIG_T_SHARED_FOLDER", &code).args(["lsf", "t:", "--format", "t"]).args(flags);
        Run::of(&mut command, "lsf").code(0).stdout
    };
    assert_eq!(list(&[]), "2000-01-01 00:00:00\n");
    assert_eq!(list(&["--default-time", "2021-02-03T04:05:06Z"]), "2021-02-03 04:05:06\n");
}

#[test]
fn features_that_can_be_switched_off_are_listed() {
    let stage = Stage::start();
    let run = stage.run(&["lsf", "nowhere:", "--disable", "help"]).code(0);
    assert!(run.stdout.contains("- ListR: "), "{}", run.stdout);
    let run = stage.run(&["lsf", "t:", "--disable", "move", "-v"]).code(0);
    assert!(run.stderr.contains("--disable move has no effect here"), "{}", run.stderr);
    // One listing of all files replaces one of each folder.
    for folder in ["a", "b", "c", "d"] {
        stage.control().seed_file(&format!("{folder}/f"), b"x").unwrap();
    }
    let asked = |flags: &[&str]| {
        stage.control().reset_counters();
        stage.run(&[&["lsf", "-R", "t:", "--catalogue", "off"][..], flags].concat()).code(0);
        stage.counters()
    };
    assert_eq!(asked(&["--fast-list", "--disable", "ListR"]), asked(&[]));
}

#[test]
fn what_the_destination_holds_in_the_end_is_written_as_lsf_writes_it() {
    let stage = Stage::start();
    let source = stage.directory("source");
    let list = stage.directory("lists").join("after");
    fs::create_dir_all(source.join("deep")).unwrap();
    fs::write(source.join("deep/a"), "hello").unwrap();
    fs::write(source.join("b,c"), "x").unwrap();
    stage.control().seed_file("to/old", b"old").unwrap();
    let after = |words: &[&str]| {
        stage.run(&[words, &["--dest-after", path(&list)]].concat()).code(0);
        fs::read_to_string(&list).unwrap()
    };
    assert_eq!(after(&["copy", path(&source), "t:new", "-n"]), "", "a dry run makes no folder");
    let copied = after(&["copy", path(&source), "t:to", "-n"]);
    assert_eq!(copied, "old\n", "a dry run leaves what was there");
    let copied = after(&["copy", path(&source), "t:to"]);
    assert_eq!(copied, stage.run(&["lsf", "-R", "--files-only", "t:to"]).success_text());
    assert_eq!(copied.lines().count(), 3);
    let synced = after(&["sync", path(&source), "t:to", "--format", "ps", "--csv", "--absolute"]);
    assert_eq!(synced, "\"/b,c\",1\n/deep/a,5\n");
    let folders = after(&["sync", path(&source), "t:to", "--dirs-only", "--dir-slash=false"]);
    assert_eq!(folders, "deep\n");
    let run = stage.run(&["sync", path(&source), "t:to", "--dest-after", "-", "-F", "hp", "-s", " "]).code(0);
    assert!(run.stdout.contains(" deep/a\n"), "{}", run.stdout);
    let run = stage.run(&["copyto", path(&source.join("b,c")), "t:one", "--dest-after", "-"]).code(0);
    assert_eq!(run.stdout, "one\n");
    stage.run(&["move", path(&source), "t:to", "--dest-after", "-", "--format", "pq"]).code(2);
    assert!(source.join("deep/a").exists(), "nothing is done when the list can't be written");
}

#[test]
fn a_version_is_not_looked_up() {
    let stage = Stage::start();
    let text = stage.run(&["version", "--check"]).success_text();
    assert!(text.starts_with("yours:  ") && text.contains("aren't looked for"), "{text}");
    let text = stage.run(&["version", "--deps"]).success_text();
    assert!(text.contains("\n- tokio 1.") && !text.contains("fichier"), "{text}");
}

#[test]
fn a_key_with_a_password_is_refused_with_the_way_out() {
    let stage = Stage::start_behind_proxy();
    let key = stage.home().join("key.pem");
    fs::write(&key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
        .unwrap();
    let certificate = stage.home().join("ca.pem");
    let flags = ["--client-cert", path(&certificate), "--client-key", path(&key), "--client-pass", "x"];
    let run = stage.run(&[&["lsf", "t:"][..], &flags].concat());
    assert_ne!(run.status, Some(0));
    assert!(run.stderr.contains("is encrypted") && run.stderr.contains("openssl pkey"), "{}", run.stderr);
}

/// Makes a way to the service that counts its connections.
fn counted_way(stage: &Stage) -> (String, Arc<AtomicUsize>) {
    let service = stage.endpoint().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    thread::spawn(move || {
        while let Ok((near, _)) = listener.accept() {
            counted.fetch_add(1, Ordering::SeqCst);
            let far = TcpStream::connect(&service).unwrap();
            for (mut from, mut to) in [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)] {
                thread::spawn(move || {
                    // The side that ends first ends it for both.
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Both);
                });
            }
        }
    });
    (format!("http://{address}"), connections)
}

#[test]
fn connections_are_used_once_where_that_is_asked_for() {
    let stage = Stage::start();
    for folder in ["a", "b", "c"] {
        stage.control().seed_file(&format!("{folder}/f"), b"x").unwrap();
    }
    let connections = |flags: &[&str]| {
        let (way, connections) = counted_way(&stage);
        let mut command = stage.command();
        command.env("RCLONE_CONFIG_T_ENDPOINT", way).args(["lsf", "-R", "t:", "--checkers", "1"]);
        Run::of(command.args(["--catalogue", "off"]).args(flags), "lsf").code(0);
        connections.load(Ordering::SeqCst)
    };
    let calls = 4;
    let (kept, once) = (connections(&[]), connections(&["--disable-http-keep-alives"]));
    assert!(kept < calls, "{kept}");
    assert_eq!(once, calls);
}

#[cfg(unix)]
#[test]
fn the_title_of_the_terminal_shows_progress() {
    use crate::terminal::Terminal;
    let stage = Stage::start();
    let source = stage.directory("source");
    fs::write(source.join("a"), vec![1; 200_000]).unwrap();
    for (flags, titled) in [(&["-P", "--progress-terminal-title"][..], true), (&["-P"][..], false)] {
        let mut command = stage.command();
        command.args(["copy", path(&source), "t:to", "--bwlimit", "200k", "-I"]).args(flags);
        let mut terminal = Terminal::run(&mut command, 80, 24);
        assert!(terminal.end().success());
        assert_eq!(terminal.has_shown("\x1b]0;"), titled, "{flags:?}");
    }
}

#[test]
fn an_empty_value_means_that_a_flag_is_not_given() {
    let stage = Stage::start();
    fs::write(stage.directory("s").join("a"), "1").unwrap();
    let flags = [
        "--log-file",
        "--combined",
        "--dest-after",
        "--report",
        "--ca-cert",
        "--temp-dir",
        "--cache-dir",
        "--dump",
        "--stats-unit",
        "--name-transform",
        "--compare-dest",
        "--copy-dest",
        "--files-from",
        "--backup-dir",
    ];
    for (index, flag) in flags.iter().enumerate() {
        let to = format!("work/d{index}");
        stage.run(&["copy", "work/s", &to, flag, ""]).success();
        assert!(stage.home().join(&to).join("a").exists(), "{flag}");
    }
    let mut command = stage.command();
    command.args(["lsf", "work/s"]).env("RCLONE_LOG_FILE", "").env("RCLONE_NAME_TRANSFORM", "");
    assert_eq!(Run::of(&mut command, "empty variables").success_text(), "a\n");
}
