//! Tests of the flags that say how the network is used, and of those that have nothing to decide.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Command,
    thread,
};

use crate::stage::{Run, Stage};

/// Returns the binary as it finds the service by its own names, with nothing in the environment that shows the way.
fn bare(stage: &Stage) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fichier"));
    command
        .env_clear()
        .env("HOME", stage.home())
        .env("RCLONE_CONFIG_T_TYPE", "fichier")
        .env("RCLONE_CONFIG_T_API_KEY", stage.api_key())
        .env("RCLONE_CONFIG_T_TIME_SCALE", "1000")
        .current_dir(stage.home());
    command
}

#[test]
fn a_proxy_and_its_certificate_can_be_given_by_flags() {
    let stage = Stage::start_behind_proxy();
    stage.control().seed_file("a", b"hello").unwrap();
    let [(_, proxy), (_, authority)] = stage.proxy_environment();
    let words = ["cat", "t:a", "--http-proxy", &proxy];
    let run = Run::of(bare(&stage).args(words).args(["--ca-cert", &authority]), "cat").code(0);
    assert_eq!(run.stdout, "hello");
    let run = Run::of(bare(&stage).args(words).args(["--low-level-retries", "1"]), "cat").code(2);
    assert!(run.stderr.contains("--ca-cert") && run.stderr.contains("certificate"), "{}", run.stderr);
    let run = Run::of(bare(&stage).args(words).arg("--no-check-certificate"), "cat").code(0);
    assert_eq!(run.stdout, "hello");
    assert!(run.stderr.contains("NOTICE: Certificates aren't checked"), "{}", run.stderr);
    let run = Run::of(bare(&stage).args(["cat", "t:a", "--http-proxy", "nonsense"]), "cat").code(1);
    assert!(run.stderr.contains("--http-proxy: expected an address"), "{}", run.stderr);
}

/// Starts a server that answers one request. Returns its address, and the request that it will have received, in small
/// letters.
fn server_of_one_request() -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi").unwrap();
        String::from_utf8(request).unwrap().to_lowercase()
    });
    (format!("http://{address}/f"), asked)
}

#[test]
fn headers_are_sent_where_they_belong_and_never_logged() {
    let (url, asked) = server_of_one_request();
    let stage = Stage::start();
    let headers =
        ["--header", "X-One: s3cret", "--header-download", "X-Two: 2", "--header-upload=X-Three: 3"];
    let run = stage.run(&[&["copyurl", url.as_str(), "f", "-vv"][..], &headers].concat()).code(0);
    assert_eq!(fs::read(stage.home().join("f")).unwrap(), b"hi");
    let asked = asked.join().unwrap();
    assert!(asked.contains("x-one: s3cret\r\n") && asked.contains("x-two: 2\r\n"), "{asked}");
    assert!(!asked.contains("x-three"), "{asked}");
    assert!(!run.stderr.contains("s3cret"), "{}", run.stderr);
    let run = stage.run(&["lsf", "t:", "--header", "s3cret"]).code(1);
    assert!(run.stderr.contains("--header: \"***\" is no HTTP header"), "{}", run.stderr);
    assert!(!run.stderr.contains("s3cret"), "{}", run.stderr);
}

#[test]
fn all_headers_of_one_name_are_sent_and_none_that_frames_the_request() {
    let (url, asked) = server_of_one_request();
    let stage = Stage::start();
    let headers =
        ["X-One: 1", "X-One: 2", "X-Two: 3", "User-Agent: mine", "Host: elsewhere", "Content-Length: 7"];
    let mut words = vec!["copyurl", url.as_str(), "f", "--header-download", "X-Two: 4"];
    words.extend(headers.iter().flat_map(|header| ["--header", header]));
    stage.run(&words).code(0);
    let asked = asked.join().unwrap();
    let bears = |line: &str| asked.contains(&format!("\r\n{line}\r\n"));
    assert!(bears("x-one: 1") && bears("x-one: 2"), "{asked}");
    assert!(bears("x-two: 4") && !bears("x-two: 3"), "{asked}");
    assert!(bears("user-agent: mine"), "{asked}");
    assert!(!asked.contains("elsewhere") && !asked.contains("content-length"), "{asked}");
}

#[test]
fn a_script_made_for_rclone_runs_on() {
    let stage = Stage::start();
    let source = stage.directory("source");
    fs::write(source.join("a"), "hello").unwrap();
    let line = "copy source t:to --buffer-size 32M --use-mmap --max-backlog 100000 --multi-thread-chunk-size 64M \
                --stats-one-line-date --stats-unit bits --stats-log-level NOTICE --ignore-checksum \
                --tpslimit-burst 1 --no-update-modtime --log-format date,time,UTC --stats-file-name-length 0 -v";
    let words: Vec<_> = line.split_whitespace().collect();
    let run = Run::of(stage.command().args(words).current_dir(source.parent().unwrap()), line).code(0);
    assert!(run.stderr.contains("INFO  : --use-mmap has no effect here: "), "{}", run.stderr);
    assert!(run.stderr.contains("bit/s, ETA -"), "{}", run.stderr);
    assert_eq!(stage.control().tree().unwrap().files.len(), 1);
}

#[test]
fn caches_and_passing_files_go_where_they_are_told() {
    let stage = Stage::start();
    let (cache, temporary) = (stage.directory("cache"), stage.directory("temporary"));
    let flags = ["--cache-dir", cache.to_str().unwrap(), "--temp-dir", temporary.to_str().unwrap()];
    stage.control().seed_file("a", b"hello").unwrap();
    stage.run(&[&["lsf", "t:"][..], &flags].concat()).success();
    assert!(cache.join("accounts").is_dir());
    assert!(!stage.home().join(".cache/fichier/accounts").exists());
    let paths = stage.run(&[&["config", "paths"][..], &flags].concat()).success_text();
    assert!(
        paths.contains(cache.to_str().unwrap()) && paths.contains(temporary.to_str().unwrap()),
        "{paths}"
    );
    // More than is kept in memory passes through a file, and a directory that doesn't exist is reported.
    let missing = temporary.join("missing");
    let mut command = stage.command();
    command.args(["rcat", "t:big", "--temp-dir", missing.to_str().unwrap()]);
    let input = fs::File::open("/dev/zero").unwrap().take(3 << 20);
    let mut child =
        command.stdin(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // The server stops reading when it can't continue.
    let _ = std::io::copy(&mut { input }, &mut stdin);
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains(missing.to_str().unwrap()));
}
