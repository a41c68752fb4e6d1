//! The control over HTTP, under `/_emulator/`, for curl and for tests in other languages.
//!
//! Requests are `GET counters`, `POST counters/reset`, `GET|POST|DELETE faults` (one fault per line, as on the
//! command line), `GET tree` and `GET count` with the account's key as bearer, `GET limits`, `POST limits/reset`.

use std::sync::Arc;

use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::answer::{Answer, Refusal};
use crate::control::Control;
use crate::error::{EmulatorError, ParseValueError};
use crate::faults::FaultSpec;
use crate::service::Service;
use crate::state::blocking;

/// Answers a control request.
pub(crate) async fn answer(service: &Arc<Service>, request: Request<Incoming>, path: &str) -> Answer {
    match (request.method(), path) {
        (&Method::GET, "counters") => Answer::value(&json!({
            "requests": service.counters.requests(), "floods": service.counters.floods(),
        })),
        (&Method::POST, "counters/reset") => {
            service.counters.reset();
            done()
        }
        (&Method::GET, "faults") => Answer::value(&json!(service.faults.list())),
        (&Method::DELETE, "faults") => {
            service.faults.clear();
            done()
        }
        (&Method::POST, "faults") => add_faults(service, request).await,
        (&Method::GET, "tree") => of_account(service, &request, tree).await,
        (&Method::GET, "count") => of_account(service, &request, count).await,
        (&Method::GET, "limits") => limits(service).await,
        (&Method::POST, "limits/reset") => {
            match service.store.run(|tx| Ok::<_, Refusal>(tx.clear_gates()?)).await {
                Ok(()) => done(),
                Err(refusal) => refusal.into_answer(),
            }
        }
        _ => failure(StatusCode::NOT_FOUND, "the emulator's control has no such request"),
    }
}

fn done() -> Answer {
    Answer::value(&json!({"done": true}))
}

fn failure(status: StatusCode, reason: &str) -> Answer {
    let mut answer = Answer::value(&json!({"done": false, "reason": reason}));
    answer.status = status;
    answer
}

async fn add_faults(service: &Arc<Service>, request: Request<Incoming>) -> Answer {
    let body = service.read_small(request.into_body()).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&body).into_owned();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let specs: Result<Vec<FaultSpec>, ParseValueError> = lines.map(str::parse).collect();
    match specs {
        Ok(specs) => {
            specs.into_iter().for_each(|spec| service.faults.add(spec));
            done()
        }
        Err(error) => failure(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

/// Answers for the account whose key is sent.
async fn of_account(
    service: &Arc<Service>,
    request: &Request<Incoming>,
    look: impl FnOnce(&Control) -> Result<Answer, EmulatorError> + Send + 'static,
) -> Answer {
    let Some(key) = service.door.account_key(request.headers()) else {
        return failure(StatusCode::UNAUTHORIZED, "send the account's key as Authorization: Bearer KEY");
    };
    let control = Control::new(Arc::clone(service), key);
    blocking(move || look(&control))
        .await
        .unwrap_or_else(|error| failure(StatusCode::NOT_FOUND, &error.to_string()))
}

fn tree(control: &Control) -> Result<Answer, EmulatorError> {
    let tree = control.tree()?;
    Ok(match serde_json::to_vec(&tree) {
        Ok(json) => Answer::json(json),
        Err(error) => failure(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    })
}

fn count(control: &Control) -> Result<Answer, EmulatorError> {
    Ok(Answer::value(&json!({"files": control.count_files()?})))
}

async fn limits(service: &Arc<Service>) -> Answer {
    let gates = service.store.run(|tx| Ok::<_, Refusal>((tx.gates()?, tx.now))).await;
    let (gates, now) = match gates {
        Ok(gates) => gates,
        Err(refusal) => return refusal.into_answer(),
    };
    let gates: Vec<Value> = gates
        .into_iter()
        .map(|(gate, [_, _, until, offences])| {
            json!({"gate": gate, "locked_for_ms": ((until - now) / 1000).max(0), "offences": offences})
        })
        .collect();
    Answer::value(&json!({
        "limits": service.limits.to_string(), "listing_cap": service.listing_cap, "gates": gates,
    }))
}
