-- What owners of accounts have set by `user/info`.
CREATE TABLE account_settings (
    account INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (account, name)
) WITHOUT ROWID;
