-- Browsers that are signed in: deleting a row signs one out, whoever has its cookie. The id is the
-- HMAC-SHA256, in hex, of the secret that the cookie holds.
CREATE TABLE sign_ins (
  sign_in_id TEXT PRIMARY KEY CHECK (length(sign_in_id) = 64),
  user_id TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  user_agent TEXT NOT NULL CHECK (length(user_agent) <= 256),
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_ins_by_user ON sign_ins (user_id, last_seen_at);
CREATE INDEX sign_ins_by_expiry ON sign_ins (expires_at);

-- Accounts elsewhere that sign a person in. The subject is the provider's own name for the account;
-- the address is the one that it had verified last.
CREATE TABLE oauth_identities (
  provider TEXT NOT NULL CHECK (provider IN ('github', 'google')),
  subject TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
  user_id TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  email TEXT NOT NULL CHECK (email = lower(email) AND length(email) <= 254),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (provider, subject)
) STRICT;
CREATE INDEX oauth_identities_by_user ON oauth_identities (user_id);

-- Mailed links that have signed somebody in, until they would have expired anyway. Of two requests
-- with one link, one puts its row here.
CREATE TABLE used_links (
  link_hash TEXT PRIMARY KEY CHECK (length(link_hash) = 64),
  expires_at INTEGER NOT NULL
) STRICT;
