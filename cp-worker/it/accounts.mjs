// What the tests of accounts share: worlds with stand-ins beside them, browsers that keep cookies.
import assert from "node:assert/strict";
import { start as startGithub } from "../stand-ins/github.mjs";
import { start as startGoogle } from "../stand-ins/google.mjs";
import { KEY, start as startMail } from "../stand-ins/mail.mjs";
import { CLIENT } from "../stand-ins/oauth.mjs";
import { User, world } from "./harness.mjs";

/** A deployment that mails, with a stand-in for the mail API. */
export async function mailingWorld(t, options = {}) {
  const mail = await startMail();
  t.after(mail.close);
  const bindings = {
    ...{ MAIL_API_URL: `${mail.url}/emails`, MAIL_API_KEY: KEY },
    MAIL_FROM: "chatcode <sign-in@chatcode.example>",
  };
  const all = { ...bindings, ...options.bindings };
  return { mail, ...(await world(t, { authMode: "email", ...options, bindings: all })) };
}

/** A deployment where people sign in by GitHub and Google, with stand-ins for both. */
export async function oauthWorld(t, bindings = {}) {
  const [github, google] = [await startGithub(), await startGoogle()];
  t.after(github.close);
  t.after(google.close);
  const clients = {
    ...{ GITHUB_CLIENT_ID: CLIENT.id, GITHUB_CLIENT_SECRET: CLIENT.secret },
    ...{ GOOGLE_CLIENT_ID: CLIENT.id, GOOGLE_CLIENT_SECRET: CLIENT.secret },
    ...{ GITHUB_URL: github.url, GITHUB_API_URL: github.url },
    GOOGLE_AUTH_URL: `${google.url}/o/oauth2/v2/auth`,
    ...{ GOOGLE_TOKEN_URL: `${google.url}/token`, GOOGLE_API_URL: `${google.url}/v1` },
  };
  return { github, google, ...(await world(t, { bindings: { ...clients, ...bindings } })) };
}

/** A browser: keeps the cookies that it is given, follows no redirect by itself. */
export class Browser {
  #cookies = new Map();

  constructor(url) {
    this.url = url;
  }

  async go(address) {
    const cookie = [...this.#cookies].map((pair) => pair.join("=")).join("; ");
    const target = new URL(address, this.url);
    const ours = target.origin === this.url;
    const response = await fetch(target, { redirect: "manual", headers: ours ? { cookie } : {} });
    for (const set of ours ? response.headers.getSetCookie() : []) {
      const [name, value] = set.split(";")[0].split(/=(.*)/);
      if (/Max-Age=0/.test(set)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return response;
  }

  /** Signs in by a provider; where the browser comes to in the end. */
  async signIn(provider) {
    const there = await this.go(`/api/auth/${provider}`);
    assert.equal(there.status, 302, await there.clone().text());
    const back = await this.go(there.headers.get("location"));
    assert.equal(back.status, 302, await back.clone().text());
    this.cameBack = back.headers.get("location");
    const home = await this.go(this.cameBack);
    assert.equal(home.status, 302, await home.clone().text());
    return home.headers.get("location");
  }

  get cookies() {
    return this.#cookies;
  }

  /** The one who is signed in here. */
  user() {
    const user = new User(this.url);
    user.cookie = `chatcode_session=${this.#cookies.get("chatcode_session")}`;
    return user;
  }

  async me() {
    return (await this.user().ask("GET", "/api/me")).user;
  }
}

/** Asks for a link and returns its token. */
export async function askForLink({ url, mail }, email, headers) {
  const asked = await new User(url).fetch("POST", "/api/auth/email", { email }, headers);
  assert.equal(asked.status, 202, await asked.clone().text());
  return tokenOf(mail.mails.at(-1));
}

/** The token in a mail. */
export function tokenOf(mail) {
  return /\/sign-in\/confirm#token=([\w-]{43})$/m.exec(mail.text)[1];
}

/** Follows a link; the answer, and the user whom it signs in. */
export async function follow(url, token, headers) {
  const user = new User(url);
  const response = await user.fetch("POST", "/api/auth/email/confirm", { token }, headers);
  if (response.ok) user.cookie = response.headers.get("set-cookie").split(";")[0];
  return { status: response.status, response, user };
}

/** The code of a refusal, after a look at its status. */
export async function refusal(response, status) {
  const { error } = await response.json();
  assert.equal(response.status, status, error?.message);
  return error.code;
}
