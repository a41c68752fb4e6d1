//! Line breaks for a narrow screen.

/// Returns the text with no line wider than `width` where a space or a comma allows it. Further lines of a list item
/// are indented like its text.
pub(super) fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        wrap(&mut out, line, width.max(20));
        out.push_str(end);
    }
    out
}

fn wrap(out: &mut String, line: &str, width: usize) {
    if line.chars().count() <= width {
        out.push_str(line);
        return;
    }
    let indent = indent(line);
    let mut column = 0;
    for piece in pieces(line) {
        let length = piece.trim_end().chars().count();
        if column > indent && column + length > width {
            let kept = out.trim_end_matches(' ').len();
            out.truncate(kept);
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        }
        out.push_str(piece);
        column += piece.chars().count();
    }
}

/// Returns words with the spaces after them. Words with commas inside are also split after each comma.
fn pieces(line: &str) -> impl Iterator<Item = &str> {
    line.split_inclusive([' ', ','])
}

/// Returns the indentation of the lines that continue an item.
fn indent(line: &str) -> usize {
    let starts = [" / ", " > ", ") ", "- "];
    let found = starts.iter().find_map(|start| line.find(start).map(|at| at + start.len()));
    found.filter(|indent| *indent <= 5).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_end_at_spaces_and_commas() {
        assert_eq!(wrapped("one two three four five six\nx\n", 20), "one two three four\nfive six\nx\n");
        assert_eq!(wrapped("- one two three four five", 20), "- one two three four\n  five");
        assert_eq!(wrapped("a,bbbbbbbbbb,cccccccccc,d", 20), "a,bbbbbbbbbb,\ncccccccccc,d");
        assert_eq!(wrapped("aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 20), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    }

    proptest! {
        #[test]
        fn nothing_but_spaces_and_line_ends_changes(text in "[a-z ,\n]{0,300}", width in 20usize..80) {
            let bare = |text: &str| text.replace([' ', '\n'], "");
            let wrapped = wrapped(&text, width);
            prop_assert_eq!(bare(&wrapped), bare(&text));
            for line in wrapped.lines().filter(|line| line.trim().contains([' ', ','])) {
                let words = line.trim().split_inclusive([' ', ',']).map(|word| word.trim().len()).max().unwrap();
                prop_assert!(line.trim_end().len() <= width.max(words), "{line:?}");
            }
        }
    }
}
