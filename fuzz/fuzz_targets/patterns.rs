//! Any rules against any paths: no panic, and a file that an include takes lies in folders that are taken.
//!
//! `cargo +nightly fuzz run patterns`
#![no_main]

use fichier_filter::{Definition, Filter};
use fichier_storage::{File, RemotePath};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // The first line is the path, the others are rules.
    let mut lines = data.split(|byte| *byte == b'\n');
    let Ok(path) = RemotePath::parse(lines.next().unwrap_or_default()) else { return };
    let rules: Vec<Vec<u8>> = lines.map(<[u8]>::to_vec).collect();
    let file = File {
        path: path.clone(),
        size: 0,
        modified: None,
        whirlpool: None,
        id: None,
        media_type: None,
        fingerprint: None,
    };
    let signed = Definition { rules: rules.clone(), ..Definition::default() };
    if let Ok(filter) = Filter::new(&signed) {
        let _either = filter.check_file(&path, &file).is_ok() && filter.takes_folder(&path);
    }
    // A slash at an end, or twice, is squeezed for folders but not for files, as with rclone.
    let plain = |rule: &Vec<u8>| !rule.ends_with(b"/") && !rule.windows(2).any(|pair| pair == b"//");
    if rules.len() != 1 || !rules.iter().all(plain) {
        return;
    }
    if let Ok(filter) = Filter::new(&Definition { include: rules, ..Definition::default() })
        && filter.check_file(&path, &file).is_ok()
        && let Some(folder) = path.parent()
    {
        // What rclone derives for folders may be narrower where a backslash, a bracket or a brace holds a slash.
        let odd = data.iter().any(|byte| matches!(byte, b'\\' | b'[' | b'{'));
        // Of `ab**` it derives the folders that begin with `ab`, though the two stars also reach into `x/abc`.
        let odd = odd || data.windows(3).any(|three| three.ends_with(b"**") && !matches!(three[0], b'/' | b'\n'));
        assert!(odd || filter.takes_folder(&folder));
    }
});
