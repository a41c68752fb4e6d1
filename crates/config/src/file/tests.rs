//! The file on disk: modes, links, other processes, passwords.

use std::thread;

use super::*;

fn set(document: &mut Document, section: &str, key: &str, value: &str) -> Result<(), ConfigError> {
    if !document.has_section(section) {
        document.add_section(section)?;
    }
    Ok(document.set(section, key, value)?)
}

/// Gives one password after the other.
struct Given(Vec<&'static str>);

impl Passwords for Given {
    fn password(&mut self, _path: &Path, _wrong: bool) -> Result<Secret, NoPassword> {
        if self.0.is_empty() {
            Err(NoPassword("all were tried".into()))
        } else {
            Ok(Secret::new(self.0.remove(0)))
        }
    }
}

#[test]
fn a_failed_edit_leaves_the_file_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rclone.conf");
    fs::write(&path, "[a]\nk = 1\n").unwrap();
    let mut file = ConfigFile::at(&path);
    let result = file.edit(&mut NoPasswords, |document| set(document, "a", "k", "two\nlines"));
    assert!(matches!(result, Err(ConfigError::Edit(_))), "{result:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "[a]\nk = 1\n");
    let mut names: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".rclone.conf.lock", "rclone.conf"]);
}

#[test]
fn what_a_killed_process_left_is_swept_away() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rclone.conf");
    let left = directory.path().join(".rclone.conf.aBcDeF.new");
    fs::write(&left, "half").unwrap();
    fs::write(directory.path().join(".other.conf.aBcDeF.new"), "another's").unwrap();
    ConfigFile::at(&path).touch().unwrap();
    assert!(!left.exists());
    assert!(directory.path().join(".other.conf.aBcDeF.new").exists());
}

#[test]
fn many_writers_lose_no_section() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new/below/rclone.conf");
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let mut file = ConfigFile::at(&path);
            thread::spawn(move || {
                for number in 0..10 {
                    let section = format!("w{writer}-{number}");
                    file.edit(&mut NoPasswords, |document| set(document, &section, "type", "local")).unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    let document = ConfigFile::at(&path).read(&mut NoPasswords).unwrap();
    assert_eq!(document.meaning().unwrap().sections().len(), 80);
}

#[test]
fn what_a_program_without_lock_wrote_meanwhile_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rclone.conf");
    fs::write(&path, "[a]\n").unwrap();
    let mut other = Some("[a]\n[rclones]\ntype = local\n");
    ConfigFile::at(&path)
        .edit(&mut NoPasswords, |document| {
            if let Some(text) = other.take() {
                fs::write(&path, text).unwrap();
            }
            set(document, "ours", "type", "fichier")
        })
        .unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, "[a]\n[rclones]\ntype = local\n\n[ours]\ntype = fichier\n\n");
}

#[cfg(unix)]
#[test]
fn the_owner_alone_may_read_and_links_stay_links() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let mode = |name: &str| fs::metadata(place(name)).unwrap().permissions().mode() & 0o777;
    fs::create_dir(place("real")).unwrap();
    fs::write(place("real/lax.conf"), "[a]\n").unwrap();
    fs::set_permissions(place("real/lax.conf"), fs::Permissions::from_mode(0o644)).unwrap();
    symlink("real/lax.conf", place("one.conf")).unwrap();
    symlink("one.conf", place("two.conf")).unwrap();
    symlink("real/new.conf", place("dangling.conf")).unwrap();

    let edit = |name: &str| {
        ConfigFile::at(place(name)).edit(&mut NoPasswords, |document| set(document, "x", "k", "1")).unwrap();
    };
    edit("two.conf");
    assert_eq!(mode("real/lax.conf"), 0o600);
    assert!(fs::symlink_metadata(place("two.conf")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(place("real/lax.conf")).unwrap(), "[a]\n\n[x]\nk = 1\n\n");
    edit("dangling.conf");
    assert_eq!(fs::read_to_string(place("real/new.conf")).unwrap(), "[x]\nk = 1\n\n");
    assert_eq!(mode("real/new.conf"), 0o600);
    fs::set_permissions(place("real/new.conf"), fs::Permissions::from_mode(0o400)).unwrap();
    ConfigFile::at(place("real/new.conf"))
        .edit(&mut NoPasswords, |document| set(document, "x", "k", "2"))
        .unwrap();
    assert_eq!(mode("real/new.conf"), 0o400);
}

#[test]
fn an_encrypted_file_stays_encrypted_until_its_password_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rclone.conf");
    fs::write(&path, "[a]\nk = visible\n").unwrap();
    let mut file = ConfigFile::at(&path);
    file.set_password(&mut NoPasswords, Some(&Secret::new("one"))).unwrap();
    file.edit(&mut NoPasswords, |document| set(document, "b", "k", "visible")).unwrap();
    let written = fs::read_to_string(&path).unwrap();
    assert!(written.contains("RCLONE_ENCRYPT_V0:") && !written.contains("visible"), "{written}");

    let mut another = ConfigFile::at(&path);
    assert!(matches!(another.read(&mut NoPasswords), Err(ConfigError::Locked { .. })));
    let document = another.read(&mut Given(vec!["wrong", "", "one"])).unwrap();
    assert_eq!(document.to_bytes(), b"[a]\nk = visible\n\n[b]\nk = visible\n\n");
    another.set_password(&mut NoPasswords, Some(&Secret::new("two"))).unwrap();
    // Its old key doesn't fit any more, so the first one asks again.
    assert!(matches!(file.read(&mut Given(vec!["one"])), Err(ConfigError::Locked { .. })));
    file.set_password(&mut Given(vec!["two"]), None).unwrap();
    assert_eq!(fs::read(&path).unwrap(), document.to_bytes());
    assert!(file.set_password(&mut NoPasswords, Some(&Secret::new(""))).is_err());
}
