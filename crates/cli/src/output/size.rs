//! Sizes and counts, exact or with a suffix.

use std::fmt::Write as _;

const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: [&str; 6] = ["k", "M", "G", "T", "P", "E"];

/// Returns a size with its suffix: `11`, `4Ki`, `1.431Mi`.
pub(crate) fn suffixed(bytes: u64) -> String {
    let (number, suffix) = scaled(bytes, 1024, &BINARY);
    number + suffix
}

/// Returns a size with its unit: `11 B`, `4 KiB`, `1.431 MiB`.
pub(crate) fn in_bytes(bytes: u64) -> String {
    let (mut number, suffix) = scaled(bytes, 1024, &BINARY);
    // Writing to a string can't fail.
    let _infallible = write!(number, " {suffix}B");
    number
}

/// Returns a size in bits: `88 bit`, `32 Kibit`, `11.444 Mibit`.
pub(crate) fn in_bits(bytes: u64) -> String {
    let (mut number, suffix) = scaled(bytes.saturating_mul(8), 1024, &BINARY);
    let _infallible = write!(number, " {suffix}bit");
    number
}

/// Returns a count with a decimal suffix: `11`, `1.100k`.
pub(crate) fn count(count: u64) -> String {
    let (number, suffix) = scaled(count, 1000, &DECIMAL);
    number + suffix
}

/// Returns the number in the largest unit that leaves at least 1 before the point; three decimals unless it is whole.
fn scaled(value: u64, step: u64, suffixes: &[&'static str; 6]) -> (String, &'static str) {
    let mut unit = 1_u64;
    let mut suffix = "";
    for larger in suffixes {
        let Some(next) = unit.checked_mul(step).filter(|next| value >= *next) else { break };
        (unit, suffix) = (next, larger);
    }
    if value.is_multiple_of(unit) {
        return ((value / unit).to_string(), suffix);
    }
    #[expect(clippy::cast_precision_loss, reason = "three decimals are shown")]
    let number = value as f64 / unit as f64;
    (format!("{number:.3}"), suffix)
}

/// Returns a size as `tree` shows it in its human form: at most one decimal, and only below ten.
pub(crate) fn rounded(bytes: u64) -> String {
    const SUFFIXES: [&str; 6] = ["K", "M", "G", "T", "P", "E"];
    if bytes <= 1024 {
        return bytes.to_string();
    }
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut number = bytes as f64;
    let mut suffix = "";
    for larger in SUFFIXES {
        if number <= 1024.0 {
            break;
        }
        number /= 1024.0;
        suffix = larger;
    }
    if number < 10.0 { format!("{number:.1}{suffix}") } else { format!("{number:.0}{suffix}") }
}

/// Returns a size for a column; `None` (a folder) is -1.
pub(crate) fn column(bytes: Option<u64>, human: bool, width: usize) -> String {
    let text = match bytes {
        None => "-1".to_owned(),
        Some(bytes) if human => suffixed(bytes),
        Some(bytes) => bytes.to_string(),
    };
    let width = if human { 9 } else { width };
    format!("{text:>width$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    // Measured with rclone 1.75.2: `ls --human-readable`, `size`, `tree -s --human-readable`.
    #[test]
    fn as_measured() {
        for (bytes, short, long, tree) in [
            (0, "0", "0 B", "0"),
            (1, "1", "1 B", "1"),
            (1023, "1023", "1023 B", "1023"),
            (1024, "1Ki", "1 KiB", "1024"),
            (1536, "1.500Ki", "1.500 KiB", "1.5K"),
            (1_048_576, "1Mi", "1 MiB", "1024K"),
            (1_500_000, "1.431Mi", "1.431 MiB", "1.4M"),
            (10_485_761, "10.000Mi", "10.000 MiB", "10M"),
            (11_537_921, "11.003Mi", "11.003 MiB", "11M"),
            (270_553_174_016, "251.972Gi", "251.972 GiB", "252G"),
        ] {
            assert_eq!(suffixed(bytes), short);
            assert_eq!(in_bytes(bytes), long);
            assert_eq!(rounded(bytes), tree);
        }
        assert_eq!(count(999), "999");
        assert_eq!(count(1100), "1.100k");
        assert_eq!(count(2000), "2k");
    }

    #[test]
    fn the_largest_sizes() {
        assert_eq!(suffixed(u64::MAX), "16.000Ei");
        assert_eq!(suffixed(1 << 60), "1Ei");
    }
}
