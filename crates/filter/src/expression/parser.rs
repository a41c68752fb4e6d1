//! Parser of Go's regular expressions, from left to right.

use regex_syntax::hir::{Capture, Class, ClassUnicode, Hir, Look, Repetition};

use super::{ExpressionError, class};

/// Largest count that Go accepts, also for the product of nested ones.
const LARGEST_COUNT: u32 = 1000;

/// Deepest nesting that Go accepts.
const DEEPEST: usize = 1000;

/// Parses an expression into the form of Rust's engine.
///
/// # Errors
/// Go would refuse it.
pub(super) fn parse(source: &str) -> Result<Hir, ExpressionError> {
    let mut parser = Parser {
        source,
        rest: source,
        flags: Flags::default(),
        group: Group::default(),
        open: Vec::new(),
        repeated: None,
        names: Vec::new(),
    };
    while let Some(character) = parser.peek() {
        parser.item(character)?;
    }
    if !parser.open.is_empty() {
        return Err(parser.error("missing closing )", source));
    }
    Ok(parser.group.into_item().meaning)
}

/// Flags that `(?…)` switches.
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    ignore_case: bool,
    /// Whether `^` and `$` match at lines, too.
    lines: bool,
    /// Whether `.` matches the end of a line, too.
    dot_all: bool,
    /// Whether a count without `?` takes as little as it can.
    lazy: bool,
}

/// A piece of the expression, with the largest product of counts in it.
#[derive(Debug)]
struct Item {
    meaning: Hir,
    counts: u32,
}

impl Item {
    fn plain(meaning: Hir) -> Self {
        Self { meaning, counts: 1 }
    }
}

/// A group that isn't closed yet: its earlier alternatives, and the items of the current one.
#[derive(Debug, Default)]
struct Group {
    alternatives: Vec<Hir>,
    items: Vec<Item>,
    counts: u32,
    /// Flags outside the group, which apply again after it.
    flags: Flags,
    /// Number and name by which a replacement can refer to the group.
    capture: Option<(u32, Option<Box<str>>)>,
}

impl Group {
    fn end_alternative(&mut self) {
        let items = std::mem::take(&mut self.items);
        self.counts = items.iter().map(|item| item.counts).max().unwrap_or(1).max(self.counts);
        self.alternatives.push(Hir::concat(items.into_iter().map(|item| item.meaning).collect()));
    }

    fn into_item(mut self) -> Item {
        self.end_alternative();
        let meaning = Hir::alternation(self.alternatives);
        let meaning = match self.capture {
            Some((index, name)) => Hir::capture(Capture { index, name, sub: Box::new(meaning) }),
            None => meaning,
        };
        Item { meaning, counts: self.counts.max(1) }
    }
}

struct Parser<'a> {
    source: &'a str,
    rest: &'a str,
    flags: Flags,
    group: Group,
    open: Vec<Group>,
    /// The text from the last item's count on, if the last item has just got one.
    repeated: Option<&'a str>,
    /// Names of the numbered groups so far.
    names: Vec<Option<Box<str>>>,
}

/// Meaning of a `(?…`.
enum Perl {
    /// Switches flags.
    Flags,
    /// Opens a group without a number.
    Group,
    /// Opens a group with a number and a name.
    Named(Box<str>),
}

impl<'a> Parser<'a> {
    #[expect(clippy::unused_self, reason = "reads better where it is used")]
    fn error(&self, why: &'static str, part: &str) -> ExpressionError {
        ExpressionError { why, part: part.to_owned() }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.rest = &self.rest[character.len_utf8()..];
        Some(character)
    }

    /// Returns the text that was read since `start`.
    fn since(&self, start: &'a str) -> &'a str {
        &start[..start.len() - self.rest.len()]
    }

    fn push(&mut self, meaning: Hir) {
        self.group.items.push(Item::plain(meaning));
    }

    fn push_class(&mut self, class: ClassUnicode) {
        self.push(Hir::class(Class::Unicode(class)));
    }

    fn literal(&mut self, character: char) {
        self.push_class(class::finish(
            class::of_ranges(&[(character, character)]),
            self.flags.ignore_case,
            false,
        ));
    }

    fn item(&mut self, character: char) -> Result<(), ExpressionError> {
        let start = self.rest;
        let repeated = self.repeated.take();
        match character {
            '*' | '+' | '?' => {
                self.next();
                let (least, most) = match character {
                    '*' => (0, None),
                    '+' => (1, None),
                    _ => (0, Some(1)),
                };
                return self.repeat(start, repeated, least, most);
            }
            '{' => match self.counts()? {
                Some((least, most)) => return self.repeat(start, repeated, least, most),
                None => {
                    self.next();
                    self.literal('{');
                }
            },
            '(' => return self.open_group(),
            ')' => return self.close_group(),
            '|' => {
                self.next();
                self.group.end_alternative();
            }
            '^' => {
                self.next();
                self.push(Hir::look(if self.flags.lines { Look::StartLF } else { Look::Start }));
            }
            '$' => {
                self.next();
                self.push(Hir::look(if self.flags.lines { Look::EndLF } else { Look::End }));
            }
            '.' => {
                self.next();
                let line_end = class::of_ranges(if self.flags.dot_all { &[] } else { &[('\n', '\n')] });
                self.push_class(class::finish(line_end, false, true));
            }
            '[' => self.brackets()?,
            '\\' => self.backslash()?,
            plain => {
                self.next();
                self.literal(plain);
            }
        }
        Ok(())
    }

    /// Reads `{2}`, `{2,}` or `{2,3}`; returns `None` if the brace is just a brace.
    fn counts(&mut self) -> Result<Option<(u32, Option<u32>)>, ExpressionError> {
        let start = self.rest;
        let Some((within, after)) = start[1..].split_once('}') else { return Ok(None) };
        let (least, most) = match within.split_once(',') {
            None => (within, Some(within)),
            Some((least, "")) => (least, None),
            Some((least, most)) => (least, Some(most)),
        };
        let is_number = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_digit())
                && (text.len() == 1 || !text.starts_with('0'))
        };
        if !is_number(least) || !most.is_none_or(is_number) {
            return Ok(None);
        }
        self.rest = after;
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number <= LARGEST_COUNT);
        let wrong = || self.error("invalid repeat count", self.since(start));
        let least = number(least).ok_or_else(wrong)?;
        let most = most.map(|most| number(most).ok_or_else(wrong)).transpose()?;
        if most.is_some_and(|most| most < least) {
            return Err(wrong());
        }
        Ok(Some((least, most)))
    }

    /// Repeats the last item. `start` is where the sign for it begins.
    fn repeat(
        &mut self,
        start: &'a str,
        before: Option<&'a str>,
        least: u32,
        most: Option<u32>,
    ) -> Result<(), ExpressionError> {
        let sign = self.since(start);
        let marked = self.peek() == Some('?');
        if marked {
            self.next();
        }
        let greedy = marked == self.flags.lazy;
        if let Some(before) = before {
            return Err(self.error("invalid nested repetition operator", self.since(before)));
        }
        let Some(item) = self.group.items.pop() else {
            return Err(self.error("missing argument to repetition operator", sign));
        };
        let counted = sign.starts_with('{');
        let times = if counted { most.unwrap_or(least).max(1) } else { 1 };
        let counts = item.counts.saturating_mul(times);
        if counted && times > 1 && counts > LARGEST_COUNT {
            return Err(self.error("invalid repeat count", self.since(start)));
        }
        let repetition = Repetition { min: least, max: most, greedy, sub: Box::new(item.meaning) };
        self.group.items.push(Item { meaning: Hir::repetition(repetition), counts });
        self.repeated = Some(start);
        Ok(())
    }

    fn open_group(&mut self) -> Result<(), ExpressionError> {
        let outside = self.flags;
        let capture = if self.rest.starts_with("(?") {
            match self.perl_group()? {
                Perl::Flags => return Ok(()),
                Perl::Group => None,
                Perl::Named(name) => Some(self.number(Some(name))),
            }
        } else {
            self.next();
            Some(self.number(None))
        };
        if self.open.len() >= DEEPEST {
            return Err(self.error("expression nests too deeply", self.source));
        }
        let inner = Group { flags: outside, capture, ..Group::default() };
        self.open.push(std::mem::replace(&mut self.group, inner));
        Ok(())
    }

    /// Returns the next number of a group. Of several groups with one name, the first gets the name.
    fn number(&mut self, name: Option<Box<str>>) -> (u32, Option<Box<str>>) {
        let name = name.filter(|name| !self.names.iter().flatten().any(|known| known == name));
        self.names.push(name.clone());
        (u32::try_from(self.names.len()).unwrap_or(u32::MAX), name)
    }

    /// Reads `(?…` and returns what it means.
    fn perl_group(&mut self) -> Result<Perl, ExpressionError> {
        let start = self.rest;
        let name = ["(?P<", "(?<"].iter().find_map(|sign| start.strip_prefix(sign));
        if let Some(name) = name {
            let Some((name, after)) = name.split_once('>') else {
                return Err(self.error("invalid named capture", start));
            };
            self.rest = after;
            let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
            if name.is_empty() || !name.chars().all(is_word) {
                return Err(self.error("invalid named capture", self.since(start)));
            }
            return Ok(Perl::Named(name.into()));
        }
        self.rest = &start[2..];
        let mut flags = self.flags;
        let (mut switch_on, mut any) = (true, false);
        while let Some(character) = self.next() {
            match character {
                'i' => flags.ignore_case = switch_on,
                'm' => flags.lines = switch_on,
                's' => flags.dot_all = switch_on,
                'U' => flags.lazy = switch_on,
                '-' if switch_on => {
                    (switch_on, any) = (false, false);
                    continue;
                }
                ':' | ')' if switch_on || any => {
                    self.flags = flags;
                    return Ok(if character == ':' { Perl::Group } else { Perl::Flags });
                }
                _ => return Err(self.error("invalid or unsupported Perl syntax", self.since(start))),
            }
            any = true;
        }
        Err(self.error("missing closing )", self.source))
    }

    fn close_group(&mut self) -> Result<(), ExpressionError> {
        let Some(outside) = self.open.pop() else {
            return Err(self.error("unexpected )", self.source));
        };
        self.next();
        let group = std::mem::replace(&mut self.group, outside);
        self.flags = group.flags;
        self.group.items.push(group.into_item());
        Ok(())
    }

    fn backslash(&mut self) -> Result<(), ExpressionError> {
        let start = self.rest;
        match start[1..].chars().next() {
            Some('A') => self.look(Look::Start),
            Some('z') => self.look(Look::End),
            Some('b') => self.look(Look::WordAscii),
            Some('B') => self.look(Look::WordAsciiNegate),
            Some('Q') => {
                let (quoted, after) = start[2..].split_once(r"\E").unwrap_or((&start[2..], ""));
                self.rest = after;
                for character in quoted.chars() {
                    self.literal(character);
                }
            }
            _ => match self.class_escape()? {
                Some(class) => self.push_class(class),
                None => {
                    let character = self.escape()?;
                    self.literal(character);
                }
            },
        }
        Ok(())
    }

    fn look(&mut self, look: Look) {
        self.rest = &self.rest[2..];
        self.push(Hir::look(look));
    }

    /// Reads `\d`, `\pL`, `\p{Greek}` and the like; returns `None` if it is something else.
    fn class_escape(&mut self) -> Result<Option<ClassUnicode>, ExpressionError> {
        let start = self.rest;
        let Some(letter) = start.strip_prefix('\\').and_then(|after| after.chars().next()) else {
            return Ok(None);
        };
        let ignore_case = self.flags.ignore_case;
        if let Some(set) = class::of_letter(letter.to_ascii_lowercase()) {
            self.rest = &start[2..];
            return Ok(Some(class::finish(set, ignore_case, letter.is_ascii_uppercase())));
        }
        if !matches!(letter, 'p' | 'P') {
            return Ok(None);
        }
        self.rest = &start[2..];
        let name = match self.next() {
            Some('{') => {
                let Some((name, after)) = self.rest.split_once('}') else {
                    return Err(self.error("invalid character class range", start));
                };
                self.rest = after;
                name
            }
            // A single letter is a name.
            Some(_) => &self.since(start)[2..],
            None => return Err(self.error("invalid character class range", start)),
        };
        let (name, turned) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
        let Some(set) = class::of_unicode(name) else {
            return Err(self.error("invalid character class range", self.since(start)));
        };
        Ok(Some(class::finish(set, ignore_case, (letter == 'P') != turned)))
    }

    /// Reads a backslash and the characters that belong to it.
    fn escape(&mut self) -> Result<char, ExpressionError> {
        let start = self.rest;
        self.next();
        let Some(character) = self.next() else {
            return Err(self.error("trailing backslash at end of expression", ""));
        };
        let octal = |text: &str| text.starts_with(|digit: char| digit.is_digit(8));
        let found = match character {
            '0'..='7' if character == '0' || octal(self.rest) => {
                let digits =
                    start[1..].bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
                self.rest = &start[1 + digits..];
                u32::from_str_radix(&start[1..=digits], 8).ok().and_then(char::from_u32)
            }
            'x' => self.hexadecimal(),
            'a' => Some('\x07'),
            'f' => Some('\x0c'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\x0b'),
            sign if sign.is_ascii() && !sign.is_ascii_alphanumeric() => Some(sign),
            _ => None,
        };
        found.ok_or_else(|| self.error("invalid escape sequence", self.since(start)))
    }

    /// Reads what follows `\x`: two digits, or any number of them in braces.
    fn hexadecimal(&mut self) -> Option<char> {
        if self.peek() != Some('{') {
            let (first, second) = (self.next()?, self.next());
            return char::from_u32(first.to_digit(16)? * 16 + second?.to_digit(16)?);
        }
        self.next();
        let mut code = None;
        loop {
            match self.next()? {
                '}' => return char::from_u32(code?),
                digit => {
                    let larger = code.unwrap_or(0) * 16 + digit.to_digit(16)?;
                    code = Some(larger).filter(|code| *code <= u32::from(char::MAX));
                    code?;
                }
            }
        }
    }

    /// Reads `[…]`.
    fn brackets(&mut self) -> Result<(), ExpressionError> {
        let start = self.rest;
        self.next();
        let negated = self.peek() == Some('^');
        if negated {
            self.next();
        }
        let mut set = ClassUnicode::empty();
        let mut first = true;
        loop {
            match self.peek() {
                None => return Err(self.error("missing closing ]", start)),
                Some(']') if !first => break,
                Some(_) => {}
            }
            first = false;
            if let Some(named) = self.posix_class()? {
                set.union(&named);
            } else if let Some(escaped) = self.class_escape()? {
                set.union(&escaped);
            } else {
                set.union(&self.range(start)?);
            }
        }
        self.next();
        self.push_class(class::finish(set, false, negated));
        Ok(())
    }

    /// Reads `[:alpha:]`; returns `None` if it is something else.
    fn posix_class(&mut self) -> Result<Option<ClassUnicode>, ExpressionError> {
        let start = self.rest;
        let Some((name, after)) = start.strip_prefix("[:").and_then(|name| name.split_once(":]")) else {
            return Ok(None);
        };
        self.rest = after;
        let (name, negated) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
        let Some(set) = class::of_posix(name) else {
            return Err(self.error("invalid character class range", self.since(start)));
        };
        Ok(Some(class::finish(set, self.flags.ignore_case, negated)))
    }

    /// Reads one character between brackets, or a range of them.
    fn range(&mut self, brackets: &str) -> Result<ClassUnicode, ExpressionError> {
        let start = self.rest;
        let first = self.class_character(brackets)?;
        let mut last = first;
        // In `[a-]` the hyphen means itself.
        if self.rest.len() >= 2 && self.rest.starts_with('-') && !self.rest.starts_with("-]") {
            self.next();
            last = self.class_character(brackets)?;
        }
        if last < first {
            return Err(self.error("invalid character class range", self.since(start)));
        }
        Ok(class::finish(class::of_ranges(&[(first, last)]), self.flags.ignore_case, false))
    }

    fn class_character(&mut self, brackets: &str) -> Result<char, ExpressionError> {
        match self.peek() {
            Some('\\') => self.escape(),
            Some(_) => self.next().ok_or_else(|| self.error("missing closing ]", brackets)),
            None => Err(self.error("missing closing ]", brackets)),
        }
    }
}
