//! The account (API document, section 9).

use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{ApiError, ErrorKind};
use crate::pacer::{AccountSnapshot, Call, CallClass};
use crate::wire::account::UserInfo;

/// How long the question may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

fn is_lock(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Flood { .. } | ErrorKind::AddressLocked { .. } | ErrorKind::Status { code: 429, .. }
    )
}

impl Client {
    /// The state of the account. A state younger than 5 minutes is told from memory, also from that of another
    /// process, since the service allows no more; and an older one when the service objects to the question.
    ///
    /// # Errors
    /// `NotAuthenticated` and its kin for a bad key.
    pub async fn account(&self) -> Result<AccountSnapshot, ApiError> {
        let pacer = &self.inner.pacer;
        if let Some(fresh) = pacer.fresh_account() {
            return Ok(fresh);
        }
        let book = pacer.account_book().await;
        if let Some(fresh) = pacer.fresh_account() {
            return Ok(fresh);
        }
        let known = pacer.any_account();
        // Nobody waits for a lock to end to be told how much the account holds.
        if let Some(remaining) = pacer.rest_of(CallClass::AccountInfo).filter(|rest| *rest > PATIENCE) {
            let too_soon = || ApiError::new(Endpoint::UserInfo, ErrorKind::TooSoon { remaining });
            return known.ok_or_else(|| too_soon().with_history(0, false));
        }
        let call = Call { flood_retries: Some(0), ..self.call(Endpoint::UserInfo, CallClass::AccountInfo) };
        match (self.post::<UserInfo>(call, &json!({})).await, known) {
            (Ok(info), _) => {
                let snapshot = AccountSnapshot { at: SystemTime::now(), info };
                pacer.keep_account(snapshot.clone());
                if let Some(book) = book {
                    book.put(&snapshot);
                }
                Ok(snapshot)
            }
            (Err(error), Some(known)) if is_lock(error.kind()) => Ok(known),
            (Err(error), _) => Err(error),
        }
    }
}
