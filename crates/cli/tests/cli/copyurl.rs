//! Tests of `copyurl` with a small web server. The messages are those of rclone 1.75.2.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    time::SystemTime,
};

use fichier_emulator::Account;

use crate::stage::{Run, Stage};

/// Serves until the test ends, and returns the address.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut lines = BufReader::new(connection.try_clone().unwrap()).lines();
            let request = lines.next().unwrap().unwrap();
            let _headers: Vec<_> = lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
            let path = request.split(' ').nth(1).unwrap();
            let known = "Content-Length: 6\r\n";
            let (status, headers) = match path {
                "/redirect" => ("302 Found", "Location: /final%20name.bin\r\nContent-Length: 0\r\n"),
                "/missing" => ("404 Not Found", "Content-Length: 0\r\n"),
                "/named" => (
                    "200 OK",
                    "Content-Length: 6\r\nContent-Disposition: attachment; filename=\"../from header\"\r\n",
                ),
                "/endless" => ("200 OK", ""),
                _ => ("200 OK", known),
            };
            let body = if status == "200 OK" { "hello\n" } else { "" };
            let modified = "Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n";
            let answer = format!("HTTP/1.1 {status}\r\n{headers}{modified}Connection: close\r\n\r\n{body}");
            // A client may go away early.
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    address
}

#[test]
fn an_address_is_stored_under_the_name_that_was_asked_for() {
    let (stage, web) = (Stage::start(), serve());
    let url = |path: &str| format!("{web}/{path}");
    let here = stage.directory("here");
    stage.run(&["copyurl", &url("a"), "work/here/x"]).success();
    assert_eq!(fs::read(here.join("x")).unwrap(), b"hello\n");
    let modified = fs::metadata(here.join("x")).unwrap().modified().unwrap();
    assert_eq!(modified.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs(), 1_445_412_480);
    // This works without a length, too, and to the service.
    for path in ["a", "endless"] {
        stage.run(&["copyurl", &url(path), "t:new/y"]).success();
        assert_eq!(stage.run(&["cat", "t:new/y"]).success_text(), "hello\n");
    }
    let name = stage.run(&["copyurl", "-a", "-p", &url("redirect"), "work/here"]).success_text();
    assert_eq!(name, "final name.bin\n");
    let name = stage.run(&["copyurl", "-a", "--header-filename", "-p", &url("named"), "work/here"]);
    assert_eq!(name.success_text(), "from header\n");
    assert_eq!(stage.run(&["copyurl", "--stdout", &url("a")]).success_text(), "hello\n");
    let mut names: Vec<_> =
        fs::read_dir(&here).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["final name.bin", "from header", "x"]);
}

#[test]
fn what_goes_wrong_is_said_in_rclones_words_and_changes_nothing() {
    let (stage, web) = (Stage::start(), serve());
    let here = stage.directory("here");
    fs::write(here.join("x"), "old").unwrap();
    for (words, code, message) in [
        (vec!["-a", "{}/", "work/here"], 2, "CopyURL failed: file name wasn't found in url"),
        (
            vec!["-a", "--header-filename", "{}/a", "work/here"],
            2,
            "CopyURL failed: filename not found in the Content-Disposition header",
        ),
        (vec!["{}/missing", "work/here/m"], 2, "CopyURL failed: 404 Not Found"),
        (vec!["{}/a", "work/here/x", "--no-clobber"], 2, "CopyURL failed: file already exist"),
        (vec!["{}/a"], 1, "need 2 arguments if not using --stdout"),
        (vec!["{}/a", "work/here/n", "-n"], 0, "as --dry-run is set"),
        (vec!["http://127.0.0.1:1/a", "work/here/n"], 5, "can't connect"),
        (vec!["what", "work/here/n"], 2, "this is no address"),
    ] {
        let words: Vec<_> = words.iter().map(|word| word.replace("{}", &web)).collect();
        let words: Vec<_> = std::iter::once("copyurl").chain(words.iter().map(String::as_str)).collect();
        let run = stage.run(&words).code(code);
        assert!(run.stderr.contains(message), "{words:?}: {}", run.stderr);
    }
    assert_eq!(fs::read_dir(&here).unwrap().count(), 1);
    assert_eq!(fs::read(here.join("x")).unwrap(), b"old");
}

#[test]
fn a_list_of_addresses_is_worked_through_and_failures_do_not_stop_it() {
    let (stage, web) = (Stage::start(), serve());
    let here = stage.directory("here");
    fs::write(stage.home().join("list"), format!("{web}/one\n{web}/missing\n\n{web}/two,second name\n"))
        .unwrap();
    let run = stage.run(&["copyurl", "--urls", "list", "work/here"]).code(2);
    assert!(run.stderr.contains("404 Not Found"), "{}", run.stderr);
    assert!(here.join("one").is_file() && here.join("second name").is_file());
    assert_eq!(fs::read_dir(&here).unwrap().count(), 2);
}

#[test]
fn names_in_a_list_may_have_folders_and_spaces() {
    let (stage, web) = (Stage::start(), serve());
    let here = stage.directory("here");
    let list =
        format!("{web}/one,sub/dir/c.txt\n\"{web}/two\",\"with space/x y.txt\"\n{web}/three, lead.txt\n");
    fs::write(stage.home().join("list"), list).unwrap();
    stage.run(&["copyurl", "--urls", "list", "work/here"]).success();
    for name in ["sub/dir/c.txt", "with space/x y.txt", " lead.txt"] {
        assert!(here.join(name).is_file(), "{name}");
    }
    fs::write(stage.home().join("list"), format!("{web}/one,../up.txt\n")).unwrap();
    stage.run(&["copyurl", "--urls", "list", "work/here"]).code(2);
    assert!(!here.join("../up.txt").exists());
    let run = stage.run(&["copyurl", &format!("{web}/one"), "work/here/new/"]).code(2);
    assert!(run.stderr.contains("is a directory"), "{}", run.stderr);
}

#[test]
fn a_link_of_the_service_is_the_file_and_is_copied_there() {
    let other = "another-key-0123456789abcdef0123";
    let stage = Stage::start_changed("1000", |builder| {
        builder
            .account(Account::new("a-key-0123456789abcdef0123456789", "a@example.com"))
            .account(Account::new(other, "b@example.com"))
    });
    let file = stage.directory("from").join("its name");
    fs::write(&file, b"the content").unwrap();
    let of_other = |words: &[&str]| {
        let mut command = stage.command();
        Run::of(command.env("RCLONE_CONFIG_T_API_KEY", other).args(words), "other").success_text()
    };
    of_other(&["copyto", file.to_str().unwrap(), "t:theirs/its name"]);
    let link = of_other(&["link", "t:theirs/its name"]);
    let link = link.trim();
    stage.control().reset_counters();
    let run = stage.run(&["copyurl", link, "t:mine/x", "-v"]).code(0);
    assert!(run.stderr.contains("Copied at the service (server-side copy)"), "{}", run.stderr);
    assert_eq!(stage.run(&["copyurl", "-a", "-p", link, "t:mine"]).success_text(), "its name\n");
    stage.run(&["copyurl", link, "t:mine/x"]).success();
    let calls = stage.counters();
    assert_eq!((calls.get("download"), calls.get("upload.cgi")), (None, None));
    assert_eq!(stage.run(&["lsf", "-F", "ps", "t:mine"]).success_text(), "its name;11\nx;11\n");
    // Where the copy is refused, the file is fetched.
    stage.control().add_fault("endpoint=file/cp,kind=message:Not for you #12".parse().unwrap());
    let run = stage.run(&["copyurl", link, "t:mine/y"]).code(0);
    assert!(run.stderr.contains("Not for you #12"), "{}", run.stderr);
    assert_eq!(stage.run(&["cat", "t:mine/y"]).success_text(), "the content");
    // At another destination an account fetches it, too.
    stage.run(&["copyurl", "-a", link, "work/here"]).success();
    assert_eq!(fs::read(stage.home().join("work/here/its name")).unwrap(), b"the content");
    assert_eq!(stage.run(&["copyurl", "--stdout", link]).success_text(), "the content");
    let run = stage.run(&["copyurl", "https://1fichier.com/?nosuchfileatall12345", "t:mine/z"]);
    assert_ne!(run.status, Some(0), "{}", run.stderr);
}

#[test]
fn a_folder_that_somebody_shares_is_copied_at_the_service() {
    let stage = Stage::start();
    stage.control().seed_file("theirs/a", b"1").unwrap();
    stage.control().seed_file("theirs/b", b"22").unwrap();
    let page = stage.run(&["link", "t:theirs"]).success_text();
    let shared = format!("t,shared_folder='{}':", page.trim());
    stage.control().reset_counters();
    let run = stage.run(&["copy", &shared, "t:mine", "-v"]).code(0);
    assert!(run.stderr.contains("a: Copied (server-side copy)"), "{}", run.stderr);
    let calls = stage.counters();
    assert_eq!(
        (calls.get("file/cp"), calls.get("download"), calls.get("upload.cgi")),
        (Some(&1), None, None)
    );
    assert_eq!(stage.run(&["lsf", "-F", "ps", "t:mine"]).success_text(), "a;1\nb;2\n");
    let run = stage.run(&["copy", &shared, "t:mine", "-v"]).code(0);
    assert!(!run.stderr.contains("Copied ("), "{}", run.stderr);
    // A file that the service doesn't copy is sent.
    stage.control().add_fault("endpoint=file/cp,kind=message:Not for you #12".parse().unwrap());
    let run = stage.run(&["copy", &shared, "t:other"]).code(0);
    assert!(run.stderr.contains("Not for you #12"), "{}", run.stderr);
    assert_eq!(stage.run(&["lsf", "-F", "ps", "t:other"]).success_text(), "a;1\nb;2\n");
}
