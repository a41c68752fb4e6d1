//! What is worth saying of an account before a run, as far as an earlier answer told it: no call is made for it.

use std::time::{Duration, SystemTime};

use fichier_storage::{AccountDetails, Location};

use crate::room::Room;

/// How old an answer may be that tells of a subscription's end.
const END_KNOWN_FOR: Duration = Duration::from_secs(30 * 86_400);

/// How old an answer may be that tells how much is free.
const ROOM_KNOWN_FOR: Duration = Duration::from_secs(86_400);

/// A subscription that ends within this time is worth a word: a week.
const SOON: i64 = 7 * 86_400;

/// Says what is worth a word before a run that stores at `to`. `moves_inside`: nothing comes from elsewhere, so no space
/// is needed.
pub(super) fn say(to: &Location, moves_inside: bool, room: &Room) {
    let Some(known) = to.remote.extensions().settings.and_then(|settings| settings.known_account()) else {
        return;
    };
    let remote = &to.remote.info().name;
    let age = known.told_at.and_then(|at| SystemTime::now().duration_since(at).ok());
    if age.is_some_and(|age| age <= END_KNOWN_FOR)
        && let Some(said) = said_of_end(&known)
    {
        tracing::warn!("The subscription of {remote} {said}");
    }
    let is_fresh = age.is_some_and(|age| age <= ROOM_KNOWN_FOR);
    if let Some(free) = known.info.usage.free.filter(|_| is_fresh && !moves_inside) {
        room.note(free, remote.clone());
    }
}

/// What is said of a subscription that ends soon, or has ended.
fn said_of_end(known: &AccountDetails) -> Option<String> {
    let left = known.ends_in.filter(|left| *left < SOON)?;
    let until = known.info.valid_until.as_deref()?;
    Some(match left {
        ..0 => format!("ended at {until}, as far as is known"),
        _ => format!("ends at {until}"),
    })
}

#[cfg(test)]
mod tests {
    use fichier_storage::AccountInfo;

    use super::*;

    #[test]
    fn only_a_near_end_is_said() {
        let info = AccountInfo { valid_until: Some("2030-01-01".into()), ..AccountInfo::default() };
        let said = |ends_in| {
            said_of_end(&AccountDetails { info: info.clone(), ends_in, ..AccountDetails::default() })
        };
        assert_eq!(said(Some(SOON)), None);
        assert_eq!(said(None), None);
        assert_eq!(said(Some(5)).unwrap(), "ends at 2030-01-01");
        assert_eq!(said(Some(-5)).unwrap(), "ended at 2030-01-01, as far as is known");
    }
}
