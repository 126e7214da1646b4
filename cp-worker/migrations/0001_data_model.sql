-- The whole data model. Times are milliseconds since the Unix epoch.

CREATE TABLE users (
  user_id TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL
) STRICT;

-- How a person is recognised; the address is in lower case.
CREATE TABLE email_identities (
  email TEXT PRIMARY KEY CHECK (email = lower(email) AND length(email) <= 254),
  user_id TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  last_sign_in_at INTEGER
) STRICT;
CREATE INDEX email_identities_by_user ON email_identities (user_id);

-- A connected DigitalOcean account. Tokens are AES-256-GCM ciphertext in base64.
CREATE TABLE do_connections (
  connection_id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  account_uuid TEXT NOT NULL,
  account_email TEXT,
  access_token_sealed TEXT NOT NULL,
  refresh_token_sealed TEXT NOT NULL,
  key_version INTEGER NOT NULL CHECK (key_version >= 1),
  expires_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (user_id, account_uuid)
) STRICT;

-- A server with a gateway. Tokens are kept as HMAC-SHA256 in hex, never as they are.
CREATE TABLE gateways (
  gateway_id TEXT PRIMARY KEY CHECK (length(gateway_id) BETWEEN 1 AND 64),
  user_id TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  auth_hash TEXT CHECK (length(auth_hash) = 64),
  next_auth_hash TEXT CHECK (length(next_auth_hash) = 64),
  bootstrap_hash TEXT CHECK (length(bootstrap_hash) = 64),
  bootstrap_expires_at INTEGER,
  connected INTEGER NOT NULL DEFAULT 0 CHECK (connected IN (0, 1)),
  hostname TEXT,
  version TEXT,
  system_info TEXT,
  health TEXT,
  last_seen_at INTEGER,
  created_at INTEGER NOT NULL,
  CHECK ((bootstrap_hash IS NULL) = (bootstrap_expires_at IS NULL))
) STRICT;
CREATE INDEX gateways_by_user ON gateways (user_id, created_at);

-- A droplet that we made. The row outlives the droplet only until it is destroyed.
CREATE TABLE vps (
  vps_id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  connection_id TEXT NOT NULL REFERENCES do_connections (connection_id) ON DELETE RESTRICT,
  gateway_id TEXT NOT NULL UNIQUE REFERENCES gateways (gateway_id) ON DELETE RESTRICT,
  droplet_id INTEGER UNIQUE,
  region TEXT NOT NULL,
  size TEXT NOT NULL,
  image TEXT NOT NULL,
  ip_address TEXT,
  status TEXT NOT NULL CHECK (
    status IN ('provisioning', 'active', 'off', 'failed', 'destroying')
  ),
  provisioning_deadline INTEGER,
  failure TEXT,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX vps_by_user ON vps (user_id);
CREATE INDEX vps_by_connection ON vps (connection_id);
CREATE INDEX vps_by_deadline ON vps (provisioning_deadline) WHERE status = 'provisioning';

-- `starting` until the gateway has acked; such a row is not shown.
CREATE TABLE sessions (
  gateway_id TEXT NOT NULL REFERENCES gateways (gateway_id) ON DELETE CASCADE,
  session_id INTEGER NOT NULL CHECK (session_id BETWEEN 1 AND 4294967295),
  name TEXT NOT NULL,
  workdir TEXT NOT NULL,
  agent TEXT NOT NULL CHECK (agent IN ('claude-code', 'codex', 'gemini', 'opencode', 'none')),
  status TEXT NOT NULL CHECK (status IN ('starting', 'running', 'ended')),
  reason TEXT CHECK (reason IN ('exited', 'ended', 'killed', 'out_of_memory', 'lost')),
  exit_code INTEGER,
  signal INTEGER,
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  PRIMARY KEY (gateway_id, session_id),
  CHECK ((status = 'ended') = (ended_at IS NOT NULL)),
  CHECK ((status = 'ended') = (reason IS NOT NULL))
) STRICT;
CREATE INDEX sessions_by_status ON sessions (gateway_id, status);

-- Public keys that may log in to a server; a private key never comes here.
CREATE TABLE authorized_keys (
  gateway_id TEXT NOT NULL REFERENCES gateways (gateway_id) ON DELETE CASCADE,
  fingerprint TEXT NOT NULL CHECK (fingerprint LIKE 'SHA256:%'),
  public_key TEXT NOT NULL CHECK (public_key NOT LIKE '%PRIVATE KEY%'),
  label TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('user', 'support')),
  expires_at INTEGER,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER,
  PRIMARY KEY (gateway_id, fingerprint),
  CHECK (kind = 'user' OR expires_at IS NOT NULL)
) STRICT;
