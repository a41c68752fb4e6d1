//! Tests of encrypted remotes beside the real rclone: what one stores, the other reads.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    peer::rclone::Rclone,
    seeds::seeds,
    stage::{Run, Stage, assert_tree, read_tree, write_tree},
};

/// Passwords of most tests, obscured as by rclone.
const PASSWORDS: [(&str, &str); 2] = [("password", "correct horse"), ("password2", "battery staple")];

/// Sizes around the borders of blocks.
const SIZES: [usize; 11] = [0, 1, 16, 65_519, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 300_000];

/// Names that are hard for one mode or another.
const NAMES: [&str; 16] = [
    "plain",
    "a-v2001-02-03-040506-123.txt",
    "a-v2001-02-03-040506-123",
    "a-v2001-02-30-040506-123.txt",
    "a-v2001-02-03-040506-123.tar.gz",
    ".hid-v2001-02-03-040506-123",
    "!a!!b",
    "12.abc",
    "!.x",
    ".hidden",
    " spaces ",
    "UPPER lower 0189",
    "ÿ é  ü ž",
    "日本語 🦀 \u{D7FF}\u{FFFD}",
    "e\u{301}",
    "fifteen bytes..",
];

/// A stage with local directories, on which there is an encrypted remote that both programs know as `c:`.
struct Crypt {
    stage: Stage,
    options: BTreeMap<&'static str, String>,
}

impl Crypt {
    fn new(options: &[(&'static str, &str)]) -> Self {
        let stage = Stage::start();
        let mut crypt = Self { stage, options: BTreeMap::new() };
        crypt.set("remote", crypt.store().to_str().unwrap());
        for (option, value) in PASSWORDS.iter().chain(options) {
            crypt.set(option, value);
        }
        crypt
    }

    fn set(&mut self, option: &'static str, value: &str) {
        let value = match option.starts_with("password") && !value.is_empty() {
            true => self.stage.run(&["obscure", "--", value]).success_text().trim().to_owned(),
            false => value.to_owned(),
        };
        self.options.insert(option, value);
    }

    /// Returns the directory of the encrypted files.
    fn store(&self) -> PathBuf {
        self.stage.directory("store")
    }

    fn with_remote<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("RCLONE_CONFIG_C_TYPE", "crypt");
        for (option, value) in &self.options {
            command.env(format!("RCLONE_CONFIG_C_{}", option.to_uppercase()), value);
        }
        command
    }

    fn ours(&self, words: &[&str]) -> Run {
        Run::of(self.with_remote(&mut self.stage.command()).args(words), &words.join(" "))
    }

    fn theirs(&self, words: &[&str]) -> Run {
        let mut command = Command::new(Rclone::installed().program());
        command.env_clear().env("HOME", self.stage.home()).env("TZ", "UTC").env("RCLONE_CONFIG", "/notfound");
        Run::of(self.with_remote(&mut command).args(words), &format!("rclone {}", words.join(" ")))
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Returns bytes that differ from file to file.
fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(size)
    .collect()
}

/// Makes random names, of all lengths and many scripts.
fn names(count: usize, seed: u64) -> Vec<String> {
    let mut state = seed;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let groups: [(u32, u32); 8] = [
        (0x61, 26),
        (0x30, 10),
        (0x41, 26),
        (0xA0, 96),
        (0x100, 0x200),
        (0x4E00, 0x5000),
        (0x1F600, 80),
        (0x20, 15),
    ];
    let mut names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    while names.len() < count {
        let length = 1 + next(40);
        let mut name = String::new();
        for _ in 0..length {
            let (first, range) = groups[usize::try_from(next(8)).unwrap()];
            let character = char::from_u32(first + u32::try_from(next(range.into())).unwrap());
            name.extend(character.filter(|character| *character != '/'));
        }
        // rclone's command line treats such names as its own.
        if !name.is_empty() && name.len() <= 140 && name != "." && name != ".." {
            names.push(name);
        }
    }
    names
}

fn modes() -> Vec<Vec<(&'static str, &'static str)>> {
    let mut modes = Vec::new();
    for text in ["base32", "base64", "base32768"] {
        modes.push(vec![("filename_encoding", text)]);
    }
    modes.push(vec![("directory_name_encryption", "false"), ("password2", "")]);
    modes.push(vec![("filename_encryption", "obfuscate")]);
    modes.push(vec![("filename_encryption", "obfuscate"), ("directory_name_encryption", "false")]);
    modes.push(vec![("filename_encryption", "off")]);
    modes.push(vec![("filename_encryption", "off"), ("suffix", "none")]);
    modes
}

#[test]
fn names_are_stored_as_rclone_stores_them() {
    let mut names: Vec<String> = seeds().into_iter().flat_map(|seed| names(110, seed)).collect();
    names.sort();
    names.dedup();
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    for mode in modes() {
        let crypt = Crypt::new(&mode);
        fn ask<'a>(verb: &'a str, names: &[&'a str]) -> Vec<&'a str> {
            [&["backend", verb, "c:", "--"], names].concat()
        }
        let theirs = crypt.theirs(&ask("encode", &words)).success_text();
        let ours = crypt.ours(&ask("encode", &words)).success_text();
        for (name, (ours, theirs)) in names.iter().zip(ours.lines().zip(theirs.lines())) {
            assert_eq!(ours, theirs, "{name:?} in {mode:?}");
        }
        assert_eq!(ours, theirs, "{mode:?}");
        let stored: Vec<&str> = theirs.lines().collect();
        let back = crypt.ours(&ask("decode", &stored)).success_text();
        assert_eq!(back.lines().collect::<Vec<_>>(), words, "{mode:?}");
    }
}

#[test]
fn what_one_stores_the_other_reads() {
    let mut tree = BTreeMap::new();
    for (number, name) in NAMES.iter().enumerate() {
        tree.insert(format!("d {name}/{name}"), noise(40 + number, number as u64));
    }
    for size in SIZES {
        tree.insert(format!("sizes/{size}"), noise(size, size as u64));
    }
    for mode in modes() {
        let crypt = Crypt::new(&mode);
        let [plain, ours, theirs] = ["plain", "ours", "theirs"].map(|name| crypt.stage.directory(name));
        write_tree(&plain, &tree);
        crypt.ours(&["copy", text(&plain), "c:ours"]).success();
        crypt.theirs(&["copy", text(&plain), "c:theirs"]).success();
        // Each reads what the other stored.
        crypt.theirs(&["copy", "c:ours", text(&theirs)]).success();
        assert_tree(&theirs, &tree, "rclone reads what we stored");
        crypt.ours(&["copy", "c:theirs", text(&ours)]).success();
        assert_tree(&ours, &tree, "we read what rclone stored");
        // Sizes in listings, and the same names at the same places.
        let listed = |program: &dyn Fn(&[&str]) -> Run, of: &str| {
            let mut lines: Vec<_> = program(&["lsf", "-R", "--format", "sp", of])
                .success_text()
                .lines()
                .map(str::to_owned)
                .collect();
            lines.sort();
            lines
        };
        // rclone doesn't know the size of a directory here either.
        let files =
            |lines: Vec<String>| lines.into_iter().filter(|line| !line.ends_with('/')).collect::<Vec<_>>();
        let all = files(listed(&|words| crypt.ours(words), "c:"));
        assert_eq!(all, files(listed(&|words| crypt.theirs(words), "c:")), "{mode:?}");
        assert_eq!(all.len(), 2 * tree.len(), "{mode:?}");
        crypt.theirs(&["check", "--download", text(&plain), "c:ours"]).success();
        crypt.ours(&["check", "--download", text(&plain), "c:theirs"]).success();
        // A second run has nothing to do.
        let again = crypt.ours(&["sync", "-v", text(&plain), "c:theirs"]).code(0);
        assert!(!again.stderr.contains("Copied"), "{}", again.stderr);
    }
}

#[test]
fn any_range_can_be_read() {
    let crypt = Crypt::new(&[]);
    let bytes = noise(200_000, 5);
    let plain = crypt.stage.directory("plain");
    fs::write(plain.join("file"), &bytes).unwrap();
    crypt.theirs(&["copy", text(&plain), "c:"]).success();
    let mut state = seeds()[0];
    let mut ranges =
        vec![(0, 1), (65_535, 2), (65_536, 65_536), (131_072, 68_928), (199_999, 1), (65_536, 1)];
    for _ in 0..10 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let start = usize::try_from(state >> 33).unwrap() % bytes.len();
        ranges.push((start, usize::try_from(state >> 40).unwrap() % (bytes.len() - start) + 1));
    }
    for (start, count) in ranges {
        let [offset, length] = [start, count].map(|number| number.to_string());
        let words = ["cat", "c:file", "--offset", &offset, "--count", &length];
        let read = crypt.with_remote(&mut crypt.stage.command()).args(words).output().unwrap();
        assert!(read.status.success() && read.stdout == bytes[start..start + count], "{start} {count}");
    }
}

#[test]
fn what_is_damaged_or_of_other_keys_is_told_and_nothing_is_lost() {
    let mut crypt = Crypt::new(&[]);
    let tree = BTreeMap::from([("a".to_owned(), noise(100_000, 1)), ("d/b".to_owned(), noise(10, 2))]);
    let [plain, back] = ["plain", "back"].map(|name| crypt.stage.directory(name));
    write_tree(&plain, &tree);
    crypt.ours(&["copy", text(&plain), "c:"]).success();
    let stored = read_tree(&crypt.store());

    // Other passwords: no name can be read, so a sync from there removes nothing, and one to there neither.
    write_tree(&back, &tree);
    for (option, value) in [("password", "wrong"), ("password2", "wrong"), ("password2", "")] {
        crypt.set(option, value);
        let run = crypt.ours(&["sync", "c:", text(&back)]);
        assert!(run.status != Some(0) && run.stderr.contains("these passwords"), "{}", run.stderr);
        let run = crypt.ours(&["sync", "c:", text(&back), "--ignore-errors"]);
        assert!(run.status != Some(0));
        assert_tree(&back, &tree, "a sync that can't read names");
        let empty = crypt.stage.directory("empty");
        crypt.ours(&["sync", text(&empty), "c:"]);
        assert_eq!(read_tree(&crypt.store()), stored);
        let listed = crypt.ours(&["lsf", "c:"]).code(0);
        assert!(listed.stdout.is_empty() && listed.stderr.contains("NOTICE"), "{}", listed.stderr);
        crypt.set("strict_names", "true");
        crypt.ours(&["lsf", "c:"]).code(2);
        crypt.set("strict_names", "false");
        for (option, value) in PASSWORDS {
            crypt.set(option, value);
        }
    }

    // A file that isn't encrypted stays the same.
    fs::write(crypt.store().join("plain.txt"), "not encrypted").unwrap();
    let empty = crypt.stage.directory("empty");
    crypt.ours(&["copy", text(&plain), "c:"]).success();
    let listed = crypt.ours(&["lsf", "c:"]).code(0);
    assert_eq!(listed.stdout, "a\nd/\n");
    assert!(listed.stderr.contains("plain.txt"), "{}", listed.stderr);
    crypt.ours(&["sync", text(&empty), "c:"]).success();
    assert_eq!(fs::read(crypt.store().join("plain.txt")).unwrap(), b"not encrypted");
    fs::remove_file(crypt.store().join("plain.txt")).unwrap();
    crypt.ours(&["copy", text(&plain), "c:"]).success();

    // Flipped bytes in the header, in a block's tag, and in a block; and files that were cut.
    let path = crypt.ours(&["backend", "encode", "c:", "a"]).success_text();
    let path = crypt.store().join(path.trim());
    let whole = fs::read(&path).unwrap();
    for (at, says) in [(2, "doesn't begin"), (12, "block 0"), (33, "block 0"), (90_000, "block 1")] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&path, damaged).unwrap();
        let run = crypt.ours(&["cat", "c:a"]);
        assert!(run.status != Some(0) && run.stderr.contains(says), "{at}: {}", run.stderr);
        crypt.set("pass_bad_blocks", "true");
        if at > 8 {
            let passed = crypt.with_remote(&mut crypt.stage.command()).args(["cat", "c:a"]).output().unwrap();
            assert_eq!(passed.stdout.len(), 100_000);
            assert_ne!(passed.stdout, tree["a"]);
        }
        crypt.set("pass_bad_blocks", "false");
    }
    for length in [10, 40, 32 + 65_552 + 5] {
        fs::write(&path, &whole[..length]).unwrap();
        let run = crypt.ours(&["copy", "c:", text(&back)]);
        assert!(run.status != Some(0) && run.stderr.contains("no encrypted file has"), "{}", run.stderr);
        assert_tree(&back, &tree, "a file that was cut");
    }
}

#[test]
fn over_the_service_empty_files_can_be_stored_and_uploads_are_batched() {
    let mut crypt = Crypt::new(&[]);
    crypt.set("remote", "t:secret");
    let plain = crypt.stage.directory("plain");
    let tree: BTreeMap<_, _> =
        (0..40).map(|number| (format!("d/{number}"), noise(number * 10, number as u64))).collect();
    write_tree(&plain, &tree);
    crypt.ours(&["copy", text(&plain), "c:"]).success();
    let sent = crypt.stage.counters();
    // One upload for all files of the folder.
    assert_eq!(sent.get("upload.cgi"), Some(&1), "{sent:?}");
    let back = crypt.stage.directory("back");
    crypt.ours(&["copy", "c:", text(&back)]).success();
    assert_tree(&back, &tree, "what came back");
    // Nothing is read again to see that nothing changed: the checksums were remembered when the files were stored.
    let before = crypt.stage.counters();
    crypt.ours(&["sync", text(&plain), "c:"]).success();
    let after = crypt.stage.counters();
    assert_eq!(after.get("download"), before.get("download"), "{after:?}");
    assert_eq!(after.get("upload.cgi"), before.get("upload.cgi"), "{after:?}");
}

#[test]
fn names_are_decrypted_without_a_look() {
    let crypt = Crypt::new(&[]);
    let words = ["cryptdecode", "c:", "e05cp3lts2b5j9p707m5uv0c7s", "blah"];
    assert_eq!(crypt.ours(&words).success_text(), crypt.theirs(&words).success_text());
    let words = ["cryptdecode", "c:", "--reverse", "a", "hello.txt", "x/y.txt"];
    assert_eq!(crypt.ours(&words).success_text(), crypt.theirs(&words).success_text());
    let words = ["backend", "encode", "c:", "a", "b/c", "--json"];
    assert_eq!(crypt.ours(&words).success_text(), crypt.theirs(&words).success_text());
    let wrong = crypt.ours(&["cryptdecode", "t:", "a"]).code(2);
    assert!(wrong.stderr.contains("no remote of the type crypt"), "{}", wrong.stderr);
}

#[test]
fn what_is_missing_or_in_a_circle_is_told() {
    let mut crypt = Crypt::new(&[("password", "")]);
    assert!(crypt.ours(&["lsf", "c:"]).code(2).stderr.contains("needs the option password"));
    crypt.set("password", "x");
    crypt.set("remote", "c:x");
    assert!(crypt.ours(&["lsf", "c:"]).code(2).stderr.contains("can't hold its own files"));
    crypt.set("remote", "");
    assert!(crypt.ours(&["lsf", "c:"]).code(2).stderr.contains("needs the option remote"));
}

// Measured with rclone 1.75.2.
#[test]
fn listings_show_encrypted_names() {
    let stage = Stage::start();
    let source = stage.directory("s/sub");
    for file in ["b", "../a"] {
        std::fs::write(source.join(file), "1").unwrap();
    }
    let run = |words: &[&str]| {
        let mut command = stage.command();
        command
            .env("RCLONE_CONFIG_LC_TYPE", "crypt")
            .env("RCLONE_CONFIG_LC_REMOTE", "work/enc")
            .env("RCLONE_CONFIG_LC_PASSWORD", "UmyLSdRHfew6aual28-ggx78qHqSfQ");
        Run::of(command.args(words), &words.join(" "))
    };
    run(&["copy", "work/s", "lc:"]).success();
    let (a, b) = ("d0ole59mkr6deo91r6m69f7pd0", "nn947tn9vf8r9d1oai47ou359g");
    let sub = "7b9tqsfatufctpvadpm0vnmih0";
    let listed = run(&["lsf", "lc:", "-R", "--format", "pe"]).success_text();
    assert_eq!(listed, format!("a;{a}\nsub/;{sub}/\nsub/b;{b}\n"));
    assert_eq!(run(&["lsf", "lc:sub", "--format", "e"]).success_text(), format!("{b}\n"));
    let listed = run(&["lsjson", "lc:", "-R", "--files-only", "--encrypted"]).success_text();
    assert!(listed.contains(&format!(r#""EncryptedPath":"{sub}/{b}","Encrypted":"{b}""#)), "{listed}");
    for words in [&["lsf", "work/s", "--format", "e"][..], &["lsjson", "work/s", "--encrypted"]] {
        let refused = run(words).code(2);
        assert!(refused.stderr.contains("type crypt"), "{}", refused.stderr);
    }
}
