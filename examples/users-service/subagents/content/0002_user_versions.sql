-- Only adds: the release before this one names its columns and goes on working.
ALTER TABLE users ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- Which fields were changed and when, never their values: those are personal data and stay in users.
CREATE TABLE user_changes (
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    version    INTEGER NOT NULL,
    fields     TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    PRIMARY KEY (user_id, version)
);
