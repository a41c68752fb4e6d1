//! Shared code of the tests of public links: a second account, and files of it.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use fichier_emulator::{Account, Control, SeedFile};

use crate::stage::Stage;

/// The key of the other account.
pub(crate) const OTHER: &str = "another-key-0123456789abcdef0123";

/// Starts a service with two accounts: `t:`, which may store `quota` bytes, and that of someone else.
pub(crate) fn stage(quota: u64) -> Stage {
    Stage::start_changed("1000", |builder| {
        let own = Account::new("a-key-0123456789abcdef0123456789", "a@example.com");
        builder.account(Account { quota, ..own }).account(Account::new(OTHER, "b@example.com"))
    })
}

/// Returns the controls of the other account.
pub(crate) fn others(stage: &Stage) -> Control {
    stage.control().for_account(OTHER)
}

/// Makes files of one byte in the other account, and returns their links.
pub(crate) fn many(stage: &Stage, count: usize) -> Vec<String> {
    let control = others(stage);
    let folder_id = control.seed_folder("many").unwrap();
    let seed = |number| SeedFile { folder_id, name: format!("{number:04}"), size: 1, seed: 1, date: None };
    control.seed_many(&(0..count).map(seed).collect::<Vec<_>>()).unwrap()
}

/// Gives a file of the other account a password.
pub(crate) fn protect(stage: &Stage, link: &str, password: &str) {
    let endpoint = stage.endpoint();
    let host = endpoint.trim_start_matches("http://").split('/').next().unwrap();
    let body = format!(r#"{{"urls":["{link}"],"pass":"{password}"}}"#);
    let request = format!(
        "POST /v1/file/chattr.cgi HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {OTHER}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut connection = TcpStream::connect(host).unwrap();
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(r#""updated":1"#), "{answer}");
}
