-- When a session, and any session of a gateway, last had input or output, to the minute; NULL
-- before the first report. And how many sessions the gateway allows at once; NULL for one that
-- does not say so.
ALTER TABLE sessions ADD COLUMN last_activity_at INTEGER;
ALTER TABLE gateways ADD COLUMN last_activity_at INTEGER;
ALTER TABLE gateways ADD COLUMN max_sessions INTEGER;
