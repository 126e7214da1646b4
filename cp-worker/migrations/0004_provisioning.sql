-- Droplets as a state machine that survives a crash between any two steps, and the lock that keeps a
-- refresh token, which is good for one use, from being used twice.

-- `generation` counts the refreshes: what is learned with tokens of an older one says nothing.
ALTER TABLE do_connections ADD COLUMN state TEXT NOT NULL DEFAULT 'connected'
  CHECK (state IN ('connected', 'expired'));
ALTER TABLE do_connections ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;
-- Who refreshes, and until when nobody else does.
ALTER TABLE do_connections ADD COLUMN lease TEXT;
ALTER TABLE do_connections ADD COLUMN lease_until INTEGER NOT NULL DEFAULT 0;
-- Failures in a row, and until when the account is left alone because of them.
ALTER TABLE do_connections ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE do_connections ADD COLUMN paused_until INTEGER NOT NULL DEFAULT 0;

-- Made anew, because the check of a status cannot be changed in place.
CREATE TABLE vps_next (
  vps_id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  connection_id TEXT NOT NULL REFERENCES do_connections (connection_id) ON DELETE RESTRICT,
  gateway_id TEXT NOT NULL UNIQUE REFERENCES gateways (gateway_id) ON DELETE RESTRICT,
  -- Its name at DigitalOcean ends with the attempt, which makes it unique.
  name TEXT NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 1 CHECK (attempt >= 1),
  -- Where its gateway connects to.
  origin TEXT NOT NULL,
  droplet_id INTEGER UNIQUE,
  region TEXT NOT NULL,
  size TEXT NOT NULL,
  image TEXT NOT NULL,
  price_monthly REAL,
  ip_address TEXT,
  status TEXT NOT NULL CHECK (
    status IN (
      'provisioning', 'active', 'off', 'powering_off', 'powering_on', 'failed', 'destroying'
    )
  ),
  -- What is destroyed is made again afterwards.
  remake INTEGER NOT NULL DEFAULT 0 CHECK (remake IN (0, 1)),
  -- When DigitalOcean was asked to make it; kept before it is asked.
  made_at INTEGER,
  -- When it was asked for the power action, and whether that was the hard one.
  acted_at INTEGER,
  forced INTEGER NOT NULL DEFAULT 0 CHECK (forced IN (0, 1)),
  deadline INTEGER,
  failure_code TEXT CHECK (length(failure_code) <= 64),
  failure_message TEXT CHECK (length(failure_message) <= 512),
  -- When it is to be looked at; NULL when there is nothing to see.
  next_look_at INTEGER,
  tries INTEGER NOT NULL DEFAULT 0,
  -- Counts the writes: one that was decided on an older state is not made.
  revision INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  CHECK ((failure_code IS NULL) = (failure_message IS NULL)),
  CHECK (status <> 'failed' OR failure_code IS NOT NULL)
) STRICT;
INSERT INTO vps_next (
  vps_id, user_id, connection_id, gateway_id, name, origin, droplet_id, region, size, image,
  ip_address, status, made_at, deadline, failure_code, failure_message, next_look_at, created_at
)
SELECT
  vps_id, user_id, connection_id, gateway_id, 'chatcode-' || vps_id, '', droplet_id, region, size,
  image, ip_address, status, created_at, provisioning_deadline,
  CASE WHEN status = 'failed' OR failure IS NOT NULL THEN 'failed' END,
  CASE WHEN status = 'failed' OR failure IS NOT NULL
    THEN substr(coalesce(failure, 'It failed.'), 1, 512) END,
  CASE WHEN status <> 'failed' THEN created_at END, created_at
FROM vps;
DROP TABLE vps;
ALTER TABLE vps_next RENAME TO vps;
CREATE INDEX vps_by_user ON vps (user_id);
CREATE INDEX vps_by_connection ON vps (connection_id);
CREATE INDEX vps_by_next_look ON vps (next_look_at) WHERE next_look_at IS NOT NULL;

-- The last activity that its owner was told of as the beginning of an idle stretch.
ALTER TABLE gateways ADD COLUMN idle_noticed_for INTEGER;
