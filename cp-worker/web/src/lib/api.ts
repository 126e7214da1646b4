// The control plane's HTTP interface, as `API.md` of the worker describes it.

import type { GatewayHealth, SessionEnded, SystemInfo } from "@/protocol/generated/events";

export interface Config {
  auth_mode: "dev" | "email";
  version: string;
}

export interface User {
  user_id: string;
  email: string;
}

/** A server; what is not known before its gateway first connected is null. Times are Unix ms. */
export interface Server {
  gateway_id: string;
  name: string;
  status: "pending" | "online" | "offline";
  hostname: string | null;
  version: string | null;
  system_info: SystemInfo | null;
  health: GatewayHealth | null;
  last_seen_at: number | null;
  created_at: number;
}

export interface NewServer {
  server: Server;
  bootstrap_token: string;
  expires_at: number;
}

export type Agent = "claude-code" | "codex" | "gemini" | "opencode" | "none";

export interface Session {
  gateway_id: string;
  session_id: number;
  name: string;
  workdir: string;
  agent: Agent;
  status: "running" | "ended";
  reason: SessionEnded["reason"] | null;
  exit_code: number | null;
  created_at: number;
  ended_at: number | null;
  viewers: number;
  /** What it wants a person for, since somebody last looked at it; null when nothing. */
  attention: { at: number; reason: string; title: string | null } | null;
}

export interface SessionRequest {
  name: string;
  workdir: string;
  agent: Agent;
  cols: number;
  rows: number;
}

/** A refusal, in the control plane's own words where it had any. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** What a person is told about any failure of a call. */
export function problemText(problem: unknown): string {
  if (problem instanceof ApiError) return problem.message;
  return "The control plane cannot be reached. Check the network and try again.";
}

export const serverPath = (gatewayId: string): string =>
  `/api/servers/${encodeURIComponent(gatewayId)}`;

export const sessionPath = (gatewayId: string, sessionId: number): string =>
  `${serverPath(gatewayId)}/sessions/${sessionId}`;

export const api = {
  config: () => call<Config>("GET", "/api/config"),
  me: () => call<{ user: User }>("GET", "/api/me").then(({ user }) => user),
  signInDev: (email: string) =>
    call<{ user: User }>("POST", "/api/auth/dev", { email }).then(({ user }) => user),
  signOut: () => call<void>("POST", "/api/auth/sign-out"),

  servers: () => call<{ servers: Server[] }>("GET", "/api/servers").then((r) => r.servers),
  addServer: (name: string) => call<NewServer>("POST", "/api/servers", { name }),
  removeServer: (gatewayId: string) => call<void>("DELETE", serverPath(gatewayId)),

  sessions: (gatewayId: string) =>
    call<{ sessions: Session[] }>("GET", `${serverPath(gatewayId)}/sessions`).then(
      (r) => r.sessions,
    ),
  createSession: (gatewayId: string, request: SessionRequest) =>
    call<{ session: Session }>("POST", `${serverPath(gatewayId)}/sessions`, request).then(
      (r) => r.session,
    ),
  renameSession: (gatewayId: string, sessionId: number, name: string) =>
    call<{ session: Session }>("PATCH", sessionPath(gatewayId, sessionId), { name }).then(
      (r) => r.session,
    ),
  endSession: (gatewayId: string, sessionId: number) =>
    call<void>("DELETE", sessionPath(gatewayId, sessionId)),
};

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (response.status === 204) return undefined as T;
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok) return answer as T;
  const error = (answer as { error?: { code?: string; message?: string } } | null)?.error;
  throw new ApiError(
    response.status,
    error?.code ?? "unknown",
    error?.message ?? `The control plane answered ${response.status}.`,
  );
}
