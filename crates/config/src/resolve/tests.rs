use std::fs;

use super::*;
use crate::Address;
use crate::NoPasswords;

const FILE: &str = "[l]\ntype = fichier\ncdn = file\nfile_password = plain!\n[notype]\nx = 1\n";

fn config(file: &str, variables: &[(&str, &str)]) -> Config {
    Config::new(IniFile::parse(file).unwrap(), Environment::from_pairs(variables.iter().copied()))
}

fn cdn(remote: &str, variables: &[(&str, &str)], flags: &FlagValues) -> (String, Origin) {
    let remote = Address::parse(remote.as_bytes()).unwrap().remote;
    let value = config(FILE, variables).resolve(&remote, flags).unwrap().get_or("cdn", "default");
    (value.text.expose().to_owned(), value.origin)
}

#[test]
fn the_first_of_the_places_counts() {
    let mut variables = vec![
        ("FICHIER_CONFIG_L_CDN", "our remote"),
        ("RCLONE_CONFIG_L_CDN", "remote"),
        ("FICHIER_FICHIER_CDN", "our backend"),
        ("RCLONE_FICHIER_CDN", "backend"),
    ];
    let mut flags = FlagValues::new();
    flags.set("fichier", "cdn", "flag");
    let environment = |name: &str| Origin::Environment(name.to_owned());

    assert_eq!(cdn("l,cdn=c:", &variables, &flags), ("c".into(), Origin::Connection));
    assert_eq!(cdn("l:", &variables, &flags), ("flag".into(), Origin::Flag("fichier-cdn".into())));
    for _ in 0..4 {
        let (name, text) = variables[0];
        assert_eq!(cdn("l:", &variables, &FlagValues::new()), (text.into(), environment(name)));
        variables.remove(0);
    }
    assert_eq!(cdn("l:", &[], &FlagValues::new()), ("file".into(), Origin::File { path: None, line: 3 }));
    assert_eq!(cdn(":fichier:", &[], &FlagValues::new()), ("default".into(), Origin::Default));
}

#[test]
fn an_empty_value_hides_those_below() {
    let variables = [("RCLONE_CONFIG_L_CDN", "")];
    assert_eq!(cdn("l:", &variables, &FlagValues::new()), ("default".into(), Origin::Default));
}

#[test]
fn a_flag_of_another_backend_does_not_count() {
    let mut flags = FlagValues::new();
    flags.set("local", "cdn", "flag");
    assert_eq!(cdn("l:", &[], &flags).0, "file");
}

// What `rclone listremotes --long` of v1.75.2 prints for this file and environment.
#[test]
fn remotes_are_listed_as_rclone_lists_them() {
    let config = config(
        "[b-b]\ntype = local\n[a]\ntype=alias\n[Z]\ntype=local\n[notype]\nx=1\n[bad/name]\ntype=local\n",
        &[
            ("RCLONE_CONFIG_MYREMOTE_TYPE", "fichier"),
            ("RCLONE_CONFIG_A_TYPE", "crypt"),
            ("RCLONE_CONFIG_NOTY_FOO", "1"),
            ("RCLONE_CONFIG_X_Y_TYPE", "s3"),
            ("RCLONE_CONFIG_lower_TYPE", "s3"),
            ("RCLONE_CONFIG_UP_type", "s3"),
            ("RCLONE_CONFIG_EMPTY_TYPE", ""),
            ("RCLONE_CONFIG_PASS", "x"),
            ("RCLONE_CONFIG_SP ACE_TYPE", "local"),
        ],
    );
    let remotes = config.remotes();
    let listed: Vec<(&str, &str)> = remotes.iter().map(|r| (r.name.as_str(), r.backend.as_str())).collect();
    let expected = [
        ("myremote", "fichier"),
        ("a", "crypt"),
        ("x_y", "s3"),
        ("lower", "s3"),
        ("sp ace", "local"),
        ("b-b", "local"),
        ("Z", "local"),
        ("bad/name", "local"),
    ];
    assert_eq!(listed, expected);
    assert_eq!(remotes[7].origin, Origin::File { path: None, line: 10 });
}

fn backend(variables: &[(&str, &str)], name: &str) -> Result<String, String> {
    let config = config("[my-remote]\ntype = local\n[notype]\nx = 1\n", variables);
    let remote = Address::parse(format!("{name}:").as_bytes()).unwrap().remote;
    let options = config.resolve(&remote, &FlagValues::new());
    options.map(|options| options.backend).map_err(|error| error.to_string())
}

// rclone v1.75.2 finds or doesn't find each of these.
#[test]
fn the_name_in_a_variable_is_in_capitals_and_otherwise_as_it_is() {
    let typed = |variable: &str, name: &str| backend(&[(variable, "memory")], name);
    assert_eq!(typed("RCLONE_CONFIG_MYREMOTE_TYPE", "myremote"), Ok("memory".into()));
    assert_eq!(typed("RCLONE_CONFIG_MYREMOTE_TYPE", "MyRemote"), Ok("memory".into()));
    assert_eq!(typed("RCLONE_CONFIG_MY-REMOTE_TYPE", "my-remote"), Ok("memory".into()));
    assert_eq!(typed("RCLONE_CONFIG_MY_REMOTE_TYPE", "my-remote"), Ok("local".into()));
    assert_eq!(typed("RCLONE_CONFIG_MY REMOTE_TYPE", "my remote"), Ok("memory".into()));
    assert_eq!(typed("RCLONE_CONFIG_MY.REMOTE_TYPE", "my.remote"), Ok("memory".into()));
    assert!(typed("RCLONE_CONFIG_MY_REMOTE_TYPE", "my.remote").is_err());
}

#[test]
fn a_missing_remote_or_type_is_told() {
    let unknown = backend(&[], "nope").unwrap_err();
    assert_eq!(unknown, "there is no remote \"nope\". These exist: my-remote.");
    assert!(backend(&[], "notype").unwrap_err().starts_with("the remote \"notype\" has no type."));
}

#[test]
fn an_error_tells_the_place_and_never_the_value() {
    let options = config(FILE, &[("RCLONE_FICHIER_FOLDER_PASSWORD", "hunter2!")])
        .resolve(&Address::parse(b"l:").unwrap().remote, &FlagValues::new())
        .unwrap();
    let bool_error = options.get_bool("cdn").unwrap_err().to_string();
    assert_eq!(bool_error, "cdn of \"l\", set on line 3: this must be true or false");
    for key in ["file_password", "folder_password"] {
        let error = options.get_secret(key).unwrap_err();
        let text = format!("{error} {error:?} {options:?}");
        assert!(text.contains(key) && !text.contains("plain!") && !text.contains("hunter2"), "{text}");
    }
}

#[test]
fn values_are_read_by_their_kind() {
    let file = "[l]\ntype = fichier\ncdn = true\nsize = 2M\nwait = 3m\nforever = off\npass = ExbtaUio2EhTKksRRXwopEv7MHqm2w\n";
    let options =
        config(file, &[]).resolve(&Address::parse(b"l:").unwrap().remote, &FlagValues::new()).unwrap();
    assert_eq!(options.get_bool("cdn").unwrap(), Some(true));
    assert_eq!(options.get_bool("gone").unwrap(), None);
    assert_eq!(options.get_size("size").unwrap(), Some(Some(2 << 20)));
    assert_eq!(options.get_duration("wait").unwrap(), Some(Some(Duration::from_secs(180))));
    assert_eq!(options.get_duration("forever").unwrap(), Some(None));
    assert_eq!(options.get_secret("pass").unwrap().unwrap().expose(), "potato");
}

#[test]
fn the_local_file_system_has_options_too() {
    let config = config("[local]\ntype = fichier\nx = 1\n", &[("RCLONE_LOCAL_ENCODING", "Slash")]);
    let options = config.resolve(&RemoteSpec::Local, &FlagValues::new()).unwrap();
    assert_eq!((options.backend.as_str(), options.get_text("encoding")), ("local", Some("Slash".into())));
    assert_eq!(options.get_text("x"), None, "a remote of that name is another one");
}

#[test]
fn a_file_is_loaded_or_its_fault_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rclone.conf");
    let load = || {
        let environment = Environment::default();
        Config::load(&Locations::new(Some(&path), &environment), &environment, &mut NoPasswords)
    };

    assert!(load().unwrap().remotes().is_empty(), "a missing file is an empty one");
    fs::write(&path, "[caf\u{e9}]\ntype = fichier\n").unwrap();
    let config = load().unwrap();
    assert_eq!(config.remotes()[0].origin, Origin::File { path: Some(path.clone()), line: 2 });
    assert_eq!(config.path(), Some(path.as_path()));

    fs::write(&path, "[a]\nsecret\n").unwrap();
    let message = load().unwrap_err().to_string();
    assert_eq!(message, format!("{}: line 2: expected `key = value`", path.display()));
    fs::write(&path, "RCLONE_ENCRYPT_V0:\nabc").unwrap();
    assert!(matches!(load(), Err(ConfigError::Locked { .. })));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(load(), Err(ConfigError::Read { .. })));
}
