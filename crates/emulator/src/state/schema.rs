//! Tables of the state, by version.

use rusqlite::Connection;

use crate::error::EmulatorError;

/// Steps from version to version; a state of version N has seen the first N steps.
const STEPS: [&str; 2] = [include_str!("schema_1.sql"), include_str!("schema_2.sql")];

/// Updates a database to the newest version. Safe when several processes do it at once.
pub(super) fn migrate(db: &mut Connection) -> Result<(), EmulatorError> {
    let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(EmulatorError::NewerState { found, known });
    }
    let done = usize::try_from(found).unwrap_or(0);
    for step in &STEPS[done..] {
        tx.execute_batch(step)?;
    }
    tx.pragma_update(None, "user_version", known)?;
    tx.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrating_twice_is_harmless_and_a_newer_state_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db).unwrap();
        migrate(&mut db).unwrap();
        db.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(migrate(&mut db), Err(EmulatorError::NewerState { found: 99, .. })));
    }
}
