//! `--name-transform`: changes of names during transfers, in rclone's notation. The effect of each step was measured
//! on rclone 1.75.2.

mod charset;
mod letters;

use std::{
    collections::HashMap,
    process::Command,
    sync::{Mutex, PoisonError},
};

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bstr::ByteSlice;
use fichier_encoding::Encoding;
use fichier_engine::{Bearer, NameTransform, stem_length};
use fichier_filter::Substitution;
use fichier_storage::Name;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use jiff::ZonedDateTime;

use crate::output::go_time;
use charset::Charset;

/// Names are bytes, and one that isn't text doesn't become text by this.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// Names of rclone's steps, for messages.
const WORDS: &str = "prefix, suffix, suffix_keep_extension, trimprefix, trimsuffix, replace, regex, truncate, \
    truncate_keep_extension, truncate_bytes, truncate_bytes_keep_extension, nfc, nfd, nfkc, nfkd, uppercase, \
    lowercase, titlecase, ascii, url, base64encode, base64decode, encoder, decoder, charmap, ISO-8859-1, \
    Windows-1252, Macintosh, date, command, none";

/// Steps of a change of names, in the order in which they were typed.
#[derive(Debug)]
pub(crate) struct Steps(Vec<(Scope, Step)>);

/// Kind of names that a step applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Files,
    Folders,
    Both,
}

#[derive(Debug)]
enum Step {
    Nothing,
    Prefix(String),
    Suffix { suffix: String, keep_extension: bool },
    TrimPrefix(String),
    TrimSuffix(String),
    Replace(String, String),
    Regex(Substitution),
    Truncate { most: usize, unit: Unit, keep_extension: bool },
    Form(Form),
    Upper,
    Lower,
    Title,
    Ascii,
    Url,
    Base64,
    FromBase64,
    Encode(Encoding),
    Decode(Encoding),
    Charset(Charset),
    Program(Program),
}

/// Unit of a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Characters,
    Bytes,
}

/// A normal form of Unicode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
}

impl Steps {
    /// Parses the flag, as often as it was given. Dates are those of `now`, so that all names of a run agree. `None`
    /// if there is nothing to do.
    ///
    /// # Errors
    /// One of the values can't be parsed.
    pub(crate) fn read(flags: &[String], now: &ZonedDateTime) -> Result<Option<Self>, String> {
        let steps = flags.iter().map(|flag| {
            read(flag, now).map_err(|why| format!("{flag:?} is no transformation of names: {why}"))
        });
        let steps: Vec<_> = steps.collect::<Result<_, _>>()?;
        Ok((!steps.is_empty()).then_some(Self(steps)))
    }
}

fn read(flag: &str, now: &ZonedDateTime) -> Result<(Scope, Step), String> {
    let scopes = [("file,", Scope::Files), ("dir,", Scope::Folders), ("all,", Scope::Both)];
    let scoped = scopes.iter().find_map(|(tag, scope)| Some((*scope, flag.strip_prefix(tag)?)));
    let (scope, text) = scoped.unwrap_or((Scope::Files, flag));
    let (word, value) = match text.split_once('=') {
        Some((word, value)) => (word, Some(value)),
        None => (text, None),
    };
    let given = || value.ok_or_else(|| format!("{word} needs a value, as in {word}=VALUE"));
    let text = || given().map(ToOwned::to_owned);
    let number = || {
        let value = given()?;
        value
            .parse::<i64>()
            .map_err(|_| format!("{value:?} is no number"))
            .map(|number| usize::try_from(number).unwrap_or(0))
    };
    let encoding = || given()?.parse::<Encoding>().map_err(|error| error.to_string());
    let step = match word.to_ascii_lowercase().as_str() {
        "none" => Step::Nothing,
        "prefix" => Step::Prefix(text()?),
        "suffix" => Step::Suffix { suffix: text()?, keep_extension: false },
        "suffix_keep_extension" => Step::Suffix { suffix: text()?, keep_extension: true },
        "trimprefix" => Step::TrimPrefix(text()?),
        "trimsuffix" => Step::TrimSuffix(text()?),
        "replace" => match given()?.split(':').collect::<Vec<_>>()[..] {
            [old, new] => Step::Replace(old.to_owned(), new.to_owned()),
            _ => return Err("the value must be OLD:NEW, with one colon".to_owned()),
        },
        "regex" => match given()?.split('/').collect::<Vec<_>>()[..] {
            [expression, replacement] => {
                Step::Regex(Substitution::new(expression, replacement).map_err(|error| error.to_string())?)
            }
            _ => return Err("the value must be EXPRESSION/REPLACEMENT, with one slash".to_owned()),
        },
        "truncate" => Step::Truncate { most: number()?, unit: Unit::Characters, keep_extension: false },
        "truncate_keep_extension" => {
            Step::Truncate { most: number()?, unit: Unit::Characters, keep_extension: true }
        }
        "truncate_bytes" => Step::Truncate { most: number()?, unit: Unit::Bytes, keep_extension: false },
        "truncate_bytes_keep_extension" => {
            Step::Truncate { most: number()?, unit: Unit::Bytes, keep_extension: true }
        }
        "nfc" => Step::Form(Form::Nfc),
        "nfd" => Step::Form(Form::Nfd),
        "nfkc" => Step::Form(Form::Nfkc),
        "nfkd" => Step::Form(Form::Nfkd),
        "uppercase" => Step::Upper,
        "lowercase" => Step::Lower,
        "titlecase" => Step::Title,
        "ascii" => Step::Ascii,
        "url" => Step::Url,
        "base64encode" => Step::Base64,
        "base64decode" => Step::FromBase64,
        "encoder" => Step::Encode(encoding()?),
        "decoder" => Step::Decode(encoding()?),
        "charmap" => Step::Charset(charset(given()?)?),
        "iso-8859-1" | "windows-1252" | "macintosh" => Step::Charset(charset(word)?),
        // The date is the same for all names, so it is a suffix like others.
        "date" => Step::Suffix { suffix: dated(given()?, now), keep_extension: false },
        "command" => Step::Program(Program { path: text()?, answers: Mutex::default() }),
        _ => return Err(format!("unknown word {word:?}; there are: {WORDS}")),
    };
    Ok((scope, step))
}

fn charset(name: &str) -> Result<Charset, String> {
    Charset::of_name(name).ok_or_else(|| {
        format!(
            "the set of characters {name:?} isn't known here; there are: ISO-8859-1, Windows-1252, Macintosh. \
             --name-transform regex can replace single characters"
        )
    })
}

/// Replaces the time layout between a text's first `{` and its last `}` with the time.
fn dated(text: &str, now: &ZonedDateTime) -> String {
    let Some((before, (layout, after))) =
        text.split_once('{').and_then(|(before, rest)| Some((before, rest.rsplit_once('}')?)))
    else {
        return text.to_owned();
    };
    let layout = match layout {
        "YYYYMMDD" => "20060102",
        "macfriendlytime" | "MacFriendlyTime" => "2006-01-02 0304PM",
        other => go_time::layout_of(other),
    };
    format!("{before}{}{after}", go_time::render(now, layout))
}

impl NameTransform for Steps {
    fn apply(&self, name: &Name, bearer: Bearer) -> Result<Name, String> {
        let mut name = name.clone();
        for (scope, step) in &self.0 {
            let concerned = match bearer {
                Bearer::File => *scope != Scope::Folders,
                Bearer::Folder => *scope != Scope::Files,
            };
            if concerned {
                name = Name::new(step.apply(name.as_bytes())?).map_err(|error| error.to_string())?;
            }
        }
        Ok(name)
    }
}

impl Step {
    fn apply(&self, name: &[u8]) -> Result<Vec<u8>, String> {
        let changed = match self {
            Self::Nothing => name.to_vec(),
            Self::Prefix(prefix) => [prefix.as_bytes(), name].concat(),
            Self::Suffix { suffix, keep_extension } => {
                let at = if *keep_extension { stem_length(name) } else { name.len() };
                [&name[..at], suffix.as_bytes(), &name[at..]].concat()
            }
            Self::TrimPrefix(prefix) => name.strip_prefix(prefix.as_bytes()).unwrap_or(name).to_vec(),
            Self::TrimSuffix(suffix) => name.strip_suffix(suffix.as_bytes()).unwrap_or(name).to_vec(),
            Self::Replace(old, new) => match old.is_empty() {
                true => text(name)?.replace("", new).into_bytes(),
                false => name.replace(old, new),
            },
            Self::Regex(substitution) => substitution.apply(text(name)?).into_bytes(),
            Self::Truncate { most: 0, .. } => name.to_vec(),
            Self::Truncate { most, unit, keep_extension } => {
                let at = if *keep_extension { stem_length(name) } else { name.len() };
                let (stem, extension) = name.split_at(at);
                let stem = unit.cut(text(stem)?, text(extension)?, *most);
                let stem = stem.ok_or_else(|| format!("there is no room for it in {most}"))?;
                [stem, extension].concat()
            }
            Self::Form(form) => form.of(text(name)?).into_bytes(),
            Self::Upper => letters::upper(text(name)?).into_bytes(),
            Self::Lower => letters::lower(text(name)?).into_bytes(),
            Self::Title => letters::title(text(name)?).into_bytes(),
            Self::Ascii => name.iter().copied().filter(u8::is_ascii).collect(),
            Self::Url => url_encoded(name).into_bytes(),
            Self::Base64 => BASE64.encode(name).into_bytes(),
            // macOS makes such files anywhere.
            Self::FromBase64 if name == b".DS_Store" => name.to_vec(),
            Self::FromBase64 => BASE64.decode(name).map_err(|error| format!("it is no base64: {error}"))?,
            Self::Encode(encoding) => encoding.encode(name).into_owned(),
            Self::Decode(encoding) => encoding.decode(name).into_owned(),
            Self::Charset(set) => set.keep(text(name)?).into_bytes(),
            Self::Program(program) => program.ask(text(name)?)?.into_bytes(),
        };
        Ok(changed)
    }
}

fn text(name: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(name).map_err(|_| "it is no UTF-8".to_owned())
}

impl Unit {
    /// Returns the stem of a name whose length with its extension is limited; `None` if nothing would be left of it.
    fn cut<'a>(self, stem: &'a str, extension: &str, most: usize) -> Option<&'a [u8]> {
        let length = |text: &str| match self {
            Self::Characters => text.chars().count(),
            Self::Bytes => text.len(),
        };
        if length(stem) + length(extension) <= most {
            return Some(stem.as_bytes());
        }
        let room = most.saturating_sub(length(extension));
        let mut ends = stem.char_indices().map(|(at, _)| at).chain([stem.len()]);
        let fits = |at: &usize| length(&stem[..*at]) <= room;
        let end = ends.by_ref().take_while(fits).last().filter(|end| *end > 0)?;
        Some(&stem.as_bytes()[..end])
    }
}

impl Form {
    fn of(self, text: &str) -> String {
        match self {
            Self::Nfc => ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned(),
            Self::Nfkc => ComposingNormalizerBorrowed::new_nfkc().normalize(text).into_owned(),
            Self::Nfd => DecomposingNormalizerBorrowed::new_nfd().normalize(text).into_owned(),
            Self::Nfkd => DecomposingNormalizerBorrowed::new_nfkd().normalize(text).into_owned(),
        }
    }
}

/// Encodes a name as in the query of a URL.
fn url_encoded(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name {
        match byte {
            b' ' => text.push('+'),
            b'-' | b'_' | b'.' | b'~' => text.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => text.push(char::from(*byte)),
            byte => text += &format!("%{byte:02X}"),
        }
    }
    text
}

/// A program that is called for each name.
#[derive(Debug)]
struct Program {
    path: String,
    /// Earlier answers of the program, since a run may need a name a second time.
    answers: Mutex<HashMap<String, Result<String, String>>>,
}

impl Program {
    /// Returns what the program prints when it gets the name as its only argument.
    fn ask(&self, name: &str) -> Result<String, String> {
        let known = |answers: &HashMap<_, Result<String, String>>| answers.get(name).cloned();
        if let Some(answer) = known(&self.answers.lock().unwrap_or_else(PoisonError::into_inner)) {
            return answer;
        }
        let answer = self.run(name);
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(name.to_owned(), answer.clone());
        answer
    }

    fn run(&self, name: &str) -> Result<String, String> {
        let failed = |why: String| format!("the program {:?} failed for it: {why}", self.path);
        let output =
            Command::new(&self.path).arg(name).output().map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(failed(format!("{}: {}", output.status, said.trim())));
        }
        let said = String::from_utf8(output.stdout).map_err(|_| failed("it didn't print text".to_owned()))?;
        Ok(said.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(rules: &[&str]) -> Steps {
        let now: jiff::Timestamp = "2026-02-03T04:05:06Z".parse().unwrap();
        let rules: Vec<_> = rules.iter().map(|rule| (*rule).to_owned()).collect();
        Steps::read(&rules, &now.to_zoned_datetime(jiff::tz::TimeZone::UTC)).unwrap().unwrap()
    }

    fn changed(rules: &[&str], name: &str) -> Result<String, String> {
        let name = Name::new(name).unwrap();
        steps(rules).apply(&name, Bearer::File).map(|name| name.to_string())
    }

    // Measured on rclone 1.75.2, as are those in the test that runs both programs.
    #[test]
    fn names_are_changed_step_by_step() {
        for (rules, name, expected) in [
            (&["prefix=a", "suffix=b"][..], "x.y", "ax.yb"),
            (&["suffix_keep_extension=-1"], "Café.tar.gz", "Café-1.tar.gz"),
            (&["suffix_keep_extension=-1"], ".hidden", "-1.hidden"),
            (&["truncate_keep_extension=9"], "Café.tar.gz", "Ca.tar.gz"),
            (&["truncate_bytes_keep_extension=8"], "Ａ①.jpg", "Ａ.jpg"),
            (&["truncate_bytes=5"], "Ａ①", "Ａ"),
            (&["truncate=0"], "abc", "abc"),
            (&["truncate=-1"], "abc", "abc"),
            (&["ascii"], "cafe\u{301}.md", "cafe.md"),
            (&["url"], "a=b+c d%20.txt", "a%3Db%2Bc+d%2520.txt"),
            (&["base64encode"], ".hidden", "LmhpZGRlbg=="),
            (&["base64decode"], ".DS_Store", ".DS_Store"),
            (&["replace=:x"], "ab", "xaxbx"),
            (&["date=-{YYYYMMDD}"], "a", "a-20260203"),
            (&["date=-{macfriendlytime}"], "a", "a-2026-02-03 0405AM"),
            (&["date=%Y_{2006_01}_"], "a", "a%Y_2026_02_"),
            (&["date=DateOnly"], "a", "aDateOnly"),
            (&["dir,prefix=x"], "a", "a"),
            (&["all,prefix=x", "file,prefix=y"], "a", "yxa"),
        ] {
            assert_eq!(changed(rules, name).as_deref(), Ok(expected), "{rules:?} {name}");
        }
    }

    #[test]
    fn folders_have_rules_of_their_own() {
        let folder = Name::new("a").unwrap();
        let steps = steps(&["prefix=f", "dir,prefix=d", "all,suffix=b"]);
        assert_eq!(steps.apply(&folder, Bearer::Folder).unwrap().to_string(), "dab");
        assert_eq!(steps.apply(&folder, Bearer::File).unwrap().to_string(), "fab");
    }

    #[test]
    fn what_becomes_no_name_is_refused_at_the_step_that_spoils_it() {
        for rules in [
            &["trimprefix=abc", "prefix=x"][..],
            &["prefix=a/"],
            &["regex=^.*$/..", "suffix=x"],
            &["truncate_keep_extension=2"],
            &["prefix=é", "truncate_bytes=1"],
            &["base64decode"],
        ] {
            assert!(changed(rules, "abc").is_err() || changed(rules, "abc.txt").is_err(), "{rules:?}");
        }
    }
}
