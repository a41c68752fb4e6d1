//! Tests of questions for programs, and of answers from a pipe: the same answers lead to the same file.

use serde_json::{Value, json};

use super::{BOTH, Pair, Program};

const BEGIN: [&str; 6] = ["config", "create", "x", "fichier", "--all", "--non-interactive"];

/// Returns the parts of a question that must agree; its help is in our own words.
fn essence(step: &Value) -> Value {
    let option = &step["Option"];
    json!({
        "State": step["State"], "Error": step["Error"], "Result": step["Result"], "Name": option["Name"],
        "DefaultStr": option["DefaultStr"], "Required": option["Required"], "IsPassword": option["IsPassword"],
        "Advanced": option["Advanced"], "Exclusive": option["Exclusive"], "Type": option["Type"],
        "Examples": option["Examples"],
    })
}

#[test]
fn programs_are_asked_the_same_in_the_same_order() {
    let asked = BOTH.map(|program| {
        let pair = Pair::with("");
        let step = |words: &[&str]| -> Value { serde_json::from_str(&pair.run(program, words)).unwrap() };
        let mut now = step(&BEGIN);
        let mut asked = Vec::new();
        for result in ["KEY", "true", "folder", "", "", "true", "Slash", "a note"] {
            asked.push(essence(&now));
            let state = now["State"].as_str().unwrap().to_owned();
            now = step(&["config", "update", "x", "--continue", "--state", &state, "--result", result]);
        }
        (asked, pair.dump(program, &[]))
    });
    assert_eq!(asked[0], asked[1]);
    assert_eq!(asked[0].0.len(), 8);
}

#[test]
fn a_remote_without_questions_ends_at_once() {
    let words = ["config", "create", "x", "fichier", "api_key=K", "--non-interactive"];
    let [ours, rclones] = BOTH.map(|program| Pair::with("").run(program, &words));
    assert_eq!(ours, rclones);
}

#[test]
fn all_of_rclones_options_are_described_alike() {
    let pair = Pair::with("");
    let providers = |program| -> Vec<Value> {
        serde_json::from_str(&pair.run(program, &["config", "providers"])).unwrap()
    };
    let (ours, rclones) = (providers(Program::Ours), providers(Program::Rclones));
    let options = |providers: &[Value], backend: &str| -> Vec<Value> {
        let found = providers.iter().find(|provider| provider["Name"] == backend).unwrap();
        found["Options"].as_array().unwrap().clone()
    };
    for backend in ["fichier", "alias"] {
        let ours = options(&ours, backend);
        for theirs in options(&rclones, backend) {
            let name = &theirs["Name"];
            let own = ours.iter().find(|option| option["Name"] == *name);
            let own = own.unwrap_or_else(|| panic!("{backend} has no {name}"));
            for member in ["DefaultStr", "Required", "IsPassword", "Advanced", "Type"] {
                assert_eq!(own[member], theirs[member], "{backend} {name} {member}");
            }
        }
    }
}

/// Answers from a pipe, and the remotes that they lead to.
const PIPED: &[&str] = &[
    "n\none\nfichier\nKEY\nn\ny\nq\n",
    "n\none\nfichier\nKEY\ny\nfolder\nn\nn\ntrue\n\nnote\nn\ny\nq\n",
    "x\nn\nbad:name\none\nlocal\n\n\nq\n",
    "n\none\nalias\n\n/tmp\nn\ne\n/srv\nn\ny\nq\n",
    "e\nold\nNEW\nn\ny\nr\nold\nnew\nc\nnew\ncopy\nd\nnew\nq\n",
    "e\n1\n\nn\nd\nq\n",
    "n\none\nfichier\nKEY\nn\nd\nq\n",
];

#[test]
fn the_same_answers_lead_to_the_same_file() {
    for answers in PIPED {
        let dumps = BOTH.map(|program| {
            let pair = Pair::with("[old]\ntype = fichier\napi_key = OLD\ndescription = kept\n");
            // No service is called: rclone never does it, and ours only for a new key.
            let words: &[&str] =
                if program == Program::Ours { &["config", "--no-check"] } else { &["config"] };
            pair.run_with(program, &[], words, answers);
            pair.dump(program, &[])
        });
        assert_eq!(dumps[0], dumps[1], "{answers:?}");
    }
}
