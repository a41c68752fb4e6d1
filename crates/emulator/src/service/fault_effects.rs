//! Effects of faults on a request: before the work, instead of it, and on the answer.

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_ENCODING, RETRY_AFTER};
use serde_json::Value;

use super::{Service, Visit};
use crate::answer::{Abort, Answer, Payload, Refusal};
use crate::fault_book::About;
use crate::faults::FaultKind;
use crate::gzip_bomb::gzip_bomb;

impl Visit {
    /// Returns the first result of `pick` for a fault that applies.
    pub(crate) fn struck<T>(&self, pick: impl Fn(&FaultKind) -> Option<T>) -> Option<T> {
        self.strikes.iter().find_map(|strike| pick(&strike.kind))
    }

    pub(crate) fn is_struck(&self, kind: &FaultKind) -> bool {
        self.strikes.iter().any(|strike| strike.kind == *kind)
    }
}

impl Service {
    /// Applies the faults that match what is known now. An answer means that the work isn't done.
    pub(crate) async fn before_faults(
        &self,
        visit: &mut Visit,
        about: About<'_>,
    ) -> Result<Option<Answer>, Abort> {
        let strikes = self.faults.strike(visit.endpoint.name(), about);
        let kinds: Vec<FaultKind> = strikes.iter().map(|strike| strike.kind.clone()).collect();
        visit.strikes.extend(strikes);
        for kind in kinds {
            if let FaultKind::Latency(time) = kind {
                tokio::time::sleep(time).await;
            } else if let Some(outcome) = self.instead(visit, &kind) {
                return outcome.map(Some);
            }
        }
        Ok(None)
    }

    fn instead(&self, visit: &mut Visit, kind: &FaultKind) -> Option<Result<Answer, Abort>> {
        let refusal = match kind {
            FaultKind::Flood => {
                self.counters.count_flood();
                Refusal::flood()
            }
            FaultKind::IpLocked => Refusal::forbidden("IP Locked #79"),
            FaultKind::Message(text) => Refusal::forbidden(text),
            FaultKind::Refusal(code, text) => Refusal::Ko(status_of(*code), text.clone()),
            FaultKind::Status(code, wait) => {
                let mut answer = Answer::html(status_of(*code), "The service is not available.");
                if let Some(wait) = wait {
                    answer.set(RETRY_AFTER, &wait.to_string());
                }
                return Some(Ok(answer));
            }
            FaultKind::Answer(text) => return Some(Ok(Answer::json(text.clone()))),
            FaultKind::Html => {
                return Some(Ok(Answer::html(StatusCode::OK, "Our services are under maintenance.")));
            }
            FaultKind::Page(code, text) => return Some(Ok(Answer::html(status_of(*code), text))),
            FaultKind::Redirect(url) => return Some(Ok(Answer::redirect(url))),
            FaultKind::Plain(code, text) => {
                let mut answer = Answer::text(text.clone());
                answer.status = status_of(*code);
                return Some(Ok(answer));
            }
            FaultKind::Empty => return Some(Ok(Answer::text(""))),
            FaultKind::GzipBomb(mebibytes) => {
                let length = usize::try_from(mebibytes << 20).unwrap_or(usize::MAX);
                let bomb = gzip_bomb(r#"{"status":"OK","items":"#, length);
                return Some(Ok(Answer::json(bomb).with(CONTENT_ENCODING, "gzip")));
            }
            FaultKind::Endless => return Some(Ok(Answer::endless())),
            FaultKind::Close => return Some(Err(Abort)),
            _ => return None,
        };
        visit.pending.entry.message = Some(format!("{refusal:?}"));
        Some(Ok(refusal.into_answer()))
    }

    /// Applies to an answer what faults do to answers. Listings and reports tell the names of files only now,
    /// so faults with a `name` strike them here.
    pub(crate) async fn after_faults(&self, visit: &mut Visit, mut answer: Answer) -> Result<Answer, Abort> {
        let endpoint = visit.endpoint.name();
        if matches!(endpoint, "folder/ls" | "file/ls" | "end.pl" | "dir")
            && self.faults.asks_for_names(endpoint)
        {
            let names = names_in(&answer);
            let strikes = self.faults.strike(endpoint, About::Files(&names));
            let kinds: Vec<FaultKind> = strikes.iter().map(|strike| strike.kind.clone()).collect();
            visit.strikes.extend(strikes);
            for kind in kinds {
                if let Some(outcome) = self.instead(visit, &kind) {
                    answer = outcome?;
                }
            }
        }
        if visit.strikes.is_empty() {
            return Ok(answer);
        }
        if visit.is_struck(&FaultKind::LostAnswer) {
            return Err(Abort);
        }
        let late =
            visit.struck(|kind| if let FaultKind::LateAnswer(time) = kind { Some(*time) } else { None });
        if let Some(time) = late {
            tokio::time::sleep(time).await;
        }
        if let Some(text) = visit.struck(|kind| match kind {
            FaultKind::DoneAnswer(text) => Some(text.clone()),
            _ => None,
        }) {
            return Ok(Answer::json(text));
        }
        if let Some(answer) = visit.struck(|kind| match kind {
            FaultKind::DoneStatus(code) => {
                Some(Answer::html(status_of(*code), "The service is not available."))
            }
            FaultKind::DoneRefusal(code, text) => {
                Some(Refusal::Ko(status_of(*code), text.clone()).into_answer())
            }
            _ => None,
        }) {
            return Ok(answer);
        }
        if answer.is_json()
            && let Payload::Bytes(bytes) = &answer.payload
        {
            answer.payload = Payload::Bytes(spoil(visit, bytes));
        }
        let pause =
            visit.struck(|kind| if let FaultKind::Trickle(pause) = kind { Some(*pause) } else { None });
        if let Some(pause) = pause {
            answer.trickle(pause);
        }
        if visit.is_struck(&FaultKind::CutAnswer) {
            answer.cut();
        }
        Ok(answer)
    }
}

fn status_of(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn names_in(answer: &Answer) -> Vec<String> {
    let Payload::Bytes(bytes) = &answer.payload else { return Vec::new() };
    let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else { return Vec::new() };
    let mut names = Vec::new();
    each_file(&mut value, &mut |file| {
        if let Some(name) = file.get("filename").and_then(Value::as_str) {
            names.push(name.to_owned());
        }
    });
    names
}

/// Calls `change` for each object that describes a file, at any depth.
fn each_file(value: &mut Value, change: &mut impl FnMut(&mut serde_json::Map<String, Value>)) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| each_file(value, change)),
        Value::Object(fields) => {
            if fields.contains_key("filename") {
                change(fields);
            }
            fields.values_mut().for_each(|value| each_file(value, change));
        }
        _ => {}
    }
}

/// Calls `change` for each object, at any depth.
fn each_object(value: &mut Value, change: &mut impl FnMut(&mut serde_json::Map<String, Value>)) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| each_object(value, change)),
        Value::Object(fields) => {
            change(fields);
            fields.values_mut().for_each(|value| each_object(value, change));
        }
        _ => {}
    }
}

fn spoil(visit: &Visit, bytes: &Bytes) -> Bytes {
    let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else { return bytes.clone() };
    let mut truncated = false;
    // Texts that replace a field's value, as they are.
    let mut marks: Vec<(String, String)> = Vec::new();
    for strike in &visit.strikes {
        let on_checksums = |value: &mut Value, change: &dyn Fn(&mut serde_json::Map<String, Value>, &str)| {
            each_file(value, &mut |file| {
                let name = file.get("filename").and_then(Value::as_str).unwrap_or_default();
                if strike.concerns(name) {
                    change(file, "checksum");
                    change(file, "whirlpool");
                }
            });
        };
        match &strike.kind {
            FaultKind::WrongChecksum => on_checksums(&mut value, &|file, field| {
                if let Some(checksum) = file.get(field).and_then(Value::as_str) {
                    let wrong: String = checksum.chars().rev().collect();
                    let wrong = if wrong == checksum { "0".repeat(checksum.len()) } else { wrong };
                    file.insert(field.to_owned(), Value::String(wrong));
                }
            }),
            FaultKind::MissingChecksum => on_checksums(&mut value, &|file, field| {
                file.remove(field);
            }),
            FaultKind::MissingItems => {
                if let Some(fields) = value.as_object_mut() {
                    fields.remove("items");
                }
            }
            FaultKind::RenameReport => each_file(&mut value, &mut |file| {
                let name = file.get("filename").and_then(Value::as_str).unwrap_or_default();
                if strike.concerns(name) {
                    let renamed = format!("renamed_{name}");
                    file.insert("filename".to_owned(), Value::String(renamed));
                }
            }),
            FaultKind::DropFromReport(number) => {
                if let Some(links) = value.get_mut("links").and_then(Value::as_array_mut)
                    && *number <= links.len()
                {
                    links.remove(number - 1);
                }
            }
            FaultKind::Field(name, text) => {
                let mark = format!("@{}@", marks.len());
                let mut found = false;
                each_object(&mut value, &mut |fields| {
                    if let Some(field) = fields.get_mut(name.as_str()) {
                        *field = Value::String(mark.clone());
                        found = true;
                    }
                });
                if found {
                    marks.push((format!("\"{mark}\""), text.clone()));
                }
            }
            FaultKind::DropField(name) => each_object(&mut value, &mut |fields| {
                fields.remove(name.as_str());
            }),
            FaultKind::TruncatedJson => truncated = true,
            _ => {}
        }
    }
    let mut text = value.to_string();
    for (mark, written) in &marks {
        text = text.replace(mark, written);
    }
    if truncated {
        return Bytes::copy_from_slice(&text.as_bytes()[..text.len() / 2]);
    }
    text.into()
}
