//! Order in which the options of a remote are asked, and the names of the positions in it.
//!
//! Standard options come first, then the question whether to edit the advanced ones, then these, then the question
//! for the options that rclone doesn't have. The names are those of rclone's `config create --non-interactive`
//! (measured on v1.75.2), so that programs which use it can continue.

use std::fmt;
use std::str::FromStr;

use crate::provider::{Group, Provider};

/// A position in the interview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// The question with this index, counted over all questions of the provider.
    Question(usize),
    /// The question whether to ask those of a group.
    Enter(Group),
    /// The end of the interview.
    Done,
}

impl Position {
    /// Returns where the interview begins.
    #[must_use]
    pub fn first(provider: &Provider) -> Position {
        next_in(provider, Group::Standard, 0)
    }

    /// Returns the next position. `entered` is the answer to [`Position::Enter`] and doesn't matter elsewhere.
    #[must_use]
    pub fn after(self, provider: &Provider, entered: bool) -> Position {
        match self {
            Position::Question(index) => match provider.questions.get(index) {
                Some(question) => next_in(provider, question.group, index + 1),
                None => Position::Done,
            },
            Position::Enter(group) if entered => next_in(provider, group, 0),
            Position::Enter(_) | Position::Done => Position::Done,
        }
    }
}

fn next_in(provider: &Provider, group: Group, from: usize) -> Position {
    let mut questions = provider.questions.iter().enumerate().skip(from);
    if let Some((index, _)) = questions.find(|(_, question)| question.group == group) {
        return Position::Question(index);
    }
    let has = |group: Group| provider.questions.iter().any(|question| question.group == group);
    match group {
        Group::Standard if has(Group::Advanced) => Position::Enter(Group::Advanced),
        Group::Standard | Group::Advanced if has(Group::Own) => Position::Enter(Group::Own),
        _ => Position::Done,
    }
}

/// Name of a position, as programs send it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateName(pub Position, pub Group);

impl StateName {
    /// Returns the name of a position in a provider's interview.
    #[must_use]
    pub fn of(position: Position, provider: &Provider) -> StateName {
        let group = match position {
            Position::Question(index) => provider.questions.get(index).map(|question| question.group),
            _ => None,
        };
        StateName(position, group.unwrap_or(Group::Standard))
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Position::Question(index) => write!(f, "*all-set,{index},{}", self.1 != Group::Standard),
            Position::Enter(Group::Own) => f.write_str("*all-own"),
            Position::Enter(_) => f.write_str("*all-advanced"),
            Position::Done => Ok(()),
        }
    }
}

/// A state that no interview has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no state of a configuration; give the State of the answer before")]
pub struct UnknownState(String);

impl FromStr for Position {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Position, UnknownState> {
        let unknown = || UnknownState(text.to_owned());
        match text {
            "" => Ok(Position::Done),
            "*all-advanced" => Ok(Position::Enter(Group::Advanced)),
            "*all-own" => Ok(Position::Enter(Group::Own)),
            _ => {
                let rest = text.strip_prefix("*all-set,").ok_or_else(unknown)?;
                let (index, _) = rest.split_once(',').ok_or_else(unknown)?;
                index.parse().map(Position::Question).map_err(|_| unknown())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Question;
    use std::sync::Arc;

    fn provider(groups: &[Group]) -> Provider {
        let question = |(number, group): (usize, &Group)| Question {
            name: format!("q{number}"),
            help: String::new(),
            kind: "string",
            default: String::new(),
            required: false,
            group: *group,
            password: false,
            sensitive: false,
            choices: Vec::new(),
            check: Arc::new(|_| Ok(())),
        };
        Provider {
            name: "p".into(),
            description: String::new(),
            has_account: false,
            needs_one_of: Vec::new(),
            questions: groups.iter().enumerate().map(question).collect(),
        }
    }

    fn walk(provider: &Provider, enter: bool) -> Vec<String> {
        let mut position = Position::first(provider);
        let mut names = Vec::new();
        while position != Position::Done {
            let name = StateName::of(position, provider).to_string();
            assert_eq!(name.parse::<Position>(), Ok(position));
            names.push(name);
            position = position.after(provider, enter);
        }
        names
    }

    #[test]
    fn standard_then_advanced_then_own() {
        use Group::{Advanced, Own, Standard};
        let all = provider(&[Standard, Advanced, Own, Advanced]);
        let entered = ["*all-set,0,false", "*all-advanced", "*all-set,1,true", "*all-set,3,true", "*all-own"];
        assert_eq!(walk(&all, true)[..5], entered);
        assert_eq!(walk(&all, true)[5..], ["*all-set,2,true"]);
        assert_eq!(walk(&all, false), ["*all-set,0,false", "*all-advanced"]);
        assert_eq!(walk(&provider(&[Advanced]), false), ["*all-advanced"]);
        assert!(walk(&provider(&[]), true).is_empty());
    }

    #[test]
    fn what_is_no_state_is_refused() {
        for text in ["x", "*all-set", "*all-set,1", "*all-set,x,true", "*all-set,-1,true"] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
        assert_eq!(Position::Question(7).after(&provider(&[]), true), Position::Done);
    }
}
