//! Tests that of several values the same one counts, for all pairs of places. An alias shows which: each place names
//! another directory.

use std::fs;

use super::{BOTH, Pair, Program};

/// Places of a value, the first one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Connection,
    Flag,
    OurRemoteVariable,
    RemoteVariable,
    OurBackendVariable,
    BackendVariable,
    File,
}

const PLACES: [Place; 7] = [
    Place::Connection,
    Place::Flag,
    Place::OurRemoteVariable,
    Place::RemoteVariable,
    Place::OurBackendVariable,
    Place::BackendVariable,
    Place::File,
];

impl Place {
    /// Checks whether rclone knows the place, too.
    fn is_rclones(self) -> bool {
        !matches!(self, Self::OurRemoteVariable | Self::OurBackendVariable)
    }

    fn variable(self) -> Option<&'static str> {
        match self {
            Self::OurRemoteVariable => Some("FICHIER_CONFIG_AL_REMOTE"),
            Self::RemoteVariable => Some("RCLONE_CONFIG_AL_REMOTE"),
            Self::OurBackendVariable => Some("FICHIER_ALIAS_REMOTE"),
            Self::BackendVariable => Some("RCLONE_ALIAS_REMOTE"),
            _ => None,
        }
    }
}

/// Returns the place that counts for a program when all of these name a directory.
fn counting(program: Program, places: &[Place]) -> Place {
    let pair = Pair::with("");
    let directory = |place: &Place| pair.home().join(format!("{place:?}")).display().to_string();
    for place in places {
        fs::create_dir(directory(place)).unwrap();
        fs::write(format!("{}/{place:?}.seen", directory(place)), "").unwrap();
    }
    let mut text = "[al]\ntype = alias\n".to_owned();
    let mut remote = "al:".to_owned();
    let mut words = Vec::new();
    let mut variables = Vec::new();
    for place in places {
        match place {
            Place::File => text += &format!("remote = {}\n", directory(place)),
            Place::Connection => remote = format!("al,remote=\"{}\":", directory(place)),
            Place::Flag => words.push(format!("--alias-remote={}", directory(place))),
            place => variables.push((place.variable().unwrap(), directory(place))),
        }
    }
    fs::write(pair.file(), text).unwrap();
    words.splice(0..0, ["lsf".to_owned(), remote]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let seen = pair.run_with(program, &variables, &words, "");
    *PLACES.iter().find(|place| seen == format!("{place:?}.seen\n")).unwrap_or_else(|| panic!("{seen}"))
}

#[test]
fn of_every_two_places_the_same_one_counts() {
    for (index, first) in PLACES.iter().enumerate() {
        for second in &PLACES[index..] {
            let places = if first == second { vec![*first] } else { vec![*first, *second] };
            for program in BOTH {
                if program == Program::Ours || places.iter().all(|place| place.is_rclones()) {
                    // rclone's documentation names the remote's variable first, as we do; v1.75.2 itself takes the
                    // backend's variable for a flag.
                    let expected = match (program, &places[..]) {
                        (Program::Rclones, [Place::RemoteVariable, Place::BackendVariable]) => {
                            Place::BackendVariable
                        }
                        _ => *first,
                    };
                    assert_eq!(counting(program, &places), expected, "{program:?}: {places:?}");
                }
            }
        }
    }
}

#[test]
fn of_all_places_the_first_counts() {
    for from in 0..PLACES.len() {
        assert_eq!(counting(Program::Ours, &PLACES[from..]), PLACES[from]);
    }
}

#[test]
fn shared_flags_have_variables() {
    // The effect of a wrong value shows it, for a flag and for a switch.
    for program in BOTH {
        for (variables, works) in [
            (&[("RCLONE_TRANSFERS", "7")][..], true),
            (&[("RCLONE_TRANSFERS", "nonsense")], false),
            (&[("RCLONE_DRY_RUN", "true")], true),
            (&[("RCLONE_DRY_RUN", "nonsense")], false),
        ] {
            let output = Pair::with("").try_with(program, variables, &["lsf", "."], "");
            assert_eq!(output.status.success(), works, "{program:?}: {variables:?}");
        }
    }
    let ours_first = [("FICHIER_TRANSFERS", "7"), ("RCLONE_TRANSFERS", "nonsense")];
    assert!(Pair::with("").try_with(Program::Ours, &ours_first, &["lsf", "."], "").status.success());
}

#[test]
fn the_same_file_is_found() {
    let found = |program: Program, variables: &[(&str, &str)], files: &[&str]| {
        let pair = Pair::with("");
        for file in files {
            let path = pair.home().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let mut command = pair.command(program);
        command.env_remove("RCLONE_CONFIG").args(["config", "file"]);
        for (name, value) in variables {
            command.env(name, pair.home().join(value));
        }
        let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let home = pair.home().display().to_string();
        text.lines().nth(1).unwrap().replace(&home, "~")
    };
    let xdg = ("XDG_CONFIG_HOME", "xdg");
    let named = ("RCLONE_CONFIG", "named.conf");
    let places = ["xdg/rclone/rclone.conf", ".config/rclone/rclone.conf", ".rclone.conf"];
    for variables in [&[][..], &[xdg], &[named], &[xdg, named]] {
        for files in [&[][..], &places, &places[1..], &places[2..], &places[..1]] {
            let [ours, rclones] = BOTH.map(|program| found(program, variables, files));
            assert_eq!(ours, rclones, "{variables:?} {files:?}");
        }
    }
}
