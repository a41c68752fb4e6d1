//! Tests that the file is the old one or the new one, whatever happens.

use std::{process::Stdio, thread, time::Duration};

use crate::config::home::Home;

/// Makes a file with many sections, so that writing it takes a while.
fn large() -> String {
    (0..200)
        .map(|number| format!("# of {number}\n[s{number}]\ntype = local\ndescription = old\n\n"))
        .collect()
}

#[test]
fn killed_while_it_writes_it_leaves_the_old_file_or_the_new_one() {
    let home = Home::with(Some(&large()));
    let mut finished = 0;
    for round in 0..200_u64 {
        let before = home.text();
        let value = format!("description=round {round}");
        let mut command = home.command();
        command.args(["config", "update", "s7", &value]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The kills are spread over the whole run of the program, in steps of a fifth of a millisecond.
        thread::sleep(Duration::from_micros(round % 50 * 200));
        // The program may have ended by itself.
        let _ = child.kill();
        child.wait().unwrap();
        let after = home.text();
        let changed = after
            == large().replace("[s7]\ntype = local\ndescription = old", &{
                format!("[s7]\ntype = local\ndescription = round {round}")
            });
        assert!(changed || after == before, "round {round}: {after}");
        finished += u32::from(changed);
    }
    // The next run that isn't disturbed removes what was left.
    home.run(&["config", "update", "s7", "description=last"]).success();
    let mut names: Vec<_> = std::fs::read_dir(home.file().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, [".the.conf.lock", "the.conf"], "after {finished} runs that finished");
}

#[test]
fn many_processes_at_once_lose_no_remote() {
    let home = Home::with(None);
    let children: Vec<_> = (0..12)
        .map(|number| {
            let mut command = home.command();
            command.args(["config", "create", &format!("r{number}"), "local"]);
            command.stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(home.run(&["listremotes"]).success().lines().count(), 12);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_replaced_stays_and_the_reason_is_told() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = Home::with(Some("[a]\ntype = local\n"));
    let directory = home.file().parent().unwrap().to_owned();
    let below = directory.join("locked");
    std::fs::create_dir(&below).unwrap();
    std::fs::copy(home.file(), below.join("c.conf")).unwrap();
    std::fs::set_permissions(&below, std::fs::Permissions::from_mode(0o500)).unwrap();
    // Root may write everywhere.
    let may_write = std::fs::File::create(below.join("trial")).is_ok();
    let ended = home.run(&["config", "create", "b", "local", "--config", "locked/c.conf"]);
    std::fs::set_permissions(&below, std::fs::Permissions::from_mode(0o700)).unwrap();
    if may_write {
        ended.success();
    } else {
        ended.failure(2, "It is as it was.");
        assert_eq!(std::fs::read_to_string(below.join("c.conf")).unwrap(), "[a]\ntype = local\n");
    }
}
