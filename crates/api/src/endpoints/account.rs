//! The account's calls (API document, section 9).

use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{ApiError, ErrorKind};
use crate::pacer::{AccountSnapshot, Call, CallClass};
use crate::wire::account::UserInfo;

/// Longest pause between the account's calls that is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

impl Client {
    /// Returns the state of the account. A state younger than 5 minutes comes from memory, also from that of another
    /// process, since the service allows no more. An older one comes from memory when the service refuses, or when
    /// another account's state was asked for from this IP address less than a minute ago.
    ///
    /// # Errors
    /// `NotAuthenticated` and similar errors for a bad key; `TooSoon` when nothing is known and the service may not
    /// be asked yet.
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
        // This call isn't waited for: not for the account's limit, not for the address's, and not for a lock to end.
        let rest = pacer.account_pause().max(pacer.rest_of(CallClass::AccountInfo));
        let wait = rest.filter(|rest| *rest > LONGEST_WAIT).max(pacer.address_pause());
        if let Some(remaining) = wait {
            let too_soon = || ApiError::new(Endpoint::UserInfo, ErrorKind::TooSoon { remaining });
            return known.ok_or_else(|| too_soon().with_history(0, false));
        }
        let call = Call { flood_retries: Some(0), ..self.call(Endpoint::UserInfo, CallClass::AccountInfo) };
        match (self.post::<UserInfo>(call, &json!({})).await, known) {
            (Ok(info), _) => {
                let snapshot = AccountSnapshot { at: SystemTime::now(), info };
                pacer.note_account_asked();
                // What tells nothing isn't worth to be told again.
                if snapshot.info != UserInfo::default() {
                    pacer.keep_account(snapshot.clone());
                    if let Some(book) = book {
                        book.put(&snapshot);
                    }
                }
                Ok(snapshot)
            }
            (Err(error), Some(known)) if error.kind().is_lock() => Ok(known),
            (Err(error), _) => Err(error),
        }
    }
}
