// A deployment that is set up by half says what is missing, and does nothing by half.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { User, world } from "./harness.mjs";

const KEY = randomBytes(32).toString("base64");
const CLOUD = {
  DO_CLIENT_ID: "client",
  DO_CLIENT_SECRET: "secret",
  SEALING_KEYS: `1:${KEY}`,
};
const EMAIL = { AUTH_MODE: "email" };
const MAIL = { ...EMAIL, MAIL_API_KEY: "key", MAIL_FROM: "a@chatcode.example" };

const config = ["GET", "/api/config"];
const link = ["POST", "/api/auth/email", { email: "ada@example.com" }];
const connect = ["GET", "/api/cloud/connect"];
const script = ["GET", "/install.sh"];
const release = ["GET", "/api/release?target=x86_64-unknown-linux-musl"];

/** What is bound, what is asked, and what the refusal must name. */
const CASES = [
  [{ COOKIE_SECRET: "" }, config, /COOKIE_SECRET must be bound to 32 bytes or more/],
  [{ COOKIE_SECRET: "short" }, config, /COOKIE_SECRET/],
  [{ TOKEN_SECRET: "x".repeat(31) }, config, /TOKEN_SECRET/],
  [{ AUTH_MODE: "none" }, config, /AUTH_MODE is dev or email, not none/],
  [{ PUBLIC_ORIGIN: "https://chatcode.example" }, config, /AUTH_MODE=dev .* loopback/],
  [{ ...EMAIL, PUBLIC_ORIGIN: "https://chatcode.example/" }, config, /PUBLIC_ORIGIN must be like/],
  [{ ...EMAIL, PUBLIC_ORIGIN: "chatcode.example" }, config, /PUBLIC_ORIGIN/],
  [EMAIL, link, /MAIL_API_KEY must be bound/],
  [{ ...MAIL, MAIL_FROM: "" }, link, /MAIL_FROM must be bound/],
  [{ ...MAIL, MAIL_API_URL: "http://mail.example" }, link, /MAIL_API_URL must be an https address/],
  [{ ...CLOUD, DO_CLIENT_SECRET: "" }, connect, /DO_CLIENT_ID needs DO_CLIENT_SECRET/],
  [{ ...CLOUD, SEALING_KEYS: "" }, connect, /DO_CLIENT_ID needs SEALING_KEYS/],
  [{ ...CLOUD, SEALING_KEYS: KEY }, connect, /SEALING_KEYS must be VERSION:KEY/],
  [{ ...CLOUD, SEALING_KEYS: `1:${KEY},1:${KEY}` }, connect, /a version twice/],
  [{ ...CLOUD, SEALING_KEYS: "1:c2hvcnQ=" }, connect, /SEALING_KEYS/],
  [{ ...CLOUD, DO_API_URL: "http://api.example" }, connect, /DO_API_URL must be an https/],
  [{ RELEASE_URL: "http://releases.example" }, release, /RELEASE_URL must be an https/],
  [{ RELEASE_URL: "http://releases.example" }, script, /RELEASE_URL must be an https/],
  [{ RELEASE_URL: "https://releases.example/'; reboot '" }, script, /RELEASE_URL has characters/],
  [{ RELEASE_PUBLIC_KEY: "RWQ" }, script, /RELEASE_PUBLIC_KEY must be the second line/],
  [{ RELEASE_PUBLIC_KEY: "'".repeat(56) }, script, /RELEASE_PUBLIC_KEY/],
];

test("each thing that is missing or wrong is named, without a secret", async (t) => {
  for (const [bindings, [method, path, body], sentence] of CASES) {
    const { AUTH_MODE: authMode = "dev", ...rest } = bindings;
    // What runs on would reach nobody.
    const outboundService = () => new Response("", { status: 599 });
    const { url } = await world(t, { authMode, bindings: rest, outboundService, log: () => {} });
    const user = path === connect[1] ? await User.signIn(url) : new User(url);
    const response = await user.fetch(method, path, body);
    const text = await response.text();
    assert.equal(response.status, 500, `${sentence}: ${text}`);
    const { code, message } = JSON.parse(text).error;
    assert.equal(code, "misconfigured");
    assert.match(message, sentence);
    for (const secret of [KEY, "x".repeat(31), "c2hvcnQ"]) assert.ok(!text.includes(secret), text);
  }
});
