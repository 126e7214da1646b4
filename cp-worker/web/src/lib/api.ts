// The control plane's HTTP interface, as `API.md` of the worker describes it.

import type {
  AgentState,
  GatewayHealth,
  SessionEnded,
  SystemInfo,
} from "@/protocol/generated/events";
import { asSentence } from "./format";

export interface Config {
  auth_mode: "dev" | "email";
  version: string;
  /** What the deployment has set up: sign-in at others, DigitalOcean, a key of its support. */
  github: boolean;
  google: boolean;
  cloud: boolean;
  support: boolean;
}

export interface User {
  user_id: string;
  email: string;
  created_at: number;
  identities: { kind: "email" | "github" | "google"; email: string }[];
}

/** A browser that is signed in. */
export interface SignIn {
  sign_in_id: string;
  created_at: number;
  last_seen_at: number;
  user_agent: string;
  current: boolean;
}

export interface Status {
  version: string;
  database: "ok" | "failing";
  store: "ok" | "failing";
}

/** A mail that was not sent, because this is a development server. */
export interface Mail {
  at: number;
  to: string;
  subject: string;
  text: string;
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
  /** Sessions that run at once; null where the gateway does not say. */
  max_sessions: number | null;
  last_seen_at: number | null;
  created_at: number;
  /** Until when the newest token lets a gateway enrol; null when none does. */
  bootstrap_expires_at: number | null;
  /** The last activity of a connected server, where that is more than 24 h ago. */
  idle_since: number | null;
  /** Null for a machine that its owner brought. */
  droplet: Droplet | null;
}

export interface NewServer {
  server: Server;
  bootstrap_token: string;
  expires_at: number;
}

/** A server's machine at DigitalOcean. */
export interface Droplet {
  status:
    "provisioning" | "active" | "off" | "powering_off" | "powering_on" | "failed" | "destroying";
  /** Why it failed; the code `timed_out` when no gateway came within 10 minutes. */
  failure: { code: string; message: string } | null;
  region: string;
  size: string;
  ip_address: string | null;
  /** Until when its gateway is waited for. */
  deadline: number | null;
  console_url: string | null;
  /** US dollars. */
  price_monthly: number | null;
}

/** The account at DigitalOcean that may be used. */
export interface CloudConnection {
  account_email: string;
  created_at: number;
  state: "connected" | "expired";
}

export interface CloudRegion {
  slug: string;
  name: string;
  /** Slugs of the sizes that can be had there. */
  sizes: string[];
}

/** Prices in US dollars. */
export interface CloudSize {
  slug: string;
  vcpus: number;
  memory_mb: number;
  disk_gb: number;
  price_monthly: number;
  price_hourly: number;
}

/** What can be had now; sizes are sorted by price. */
export interface CloudOptions {
  regions: CloudRegion[];
  sizes: CloudSize[];
}

export interface CloudRequest {
  name: string;
  region: string;
  size: string;
}

export type InstallableAgent = AgentState["agent"];

export type Agent = InstallableAgent | "none";

export interface InstalledAgent {
  agent: InstallableAgent;
  installed: boolean;
  version: string | null;
}

/** An SSH key that may log in. */
export interface Key {
  fingerprint: string;
  label: string;
  /** Unix *seconds*. */
  expires_at: number | null;
}

export interface NewKey {
  public_key: string;
  label: string;
  /** Unix *seconds*. */
  expires_at?: number;
}

/** The newest gateway that the deployment offers. */
export interface Release {
  version: string;
  manifest: string;
  signature: string;
}

export interface Sample {
  at: number;
  cpu_percent: number;
  ram_percent: number;
  disk_percent: number;
}

/** Health of the last 24 hours, oldest first, with gaps. */
export interface History {
  interval_ms: number;
  samples: Sample[];
}

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
  last_activity_at: number | null;
  /** Without activity for 24 h. */
  archived: boolean;
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
    /** Seconds after which it may be tried again, where the control plane says so. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

/** What a person is told about any failure of a call. */
export function problemText(problem: unknown): string {
  if (problem instanceof ApiError) return asSentence(problem.message);
  return "The control plane cannot be reached. Check the network and try again.";
}

export const serverPath = (gatewayId: string): string =>
  `/api/servers/${encodeURIComponent(gatewayId)}`;

export const sessionPath = (gatewayId: string, sessionId: number): string =>
  `${serverPath(gatewayId)}/sessions/${sessionId}`;

export const api = {
  config: () => call<Config>("GET", "/api/config"),
  /** 503 is an answer too: it says what fails. */
  status: () => call<Status>("GET", "/api/status", undefined, [503]),
  devOutbox: () => call<{ mails: Mail[] }>("GET", "/api/dev/outbox").then((r) => r.mails),

  me: () => call<{ user: User }>("GET", "/api/me").then(({ user }) => user),
  signInDev: (email: string) =>
    call<{ user: User }>("POST", "/api/auth/dev", { email }).then(({ user }) => user),
  mailLink: (email: string) => call<object>("POST", "/api/auth/email", { email }),
  confirmLink: (token: string) =>
    call<{ user: User }>("POST", "/api/auth/email/confirm", { token }).then(({ user }) => user),
  signOut: () => call<void>("POST", "/api/auth/sign-out"),
  signOutEverywhere: () => call<void>("POST", "/api/auth/sign-out-everywhere"),
  signIns: () => call<{ sign_ins: SignIn[] }>("GET", "/api/me/sign-ins").then((r) => r.sign_ins),
  endSignIn: (id: string) => call<void>("DELETE", `/api/me/sign-ins/${encodeURIComponent(id)}`),
  deleteAccount: (email: string) => call<void>("DELETE", "/api/me", { email }),

  cloudConnection: () =>
    call<{ connection: CloudConnection | null }>("GET", "/api/cloud").then((r) => r.connection),
  disconnectCloud: () => call<void>("DELETE", "/api/cloud"),

  servers: () => call<{ servers: Server[] }>("GET", "/api/servers").then((r) => r.servers),
  addServer: (name: string) => call<NewServer>("POST", "/api/servers", { name }),
  removeServer: (gatewayId: string) => call<void>("DELETE", serverPath(gatewayId)),
  renameServer: (gatewayId: string, name: string) =>
    call<{ server: Server }>("PATCH", serverPath(gatewayId), { name }).then((r) => r.server),
  newToken: (gatewayId: string) => call<NewServer>("POST", `${serverPath(gatewayId)}/bootstrap`),

  history: (gatewayId: string) => call<History>("GET", `${serverPath(gatewayId)}/history`),
  runaway: (gatewayId: string) =>
    call<{ runaway: number[] }>("GET", `${serverPath(gatewayId)}/rates`).then((r) => r.runaway),
  /** @param target as `system_info` names it; older gateways name none */
  release: (target: string | undefined) =>
    call<Release>("GET", `/api/release${target ? `?target=${encodeURIComponent(target)}` : ""}`),
  update: (gatewayId: string, { manifest, signature }: Release) =>
    call<object>("POST", `${serverPath(gatewayId)}/update`, { manifest, signature }),

  agents: (gatewayId: string) =>
    call<{ agents: InstalledAgent[] }>("GET", `${serverPath(gatewayId)}/agents`).then(
      (r) => r.agents,
    ),
  installAgent: (gatewayId: string, agent: InstallableAgent) =>
    call<object>("POST", `${serverPath(gatewayId)}/agents/${agent}`),
  folders: (gatewayId: string) =>
    call<{ folders: string[] }>("GET", `${serverPath(gatewayId)}/folders`).then((r) => r.folders),

  keys: (gatewayId: string) => keysOf(call("GET", `${serverPath(gatewayId)}/keys`)),
  addKey: (gatewayId: string, key: NewKey) =>
    keysOf(call("POST", `${serverPath(gatewayId)}/keys`, key)),
  grantSupport: (gatewayId: string) =>
    keysOf(call("POST", `${serverPath(gatewayId)}/keys/support`)),
  removeKey: (gatewayId: string, fingerprint: string) =>
    call<void>(
      "DELETE",
      `${serverPath(gatewayId)}/keys?fingerprint=${encodeURIComponent(fingerprint)}`,
    ),

  cloudOptions: () => call<CloudOptions>("GET", "/api/cloud/options"),
  createDroplet: (request: CloudRequest) =>
    call<{ server: Server }>("POST", "/api/cloud/servers", request).then((r) => r.server),
  retryDroplet: (gatewayId: string) => dropletCall("POST", gatewayId, "/retry"),
  powerDroplet: (gatewayId: string, on: boolean) =>
    dropletCall("POST", gatewayId, "/power", { on }),
  destroyDroplet: (gatewayId: string, name: string) =>
    dropletCall("DELETE", gatewayId, "", { name }),

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

const keysOf = (answer: Promise<{ keys: Key[] }>): Promise<Key[]> =>
  answer.then(({ keys }) => keys);

const dropletCall = (method: string, gatewayId: string, deed: string, body?: object) =>
  call<{ server: Server }>(
    method,
    `/api/cloud/servers/${encodeURIComponent(gatewayId)}${deed}`,
    body,
  ).then((r) => r.server);

/** @param answers statuses beside 2xx whose body is an answer */
async function call<T>(
  method: string,
  path: string,
  body?: object,
  answers: number[] = [],
): Promise<T> {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (response.status === 204) return undefined as T;
  const answer: unknown = await response.json().catch(() => null);
  const error = (answer as { error?: { code?: string; message?: string } } | null)?.error;
  if (response.ok || (answers.includes(response.status) && answer !== null && !error)) {
    return answer as T;
  }
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  throw new ApiError(
    response.status,
    error?.code ?? "unknown",
    error?.message ?? `The control plane answered ${response.status}.`,
    Number.isFinite(retryAfter) ? retryAfter : null,
  );
}
