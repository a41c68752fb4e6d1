//! Output for programs that drive the configuration: rclone's JSON, member by member (measured on v1.75.2).

use fichier_config::{
    interview::{Position, StateName},
    provider::{Group, Provider, Question},
};
use serde::Serialize;
use serde_json::{Serializer, Value, json, ser::PrettyFormatter};

use crate::context::Context;

/// A question, or the end of the dialogue.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Step {
    state: String,
    option: Option<QuestionJson>,
    error: String,
    result: String,
}

/// An option in rclone's JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct QuestionJson {
    name: String,
    field_name: String,
    help: String,
    default: Value,
    value: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    examples: Vec<ExampleJson>,
    hide: u8,
    required: bool,
    is_password: bool,
    no_prefix: bool,
    advanced: bool,
    exclusive: bool,
    sensitive: bool,
    default_str: String,
    value_str: String,
    #[serde(rename = "Type")]
    kind: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExampleJson {
    value: String,
    help: String,
}

/// Describes an option. The stored value takes the place of its default.
pub(super) fn question(question: &Question, stored: Option<&str>) -> QuestionJson {
    let default = stored.filter(|stored| !stored.is_empty()).unwrap_or(&question.default);
    let typed = match question.kind {
        "bool" => json!(default == "true"),
        "int" => default.parse::<u64>().map_or_else(|_| json!(default), |number| json!(number)),
        _ => json!(default),
    };
    QuestionJson {
        name: question.name.clone(),
        field_name: String::new(),
        help: question.help.clone(),
        default: typed,
        value: Value::Null,
        examples: question
            .choices
            .iter()
            .map(|choice| ExampleJson { value: choice.value.clone(), help: choice.help.clone() })
            .collect(),
        hide: 0,
        required: question.required,
        is_password: question.password,
        no_prefix: false,
        advanced: question.group != Group::Standard,
        exclusive: !question.choices.is_empty(),
        sensitive: question.sensitive,
        default_str: default.to_owned(),
        value_str: default.to_owned(),
        kind: question.kind.to_owned(),
    }
}

/// Describes the question at a place of an interview, and what was wrong with the answer before.
pub(super) fn step(
    position: Position,
    provider: &Provider,
    stored: impl Fn(&str) -> Option<String>,
    error: String,
) -> Step {
    let option = match position {
        Position::Question(index) => provider.questions.get(index).map(|asked| {
            let stored = stored(&asked.name);
            question(asked, stored.as_deref())
        }),
        Position::Enter(group) => Some(enter(group)),
        Position::Done => None,
    };
    Step { state: StateName::of(position, provider).to_string(), option, error, result: String::new() }
}

/// Describes the question whether to enter a group of options.
fn enter(group: Group) -> QuestionJson {
    let (name, help) = match group {
        Group::Own => ("config_fs_own", "Edit the options that rclone doesn't have?"),
        _ => ("config_fs_advanced", "Edit advanced config?"),
    };
    let example = |value: &str, help: &str| ExampleJson { value: value.to_owned(), help: help.to_owned() };
    QuestionJson {
        name: name.to_owned(),
        field_name: String::new(),
        help: help.to_owned(),
        default: json!(false),
        value: Value::Null,
        examples: vec![example("true", "Yes"), example("false", "No")],
        hide: 0,
        required: false,
        is_password: false,
        no_prefix: false,
        advanced: false,
        exclusive: true,
        sensitive: false,
        default_str: "false".to_owned(),
        value_str: "false".to_owned(),
        kind: "bool".to_owned(),
    }
}

/// Writes JSON as Go's encoder indents it.
pub(super) fn write(value: &impl Serialize, indent: &[u8], context: &mut Context<'_>) -> anyhow::Result<()> {
    let formatter = PrettyFormatter::with_indent(indent);
    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut text, formatter))?;
    context.out.write_all(&text)?;
    Ok(())
}
