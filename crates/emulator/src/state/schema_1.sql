CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    offer INTEGER NOT NULL,
    quota INTEGER NOT NULL
);

-- Folder 0 of every account is its root and has no row.
CREATE TABLE folders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL,
    parent INTEGER NOT NULL,
    name TEXT NOT NULL,
    created INTEGER NOT NULL,
    pass TEXT,
    share TEXT UNIQUE,
    shares TEXT NOT NULL DEFAULT '[]',
    hidden_until INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX folders_by_parent ON folders (account, parent, name);

-- Account 0 owns what was uploaded without a key.
CREATE TABLE files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL,
    folder INTEGER NOT NULL,
    code TEXT NOT NULL UNIQUE,
    remove_code TEXT NOT NULL,
    domain INTEGER NOT NULL DEFAULT 0,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    date INTEGER NOT NULL,
    checksum TEXT NOT NULL,
    blob TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    pass TEXT,
    acl TEXT,
    cdn INTEGER NOT NULL DEFAULT 0,
    inline INTEGER NOT NULL DEFAULT 0,
    no_ssl INTEGER NOT NULL DEFAULT 0,
    hidden_until INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX files_by_folder ON files (account, folder, date DESC, id DESC);
CREATE INDEX files_by_name ON files (account, folder, name);
CREATE INDEX files_by_date ON files (account, date DESC, id DESC);
CREATE INDEX files_by_size ON files (account, size);
CREATE INDEX files_by_blob ON files (blob);

-- What listings still show, although it's gone or elsewhere: the lag.
CREATE TABLE ghost_files AS SELECT * FROM files WHERE 0;
ALTER TABLE ghost_files ADD COLUMN until INTEGER NOT NULL DEFAULT 0;
CREATE INDEX ghost_files_by_folder ON ghost_files (account, folder);
CREATE TABLE ghost_folders AS SELECT * FROM folders WHERE 0;
ALTER TABLE ghost_folders ADD COLUMN until INTEGER NOT NULL DEFAULT 0;
CREATE INDEX ghost_folders_by_parent ON ghost_folders (account, parent);

CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    account INTEGER NOT NULL,
    node TEXT NOT NULL,
    created INTEGER NOT NULL,
    report TEXT,
    reported INTEGER
) WITHOUT ROWID;

CREATE TABLE tokens (
    token TEXT PRIMARY KEY,
    code TEXT NOT NULL,
    ip TEXT,
    single INTEGER NOT NULL,
    inline INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE remotes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL,
    requested INTEGER NOT NULL,
    urls TEXT NOT NULL,
    result TEXT NOT NULL
);

CREATE TABLE gates (
    key TEXT PRIMARY KEY,
    mark INTEGER NOT NULL DEFAULT 0,
    locked_from INTEGER NOT NULL DEFAULT 0,
    locked_until INTEGER NOT NULL DEFAULT 0,
    offences INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
