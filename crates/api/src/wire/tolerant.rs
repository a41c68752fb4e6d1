//! Parsers for the service's habits: numbers as strings, flags as 0, "1" or true, `null` for nothing (API document,
//! section 1).
//!
//! All follow one rule: a field that isn't needed for the request never makes an answer useless. A wrong value counts
//! as missing. Only the parsers whose names begin with `needed` fail.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Serializer};

/// Largest number that JSON carries exactly everywhere: 2^53. No number of this service is larger.
pub(crate) const LARGEST_NUMBER: u64 = 1 << 53;

/// A value of any kind, of which only scalars are kept.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) enum Scalar {
    #[default]
    Nothing,
    Flag(bool),
    Whole(u64),
    Negative(i64),
    Fraction(f64),
    Text(String),
    /// A list or an object, whatever its content.
    Other,
}

impl Scalar {
    /// Returns a non-negative whole number, in whatever form it was written.
    fn number(&self) -> Option<u64> {
        let number = match self {
            Self::Nothing | Self::Negative(_) | Self::Other => None,
            Self::Flag(flag) => Some((*flag).into()),
            Self::Whole(value) => Some(*value),
            Self::Fraction(value) => whole(*value),
            Self::Text(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| text.parse().ok().and_then(whole))
            }
        };
        number.filter(|number| *number <= LARGEST_NUMBER)
    }

    #[expect(clippy::cast_precision_loss, reason = "decimals are for amounts that people read")]
    fn decimal(&self) -> Option<f64> {
        let number = match self {
            Self::Whole(value) => Some(*value as f64),
            Self::Negative(value) => Some(*value as f64),
            Self::Fraction(value) => Some(*value),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Nothing | Self::Flag(_) | Self::Other => None,
        };
        number.filter(|number| number.is_finite())
    }

    fn text(self) -> Option<String> {
        match self {
            Self::Nothing | Self::Other => None,
            Self::Flag(flag) => Some(u8::from(flag).to_string()),
            Self::Whole(value) => Some(value.to_string()),
            Self::Negative(value) => Some(value.to_string()),
            Self::Fraction(value) => Some(value.to_string()),
            Self::Text(text) => Some(text).filter(|text| !text.is_empty()),
        }
    }
}

fn whole(value: f64) -> Option<u64> {
    // Up to 2^53 a float is exact.
    if (0.0..=9_007_199_254_740_992.0).contains(&value) && value.fract() == 0.0 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just above")]
        return Some(value as u64);
    }
    None
}

/// Result of parsing a value of any kind. What isn't used is skipped, so that no value is an error.
trait Shape {
    type Value;

    /// Converts a scalar, or a list or an object that isn't used.
    fn other(scalar: Scalar) -> Self::Value;

    fn list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::other(Scalar::Other))
    }

    fn object<'de, A: MapAccess<'de>>(mut object: A) -> Result<Self::Value, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::other(Scalar::Other))
    }
}

struct ShapeVisitor<S>(PhantomData<S>);

fn shaped<'de, S: Shape, D: Deserializer<'de>>(deserializer: D) -> Result<S::Value, D::Error> {
    deserializer.deserialize_any(ShapeVisitor::<S>(PhantomData))
}

impl<'de, S: Shape> Visitor<'de> for ShapeVisitor<S> {
    type Value = S::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<S::Value, E> {
        Ok(S::other(Scalar::Flag(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<S::Value, E> {
        Ok(S::other(Scalar::Whole(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<S::Value, E> {
        Ok(S::other(u64::try_from(value).map_or(Scalar::Negative(value), Scalar::Whole)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<S::Value, E> {
        Ok(S::other(Scalar::Fraction(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<S::Value, E> {
        Ok(S::other(Scalar::Text(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<S::Value, E> {
        Ok(S::other(Scalar::Text(value)))
    }

    fn visit_unit<E>(self) -> Result<S::Value, E> {
        Ok(S::other(Scalar::Nothing))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<S::Value, A::Error> {
        S::list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<S::Value, A::Error> {
        S::object(object)
    }
}

impl Shape for Scalar {
    type Value = Self;

    fn other(scalar: Scalar) -> Self {
        scalar
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        shaped::<Self, D>(deserializer)
    }
}

/// Parses a non-negative whole number; `None` for anything else.
pub(crate) fn opt_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Scalar::deserialize(deserializer)?.number())
}

/// Parses a number that may have decimals; `None` for anything else.
pub(crate) fn opt_decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(Scalar::deserialize(deserializer)?.decimal())
}

/// Parses a number without which the answer is useless.
pub(crate) fn needed_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    opt_number(deserializer)?.ok_or_else(|| de::Error::custom("a number is missing"))
}

/// A count that the service may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Count {
    /// Nothing is told: the field is missing, or holds nothing, `false` or an empty text.
    #[default]
    Untold,
    Told(u64),
    /// Something is told that counts nothing: -1, a half, a word, a list.
    Senseless,
}

impl Count {
    pub(crate) fn told(self) -> Option<u64> {
        if let Self::Told(count) = self { Some(count) } else { None }
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let scalar = Scalar::deserialize(deserializer)?;
        Ok(match (scalar.number(), scalar) {
            (_, Scalar::Nothing | Scalar::Flag(false)) => Self::Untold,
            (Some(count), _) => Self::Told(count),
            (None, Scalar::Text(text)) if text.trim().is_empty() => Self::Untold,
            (None, _) => Self::Senseless,
        })
    }
}

/// Parses a flag; nothing and an empty text are false, a list or an object is true (`acl`).
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match Scalar::deserialize(deserializer)? {
        Scalar::Nothing => false,
        Scalar::Flag(flag) => flag,
        Scalar::Whole(value) => value != 0,
        Scalar::Negative(_) | Scalar::Other => true,
        Scalar::Fraction(value) => value != 0.0,
        Scalar::Text(text) => {
            let negations = ["", "0", "false", "no", "non", "off", "null"];
            !negations.iter().any(|no| text.trim().eq_ignore_ascii_case(no))
        }
    })
}

/// Parses a text; anything else is an empty text.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(opt_text(deserializer)?.unwrap_or_default())
}

/// Parses a text, with numbers written out; `None` for an empty text and for anything else.
pub(crate) fn opt_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Scalar::deserialize(deserializer)?.text())
}

/// Parses a text without which the answer is useless.
pub(crate) fn needed_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    opt_text(deserializer)?.ok_or_else(|| de::Error::custom("a text is missing"))
}

/// A text as [`opt_text`] parses it, for hand-written parsers and for lists.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Text(#[serde(deserialize_with = "opt_text")] pub(crate) Option<String>);

/// Parses a value that is written as a text; `None` when it can't be parsed.
pub(crate) fn parsed<'de, D: Deserializer<'de>, T: std::str::FromStr>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(opt_text(deserializer)?.and_then(|text| text.trim().parse().ok()))
}

/// Parses the link of a file; `None` for anything else.
pub(crate) fn opt_link<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<crate::FileLink>, D::Error> {
    Ok(opt_text(deserializer)?.and_then(|text| crate::FileLink::from_wire(&text).ok()))
}

/// Parses a date; `None` for anything else.
pub(crate) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<crate::WireDate>, D::Error> {
    Ok(opt_text(deserializer)?.map(|text| crate::WireDate::new(&text)))
}

/// An item of a list, or what is known of one that can't be read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item<T> {
    Read(T),
    LeftOut(LeftOut),
}

/// An item of a list that can't be used as it came, while the others can.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LeftOut {
    /// Name as on the wire, if that can be read.
    pub name: Option<String>,
    /// What is wrong with the item.
    pub problem: &'static str,
}

/// Form in which items of a list are parsed first: it accepts any value in each of its fields.
pub(crate) trait Form: Sized {
    type Raw: for<'de> Deserialize<'de>;

    /// Returns the item, if everything that it needs is there.
    fn take(raw: Self::Raw) -> Result<Self, LeftOut>;
}

impl<T: Form> Shape for Item<T> {
    type Value = Self;

    fn other(_: Scalar) -> Self {
        Self::LeftOut(LeftOut { name: None, problem: "it is no entry of a known kind" })
    }

    fn object<'de, A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        let raw = T::Raw::deserialize(MapAccessDeserializer::new(object))?;
        Ok(T::take(raw).map_or_else(Self::LeftOut, Self::Read))
    }
}

impl<'de, T: Form> Deserialize<'de> for Item<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        shaped::<Self, D>(deserializer)
    }
}

/// Parses an object of a known form; `None` for anything else.
pub(crate) fn opt_object<'de, D: Deserializer<'de>, T: Form>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(match Item::deserialize(deserializer)? {
        Item::Read(object) => Some(object),
        Item::LeftOut(_) => None,
    })
}

/// The items of a list, and those that were left out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Items<T> {
    pub(crate) read: Vec<T>,
    pub(crate) left_out: Vec<LeftOut>,
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self { read: Vec::new(), left_out: Vec::new() }
    }
}

impl<T> Items<T> {
    /// Returns the items that were read; the others are added to a list.
    pub(crate) fn split(self, left_out: &mut Vec<LeftOut>) -> Vec<T> {
        left_out.extend(self.left_out);
        self.read
    }
}

/// Number of items left out that are kept one by one; of more, only the number of answers with some matters.
const LEFT_OUT_KEPT: usize = 1000;

impl<T> Extend<Item<T>> for Items<T> {
    fn extend<I: IntoIterator<Item = Item<T>>>(&mut self, items: I) {
        for item in items {
            match item {
                Item::Read(item) => self.read.push(item),
                Item::LeftOut(item) if self.left_out.len() < LEFT_OUT_KEPT => self.left_out.push(item),
                Item::LeftOut(_) => {}
            }
        }
    }
}

/// Parses a list that was asked for: `None` if it is missing. Anything but a list, or nothing, is an error.
pub(crate) fn needed_items<'de, D: Deserializer<'de>, T: Form>(
    deserializer: D,
) -> Result<Option<Items<T>>, D::Error> {
    let mut items = Items::default();
    let there_is_one = ItemByItem::<Item<T>, _>::new(&mut items).deserialize(deserializer)?;
    Ok(there_is_one.then_some(items))
}

/// A list that isn't needed.
struct Whatever<T>(PhantomData<T>);

impl<T: for<'de> Deserialize<'de>> Shape for Whatever<T> {
    type Value = Vec<T>;

    fn other(_: Scalar) -> Vec<T> {
        Vec::new()
    }

    fn list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(items)
    }
}

/// Parses a list that isn't needed; items that can't be read are left out, and anything else is an empty list.
pub(crate) fn list<'de, D: Deserializer<'de>, T: Form>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let items = shaped::<Whatever<Item<T>>, D>(deserializer)?;
    let read = items.into_iter().filter_map(|item| match item {
        Item::Read(item) => Some(item),
        Item::LeftOut(_) => None,
    });
    Ok(read.collect())
}

/// Parses texts that aren't needed; items that aren't texts are left out.
pub(crate) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(shaped::<Whatever<Scalar>, D>(deserializer)?.into_iter().filter_map(Scalar::text).collect())
}

/// Parses links; items that aren't links are left out.
pub(crate) fn links<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<crate::FileLink>, D::Error> {
    let texts = texts(deserializer)?;
    Ok(texts.iter().filter_map(|text| crate::FileLink::from_wire(text).ok()).collect())
}

/// Parses a list and adds each item to a collection as it is parsed, without holding the others. Nothing, a flag and an
/// empty text stand for no list, and an object is an error: as an empty list it would empty a folder. Returns whether
/// there was a list.
pub(crate) struct ItemByItem<'a, T, C> {
    collection: &'a mut C,
    item: PhantomData<T>,
}

impl<'a, T, C: Extend<T>> ItemByItem<'a, T, C> {
    pub(crate) fn new(collection: &'a mut C) -> Self {
        Self { collection, item: PhantomData }
    }
}

impl<'de, T: Deserialize<'de>, C: Extend<T>> DeserializeSeed<'de> for ItemByItem<'_, T, C> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>, C: Extend<T>> Visitor<'de> for ItemByItem<'_, T, C> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<bool, E> {
        if text.is_empty() { Ok(false) } else { Err(E::invalid_type(Unexpected::Str(text), &self)) }
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<bool, A::Error> {
        Err(de::Error::invalid_type(Unexpected::Map, &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        while let Some(item) = list.next_element()? {
            self.collection.extend(Some(item));
        }
        Ok(true)
    }
}

/// Writes a flag as 0 or 1.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
pub(crate) fn write_flag<S: Serializer>(flag: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8((*flag).into())
}

/// Writes a flag as 0 or 1, if it is set at all.
#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
pub(crate) fn write_opt_flag<S: Serializer>(flag: &Option<bool>, serializer: S) -> Result<S::Ok, S::Error> {
    match flag {
        Some(flag) => write_flag(flag, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Deserialize, PartialEq, Default)]
    #[serde(default)]
    struct Sample {
        #[serde(deserialize_with = "opt_number")]
        number: Option<u64>,
        #[serde(deserialize_with = "opt_decimal")]
        decimal: Option<f64>,
        #[serde(deserialize_with = "flag")]
        flag: bool,
        #[serde(deserialize_with = "text")]
        text: String,
        #[serde(deserialize_with = "texts")]
        list: Vec<String>,
        #[serde(deserialize_with = "date")]
        date: Option<crate::WireDate>,
    }

    fn read(json: &str) -> Result<Sample, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn numbers_come_in_many_dresses() {
        for (json, number) in [
            ("12", Some(12)),
            ("\"12\"", Some(12)),
            ("\" 12 \"", Some(12)),
            ("12.0", Some(12)),
            ("\"12.0\"", Some(12)),
            ("1.2e1", Some(12)),
            ("true", Some(1)),
            ("null", None),
            ("\"\"", None),
            ("-1", None),
            ("\"-1\"", None),
            ("9007199254740992", Some(LARGEST_NUMBER)),
            ("9007199254740993", None),
            ("18446744073709551615", None),
            ("\"twelve\"", None),
            ("12.5", None),
            ("[]", None),
            ("{\"a\":1}", None),
            ("1e300", None),
        ] {
            assert_eq!(read(&format!("{{\"number\":{json}}}")).unwrap().number, number, "{json}");
        }
    }

    #[test]
    fn a_count_is_told_or_not_or_makes_no_sense() {
        use Count::{Senseless, Told, Untold};
        for (json, count) in [
            ("3", Told(3)),
            ("\"3\"", Told(3)),
            ("3.0", Told(3)),
            ("0", Told(0)),
            ("null", Untold),
            ("false", Untold),
            ("\"\"", Untold),
            ("-1", Senseless),
            ("\"-1\"", Senseless),
            ("0.5", Senseless),
            ("\"many\"", Senseless),
            ("[]", Senseless),
            ("{}", Senseless),
            ("18446744073709551615", Senseless),
        ] {
            assert_eq!(serde_json::from_str::<Count>(json).unwrap(), count, "{json}");
        }
    }

    #[test]
    fn amounts_may_have_decimals() {
        for (json, number) in [
            ("12.5", Some(12.5)),
            ("\"12.50\"", Some(12.5)),
            ("3", Some(3.0)),
            ("-1", Some(-1.0)),
            ("\"NaN\"", None),
            ("\"inf\"", None),
            ("{}", None),
        ] {
            assert_eq!(read(&format!("{{\"decimal\":{json}}}")).unwrap().decimal, number, "{json}");
        }
    }

    #[test]
    fn flags_come_in_many_dresses() {
        for json in ["1", "\"1\"", "true", "\"true\"", "2", "{\"ip\":[]}", "[1,2]"] {
            assert!(read(&format!("{{\"flag\":{json}}}")).unwrap().flag, "{json}");
        }
        for json in ["0", "\"0\"", "false", "\"false\"", "\"NO\"", "\" Non\"", "null", "\"\"", "0.0"] {
            assert!(!read(&format!("{{\"flag\":{json}}}")).unwrap().flag, "{json}");
        }
    }

    #[test]
    fn texts_lists_and_dates_may_be_nothing_or_anything() {
        let empty = read(r#"{"text":null,"list":null,"date":null,"unknown":{"a":[1]}}"#).unwrap();
        assert_eq!(empty, Sample::default());
        let empty = read(r#"{"text":"","list":{"a":1},"date":[]}"#).unwrap();
        assert_eq!(empty, Sample::default());
        let full = read(r#"{"text":12,"list":[1,{},"b"],"date":"2021-03-20 16:42:15"}"#).unwrap();
        assert_eq!((full.text.as_str(), full.list), ("12", vec!["1".to_owned(), "b".to_owned()]));
        assert!(full.date.is_some());
    }

    proptest! {
        #[test]
        fn no_value_makes_it_panic(json in "[0-9eE.+\\-\"\\[\\]{}:,a-z ]{0,40}") {
            let _ = read(&format!("{{\"number\":{json},\"flag\":{json},\"list\":{json}}}"));
        }
    }
}
