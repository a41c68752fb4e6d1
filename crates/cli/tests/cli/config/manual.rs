//! Tests that the help, the manual pages and the page of options say the same as the program.

use std::{fs, path::Path};

use crate::config::home::Home;

/// Compares a page of the manual with what the program prints.
fn assert_page(name: &str, topic: &[&str]) {
    let page = Home::with(None).run(&[&["help", "reference"], topic].concat()).success();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    let written = fs::read_to_string(&file).unwrap_or_default();
    let topic = [&["reference"], topic].concat().join(" ");
    assert!(written == page, "docs/{name} differs: write it anew with `fichier help {topic} > docs/{name}`");
}

#[test]
fn the_page_of_options_is_what_the_program_says() {
    assert_page("options.md", &[]);
}

#[test]
fn the_page_of_flags_is_what_the_program_says() {
    assert_page("flags.md", &["flags"]);
}

#[test]
fn topics_are_explained() {
    let home = Home::with(None);
    let help = |words: &[&str]| home.run(&[&["help"], words].concat()).success();
    assert!(help(&["backends"]).contains("  alias "));
    assert!(help(&["backend", "fichier"]).contains("--fichier-api-key"));
    assert!(help(&["flags", "Networking"]).contains("--bind"));
    assert!(help(&["config", "create"]).contains("Usage: fichier config create"));
    home.run(&["help", "nosuch"]).failure(1, "no command \"nosuch\"");
    home.run(&["help", "backend", "nosuch"]).failure(1, "no backend \"nosuch\"");
    home.run(&["help", "flags", "nosuch"]).failure(1, "no flags \"nosuch\"");
}

#[test]
fn manual_pages_are_written_for_every_command() {
    let home = Home::with(None);
    home.run(&["help", "man", "pages/man1"]).success();
    let directory = home.file().with_file_name("pages").join("man1");
    for name in ["fichier.1", "fichier-copy.1", "fichier-config.1", "fichier-config-create.1"] {
        let page = fs::read_to_string(directory.join(name)).unwrap();
        assert!(page.contains(".TH ") && page.contains(".SH NAME"), "{name}");
        for section in ["EXIT STATUS", "FILES", "SEE ALSO"] {
            assert!(page.contains(&format!(".SH \"{section}\"")), "{name} has no {section}");
        }
    }
    let page = fs::read_to_string(directory.join("fichier.1")).unwrap();
    assert!(page.contains("command line client for the storage service 1Fichier"), "{page}");
    assert!(fs::read_to_string(directory.join("fichier.1")).unwrap().contains("transfers"));
}
