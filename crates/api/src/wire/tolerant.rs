//! Readers for the service's habits: numbers as strings, flags as 0, "1" or true, `null` for nothing
//! (API document, section 1).

use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde::{Deserialize, Serializer};

/// A scalar of any dress.
enum Scalar {
    Nothing,
    Flag(bool),
    Whole(u64),
    Negative(i64),
    Fraction(f64),
    Text(String),
    /// A list or an object, whatever is in it.
    Other,
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a text, a flag or nothing")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Flag(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
        Ok(u64::try_from(value).map_or(Scalar::Negative(value), Scalar::Whole))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar::Fraction(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Scalar, E> {
        Ok(Scalar::Text(value))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Scalar, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

fn scalar<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Scalar, D::Error> {
    deserializer.deserialize_any(ScalarVisitor)
}

/// A non-negative whole number; `None` for nothing, an empty text, and numbers below zero.
pub(crate) fn opt_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    match scalar(deserializer)? {
        Scalar::Nothing | Scalar::Negative(_) => Ok(None),
        Scalar::Flag(flag) => Ok(Some(flag.into())),
        Scalar::Whole(value) => Ok(Some(value)),
        Scalar::Fraction(value) => whole(value).map(Some),
        Scalar::Text(text) if text.trim().is_empty() || text.trim().starts_with('-') => Ok(None),
        Scalar::Text(text) => match text.trim().parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => match text.trim().parse::<f64>() {
                Ok(value) => whole(value).map(Some),
                Err(_) => Err(de::Error::invalid_value(Unexpected::Str(&text), &"a number")),
            },
        },
        Scalar::Other => Err(de::Error::custom("a list or an object came instead of a number")),
    }
}

fn whole<E: de::Error>(value: f64) -> Result<u64, E> {
    // Up to 2^53 a float counts exactly; sizes of this service stay far below.
    if (0.0..=9_007_199_254_740_992.0).contains(&value) && value.fract() == 0.0 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just above")]
        return Ok(value as u64);
    }
    Err(E::invalid_value(Unexpected::Float(value), &"a whole number"))
}

/// A number that has to be there.
pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    opt_number(deserializer)?.ok_or_else(|| de::Error::custom("a number is missing"))
}

/// A flag; nothing and an empty text are false, a list or an object is true (`acl`).
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match scalar(deserializer)? {
        Scalar::Nothing => false,
        Scalar::Flag(flag) => flag,
        Scalar::Whole(value) => value != 0,
        Scalar::Negative(_) | Scalar::Other => true,
        Scalar::Fraction(value) => value != 0.0,
        Scalar::Text(text) => !matches!(text.trim(), "" | "0" | "false" | "no" | "off" | "null"),
    })
}

/// A text; nothing is an empty text.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(opt_text(deserializer)?.unwrap_or_default())
}

/// A text, with numbers written out; `None` for nothing and for an empty text.
pub(crate) fn opt_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match scalar(deserializer)? {
        Scalar::Nothing => None,
        Scalar::Flag(flag) => Some(u8::from(flag).to_string()),
        Scalar::Whole(value) => Some(value.to_string()),
        Scalar::Negative(value) => Some(value.to_string()),
        Scalar::Fraction(value) => Some(value.to_string()),
        Scalar::Text(text) if text.is_empty() => None,
        Scalar::Text(text) => Some(text),
        Scalar::Other => return Err(de::Error::custom("a list or an object came instead of a text")),
    })
}

/// A text as [`opt_text`] reads it, for readers by hand.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Text(#[serde(deserialize_with = "opt_text")] pub(crate) Option<String>);

/// A number as [`opt_number`] reads it, for readers by hand.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Number(#[serde(deserialize_with = "opt_number")] pub(crate) Option<u64>);

/// Something that is written as a text, or `None` when it can't be read: for fields that a listing can do
/// without.
pub(crate) fn parsed<'de, D: Deserializer<'de>, T: std::str::FromStr>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(opt_text(deserializer)?.and_then(|text| text.parse().ok()))
}

/// A date, or `None` for nothing and for an empty text.
pub(crate) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<crate::WireDate>, D::Error> {
    Ok(opt_text(deserializer)?.map(|text| crate::WireDate::new(&text)))
}

/// A list; nothing, a flag, an empty text and an empty object are an empty list.
pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(opt_list(deserializer)?.unwrap_or_default())
}

/// As [`list`]; for fields whose absence says something else than an empty list.
pub(crate) fn some_list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    list(deserializer).map(Some)
}

/// As [`list`], but `null` stays apart from the empty list.
pub(crate) fn opt_list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let mut items = Vec::new();
    let there_is_one = ItemByItem::new(&mut items).deserialize(deserializer)?;
    Ok(there_is_one.then_some(items))
}

/// Reads a list as [`opt_list`] does, and adds each item to a collection as it is read, without holding the others.
/// Answers whether there was a list.
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

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<bool, A::Error> {
        match object.next_key::<IgnoredAny>()? {
            None => Ok(true),
            Some(_) => Err(de::Error::invalid_type(Unexpected::Map, &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        while let Some(item) = list.next_element()? {
            self.collection.extend(Some(item));
        }
        Ok(true)
    }
}

/// An object of a known shape, or `None` for anything else.
pub(crate) fn opt_object<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(if value.is_object() { serde_json::from_value(value).ok() } else { None })
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
        #[serde(deserialize_with = "flag")]
        flag: bool,
        #[serde(deserialize_with = "text")]
        text: String,
        #[serde(deserialize_with = "list")]
        list: Vec<u8>,
        #[serde(deserialize_with = "date")]
        date: Option<crate::WireDate>,
        #[serde(deserialize_with = "opt_object")]
        object: Option<std::collections::BTreeMap<String, u8>>,
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
            ("18446744073709551615", Some(u64::MAX)),
        ] {
            assert_eq!(read(&format!("{{\"number\":{json}}}")).unwrap().number, number, "{json}");
        }
        for json in ["\"twelve\"", "12.5", "[]", "{}", "1e300"] {
            assert!(read(&format!("{{\"number\":{json}}}")).is_err(), "{json}");
        }
    }

    #[test]
    fn flags_come_in_many_dresses() {
        for json in ["1", "\"1\"", "true", "\"true\"", "2", "{\"ip\":[]}", "[1,2]"] {
            assert!(read(&format!("{{\"flag\":{json}}}")).unwrap().flag, "{json}");
        }
        for json in ["0", "\"0\"", "false", "\"false\"", "null", "\"\"", "0.0"] {
            assert!(!read(&format!("{{\"flag\":{json}}}")).unwrap().flag, "{json}");
        }
    }

    #[test]
    fn texts_lists_dates_and_objects_may_be_nothing() {
        let empty =
            read(r#"{"text":null,"list":null,"date":null,"object":null,"unknown":{"a":[1]}}"#).unwrap();
        assert_eq!(empty, Sample::default());
        let empty = read(r#"{"text":"","list":{},"date":"","object":[]}"#).unwrap();
        assert_eq!(empty, Sample::default());
        let full = read(r#"{"text":12,"list":[1,2],"date":"2021-03-20 16:42:15","object":{"a":1}}"#).unwrap();
        assert_eq!((full.text.as_str(), full.list.as_slice()), ("12", &[1, 2][..]));
        assert!(full.date.is_some() && full.object.is_some());
        assert!(read(r#"{"list":{"a":1}}"#).is_err());
        assert!(read(r#"{"list":"a"}"#).is_err());
    }

    proptest! {
        #[test]
        fn no_value_makes_it_panic(json in "[0-9eE.+\\-\"\\[\\]{}:,a-z ]{0,40}") {
            let _ = read(&format!("{{\"number\":{json},\"flag\":{json},\"list\":{json}}}"));
        }
    }
}
